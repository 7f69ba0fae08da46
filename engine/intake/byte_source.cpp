#include "engine/intake/byte_source.h"

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <zlib.h>

#include "engine/base/files.h"

namespace espalier::intake {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMaxRatio = 200;                ///< tables of numbers pack 3 to 30 times
constexpr std::int64_t kRatioFreeBytes = 256'000'000;  ///< smaller contents are harmless whatever their ratio

class PlainFile final : public ByteSource {
public:
    PlainFile(std::FILE* file, std::int64_t size, std::string where)
        : m_file(file), m_size(size), m_where(std::move(where)) {}
    ~PlainFile() override { std::fclose(m_file); }
    Result<std::size_t> read(void* out, std::size_t size) override {
        const std::size_t count = std::fread(out, 1, size, m_file);
        if (count < size && std::ferror(m_file)) return fail(ioError("cannot be read", m_where, errno));
        return count;
    }
    std::int64_t totalBytes() const override { return m_size; }
    std::string where() const override { return m_where; }

private:
    std::FILE* m_file;
    std::int64_t m_size;
    std::string m_where;
};

class GzipFile final : public ByteSource {
public:
    GzipFile(gzFile file, std::int64_t packedBytes, std::string where) : m_file(file), m_packed(packedBytes), m_where(std::move(where)) {}
    ~GzipFile() override { gzclose(m_file); }
    Result<std::size_t> read(void* out, std::size_t size) override {
        std::size_t total = 0;
        while (total < size) {
            const auto piece = static_cast<unsigned>(std::min<std::size_t>(size - total, 1u << 30));
            const int count = gzread(m_file, static_cast<char*>(out) + total, piece);
            int code = Z_OK;
            if (count < 0 || (count == 0 && gzerror(m_file, &code) && code != Z_OK && code != Z_STREAM_END)) return damaged();
            if (count == 0) break;
            total += static_cast<std::size_t>(count);
            m_given += count;
            if (m_given > kRatioFreeBytes && m_given > kMaxRatio * m_packed)
                return fail(ErrorCode::BadInput, "unpacks to more than " + std::to_string(kMaxRatio) + " times its size: the ratio of an archive bomb", m_where,
                            "Check the file, or unpack it first");
        }
        int code = Z_OK;
        gzerror(m_file, &code);
        if (total < size && code != Z_OK && code != Z_STREAM_END) return damaged();
        return total;
    }
    std::int64_t totalBytes() const override { return -1; }
    std::string where() const override { return m_where; }

private:
    tl::unexpected<Error> damaged() const {
        int code = Z_OK;
        const char* text = gzerror(m_file, &code);
        return fail(ErrorCode::Corrupt, "the gzip stream is damaged or cut short", m_where, "Download or copy the file again",
                    text ? text : "");
    }
    gzFile m_file;
    std::int64_t m_packed, m_given = 0;
    std::string m_where;
};

}  // namespace

std::string shownName(const fs::path& path) {
    const std::string name = path.filename().string();
    return name.empty() ? path.parent_path().filename().string() : name;
}

std::string grouped(std::int64_t value) {
    std::string digits = std::to_string(value < 0 ? -value : value), text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i && (digits.size() - i) % 3 == 0) text += ',';
        text += digits[i];
    }
    return value < 0 ? "-" + text : text;
}

Result<std::unique_ptr<ByteSource>> openFileBytes(const fs::path& path) {
    std::FILE* file = std::fopen(path.c_str(), "rbe");
    if (!file) return fail(ioError("cannot be opened", path, errno));
    unsigned char magic[2] = {};
    const std::size_t count = std::fread(magic, 1, 2, file);
    std::error_code error;
    const auto size = static_cast<std::int64_t>(fs::file_size(path, error));
    if (error || fs::is_directory(path, error)) {
        std::fclose(file);
        return fail(ErrorCode::BadInput, "is not a plain file", path.string(), "Name a file");
    }
    if (count == 0) {
        std::fclose(file);
        return fail(ErrorCode::BadInput, "the file is empty (0 bytes)", path.string(), "Download or save it again");
    }
    if (count == 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
        std::fclose(file);
        gzFile packed = gzopen(path.c_str(), "rbe");
        if (!packed) return fail(ioError("cannot be opened", path, errno));
        gzbuffer(packed, 1u << 17);
        return std::make_unique<GzipFile>(packed, size, path.string());
    }
    std::rewind(file);
    return std::make_unique<PlainFile>(file, size, path.string());
}

Result<std::string> readAll(ByteSource& source, std::size_t maxBytes) {
    std::string bytes;
    if (source.totalBytes() > 0 && static_cast<std::uint64_t>(source.totalBytes()) <= maxBytes)
        bytes.reserve(static_cast<std::size_t>(source.totalBytes()));
    std::string block(std::size_t(1) << 18, '\0');
    for (;;) {
        ESPALIER_TRY(const std::size_t count, source.read(block.data(), block.size()));
        bytes.append(block.data(), count);
        if (bytes.size() > maxBytes)
            return fail(ErrorCode::BadInput, "holds more than the " + grouped(static_cast<std::int64_t>(maxBytes)) +
                                                 " bytes that are read at once",
                        source.where(), "Split it into smaller files");
        if (count < block.size()) return bytes;
    }
}

}  // namespace espalier::intake
