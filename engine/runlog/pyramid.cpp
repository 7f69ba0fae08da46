#include "engine/runlog/pyramid.h"

#include <algorithm>
#include <cmath>

namespace espalier::runlog {

Bucket Bucket::ofPoint(std::int64_t minStep, std::int64_t maxStep, double value) noexcept {
    const bool isFinite = std::isfinite(value);
    return {minStep, maxStep, value, value, value, isFinite ? 1u : 0u, isFinite ? 0u : 1u};
}

void Bucket::add(const Bucket& other) noexcept {
    if (other.count() == 0) return;
    minStep = count() == 0 ? other.minStep : std::min(minStep, other.minStep);
    maxStep = count() == 0 ? other.maxStep : std::max(maxStep, other.maxStep);
    nonFinite += other.nonFinite;
    if (other.finite == 0) return;
    min = finite == 0 ? other.min : std::min(min, other.min);
    max = finite == 0 ? other.max : std::max(max, other.max);
    const double total = static_cast<double>(finite + other.finite);
    // Weighted, not summed, so that values near the largest double do not overflow.
    mean = finite == 0 ? other.mean
                       : mean * (static_cast<double>(finite) / total) +
                             other.mean * (static_cast<double>(other.finite) / total);
    finite += other.finite;
}

std::vector<std::uint64_t> pyramidLevels(std::uint64_t points) {
    std::vector<std::uint64_t> levels;
    while (points > kPyramidFactor) {
        points = (points + kPyramidFactor - 1) / kPyramidFactor;
        levels.push_back(points);
    }
    return levels;
}

std::vector<Bucket> coarser(std::span<const Bucket> level) {
    std::vector<Bucket> next((level.size() + kPyramidFactor - 1) / kPyramidFactor);
    for (std::size_t i = 0; i < level.size(); ++i) next[i / kPyramidFactor].add(level[i]);
    return next;
}

}  // namespace espalier::runlog
