#include "widgets/data/smoothing.h"

#include <algorithm>

namespace espalier::widgets {

void SmoothLine::setLength(double length) {
    if (length == m_length) return;
    m_length = length;
    clear();
}

void SmoothLine::clear() {
    m_size = 0;
    m_tail = {};
    m_ends.clear();
    m_weights.clear();
    m_pyramid.clear();
    m_starts.clear();
    m_stride = -1;
}

bool SmoothLine::startsSegment(std::size_t i) const {
    return std::binary_search(m_starts.begin(), m_starts.end(), i);
}

// One point. Non-finite values only let the old ones fade.
void SmoothLine::step(State& state, const LineColumns& columns, std::size_t i) const {
    if (i == 0 || startsSegment(i)) {
        state = {};
    } else {
        const double decay = std::exp(-static_cast<double>(columns.steps[i] - columns.steps[i - 1]) / m_length);
        state.sum *= decay;
        state.weight *= decay;
    }
    const double v = columns.values[i];
    if (std::isfinite(v)) {
        state.sum += v;
        state.weight += 1;
    }
}

SmoothLine::State SmoothLine::foldBlock(State state, const LineColumns& columns, std::size_t first) {
    const std::int64_t* steps = columns.steps.data() + first;
    const double* v = columns.values.data() + first;
    const auto start = std::lower_bound(m_starts.begin(), m_starts.end(), first);
    const bool hasStart = start != m_starts.end() && *start < first + kBlock;
    if (!hasStart && first > 0) {
        const std::int64_t stride = steps[1] - steps[0];
        std::int64_t uneven = steps[0] - steps[-1] - stride;
        for (std::size_t i = 1; i < kBlock; ++i) uneven |= steps[i] - steps[i - 1] - stride;
        double zero = 0;
        for (std::size_t i = 0; i < kBlock; ++i) zero += v[i] * 0.0;
        if (uneven == 0 && zero == 0) {
            if (static_cast<double>(stride) != m_stride) {
                m_stride = static_cast<double>(stride);
                const double decay = std::exp(-m_stride / m_length);
                m_powers[0] = 1;
                for (std::size_t i = 1; i <= kBlock; ++i) m_powers[i] = m_powers[i - 1] * decay;
            }
            double sum = 0, weight = 0;
            for (std::size_t i = 0; i < kBlock; ++i) {
                sum += v[i] * m_powers[kBlock - 1 - i];
                weight += m_powers[i];
            }
            return {state.sum * m_powers[kBlock] + sum, state.weight * m_powers[kBlock] + weight};
        }
    }
    for (std::size_t i = first; i < first + kBlock; ++i) step(state, columns, i);
    return state;
}

void SmoothLine::append(const LineColumns& columns, const std::vector<Segment>& segments) {
    const std::size_t to = columns.size();
    if (to <= m_size) return;
    for (std::size_t s = m_starts.size(); s < segments.size(); ++s) m_starts.push_back(segments[s].first);
    m_size = to;
    if (!isOn()) return;
    State state = stateBefore(m_ends.size() * kBlock);
    m_ends.reserve(to / kBlock);
    m_weights.reserve(to / kBlock);
    for (std::size_t block = m_ends.size(); block < to / kBlock; ++block) {
        state = foldBlock(state, columns, block * kBlock);
        m_ends.push_back(state.value());
        m_weights.push_back(state.weight);
    }
    for (std::size_t i = m_ends.size() * kBlock; i < to; ++i) step(state, columns, i);
    m_tail = state;
    m_pyramid.append(m_ends);
}

SmoothLine::State SmoothLine::stateBefore(std::size_t i) const {
    const std::size_t block = i / kBlock;
    if (block == 0) return {};
    const double weight = m_weights[block - 1];
    return {weight > 0 ? m_ends[block - 1] * weight : 0.0, weight};
}

double SmoothLine::value(const LineColumns& columns, std::size_t i) const {
    if (!isOn()) return columns.values[i];
    if (i + 1 == m_size) return m_tail.value();
    State state = stateBefore(i);
    for (std::size_t j = i / kBlock * kBlock; j <= i; ++j) step(state, columns, j);
    return state.value();
}

void SmoothLine::values(const LineColumns& columns, std::size_t first, std::size_t last,
                        std::vector<double>& out) const {
    out.clear();
    if (first >= last) return;
    if (!isOn()) {
        out.assign(columns.values.begin() + static_cast<std::ptrdiff_t>(first),
                   columns.values.begin() + static_cast<std::ptrdiff_t>(last));
        return;
    }
    State state = stateBefore(first);
    for (std::size_t j = first / kBlock * kBlock; j < last; ++j) {
        step(state, columns, j);
        if (j >= first) out.push_back(state.value());
    }
}

void SmoothLine::everyPoint(const LineColumns& columns, const Segment& segment, std::size_t first, std::size_t last,
                            std::vector<Vertex>& out) const {
    first = first > segment.first ? first - 1 : first;
    last = std::min(segment.last, last + 1);
    std::vector<double> smooth;
    values(columns, first, last, smooth);
    for (std::size_t i = first; i < last; ++i) {
        const bool isGap = !std::isfinite(columns.values[i]);
        out.push_back({columns.key(i), isGap ? std::numeric_limits<double>::quiet_NaN() : smooth[i - first]});
    }
}

void SmoothLine::everyBlock(const LineColumns& columns, const Decimator& decimator, const Segment& segment, std::size_t first, std::size_t last,
                            std::span<const double> edges, std::vector<Vertex>& out) const {
    out.push_back({columns.key(first), value(columns, first)});
    const std::size_t endBlock = last / kBlock;
    std::size_t block = first / kBlock + 1, hint = first;
    const auto gaps = decimator.pyramid().nonFinite(columns.values, first, last, 1000);
    auto gap = gaps.begin();
    for (std::size_t c = 0; c + 1 < edges.size() && block < endBlock; ++c) {
        hint = Decimator::lowerBound(columns, segment, edges[c + 1], hint);
        const std::size_t end = std::min(endBlock, hint / kBlock);
        if (end <= block) continue;
        // Within one smoothing length the average has no room for an extreme of its own: its end stands for the column.
        const bool isShort = segment.stride > 0 && static_cast<double>((end - block) * kBlock) * static_cast<double>(segment.stride) <= m_length;
        const Extent extent = isShort ? Extent{m_ends[end - 1], m_ends[end - 1], 0} : m_pyramid.extent(m_ends, block, end);
        if (gap != gaps.end() && *gap < end * kBlock) {
            out.push_back({columns.key(*gap), std::numeric_limits<double>::quiet_NaN()});
            while (gap != gaps.end() && *gap < end * kBlock) ++gap;
        }
        if (!extent.isEmpty()) {
            const auto keyAt = [&](std::size_t b) {
                const std::size_t i = b * kBlock + kBlock - 1;
                if (segment.stride <= 0) return columns.key(i);
                return columns.key(segment.first) + static_cast<double>(segment.stride) * static_cast<double>(i - segment.first);
            };
            const double a = m_ends[block], b = m_ends[end - 1];
            const double keyA = keyAt(block), keyB = keyAt(end - 1);
            if (!isShort) out.push_back({keyA, a});
            if (!isShort && end - block > 2) {
                const double third = (keyB - keyA) / 3;
                // The order of low and high within one pixel is not visible.
                if (extent.min < std::min(a, b)) out.push_back({keyA + third, extent.min});
                if (extent.max > std::max(a, b)) out.push_back({keyA + 2 * third, extent.max});
            }
            if (isShort || end - block > 1) out.push_back({keyB, b});
        }
        block = end;
    }
    if (last > first) out.push_back({columns.key(last - 1), value(columns, last - 1)});
    if (last < segment.last) out.push_back({columns.key(last), value(columns, last)});
}

std::vector<SmoothLine::Vertex> SmoothLine::vertices(const LineColumns& columns, const Decimator& decimator,
                                                     std::span<const double> edges) const {
    std::vector<Vertex> out;
    if (edges.size() < 2 || m_size == 0) return out;
    for (const Segment& segment : decimator.segments()) {
        if (segment.first == segment.last || columns.key(segment.first) > edges.back() ||
            columns.key(segment.last - 1) < edges.front()) {
            continue;
        }
        const std::size_t first = Decimator::lowerBound(columns, segment, edges.front(), segment.first);
        const std::size_t last = Decimator::lowerBound(
            columns, segment, std::nextafter(edges.back(), std::numeric_limits<double>::infinity()), first);
        if (!out.empty()) out.push_back({columns.key(first), std::numeric_limits<double>::quiet_NaN()});
        if (!isOn() || last - first <= 4 * edges.size()) {
            everyPoint(columns, segment, first, last, out);
        } else {
            everyBlock(columns, decimator, segment, first, last, edges, out);
        }
    }
    return out;
}

}  // namespace espalier::widgets
