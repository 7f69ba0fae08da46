#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "engine/runlog/durable_journal.h"
#include "engine/runlog/live_file.h"
#include "engine/runlog/log_batch.h"
#include "engine/runlog/sync_helper.h"

namespace espalier::runlog {

/// Both files of a run that is being written, and everything that is not yet on disk. The journal comes first; run.h5
/// is given up at its first failure and made anew by the next opening or the compaction. One thread.
class LogStore {
public:
    /// `onLoss` hears of what could not be kept, in words for the user.
    LogStore(std::filesystem::path folder, JournalWriter&& journal, std::unique_ptr<LiveFile> live,
             std::function<void(Error)> onLoss);

    /// Takes a batch; an empty one tries again what failed before.
    void store(LogBatch& batch);
    /// True when store() has something to do without new rows.
    bool hasWork();
    /// Puts everything on disk, in this thread.
    void sync();
    /// Last record, sync, run.h5 closed. The lock stays until release().
    void close();
    void release() { m_journal.close(); }

    /// Why the journal cannot be written now; nothing is lost while this lasts.
    const std::optional<Error>& trouble() const { return m_trouble; }
    std::size_t waitingBytes() { return m_journal.waiting().size(); }

private:
    /// Values in run.h5 that may not be on disk yet, in case it has to be given up.
    struct KeptArray {
        feed::ArrayInfo info;
        std::string stored;
        std::uint64_t number = 0;
    };
    void takeSyncState();
    void writeJournal();
    void encode(LogItem& item);
    void encodeArray(feed::ArrayRecord& record);
    void onLive(const std::function<Result<void>(LiveFile&)>& act);
    void giveUpLive(Error error, bool isSyncFailure);
    void keepInJournal(const feed::ArrayInfo& info, const std::string& stored);
    void moveToJournal(const feed::ArrayInfo& info, const std::string& stored);
    void forgetArrays(std::uint64_t upTo);

    const std::filesystem::path m_folder;
    DurableJournal m_journal;
    std::unique_ptr<LiveFile> m_live;
    std::function<void(Error)> m_onLoss;
    std::optional<Error> m_trouble;
    std::string m_lastSentence;
    std::deque<KeptArray> m_arrays;
    std::size_t m_arrayBytes = 0;
    std::uint64_t m_number = 0, m_watchedOpening = 0, m_droppedBytes = 0;
    double m_nextTry = 0, m_nextPlaceCheck = 0;
    SyncHelper m_helper;  // last: its thread ends before the files are closed
};

}  // namespace espalier::runlog
