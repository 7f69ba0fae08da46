#include "engine/runlog/sync_helper.h"

#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <unistd.h>

#include "engine/runlog/journal.h"

namespace espalier::runlog {
namespace {
constexpr std::chrono::seconds kSyncTime{1};
}

SyncHelper::SyncHelper() : m_thread([this] { run(); }) {}

SyncHelper::~SyncHelper() {
    {
        std::lock_guard lock(m_mutex);
        m_isStopping = true;
    }
    m_wake.notify_all();
    m_thread.join();
}

void SyncHelper::watch(File file, int fd) {
    auto copy = fd < 0 ? nullptr : std::make_shared<JournalFile>(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    std::lock_guard lock(m_mutex);
    // Without a descriptor left nothing here is ever said to be on disk; the logger's own syncs still are.
    if (copy && copy->fd() < 0) copy.reset();
    m_files[file].file = std::move(copy);
    m_files[file].state.error = 0;
}

void SyncHelper::written(std::uint64_t number) {
    std::lock_guard lock(m_mutex);
    m_written = number;
}

SyncHelper::State SyncHelper::state(File file) const {
    std::lock_guard lock(m_mutex);
    return m_files[file].state;
}

void SyncHelper::run() {
    std::unique_lock lock(m_mutex);
    while (!m_wake.wait_for(lock, kSyncTime, [this] { return m_isStopping; })) {
        if (m_written == m_synced) continue;
        const auto number = m_written;
        const std::array files{m_files[0].file, m_files[1].file};
        std::array<int, 2> errors{};
        lock.unlock();
        for (std::size_t i = 0; i < files.size(); ++i)
            if (files[i] && ::fdatasync(files[i]->fd()) != 0) errors[i] = errno;
        lock.lock();
        m_synced = number;
        for (std::size_t i = 0; i < files.size(); ++i) {
            auto& watched = m_files[i];
            if (!files[i] || watched.file != files[i]) continue;  // replaced meanwhile: says nothing about the new one
            if (errors[i] == 0) {
                watched.state.durable = number;
            } else {
                watched.state.error = errors[i];
                watched.file.reset();
            }
        }
    }
}

}  // namespace espalier::runlog
