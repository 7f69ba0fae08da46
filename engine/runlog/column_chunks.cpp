#include "engine/runlog/column_chunks.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <zlib.h>

namespace espalier::runlog {
namespace {

constexpr std::size_t kBytes = 8;
constexpr std::size_t kMaxThreads = 8;
constexpr int kRawDeflate = -15;  // zlib's window bits; negative: no header and no Adler32
constexpr std::size_t kMaxStoredBlock = 65535;
// A plane that shrinks less than this is stored: its codes would cost more time at each reading than they save space.
constexpr std::size_t kLeastGain = 3;

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
    const auto word = [&](std::size_t i) { return static_cast<std::uint64_t>(bytes[i]) << 8 | bytes[i + 1]; };
    std::uint64_t sum = 0, sums = 0;  // of big-endian pairs, and of those sums; no overflow below 16 MB
    std::size_t i = 0;
    // Eight pairs at a time: one after another each would wait for the sum before.
    for (; i + 16 <= size; i += 16) {
        std::uint64_t plain = 0, weighted = 0;
        for (std::size_t pair = 0; pair < 8; ++pair) {
            plain += word(i + 2 * pair);
            weighted += (8 - pair) * word(i + 2 * pair);
        }
        sums += 8 * sum + weighted;
        sum += plain;
    }
    for (; i + 2 <= size; i += 2) {
        sum += word(i);
        sums += sum;
    }
    if (size % 2) {
        sum += static_cast<std::uint64_t>(bytes[size - 1]) << 8;
        sums += sum;
    }
    const auto folded = [](std::uint64_t value) { return value == 0 ? 0 : (value - 1) % 65535 + 1; };
    return static_cast<std::uint32_t>(folded(sums) << 16 | folded(sum));
}

namespace {

/// Undoes the shuffle filter: byte k of value i stands at planes[k·n + i].
void unshuffle(const unsigned char* planes, std::size_t n, std::uint64_t* out) {
    std::size_t i = 0;
#ifdef __SSE2__
    for (; i + 16 <= n; i += 16) {
        __m128i rows[8], pairs[8], fours[8];
        for (std::size_t k = 0; k < 8; ++k) rows[k] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(planes + k * n + i));
        for (std::size_t k = 0; k < 4; ++k) {  // bytes 2k and 2k+1 of values 0…7 and 8…15
            pairs[2 * k] = _mm_unpacklo_epi8(rows[2 * k], rows[2 * k + 1]);
            pairs[2 * k + 1] = _mm_unpackhi_epi8(rows[2 * k], rows[2 * k + 1]);
        }
        for (std::size_t half = 0; half < 2; ++half)
            for (std::size_t k = 0; k < 2; ++k) {  // bytes 4k…4k+3 of four values
                fours[4 * half + 2 * k] = _mm_unpacklo_epi16(pairs[4 * k + half], pairs[4 * k + 2 + half]);
                fours[4 * half + 2 * k + 1] = _mm_unpackhi_epi16(pairs[4 * k + half], pairs[4 * k + 2 + half]);
            }
        auto* target = reinterpret_cast<__m128i*>(out + i);
        for (std::size_t half = 0; half < 2; ++half)
            for (std::size_t k = 0; k < 2; ++k) {
                const auto low = fours[4 * half + k], high = fours[4 * half + 2 + k];
                _mm_storeu_si128(target++, _mm_unpacklo_epi32(low, high));
                _mm_storeu_si128(target++, _mm_unpackhi_epi32(low, high));
            }
    }
#endif
    for (; i < n; ++i) {
        std::uint64_t value = 0;
        for (std::size_t byte = 0; byte < kBytes; ++byte) value |= static_cast<std::uint64_t>(planes[byte * n + i]) << (8 * byte);
        out[i] = value;
    }
}

}  // namespace

struct ChunkEncoder::Stream {
    Stream() { deflateInit2(&zlib, 4, Z_DEFLATED, kRawDeflate, 8, Z_DEFAULT_STRATEGY); }
    ~Stream() { deflateEnd(&zlib); }
    z_stream zlib{};
};

ChunkEncoder::ChunkEncoder() : m_stream(std::make_unique<Stream>()) {}
ChunkEncoder::~ChunkEncoder() = default;

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
        if (size < plane.size() / kLeastGain) {
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

Result<std::string> ChunkEncoder::encodePlane(std::string_view plane) {
    m_stored.clear();
    ESPALIER_CHECK_OK(appendPlane(plane));
    return m_stored;
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

/// What ChunkEncoder makes of a plane of equal bytes. Most planes are of this kind, and zlib takes 10 µs to spread one out.
class ConstantPlanes {
public:
    explicit ConstantPlanes(std::size_t rows) {
        ChunkEncoder encoder;
        for (int value = 0; value < 256; ++value) {
            const auto stored = encoder.encodePlane(std::string(rows, static_cast<char>(value)));
            if (stored) m_planes.emplace(*stored, static_cast<unsigned char>(value));
        }
        for (const auto& [stored, value] : m_planes) m_sizes.insert(stored.size());
    }
    /// Value of the constant plane that `bytes` begin with; `size` is that of its encoding.
    std::optional<unsigned char> find(std::string_view bytes, std::size_t& size) const {
        for (const auto length : m_sizes) {
            const auto found = m_planes.find(bytes.substr(0, length));
            if (found == m_planes.end()) continue;
            size = length;
            return found->second;
        }
        return std::nullopt;
    }

private:
    std::map<std::string, unsigned char, std::less<>> m_planes;
    std::set<std::size_t> m_sizes;
};

/// Tables by number of rows; a process meets one or two sizes.
std::shared_ptr<const ConstantPlanes> constantPlanes(std::size_t rows) {
    static std::mutex mutex;
    static std::map<std::size_t, std::shared_ptr<const ConstantPlanes>> tables;
    std::lock_guard lock(mutex);
    auto& table = tables[rows];
    if (!table) table = std::make_shared<const ConstantPlanes>(rows);
    return table;
}

struct ChunkScratch::Stream {
    z_stream zlib{};
    bool isReady = false;
    int otherStreams = 0;  ///< met in a row that ChunkEncoder did not make; a border between two series is one
    std::shared_ptr<const ConstantPlanes> constants;
    std::size_t constantRows = 0;
    ~Stream() {
        if (isReady) inflateEnd(&zlib);
    }

    void start(std::string_view bytes, char* out, std::size_t room) {
        inflateReset(&zlib);
        zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
        zlib.avail_in = static_cast<uInt>(bytes.size());
        zlib.next_out = reinterpret_cast<Bytef*>(out);
        zlib.avail_out = static_cast<uInt>(room);
    }
    /// Any deflate stream.
    bool inflateAll(std::string_view bytes, char* out, std::size_t wanted) {
        start(bytes, out, wanted + 1);  // room to spare, so that zlib comes to the end of the stream
        return inflate(&zlib, Z_FINISH) == Z_STREAM_END && zlib.avail_out == 1;
    }
    /// One plane up to the empty block behind it; the number of bytes it took, 0 when it does not end like that.
    std::size_t inflatePlane(std::string_view bytes, char* out, std::size_t rows) {
        start(bytes, out, rows);
        for (;;) {
            const auto left = zlib.avail_in;
            if (inflate(&zlib, Z_BLOCK) != Z_OK || zlib.avail_in == left) return 0;
            const auto taken = bytes.size() - zlib.avail_in;
            if (zlib.avail_out == 0 && (zlib.data_type & 255) == 128 && taken >= 4 && bytes.substr(taken - 4, 4) == std::string_view("\0\0\xff\xff", 4))
                return taken;
        }
    }
    /// A stream of ChunkEncoder; false when it is another one, or damaged.
    bool inflatePlanes(std::string_view bytes, char* out, std::size_t rows) {
        if (constantRows != rows) {
            constants = constantPlanes(rows);
            constantRows = rows;
        }
        for (std::size_t k = 0; k < kBytes; ++k, out += rows) {
            std::size_t size = 0;
            if (bytes.size() > 5 + rows && bytes[0] == 0 && storedLength(bytes) == rows) {
                std::memcpy(out, bytes.data() + 5, rows);
                size = 5 + rows;
            } else if (const auto value = constants->find(bytes, size)) {
                std::memset(out, *value, rows);
            } else if (size = inflatePlane(bytes, out, rows); size == 0) {
                return false;
            }
            bytes.remove_prefix(size);
        }
        return bytes.size() == 2 + sizeof(std::uint32_t) && bytes.substr(0, 2) == std::string_view("\3\0", 2);
    }
    static std::size_t storedLength(std::string_view bytes) {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[i])); };
        const auto length = byte(1) | byte(2) << 8;
        return (length ^ 0xffffu) == (byte(3) | byte(4) << 8) ? length : 0;
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
        auto& stream = *scratch.m_stream;
        scratch.m_planes.resize(wanted + 1);
        // The checksum above covers the whole stream; zlib's own would be a second one.
        if (!stream.isReady || bytes.size() < 2 || (bytes[0] & 15) != Z_DEFLATED) return damaged();
        const auto body = bytes.substr(2);
        const bool isByPlanes = isShuffled && stream.otherStreams < 3 && stream.inflatePlanes(body, scratch.m_planes.data(), m_chunkRows);
        stream.otherStreams = isByPlanes ? 0 : stream.otherStreams + 1;
        if (!isByPlanes && !stream.inflateAll(body, scratch.m_planes.data(), wanted)) return damaged();
        planes = scratch.m_planes.data();
    } else if (bytes.size() != wanted) {
        return damaged();
    }
    if (!isShuffled) {
        std::memcpy(out, planes, wanted);
        return {};
    }
    unshuffle(reinterpret_cast<const unsigned char*>(planes), m_chunkRows, out);
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
