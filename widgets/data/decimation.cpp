#include "widgets/data/decimation.h"

#include <algorithm>

namespace espalier::widgets {
namespace {

constexpr std::size_t kFactor = MinMaxPyramid::kFactor;

// Finite test by the exponent bits: vectorises, and survives any floating-point flags.
inline bool isFinite(double value) { return std::isfinite(value); }

Extent scanAny(const double* values, std::size_t count) {
    Extent extent;
    for (std::size_t i = 0; i < count; ++i) {
        const double v = values[i];
        if (isFinite(v)) {
            extent.min = v < extent.min ? v : extent.min;
            extent.max = v > extent.max ? v : extent.max;
        } else {
            ++extent.nonFinite;
        }
    }
    return extent;
}

// Sixteen values at once. x·0 is 0 for finite x and NaN otherwise, so one sum tells whether the quick path holds.
Extent scanBlock(const double* v) {
    double zero = 0, lo = v[0], hi = v[0];
    for (std::size_t i = 0; i < kFactor; ++i) zero += v[i] * 0.0;
    if (!(zero == 0)) return scanAny(v, kFactor);
    for (std::size_t i = 1; i < kFactor; ++i) {
        lo = v[i] < lo ? v[i] : lo;
        hi = v[i] > hi ? v[i] : hi;
    }
    return {lo, hi, 0};
}

}  // namespace

void MinMaxPyramid::clear() {
    m_levels.clear();
    m_size = 0;
    m_nonFinite = 0;
}

Extent MinMaxPyramid::scan(std::span<const double> values, std::size_t first, std::size_t last) const {
    if (m_nonFinite > 0) return scanAny(values.data() + first, last - first);
    // Two chains at a time: one would wait four cycles for every comparison.
    Extent even, odd;
    const double* v = values.data();
    std::size_t i = first;
    for (; i + 1 < last; i += 2) {
        even.min = v[i] < even.min ? v[i] : even.min;
        odd.min = v[i + 1] < odd.min ? v[i + 1] : odd.min;
        even.max = v[i] > even.max ? v[i] : even.max;
        odd.max = v[i + 1] > odd.max ? v[i + 1] : odd.max;
    }
    if (i < last) {
        even.min = v[i] < even.min ? v[i] : even.min;
        even.max = v[i] > even.max ? v[i] : even.max;
    }
    even.add(odd);
    return even;
}

void MinMaxPyramid::append(std::span<const double> values) {
    if (m_levels.empty()) m_levels.emplace_back();
    for (std::size_t i = m_size; i < values.size(); ++i) m_nonFinite += !isFinite(values[i]);
    const std::size_t blocks = values.size() / kFactor;
    m_levels[0].reserve(std::max(m_levels[0].capacity(), blocks));
    for (std::size_t b = m_levels[0].size(); b < blocks; ++b) {
        const Extent e = scanBlock(values.data() + b * kFactor);
        m_levels[0].push_back({e.min, e.max, static_cast<std::uint32_t>(e.nonFinite)});
    }
    m_size = values.size();
    for (std::size_t level = 0; m_levels[level].size() >= kFactor; ++level) {
        if (level + 1 == m_levels.size()) m_levels.emplace_back();
        const auto& below = m_levels[level];
        auto& here = m_levels[level + 1];
        for (std::size_t b = here.size(); b < below.size() / kFactor; ++b) {
            Block block{below[b * kFactor].min, below[b * kFactor].max, 0};
            for (std::size_t i = b * kFactor; i < (b + 1) * kFactor; ++i) {
                block.min = std::min(block.min, below[i].min);
                block.max = std::max(block.max, below[i].max);
                block.nonFinite += below[i].nonFinite;
            }
            here.push_back(block);
        }
    }
}

Extent MinMaxPyramid::extent(std::span<const double> values, std::size_t first, std::size_t last) const {
    Extent total;
    const auto edge = [&](std::size_t a, std::size_t b) { total.add(scan(values, a, b)); };
    if (first >= last) return total;
    std::size_t a = (first + kFactor - 1) / kFactor, b = last / kFactor;
    if (m_levels.empty() || a >= b) {
        edge(first, last);
        return total;
    }
    edge(first, a * kFactor);
    edge(b * kFactor, last);
    Extent odd;
    const auto take = [](Extent& extent, const Block& block) {
        extent.min = block.min < extent.min ? block.min : extent.min;
        extent.max = block.max > extent.max ? block.max : extent.max;
        extent.nonFinite += block.nonFinite;
    };
    const auto addBlocks = [&](const std::vector<Block>& blocks, std::size_t from, std::size_t to) {
        for (; from + 1 < to; from += 2) {
            take(total, blocks[from]);
            take(odd, blocks[from + 1]);
        }
        if (from < to) take(total, blocks[from]);
    };
    for (std::size_t level = 0;; ++level) {
        const auto& blocks = m_levels[level];
        const std::size_t nextA = (a + kFactor - 1) / kFactor, nextB = b / kFactor;
        if (level + 1 >= m_levels.size() || nextA >= nextB) {
            addBlocks(blocks, a, b);
            total.add(odd);
            return total;
        }
        addBlocks(blocks, a, nextA * kFactor);
        addBlocks(blocks, nextB * kFactor, b);
        a = nextA;
        b = nextB;
    }
}

// Walks blocks of 16 of [first, last), jumping over big blocks that `descend` refuses; `leaf` gets ranges of points.
template <class Descend, class Leaf>
void MinMaxPyramid::visit(std::size_t first, std::size_t last, const Descend& descend, const Leaf& leaf) const {
    std::size_t i = first;
    while (i < last) {
        std::size_t width = kFactor;
        if (m_levels.empty() || i % kFactor != 0 || i + kFactor > last) {
            const std::size_t end = std::min(last, (i / kFactor + 1) * kFactor);
            if (!leaf(i, end)) return;
            i = end;
            continue;
        }
        bool isSkipped = false;
        for (std::size_t level = 0; level < m_levels.size(); ++level, width *= kFactor) {
            if (i % width != 0 || i + width > last || i / width >= m_levels[level].size()) break;
            if (descend(m_levels[level][i / width])) break;
            isSkipped = true;
            // Try a wider block from the same place; the last accepted width counts.
            if (level + 1 == m_levels.size() || i % (width * kFactor) != 0 || i + width * kFactor > last ||
                i / (width * kFactor) >= m_levels[level + 1].size() ||
                descend(m_levels[level + 1][i / (width * kFactor)])) {
                break;
            }
        }
        if (isSkipped) {
            i += width;
            continue;
        }
        if (!leaf(i, i + kFactor)) return;
        i += kFactor;
    }
}

std::uint64_t MinMaxPyramid::countAbove(std::span<const double> values, std::size_t first, std::size_t last,
                                        double limit) const {
    std::uint64_t count = 0;
    visit(
        first, last, [&](const Block& block) { return block.max > limit; },
        [&](std::size_t a, std::size_t b) {
            for (std::size_t i = a; i < b; ++i) count += isFinite(values[i]) && values[i] > limit;
            return true;
        });
    return count;
}

std::vector<std::size_t> MinMaxPyramid::nonFinite(std::span<const double> values, std::size_t first, std::size_t last,
                                                  std::size_t limit) const {
    std::vector<std::size_t> found;
    visit(
        first, last, [](const Block& block) { return block.nonFinite > 0; },
        [&](std::size_t a, std::size_t b) {
            for (std::size_t i = a; i < b && found.size() < limit; ++i)
                if (!isFinite(values[i])) found.push_back(i);
            return found.size() < limit;
        });
    return found;
}

void Decimator::clear() {
    m_pyramid.clear();
    m_segments.clear();
}

void Decimator::cutSegments(const LineColumns& columns, std::size_t from) {
    const std::size_t to = columns.size();
    if (!columns.keys.empty()) {
        const double* keys = columns.keys.data();
        for (std::size_t i = std::max<std::size_t>(from, 1); i < to; ++i) {
            if (!(keys[i] < keys[i - 1])) continue;
            m_segments.back().last = i;
            m_segments.push_back({i, i, 0});
        }
        m_segments.back().last = to;
        return;
    }
    const std::int64_t* steps = columns.steps.data();
    for (std::size_t i = std::max<std::size_t>(from, 1); i < to; ++i) {
        const std::int64_t stride = steps[i] - steps[i - 1];
        Segment& segment = m_segments.back();
        if (stride < 0) {
            segment.last = i;
            m_segments.push_back({i, i, 0});
        } else if (i == segment.first + 1) {
            segment.stride = stride;
        } else if (stride != segment.stride && segment.stride != 0) {
            segment.stride = 0;
        }
    }
    m_segments.back().last = to;
}

void Decimator::append(const LineColumns& columns) {
    const std::size_t from = m_pyramid.size(), to = columns.size();
    if (to <= from) return;
    if (m_segments.empty()) m_segments.push_back({0, 0, 0});
    cutSegments(columns, from);
    m_pyramid.append(columns.values);
}

std::size_t Decimator::lowerBound(const LineColumns& columns, const Segment& segment, double key, std::size_t hint) {
    std::size_t low = segment.first, high = segment.last;  // answer in [low, high]
    if (segment.stride > 0 && high - low > 1) {
        const double place = std::ceil((key - columns.key(low)) / static_cast<double>(segment.stride));
        if (!(place > 0)) return low;
        return place >= static_cast<double>(high - low) ? high : low + static_cast<std::size_t>(place);
    }
    if (low == high || columns.key(high - 1) < key) return high;
    if (!(columns.key(low) < key)) return low;
    // Invariant from here: key(low) < key ≤ key(high − 1). Gallop from the hint, then halve.
    --high;
    if (hint > low && hint < high) {
        std::size_t width = 1;
        if (columns.key(hint) < key) {
            low = hint;
            while (low + width < high && columns.key(low + width) < key) {
                low += width;
                width *= 2;
            }
            high = std::min(high, low + width);
        } else {
            high = hint;
            while (high > low + width && !(columns.key(high - width) < key)) {
                high -= width;
                width *= 2;
            }
            low = high > low + width ? high - width : low;
        }
    }
    while (high - low > 1) {
        const std::size_t mid = low + (high - low) / 2;
        (columns.key(mid) < key ? low : high) = mid;
    }
    return high;
}

void Decimator::fill(const LineColumns& columns, const Segment& segment, std::span<const double> edges,
                     SegmentColumns& out) const {
    const auto& values = columns.values;
    const double origin = columns.key(segment.first), stepOf = static_cast<double>(segment.stride);
    const auto keyOf = [&](std::size_t i) {
        return segment.stride > 0 ? origin + stepOf * static_cast<double>(i - segment.first) : columns.key(i);
    };
    std::size_t at = lowerBound(columns, segment, edges.front(), segment.first);
    out.firstPoint = at;
    bool isBroken = false;
    for (std::size_t i = at; i-- > segment.first;) {
        if (isFinite(values[i])) {
            out.hasBefore = true;
            out.beforeKey = columns.key(i);
            out.before = values[i];
            break;
        }
        isBroken = true;
    }
    const std::size_t count = edges.size() - 1;
    out.columns.resize(count);
    std::size_t stride = 0;
    for (std::size_t c = 0; c < count; ++c) {
        std::size_t end;
        if (c + 1 < count) {
            end = lowerBound(columns, segment, edges[c + 1], at + stride);
        } else {
            end = lowerBound(columns, segment, std::nextafter(edges[c + 1], std::numeric_limits<double>::infinity()), at);
        }
        end = std::max(end, at);
        if (end == at) continue;
        stride = end - at;
        m_pyramid.prefetch(values, end + 4 * stride);
        PixelColumn& column = out.columns[c];
        const Extent extent = m_pyramid.extent(values, at, end);
        column.nonFinite = extent.nonFinite;
        column.finite = (end - at) - extent.nonFinite;
        if (column.finite == 0) {
            isBroken = true;
            at = end;
            continue;
        }
        column.min = extent.min;
        column.max = extent.max;
        std::size_t a = at, b = end - 1;
        while (!isFinite(values[a])) ++a;
        while (!isFinite(values[b])) --b;
        column.firstKey = keyOf(a);
        column.first = values[a];
        column.lastKey = keyOf(b);
        column.last = values[b];
        column.isBrokenBefore = isBroken || a != at;
        isBroken = b != end - 1;
        at = end;
    }
    out.lastPoint = at;
    for (std::size_t i = at; i < segment.last; ++i) {
        if (isFinite(values[i])) {
            out.hasAfter = true;
            out.afterKey = columns.key(i);
            out.after = values[i];
            break;
        }
        isBroken = true;
    }
    out.isBrokenAfter = isBroken;
}

std::vector<SegmentColumns> Decimator::columns(const LineColumns& columns, std::span<const double> edges) const {
    std::vector<SegmentColumns> result;
    if (edges.size() < 2) return result;
    for (const Segment& segment : m_segments) {
        if (segment.first == segment.last) continue;
        if (columns.key(segment.last - 1) < edges.front() || columns.key(segment.first) > edges.back()) continue;
        fill(columns, segment, edges, result.emplace_back());
    }
    return result;
}

Extent Decimator::extent(const LineColumns& columns, double left, double right) const {
    Extent total;
    for (const Segment& segment : m_segments) {
        if (segment.first == segment.last) continue;
        const std::size_t a = lowerBound(columns, segment, left, segment.first);
        const std::size_t b = lowerBound(
            columns, segment, std::nextafter(right, std::numeric_limits<double>::infinity()), segment.first);
        if (a < b) total.add(m_pyramid.extent(columns.values, a, b));
    }
    return total;
}

std::size_t Decimator::nearest(const LineColumns& columns, double key) const {
    std::size_t best = size();
    double distance = std::numeric_limits<double>::infinity();
    for (const Segment& segment : m_segments) {
        if (segment.first == segment.last) continue;
        const std::size_t right = lowerBound(columns, segment, key, segment.first);
        for (std::size_t i : {right == segment.first ? right : right - 1, right}) {
            if (i >= segment.last) continue;
            const double d = std::abs(columns.key(i) - key);
            if (d <= distance) {
                distance = d;
                best = i;
            }
        }
    }
    return best;
}

std::size_t Decimator::atOrBefore(const LineColumns& columns, double key) const {
    for (auto segment = m_segments.rbegin(); segment != m_segments.rend(); ++segment) {
        if (segment->first == segment->last || columns.key(segment->first) > key) continue;
        const double next = std::nextafter(key, std::numeric_limits<double>::infinity());
        return lowerBound(columns, *segment, next, segment->first) - 1;
    }
    return size();
}

}  // namespace espalier::widgets
