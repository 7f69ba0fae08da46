#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/intake/byte_source.h"

namespace espalier::intake {

/// One file inside a ZIP, as the central directory has it.
struct ZipMember {
    std::string name;
    std::uint64_t offset = 0;  ///< of the local header
    std::uint64_t packedBytes = 0, bytes = 0;
    std::uint32_t crc = 0;
    int method = 0;            ///< 0 stored, 8 deflated
    bool isEncrypted = false;
};

/// Random access to the members of a ZIP (ZIP64 too), for formats that are ZIPs inside (.npz). Archives of pictures go
/// through libarchive instead. Used by one thread.
class ZipReader {
public:
    static Result<std::unique_ptr<ZipReader>> open(const std::filesystem::path& path);
    const std::vector<ZipMember>& members() const { return m_members; }
    /// The member's bytes. Reading past the end checks size and checksum: an error there names the member.
    /// The result holds its own file handle.
    Result<std::unique_ptr<ByteSource>> openMember(const ZipMember& member) const;

private:
    ZipReader(std::filesystem::path path, std::vector<ZipMember> members)
        : m_path(std::move(path)), m_members(std::move(members)) {}
    std::filesystem::path m_path;
    std::vector<ZipMember> m_members;
};

}  // namespace espalier::intake
