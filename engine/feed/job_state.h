#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace espalier::feed {

using JobId = std::uint64_t;

/// Life of a job. Stopped is what the user asked for, Failed is not; Interrupted means the process that ran it died.
enum class JobState { Queued, Preparing, Running, Paused, Stopping, Completed, Stopped, Failed, Interrupted };
inline constexpr int kJobStateCount = 9;

/// What can happen to a job.
enum class JobEventKind { Start, Ready, Pause, Resume, Stop, StepEnded, Finish, Fail, ProcessDied };
inline constexpr int kJobEventCount = 9;

/// The one transition table; nullopt where the event means nothing in that state.
std::optional<JobState> next(JobState state, JobEventKind event) noexcept;

bool canPause(JobState state) noexcept;
bool canResume(JobState state) noexcept;  ///< Paused in this process
bool canStop(JobState state) noexcept;
bool canContinue(JobState state) noexcept;  ///< ended early; a new job can pick up its last checkpoint
bool isFinal(JobState state) noexcept;

/// Lower-case word as stored and printed: "queued", …, "interrupted".
const char* jobStateName(JobState state) noexcept;
std::optional<JobState> jobStateFromName(const std::string& name) noexcept;

}  // namespace espalier::feed
