#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// From hundreds of thousands of points to pixel columns, losing nothing that the eye could see.
///
/// The contract, in every mode: the finite extremes of a column are exact, so a spike is never averaged away; the
/// first and last point of a line keep their x; a value that is not finite stands alone and breaks the line; points
/// whose x goes backwards (a resumed run) start a new segment and no line joins the two.
namespace espalier::widgets {

/// The points of one line, borrowed. `keys` holds x where that is not the step itself (epochs, seconds).
struct LineColumns {
    std::span<const std::int64_t> steps;
    std::span<const double> keys;
    double keyOffset = 0;  ///< subtracted from keys
    std::span<const double> values;

    std::size_t size() const { return values.size(); }
    double key(std::size_t i) const { return keys.empty() ? static_cast<double>(steps[i]) : keys[i] - keyOffset; }
};

/// Half-open range of points with x that does not go backwards.
struct Segment {
    std::size_t first = 0, last = 0;
    /// Steps between neighbours when all are the same, else 0; such segments are searched without touching memory.
    std::int64_t stride = 0;
    bool operator==(const Segment& other) const { return first == other.first && last == other.last; }
};

/// Extremes of the finite values of a range; min > max when there is none.
struct Extent {
    double min = std::numeric_limits<double>::infinity();
    double max = -std::numeric_limits<double>::infinity();
    std::uint64_t nonFinite = 0;
    bool isEmpty() const { return min > max; }
    void add(const Extent& other) {
        min = other.min < min ? other.min : min;
        max = other.max > max ? other.max : max;
        nonFinite += other.nonFinite;
    }
};

/// Min, max and number of non-finite values of blocks of 16, 256, 4,096, … values. Grows at the end only; values are
/// not kept, every call gets the same column again.
class MinMaxPyramid {
public:
    static constexpr std::size_t kFactor = 16;

    void clear();
    /// Takes in values[size()…].
    void append(std::span<const double> values);
    std::size_t size() const { return m_size; }
    /// Exact over [first, last); about 60 comparisons, whatever the length.
    Extent extent(std::span<const double> values, std::size_t first, std::size_t last) const;
    /// Asks the processor for the memory that a border at point i will need; columns are wider than cache lines.
    void prefetch(std::span<const double> values, std::size_t i) const {
        if (i >= values.size()) return;
        __builtin_prefetch(values.data() + i);
        __builtin_prefetch(values.data() + i - i % kFactor);
        if (!m_levels.empty() && i / kFactor < m_levels[0].size()) __builtin_prefetch(m_levels[0].data() + i / kFactor);
    }
    /// How many finite values of [first, last) lie above `limit`. Blocks below it are skipped.
    std::uint64_t countAbove(std::span<const double> values, std::size_t first, std::size_t last, double limit) const;
    /// Indices of values that are not finite, at most `limit` of them.
    std::vector<std::size_t> nonFinite(std::span<const double> values, std::size_t first, std::size_t last,
                                       std::size_t limit) const;

private:
    struct Block {
        double min, max;
        std::uint32_t nonFinite;
    };
    template <class Descend, class Leaf>
    void visit(std::size_t first, std::size_t last, const Descend& descend, const Leaf& leaf) const;

    Extent scan(std::span<const double> values, std::size_t first, std::size_t last) const;

    std::vector<std::vector<Block>> m_levels;  ///< [0] has blocks of 16; only whole blocks are stored
    std::size_t m_size = 0;
    std::uint64_t m_nonFinite = 0;  ///< in all values; 0 lets scans skip the test
};

/// What is drawn in one pixel column of one segment.
struct PixelColumn {
    double min = 0, max = 0;                     ///< over the finite values; meaningless when finite == 0
    double firstKey = 0, first = 0;              ///< first finite point
    double lastKey = 0, last = 0;                ///< last finite point
    std::uint64_t finite = 0, nonFinite = 0;
    bool isBrokenBefore = false;                 ///< a non-finite value stands between the last finite point and `first`
    bool isEmpty() const { return finite == 0; }
};

/// Columns of one segment, with the finite neighbours outside the view that its line comes from and goes to.
struct SegmentColumns {
    std::vector<PixelColumn> columns;
    bool hasBefore = false, hasAfter = false;
    double beforeKey = 0, before = 0, afterKey = 0, after = 0;
    bool isBrokenAfter = false;                  ///< between the last finite point of the view and `after`
    std::size_t firstPoint = 0, lastPoint = 0;   ///< half-open range of points inside the view
};

/// Segments and pyramid of one line. Incremental; GUI thread or one thread at a time.
class Decimator {
public:
    void clear();
    /// Takes in the points from size() on. `columns` must be the same line, grown at the end.
    void append(const LineColumns& columns);
    std::size_t size() const { return m_pyramid.size(); }
    const std::vector<Segment>& segments() const { return m_segments; }
    const MinMaxPyramid& pyramid() const { return m_pyramid; }

    /// One PixelColumn per pair of neighbouring edges (ascending x; the last column includes its right edge).
    std::vector<SegmentColumns> columns(const LineColumns& columns, std::span<const double> edges) const;
    /// Extremes over all points with x in [left, right].
    Extent extent(const LineColumns& columns, double left, double right) const;
    /// Point nearest in x, later segments win; size() when the line is empty.
    std::size_t nearest(const LineColumns& columns, double key) const;
    /// Last point with x ≤ key in the newest segment that reaches there; size() when there is none.
    std::size_t atOrBefore(const LineColumns& columns, double key) const;

    /// First index in [segment.first, segment.last) with x ≥ key (segment.last when none); `hint` speeds up runs.
    static std::size_t lowerBound(const LineColumns& columns, const Segment& segment, double key, std::size_t hint);

private:
    void cutSegments(const LineColumns& columns, std::size_t from);
    void fill(const LineColumns& columns, const Segment& segment, std::span<const double> edges,
              SegmentColumns& out) const;

    MinMaxPyramid m_pyramid;
    std::vector<Segment> m_segments;
};

}  // namespace espalier::widgets
