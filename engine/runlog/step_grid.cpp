#include "engine/runlog/step_grid.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace espalier::runlog {
namespace {

std::uint64_t distance(std::int64_t from, std::int64_t to) {
    return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

typedef double Lanes __attribute__((vector_size(32)));
constexpr std::size_t kLanes = 4;

/// Adds consecutive values of one column.
void addRun(Bucket& column, std::int64_t minStep, std::int64_t maxStep, std::span<const double> values) {
    const auto oneByOne = [&] {
        for (const double value : values) column.add(Bucket::ofPoint(minStep, maxStep, value));
    };
    if (values.size() < 2 * kLanes) return oneByOne();
    Lanes low, high, sum{}, next;
    std::memcpy(&low, values.data(), sizeof low);
    high = low;
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes) {
        std::memcpy(&next, values.data() + i, sizeof next);
        low = next < low ? next : low;
        high = next > high ? next : high;
        sum += next;
    }
    double least = std::min({low[0], low[1], low[2], low[3]}), most = std::max({high[0], high[1], high[2], high[3]});
    double total = sum[0] + sum[1] + sum[2] + sum[3];
    for (; i < values.size(); ++i) {
        least = std::min(least, values[i]);
        most = std::max(most, values[i]);
        total += values[i];
    }
    if (!std::isfinite(total)) return oneByOne();  // a value that is not finite, or a sum that is too large
    column.add({minStep, maxStep, least, most, total / static_cast<double>(values.size()), values.size(), 0});
}

}  // namespace

StepGrid::StepGrid(std::int64_t first, std::int64_t last, int columns)
    : m_first(first), m_last(last), m_columns(columns) {}

int StepGrid::columnOf(std::int64_t step) const noexcept {
    if (step < m_first || step > m_last) return -1;
    // 128 bits: (step − first)·columns may not fit in 64.
    const auto span = static_cast<unsigned __int128>(distance(m_first, m_last)) + 1;
    return static_cast<int>(static_cast<unsigned __int128>(distance(m_first, step)) * static_cast<unsigned>(m_columns) / span);
}

std::int64_t StepGrid::lastStepOf(int column) const noexcept {
    if (column + 1 >= m_columns) return m_last;
    const auto span = static_cast<unsigned __int128>(distance(m_first, m_last)) + 1;
    const auto columns = static_cast<unsigned>(m_columns);
    const auto next = (span * static_cast<unsigned>(column + 1) + columns - 1) / columns;  // first of the next column
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(m_first) + static_cast<std::uint64_t>(next) - 1);
}

void StepGrid::add(std::vector<Bucket>& columns, std::span<const std::int64_t> steps, std::span<const double> values) const {
    for (std::size_t i = 0; i < steps.size();) {
        const int column = columnOf(steps[i]);
        if (column < 0) {
            ++i;
            continue;
        }
        // Steps from this one up to the column's end belong to the column; those that go back start a run of their own.
        const auto first = i;
        const auto low = steps[i], end = lastStepOf(column);
        auto high = low;
        for (++i; i < steps.size() && steps[i] >= low && steps[i] <= end; ++i) high = std::max(high, steps[i]);
        addRun(columns[static_cast<std::size_t>(column)], low, high, values.subspan(first, i - first));
    }
}

void StepGrid::add(std::vector<Bucket>& columns, std::int64_t firstStep, std::int64_t stride, std::span<const double> values) const {
    const auto width = static_cast<std::uint64_t>(stride);
    const auto stepOf = [&](std::uint64_t i) {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(firstStep) + i * width);
    };
    std::uint64_t i = 0;
    if (firstStep < m_first) i = (distance(firstStep, m_first) + width - 1) / width;
    while (i < values.size()) {
        const auto step = stepOf(i);
        const int column = columnOf(step);
        if (column < 0) return;  // beyond the last
        const auto count = std::min<std::uint64_t>(distance(step, lastStepOf(column)) / width + 1, values.size() - i);
        addRun(columns[static_cast<std::size_t>(column)], step, stepOf(i + count - 1), values.subspan(i, count));
        i += count;
    }
}

}  // namespace espalier::runlog
