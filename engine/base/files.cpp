#include "engine/base/files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace espalier {
namespace fs = std::filesystem;

namespace {

struct Descriptor {
    int fd = -1;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

Result<void> writeAll(int fd, const void* data, std::size_t size, const fs::path& path) {
    const char* position = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t written = ::write(fd, position, size);
        if (written < 0) {
            if (errno == EINTR) continue;
            return fail(ioError("could not be written", path, errno));
        }
        position += written;
        size -= static_cast<std::size_t>(written);
    }
    return {};
}

fs::path homeFolder() {
    const char* home = std::getenv("HOME");
    return home && *home ? fs::path(home) : fs::temp_directory_path();
}

fs::path xdgFolder(const char* variable, const char* fallback) {
    const char* value = std::getenv(variable);
    const fs::path base = value && *value == '/' ? fs::path(value) : homeFolder() / fallback;
    return base / "espalier";
}

}  // namespace

Error ioError(const std::string& what, const fs::path& path, int errorNumber) {
    Error error{ErrorCode::Io, what + ": " + std::strerror(errorNumber), path.string(), {}, {}};
    switch (errorNumber) {
        case ENOSPC:
        case EDQUOT: error.remedy = "Free some space on that disk and try again"; break;
        case EROFS:
        case EACCES:
        case EPERM: error.remedy = "Choose a place that you may write to"; break;
        case ENOENT: error.code = ErrorCode::NotFound; error.remedy = "Check the path"; break;
        case EMFILE:
        case ENFILE: error.remedy = "Too many files are open: raise the limit (ulimit -n) or close programs"; break;
        default: break;
    }
    return error;
}

Result<std::string> readFile(const fs::path& path, std::size_t maxBytes) {
    Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) return fail(ioError("cannot be opened", path, errno));
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) return fail(ioError("cannot be read", path, errno));
    if (S_ISDIR(info.st_mode)) return fail(ErrorCode::BadInput, "is a folder, not a file", path.string());
    const auto size = static_cast<std::size_t>(info.st_size);
    if (size > maxBytes)
        return fail(ErrorCode::BadInput,
                    "has " + std::to_string(size) + " bytes, more than the " + std::to_string(maxBytes) +
                        " that are read at once",
                    path.string());
    std::string bytes;
    bytes.reserve(size);
    char block[65536];
    for (;;) {
        const ssize_t count = ::read(file.fd, block, sizeof block);
        if (count < 0) {
            if (errno == EINTR) continue;
            return fail(ioError("cannot be read", path, errno));
        }
        if (count == 0) break;
        if (bytes.size() + static_cast<std::size_t>(count) > maxBytes)
            return fail(ErrorCode::BadInput, "grew beyond the allowed size while it was read", path.string());
        bytes.append(block, static_cast<std::size_t>(count));
    }
    return bytes;
}

Result<void> syncPath(const fs::path& path) {
    const Descriptor file{::open(path.empty() ? "." : path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.fd < 0) return fail(ioError("cannot be opened", path, errno));
    if (::fsync(file.fd) != 0) return fail(ioError("could not be written to disk", path, errno));
    return {};
}

Result<void> writeFileAtomically(const fs::path& path, const std::function<Result<void>(const ByteSink&)>& produce) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::string temporary = (folder / ("." + path.filename().string() + ".XXXXXX")).string();
    Descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};
    if (file.fd < 0) return fail(ioError("could not be written", path, errno));
    auto written = produce([&](std::span<const std::byte> piece) -> Result<void> {
        return writeAll(file.fd, piece.data(), piece.size(), path);
    });
    if (written && ::fsync(file.fd) != 0) written = fail(ioError("could not be written", path, errno));
    if (written && ::fchmod(file.fd, 0644) != 0) written = fail(ioError("could not be written", path, errno));
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
        written = fail(ioError("could not be put in place", path, errno));
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    (void)syncPath(folder);  // the bytes are in place; some file systems cannot sync a folder
    return {};
}

Result<void> writeFileAtomically(const fs::path& path, std::string_view bytes) {
    return writeFileAtomically(path, [&](const ByteSink& sink) {
        return sink(std::as_bytes(std::span(bytes.data(), bytes.size())));
    });
}

std::int64_t fileSystemType(const fs::path& path) {
    std::error_code ignored;
    for (auto place = fs::absolute(path, ignored); !place.empty(); place = place.parent_path()) {
        struct statfs info {};
        if (::statfs(place.c_str(), &info) == 0) return static_cast<std::int64_t>(static_cast<std::uint32_t>(info.f_type));
        if (place == place.root_path()) break;
    }
    return 0;
}

std::string_view networkFileSystemName(std::int64_t type) noexcept {
    // Magic numbers of linux/magic.h and of the file systems' own sources (man 2 statfs).
    switch (type) {
        case 0x6969: return "NFS";
        case 0x517b:
        case 0xff534d42:
        case 0xfe534d42: return "SMB";
        case 0x65735546: return "FUSE";
        case 0x01021997: return "9P";
        case 0x5346414f:
        case 0x6b414653: return "AFS";
        case 0x00c36400: return "Ceph";
        case 0x0bd00bd0: return "Lustre";
        case 0x19830326: return "BeeGFS";
        case 0x47504653: return "GPFS";
        case 0x01161970: return "GFS2";
        case 0x7461636f: return "OCFS2";
        case 0x73757245: return "Coda";
        case 0x564c: return "NCP";
        default: return {};
    }
}

fs::path userDataFolder() { return xdgFolder("XDG_DATA_HOME", ".local/share"); }
fs::path userCacheFolder() { return xdgFolder("XDG_CACHE_HOME", ".cache"); }

}  // namespace espalier
