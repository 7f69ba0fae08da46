#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace espalier::feed {

/// Lossless hand-over from any thread to one reader. `wake` is called, outside the lock, when the box goes from
/// empty to non-empty, so a reader that drains everything is woken exactly once per burst.
template <class T>
class Inbox {
public:
    void setWake(std::function<void()> wake) {
        std::lock_guard lock(m_mutex);
        m_wake = std::move(wake);
    }
    void push(T value) {
        std::function<void()> wake;
        {
            std::lock_guard lock(m_mutex);
            if (m_items.empty()) wake = m_wake;
            m_items.push_back(std::move(value));
        }
        if (wake) wake();
    }
    /// Takes everything that is there, oldest first.
    std::vector<T> drain() {
        std::vector<T> items;
        std::lock_guard lock(m_mutex);
        items.swap(m_items);
        return items;
    }

private:
    std::mutex m_mutex;
    std::vector<T> m_items;
    std::function<void()> m_wake;
};

/// Newest value wins: for pictures and previews that a later one makes worthless.
template <class T>
class LatestSlot {
public:
    void setWake(std::function<void()> wake) {
        std::lock_guard lock(m_mutex);
        m_wake = std::move(wake);
    }
    void put(T value) {
        std::function<void()> wake;
        {
            std::lock_guard lock(m_mutex);
            if (!m_value) wake = m_wake;
            m_value = std::move(value);
        }
        if (wake) wake();
    }
    std::optional<T> take() {
        std::lock_guard lock(m_mutex);
        return std::exchange(m_value, std::nullopt);
    }

private:
    std::mutex m_mutex;
    std::optional<T> m_value;
    std::function<void()> m_wake;
};

}  // namespace espalier::feed
