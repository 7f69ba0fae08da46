#include "engine/runtime/engine.h"

#include "engine/intake/importer.h"

#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

#include "engine/api/torch.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/runtime/device.h"
#include "engine/runtime/estimate.h"
#include "engine/runtime/export.h"
#include "engine/runtime/job_queue.h"
#include "engine/runtime/machine_report.h"
#include "engine/runtime/manifest.h"
#include "engine/runtime/run_job.h"
#include "engine/runtime/thread_setup.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace {

// Until the engine thread has measured: what one slow core does.
constexpr double kAssumedFlops = 2e10;

}  // namespace

/// Two workers: the engine thread, which alone computes with torch, and the import thread beside it.
struct Engine::Impl {
    Impl(std::shared_ptr<Workspace> space, const api::RecipeRegistry& recipes)
        : workspace(std::move(space)), registry(recipes), services{*workspace, registry, events, metrics} {
        listener = workspace->impl().addListener([this](const feed::CatalogChanged& change) { events.push(change); });
        engineThread = std::thread([this] { runJobs(); });
        importThread = std::thread([this] { runImports(); });
    }
    ~Impl();

    Result<feed::JobId> enqueue(RunPlan plan);
    void runJobs();
    void runImports();
    std::shared_ptr<Job> find(feed::JobId id) const;
    std::shared_ptr<Job> addJob(const std::string& runId, const std::string& title, const std::string& kind);
    void forget(feed::JobId id);
    void storeStopped(const std::string& runId);
    void announcePlaces(const JobQueue& queue);

    std::shared_ptr<Workspace> workspace;
    const api::RecipeRegistry& registry;
    feed::Inbox<feed::FeedEvent> events;
    feed::Inbox<feed::MetricBatch> metrics;
    JobServices services;

    std::atomic<bool> isAttended = false;
    JobQueue runQueue, importQueue;
    mutable std::mutex mutex;  // guards the four below
    std::unordered_map<feed::JobId, std::shared_ptr<Job>> jobs;
    std::unordered_map<feed::JobId, RunPlan> plans;
    std::unordered_map<feed::JobId, ImportRequest> imports;
    feed::JobId nextId = 1;
    std::atomic<double> matmulFlops = kAssumedFlops;

    int listener = 0;
    std::thread engineThread, importThread;
};

Engine::Impl::~Impl() {
    runQueue.close();
    importQueue.close();
    std::vector<std::shared_ptr<Job>> open;
    {
        std::lock_guard lock(mutex);
        for (const auto& [id, job] : jobs) open.push_back(job);
    }
    for (const auto& job : open) job->requestStop();
    engineThread.join();
    importThread.join();
    workspace->impl().removeListener(listener);
    // Those that never started keep their folders and can be resumed.
    for (const auto& job : runQueue.items()) storeStopped(job->runId());
}

void Engine::Impl::storeStopped(const std::string& runId) {
    auto row = workspace->run(runId);
    if (!row) return;
    row->state = feed::JobState::Stopped;
    if (auto stored = workspace->impl().updateRun(*row); !stored) {
        ESPALIER_LOG(Warning, "runtime") << "The catalog row could not be written: " << stored.error().sentence();
    }
}

std::shared_ptr<Job> Engine::Impl::addJob(const std::string& runId, const std::string& title, const std::string& kind) {
    std::lock_guard lock(mutex);
    auto job = std::make_shared<Job>(nextId++, runId, title, kind, events);
    job->setAttended(isAttended);
    jobs[job->id()] = job;
    return job;
}

std::shared_ptr<Job> Engine::Impl::find(feed::JobId id) const {
    std::lock_guard lock(mutex);
    const auto found = jobs.find(id);
    return found == jobs.end() ? nullptr : found->second;
}

void Engine::Impl::forget(feed::JobId id) {
    std::lock_guard lock(mutex);
    jobs.erase(id);
    plans.erase(id);
    imports.erase(id);
}

void Engine::Impl::announcePlaces(const JobQueue& queue) {
    int place = 0;
    for (const auto& job : queue.items()) events.push(feed::JobMoved{job->id(), place++});
}

Result<feed::JobId> Engine::Impl::enqueue(RunPlan plan) {
    const auto kind = plan.card->kinds.empty() || plan.card->kinds.front() != "quantize"
                          ? (plan.card->needsParentRun ? std::string("quantize") : std::string("train"))
                          : std::string("quantize");
    auto job = addJob(plan.info.id, plan.info.name, kind);
    const auto runId = plan.info.id;
    {
        std::lock_guard lock(mutex);
        plans.emplace(job->id(), std::move(plan));
    }
    events.push(feed::JobAdded{job->id(), runId, {}, job->title(), kind, static_cast<int>(runQueue.items().size())});
    runQueue.push(job);
    return job->id();
}

void Engine::Impl::runJobs() {
    lowerThreadPriority();
    keepFreedMemory();
    at::set_num_threads(availableCores());
    if (auto measured = runGuarded("speed measurement",
                                   [this]() -> Result<void> {
                                       matmulFlops = measureMatmulFlops();
                                       return {};
                                   });
        !measured) {
        ESPALIER_LOG(Warning, "runtime") << measured.error().sentence();
    }
    while (auto job = runQueue.pop()) {
        announcePlaces(runQueue);
        std::optional<RunPlan> plan;
        {
            std::lock_guard lock(mutex);
            const auto found = plans.find(job->id());
            if (found != plans.end()) {
                plan = std::move(found->second);
                plans.erase(found);
            }
        }
        if (plan) executeRun(services, *job, *plan);
        forget(job->id());
    }
}

void Engine::Impl::runImports() {
    lowerThreadPriority();
    while (auto job = importQueue.pop()) {
        ImportRequest request;
        {
            std::lock_guard lock(mutex);
            request = imports[job->id()];
        }
        executeImport(services, *job, request);
        forget(job->id());
    }
}

Engine::Engine(std::shared_ptr<Workspace> workspace, const api::RecipeRegistry& registry)
    : d(std::make_unique<Impl>(std::move(workspace), registry)) {}
Engine::~Engine() = default;

void Engine::setAttended(bool isAttended) { d->isAttended = isAttended; }

Result<feed::JobId> Engine::submit(const RunRequest& request) {
    RunPlan plan;
    ESPALIER_CHECK_OK(runGuarded(request.recipe, [&]() -> Result<void> {
        ESPALIER_TRY(plan, planRun(*d->workspace, d->registry, request));
        return {};
    }));
    const ManifestFacts facts{plan.card->version, plan.from,
                              plan.dataset ? plan.dataset->source : plan.importPath.string()};
    auto& store = d->workspace->impl();
    ESPALIER_CHECK_OK(store.createRun(plan.info, manifestJson(plan.info, facts, machine())));
    plan.info.state = feed::JobState::Queued;
    return d->enqueue(std::move(plan));
}

Result<feed::JobId> Engine::resumeRun(const std::string& runId) {
    {
        std::lock_guard lock(d->mutex);
        for (const auto& [id, job] : d->jobs)
            if (job->runId() == runId && !feed::isFinal(job->state()))
                return fail(ErrorCode::BadInput, "this run is queued or running already", job->title());
    }
    ESPALIER_TRY(auto plan, planResume(*d->workspace, d->registry, runId));
    plan.info.state = feed::JobState::Queued;
    ESPALIER_CHECK_OK(d->workspace->impl().lockRun(runId));
    if (auto stored = d->workspace->impl().updateRun(plan.info); !stored) {
        d->workspace->impl().unlockRun(runId);
        return fail(std::move(stored).error());
    }
    return d->enqueue(std::move(plan));
}

Result<feed::JobId> Engine::submitImport(const ImportRequest& request) {
    if (request.paths.empty()) return fail(ErrorCode::BadInput, "nothing was named to import", "import");
    for (const auto& path : request.paths) {
        // Knows generators too, which have no file; the same check opens the import itself.
        std::error_code code;
        if (std::filesystem::exists(path, code)) continue;
        intake::ImportOptions options;
        options.format = request.format;
        if (auto importer = intake::findImporter(path, options); !importer) return fail(std::move(importer).error());
    }
    const auto& first = request.paths.front();
    const auto name = !request.name.empty()              ? request.name
                      : first.filename().empty() ? first.parent_path().filename().string()
                                                 : first.filename().string();
    auto job = d->addJob({}, "Import " + name, "import");
    {
        std::lock_guard lock(d->mutex);
        d->imports[job->id()] = request;
    }
    d->events.push(feed::JobAdded{job->id(), {}, {}, job->title(), "import",
                                  static_cast<int>(d->importQueue.items().size())});
    d->importQueue.push(job);
    return job->id();
}

void Engine::pause(feed::JobId id) {
    if (auto job = d->find(id)) job->requestPause();
}
void Engine::resume(feed::JobId id) {
    if (auto job = d->find(id)) job->requestResume();
}
void Engine::saveNow(feed::JobId id) {
    if (auto job = d->find(id)) job->requestSave();
}

void Engine::stop(feed::JobId id) {
    auto job = d->find(id);
    if (!job) return;
    job->requestStop();
    // One that waited is done with; one that runs ends by itself after its step.
    if (d->runQueue.remove(id)) {
        d->storeStopped(job->runId());
        d->forget(id);
        d->announcePlaces(d->runQueue);
    } else if (d->importQueue.remove(id)) {
        d->forget(id);
        d->announcePlaces(d->importQueue);
    }
}

void Engine::moveInQueue(feed::JobId id, int place) {
    if (d->runQueue.move(id, place)) d->announcePlaces(d->runQueue);
    else if (d->importQueue.move(id, place)) d->announcePlaces(d->importQueue);
}

Result<api::Forecast> Engine::forecast(const RunRequest& request) const {
    const auto* card = d->registry.find(request.recipe);
    ESPALIER_TRY(const auto recipe, d->registry.create(request.recipe));
    ESPALIER_TRY(const auto params, requestParams(*card, request));
    std::optional<feed::DatasetSummary> dataset;
    if (!request.dataset.empty())
        if (auto found = d->workspace->findDataset(request.dataset)) dataset = std::move(*found);
    Result<api::Forecast> forecast;
    ESPALIER_CHECK_OK(runGuarded(card->name, [&]() -> Result<void> {
        ESPALIER_CHECK_OK(recipe->check(params, dataset ? &*dataset : nullptr));
        forecast = recipe->forecast(params, dataset ? &*dataset : nullptr);
        return {};
    }));
    return forecast;
}

double Engine::secondsEstimate(const RunRequest& request, const api::Forecast& forecast) const {
    const auto* card = d->registry.find(request.recipe);
    if (card)
        if (const auto runs = d->workspace->runs())
            if (const auto measured = measuredSecsPerItem(*runs, card->id, request.device, forecast)) return *measured;
    return formulaSecsPerItem(forecast, d->matmulFlops);
}

Result<void> Engine::exportPoint(const std::string& runId, int pointId, const std::filesystem::path& file) const {
    return exportTradeoffPoint(*d->workspace, runId, pointId, file);
}
Result<void> Engine::exportWeights(const std::string& runId, const std::filesystem::path& file) const {
    return exportRunWeights(*d->workspace, runId, file);
}

const api::RecipeRegistry& Engine::registry() const { return d->registry; }
Workspace& Engine::workspace() const { return *d->workspace; }

MachineReport Engine::machine() const {
    static const MachineReport report = machineReport();
    return report;
}

feed::Inbox<feed::FeedEvent>& Engine::events() { return d->events; }
feed::Inbox<feed::MetricBatch>& Engine::metrics() { return d->metrics; }

double Engine::secsSinceHeartbeat() const {
    std::lock_guard lock(d->mutex);
    for (const auto& [id, job] : d->jobs) {
        const auto state = job->state();
        const bool isAtWork = state == feed::JobState::Running || state == feed::JobState::Stopping;
        if (!job->isImport() && isAtWork) return std::max(0.0, steadySecs() - job->heartbeatSecs());
    }
    return 0.0;
}

bool Engine::isIdle() const {
    std::lock_guard lock(d->mutex);
    return d->jobs.empty();
}

}  // namespace espalier::runtime
