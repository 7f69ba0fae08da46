#include <algorithm>

#include "engine/base/log.h"
#include "engine/intake/dataset_builder.h"
#include "engine/runtime/run_job.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;

Result<feed::DatasetSummary> importDataset(const JobServices& services, Job& job, const ImportRequest& request) {
    auto& store = services.workspace.impl();
    ESPALIER_TRY(const auto folder, store.createDatasetFolder());
    intake::BuildRequest build;
    build.paths = request.paths;
    build.options = {request.format, request.label, request.images, request.labels, request.imageShape};
    build.id = folder.filename().string();
    build.name = request.name;
    build.useFolderSplits = request.useFolderSplits;
    build.splitFractions = request.splitFractions;
    build.seed = request.seed;
    build.isDryRun = request.isDryRun;
    const auto progress = [&](const intake::BuildProgress& news) {
        const double left = news.rate > 0.0 && news.total > news.done
                                ? static_cast<double>(news.total - news.done) / news.rate
                                : -1.0;
        job.progress(news.stage, news.done, news.total, news.rate, "files/s", left);
    };
    ESPALIER_TRY(auto summary, intake::buildDataset(build, folder, progress, job.stopToken()));
    for (const auto& warning : summary.warnings)
        services.events.push(feed::RunWarned{job.runId(), job.id(), warning});
    if (request.isDryRun) return summary;
    ESPALIER_TRY(const auto known, services.workspace.datasets());
    const auto same = std::find_if(known.begin(), known.end(), [&](const feed::DatasetSummary& other) {
        return other.hash == summary.hash && (request.name.empty() || other.name == request.name);
    });
    if (same != known.end()) {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
        ESPALIER_LOG(Info, "runtime") << "The same data is there already as " << same->name;
        ESPALIER_TRY(auto stored, services.workspace.dataset(same->id));
        // What went wrong on the way this time is news, whatever the first import met.
        stored.warnings = std::move(summary.warnings);
        stored.warnings.push_back({summary.source, 0, "already_imported", "holds the same samples as the data set " + stored.name + ", which is used", Outcome::Kept});
        return stored;
    }
    auto added = store.addDataset(summary);
    if (!added) {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
    return added;
}

void executeImport(const JobServices& services, Job& job, const ImportRequest& request) {
    if (!job.apply(feed::JobEventKind::Start)) return;
    job.apply(feed::JobEventKind::Ready);
    feed::DatasetSummary summary;
    const auto result = runGuarded(job.title(), [&]() -> Result<void> {
        ESPALIER_TRY(summary, importDataset(services, job, request));
        return {};
    });
    if (result) {
        const auto id = request.isDryRun ? std::string() : summary.id;
        services.events.push(
            feed::DatasetReady{job.id(), id, std::make_shared<const feed::DatasetSummary>(std::move(summary))});
        job.apply(feed::JobEventKind::Finish);
    } else if (job.isStopRequested()) {
        job.apply(feed::JobEventKind::StepEnded);
    } else {
        job.apply(feed::JobEventKind::Fail, result.error());
    }
}

}  // namespace espalier::runtime
