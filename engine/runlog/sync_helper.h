#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace espalier::runlog {

class JournalFile;

/// fdatasyncs a run's files about once a second on a thread of its own, so that the logger never waits. Thread-safe.
class SyncHelper {
public:
    SyncHelper();
    ~SyncHelper();

    enum File { kJournal, kRunFile };
    /// From now on `fd` is this file (duplicated here); −1: there is none any more. An earlier failure is forgotten.
    void watch(File file, int fd);
    /// Everything up to batch `number` has been given to the system.
    void written(std::uint64_t number);

    struct State {
        std::uint64_t durable = 0;  ///< batches up to this one are on disk
        int error = 0;              ///< errno of a failed sync; the file is not synced again until it is watched anew
    };
    State state(File file) const;

private:
    struct Watched {
        std::shared_ptr<JournalFile> file;
        State state;
    };
    void run();

    mutable std::mutex m_mutex;
    std::condition_variable m_wake;
    std::array<Watched, 2> m_files;
    std::uint64_t m_written = 0, m_synced = 0;
    bool m_isStopping = false;
    std::thread m_thread;
};

}  // namespace espalier::runlog
