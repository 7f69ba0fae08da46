#include "engine/runlog/journal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/runlog/byte_codec.h"
#include "engine/runlog/crc32c.h"

namespace espalier::runlog {
namespace {

constexpr std::uint32_t kMarker = 0x314A5345u;  // "ESJ1"
constexpr char kMagic[8] = {'E', 'S', 'P', 'J', 'R', 'N', 'L', '\n'};
constexpr std::size_t kWindow = 4u << 20;

std::string fileHeader() {
    std::string header(kMagic, sizeof kMagic);
    ByteWriter out(header);
    out.number(kJournalVersion);
    out.number(crc32c(header.data(), header.size()));
    return header;
}

struct FrameHead {
    std::uint32_t marker, length;
    std::uint16_t type, flags;
    std::uint32_t crc;
};
static_assert(sizeof(FrameHead) == kFrameHeaderBytes);

std::uint32_t frameCrc(const FrameHead& head, std::string_view payload) {
    return crc32c(payload.data(), payload.size(), crc32c(&head.length, 8));
}

Result<void> writeAllAt(int fd, std::string_view bytes, std::uint64_t offset, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return fail(ioError("the run's journal could not be written", path, written ? errno : EIO));
        bytes.remove_prefix(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

Result<void> checkHeader(int fd, const std::filesystem::path& path) {
    char bytes[kJournalHeaderBytes];
    if (::pread(fd, bytes, sizeof bytes, 0) != ssize_t(sizeof bytes) ||
        std::memcmp(bytes, kMagic, sizeof kMagic) != 0)
        return fail(ErrorCode::Corrupt, "is not an Espalier journal", path.string());
    std::uint32_t version, crc;
    std::memcpy(&version, bytes + 8, 4);
    std::memcpy(&crc, bytes + 12, 4);
    if (crc != crc32c(bytes, 12)) return fail(ErrorCode::Corrupt, "has a damaged header", path.string());
    if (version > kJournalVersion)
        return fail(ErrorCode::Unsupported,
                    "has journal format " + std::to_string(version) + ", this program knows up to " +
                        std::to_string(kJournalVersion),
                    path.string(), "Open it with a newer Espalier");
    return {};
}

}  // namespace

void appendFrame(std::string& out, RecordType type, std::string_view payload) {
    FrameHead head{kMarker, static_cast<std::uint32_t>(payload.size()), static_cast<std::uint16_t>(type), 0, 0};
    head.crc = frameCrc(head, payload);
    out.append(reinterpret_cast<const char*>(&head), sizeof head);
    out.append(payload);
}

Result<JournalReader> JournalReader::open(const std::filesystem::path& path) {
    JournalReader reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
    if (reader.m_fd < 0) return fail(ioError("cannot be opened", path, errno));
    ESPALIER_CHECK_OK(checkHeader(reader.m_fd, path));
    return reader;
}

JournalReader::JournalReader(JournalReader&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_path(std::move(other.m_path)) {}

JournalReader::~JournalReader() {
    if (m_fd >= 0) ::close(m_fd);
}

Result<void> JournalReader::readAt(std::uint64_t offset, void* data, std::size_t size) const {
    auto* out = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t count = ::pread(m_fd, out, size, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(ioError("cannot be read", m_path, errno));
        if (count == 0) return fail(ErrorCode::Corrupt, "ends too early", m_path.string());
        out += count;
        offset += static_cast<std::uint64_t>(count);
        size -= static_cast<std::size_t>(count);
    }
    return {};
}

Result<JournalScan> JournalReader::scan(std::uint64_t from, const Visit& visit) const {
    struct stat info {};
    if (::fstat(m_fd, &info) != 0) return fail(ioError("cannot be read", m_path, errno));
    const auto end = static_cast<std::uint64_t>(info.st_size);
    JournalScan scan;
    scan.nextOffset = from;
    std::string window;
    std::uint64_t windowStart = from;
    // Makes [offset, offset + size) available; windows overlap only when a frame straddles two.
    const auto load = [&](std::uint64_t offset, std::size_t size) -> Result<const char*> {
        if (offset < windowStart || offset + size > windowStart + window.size()) {
            window.resize(std::min<std::uint64_t>(std::max(size, kWindow), end - offset));
            windowStart = offset;
            ESPALIER_CHECK_OK(readAt(offset, window.data(), window.size()));
        }
        return window.data() + (offset - windowStart);
    };
    std::uint64_t position = from;
    while (position + kFrameHeaderBytes <= end) {
        ESPALIER_TRY(const char* bytes, load(position, kFrameHeaderBytes));
        FrameHead head;
        std::memcpy(&head, bytes, sizeof head);
        const bool isPlausible = head.marker == kMarker && head.length <= kMaxPayloadBytes &&
                                 position + kFrameHeaderBytes + head.length <= end;
        if (isPlausible) {
            ESPALIER_TRY(bytes, load(position, kFrameHeaderBytes + head.length));
            const std::string_view payload(bytes + kFrameHeaderBytes, head.length);
            if (frameCrc(head, payload) == head.crc) {
                if (position > scan.nextOffset) {
                    if (scan.damagedBytes == 0) scan.firstDamage = scan.nextOffset;
                    scan.damagedBytes += position - scan.nextOffset;
                }
                ESPALIER_CHECK_OK(
                    visit(static_cast<RecordType>(head.type), payload, position + kFrameHeaderBytes));
                position += kFrameHeaderBytes + head.length;
                scan.nextOffset = position;
                ++scan.frames;
                continue;
            }
        }
        ++position;  // damaged: look for the next marker with a good checksum
        while (position + kFrameHeaderBytes <= end) {
            ESPALIER_TRY(const char* next, load(position, kFrameHeaderBytes));
            const std::size_t here = static_cast<std::size_t>(windowStart + window.size() - position);
            const void* found = ::memmem(next, here, &kMarker, sizeof kMarker);
            if (found) {
                position += static_cast<std::uint64_t>(static_cast<const char*>(found) - next);
                break;
            }
            position += here - std::min<std::size_t>(here, 3);
            if (windowStart + window.size() >= end) position = end;
        }
    }
    scan.tailBytes = end - std::min(end, scan.nextOffset);
    return scan;
}

Result<JournalWriter> JournalWriter::open(const std::filesystem::path& path) {
    JournalWriter writer(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644), path, 0);
    if (writer.m_fd < 0) return fail(ioError("the run's journal cannot be opened", path, errno));
    if (::flock(writer.m_fd, LOCK_EX | LOCK_NB) != 0)
        return fail(ErrorCode::BadInput, "is being written by another program or job", path.string(),
                    "Wait until it ends, or stop it");
    struct stat info {};
    if (::fstat(writer.m_fd, &info) != 0) return fail(ioError("cannot be read", path, errno));
    writer.m_size = static_cast<std::uint64_t>(info.st_size);
    if (writer.m_size < kJournalHeaderBytes) {  // new, or killed before the header was complete
        const auto header = fileHeader();
        ESPALIER_CHECK_OK(writer.cutAt(0));
        ESPALIER_CHECK_OK(writer.append(header));
        ESPALIER_CHECK_OK(writer.sync());
        ESPALIER_CHECK_OK(syncPath(path.parent_path()));
    } else {
        ESPALIER_CHECK_OK(checkHeader(writer.m_fd, path));
    }
    return writer;
}

JournalWriter::JournalWriter(JournalWriter&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_path(std::move(other.m_path)), m_size(other.m_size) {}

JournalWriter::~JournalWriter() {
    if (m_fd >= 0) ::close(m_fd);
}

Result<void> JournalWriter::cutAt(std::uint64_t end) {
    if (::ftruncate(m_fd, static_cast<off_t>(end)) != 0) return fail(ioError("cannot be cut", m_path, errno));
    m_size = end;
    return {};
}

Result<void> JournalWriter::append(std::string_view frames) {
    auto written = writeAllAt(m_fd, frames, m_size, m_path);
    if (!written) {
        // Half a frame would look like damage; if even this fails the next append overwrites it.
        if (::ftruncate(m_fd, static_cast<off_t>(m_size)) != 0) written.error().detail = "the rest was not cut off";
        return written;
    }
    m_size += frames.size();
    return {};
}

Result<void> JournalWriter::sync() {
    if (::fdatasync(m_fd) != 0) return fail(ioError("could not be written to disk", m_path, errno));
    return {};
}

}  // namespace espalier::runlog
