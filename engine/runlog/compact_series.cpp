#include "engine/runlog/compact_series.h"

#include <algorithm>

#include "engine/runlog/compact_layout.h"

namespace espalier::runlog {
namespace {

/// Half-open range of positions in one level, or in the points themselves.
struct Range {
    std::uint64_t first = 0, end = 0;
};

/// Children of the buckets in `wanted` (sorted), joined where they touch or nearly do: one read instead of many.
std::vector<Range> childRanges(const std::vector<std::uint64_t>& wanted, std::uint64_t childCount) {
    constexpr std::uint64_t kGap = 512;
    std::vector<Range> ranges;
    for (const auto bucket : wanted) {
        const Range children{bucket * kPyramidFactor, std::min((bucket + 1) * kPyramidFactor, childCount)};
        if (!ranges.empty() && children.first <= ranges.back().end + kGap) ranges.back().end = children.end;
        else ranges.push_back(children);
    }
    return ranges;
}

/// Buckets of the pyramid.
class PyramidReader {
public:
    explicit PyramidReader(DatasetCache& file) : m_file(file) {}

    Result<std::vector<Bucket>> read(std::uint64_t offset, std::uint64_t count) {
        std::vector<Bucket> buckets(count);
        ESPALIER_CHECK_OK(member(compact::kMinStep, H5T_NATIVE_INT64, offset, buckets, &Bucket::minStep));
        ESPALIER_CHECK_OK(member(compact::kMaxStep, H5T_NATIVE_INT64, offset, buckets, &Bucket::maxStep));
        ESPALIER_CHECK_OK(member(compact::kMin, H5T_NATIVE_DOUBLE, offset, buckets, &Bucket::min));
        ESPALIER_CHECK_OK(member(compact::kMax, H5T_NATIVE_DOUBLE, offset, buckets, &Bucket::max));
        ESPALIER_CHECK_OK(member(compact::kMean, H5T_NATIVE_DOUBLE, offset, buckets, &Bucket::mean));
        ESPALIER_CHECK_OK(member(compact::kFinite, H5T_NATIVE_UINT64, offset, buckets, &Bucket::finite));
        ESPALIER_CHECK_OK(member(compact::kNonFinite, H5T_NATIVE_UINT64, offset, buckets, &Bucket::nonFinite));
        return buckets;
    }

private:
    template <class T>
    Result<void> member(const char* name, hid_t type, std::uint64_t offset, std::vector<Bucket>& buckets,
                        T Bucket::*target) {
        ESPALIER_TRY(const hid_t dataset, m_file.get(name));
        std::vector<T> column(buckets.size());
        ESPALIER_CHECK_OK(h5::readRows(dataset, type, offset, column.size(), column.data()));
        for (std::size_t i = 0; i < column.size(); ++i) buckets[i].*target = column[i];
        return {};
    }
    DatasetCache& m_file;
};

/// Raw points of one series.
class PointReader {
public:
    PointReader(DatasetCache& file, const SeriesRow& row)
        : m_file(file), m_offset(static_cast<std::uint64_t>(row.offset)) {}

    /// All points of the series.
    Result<void> addAll(std::vector<Bucket>& result, const StepGrid& grid, std::uint64_t count) {
        return forEach(0, count, [&](std::int64_t step, double value) {
            if (const int column = grid.columnOf(step); column >= 0)
                result[static_cast<std::size_t>(column)].addPoint(step, value);
        });
    }
    template <class Take>
    Result<void> forEach(std::uint64_t first, std::uint64_t end, Take take) {
        for (; first < end; first += kBlock) {
            const auto size = std::min(kBlock, end - first);
            ESPALIER_CHECK_OK(load(first, size));
            for (std::size_t i = 0; i < size; ++i) take(m_stepBlock[i], m_valueBlock[i]);
        }
        return {};
    }
    /// Just the points at these positions (sorted); near ones are read together.
    Result<void> addSome(std::vector<Bucket>& result, const StepGrid& grid, const std::vector<std::uint64_t>& wanted) {
        constexpr std::uint64_t kGap = 2048;
        for (std::size_t i = 0; i < wanted.size();) {
            std::size_t end = i + 1;
            while (end < wanted.size() && wanted[end] - wanted[end - 1] <= kGap && wanted[end] - wanted[i] < kBlock)
                ++end;
            ESPALIER_CHECK_OK(load(wanted[i], wanted[end - 1] + 1 - wanted[i]));
            for (const auto start = wanted[i]; i < end; ++i) addPoint(result, grid, wanted[i] - start);
        }
        return {};
    }

private:
    static constexpr std::uint64_t kBlock = 65536;

    Result<void> load(std::uint64_t first, std::uint64_t count) {
        ESPALIER_TRY(const hid_t steps, m_file.get(compact::kSteps));
        ESPALIER_TRY(const hid_t values, m_file.get(compact::kValues));
        m_stepBlock.resize(count);
        m_valueBlock.resize(count);
        ESPALIER_CHECK_OK(h5::readRows(steps, H5T_NATIVE_INT64, m_offset + first, count, m_stepBlock.data()));
        return h5::readRows(values, H5T_NATIVE_DOUBLE, m_offset + first, count, m_valueBlock.data());
    }
    void addPoint(std::vector<Bucket>& result, const StepGrid& grid, std::size_t i) const {
        if (const int column = grid.columnOf(m_stepBlock[i]); column >= 0)
            result[static_cast<std::size_t>(column)].addPoint(m_stepBlock[i], m_valueBlock[i]);
    }

    DatasetCache& m_file;
    std::uint64_t m_offset;
    std::vector<std::int64_t> m_stepBlock;
    std::vector<double> m_valueBlock;
};

/// Where each level starts in the pyramid's columns, finest first.
std::vector<std::uint64_t> levelOffsets(const SeriesRow& row, const std::vector<std::uint64_t>& levels) {
    std::vector<std::uint64_t> offsets;
    auto offset = static_cast<std::uint64_t>(row.pyramidOffset);
    for (const auto size : levels) {
        offsets.push_back(offset);
        offset += size;
    }
    return offsets;
}

/// Walks down from one level: buckets that fit go to the joiner, wider ones are opened, in log order.
class SpanWalk {
public:
    SpanWalk(DatasetCache& file, const SeriesRow& row, std::vector<std::uint64_t> levels, SpanJoiner& joiner)
        : m_pyramid(file), m_points(file, row), m_count(static_cast<std::uint64_t>(row.count)),
          m_levels(std::move(levels)), m_offsets(levelOffsets(row, m_levels)), m_joiner(joiner) {}

    Result<void> points(std::uint64_t first, std::uint64_t end) {
        return m_points.forEach(first, std::min(end, m_count),
                                [this](std::int64_t step, double value) { m_joiner.addPoint(step, value); });
    }

    Result<void> level(std::size_t depth, std::uint64_t first, std::uint64_t end) {
        end = std::min(end, m_levels[depth]);
        for (; first < end; first += kBlock) {
            const auto size = std::min(kBlock, end - first);
            ESPALIER_TRY(const auto buckets, m_pyramid.read(m_offsets[depth] + first, size));
            // Neighbours that must be opened are opened together: one read instead of many.
            for (std::uint64_t i = 0; i < size;) {
                if (!m_joiner.touches(buckets[i]) || m_joiner.fits(buckets[i])) {
                    if (m_joiner.touches(buckets[i])) m_joiner.add(buckets[i]);
                    ++i;
                    continue;
                }
                const auto from = i;
                while (i < size && m_joiner.touches(buckets[i]) && !m_joiner.fits(buckets[i])) ++i;
                ESPALIER_CHECK_OK(children(depth, first + from, first + i));
            }
        }
        return {};
    }

private:
    static constexpr std::uint64_t kBlock = 8192;

    Result<void> children(std::size_t depth, std::uint64_t first, std::uint64_t end) {
        if (depth == 0) return points(first * kPyramidFactor, end * kPyramidFactor);
        return level(depth - 1, first * kPyramidFactor, end * kPyramidFactor);
    }

    PyramidReader m_pyramid;
    PointReader m_points;
    std::uint64_t m_count;
    std::vector<std::uint64_t> m_levels, m_offsets;
    SpanJoiner& m_joiner;
};

}  // namespace

StepGrid::StepGrid(std::int64_t first, std::int64_t last, int columns)
    : m_first(first), m_last(last), m_columns(columns) {}

int StepGrid::columnOf(std::int64_t step) const noexcept {
    if (step < m_first || step > m_last) return -1;
    // 128 bits: (step − first)·columns may not fit in 64.
    const auto span = static_cast<unsigned __int128>(static_cast<std::uint64_t>(m_last) -
                                                     static_cast<std::uint64_t>(m_first)) + 1;
    const auto position = static_cast<std::uint64_t>(step) - static_cast<std::uint64_t>(m_first);
    return static_cast<int>(static_cast<unsigned __int128>(position) * static_cast<unsigned>(m_columns) / span);
}

Result<hid_t> DatasetCache::get(const char* name) {
    const auto found = m_datasets.find(name);
    if (found != m_datasets.end()) return found->second.get();
    ESPALIER_TRY(auto dataset, h5::openDataset(m_file, name));
    return m_datasets.emplace(name, std::move(dataset)).first->second.get();
}

feed::SeriesInfo seriesInfo(const SeriesRow& row) {
    feed::SeriesInfo info;
    info.id = static_cast<std::uint32_t>(row.id);
    info.name = row.name;
    info.count = static_cast<std::uint64_t>(row.count);
    info.firstStep = row.firstStep;
    info.lastStep = row.lastStep;
    info.first = row.first;
    info.last = row.last;
    info.min = row.min;
    info.max = row.max;
    info.minStep = row.minStep;
    info.maxStep = row.maxStep;
    info.nonFinite = static_cast<std::uint64_t>(row.nonFinite);
    return info;
}

Result<feed::SeriesColumns> readColumns(DatasetCache& file, const SeriesRow& row, std::uint64_t first, std::uint64_t count) {
    feed::SeriesColumns columns;
    const auto start = static_cast<std::uint64_t>(row.offset) + first;
    const auto read = [&](const char* name, hid_t type, auto& out) -> Result<void> {
        ESPALIER_TRY(const hid_t dataset, file.get(name));
        ESPALIER_TRY(const auto rows, h5::rowCount(dataset));
        if (start > rows || count > rows - start)
            return fail(ErrorCode::Corrupt, "the series lies outside its column", row.name);
        out.resize(count);
        return h5::readRows(dataset, type, start, count, out.data());
    };
    ESPALIER_CHECK_OK(read(compact::kSteps, H5T_NATIVE_INT64, columns.steps));
    ESPALIER_CHECK_OK(read(compact::kWallSecs, H5T_NATIVE_DOUBLE, columns.wallSecs));
    ESPALIER_CHECK_OK(read(compact::kValues, H5T_NATIVE_DOUBLE, columns.values));
    return columns;
}

Result<std::vector<Bucket>> envelopeOf(DatasetCache& file, const SeriesRow& row, const StepGrid& grid) {
    std::vector<Bucket> result(static_cast<std::size_t>(grid.columns()));
    const auto levels = pyramidLevels(static_cast<std::uint64_t>(row.count));
    PointReader points(file, row);
    // With few points a column nearly every bucket straddles a border: reading the points is quicker.
    const bool isSmall = static_cast<std::uint64_t>(row.count) <= 4 * kPyramidFactor * std::uint64_t(grid.columns()) &&
                         row.count <= (1 << 17);
    if (isSmall || levels.empty() || static_cast<std::int64_t>(levels.size()) != row.pyramidLevels) {
        ESPALIER_CHECK_OK(points.addAll(result, grid, static_cast<std::uint64_t>(row.count)));
        return result;
    }
    PyramidReader pyramid(file);
    const auto offsets = levelOffsets(row, levels);
    // From the coarsest level down: a bucket inside one column is taken whole, one across a border is opened.
    std::vector<std::uint64_t> open;
    for (std::uint64_t i = 0; i < levels.back(); ++i) open.push_back(i);
    std::vector<Range> ranges{{0, levels.back()}};
    for (std::size_t depth = levels.size(); depth-- > 0;) {
        std::vector<std::uint64_t> next;
        std::size_t wanted = 0;
        for (const auto& range : ranges) {
            ESPALIER_TRY(const auto buckets, pyramid.read(offsets[depth] + range.first, range.end - range.first));
            for (; wanted < open.size() && open[wanted] < range.end; ++wanted) {
                const auto& bucket = buckets[open[wanted] - range.first];
                if (!grid.touches(bucket.minStep, bucket.maxStep)) continue;
                const int low = grid.columnOf(bucket.minStep), high = grid.columnOf(bucket.maxStep);
                if (low >= 0 && low == high) result[static_cast<std::size_t>(low)].add(bucket);
                else next.push_back(open[wanted]);
            }
        }
        const auto childCount = depth > 0 ? levels[depth - 1] : static_cast<std::uint64_t>(row.count);
        open.clear();
        for (const auto bucket : next)
            for (auto child = bucket * kPyramidFactor; child < std::min((bucket + 1) * kPyramidFactor, childCount);
                 ++child)
                open.push_back(child);
        if (depth > 0) ranges = childRanges(next, childCount);
    }
    ESPALIER_CHECK_OK(points.addSome(result, grid, open));  // `open` holds single points now
    return result;
}

SpanJoiner::SpanJoiner(std::int64_t first, std::int64_t last, int columns) : m_first(first), m_last(last) {
    const auto steps = width(first, last);  // 0: all 2^64 of them
    m_width = std::max<std::uint64_t>(1, (steps == 0 ? UINT64_MAX : steps) / static_cast<unsigned>(columns));
}

void SpanJoiner::addPoint(std::int64_t step, double value) {
    if (step < m_first || step > m_last) return;
    Bucket bucket;
    bucket.addPoint(step, value);
    add(bucket);
}

void SpanJoiner::add(const Bucket& bucket) {
    // Steps that went back start a span of their own, so that the order on the axis stays that of the log.
    if (!m_spans.empty() && bucket.minStep >= m_spans.back().maxStep &&
        width(m_spans.back().minStep, bucket.maxStep) <= m_width)
        m_spans.back().add(bucket);
    else
        m_spans.push_back(bucket);
}

std::vector<Bucket> SpanJoiner::take() { return std::move(m_spans); }

Result<void> collectSpans(DatasetCache& file, const SeriesRow& row, SpanJoiner& joiner) {
    auto levels = pyramidLevels(static_cast<std::uint64_t>(row.count));
    const bool isWhole = static_cast<std::int64_t>(levels.size()) == row.pyramidLevels;
    const auto depth = levels.size();
    const auto top = depth > 0 ? levels.back() : 0;
    SpanWalk walk(file, row, std::move(levels), joiner);
    if (depth == 0 || !isWhole) return walk.points(0, static_cast<std::uint64_t>(row.count));
    return walk.level(depth - 1, 0, top);
}

}  // namespace espalier::runlog
