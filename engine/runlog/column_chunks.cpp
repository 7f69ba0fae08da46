#include "engine/runlog/column_chunks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>

#include <zlib.h>

namespace espalier::runlog {
namespace {

constexpr std::size_t kBytes = 8;
constexpr std::size_t kMaxThreads = 8;
constexpr int kRawDeflate = -15;  // zlib's window bits; negative: no header and no Adler32
constexpr std::size_t kMaxStoredBlock = 65535;

/// True when hardly any four bytes come twice and the bytes are spread evenly: deflate would work hard for nothing.
bool isNoise(std::string_view plane) {
    std::array<std::uint32_t, 4096> seen{};
    std::array<std::uint32_t, 256> counts{};
    std::size_t repeats = 0;
    for (std::size_t i = 0; i + 4 <= plane.size(); ++i) {
        std::uint32_t word;
        std::memcpy(&word, plane.data() + i, 4);
        auto& slot = seen[(word * 2654435761u) >> 20];
        repeats += slot == word;
        slot = word;
        ++counts[word & 255];
    }
    const auto largest = *std::max_element(counts.begin(), counts.end());
    return repeats * 16 < plane.size() && std::count(counts.begin(), counts.end(), 0u) < 64 && largest * 24 < plane.size();
}

}  // namespace

std::uint32_t fletcher32(const void* data, std::size_t size) noexcept {
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::uint64_t sum = 0, sums = 0;  // of big-endian pairs, and of those sums; no overflow below 16 MB
    for (std::size_t i = 0; i + 2 <= size; i += 2) {
        sum += static_cast<std::uint64_t>(bytes[i]) << 8 | bytes[i + 1];
        sums += sum;
    }
    if (size % 2) {
        sum += static_cast<std::uint64_t>(bytes[size - 1]) << 8;
        sums += sum;
    }
    const auto folded = [](std::uint64_t value) { return value == 0 ? 0 : (value - 1) % 65535 + 1; };
    return static_cast<std::uint32_t>(folded(sums) << 16 | folded(sum));
}

struct ChunkEncoder::Stream {
    z_stream zlib{};
};

ChunkEncoder::ChunkEncoder() : m_stream(std::make_unique<Stream>()) {
    deflateInit2(&m_stream->zlib, 4, Z_DEFLATED, kRawDeflate, 8, Z_DEFAULT_STRATEGY);
}
ChunkEncoder::~ChunkEncoder() { deflateEnd(&m_stream->zlib); }

/// Appends the plane as deflate blocks that end on a whole byte and look at no other plane.
Result<void> ChunkEncoder::appendPlane(std::string_view plane) {
    if (!isNoise(plane)) {
        auto& zlib = m_stream->zlib;
        deflateReset(&zlib);
        m_trial.resize(plane.size() + plane.size() / 8 + 128);
        zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plane.data()));
        zlib.avail_in = static_cast<uInt>(plane.size());
        zlib.next_out = reinterpret_cast<Bytef*>(m_trial.data());
        zlib.avail_out = static_cast<uInt>(m_trial.size());
        if (deflate(&zlib, Z_SYNC_FLUSH) != Z_OK || zlib.avail_in > 0 || zlib.avail_out == 0)
            return fail(ErrorCode::Internal, "a chunk could not be deflated", "run.h5");
        const auto size = m_trial.size() - zlib.avail_out;
        if (size < plane.size() * 7 / 8) {
            m_stored.append(m_trial, 0, size);
            return {};
        }
    }
    for (std::size_t done = 0; done < plane.size(); done += kMaxStoredBlock) {
        const auto part = plane.substr(done, kMaxStoredBlock);
        const auto length = static_cast<unsigned>(part.size());
        const char head[] = {0, char(length), char(length >> 8), char(~length), char(~length >> 8)};
        m_stored.append(head, sizeof head).append(part);
    }
    return {};
}

Result<std::string_view> ChunkEncoder::encode(const std::uint64_t* values, std::size_t rows) {
    m_planes.resize(rows * kBytes);
    for (std::size_t byte = 0; byte < kBytes; ++byte)
        for (std::size_t i = 0; i < rows; ++i) m_planes[byte * rows + i] = static_cast<char>(values[i] >> (8 * byte));
    m_stored.assign({'\x78', '\x5e'});
    for (std::size_t byte = 0; byte < kBytes; ++byte)
        ESPALIER_CHECK_OK(appendPlane(std::string_view(m_planes).substr(byte * rows, rows)));
    m_stored.append({'\x03', '\0'});  // an empty last block
    const auto adler = adler32(adler32(0, nullptr, 0), reinterpret_cast<const Bytef*>(m_planes.data()), static_cast<uInt>(m_planes.size()));
    for (int shift = 24; shift >= 0; shift -= 8) m_stored.push_back(static_cast<char>(adler >> shift));
    const auto sum = fletcher32(m_stored.data(), m_stored.size());
    m_stored.append(reinterpret_cast<const char*>(&sum), sizeof sum);
    return std::string_view(m_stored);
}

struct ChunkScratch::Stream {
    z_stream zlib{};
    bool isReady = false;
    ~Stream() {
        if (isReady) inflateEnd(&zlib);
    }
};

ChunkScratch::ChunkScratch() : m_stream(std::make_unique<Stream>()) {
    m_stream->isReady = inflateInit2(&m_stream->zlib, kRawDeflate) == Z_OK;
}
ChunkScratch::~ChunkScratch() = default;
ChunkScratch::ChunkScratch(ChunkScratch&&) noexcept = default;

Result<ColumnChunks> ColumnChunks::open(hid_t dataset) {
    h5::quiet();
    ColumnChunks column;
    column.m_dataset = dataset;
    ESPALIER_TRY(column.m_rows, h5::rowCount(dataset));
    ESPALIER_TRY(const auto type, h5::own(H5Dget_type(dataset), "a column has no type", "run.h5"));
    const auto kind = H5Tget_class(type.get());
    if ((kind != H5T_INTEGER && kind != H5T_FLOAT) || H5Tget_size(type.get()) != kBytes)
        return fail(ErrorCode::Corrupt, "a column has the wrong type", "run.h5");
    column.m_isInteger = kind == H5T_INTEGER;
    ESPALIER_TRY(const auto list, h5::own(H5Dget_create_plist(dataset), "a column has no layout", "run.h5"));
    hsize_t rows = 0;
    if (H5Pget_layout(list.get()) != H5D_CHUNKED || H5Pget_chunk(list.get(), 1, &rows) != 1 || rows == 0 || rows > (1u << 16))
        return fail(ErrorCode::Corrupt, "a column has the wrong layout", "run.h5");
    column.m_chunkRows = rows;
    const auto filter = [&](unsigned at) {
        unsigned flags = 0, config = 0, values[8] = {};
        std::size_t count = 8;
        const auto id = H5Pget_filter2(list.get(), at, &flags, &count, values, 0, nullptr, &config);
        return id == H5Z_FILTER_SHUFFLE && (count < 1 || values[0] != kBytes) ? -1 : id;
    };
    column.m_isOurs = H5Tget_order(type.get()) == H5T_ORDER_LE && H5Pget_nfilters(list.get()) == 3 &&
                      filter(0) == H5Z_FILTER_SHUFFLE && filter(1) == H5Z_FILTER_DEFLATE && filter(2) == H5Z_FILTER_FLETCHER32;
    return column;
}

Result<void> ColumnChunks::read(std::uint64_t chunk, ChunkScratch& scratch, std::uint64_t* out) const {
    const hsize_t first = chunk * m_chunkRows;
    if (first >= m_rows) return fail(ErrorCode::Corrupt, "a series lies outside its column", "run.h5");
    if (!m_isOurs)
        return h5::readRows(m_dataset, m_isInteger ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, first,
                            std::min<std::uint64_t>(m_chunkRows, m_rows - first), out);
    h5::quiet();
    const auto damaged = [] { return fail(ErrorCode::Corrupt, "a block of a column is damaged", "run.h5"); };
    const std::size_t wanted = m_chunkRows * kBytes;
    hsize_t size = 0;
    std::uint32_t skipped = 0, stored = 0;
    if (H5Dget_chunk_storage_size(m_dataset, &first, &size) < 0 || size < sizeof stored || size > 2 * wanted + 4096) return damaged();
    scratch.m_stored.resize(size);
    if (H5Dread_chunk(m_dataset, H5P_DEFAULT, &first, &skipped, scratch.m_stored.data()) < 0 || (skipped & ~3u) != 0) return damaged();
    const auto bytes = std::string_view(scratch.m_stored).substr(0, size - sizeof stored);
    std::memcpy(&stored, bytes.data() + bytes.size(), sizeof stored);
    if (fletcher32(bytes.data(), bytes.size()) != stored) return damaged();

    const char* planes = bytes.data();
    const bool isDeflated = (skipped & 2u) == 0, isShuffled = (skipped & 1u) == 0;
    if (isDeflated) {
        auto& zlib = scratch.m_stream->zlib;
        scratch.m_planes.resize(wanted);
        // The checksum above covers the whole stream; zlib's own would be a second one.
        if (!scratch.m_stream->isReady || bytes.size() < 2 || (bytes[0] & 15) != Z_DEFLATED || inflateReset(&zlib) != Z_OK) return damaged();
        zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + 2));
        zlib.avail_in = static_cast<uInt>(bytes.size() - 2);
        zlib.next_out = reinterpret_cast<Bytef*>(scratch.m_planes.data());
        zlib.avail_out = static_cast<uInt>(wanted);
        const int end = inflate(&zlib, Z_FINISH);
        if ((end != Z_STREAM_END && end != Z_BUF_ERROR) || zlib.avail_out != 0) return damaged();
        planes = scratch.m_planes.data();
    } else if (bytes.size() != wanted) {
        return damaged();
    }
    if (!isShuffled) {
        std::memcpy(out, planes, wanted);
        return {};
    }
    const auto* plane = reinterpret_cast<const unsigned char*>(planes);
    const auto n = m_chunkRows;
    for (std::size_t i = 0; i < n; ++i) {
        std::uint64_t value = 0;
        for (std::size_t byte = 0; byte < kBytes; ++byte) value |= static_cast<std::uint64_t>(plane[byte * n + i]) << (8 * byte);
        out[i] = value;
    }
    return {};
}

std::size_t shareCount(std::size_t count, std::size_t least) noexcept {
    static const std::size_t threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMaxThreads);
    return std::clamp<std::size_t>(count / std::max<std::size_t>(least, 1), 1, threads);
}

Result<void> inShares(std::size_t count, std::size_t least,
                      const std::function<Result<void>(std::size_t, std::size_t, std::size_t)>& work) {
    const auto shares = shareCount(count, least);
    std::vector<Result<void>> results(shares);
    const auto run = [&](std::size_t share) {
        results[share] = work(share, count * share / shares, count * (share + 1) / shares);
    };
    std::vector<std::thread> threads;
    for (std::size_t share = 1; share < shares; ++share) {
        try {
            threads.emplace_back(run, share);
        } catch (const std::system_error&) {  // no more threads to be had
            run(share);
        }
    }
    run(0);
    for (auto& thread : threads) thread.join();
    for (auto& result : results)
        if (!result) return std::move(result);
    return {};
}

std::vector<ChunkPiece> chunkPieces(std::span<const Range> ranges, std::uint64_t chunkRows) {
    std::vector<ChunkPiece> pieces;
    std::uint64_t target = 0;
    for (const auto& range : ranges)
        for (auto first = range.first; first < range.end;) {
            const auto chunk = first / chunkRows;
            const auto end = std::min(range.end, (chunk + 1) * chunkRows);
            pieces.push_back({chunk, first, end, target});
            target += end - first;
            first = end;
        }
    return pieces;
}

Result<void> readPieces(const ColumnChunks& column, std::span<const ChunkPiece> pieces, std::uint64_t* out) {
    constexpr std::size_t kLeastPieces = 8;
    return inShares(pieces.size(), kLeastPieces, [&](std::size_t, std::size_t first, std::size_t end) -> Result<void> {
        ChunkScratch scratch;
        std::vector<std::uint64_t> values(column.chunkRows());
        std::optional<std::uint64_t> held;
        for (const auto& piece : pieces.subspan(first, end - first)) {
            if (held != piece.chunk) ESPALIER_CHECK_OK(column.read(piece.chunk, scratch, values.data()));
            held = piece.chunk;
            std::copy_n(values.data() + (piece.first - piece.chunk * column.chunkRows()), piece.end - piece.first, out + piece.target);
        }
        return {};
    });
}

}  // namespace espalier::runlog
