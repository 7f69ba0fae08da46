#include "engine/runtime/run_job.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/api/torch.h"
#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/catalog/run_folder.h"
#include "engine/interop/safetensors.h"
#include "engine/runlog/run_log_reader.h"
#include "engine/runtime/device.h"
#include "engine/runtime/log_gate.h"
#include "engine/runtime/run_context_impl.h"
#include "engine/runtime/workspace_impl.h"
#include "engine/data/store_image_source.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

constexpr double kStopPollSecs = 0.25;
constexpr double kStoreSecs = 5.0;  // a row costs several syncs
constexpr double kCheckpointStoreSecs = 1.0;

// The catalog keeps what a run was made from for good; a run whose data were imported by itself is the one exception,
// so its row is taken out and put back inside one transaction.
Result<void> setRunDataset(Workspace::Impl& store, const feed::RunInfo& info) {
    return store.catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
        ESPALIER_TRY(auto row, writer.run(info.id));
        if (!row) return fail(ErrorCode::NotFound, "no run has this id", info.id);
        row->datasetId = info.datasetId;
        row->datasetName = info.datasetName;
        row->datasetHash = info.datasetHash;
        row->folder = info.folder;
        const auto file = fs::path(info.folder) / "manifest.json";
        ESPALIER_TRY(const auto text, readFile(file, std::size_t(1) << 24));
        auto manifest = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
        if (!manifest.is_object()) return fail(ErrorCode::Corrupt, "is no manifest", file.string());
        manifest["dataset"]["id"] = info.datasetId;
        manifest["dataset"]["name"] = info.datasetName;
        manifest["dataset"]["hash"] = info.datasetHash;
        ESPALIER_TRY(const auto whole, catalog::manifestWithRun(manifest.dump(2) + "\n", *row));
        ESPALIER_CHECK_OK(writeFileAtomically(file, whole));
        ESPALIER_CHECK_OK(writer.removeRun(info.id));
        return writer.insertRun(*row);
    });
}

/// Writes the hash of the weights that a run starts from into its manifest. A resumed run whose weights are no longer
/// those is refused: its points would speak of two models.
Result<void> setParentHash(Workspace::Impl& store, const feed::RunInfo& info, const api::ParentModel& parent) {
    return store.catalog->write([&](catalog::CatalogWriter&) -> Result<void> {  // nobody else writes the manifest meanwhile
        const auto file = fs::path(info.folder) / "manifest.json";
        ESPALIER_TRY(const auto text, readFile(file, std::size_t(1) << 24));
        auto manifest = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
        if (!manifest.is_object()) return fail(ErrorCode::Corrupt, "is no manifest", file.string());
        auto& entry = manifest["parent"];
        if (!entry.is_object()) entry = nlohmann::ordered_json::object();
        if (const auto known = entry.find("sha256"); known != entry.end() && known->is_string()) {
            if (known->get<std::string>() == parent.sha256) return {};
            return fail(ErrorCode::BadInput, "has changed since this run started from it", parent.weights.string(),
                        "Start a new run from it");
        }
        entry["sha256"] = parent.sha256;
        return writeFileAtomically(file, manifest.dump(2) + "\n");
    });
}

/// One run on its way through the engine thread.
class RunExecution {
public:
    RunExecution(const JobServices& services, Job& job, RunPlan& plan)
        : m_services(services), m_job(job), m_plan(plan), m_info(plan.info), m_store(services.workspace.impl()) {}

    void execute() {
        if (!m_job.apply(feed::JobEventKind::Start)) return store(feed::JobState::Stopped);  // while it waited
        m_since = steadySecs();
        auto result = runGuarded(m_info.name, [this] { return prepareAndRun(); });
        if (m_sinks && !m_job.isStopRequested()) {
            (void)m_sinks->flush();
            if (m_sinks->logTrouble()) gateWithLog(*m_sinks, m_job);  // the end must not come before the log is whole
        }
        if (result && m_sinks)
            if (auto logged = m_sinks->error(); !logged && !m_job.isStopRequested()) result = logged;
        end(result);
    }

private:
    Result<void> prepareAndRun();
    Result<void> importFirst();
    Result<void> openLog();
    Result<void> runRecipe();
    void end(const Result<void>& result);
    void store(feed::JobState state);
    void betweenSteps();
    void storeNowAndThen();

    const JobServices& m_services;
    Job& m_job;
    RunPlan& m_plan;
    feed::RunInfo& m_info;
    Workspace::Impl& m_store;
    std::unique_ptr<RunSinks> m_sinks;
    std::unique_ptr<data::StoreImageSource> m_images;
    at::Device m_device = at::Device(at::kCPU);
    double m_since = 0.0, m_activeBefore = 0.0, m_lastPollSecs = 0.0, m_lastStoreSecs = 0.0;
    double m_lastSecs = 0.0;  ///< of an earlier life of this run
};

Result<void> RunExecution::prepareAndRun() {
    m_activeBefore = m_info.activeSecs;
    m_lastSecs = std::max(m_info.endedSecs, m_info.startedSecs + m_info.activeSecs);
    m_info.startedSecs = m_info.startedSecs > 0.0 ? m_info.startedSecs : runClockSecs();
    m_info.endedSecs = 0.0;
    m_info.stateDetail.clear();
    Workspace::takeStopRequest(m_info.folder);  // one that was meant for an earlier life of this run
    ESPALIER_TRY(m_device, resolveDevice(m_info.device));
    m_info.device = deviceText(m_device);
    store(feed::JobState::Preparing);
    if (!m_plan.importPath.empty()) ESPALIER_CHECK_OK(importFirst());
    if (m_job.isStopRequested()) return {};
    if (m_plan.parent && m_plan.parent->sha256.empty()) {
        ESPALIER_TRY(m_plan.parent->sha256, interop::sha256OfFile(m_plan.parent->weights));
    }
    if (m_plan.parent) ESPALIER_CHECK_OK(setParentHash(m_store, m_info, *m_plan.parent));
    if (m_plan.dataset) {
        ESPALIER_TRY(auto data, m_store.datasetStore(m_plan.dataset->id));
        m_images = std::make_unique<data::StoreImageSource>(std::move(data));
    }
    ESPALIER_CHECK_OK(openLog());
    at::set_num_threads(m_info.threads);
    m_job.apply(feed::JobEventKind::Ready);
    if (m_job.isStopRequested()) return {};
    store(feed::JobState::Running);
    return runRecipe();
}

Result<void> RunExecution::importFirst() {
    ImportRequest request;
    request.paths = {m_plan.importPath};
    request.seed = 0;
    m_job.progress("Import", 0, 0, 0.0, "", -1.0);
    auto summary = importDataset(m_services, m_job, request);
    if (!summary && m_job.isStopRequested()) return {};
    if (!summary) return fail(std::move(summary).error());
    if (summary->kind == "table" && !m_plan.card->accepts.empty() &&
        m_plan.card->accepts.front() == api::DatasetKind::Images && m_plan.card->accepts.size() == 1)
        return fail(ErrorCode::BadInput, m_plan.card->name + " needs images, and this data set holds a table",
                    summary->name, "Import it with a shape such as 8x8 first");
    ESPALIER_TRY(const auto recipe, m_services.registry.create(m_plan.card->id));
    ESPALIER_CHECK_OK(recipe->check(m_plan.params, &*summary));
    m_plan.dataset = std::move(*summary);
    m_info.datasetId = m_plan.dataset->id;
    m_info.datasetName = m_plan.dataset->name;
    m_info.datasetHash = m_plan.dataset->hash;
    return setRunDataset(m_store, m_info);
}

Result<void> RunExecution::openLog() {
    feed::TradeoffTables logged;
    if (m_plan.isResumed)
        if (auto reader = runlog::RunLogReader::open(m_info.folder))
            if (auto tables = (*reader)->tradeoff()) logged = std::move(*tables);
    ESPALIER_TRY(auto writer, runlog::RunLogWriter::open(m_info.folder));
    m_sinks = std::make_unique<RunSinks>(m_info.id, m_job.id(), std::move(writer), m_services.events,
                                         m_services.metrics, m_info.summary);
    m_sinks->knowTradeoff(logged);
    m_sinks->continueAfter(m_lastSecs);
    return {};
}

Result<void> RunExecution::runRecipe() {
    torch::manual_seed(static_cast<std::uint64_t>(m_info.seed));
    ESPALIER_TRY(const auto recipe, m_services.registry.create(m_plan.card->id));
    RunContextImpl context(RunWork{m_job, *m_sinks, m_info, m_plan.params,
                                   m_plan.dataset ? &*m_plan.dataset : nullptr, m_images.get(),
                                   m_plan.parent ? &*m_plan.parent : nullptr, m_device, m_plan.card->version,
                                   [this] { betweenSteps(); }, [this] { storeNowAndThen(); }});
    return recipe->run(context);
}

void RunExecution::betweenSteps() {
    const double now = steadySecs();
    if (now - m_lastPollSecs >= kStopPollSecs) {
        m_lastPollSecs = now;
        if (Workspace::takeStopRequest(m_info.folder)) m_job.requestStop();
    }
    if (now - m_lastStoreSecs >= kStoreSecs) store(m_job.state());
}

void RunExecution::storeNowAndThen() {
    if (steadySecs() - m_lastStoreSecs >= kCheckpointStoreSecs) store(m_job.state());
}

void RunExecution::store(feed::JobState state) {
    m_lastStoreSecs = steadySecs();
    m_info.state = state;
    if (m_since > 0.0) m_info.activeSecs = m_activeBefore + (steadySecs() - m_since) - m_job.pausedSecs();
    if (m_sinks) m_info.summary = m_sinks->summary();
    if (auto stored = m_store.updateRun(m_info); !stored) {
        ESPALIER_LOG(Warning, "runtime") << "The catalog row could not be written: " << stored.error().sentence();
    }
}

void RunExecution::end(const Result<void>& result) {
    const bool isStopped = m_job.isStopRequested();
    Error error = result ? Error{} : result.error();
    if (!result && isStopped) {
        ESPALIER_LOG(Warning, "runtime") << "While stopping: " << error.sentence();
    }
    auto event = isStopped ? feed::JobEventKind::StepEnded
                 : result  ? feed::JobEventKind::Finish
                           : feed::JobEventKind::Fail;
    if (m_sinks) {
        auto closed = m_sinks->close(event == feed::JobEventKind::Finish);
        if (closed && event == feed::JobEventKind::Finish && m_sinks->hasTradeoff())
            closed = m_services.workspace.exportTradeoffCsv(m_info.id, fs::path(m_info.folder) / "artifacts");
        if (!closed && event == feed::JobEventKind::Finish) {
            event = feed::JobEventKind::Fail;
            error = closed.error();
        }
        if (const auto kept = m_sinks->compactionError())
            m_info.stateDetail = "Every point is stored, but the log could not be compacted: " + kept->sentence() +
                                 " 'espalier-cli workspace rebuild' does it later.";
    }
    if (event == feed::JobEventKind::Fail) m_info.stateDetail = error.sentence();
    m_info.endedSecs = m_sinks ? m_sinks->nowSecs() : std::max(runClockSecs(), m_info.startedSecs);
    store(event == feed::JobEventKind::Finish   ? feed::JobState::Completed
          : event == feed::JobEventKind::Fail   ? feed::JobState::Failed
                                                : feed::JobState::Stopped);
    // Last, so that a listener who reads after it finds everything in place. A stop that came in this very moment
    // turns Running into Stopping first; Finish ends both.
    if (!m_job.apply(event, error) && event == feed::JobEventKind::StepEnded)
        m_job.apply(feed::JobEventKind::Finish);
}

}  // namespace

void executeRun(const JobServices& services, Job& job, RunPlan& plan) {
    RunExecution(services, job, plan).execute();
}

}  // namespace espalier::runtime
