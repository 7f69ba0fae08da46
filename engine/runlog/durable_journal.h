#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "engine/runlog/journal.h"

namespace espalier::runlog {

/// A journal that loses nothing to a disk that is full or fails for a while: frames stay in memory until they are
/// written, and written ones until a sync that began afterwards has succeeded. After a failed sync the file is opened
/// anew and they are written again; the failed descriptor is never asked a second time. One thread.
class DurableJournal {
public:
    explicit DurableJournal(JournalWriter&& journal) : m_journal(std::move(journal)) {}

    /// Frames that wait to be written; encode straight into it.
    std::string& waiting() { return m_waiting; }
    /// True when write() has something to do.
    bool hasWork() const { return !m_waiting.empty() || !m_journal.isTrusted(); }

    /// Writes what waits as part of batch `number`. When this fails all of it waits on.
    Result<void> write(std::uint64_t number);
    /// Puts everything written on disk, in this thread.
    Result<void> sync();
    /// A sync elsewhere that began after batch `number` was written has succeeded.
    void durableUpTo(std::uint64_t number);
    /// A sync elsewhere has failed.
    void distrust() { m_journal.distrust(); }

    Result<void> checkPlace() const { return m_journal.checkPlace(); }
    int descriptor() const { return m_journal.descriptor(); }
    /// Changes whenever descriptor() is that of another opening or another file.
    std::uint64_t opening() const { return m_journal.opening(); }
    /// Releases the lock.
    void close() { JournalWriter(std::move(m_journal)); }

private:
    Result<void> heal();

    struct Piece {
        std::string frames;
        std::uint64_t number = 0;
    };
    JournalWriter m_journal;
    std::string m_waiting;
    std::deque<Piece> m_written;  ///< in the current segment, perhaps not yet on disk
    std::size_t m_writtenBytes = 0;
};

}  // namespace espalier::runlog
