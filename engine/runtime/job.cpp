#include "engine/runtime/job.h"

#include <chrono>
#include <utility>

#include "engine/base/clock.h"

namespace espalier::runtime {
namespace {
constexpr double kProgressSecs = 0.1;
constexpr std::chrono::milliseconds kAskEvery{500};
}

feed::JobState Job::state() const {
    std::lock_guard lock(m_mutex);
    return m_state;
}

bool Job::apply(feed::JobEventKind event, const Error& error) {
    std::lock_guard lock(m_mutex);
    return applyLocked(event, error);
}

bool Job::applyLocked(feed::JobEventKind event, const Error& error) {
    const auto to = feed::next(m_state, event);
    if (!to) return false;
    const auto from = m_state;
    m_state = *to;
    if (from != *to)
        m_events.push(feed::JobStateChanged{m_id, m_runId, from, *to,
                                            error.what.empty() ? std::string() : error.sentence(), error});
    return true;
}

void Job::requestPause() {
    std::lock_guard lock(m_mutex);
    if (feed::canPause(m_state)) m_wantsPause = true;
}

void Job::requestPause(Error cause) {
    std::lock_guard lock(m_mutex);
    if (!feed::canPause(m_state)) return;
    m_wantsPause = true;
    m_pauseCause = std::move(cause);
}

void Job::requestResume() {
    {
        std::lock_guard lock(m_mutex);
        m_wantsPause = false;
    }
    m_changed.notify_all();
}

void Job::requestStop() {
    {
        std::lock_guard lock(m_mutex);
        if (!applyLocked(feed::JobEventKind::Stop, {})) return;
        m_stop.request_stop();
        m_wantsPause = false;
    }
    m_changed.notify_all();
}

bool Job::gate(const std::function<bool()>& mayGoOn) {
    beat();
    std::unique_lock lock(m_mutex);
    if (m_wantsPause && applyLocked(feed::JobEventKind::Pause, std::exchange(m_pauseCause, {}))) {
        const double since = steadySecs();
        const auto isOver = [this] { return !m_wantsPause || m_stop.stop_requested(); };
        while (!m_changed.wait_for(lock, kAskEvery, isOver)) {
            if (!mayGoOn) continue;
            lock.unlock();  // the answer may take a disk's time
            const bool goesOn = mayGoOn();
            lock.lock();
            if (goesOn) m_wantsPause = false;
        }
        m_pausedSecs += steadySecs() - since;
        if (!m_stop.stop_requested()) applyLocked(feed::JobEventKind::Resume, {});
        beat();
    }
    return !m_stop.stop_requested();
}

void Job::progress(const std::string& stage, std::int64_t done, std::int64_t total, double rate,
                   const std::string& rateUnit, double secsLeft) {
    beat();
    const double now = steadySecs();
    const bool isNews = stage != m_lastStage || (total > 0 && done >= total);
    if (!isNews && now - m_lastProgressSecs < kProgressSecs) return;
    m_lastStage = stage;
    m_lastProgressSecs = now;
    m_events.push(feed::JobProgress{m_id, m_runId, stage, done, total, rate, rateUnit, secsLeft});
}

double Job::pausedSecs() const {
    std::lock_guard lock(m_mutex);
    return m_pausedSecs;
}

void Job::beat() noexcept { m_heartbeat = steadySecs(); }

}  // namespace espalier::runtime
