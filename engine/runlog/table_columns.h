#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/array_record.h"
#include "engine/feed/metric_point.h"
#include "engine/feed/tradeoff.h"
#include "engine/runlog/byte_codec.h"
#include "engine/runlog/h5.h"

namespace espalier::runlog {

/// Column whose text is the job's id, which the row structs do not carry.
struct JobIdColumn {};

/// One column of a small table: its name, its width in the live file (texts) and where its value sits in a row.
/// The same list makes the journal payload and the HDF5 compound, so the two cannot drift apart.
template <class Row>
struct Column {
    const char* name;
    std::variant<std::string Row::*, std::int64_t Row::*, int Row::*, double Row::*, JobIdColumn> member;
    std::size_t width = 0;

    bool isText() const { return member.index() == 0 || member.index() == 4; }
    bool isReal() const { return member.index() == 3; }
};

/// A warning with its outcome as a number.
struct WarningRow {
    std::string file, kind, detail;
    std::int64_t line = 0, outcome = 0;
};
WarningRow rowOf(const Warning& warning);
Warning warningOf(const WarningRow& row);

/// Where one array's values lie in the flat data set of its type (or, in the journal, in its payload).
struct ArrayRow {
    std::int64_t index = 0;
    std::string name;
    std::int64_t step = 0, epoch = -1, type = 0, rank = 0;
    std::int64_t d0 = 1, d1 = 1, d2 = 1, d3 = 1, d4 = 1, d5 = 1;
    std::int64_t offset = 0, count = 0;  ///< elements
};
inline constexpr std::size_t kMaxRank = 6;
ArrayRow rowOf(const feed::ArrayInfo& info);
/// Refuses a type, rank or shape that cannot be.
Result<feed::ArrayInfo> infoOf(const ArrayRow& row);
/// Product of the shape, −1 when it is negative or does not fit.
std::int64_t elementCount(const std::vector<std::int64_t>& shape);
std::size_t elementBytes(feed::ArrayType type);  ///< as stored

/// One series in a compacted file: its summary and where its columns and pyramid start.
struct SeriesRow {
    std::string name;
    std::int64_t id = 0, count = 0, firstStep = 0, lastStep = 0, minStep = 0, maxStep = 0, nonFinite = 0;
    double first = 0, last = 0, min = 0, max = 0;
    std::int64_t offset = 0, pyramidOffset = 0, pyramidLevels = 0;
    std::int64_t stride = 0;  ///< the steps are first_step, first_step + stride, …; 0 when they are not
};

template <class Row>
const std::vector<Column<Row>>& columnsOf();
template <>
const std::vector<Column<feed::RunMark>>& columnsOf();
template <>
const std::vector<Column<WarningRow>>& columnsOf();
template <>
const std::vector<Column<ArrayRow>>& columnsOf();
template <>
const std::vector<Column<SeriesRow>>& columnsOf();
template <>
const std::vector<Column<feed::TradeoffJob>>& columnsOf();
template <>
const std::vector<Column<feed::TradeoffLayer>>& columnsOf();
template <>
const std::vector<Column<feed::TradeoffPoint>>& columnsOf();
template <>
const std::vector<Column<feed::TradeoffChoice>>& columnsOf();
template <>
const std::vector<Column<feed::TradeoffTrace>>& columnsOf();

template <class Row>
void encodeRow(ByteWriter& out, const Row& row) {
    for (const auto& column : columnsOf<Row>())
        std::visit(
            [&](auto member) {
                if constexpr (!std::is_same_v<decltype(member), JobIdColumn>) {
                    const auto& value = row.*member;
                    using T = std::decay_t<decltype(value)>;
                    if constexpr (std::is_same_v<T, std::string>) out.text(value);
                    else if constexpr (std::is_same_v<T, double>) out.number(value);
                    else out.number(static_cast<std::int64_t>(value));
                }
            },
            column.member);
}

template <class Row>
Row decodeRow(ByteReader& in) {
    Row row;
    for (const auto& column : columnsOf<Row>())
        std::visit(
            [&](auto member) {
                if constexpr (!std::is_same_v<decltype(member), JobIdColumn>) {
                    auto& value = row.*member;
                    using T = std::decay_t<decltype(value)>;
                    if constexpr (std::is_same_v<T, std::string>) value = in.text();
                    else if constexpr (std::is_same_v<T, double>) value = in.template number<double>();
                    else value = static_cast<T>(in.template number<std::int64_t>());
                }
            },
            column.member);
    return row;
}

/// Text of at most `width` bytes that does not end inside a UTF-8 character.
std::string_view fitted(std::string_view text, std::size_t width);

/// Widths of the text columns: those of the live file, or, for `rows`, just enough that nothing is cut.
template <class Row>
std::vector<std::size_t> liveWidths() {
    std::vector<std::size_t> widths;
    for (const auto& column : columnsOf<Row>()) widths.push_back(column.isText() ? column.width : 8);
    return widths;
}
template <class Row>
std::vector<std::size_t> exactWidths(const std::vector<Row>& rows, const std::string& jobId) {
    std::vector<std::size_t> widths;
    for (const auto& column : columnsOf<Row>()) {
        std::size_t width = 8;
        if (column.member.index() == 4) width = std::max(width, jobId.size());
        if (const auto* member = std::get_if<std::string Row::*>(&column.member))
            for (const auto& row : rows) width = std::max(width, (row.**member).size());
        widths.push_back(width);
    }
    return widths;
}

/// Packed compound type of a table; bytes follow each other without gaps.
template <class Row>
h5::Handle compoundOf(const std::vector<std::size_t>& widths) {
    const auto& columns = columnsOf<Row>();
    std::size_t size = 0;
    for (const auto width : widths) size += width;
    h5::Handle type(H5Tcreate(H5T_COMPOUND, size));
    std::size_t offset = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        h5::Handle text;
        if (columns[i].isText()) text = h5::fixedText(widths[i]);
        H5Tinsert(type.get(), columns[i].name, offset,
                  text ? text.get() : columns[i].isReal() ? H5T_IEEE_F64LE : H5T_STD_I64LE);
        offset += widths[i];
    }
    return type;
}

template <class Row>
void packRow(std::string& out, const Row& row, const std::vector<std::size_t>& widths, const std::string& jobId) {
    const auto& columns = columnsOf<Row>();
    const auto put = [&](std::string_view text, std::size_t width) {
        const auto part = fitted(text, width);
        out.append(part);
        out.append(width - part.size(), '\0');
    };
    for (std::size_t i = 0; i < columns.size(); ++i)
        std::visit(
            [&](auto member) {
                if constexpr (std::is_same_v<decltype(member), JobIdColumn>) {
                    put(jobId, widths[i]);
                } else {
                    const auto& value = row.*member;
                    using T = std::decay_t<decltype(value)>;
                    if constexpr (std::is_same_v<T, std::string>) put(value, widths[i]);
                    else if constexpr (std::is_same_v<T, double>) ByteWriter(out).number(value);
                    else ByteWriter(out).number(static_cast<std::int64_t>(value));
                }
            },
            columns[i].member);
}

/// A table as wide as its longest texts, compressed, on its way to the disk.
template <class Row>
Result<void> writeTable(hid_t file, const char* name, const std::vector<Row>& rows, const std::string& jobId) {
    const auto widths = exactWidths(rows, jobId);
    const auto type = compoundOf<Row>(widths);
    h5::DatasetOptions options;
    options.chunkRows = 256;
    options.isCompressed = options.isFixedSize = true;
    options.rows = rows.size();
    ESPALIER_TRY(auto dataset, h5::createDataset(file, name, type.get(), options));
    std::string bytes;
    for (const auto& row : rows) packRow(bytes, row, widths, jobId);
    ESPALIER_CHECK_OK(h5::writeRows(dataset.get(), type.get(), 0, rows.size(), bytes.data()));
    return h5::flush(dataset.get());
}

/// Rows [0, count) of a table data set; columns that the file lacks keep their defaults.
template <class Row>
Result<std::vector<Row>> readTable(hid_t file, const std::string& name, std::uint64_t limit = UINT64_MAX) {
    ESPALIER_TRY(auto dataset, h5::openDataset(file, name));
    ESPALIER_TRY(const auto stored, h5::rowCount(dataset.get()));
    const auto count = std::min<std::uint64_t>(stored, limit);
    ESPALIER_TRY(auto fileType, h5::own(H5Dget_type(dataset.get()), "table has no type", name));
    if (H5Tget_class(fileType.get()) != H5T_COMPOUND) return fail(ErrorCode::Corrupt, "is not a table", name);
    const auto& columns = columnsOf<Row>();
    std::vector<std::size_t> widths(columns.size(), 0);
    std::size_t size = 0;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const int member = H5Tget_member_index(fileType.get(), columns[i].name);
        if (member < 0) continue;
        h5::Handle type(H5Tget_member_type(fileType.get(), static_cast<unsigned>(member)));
        const bool isText = H5Tget_class(type.get()) == H5T_STRING;
        if (isText != columns[i].isText() || (isText && H5Tis_variable_str(type.get()) > 0))
            return fail(ErrorCode::Corrupt, std::string("column ") + columns[i].name + " has the wrong kind", name);
        widths[i] = isText ? H5Tget_size(type.get()) : 8;
        size += widths[i];
    }
    h5::quiet();
    if (size == 0 || size > (1u << 24) || count > (std::uint64_t(1) << 32) / size)
        return fail(ErrorCode::Corrupt, "is too large or has no known column", name);
    h5::Handle memoryType(H5Tcreate(H5T_COMPOUND, size));
    std::size_t offset = 0;
    for (std::size_t i = 0; i < columns.size(); offset += widths[i], ++i) {
        if (widths[i] == 0) continue;
        h5::Handle text;
        if (columns[i].isText()) text = h5::fixedText(widths[i]);
        H5Tinsert(memoryType.get(), columns[i].name, offset,
                  text ? text.get() : columns[i].isReal() ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64);
    }
    std::string bytes(size * count, '\0');
    ESPALIER_CHECK_OK(h5::readRows(dataset.get(), memoryType.get(), 0, count, bytes.data()));
    std::vector<Row> rows(count);
    const char* position = bytes.data();
    for (auto& row : rows)
        for (std::size_t i = 0; i < columns.size(); position += widths[i], ++i)
            std::visit(
                [&](auto member) {
                    if constexpr (!std::is_same_v<decltype(member), JobIdColumn>) {
                        if (widths[i] == 0) return;
                        auto& value = row.*member;
                        using T = std::decay_t<decltype(value)>;
                        if constexpr (std::is_same_v<T, std::string>) {
                            value.assign(position, ::strnlen(position, widths[i]));
                        } else if constexpr (std::is_same_v<T, double>) {
                            std::memcpy(&value, position, 8);
                        } else {
                            std::int64_t number;
                            std::memcpy(&number, position, 8);
                            value = static_cast<T>(number);
                        }
                    }
                },
                columns[i].member);
    return rows;
}

}  // namespace espalier::runlog
