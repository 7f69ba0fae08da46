#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"

namespace espalier::runlog {

/// Kinds of journal records. Numbers are part of the format (FORMAT.md); readers skip kinds they do not know.
enum class RecordType : std::uint16_t {
    Series = 1,
    Scalars = 2,
    Mark = 3,
    Warning = 4,
    Array = 5,
    TradeoffJob = 6,
    TradeoffLayer = 7,
    TradeoffPoint = 8,
    TradeoffChoice = 9,
    TradeoffTrace = 10,
    Opened = 11,
    Closed = 12,
    ArrayLost = 13,
    Segment = 14,
};

inline constexpr const char* kJournalName = "journal.esj";
inline constexpr std::uint32_t kJournalVersion = 1;
inline constexpr std::size_t kJournalHeaderBytes = 16;
inline constexpr std::size_t kFrameHeaderBytes = 16;
inline constexpr std::uint32_t kMaxPayloadBytes = 64u << 20;
/// A journal goes on in another file when this one would grow beyond it (one batch of frames is never split).
inline constexpr std::uint64_t kSegmentBytes = 256u << 20;

/// File of the journal's segment `number`; 0 is `first` itself ("journal.esj"), 1 is "journal-0001.esj" beside it.
std::filesystem::path segmentPath(const std::filesystem::path& first, std::uint32_t number);

/// Owns a descriptor.
class JournalFile {
public:
    JournalFile() = default;
    explicit JournalFile(int fd) : m_fd(fd) {}
    JournalFile(JournalFile&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    JournalFile& operator=(JournalFile&& other) noexcept {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    ~JournalFile();
    int fd() const { return m_fd; }

private:
    int m_fd = -1;
};

/// Appends one frame (marker, length, type, flags, CRC, payload) to `out`.
void appendFrame(std::string& out, RecordType type, std::string_view payload);

/// What a scan of a journal found. Offsets count through all segments, as if they were one file.
struct JournalScan {
    std::uint64_t nextOffset = kJournalHeaderBytes;  ///< end of the last good frame: go on from here
    std::uint64_t damagedBytes = 0;                  ///< skipped between good frames, or missing
    std::uint64_t firstDamage = 0;
    std::uint64_t tailBytes = 0;                     ///< after the last good frame; damaged, or still being written
    std::uint64_t frames = 0;

    void addDamage(std::uint64_t from, std::uint64_t bytes) {
        if (damagedBytes == 0) firstDamage = from;
        damagedBytes += bytes;
    }
};

/// Reads a journal front to back without changing it. Frames with a wrong checksum are skipped up to the next good one.
/// Follows a writer into new segments.
class JournalReader {
public:
    static Result<JournalReader> open(const std::filesystem::path& path);
    JournalReader(JournalReader&& other) noexcept = default;
    JournalReader& operator=(JournalReader&&) = delete;

    /// Calls `visit(type, payload, offset of the payload)` for each good frame from `from` on.
    using Visit = std::function<Result<void>(RecordType, std::string_view, std::uint64_t)>;
    Result<JournalScan> scan(std::uint64_t from, const Visit& visit);
    /// Only what a scan has come across.
    Result<void> readAt(std::uint64_t offset, void* data, std::size_t size) const;
    struct Place {
        std::uint32_t number = 0;
        std::uint64_t start = 0;  ///< offset of the file's first byte
    };
    Result<Place> lastSegment();

private:
    /// One file; `start` is the offset of its first byte.
    struct Segment {
        JournalFile file;
        std::filesystem::path path;
        std::uint32_t number = 0;
        std::uint64_t start = 0;
    };
    explicit JournalReader(std::filesystem::path path) : m_path(std::move(path)) {}
    Result<bool> openNext(JournalScan& scan);
    Result<void> scanSegment(const Segment& segment, std::uint64_t from, const Visit& visit, JournalScan& scan) const;

    std::filesystem::path m_path;
    std::vector<Segment> m_segments;
};

/// Appends to a journal and holds its lock: one writer at a time, in this process or another.
class JournalWriter {
public:
    /// Creates the file when missing. `segmentBytes` is the size at which a new file is begun.
    static Result<JournalWriter> open(const std::filesystem::path& path, std::uint64_t segmentBytes = kSegmentBytes);
    JournalWriter(JournalWriter&& other) noexcept = default;
    JournalWriter& operator=(JournalWriter&&) = delete;

    /// Drops everything from the offset `end` on (the end of the last good frame), whole files included.
    Result<void> cutAt(std::uint64_t end);
    /// All of `frames` or nothing: a failed write is cut off again. Begins a new segment first where this one is full;
    /// what the full one holds is on disk then.
    Result<void> append(std::string_view frames);
    Result<void> sync();
    /// False after a failed sync: the system may have dropped what it could not write, and will not tell again.
    bool isTrusted() const { return m_isTrusted; }
    /// A sync through another descriptor failed.
    void distrust() { m_isTrusted = false; }
    /// Opens the segment anew and writes `frames`, which end at size(), once more. Not synced yet.
    Result<void> writeAgain(std::string_view frames);

    /// Error when the file is not where it was made: its folder was deleted, moved or unmounted.
    Result<void> checkPlace() const;
    /// False on a file system that has no locks.
    bool isLocked() const { return m_isLocked; }

    int descriptor() const { return m_file.fd(); }
    std::uint64_t size() const { return m_start + m_size; }
    std::uint32_t segment() const { return m_number; }
    std::uint64_t opening() const { return m_opening; }  ///< changes with every file or descriptor

private:
    explicit JournalWriter(std::filesystem::path first, std::uint64_t segmentBytes)
        : m_first(std::move(first)), m_path(m_first), m_segmentBytes(segmentBytes) {}
    Result<void> openLast();
    Result<void> writeHeader(std::uint32_t number, std::uint64_t start);
    Result<void> beginSegment();

    std::filesystem::path m_first, m_path;
    std::uint64_t m_segmentBytes;
    JournalFile m_lock, m_file;  ///< the lock is on the first file, through a descriptor of its own
    std::uint32_t m_number = 0;
    std::uint64_t m_start = 0, m_size = 0, m_opening = 0;
    bool m_isTrusted = true, m_isLocked = true;
};

}  // namespace espalier::runlog
