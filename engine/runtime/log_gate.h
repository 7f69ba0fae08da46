#pragma once

#include "engine/runtime/job.h"
#include "engine/runtime/run_sinks.h"

namespace espalier::runtime {

/// job.gate(), and while the run's log cannot be written (full disk) the job is paused with a sentence that says so;
/// what was logged stays in memory. Resume writes it; without anybody to press it, the job goes on by itself as soon as
/// it is written. False when the work is to end.
bool gateWithLog(RunSinks& sinks, Job& job);

}  // namespace espalier::runtime
