#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/array_record.h"
#include "engine/feed/metric_point.h"
#include "engine/feed/tradeoff.h"

namespace espalier::runlog {

/// Reads a run's log: live (also of another process), interrupted or compacted. Never modifies it; a log that needs
/// recovery is read from its journal. Metadata attempts are capped and reads clamp to the commit counter. Every read is
/// sliced so that the process-wide HDF5 lock is never held above 5 ms. Thread-safe.
class RunLogReader {
public:
    static Result<std::unique_ptr<RunLogReader>> open(const std::filesystem::path& runFolder);
    ~RunLogReader();

    Result<std::vector<feed::SeriesInfo>> series() const;
    Result<feed::SeriesColumns> read(const std::string& seriesName) const;
    /// Per pixel column: exact min and max of the finite values whose step lies in it. From the pyramid where there is one.
    struct Column {
        double min = 0, max = 0, mean = 0;
        std::uint64_t count = 0, nonFinite = 0;
    };
    Result<std::vector<Column>> envelope(const std::string& seriesName, std::int64_t firstStep, std::int64_t lastStep,
                                         int columns) const;
    /// Consecutive points of a series with exact aggregates: at most a column wide, or one single point.
    struct Span {
        std::int64_t firstStep = 0, lastStep = 0;  ///< smallest and largest step in it
        double min = 0, max = 0, mean = 0;          ///< of the finite values; null when there are none
        std::uint64_t count = 0, nonFinite = 0;
    };
    /// The quick first picture of a range: every point in exactly one span, in log order, none wider than
    /// (lastStep − firstStep + 1) / columns steps. The borders are those of the pyramid's buckets, so unlike envelope()
    /// no raw point is read where the buckets are narrow enough. Spans that only touch the range are included whole.
    Result<std::vector<Span>> overview(const std::string& seriesName, std::int64_t firstStep, std::int64_t lastStep,
                                       int columns) const;
    Result<std::vector<feed::RunMark>> marks() const;
    Result<Warnings> warnings() const;
    Result<std::vector<feed::ArrayInfo>> arrays() const;
    /// `count` −1 = to the end of the first dimension.
    Result<feed::ArrayRecord> readArray(std::uint64_t index, std::int64_t first = 0, std::int64_t count = -1) const;
    Result<feed::TradeoffTables> tradeoff() const;

private:
    struct Impl;
    explicit RunLogReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> d;
};

}  // namespace espalier::runlog
