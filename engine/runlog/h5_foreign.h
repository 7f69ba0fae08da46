#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"

namespace espalier::runlog {

/// One dataset of a foreign HDF5 file.
struct ForeignMember {
    enum class Kind : std::uint8_t { Number, Text, Other };
    std::string path;                  ///< without the leading slash
    std::vector<std::int64_t> shape;
    Kind kind = Kind::Other;
    bool isByte = false;               ///< unsigned, one byte
    std::int64_t chunkRows = 1;        ///< rows that are stored, and damaged, together
    std::vector<std::pair<double, std::string>> names;  ///< of an enum: what its numbers are called
    std::string trouble;               ///< why it cannot be read; empty = it can
    bool isTooNew = false;             ///< the trouble is a file format beyond this HDF5 library
};

/// What to do about a file that a newer HDF5 wrote.
inline constexpr const char* kOlderHdf5 = "Write it for HDF5 1.10 (in h5py: libver=('earliest', 'v110'))";

/// An HDF5 file of unknown origin. It is parsed in a forked child with limits on memory and time, which hands plain
/// values back through a socket: a file that crashes or hangs the HDF5 library is a sentence here. Links to other files,
/// external storage, virtual datasets and filter plug-ins are never followed or loaded. Used by one thread.
class ForeignH5 {
public:
    static Result<std::unique_ptr<ForeignH5>> open(const std::filesystem::path& path);
    ~ForeignH5();
    ForeignH5(const ForeignH5&) = delete;
    ForeignH5& operator=(const ForeignH5&) = delete;

    const std::vector<ForeignMember>& members() const { return m_members; }
    /// False after the child crashed or hung: nothing more can be read.
    bool isAlive() const { return !m_isDead; }
    /// Rows [first, first + count) of the first dimension, row-major. A Corrupt error leaves the object usable.
    Result<std::vector<std::uint8_t>> readBytes(std::size_t member, std::int64_t first, std::int64_t count);
    Result<std::vector<double>> readNumbers(std::size_t member, std::int64_t first, std::int64_t count);
    Result<std::vector<std::string>> readTexts(std::size_t member, std::int64_t first, std::int64_t count);

private:
    explicit ForeignH5(std::filesystem::path path) : m_path(std::move(path)) {}
    Result<void> start();
    Result<std::string> ask(std::size_t member, int what, std::int64_t first, std::int64_t count);
    Error childDied();

    std::filesystem::path m_path;
    std::vector<ForeignMember> m_members;
    int m_socket = -1, m_childId = -1;
    bool m_isDead = false;
};

}  // namespace espalier::runlog
