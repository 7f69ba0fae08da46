#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/runlog/h5.h"
#include "engine/runlog/pyramid.h"
#include "engine/runlog/table_columns.h"

namespace espalier::runlog {

/// Pixel columns over the steps first…last, all inclusive; column c holds the steps that fall into its equal share.
class StepGrid {
public:
    StepGrid(std::int64_t first, std::int64_t last, int columns);
    /// −1 outside the range.
    int columnOf(std::int64_t step) const noexcept;
    int columns() const { return m_columns; }
    bool touches(std::int64_t minStep, std::int64_t maxStep) const { return maxStep >= m_first && minStep <= m_last; }

private:
    std::int64_t m_first, m_last;
    int m_columns;
};

/// Data sets of a compacted file, opened once each: the file does not change, and opening costs more than a small read.
class DatasetCache {
public:
    explicit DatasetCache(hid_t file) : m_file(file) {}
    Result<hid_t> get(const char* name);

private:
    hid_t m_file;
    std::map<std::string, h5::Handle, std::less<>> m_datasets;
};

feed::SeriesInfo seriesInfo(const SeriesRow& row);
/// Points [first, first + count) of one series of a compacted file.
Result<feed::SeriesColumns> readColumns(DatasetCache& file, const SeriesRow& row, std::uint64_t first, std::uint64_t count);
/// Exact aggregates per column: whole buckets where one column holds them, raw points at the borders. Works for any
/// order of steps.
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
