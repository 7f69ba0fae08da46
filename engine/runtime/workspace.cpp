#include "engine/runtime/workspace.h"

#include <algorithm>
#include <cstdlib>

#include "engine/base/files.h"
#include "engine/catalog/run_filter.h"
#include "engine/catalog/run_folder.h"
#include "engine/runtime/name_lookup.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;

Workspace::Workspace(std::unique_ptr<Impl> impl) : d(std::move(impl)) {}
Workspace::~Workspace() = default;

Result<std::shared_ptr<Workspace>> Workspace::open(const fs::path& folder) { return open(folder, Options()); }

Result<std::shared_ptr<Workspace>> Workspace::open(const fs::path& folder, const Options& options) {
    ESPALIER_TRY(auto impl, Impl::open(folder, options));
    return std::shared_ptr<Workspace>(new Workspace(std::move(impl)));
}

fs::path Workspace::defaultFolder(std::string_view flag) {
    if (!flag.empty()) return fs::path(flag);
    const char* variable = std::getenv("ESPALIER_WORKSPACE");
    return variable && *variable ? fs::path(variable) : userDataFolder() / "workspace";
}

const fs::path& Workspace::folder() const { return d->folder; }
bool Workspace::isReadOnly() const { return d->catalog->isReadOnly(); }
const std::vector<std::string>& Workspace::notices() const { return d->notices; }

std::int64_t Workspace::changeCounter() const { return d->catalog->changeCounter(); }

Result<int> Workspace::noticeDeadRuns() { return d->markInterrupted(); }

// --- runs ---

static void setFolders(const Workspace::Impl& impl, std::vector<feed::RunInfo>& runs) {
    for (auto& run : runs) run.folder = impl.placeOf(run).string();
}

Result<std::vector<feed::RunInfo>> Workspace::runs(bool withTrashed) const {
    catalog::RunQuery query;
    if (!withTrashed) query.where = "r.is_trashed = 0";
    ESPALIER_TRY(auto found, d->catalog->runs(query));
    setFolders(*d, found);
    return found;
}

Result<feed::RunInfo> Workspace::run(const std::string& id) const { return d->run(id); }

Result<feed::RunInfo> Workspace::findRun(std::string_view text) const {
    ESPALIER_TRY(auto found, d->catalog->runsNamed(text, kMaxCandidates + 1));
    std::vector<NameCandidate> candidates;
    for (const auto& run : found)
        candidates.push_back({run.id, run.name, run.isTrashed, std::string(feed::jobStateName(run.state))});
    ESPALIER_TRY(const auto choice, chooseByName("run", text, candidates, [&]() -> Result<std::vector<std::string>> {
        ESPALIER_TRY(const auto handles, d->catalog->runHandles());
        std::vector<std::string> names;
        for (const auto& handle : handles)
            if (!handle.isTrashed) names.push_back(handle.name);
        return names;
    }));
    auto run = std::move(found[choice]);
    run.folder = d->placeOf(run).string();
    return run;
}

static Result<catalog::RunQuery> compiledQuery(const catalog::Catalog& catalog, std::string_view filter, std::string_view sort) {
    ESPALIER_TRY(auto compiled, catalog::compileFilter(filter, sort));
    compiled.query.where = "r.is_trashed = 0 AND (" + compiled.query.where + ")";
    if (compiled.paramKeys.empty()) return compiled.query;
    ESPALIER_TRY(const auto keys, catalog.paramKeys());
    if (keys.empty()) return compiled.query;  // nothing to compare a spelling with
    for (const auto& used : compiled.paramKeys) {
        if (std::find(keys.begin(), keys.end(), used.key) != keys.end()) continue;
        return fail(ErrorCode::BadInput, "no run has a parameter or column \"" + used.key + "\"",
                    "filter, character " + std::to_string(used.position), nearestNamesText(used.key, keys));
    }
    return compiled.query;
}

Result<std::vector<feed::RunInfo>> Workspace::queryRuns(std::string_view filter, std::string_view sort) const {
    ESPALIER_TRY(const auto query, compiledQuery(*d->catalog, filter, sort));
    ESPALIER_TRY(auto found, d->catalog->runs(query));
    setFolders(*d, found);
    return found;
}

Result<std::vector<std::string>> Workspace::queryRunIds(std::string_view filter, std::string_view sort) const {
    ESPALIER_TRY(const auto query, compiledQuery(*d->catalog, filter, sort));
    return d->catalog->runIds(query);
}

Result<Workspace::RunPage> Workspace::runPage(std::string_view filter, std::string_view sort, std::int64_t first,
                                              std::int64_t count) const {
    ESPALIER_TRY(auto query, compiledQuery(*d->catalog, filter, sort));
    query.first = first;
    query.count = count;
    query.withParams = false;
    RunPage page;
    ESPALIER_TRY(page.runs, d->catalog->runs(query, &page.total));
    setFolders(*d, page.runs);
    return page;
}

Result<feed::RunDiff> Workspace::diffRuns(const std::vector<std::string>& ids) const { return d->catalog->diff(ids); }

Result<std::string> Workspace::manifestText(const std::string& id) const {
    ESPALIER_TRY(const auto info, run(id));
    const auto file = fs::path(info.folder) / "manifest.json";
    ESPALIER_TRY(auto text, readFile(file, std::size_t(64) << 20));
    ESPALIER_CHECK_OK(catalog::checkManifestVersion(text, file));
    return text;
}

// --- logs ---

Result<std::vector<feed::SeriesInfo>> Workspace::series(const std::string& runId) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    return reader->series();
}

Result<feed::SeriesColumns> Workspace::readSeries(const std::string& runId, const std::string& name) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    return reader->read(name);
}

Result<feed::SeriesColumns> Workspace::previewSeries(const std::string& runId, const feed::SeriesInfo& series,
                                                     int columns) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    const auto [low, high] = std::minmax(series.firstStep, series.lastStep);
    ESPALIER_TRY(const auto spans, reader->overview(series.name, low, high, columns));
    feed::SeriesColumns preview;
    const auto add = [&preview](std::int64_t step, double value) {
        preview.steps.push_back(step);
        preview.wallSecs.push_back(feed::kNullReal);
        preview.values.push_back(value);
    };
    for (const auto& span : spans) {
        add(span.firstStep, span.min);
        if (span.count > 1) add(span.lastStep, span.max);
    }
    return preview;
}

Result<std::vector<feed::RunMark>> Workspace::marks(const std::string& runId) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    return reader->marks();
}

Result<Warnings> Workspace::warnings(const std::string& runId) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    return reader->warnings();
}

Result<std::vector<feed::ArrayInfo>> Workspace::arrays(const std::string& runId) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    return reader->arrays();
}

Result<feed::ArrayRecord> Workspace::readArray(const std::string& runId, std::uint64_t index, std::int64_t first,
                                               std::int64_t count) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    return reader->readArray(index, first, count);
}

Result<feed::TradeoffTables> Workspace::tradeoff(const std::string& runId) const {
    ESPALIER_TRY(const auto reader, d->reader(runId));
    return reader->tradeoff();
}

}  // namespace espalier::runtime
