#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace espalier {

/// Blocking queue between threads with a fixed capacity. Both ends re-test their condition after every wake-up;
/// close() wakes everybody: push() then refuses, pop() hands out what is left and then nullopt.
template <class T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : m_capacity(capacity) {}

    /// Blocks while full. False when the queue was closed (the value is dropped).
    bool push(T value) {
        std::unique_lock lock(m_mutex);
        m_notFull.wait(lock, [&] { return m_isClosed || m_items.size() < m_capacity; });
        if (m_isClosed) return false;
        m_items.push_back(std::move(value));
        lock.unlock();
        m_notEmpty.notify_one();
        return true;
    }

    /// Blocks while empty. nullopt when the queue is closed and drained.
    std::optional<T> pop() {
        std::unique_lock lock(m_mutex);
        m_notEmpty.wait(lock, [&] { return m_isClosed || !m_items.empty(); });
        return takeLocked(lock);
    }

    /// As pop(), but gives up at the deadline.
    template <class Clock, class Duration>
    std::optional<T> popUntil(std::chrono::time_point<Clock, Duration> deadline) {
        std::unique_lock lock(m_mutex);
        m_notEmpty.wait_until(lock, deadline, [&] { return m_isClosed || !m_items.empty(); });
        return takeLocked(lock);
    }

    void close() {
        {
            std::lock_guard lock(m_mutex);
            m_isClosed = true;
        }
        m_notEmpty.notify_all();
        m_notFull.notify_all();
    }

    bool isClosed() const {
        std::lock_guard lock(m_mutex);
        return m_isClosed;
    }
    std::size_t size() const {
        std::lock_guard lock(m_mutex);
        return m_items.size();
    }

private:
    std::optional<T> takeLocked(std::unique_lock<std::mutex>& lock) {
        if (m_items.empty()) return std::nullopt;
        std::optional<T> value(std::move(m_items.front()));
        m_items.pop_front();
        lock.unlock();
        m_notFull.notify_one();
        return value;
    }

    mutable std::mutex m_mutex;
    std::condition_variable m_notEmpty, m_notFull;
    std::deque<T> m_items;
    const std::size_t m_capacity;
    bool m_isClosed = false;
};

}  // namespace espalier
