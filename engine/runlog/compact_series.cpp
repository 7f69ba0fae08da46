#include "engine/runlog/compact_series.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/runlog/compact_layout.h"

namespace espalier::runlog {
namespace {

/// Buckets of one series' pyramid.
class PyramidReader {
public:
    PyramidReader(DatasetCache& file, const SeriesRow& row) : m_file(file), m_row(row) {
        auto offset = static_cast<std::uint64_t>(row.pyramidOffset);
        for (const auto size : pyramidLevels(static_cast<std::uint64_t>(row.count))) {
            m_levels.push_back(size);
            m_offsets.push_back(offset);
            offset += size;
        }
    }
    /// Sizes of the levels, finest first.
    const std::vector<std::uint64_t>& levels() const { return m_levels; }
    /// False for a file whose pyramid is another one than this program makes.
    bool isWhole() const { return static_cast<std::int64_t>(m_levels.size()) == m_row.pyramidLevels; }

    /// Buckets of a level in these ranges, one after another. What follows from the series as a whole is not read.
    Result<std::vector<Bucket>> read(std::size_t depth, std::span<const Range> ranges) {
        std::vector<Range> rows;
        std::uint64_t count = 0;
        for (const auto& range : ranges) {
            rows.push_back({m_offsets[depth] + range.first, m_offsets[depth] + range.end});
            count += range.end - range.first;
        }
        std::vector<Bucket> buckets(count);
        std::vector<double> reals(count);
        ESPALIER_CHECK_OK(member(compact::kMin, rows, reals, buckets, &Bucket::min));
        ESPALIER_CHECK_OK(member(compact::kMax, rows, reals, buckets, &Bucket::max));
        ESPALIER_CHECK_OK(member(compact::kMean, rows, reals, buckets, &Bucket::mean));
        if (m_row.stride > 0 && m_row.nonFinite == 0) {
            fillRegular(depth, ranges, buckets);
            return buckets;
        }
        std::vector<std::int64_t> steps(count);
        ESPALIER_CHECK_OK(member(compact::kMinStep, rows, steps, buckets, &Bucket::minStep));
        ESPALIER_CHECK_OK(member(compact::kMaxStep, rows, steps, buckets, &Bucket::maxStep));
        std::vector<std::uint64_t> counts(count);
        ESPALIER_CHECK_OK(member(compact::kFinite, rows, counts, buckets, &Bucket::finite));
        ESPALIER_CHECK_OK(member(compact::kNonFinite, rows, counts, buckets, &Bucket::nonFinite));
        return buckets;
    }

private:
    template <class T>
    Result<void> member(const char* name, std::span<const Range> rows, std::vector<T>& values, std::vector<Bucket>& buckets,
                        T Bucket::*target) {
        ESPALIER_CHECK_OK(m_file.read(name, rows, values));
        for (std::size_t i = 0; i < values.size(); ++i) buckets[i].*target = values[i];
        return {};
    }
    void fillRegular(std::size_t depth, std::span<const Range> ranges, std::vector<Bucket>& buckets) const {
        std::uint64_t width = kPyramidFactor;
        for (std::size_t i = 0; i < depth; ++i) width *= kPyramidFactor;
        const auto stepOf = [&](std::uint64_t point) {
            return static_cast<std::int64_t>(static_cast<std::uint64_t>(m_row.firstStep) + point * static_cast<std::uint64_t>(m_row.stride));
        };
        auto bucket = buckets.begin();
        for (const auto& range : ranges)
            for (auto i = range.first; i < range.end; ++i, ++bucket) {
                const auto first = i * width, end = std::min(first + width, static_cast<std::uint64_t>(m_row.count));
                bucket->minStep = stepOf(first);
                bucket->maxStep = stepOf(end - 1);
                bucket->finite = end - first;
            }
    }

    DatasetCache& m_file;
    const SeriesRow& m_row;
    std::vector<std::uint64_t> m_levels, m_offsets;
};

/// Raw points of one series.
class PointReader {
public:
    PointReader(DatasetCache& file, const SeriesRow& row) : m_file(file), m_row(row) {}

    /// The points in these ranges (sorted), in shares of several threads.
    Result<void> add(std::vector<Bucket>& result, const StepGrid& grid, std::span<const Range> ranges) {
        constexpr std::size_t kLeastPieces = 16;
        ESPALIER_TRY(const ColumnChunks* const values, m_file.get(compact::kValues));
        ESPALIER_TRY(const ColumnChunks* const steps, m_file.get(compact::kSteps));
        const auto offset = static_cast<std::uint64_t>(m_row.offset);
        std::vector<Range> rows;
        for (const auto& range : ranges) {
            rows.push_back({offset + range.first, offset + range.end});
            if (rows.back().first > rows.back().end || rows.back().end > std::min(values->rows(), steps->rows()))
                return fail(ErrorCode::Corrupt, "the series lies outside its columns", m_row.name);
        }
        if (steps->chunkRows() != values->chunkRows())
            return fail(ErrorCode::Corrupt, "the columns have different layouts", m_row.name);
        const auto pieces = chunkPieces(rows, values->chunkRows());
        std::vector<std::vector<Bucket>> shares(shareCount(pieces.size(), kLeastPieces), std::vector<Bucket>(result.size()));
        ESPALIER_CHECK_OK(inShares(pieces.size(), kLeastPieces, [&](std::size_t share, std::size_t first, std::size_t end) {
            return addPieces(*values, *steps, std::span(pieces).subspan(first, end - first), grid, shares[share]);
        }));
        for (const auto& share : shares)
            for (std::size_t i = 0; i < result.size(); ++i) result[i].add(share[i]);
        return {};
    }

    template <class Take>
    Result<void> forEach(std::uint64_t first, std::uint64_t end, Take take) {
        constexpr std::uint64_t kBlock = 1u << 17;
        std::vector<std::int64_t> steps;
        std::vector<double> values;
        for (; first < end; first += kBlock) {
            const auto size = std::min(kBlock, end - first);
            const auto offset = static_cast<std::uint64_t>(m_row.offset) + first;
            const Range rows{offset, offset + size};
            ESPALIER_CHECK_OK(m_file.read(compact::kSteps, {&rows, 1}, steps));
            ESPALIER_CHECK_OK(m_file.read(compact::kValues, {&rows, 1}, values));
            for (std::size_t i = 0; i < size; ++i) take(steps[i], values[i]);
        }
        return {};
    }

private:
    /// Steps are not read where they follow from the first one.
    Result<void> addPieces(const ColumnChunks& values, const ColumnChunks& steps, std::span<const ChunkPiece> pieces,
                           const StepGrid& grid, std::vector<Bucket>& result) const {
        ChunkScratch scratch;
        std::vector<std::int64_t> stepChunk(m_row.stride > 0 ? 0 : steps.chunkRows());
        std::vector<double> valueChunk(values.chunkRows());
        std::optional<std::uint64_t> held;
        for (const auto& piece : pieces) {
            if (held != piece.chunk) {
                ESPALIER_CHECK_OK(values.read(piece.chunk, scratch, reinterpret_cast<std::uint64_t*>(valueChunk.data())));
                if (!stepChunk.empty())
                    ESPALIER_CHECK_OK(steps.read(piece.chunk, scratch, reinterpret_cast<std::uint64_t*>(stepChunk.data())));
                held = piece.chunk;
            }
            const auto from = piece.first - piece.chunk * values.chunkRows(), count = piece.end - piece.first;
            const auto part = std::span<const double>(valueChunk).subspan(from, count);
            if (!stepChunk.empty()) {
                grid.add(result, std::span<const std::int64_t>(stepChunk).subspan(from, count), part);
                continue;
            }
            const auto point = piece.first - static_cast<std::uint64_t>(m_row.offset);
            const auto step = static_cast<std::uint64_t>(m_row.firstStep) + point * static_cast<std::uint64_t>(m_row.stride);
            grid.add(result, static_cast<std::int64_t>(step), m_row.stride, part);
        }
        return {};
    }

    DatasetCache& m_file;
    const SeriesRow& m_row;
};

/// Walks down from one level: buckets that fit go to the joiner, wider ones are opened, in log order.
class SpanWalk {
public:
    SpanWalk(DatasetCache& file, const SeriesRow& row, SpanJoiner& joiner)
        : m_pyramid(file, row), m_points(file, row), m_count(static_cast<std::uint64_t>(row.count)), m_joiner(joiner) {}

    Result<void> whole() {
        const auto depth = m_pyramid.levels().size();
        if (depth == 0 || !m_pyramid.isWhole()) return points(0, m_count);
        return level(depth - 1, 0, m_pyramid.levels().back());
    }

private:
    Result<void> points(std::uint64_t first, std::uint64_t end) {
        return m_points.forEach(first, std::min(end, m_count),
                                [this](std::int64_t step, double value) { m_joiner.addPoint(step, value); });
    }

    Result<void> level(std::size_t depth, std::uint64_t first, std::uint64_t end) {
        end = std::min(end, m_pyramid.levels()[depth]);
        for (; first < end; first += kBlock) {
            const auto size = std::min(kBlock, end - first);
            const Range block{first, first + size};
            ESPALIER_TRY(const auto buckets, m_pyramid.read(depth, {&block, 1}));
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

    static constexpr std::uint64_t kBlock = 8192;

    Result<void> children(std::size_t depth, std::uint64_t first, std::uint64_t end) {
        if (depth == 0) return points(first * kPyramidFactor, end * kPyramidFactor);
        return level(depth - 1, first * kPyramidFactor, end * kPyramidFactor);
    }

    PyramidReader m_pyramid;
    PointReader m_points;
    std::uint64_t m_count;
    SpanJoiner& m_joiner;
};

}  // namespace

Result<const ColumnChunks*> DatasetCache::get(const char* name) {
    const auto found = m_columns.find(name);
    if (found != m_columns.end()) return &found->second.chunks;
    ESPALIER_TRY(auto dataset, h5::openDataset(m_file, name));
    ESPALIER_TRY(const auto chunks, ColumnChunks::open(dataset.get()));
    return &m_columns.emplace(name, Column{std::move(dataset), chunks, {}}).first->second.chunks;
}

Result<void> DatasetCache::checkRows(const char* name, std::span<const Range> ranges) {
    ESPALIER_TRY(const ColumnChunks* const column, get(name));
    for (const auto& range : ranges)
        if (range.first > range.end || range.end > column->rows())
            return fail(ErrorCode::Corrupt, "a series lies outside its column", name);
    return {};
}

Result<void> DatasetCache::readBytes(const char* name, std::span<const Range> ranges, void* out) {
    constexpr std::size_t kSmall = 4, kHeld = 4;
    auto& column = m_columns.find(name)->second;
    auto* const target = static_cast<std::uint64_t*>(out);
    const auto chunkRows = column.chunks.chunkRows();
    const auto pieces = chunkPieces(ranges, chunkRows);
    if (pieces.size() > kSmall) return readPieces(column.chunks, pieces, target);
    for (const auto& piece : pieces) {
        auto& held = column.held;
        auto found = std::find_if(held.begin(), held.end(), [&](const Held& one) { return one.chunk == piece.chunk; });
        if (found == held.end()) {
            Held fresh{piece.chunk, std::vector<std::uint64_t>(chunkRows)};
            ESPALIER_CHECK_OK(column.chunks.read(piece.chunk, m_scratch, fresh.values.data()));
            held.push_front(std::move(fresh));
            if (held.size() > kHeld) held.pop_back();
            found = held.begin();
        }
        std::copy_n(found->values.data() + (piece.first - piece.chunk * chunkRows), piece.end - piece.first, target + piece.target);
    }
    return {};
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
    feed::SeriesColumns series;
    const auto start = static_cast<std::uint64_t>(row.offset) + first;
    const Range rows{start, start + count};
    ESPALIER_CHECK_OK(file.read(compact::kSteps, {&rows, 1}, series.steps));
    ESPALIER_CHECK_OK(file.read(compact::kWallSecs, {&rows, 1}, series.wallSecs));
    ESPALIER_CHECK_OK(file.read(compact::kValues, {&rows, 1}, series.values));
    return series;
}

Result<std::vector<Bucket>> envelopeOf(DatasetCache& file, const SeriesRow& row, const StepGrid& grid) {
    std::vector<Bucket> result(static_cast<std::size_t>(grid.columns()));
    const auto count = static_cast<std::uint64_t>(row.count);
    PyramidReader pyramid(file, row);
    PointReader points(file, row);
    // With so few points a column its borders touch nearly every chunk of them: the pyramid would be read on top.
    const bool isSmall = count / static_cast<unsigned>(grid.columns()) <= 512 && count <= (1u << 23);
    if (isSmall || !pyramid.isWhole()) {
        const Range all{0, count};
        ESPALIER_CHECK_OK(points.add(result, grid, {&all, 1}));
        return result;
    }
    // From the coarsest level down: a bucket inside one column is taken whole, one across a border is opened.
    std::vector<Range> open{{0, pyramid.levels().back()}};
    for (std::size_t depth = pyramid.levels().size(); depth-- > 0;) {
        ESPALIER_TRY(const auto buckets, pyramid.read(depth, open));
        const auto childCount = depth > 0 ? pyramid.levels()[depth - 1] : count;
        std::vector<Range> next;
        auto bucket = buckets.begin();
        for (const auto& range : open)
            for (auto i = range.first; i < range.end; ++i, ++bucket) {
                if (!grid.touches(bucket->minStep, bucket->maxStep)) continue;
                const int low = grid.columnOf(bucket->minStep);
                if (low >= 0 && bucket->maxStep <= grid.lastStepOf(low)) {
                    result[static_cast<std::size_t>(low)].add(*bucket);
                    continue;
                }
                const Range children{i * kPyramidFactor, std::min((i + 1) * kPyramidFactor, childCount)};
                if (!next.empty() && next.back().end == children.first) next.back().end = children.end;
                else next.push_back(children);
            }
        open = std::move(next);
    }
    ESPALIER_CHECK_OK(points.add(result, grid, open));  // ranges of single points now
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
    return SpanWalk(file, row, joiner).whole();
}

}  // namespace espalier::runlog
