#include "engine/intake/zip_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <zlib.h>

#include "engine/base/files.h"

namespace espalier::intake {
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kCentralMagic = 0x02014b50, kLocalMagic = 0x04034b50, kEndMagic = 0x06054b50;
constexpr std::uint32_t kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50;
constexpr std::size_t kMaxDirectoryBytes = 64 << 20, kMaxMembers = 100000;
constexpr std::uint64_t kMaxDeflateRatio = 1040;  ///< deflate cannot do better than 1032

std::uint64_t little(const char* bytes, int count) {
    std::uint64_t value = 0;
    for (int i = count - 1; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

tl::unexpected<Error> damaged(const fs::path& path, const std::string& what) {
    return fail(ErrorCode::Corrupt, "the ZIP structure is damaged or cut short: " + what, path.string(),
                "Download or save the file again");
}

bool readAt(std::ifstream& file, std::uint64_t offset, char* out, std::size_t size) {
    file.clear();
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(out, static_cast<std::streamsize>(size));
    return static_cast<std::size_t>(file.gcount()) == size;
}

struct Directory {
    std::uint64_t offset = 0, bytes = 0, entries = 0;
};

Result<Directory> findDirectory(std::ifstream& file, std::uint64_t fileBytes, const fs::path& path) {
    const std::uint64_t tailBytes = std::min<std::uint64_t>(fileBytes, 65557);
    std::string tail(tailBytes, '\0');
    if (tailBytes < 22 || !readAt(file, fileBytes - tailBytes, tail.data(), tail.size())) return damaged(path, "it has no directory");
    std::size_t at = tail.size() - 22;
    while (little(&tail[at], 4) != kEndMagic) {
        if (at == 0) return damaged(path, "it has no directory at its end");
        --at;
    }
    Directory directory{little(&tail[at + 16], 4), little(&tail[at + 12], 4), little(&tail[at + 10], 2)};
    if (at >= 20 && little(&tail[at - 20], 4) == kLocator64Magic) {
        char end[56];
        if (!readAt(file, little(&tail[at - 12], 8), end, sizeof end) || little(end, 4) != kEnd64Magic)
            return damaged(path, "its ZIP64 directory cannot be read");
        directory = {little(end + 48, 8), little(end + 40, 8), little(end + 32, 8)};
    }
    if (directory.bytes > fileBytes || directory.offset > fileBytes - directory.bytes || directory.bytes > kMaxDirectoryBytes ||
        directory.entries > kMaxMembers)
        return damaged(path, "its directory lies outside the file");
    return directory;
}

/// Sizes and offset that did not fit 32 bits stand in extra field 1.
void applyZip64(ZipMember& member, const char* extra, std::size_t size) {
    for (std::size_t at = 0; at + 4 <= size;) {
        const std::size_t length = little(extra + at + 2, 2);
        if (at + 4 + length > size) return;
        if (little(extra + at, 2) == 1) {
            const char* field = extra + at + 4;
            std::size_t left = length;
            for (std::uint64_t* value : {&member.bytes, &member.packedBytes, &member.offset}) {
                if (*value != 0xffffffffu || left < 8) continue;
                *value = little(field, 8);
                field += 8;
                left -= 8;
            }
        }
        at += 4 + length;
    }
}

class MemberBytes final : public ByteSource {
public:
    MemberBytes(std::ifstream file, ZipMember member, std::string where)
        : m_file(std::move(file)), m_member(std::move(member)), m_where(std::move(where)), m_packedLeft(m_member.packedBytes) {
        if (m_member.method == 8) m_isInflating = inflateInit2(&m_stream, -MAX_WBITS) == Z_OK;
    }
    ~MemberBytes() override {
        if (m_isInflating) inflateEnd(&m_stream);
    }
    std::int64_t totalBytes() const override { return static_cast<std::int64_t>(m_member.bytes); }
    std::string where() const override { return m_where; }

    Result<std::size_t> read(void* out, std::size_t size) override {
        std::size_t total = 0;
        while (total < size) {
            const std::size_t piece = std::min<std::size_t>(size - total, 1u << 30);
            ESPALIER_TRY(const std::size_t count, m_member.method == 8 ? inflateSome(static_cast<char*>(out) + total, piece)
                                                                       : copySome(static_cast<char*>(out) + total, piece));
            if (count == 0) break;
            m_crc = crc32_z(m_crc, static_cast<const Bytef*>(out) + total, count);
            total += count;
            m_given += count;
            if (m_given > m_member.bytes) return wrong("holds more bytes than the directory says");
        }
        if (total < size && !m_isChecked) {
            m_isChecked = true;
            if (m_given != m_member.bytes) return wrong("ends too early");
            if (m_crc != m_member.crc) return wrong("its checksum (CRC) is wrong, so bytes have changed");
        }
        return total;
    }

private:
    tl::unexpected<Error> wrong(const std::string& what) const {
        return fail(ErrorCode::Corrupt, "the member is damaged: " + what, m_where, "Download or save the file again");
    }
    Result<std::size_t> copySome(char* out, std::size_t size) {
        size = std::min<std::uint64_t>(size, m_packedLeft);
        m_file.read(out, static_cast<std::streamsize>(size));
        if (static_cast<std::size_t>(m_file.gcount()) < size) return wrong("the file ends inside it");
        m_packedLeft -= size;
        return size;
    }
    Result<std::size_t> inflateSome(char* out, std::size_t size) {
        if (!m_isInflating) return std::size_t(0);
        m_stream.next_out = reinterpret_cast<Bytef*>(out);
        m_stream.avail_out = static_cast<uInt>(size);
        while (m_stream.avail_out > 0) {
            if (m_stream.avail_in == 0 && m_packedLeft > 0) {
                const std::size_t piece = std::min<std::uint64_t>(sizeof m_buffer, m_packedLeft);
                m_file.read(m_buffer, static_cast<std::streamsize>(piece));
                if (static_cast<std::size_t>(m_file.gcount()) < piece) return wrong("the file ends inside it");
                m_packedLeft -= piece;
                m_stream.next_in = reinterpret_cast<Bytef*>(m_buffer);
                m_stream.avail_in = static_cast<uInt>(piece);
            }
            const int code = ::inflate(&m_stream, Z_NO_FLUSH);
            if (code == Z_STREAM_END) {
                inflateEnd(&m_stream);
                m_isInflating = false;
                break;
            }
            if (code != Z_OK) return wrong("its compressed data are corrupt");
        }
        return size - m_stream.avail_out;
    }

    std::ifstream m_file;
    ZipMember m_member;
    std::string m_where;
    std::uint64_t m_packedLeft = 0, m_given = 0;
    uLong m_crc = 0;
    z_stream m_stream{};
    bool m_isInflating = false, m_isChecked = false;
    char m_buffer[1 << 16];
};

}  // namespace

Result<std::unique_ptr<ZipReader>> ZipReader::open(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::error_code error;
    const std::uint64_t fileBytes = fs::file_size(path, error);
    if (!file || error) return fail(ioError("cannot be opened", path, error ? error.value() : errno));
    if (fileBytes == 0) return fail(ErrorCode::BadInput, "the file is empty (0 bytes)", path.string(), "Download or save it again");
    ESPALIER_TRY(const Directory directory, findDirectory(file, fileBytes, path));
    std::string bytes(directory.bytes, '\0');
    if (!readAt(file, directory.offset, bytes.data(), bytes.size())) return damaged(path, "its directory cannot be read");

    std::vector<ZipMember> members;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        if (at + 46 > bytes.size() || little(&bytes[at], 4) != kCentralMagic) return damaged(path, "its directory is broken");
        const char* entry = &bytes[at];
        const std::size_t nameBytes = little(entry + 28, 2), extraBytes = little(entry + 30, 2), commentBytes = little(entry + 32, 2);
        if (at + 46 + nameBytes + extraBytes + commentBytes > bytes.size()) return damaged(path, "its directory is broken");
        ZipMember member;
        member.isEncrypted = little(entry + 8, 2) & 1;
        member.method = static_cast<int>(little(entry + 10, 2));
        member.crc = static_cast<std::uint32_t>(little(entry + 16, 4));
        member.packedBytes = little(entry + 20, 4);
        member.bytes = little(entry + 24, 4);
        member.offset = little(entry + 42, 4);
        member.name.assign(entry + 46, nameBytes);
        applyZip64(member, entry + 46 + nameBytes, extraBytes);
        at += 46 + nameBytes + extraBytes + commentBytes;
        if (!member.name.empty() && member.name.back() != '/') members.push_back(std::move(member));
    }
    return std::unique_ptr<ZipReader>(new ZipReader(path, std::move(members)));
}

Result<std::unique_ptr<ByteSource>> ZipReader::openMember(const ZipMember& member) const {
    const std::string where = m_path.string() + ", member " + member.name;
    if (member.isEncrypted) return fail(ErrorCode::Unsupported, "the member is encrypted", where, "Save the file without a password");
    if (member.method != 0 && member.method != 8)
        return fail(ErrorCode::Unsupported, "the member is packed with ZIP method " + std::to_string(member.method), where,
                    "Pack it with deflate (the usual ZIP) or store it");
    if (member.bytes > (member.packedBytes + 64) * kMaxDeflateRatio || (member.method == 0 && member.bytes != member.packedBytes))
        return fail(ErrorCode::Corrupt,
                    "the member claims " + grouped(static_cast<std::int64_t>(member.bytes)) + " bytes, which its " +
                        grouped(static_cast<std::int64_t>(member.packedBytes)) + " stored bytes cannot hold",
                    where, "Download or save the file again");
    std::ifstream file(m_path, std::ios::binary);
    char local[30];
    if (!file || !readAt(file, member.offset, local, sizeof local) || little(local, 4) != kLocalMagic)
        return fail(ErrorCode::Corrupt, "the member is not where the ZIP directory says: the file is damaged or cut short", where,
                    "Download or save the file again");
    file.seekg(static_cast<std::streamoff>(member.offset + 30 + little(local + 26, 2) + little(local + 28, 2)));
    return std::make_unique<MemberBytes>(std::move(file), member, where);
}

}  // namespace espalier::intake
