#pragma once

namespace espalier::runlog {

/// Data sets of a compacted run.h5 beyond the tables.
namespace compact {
inline constexpr const char* kSeries = "series";
inline constexpr const char* kSteps = "columns/step";
inline constexpr const char* kWallSecs = "columns/wall_secs";
inline constexpr const char* kValues = "columns/value";
inline constexpr const char* kMinStep = "pyramid/min_step";
inline constexpr const char* kMaxStep = "pyramid/max_step";
inline constexpr const char* kMin = "pyramid/min";
inline constexpr const char* kMax = "pyramid/max";
inline constexpr const char* kMean = "pyramid/mean";
inline constexpr const char* kFinite = "pyramid/count";
inline constexpr const char* kNonFinite = "pyramid/nan_count";
inline constexpr unsigned long long kChunk = 8192;
}  // namespace compact

}  // namespace espalier::runlog
