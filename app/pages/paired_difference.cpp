#include "app/pages/paired_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace espalier::app {
namespace {

constexpr std::uint64_t kSeed = 20240501;

double mean(std::span<const double> values) {
    double sum = 0;
    for (const double v : values) sum += v;
    return sum / static_cast<double>(values.size());
}

double variance(std::span<const double> values) {
    const double m = mean(values);
    double sum = 0;
    for (const double v : values) sum += (v - m) * (v - m);
    return sum / static_cast<double>(values.size() - 1);
}

// Continued fraction of the incomplete beta function, Lentz's method.
double betaFraction(double a, double b, double x) {
    constexpr double kTiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (std::abs(d) < kTiny ? kTiny : d);
    double h = d;
    for (int m = 1; m <= 300; ++m) {
        for (const double step : {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                                  -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))}) {
            d = 1 + step * d;
            d = 1 / (std::abs(d) < kTiny ? kTiny : d);
            c = 1 + step / c;
            c = std::abs(c) < kTiny ? kTiny : c;
            h *= c * d;
        }
        if (std::abs(c * d - 1) < 1e-13) break;
    }
    return h;
}

double incompleteBeta(double a, double b, double x) {
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(1 - x));
    return x < (a + 1) / (a + b + 2) ? front * betaFraction(a, b, x) / a : 1 - front * betaFraction(b, a, 1 - x) / b;
}

// Two-sided tail of Student's t.
double tailOfT(double t, double degrees) { return incompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t)); }

}  // namespace

std::optional<PairedDifference> pairedBootstrap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b, int resamples) {
    if (a.empty() || a.size() != b.size()) return std::nullopt;
    PairedDifference result;
    result.items = static_cast<std::int64_t>(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        result.onlyA += a[i] != 0 && b[i] == 0;
        result.onlyB += a[i] == 0 && b[i] != 0;
    }
    const auto n = static_cast<double>(result.items);
    result.difference = static_cast<double>(result.onlyA - result.onlyB) / n;
    std::mt19937_64 random(kSeed);
    std::vector<double> draws(static_cast<std::size_t>(resamples));
    std::int64_t below = 0, above = 0;
    const double pA = static_cast<double>(result.onlyA) / n;
    const double pB = result.onlyA == result.items ? 0 : static_cast<double>(result.onlyB) / (n - static_cast<double>(result.onlyA));
    std::binomial_distribution<std::int64_t> drawA(result.items, pA);
    for (double& draw : draws) {
        const std::int64_t inA = drawA(random);
        const std::int64_t inB = std::binomial_distribution<std::int64_t>(result.items - inA, pB)(random);
        draw = static_cast<double>(inA - inB) / n;
        below += draw <= 0;
        above += draw >= 0;
    }
    std::sort(draws.begin(), draws.end());
    const auto quantile = [&](double q) { return draws[static_cast<std::size_t>(q * static_cast<double>(resamples - 1))]; };
    result.low = quantile(0.025);
    result.high = quantile(0.975);
    result.p = std::min(1.0, 2.0 * static_cast<double>(std::min(below, above) + 1) / (resamples + 1));
    return result;
}

std::optional<WelchResult> welch(std::span<const double> a, std::span<const double> b) {
    if (a.size() < 2 || b.size() < 2) return std::nullopt;
    const double va = variance(a) / static_cast<double>(a.size()), vb = variance(b) / static_cast<double>(b.size());
    if (va + vb <= 0) return std::nullopt;
    WelchResult result;
    result.t = (mean(a) - mean(b)) / std::sqrt(va + vb);
    result.degrees = (va + vb) * (va + vb) / (va * va / static_cast<double>(a.size() - 1) + vb * vb / static_cast<double>(b.size() - 1));
    result.p = tailOfT(result.t, result.degrees);
    return result;
}

double meanHalfWidth95(double deviation, int n) {
    if (n < 2) return std::numeric_limits<double>::quiet_NaN();
    // Halving finds the t whose two tails hold 5 %; twelve digits in forty steps.
    double low = 0, high = 1000;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (tailOfT(middle, n - 1) > 0.05 ? low : high) = middle;
    }
    return high * deviation / std::sqrt(static_cast<double>(n));
}

}  // namespace espalier::app
