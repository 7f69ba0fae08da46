#pragma once

#include <cmath>
#include <cstdint>

namespace espalier::data {

/// Random numbers of one sample: a stream that is a pure function of its keys (SplitMix64). Cheap to make, so every
/// (seed, epoch, row) has its own and the order of work does not matter.
class SampleRng {
public:
    SampleRng(std::int64_t seed, std::int64_t epoch, std::int64_t row, std::uint64_t purpose = 0) {
        for (const std::uint64_t key : {std::uint64_t(seed), std::uint64_t(epoch), std::uint64_t(row), purpose}) {
            m_state ^= key + 0x9E3779B97F4A7C15ull + (m_state << 6) + (m_state >> 2);
            m_state = bits();
        }
    }
    std::uint64_t bits() {
        std::uint64_t z = (m_state += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    }
    double unit() { return double(bits() >> 11) * 0x1.0p-53; }  ///< [0, 1)
    double between(double low, double high) { return low + (high - low) * unit(); }
    /// Whole number in [0, count).
    std::int64_t below(std::int64_t count) {
        return static_cast<std::int64_t>((static_cast<unsigned __int128>(bits()) * static_cast<std::uint64_t>(count)) >> 64);
    }
    bool chance(double probability) { return unit() < probability; }
    double normal() {
        const double u = 1.0 - unit(), v = unit();
        return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
    }
    /// Gamma with scale 1 (Marsaglia and Tsang 2000), and Beta from two of them.
    double gamma(double shape) {
        if (shape < 1.0) return gamma(shape + 1.0) * std::pow(1.0 - unit(), 1.0 / shape);
        const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
        for (;;) {
            const double x = normal(), cube = std::pow(1.0 + c * x, 3);
            if (cube <= 0) continue;
            const double u = 1.0 - unit();
            if (std::log(u) < 0.5 * x * x + d - d * cube + d * std::log(cube)) return d * cube;
        }
    }
    double beta(double a, double b) {
        const double x = gamma(a), y = gamma(b);
        return x + y > 0 ? x / (x + y) : 0.5;
    }

private:
    std::uint64_t m_state = 0;
};

}  // namespace espalier::data
