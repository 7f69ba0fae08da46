#include "engine/runlog/table_columns.h"

namespace espalier::runlog {

WarningRow rowOf(const Warning& warning) {
    return {warning.file, warning.kind, warning.detail, warning.line, static_cast<std::int64_t>(warning.outcome)};
}

Warning warningOf(const WarningRow& row) {
    const auto outcome = row.outcome == 0 ? Outcome::Skipped : row.outcome == 2 ? Outcome::Ignored : Outcome::Kept;
    return {row.file, row.line, row.kind, row.detail, outcome};
}

namespace {
constexpr std::int64_t ArrayRow::* kDimensions[kMaxRank] = {&ArrayRow::d0, &ArrayRow::d1, &ArrayRow::d2,
                                                            &ArrayRow::d3, &ArrayRow::d4, &ArrayRow::d5};
}

ArrayRow rowOf(const feed::ArrayInfo& info) {
    ArrayRow row;
    row.index = static_cast<std::int64_t>(info.index);
    row.name = info.name;
    row.step = info.step;
    row.epoch = info.epoch;
    row.type = static_cast<std::int64_t>(info.type);
    row.rank = static_cast<std::int64_t>(info.shape.size());
    for (std::size_t i = 0; i < info.shape.size() && i < kMaxRank; ++i) row.*kDimensions[i] = info.shape[i];
    row.count = elementCount(info.shape);
    return row;
}

Result<feed::ArrayInfo> infoOf(const ArrayRow& row) {
    if (row.index < 0 || row.type < 0 || row.type > 3 || row.rank < 0 || row.rank > std::int64_t(kMaxRank))
        return fail(ErrorCode::Corrupt, "an array's entry has an impossible type or rank", row.name);
    feed::ArrayInfo info;
    info.index = static_cast<std::uint64_t>(row.index);
    info.name = row.name;
    info.step = row.step;
    info.epoch = row.epoch;
    info.type = static_cast<feed::ArrayType>(row.type);
    for (std::int64_t i = 0; i < row.rank; ++i) info.shape.push_back(row.*kDimensions[i]);
    if (elementCount(info.shape) != row.count || row.count < 0 || row.offset < 0)
        return fail(ErrorCode::Corrupt, "an array's entry has a shape that does not fit its size", row.name);
    return info;
}

std::int64_t elementCount(const std::vector<std::int64_t>& shape) {
    std::int64_t count = 1;
    for (const auto size : shape)
        if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > (std::int64_t(1) << 40)) return -1;
    return count;
}

std::size_t elementBytes(feed::ArrayType type) {
    switch (type) {
        case feed::ArrayType::Float32: return 4;
        case feed::ArrayType::Float16: return 2;
        case feed::ArrayType::UInt8: return 1;
        case feed::ArrayType::Int64: return 8;
    }
    return 1;
}

std::string_view fitted(std::string_view text, std::size_t width) {
    if (text.size() <= width) return text;
    while (width > 0 && (static_cast<unsigned char>(text[width]) & 0xC0u) == 0x80u) --width;
    return text.substr(0, width);
}

template <>
const std::vector<Column<feed::RunMark>>& columnsOf() {
    using R = feed::RunMark;
    static const std::vector<Column<R>> columns{
        {"step", &R::step}, {"wall_secs", &R::wallSecs}, {"kind", &R::kind, 32}, {"text", &R::text, 256}};
    return columns;
}

template <>
const std::vector<Column<WarningRow>>& columnsOf() {
    using R = WarningRow;
    static const std::vector<Column<R>> columns{{"file", &R::file, 512},
                                                {"line", &R::line},
                                                {"kind", &R::kind, 64},
                                                {"detail", &R::detail, 1024},
                                                {"outcome", &R::outcome}};
    return columns;
}

template <>
const std::vector<Column<ArrayRow>>& columnsOf() {
    using R = ArrayRow;
    static const std::vector<Column<R>> columns{
        {"index", &R::index}, {"name", &R::name, 256}, {"step", &R::step}, {"epoch", &R::epoch},
        {"type", &R::type},   {"rank", &R::rank},      {"d0", &R::d0},     {"d1", &R::d1},
        {"d2", &R::d2},       {"d3", &R::d3},          {"d4", &R::d4},     {"d5", &R::d5},
        {"offset", &R::offset}, {"count", &R::count}};
    return columns;
}

template <>
const std::vector<Column<SeriesRow>>& columnsOf() {
    using R = SeriesRow;
    static const std::vector<Column<R>> columns{{"name", &R::name, 256},
                                                {"id", &R::id},
                                                {"count", &R::count},
                                                {"first_step", &R::firstStep},
                                                {"last_step", &R::lastStep},
                                                {"min_step", &R::minStep},
                                                {"max_step", &R::maxStep},
                                                {"non_finite", &R::nonFinite},
                                                {"first", &R::first},
                                                {"last", &R::last},
                                                {"min", &R::min},
                                                {"max", &R::max},
                                                {"offset", &R::offset},
                                                {"pyramid_offset", &R::pyramidOffset},
                                                {"pyramid_levels", &R::pyramidLevels},
                                                {"stride", &R::stride}};
    return columns;
}

}  // namespace espalier::runlog
