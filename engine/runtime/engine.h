#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/recipe_registry.h"
#include "engine/base/result.h"
#include "engine/feed/dataset.h"
#include "engine/feed/feed_event.h"
#include "engine/feed/inbox.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {

/// What to import and how; empty fields mean "guess".
struct ImportRequest {
    std::vector<std::filesystem::path> paths;
    std::string name;
    std::string format = "auto";
    std::string label;         ///< CSV column
    std::string images, labels;///< members of npz / HDF5
    std::string imageShape;    ///< "8x8", "32x32x3" for tables of pixels; "none" keeps a table
    bool useFolderSplits = true;
    std::array<double, 3> splitFractions{0.8, 0.1, 0.1};
    std::int64_t seed = 0;
    bool isDryRun = false;
};

struct RunRequest {
    std::string recipe;       ///< id, number or name
    std::string dataset;      ///< id, name, or a path that is imported first; empty = the parent run's
    std::string from;         ///< parent run (id or name) or a .safetensors file
    api::Scale scale = api::Scale::Desk;
    std::map<std::string, std::string> params;  ///< text as from the command line
    std::int64_t seed = 0;
    std::string device = "auto";
    int threads = 0;          ///< 0 = all cores
    std::string name;         ///< empty = made from recipe, variant and seed
    std::vector<std::string> tags;
};

/// What the program found on this machine; shown in About, `doctor` and every manifest.
struct MachineReport {
    std::string version, torchVersion, blas, cpuCapability, cpuName;
    int cores = 0, torchThreads = 0;
    std::int64_t memoryBytes = 0;
    bool hasCudaLibraries = false, hasCudaDriver = false, isCudaUsable = false;
    std::string cudaText;                ///< one sentence
    std::vector<std::string> devices;    ///< "cpu", "cuda:0 NVIDIA …"
    std::vector<std::string> missingGpuWheels;
    std::string gpuCommand;              ///< brings them; empty when none is missing
    std::string libtorchFolder;
};

/// Handle of the engine thread. Every call pushes a command and returns at once; results come through `events` and
/// `metrics`. Destroying it asks the running job to stop, waits for that step and joins.
class Engine {
public:
    Engine(std::shared_ptr<Workspace> workspace, const api::RecipeRegistry& registry);
    ~Engine();
    /// Somebody watches: jobs queued from now on pause when the loss becomes NaN or infinite, instead of failing.
    void setAttended(bool isAttended);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Validates, creates run folder and catalog row (state queued) and enqueues. The error is for the caller.
    Result<feed::JobId> submit(const RunRequest& request);
    Result<feed::JobId> submitImport(const ImportRequest& request);
    /// Continues a stopped, failed or interrupted run from its last checkpoint, in the same run folder.
    Result<feed::JobId> resumeRun(const std::string& runId);

    void pause(feed::JobId job);
    void resume(feed::JobId job);
    void stop(feed::JobId job);
    void moveInQueue(feed::JobId job, int place);
    void saveNow(feed::JobId job);  ///< checkpoint at the next step

    /// Size and cost of a request without starting it; thread-safe, a few milliseconds.
    Result<api::Forecast> forecast(const RunRequest& request) const;
    /// Seconds one item takes on this machine with these parameters, measured on earlier runs or by formula.
    double secondsEstimate(const RunRequest& request, const api::Forecast& forecast) const;

    /// Writes one point of a trade-off job as safetensors; payload size equals its logged bytes.
    Result<void> exportPoint(const std::string& runId, int pointId, const std::filesystem::path& file) const;
    Result<void> exportWeights(const std::string& runId, const std::filesystem::path& file) const;

    const api::RecipeRegistry& registry() const;
    Workspace& workspace() const;
    MachineReport machine() const;

    feed::Inbox<feed::FeedEvent>& events();
    feed::Inbox<feed::MetricBatch>& metrics();
    /// Seconds since the engine thread last finished a step or took a command; for the stall banner.
    double secsSinceHeartbeat() const;
    /// True when no job is queued or running.
    bool isIdle() const;

private:
    struct Impl;
    std::unique_ptr<Impl> d;
};

}  // namespace espalier::runtime
