#pragma once

#include <memory>

#include "engine/feed/feed_event.h"
#include "engine/feed/inbox.h"
#include "engine/feed/metric_point.h"
#include "engine/runtime/job.h"
#include "engine/runtime/run_plan.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {

/// What jobs need of the engine; outlives them.
struct JobServices {
    Workspace& workspace;
    const api::RecipeRegistry& registry;
    feed::Inbox<feed::FeedEvent>& events;
    feed::Inbox<feed::MetricBatch>& metrics;
};

/// Runs one planned run from preparation to its final state, on the calling (engine) thread. Nothing that happens
/// inside leaves it: errors and exceptions end in the run's state, its sentence and an event.
void executeRun(const JobServices& services, Job& job, RunPlan& plan);

/// Imports what a request names, on the calling thread, into a new data set of the workspace. An import whose content
/// is there already gives the known data set. Progress and warnings go through the job.
Result<feed::DatasetSummary> importDataset(const JobServices& services, Job& job, const ImportRequest& request);
/// The same as a whole job with its states and DatasetReady.
void executeImport(const JobServices& services, Job& job, const ImportRequest& request);

/// Calls `body` and turns what libraries throw into an Error: out of memory, LibTorch's own, anything else.
Result<void> runGuarded(const std::string& where, const std::function<Result<void>()>& body);

}  // namespace espalier::runtime
