#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

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
};

inline constexpr const char* kJournalName = "journal.esj";
inline constexpr std::uint32_t kJournalVersion = 1;
inline constexpr std::size_t kJournalHeaderBytes = 16;
inline constexpr std::size_t kFrameHeaderBytes = 16;
inline constexpr std::uint32_t kMaxPayloadBytes = 64u << 20;

/// Appends one frame (marker, length, type, flags, CRC, payload) to `out`.
void appendFrame(std::string& out, RecordType type, std::string_view payload);

/// What a scan of a journal found.
struct JournalScan {
    std::uint64_t nextOffset = kJournalHeaderBytes;  ///< end of the last good frame: go on from here
    std::uint64_t damagedBytes = 0;                  ///< skipped between good frames
    std::uint64_t firstDamage = 0;
    std::uint64_t tailBytes = 0;                     ///< after the last good frame; damaged, or still being written
    std::uint64_t frames = 0;
};

/// Reads a journal front to back without changing it. Frames with a wrong checksum are skipped up to the next good one.
class JournalReader {
public:
    static Result<JournalReader> open(const std::filesystem::path& path);
    JournalReader(JournalReader&& other) noexcept;
    JournalReader& operator=(JournalReader&&) = delete;
    ~JournalReader();

    /// Calls `visit(type, payload, offset of the payload in the file)` for each good frame from `from` on.
    using Visit = std::function<Result<void>(RecordType, std::string_view, std::uint64_t)>;
    Result<JournalScan> scan(std::uint64_t from, const Visit& visit) const;
    Result<void> readAt(std::uint64_t offset, void* data, std::size_t size) const;

private:
    JournalReader(int fd, std::filesystem::path path) : m_fd(fd), m_path(std::move(path)) {}
    int m_fd;
    std::filesystem::path m_path;
};

/// Appends to a journal and holds its lock: one writer at a time, in this process or another.
class JournalWriter {
public:
    /// Creates the file when missing. `end` cuts an existing one (the end of its last good frame).
    static Result<JournalWriter> open(const std::filesystem::path& path);
    JournalWriter(JournalWriter&& other) noexcept;
    JournalWriter& operator=(JournalWriter&&) = delete;
    ~JournalWriter();

    Result<void> cutAt(std::uint64_t end);
    /// All of `frames` or nothing: a failed write is cut off again.
    Result<void> append(std::string_view frames);
    Result<void> sync();
    int descriptor() const { return m_fd; }
    std::uint64_t size() const { return m_size; }

private:
    JournalWriter(int fd, std::filesystem::path path, std::uint64_t size)
        : m_fd(fd), m_path(std::move(path)), m_size(size) {}
    int m_fd;
    std::filesystem::path m_path;
    std::uint64_t m_size;
};

}  // namespace espalier::runlog
