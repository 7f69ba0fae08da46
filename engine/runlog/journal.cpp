#include "engine/runlog/journal.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

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
constexpr std::size_t kSegmentPayloadBytes = 12;  // u32 number, u64 start
constexpr std::size_t kSegmentHeadBytes = kJournalHeaderBytes + kFrameHeaderBytes + kSegmentPayloadBytes;

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

Result<void> readAllAt(int fd, std::uint64_t offset, void* data, std::size_t size, const std::filesystem::path& path) {
    auto* out = static_cast<char*>(data);
    while (size > 0) {
        const ssize_t count = ::pread(fd, out, size, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(ioError("cannot be read", path, errno));
        if (count == 0) return fail(ErrorCode::Corrupt, "ends too early", path.string());
        out += count;
        offset += static_cast<std::uint64_t>(count);
        size -= static_cast<std::size_t>(count);
    }
    return {};
}

Result<std::uint64_t> fileSize(int fd, const std::filesystem::path& path) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return fail(ioError("cannot be read", path, errno));
    return static_cast<std::uint64_t>(info.st_size);
}

/// A header of zeros: made, and never written before the power or the disk failed.
bool isBlank(int fd, const std::filesystem::path& path) {
    char bytes[kJournalHeaderBytes];
    return readAllAt(fd, 0, bytes, sizeof bytes, path).has_value() &&
           std::all_of(bytes, bytes + sizeof bytes, [](char c) { return c == 0; });
}

/// Offset of a later segment's first byte as its first frame tells it; nullopt when that frame is damaged.
std::optional<std::uint64_t> segmentStart(int fd, std::uint32_t number, const std::filesystem::path& path) {
    char bytes[kSegmentHeadBytes - kJournalHeaderBytes];
    if (!readAllAt(fd, kJournalHeaderBytes, bytes, sizeof bytes, path)) return std::nullopt;
    FrameHead head;
    std::memcpy(&head, bytes, sizeof head);
    const std::string_view payload(bytes + sizeof head, kSegmentPayloadBytes);
    if (head.marker != kMarker || head.length != payload.size() || head.type != std::uint16_t(RecordType::Segment) ||
        head.crc != frameCrc(head, payload))
        return std::nullopt;
    ByteReader in(payload);
    if (in.number<std::uint32_t>() != number) return std::nullopt;
    return in.number<std::uint64_t>();
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

std::filesystem::path segmentPath(const std::filesystem::path& first, std::uint32_t number) {
    if (number == 0) return first;
    char digits[16];
    std::snprintf(digits, sizeof digits, "-%04u", static_cast<unsigned>(number));
    return first.parent_path() / (first.stem().string() + digits + first.extension().string());
}

JournalFile::~JournalFile() {
    if (m_fd >= 0) ::close(m_fd);
}

Result<JournalReader> JournalReader::open(const std::filesystem::path& path) {
    JournalReader reader(path);
    JournalFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.fd() < 0) return fail(ioError("cannot be opened", path, errno));
    ESPALIER_CHECK_OK(checkHeader(file.fd(), path));
    reader.m_segments.push_back({std::move(file), path, 0, 0});
    return reader;
}

/// Opens the segment after the last known one when it is there. A missing file between two counts as damage.
Result<bool> JournalReader::openNext(JournalScan& scan) {
    constexpr std::uint32_t kMaxGap = 4;
    const auto& last = m_segments.back();
    for (std::uint32_t number = last.number + 1; number <= last.number + kMaxGap; ++number) {
        auto path = segmentPath(m_path, number);
        JournalFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (file.fd() < 0 && errno == ENOENT) continue;
        if (file.fd() < 0) return fail(ioError("cannot be opened", path, errno));
        ESPALIER_TRY(const auto size, fileSize(file.fd(), path));
        if (size < kSegmentHeadBytes) continue;  // just being made, or begun by a writer that was killed
        ESPALIER_TRY(const auto lastSize, fileSize(last.file.fd(), last.path));
        const auto end = last.start + lastSize;
        // A start before the end of what is known cannot be; it is not worth more than the order of the files.
        const auto start = std::max(end, segmentStart(file.fd(), number, path).value_or(end));
        if (start > end) scan.addDamage(end, start - end);
        m_segments.push_back({std::move(file), std::move(path), number, start});
        return true;
    }
    return false;
}

Result<JournalReader::Place> JournalReader::lastSegment() {
    JournalScan ignored;
    for (bool isMore = true; isMore;) {
        ESPALIER_TRY(isMore, openNext(ignored));
    }
    return Place{m_segments.back().number, m_segments.back().start};
}

Result<void> JournalReader::readAt(std::uint64_t offset, void* data, std::size_t size) const {
    const auto after = std::find_if(m_segments.begin(), m_segments.end(),
                                    [&](const Segment& segment) { return segment.start > offset; });
    const auto& segment = *std::prev(after);  // the first one starts at 0
    return readAllAt(segment.file.fd(), offset - segment.start, data, size, segment.path);
}

Result<JournalScan> JournalReader::scan(std::uint64_t from, const Visit& visit) {
    JournalScan scan;
    scan.nextOffset = from;
    for (std::size_t i = 0; i < m_segments.size(); ++i) {
        bool hasNext = i + 1 < m_segments.size();
        if (hasNext && m_segments[i + 1].start <= from) continue;
        ESPALIER_CHECK_OK(scanSegment(m_segments[i], std::max(from, m_segments[i].start + kJournalHeaderBytes), visit, scan));
        if (!hasNext) {
            ESPALIER_TRY(hasNext, openNext(scan));
            // The writer may have written between the scan and the beginning of the next file; not any more now.
            if (hasNext) ESPALIER_CHECK_OK(scanSegment(m_segments[i], scan.nextOffset, visit, scan));
        }
        if (hasNext && scan.tailBytes > 0) scan.addDamage(scan.nextOffset, scan.tailBytes);
    }
    return scan;
}

Result<void> JournalReader::scanSegment(const Segment& segment, std::uint64_t from, const Visit& visit, JournalScan& scan) const {
    ESPALIER_TRY(const auto fileEnd, fileSize(segment.file.fd(), segment.path));
    const auto end = segment.start + fileEnd;
    std::uint64_t goodEnd = from;
    std::string window;
    std::uint64_t windowStart = from;
    // Makes [offset, offset + size) available; windows overlap only when a frame straddles two.
    const auto load = [&](std::uint64_t offset, std::size_t size) -> Result<const char*> {
        if (offset < windowStart || offset + size > windowStart + window.size()) {
            window.resize(std::min<std::uint64_t>(std::max(size, kWindow), end - offset));
            windowStart = offset;
            ESPALIER_CHECK_OK(readAllAt(segment.file.fd(), offset - segment.start, window.data(), window.size(), segment.path));
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
                if (position > goodEnd) scan.addDamage(goodEnd, position - goodEnd);
                if (head.type != std::uint16_t(RecordType::Segment))
                    ESPALIER_CHECK_OK(visit(static_cast<RecordType>(head.type), payload, position + kFrameHeaderBytes));
                position += kFrameHeaderBytes + head.length;
                goodEnd = position;
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
    scan.nextOffset = goodEnd;
    scan.tailBytes = end - std::min(end, goodEnd);
    return {};
}

Result<JournalWriter> JournalWriter::open(const std::filesystem::path& path, std::uint64_t segmentBytes) {
    JournalWriter writer(path, segmentBytes);
    writer.m_lock = JournalFile(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (writer.m_lock.fd() < 0) return fail(ioError("the run's journal cannot be opened", path, errno));
    if (::flock(writer.m_lock.fd(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return fail(ErrorCode::BadInput, "is being written by another program or job", path.string(),
                        "Wait until it ends, or stop it");
        writer.m_isLocked = false;  // some network folders have no locks; that is told, not refused
    }
    ESPALIER_CHECK_OK(writer.openLast());
    return writer;
}

/// Opens the last segment, the first where there are no others. One that was killed before its head was complete is
/// made anew.
Result<void> JournalWriter::openLast() {
    const auto openSegment = [&](std::uint32_t number) -> Result<void> {
        m_path = segmentPath(m_first, number);
        m_file = JournalFile(::open(m_path.c_str(), O_RDWR | O_CLOEXEC));
        if (m_file.fd() < 0) return fail(ioError("the run's journal cannot be opened", m_path, errno));
        ESPALIER_TRY(m_size, fileSize(m_file.fd(), m_path));
        m_number = number;
        return {};
    };
    m_start = 0;
    ESPALIER_CHECK_OK(openSegment(0));
    if (m_size < kJournalHeaderBytes || (m_size == kJournalHeaderBytes && isBlank(m_file.fd(), m_path))) return writeHeader(0, 0);
    ESPALIER_CHECK_OK(checkHeader(m_file.fd(), m_path));
    ESPALIER_TRY(auto reader, JournalReader::open(m_first));
    ESPALIER_TRY(const auto last, reader.lastSegment());
    if (last.number > 0) {
        ESPALIER_CHECK_OK(openSegment(last.number));
        m_start = last.start;
    }
    return {};
}

/// Empties the file and writes what stands at its beginning.
Result<void> JournalWriter::writeHeader(std::uint32_t number, std::uint64_t start) {
    auto head = fileHeader();
    if (number > 0) {
        std::string payload;
        ByteWriter out(payload);
        out.number(number);
        out.number(start);
        appendFrame(head, RecordType::Segment, payload);
    }
    if (::ftruncate(m_file.fd(), 0) != 0) return fail(ioError("cannot be cut", m_path, errno));
    ESPALIER_CHECK_OK(writeAllAt(m_file.fd(), head, 0, m_path));
    m_size = head.size();
    ESPALIER_CHECK_OK(sync());
    return syncPath(m_path.parent_path());
}

Result<void> JournalWriter::beginSegment() {
    ESPALIER_CHECK_OK(sync());  // so that a later segment never outlives the end of this one
    JournalWriter next(m_first, m_segmentBytes);
    next.m_number = m_number + 1;
    next.m_start = size();
    next.m_path = segmentPath(m_first, next.m_number);
    next.m_file = JournalFile(::open(next.m_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (next.m_file.fd() < 0) return fail(ioError("the run's journal cannot be continued", next.m_path, errno));
    if (auto begun = next.writeHeader(next.m_number, next.m_start); !begun) {
        ::unlink(next.m_path.c_str());
        return begun;
    }
    m_file = std::move(next.m_file);
    m_path = std::move(next.m_path);
    m_number = next.m_number;
    m_start = next.m_start;
    m_size = next.m_size;
    ++m_opening;
    return {};
}

Result<void> JournalWriter::cutAt(std::uint64_t end) {
    while (m_number > 0 && end < m_start + kSegmentHeadBytes) {  // nothing good is in this file
        if (::unlink(m_path.c_str()) != 0) return fail(ioError("cannot be removed", m_path, errno));
        ESPALIER_CHECK_OK(openLast());
    }
    if (::ftruncate(m_file.fd(), static_cast<off_t>(end - m_start)) != 0) return fail(ioError("cannot be cut", m_path, errno));
    m_size = end - m_start;
    return {};
}

Result<void> JournalWriter::append(std::string_view frames) {
    const auto head = m_number > 0 ? kSegmentHeadBytes : kJournalHeaderBytes;
    if (m_size + frames.size() > m_segmentBytes && m_size > head) ESPALIER_CHECK_OK(beginSegment());
    auto written = writeAllAt(m_file.fd(), frames, m_size, m_path);
    if (!written) {
        // Half a frame would look like damage; if even this fails the next append overwrites it.
        if (::ftruncate(m_file.fd(), static_cast<off_t>(m_size)) != 0) written.error().detail = "the rest was not cut off";
        return written;
    }
    m_size += frames.size();
    return {};
}

Result<void> JournalWriter::sync() {
    if (!m_isTrusted) return fail(ErrorCode::Io, "could not be written to disk earlier", m_path.string(), "Check that disk");
    if (::fdatasync(m_file.fd()) == 0) return {};
    m_isTrusted = false;
    return fail(ioError("could not be written to disk", m_path, errno));
}

Result<void> JournalWriter::checkPlace() const {
    struct stat here {}, there {};
    if (::fstat(m_file.fd(), &here) != 0) return fail(ioError("cannot be read", m_path, errno));
    if (::stat(m_path.c_str(), &there) == 0 && here.st_dev == there.st_dev && here.st_ino == there.st_ino) return {};
    return fail(ErrorCode::Io, "is not in its place any more: its folder was deleted, moved or unmounted", m_path.string(),
                "Bring the folder back to where it was");
}

Result<void> JournalWriter::writeAgain(std::string_view frames) {
    JournalFile fresh(::open(m_path.c_str(), O_RDWR | O_CLOEXEC));
    if (fresh.fd() < 0) return fail(ioError("the run's journal cannot be opened", m_path, errno));
    ESPALIER_TRY(const auto held, fileSize(fresh.fd(), m_path));
    if (frames.size() > m_size || held < m_size - frames.size())
        return fail(ErrorCode::Io, "the end of the run's journal is gone", m_path.string(), "Check that disk");
    ESPALIER_CHECK_OK(writeAllAt(fresh.fd(), frames, m_size - frames.size(), m_path));
    m_file = std::move(fresh);
    m_isTrusted = true;
    ++m_opening;
    return {};
}

}  // namespace espalier::runlog
