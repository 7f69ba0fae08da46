#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/runlog/column_chunks.h"
#include "engine/runlog/step_grid.h"
#include "engine/runlog/table_columns.h"

namespace espalier::runlog {

/// Columns of a compacted file, opened once each: the file does not change, and opening costs more than a small read.
class DatasetCache {
public:
    explicit DatasetCache(hid_t file) : m_file(file) {}
    Result<const ColumnChunks*> get(const char* name);
    /// Rows of these ranges (sorted, disjoint) one after another. Small reads keep their chunks: the next one is near.
    template <class T>
    Result<void> read(const char* name, std::span<const Range> ranges, std::vector<T>& out) {
        static_assert(sizeof(T) == 8 && std::is_trivially_copyable_v<T>);
        std::uint64_t count = 0;
        for (const auto& range : ranges) count += range.end - range.first;
        ESPALIER_CHECK_OK(checkRows(name, ranges));
        out.resize(count);
        return readBytes(name, ranges, out.data());
    }

private:
    struct Held {
        std::uint64_t chunk = 0;
        std::vector<std::uint64_t> values;
    };
    struct Column {
        h5::Handle dataset;
        ColumnChunks chunks;
        std::deque<Held> held;  ///< newest first
    };
    Result<void> checkRows(const char* name, std::span<const Range> ranges);
    Result<void> readBytes(const char* name, std::span<const Range> ranges, void* out);
    ChunkScratch m_scratch;
    hid_t m_file;
    std::map<std::string, Column, std::less<>> m_columns;
};

feed::SeriesInfo seriesInfo(const SeriesRow& row);
/// Points [first, first + count) of one series of a compacted file.
Result<feed::SeriesColumns> readColumns(DatasetCache& file, const SeriesRow& row, std::uint64_t first, std::uint64_t count);
/// Exact aggregates per column: whole buckets where one column holds them, raw points at the borders; the points alone
/// where they are few. Works for any order of steps.
Result<std::vector<Bucket>> envelopeOf(DatasetCache& file, const SeriesRow& row, const StepGrid& grid);

/// Joins consecutive points and buckets as long as the result is not wider than a column. Pure.
class SpanJoiner {
public:
    SpanJoiner(std::int64_t first, std::int64_t last, int columns);
    bool touches(const Bucket& bucket) const { return bucket.maxStep >= m_first && bucket.minStep <= m_last; }
    bool fits(const Bucket& bucket) const { return width(bucket.minStep, bucket.maxStep) <= m_width; }
    void addPoint(std::int64_t step, double value);
    void add(const Bucket& bucket);
    std::vector<Bucket> take();

private:
    static std::uint64_t width(std::int64_t first, std::int64_t last) {
        return static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1;
    }
    std::int64_t m_first, m_last;
    std::uint64_t m_width;
    std::vector<Bucket> m_spans;
};

Result<void> collectSpans(DatasetCache& file, const SeriesRow& row, SpanJoiner& joiner);

}  // namespace espalier::runlog
