#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "engine/intake/dataset_store.h"

namespace espalier::intake {
namespace {

/// SplitMix64: its numbers are the same on every machine and library, unlike those of std::shuffle.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (m_state += 0x9E3779B97F4A7C15ull);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    }
    /// Even over 0 … limit−1: draws in the last, incomplete stretch are thrown away.
    std::uint64_t below(std::uint64_t limit) {
        const std::uint64_t end = ~std::uint64_t(0) - ~std::uint64_t(0) % limit;
        std::uint64_t value = next();
        while (value >= end) value = next();
        return value % limit;
    }

private:
    std::uint64_t m_state;
};

/// Whole numbers that sum to `rows` and lie nearest to `wanted`, by largest remainder.
std::array<std::int64_t, 3> roundToSum(const std::array<double, 3>& wanted, std::int64_t rows) {
    std::array<std::int64_t, 3> counts{};
    for (std::size_t s = 0; s < 3; ++s)
        counts[s] = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(wanted[s] + 1e-9)));
    const auto sum = [&] { return counts[0] + counts[1] + counts[2]; };
    while (sum() != rows) {
        const bool isShort = sum() < rows;
        std::size_t pick = 3;
        for (std::size_t s = 0; s < 3; ++s) {
            if (!isShort && counts[s] == 0) continue;
            const double gap = wanted[s] - double(counts[s]);
            if (pick == 3 || (isShort ? gap > wanted[pick] - double(counts[pick]) + 1e-12
                                      : gap < wanted[pick] - double(counts[pick]) - 1e-12))
                pick = s;
        }
        counts[pick] += isShort ? 1 : -1;
    }
    return counts;
}

}  // namespace

Result<void> checkFractions(const std::array<double, 3>& fractions) {
    const double total = fractions[0] + fractions[1] + fractions[2];
    const bool areShares = std::all_of(fractions.begin(), fractions.end(), [](double f) { return f >= 0 && f <= 1; });
    if (areShares && fractions[0] > 0 && std::abs(total - 1) < 1e-6) return {};
    return fail(ErrorCode::BadInput, "the shares of train, valid and test must lie in 0 to 1, sum to 1 and leave something to train on",
                "split", "Use for example 0.8,0.1,0.1");
}

std::vector<feed::Split> splitRows(const std::vector<std::int64_t>& labels, const std::array<double, 3>& fractions,
                                   std::int64_t seed) {
    std::map<std::int64_t, std::vector<std::size_t>> byClass;
    for (std::size_t row = 0; row < labels.size(); ++row) byClass[labels[row]].push_back(row);
    std::vector<feed::Split> splits(labels.size(), feed::Split::Train);
    const double total = fractions[0] + fractions[1] + fractions[2];
    if (!(total > 0)) return splits;
    // What rounding took from a split in one class is carried to the next, so that small classes do not starve
    // valid and test.
    std::array<double, 3> carry{};
    for (auto& [label, rows] : byClass) {
        Dice dice(static_cast<std::uint64_t>(seed) * 0xD1B54A32D192ED03ull + static_cast<std::uint64_t>(label) + 1);
        for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[dice.below(i)]);
        const auto size = static_cast<std::int64_t>(rows.size());
        std::array<double, 3> wanted{};
        for (std::size_t s = 0; s < 3; ++s) wanted[s] = double(size) * fractions[s] / total + carry[s];
        auto counts = roundToSum(wanted, size);
        if (counts[0] == 0 && fractions[0] > 0) {
            ++counts[0];
            --counts[counts[1] >= counts[2] ? 1 : 2];
        }
        for (std::size_t s = 0; s < 3; ++s) carry[s] = wanted[s] - double(counts[s]);
        for (std::int64_t i = 0; i < size; ++i)
            splits[rows[static_cast<std::size_t>(i)]] = i < counts[0]               ? feed::Split::Train
                                                        : i < counts[0] + counts[1] ? feed::Split::Valid
                                                                                    : feed::Split::Test;
    }
    return splits;
}

}  // namespace espalier::intake
