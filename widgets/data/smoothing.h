#pragma once

#include "widgets/data/decimation.h"

namespace espalier::widgets {

/// Exponential moving average over steps: s(i) = Σⱼ vⱼ·e^(−(xᵢ−xⱼ)/τ) / Σⱼ e^(−(xᵢ−xⱼ)/τ) over all finite vⱼ with j ≤ i of the
/// same segment, x the step and τ the smoothing length. Debiased (the first value is the first point), independent of
/// how often a run logs, and never looks ahead, so a live curve does not change behind its end.
///
/// Only the state at the end of each block of 16 points is kept; values between are computed when asked for, and
/// blocks of evenly spaced points are folded in with one dot product. τ ≤ 0 switches smoothing off.
class SmoothLine {
public:
    static constexpr std::size_t kBlock = MinMaxPyramid::kFactor;

    explicit SmoothLine(double length = 0) : m_length(length) {}
    double length() const { return m_length; }
    bool isOn() const { return m_length > 0; }
    void setLength(double length);
    void clear();

    /// Takes in the points from size() on; `segments` are the decimator's.
    void append(const LineColumns& columns, const std::vector<Segment>& segments);
    std::size_t size() const { return m_size; }
    /// Smoothed value at point i (the raw value when off); NaN before the first finite point of its segment.
    double value(const LineColumns& columns, std::size_t i) const;
    /// Values of the points [first, last).
    void values(const LineColumns& columns, std::size_t first, std::size_t last, std::vector<double>& out) const;

    /// A point of the curve as it is drawn; NaN y starts a new stroke.
    struct Vertex {
        double key = 0, value = 0;
    };
    /// The curve over the view: every point while they are few, else first, lowest, highest and last of each column
    /// (of the states every 16 points); a column narrower than the smoothing length gives one point.
    std::vector<Vertex> vertices(const LineColumns& columns, const Decimator& decimator,
                                 std::span<const double> edges) const;

private:
    struct State {
        double sum = 0, weight = 0;
        double value() const { return weight > 0 ? sum / weight : std::numeric_limits<double>::quiet_NaN(); }
    };
    void step(State& state, const LineColumns& columns, std::size_t i) const;
    State foldBlock(State state, const LineColumns& columns, std::size_t first);
    State stateBefore(std::size_t i) const;
    bool startsSegment(std::size_t i) const;
    void everyPoint(const LineColumns& columns, const Segment& segment, std::size_t first, std::size_t last,
                    std::vector<Vertex>& out) const;
    void everyBlock(const LineColumns& columns, const Decimator& decimator, const Segment& segment, std::size_t first,
                    std::size_t last, std::span<const double> edges, std::vector<Vertex>& out) const;

    double m_length = 0;
    std::size_t m_size = 0;
    State m_tail;                       ///< after the last point
    std::vector<double> m_ends;         ///< value at the end of each whole block
    std::vector<double> m_weights;      ///< weight there
    MinMaxPyramid m_pyramid;            ///< over m_ends
    std::vector<std::size_t> m_starts;  ///< first points of the segments
    double m_stride = -1;               ///< of m_powers
    double m_powers[kBlock + 1] = {};
};

}  // namespace espalier::widgets
