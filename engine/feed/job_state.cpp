#include "engine/feed/job_state.h"

namespace espalier::feed {

std::optional<JobState> next(JobState state, JobEventKind event) noexcept {
    using S = JobState;
    using E = JobEventKind;
    if (isFinal(state)) return std::nullopt;
    if (event == E::ProcessDied) return S::Interrupted;
    switch (state) {
        case S::Queued:
            if (event == E::Start) return S::Preparing;
            if (event == E::Stop) return S::Stopped;
            break;
        case S::Preparing:
            if (event == E::Ready) return S::Running;
            if (event == E::Stop) return S::Stopping;
            if (event == E::Fail) return S::Failed;
            break;
        case S::Running:
            if (event == E::Pause) return S::Paused;
            if (event == E::Stop) return S::Stopping;
            if (event == E::StepEnded) return S::Running;
            if (event == E::Finish) return S::Completed;
            if (event == E::Fail) return S::Failed;
            break;
        case S::Paused:
            if (event == E::Resume) return S::Running;
            if (event == E::Stop) return S::Stopping;
            if (event == E::Fail) return S::Failed;
            break;
        case S::Stopping:
            if (event == E::StepEnded) return S::Stopped;
            if (event == E::Finish) return S::Completed;  // the last step was already done
            if (event == E::Fail) return S::Failed;
            break;
        default: break;
    }
    return std::nullopt;
}

bool canPause(JobState state) noexcept { return state == JobState::Running; }
bool canResume(JobState state) noexcept { return state == JobState::Paused; }
bool canStop(JobState state) noexcept { return !isFinal(state) && state != JobState::Stopping; }
bool canContinue(JobState state) noexcept {
    return state == JobState::Stopped || state == JobState::Failed || state == JobState::Interrupted;
}
bool isFinal(JobState state) noexcept {
    return state == JobState::Completed || state == JobState::Stopped || state == JobState::Failed ||
           state == JobState::Interrupted;
}

namespace {
constexpr const char* kNames[kJobStateCount] = {"queued",    "preparing", "running", "paused",     "stopping",
                                                "completed", "stopped",   "failed",  "interrupted"};
}

const char* jobStateName(JobState state) noexcept { return kNames[static_cast<int>(state)]; }

std::optional<JobState> jobStateFromName(const std::string& name) noexcept {
    for (int i = 0; i < kJobStateCount; ++i)
        if (name == kNames[i]) return static_cast<JobState>(i);
    return std::nullopt;
}

}  // namespace espalier::feed
