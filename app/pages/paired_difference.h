#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace espalier::app {

/// Difference in accuracy of two models on the same items, a − b, as fractions.
struct PairedDifference {
    double difference = 0, low = 0, high = 0;  ///< 95 % percentile interval of the bootstrap
    double p = 1;                              ///< two-sided
    std::int64_t items = 0;
    std::int64_t onlyA = 0, onlyB = 0;         ///< right in one and wrong in the other
};

/// Paired bootstrap over items: both answers of an item are drawn together. Resampling n items with replacement only
/// matters through how many of three kinds are drawn, so each resample is one multinomial draw. Fixed seed: the same
/// arrays give the same interval. Nothing when the arrays differ in length or are empty.
std::optional<PairedDifference> pairedBootstrap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                                                int resamples = 10000);

/// Welch's test of two groups of runs; nothing with fewer than two in either.
struct WelchResult {
    double t = 0, degrees = 0, p = 1;
};
std::optional<WelchResult> welch(std::span<const double> a, std::span<const double> b);

/// Half width of the 95 % interval of a mean of n values with this standard deviation, by Student's t; NaN for n < 2.
double meanHalfWidth95(double deviation, int n);

}  // namespace espalier::app
