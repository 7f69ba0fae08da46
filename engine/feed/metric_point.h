#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::feed {

/// One logged scalar. `series` indexes the run's series dictionary (SeriesAdded announces it first).
/// Steps may repeat or go backwards (resume); NaN and infinities are values like any other.
struct MetricPoint {
    std::uint32_t series = 0;
    std::int64_t step = 0;
    double wallSecs = 0.0;  ///< Unix seconds
    double value = 0.0;
};

/// Points of one run, in the order they were logged.
struct MetricBatch {
    std::string runId;
    std::vector<MetricPoint> points;
};

struct SeriesInfo {
    std::uint32_t id = 0;
    std::string name;  ///< "train/loss"
    std::uint64_t count = 0;
    std::int64_t firstStep = 0, lastStep = 0;
    double first = 0, last = 0;       ///< values
    double min = 0, max = 0;          ///< over finite values; NaN when there is none
    std::int64_t minStep = 0, maxStep = 0;
    std::uint64_t nonFinite = 0;
};

/// All points of one series in log order, as columns of equal length.
struct SeriesColumns {
    std::vector<std::int64_t> steps;
    std::vector<double> wallSecs;
    std::vector<double> values;
};

/// Something worth a tick on the x axis.
struct RunMark {
    std::int64_t step = 0;
    double wallSecs = 0.0;
    std::string kind;  ///< "checkpoint", "best", "resume", "pause", "lr", "mixup_off", "nan", "stage", "epoch"
    std::string text;  ///< a word or two for the label
};

}  // namespace espalier::feed
