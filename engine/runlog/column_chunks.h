#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/runlog/h5.h"

namespace espalier::runlog {

/// Half-open range of rows.
struct Range {
    std::uint64_t first = 0, end = 0;
};

/// Checksum of HDF5's Fletcher32 filter.
std::uint32_t fletcher32(const void* data, std::size_t size) noexcept;

/// Makes stored chunks of 8-byte values as HDF5's filters shuffle, deflate and Fletcher32 would, so that any HDF5 reads
/// them. Byte planes that hardly shrink are stored as they are inside the deflate stream: noise costs no time here and hardly
/// any when it is read.
class ChunkEncoder {
public:
    ChunkEncoder();
    ~ChunkEncoder();
    ChunkEncoder(const ChunkEncoder&) = delete;
    ChunkEncoder& operator=(const ChunkEncoder&) = delete;
    /// Valid until the next call. `rows` at most 8,192.
    Result<std::string_view> encode(const std::uint64_t* values, std::size_t rows);
    /// One byte plane as it stands in encode()'s deflate stream.
    Result<std::string> encodePlane(std::string_view plane);

private:
    struct Stream;
    Result<void> appendPlane(std::string_view plane);
    std::unique_ptr<Stream> m_stream;
    std::string m_planes, m_stored, m_trial;
};

/// Memory of one thread that reads chunks.
class ChunkScratch {
public:
    ChunkScratch();
    ~ChunkScratch();
    ChunkScratch(ChunkScratch&&) noexcept;

private:
    friend class ColumnChunks;
    struct Stream;
    std::unique_ptr<Stream> m_stream;
    std::string m_stored, m_planes;
};

/// One column of 8-byte values in a finished file, read chunk by chunk beside HDF5's filter pipeline: the library's lock
/// is held only while the stored bytes are copied, and several threads inflate at once. Borrows the data set.
class ColumnChunks {
public:
    static Result<ColumnChunks> open(hid_t dataset);
    std::uint64_t rows() const { return m_rows; }
    std::uint64_t chunkRows() const { return m_chunkRows; }
    /// All values of a chunk (what lies behind the last row is unspecified); `out` has room for chunkRows().
    Result<void> read(std::uint64_t chunk, ChunkScratch& scratch, std::uint64_t* out) const;

private:
    hid_t m_dataset = -1;
    std::uint64_t m_rows = 0, m_chunkRows = 1;
    bool m_isInteger = false, m_isOurs = false;
};

/// Calls work(share, first, end) for equal shares of `count` pieces in several threads; a share has at least `least`
/// pieces. The first error is returned.
Result<void> inShares(std::size_t count, std::size_t least,
                      const std::function<Result<void>(std::size_t, std::size_t, std::size_t)>& work);
/// How many shares inShares() makes.
std::size_t shareCount(std::size_t count, std::size_t least) noexcept;

/// A part of a range inside one chunk.
struct ChunkPiece {
    std::uint64_t chunk = 0;
    std::uint64_t first = 0, end = 0;  ///< rows
    std::uint64_t target = 0;          ///< rows of the ranges before it
};
std::vector<ChunkPiece> chunkPieces(std::span<const Range> ranges, std::uint64_t chunkRows);

/// Reads rows that chunkPieces() has cut, in shares of several threads.
Result<void> readPieces(const ColumnChunks& column, std::span<const ChunkPiece> pieces, std::uint64_t* out);

}  // namespace espalier::runlog
