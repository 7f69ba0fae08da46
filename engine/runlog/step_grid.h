#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/runlog/pyramid.h"

namespace espalier::runlog {

/// Pixel columns over the steps first…last, all inclusive; column c holds the steps that fall into its equal share.
class StepGrid {
public:
    StepGrid(std::int64_t first, std::int64_t last, int columns);
    /// −1 outside the range.
    int columnOf(std::int64_t step) const noexcept;
    /// Last step of a column; smaller than its first where there are more columns than steps.
    std::int64_t lastStepOf(int column) const noexcept;
    int columns() const { return m_columns; }
    bool touches(std::int64_t minStep, std::int64_t maxStep) const { return maxStep >= m_first && minStep <= m_last; }

    /// Adds consecutive points to their columns, in whatever order their steps come.
    void add(std::vector<Bucket>& columns, std::span<const std::int64_t> steps, std::span<const double> values) const;
    /// The same for steps at firstStep, firstStep + stride, …
    void add(std::vector<Bucket>& columns, std::int64_t firstStep, std::int64_t stride, std::span<const double> values) const;

private:
    std::int64_t m_first, m_last;
    int m_columns;
};

}  // namespace espalier::runlog
