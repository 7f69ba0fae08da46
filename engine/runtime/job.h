#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

#include "engine/feed/feed_event.h"
#include "engine/feed/inbox.h"

namespace espalier::runtime {

/// State, requests and progress of one job. Requests come from any thread; gate(), progress() and the transitions of
/// the work itself from the thread that runs it. States change only through feed::next, and every change is announced
/// in order (the inbox is filled under the job's lock, so a wake function must not call back into the engine).
class Job {
public:
    Job(feed::JobId id, std::string runId, std::string title, std::string kind, feed::Inbox<feed::FeedEvent>& events)
        : m_id(id), m_runId(std::move(runId)), m_title(std::move(title)), m_kind(std::move(kind)), m_events(events) {}

    feed::JobId id() const noexcept { return m_id; }
    const std::string& runId() const noexcept { return m_runId; }
    const std::string& title() const noexcept { return m_title; }
    const std::string& kind() const noexcept { return m_kind; }
    bool isImport() const noexcept { return m_kind == "import"; }

    feed::JobState state() const;
    /// False when the event means nothing in the present state.
    bool apply(feed::JobEventKind event, const Error& error = {});

    void requestPause();
    /// Asks for a pause because of trouble; the announcement of the pause carries the sentence and the error.
    void requestPause(Error cause);
    void requestResume();
    void requestStop();
    /// Somebody watches and can answer: trouble that an answer can mend pauses the job instead of ending it. Before it runs.
    void setAttended(bool isAttended) noexcept { m_isAttended = isAttended; }
    bool isAttended() const noexcept { return m_isAttended; }
    void requestSave() noexcept { m_wantsSave = true; }

    std::stop_token stopToken() const noexcept { return m_stop.get_token(); }
    bool isStopRequested() const noexcept { return m_stop.stop_requested(); }
    bool takeSaveRequest() noexcept { return m_wantsSave.exchange(false); }

    /// Between two steps: waits while paused. False when the work is to end. While paused `mayGoOn` is asked twice a
    /// second; true ends the pause as a request to resume would.
    bool gate(const std::function<bool()>& mayGoOn = {});
    /// At most ten announcements a second; the last of a stage (done == total) always gets through.
    void progress(const std::string& stage, std::int64_t done, std::int64_t total, double rate,
                  const std::string& rateUnit, double secsLeft);

    double pausedSecs() const;
    /// Steady time of the last sign of life of the thread that runs this job.
    double heartbeatSecs() const noexcept { return m_heartbeat.load(); }
    void beat() noexcept;

private:
    bool applyLocked(feed::JobEventKind event, const Error& error);

    const feed::JobId m_id;
    const std::string m_runId, m_title, m_kind;
    feed::Inbox<feed::FeedEvent>& m_events;

    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    feed::JobState m_state = feed::JobState::Queued;
    bool m_wantsPause = false;
    Error m_pauseCause;
    double m_pausedSecs = 0.0;
    std::stop_source m_stop;
    std::atomic<bool> m_wantsSave = false, m_isAttended = false;
    std::atomic<double> m_heartbeat = 0.0;
    double m_lastProgressSecs = 0.0;
    std::string m_lastStage;
};

}  // namespace espalier::runtime
