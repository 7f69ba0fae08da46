#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/runtime/job.h"

namespace espalier::runtime {

/// Jobs that wait for one worker thread, in an order the user may change. Thread-safe.
class JobQueue {
public:
    using Item = std::shared_ptr<Job>;

    /// Place of the new job: 0 = next.
    int push(Item job) {
        int place = 0;
        {
            std::lock_guard lock(m_mutex);
            place = static_cast<int>(m_items.size());
            m_items.push_back(std::move(job));
        }
        m_changed.notify_one();
        return place;
    }

    /// Blocks for the next job; nullptr once closed.
    Item pop() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return m_isClosed || !m_items.empty(); });
        if (m_isClosed) return nullptr;
        auto job = std::move(m_items.front());
        m_items.pop_front();
        return job;
    }

    /// Moves a waiting job; places beyond the end mean last. False when it does not wait here.
    bool move(feed::JobId id, int place) {
        std::lock_guard lock(m_mutex);
        const auto found = findLocked(id);
        if (found == m_items.end()) return false;
        auto job = std::move(*found);
        m_items.erase(found);
        const auto index = std::clamp<std::ptrdiff_t>(place, 0, static_cast<std::ptrdiff_t>(m_items.size()));
        m_items.insert(m_items.begin() + index, std::move(job));
        return true;
    }

    bool remove(feed::JobId id) {
        std::lock_guard lock(m_mutex);
        const auto found = findLocked(id);
        if (found == m_items.end()) return false;
        m_items.erase(found);
        return true;
    }

    std::vector<Item> items() const {
        std::lock_guard lock(m_mutex);
        return {m_items.begin(), m_items.end()};
    }

    /// Wakes the worker for good; jobs that still wait stay and can be read with items().
    void close() {
        {
            std::lock_guard lock(m_mutex);
            m_isClosed = true;
        }
        m_changed.notify_all();
    }

private:
    std::deque<Item>::iterator findLocked(feed::JobId id) {
        return std::find_if(m_items.begin(), m_items.end(), [id](const Item& item) { return item->id() == id; });
    }

    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<Item> m_items;
    bool m_isClosed = false;
};

}  // namespace espalier::runtime
