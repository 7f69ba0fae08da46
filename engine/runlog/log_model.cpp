#include "engine/runlog/log_model.h"

#include <algorithm>
#include <cmath>

namespace espalier::runlog {
namespace {

constexpr std::uint32_t kMaxSeries = 1u << 17;  // a damaged id must not allocate the machine away

Result<void> checkDecoded(const ByteReader& in) {
    if (in.isGood()) return {};
    return fail(ErrorCode::Corrupt, "a record is shorter than it says", kJournalName);
}

}  // namespace

feed::SeriesInfo emptySeries(std::uint32_t id, std::string name) {
    feed::SeriesInfo info;
    info.id = id;
    info.name = std::move(name);
    info.min = info.max = feed::kNullReal;
    return info;
}

void addPoint(feed::SeriesInfo& info, std::int64_t step, double value) {
    if (info.count == 0) {
        info.firstStep = info.minStep = info.maxStep = step;
        info.first = value;
    }
    ++info.count;
    info.lastStep = step;
    info.last = value;
    if (!std::isfinite(value)) {
        ++info.nonFinite;
        return;
    }
    if (!(value >= info.min)) {  // also true for the first, when min is NaN
        info.min = value;
        info.minStep = step;
    }
    if (!(value <= info.max)) {
        info.max = value;
        info.maxStep = step;
    }
}

void LogModel::addSeries(std::uint32_t id, std::string name) {
    if (id >= kMaxSeries) return;
    while (series.size() <= id) {
        const auto next = static_cast<std::uint32_t>(series.size());
        series.push_back(emptySeries(next, "lost/series_" + std::to_string(next)));
        columns.emplace_back();
    }
    series[id].name = std::move(name);
}

void LogModel::addEvents(std::string_view rows) {
    for (; rows.size() >= sizeof(EventRow); rows.remove_prefix(sizeof(EventRow))) {
        EventRow row;
        std::memcpy(&row, rows.data(), sizeof row);
        if (row.series >= kMaxSeries) continue;
        if (row.series >= series.size()) addSeries(row.series, "lost/series_" + std::to_string(row.series));
        ++counts[std::size_t(Table::Events)];
        addPoint(series[row.series], row.step, row.value);
        if (!keepsPoints) continue;
        auto& column = columns[row.series];
        column.steps.push_back(row.step);
        column.wallSecs.push_back(row.wallSecs);
        column.values.push_back(row.value);
    }
}

void LogModel::addTradeoffPoint(feed::TradeoffPoint point) {
    // A job that was interrupted while it wrote a point may write it again: the later one holds.
    auto& points = tradeoff.points;
    const auto same = std::find_if(points.begin(), points.end(),
                                   [&](const auto& other) { return other.pointId == point.pointId; });
    if (same == points.end()) {
        points.push_back(std::move(point));
        return;
    }
    std::erase_if(tradeoff.choices, [&](const auto& choice) { return choice.pointId == point.pointId; });
    *same = std::move(point);
}

void LogModel::addTradeoffChoice(feed::TradeoffChoice choice) { tradeoff.choices.push_back(std::move(choice)); }

Result<void> LogModel::apply(RecordType type, std::string_view payload, std::uint64_t payloadOffset) {
    ByteReader in(payload);
    const auto count = [&](Table table) { ++counts[std::size_t(table)]; };
    switch (type) {
        case RecordType::Series: {
            const auto id = in.number<std::uint32_t>();
            auto name = in.text();
            ESPALIER_CHECK_OK(checkDecoded(in));
            addSeries(id, std::move(name));
            count(Table::Series);
            return {};
        }
        case RecordType::Scalars: addEvents(payload); return {};
        case RecordType::Mark: marks.push_back(decodeRow<feed::RunMark>(in)); count(Table::Marks); break;
        case RecordType::Warning:
            warnings.push_back(warningOf(decodeRow<WarningRow>(in)));
            count(Table::Warnings);
            break;
        case RecordType::Array: {
            const auto row = decodeRow<ArrayRow>(in);
            const bool isInline = in.number<std::uint8_t>() != 0;
            ESPALIER_CHECK_OK(checkDecoded(in));
            ESPALIER_TRY(auto info, infoOf(row));
            if (isInline && in.left() != std::size_t(row.count) * elementBytes(info.type))
                return fail(ErrorCode::Corrupt, "an array's values do not fill its shape", kJournalName);
            nextArray = std::max(nextArray, info.index + 1);
            arrays.push_back({std::move(info), isInline, payloadOffset + in.position()});
            count(Table::Arrays);
            return {};
        }
        case RecordType::ArrayLost: {
            const auto index = in.number<std::uint64_t>();
            if (std::erase_if(arrays, [&](const auto& entry) { return entry.info.index == index; }) > 0)
                --counts[std::size_t(Table::Arrays)];
            break;
        }
        case RecordType::TradeoffJob: tradeoff.job = decodeRow<feed::TradeoffJob>(in); count(Table::Job); break;
        case RecordType::TradeoffLayer:
            tradeoff.layers.push_back(decodeRow<feed::TradeoffLayer>(in));
            count(Table::Layer);
            break;
        case RecordType::TradeoffPoint:
            addTradeoffPoint(decodeRow<feed::TradeoffPoint>(in));
            count(Table::Point);
            break;
        case RecordType::TradeoffChoice:
            addTradeoffChoice(decodeRow<feed::TradeoffChoice>(in));
            count(Table::Choice);
            break;
        case RecordType::TradeoffTrace:
            tradeoff.traces.push_back(decodeRow<feed::TradeoffTrace>(in));
            count(Table::Trace);
            break;
        case RecordType::Opened: isClosed = false; break;
        case RecordType::Closed: isClosed = true; break;
        default: break;
    }
    return checkDecoded(in);
}

}  // namespace espalier::runlog
