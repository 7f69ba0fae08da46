#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace espalier::runlog {

inline constexpr std::uint64_t kPyramidFactor = 16;

/// Summary of consecutive points of one series; min, max and mean are over the finite ones.
struct Bucket {
    std::int64_t minStep = 0, maxStep = 0;
    double min = 0, max = 0, mean = 0;
    std::uint64_t finite = 0, nonFinite = 0;

    /// One value that lies somewhere in a range of steps.
    static Bucket ofPoint(std::int64_t minStep, std::int64_t maxStep, double value) noexcept;
    void addPoint(std::int64_t step, double value) noexcept { add(ofPoint(step, step, value)); }
    void add(const Bucket& other) noexcept;
    std::uint64_t count() const { return finite + nonFinite; }
};

/// Number of buckets in each level above `points` points; empty when there are too few to be worth it.
std::vector<std::uint64_t> pyramidLevels(std::uint64_t points);
/// The next coarser level.
std::vector<Bucket> coarser(std::span<const Bucket> level);

}  // namespace espalier::runlog
