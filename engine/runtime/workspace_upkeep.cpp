#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include <unistd.h>

#include "engine/base/files.h"
#include "engine/catalog/run_folder.h"
#include "engine/intake/dataset_store.h"
#include "engine/runlog/compaction.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;

namespace {

/// A folder that should hold a run or a data set, in its own place or in the trash.
struct Place {
    fs::path folder;
    std::string id;
    bool isTrashed = false;
};

std::vector<Place> placesIn(const fs::path& parent, const std::string& prefix, bool isTrashed) {
    std::vector<Place> places;
    std::error_code trouble;
    for (fs::directory_iterator it(parent, trouble), end; it != end && !trouble; it.increment(trouble)) {
        const auto name = it->path().filename().string();
        if (name.starts_with('.') || !name.starts_with(prefix) || !it->is_directory(trouble) || it->is_symlink(trouble)) continue;
        places.push_back({it->path(), name.substr(prefix.size()), isTrashed});
    }
    std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return places;
}

std::vector<Place> placesOf(const Workspace::Impl& impl, const char* kind) {
    auto places = placesIn(impl.folder / (std::string(kind) + "s"), "", false);
    const auto trashed = placesIn(impl.folder / "trash", std::string(kind) + "-", true);
    places.insert(places.end(), trashed.begin(), trashed.end());
    return places;
}

std::string shownName(const Place& place) { return (place.folder.parent_path().filename() / place.folder.filename()).string(); }

Result<feed::DatasetSummary> readDatasetFolder(const Place& place) {
    const auto file = place.folder / "dataset.json";
    ESPALIER_TRY(const auto text, readFile(file, std::size_t(256) << 20));
    ESPALIER_TRY(auto summary, intake::summaryFromJson(text, file.string()));
    summary.id = place.id;
    return summary;
}

Result<feed::RunInfo> readPlacedRun(const Place& place, Warnings& warnings) {
    ESPALIER_TRY(auto info, catalog::readRunFolder(place.folder, warnings));
    if (info.id != place.id)
        return fail(ErrorCode::Corrupt, "belongs to the run " + info.id, (place.folder / "manifest.json").string(),
                    "A copied folder needs the id of its manifest as its name");
    info.isTrashed = place.isTrashed;
    if (feed::isFinal(info.state) && info.bytesOnDisk == 0) info.bytesOnDisk = catalog::folderBytes(place.folder);
    return info;
}

Warning lost(const Place& place, const char* kind, const Error& error) {
    return {shownName(place), 0, kind, error.sentence(), Outcome::Skipped};
}

}  // namespace

/// A process that died between moving a folder and its commit leaves flag and place apart; the place counts.
Result<void> Workspace::Impl::mendTrash() {
    return catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
        const auto fix = [&](const Place& place, bool isRun, bool isTrashed) -> Result<void> {
            return isRun ? writer.setRunTrashed(place.id, isTrashed) : writer.setDatasetTrashed(place.id, isTrashed);
        };
        for (const bool isRun : {true, false}) {
            const std::string kind = isRun ? "run" : "dataset";
            for (const auto& place : placesIn(folder / "trash", kind + "-", true)) {
                if (isRun) {
                    ESPALIER_TRY(const auto row, writer.run(place.id));
                    if (row && !row->isTrashed && !isThere(runFolder(place.id))) ESPALIER_CHECK_OK(fix(place, true, true));
                } else {
                    ESPALIER_TRY(const auto row, writer.dataset(place.id));
                    if (row && !row->isTrashed && !isThere(datasetFolder(place.id))) ESPALIER_CHECK_OK(fix(place, false, true));
                }
            }
        }
        catalog::RunQuery trashed;
        trashed.where = "r.is_trashed = 1";
        ESPALIER_TRY(const auto runs, catalog->runs(trashed));
        for (const auto& row : runs)
            if (!isThere(trashFolder("run", row.id)) && isThere(runFolder(row.id)))
                ESPALIER_CHECK_OK(writer.setRunTrashed(row.id, false));
        ESPALIER_TRY(const auto sets, catalog->datasets(true));
        for (const auto& row : sets)
            if (row.isTrashed && !isThere(trashFolder("dataset", row.id)) && isThere(datasetFolder(row.id)))
                ESPALIER_CHECK_OK(writer.setDatasetTrashed(row.id, false));
        return {};
    });
}

/// Rows of the runs in `places`. A folder that cannot be read now (rights, a disk that went away) keeps the row it had.
static Result<void> rebuildRuns(catalog::CatalogWriter& writer, const std::vector<Place>& places,
                                const std::map<std::string, feed::RunInfo>& before, Warnings& warnings) {
    for (const auto& place : places) {
        const auto info = readPlacedRun(place, warnings);
        if (!info) warnings.push_back(lost(place, "unreadable_manifest", info.error()));
        const auto known = before.find(place.id);
        if (!info && (info.error().code != ErrorCode::Io || known == before.end())) continue;
        auto row = info ? *info : known->second;
        row.isTrashed = place.isTrashed;
        ESPALIER_TRY(const auto twin, writer.run(row.id));
        if (twin) continue;  // kept and trashed at once: the kept one was first
        ESPALIER_CHECK_OK(writer.insertRun(row));
        ESPALIER_CHECK_OK(writer.replaceCheckpoints(row.id, catalog::listCheckpoints(place.folder)));
        ESPALIER_CHECK_OK(writer.replaceTradeoff(row.id, catalog::readRunTradeoff(place.folder, warnings)));
    }
    return {};
}

/// The undo journal is kept; a new catalog takes it from its file.
static Result<void> refillJournal(catalog::CatalogWriter& writer, const fs::path& file) {
    ESPALIER_TRY(const auto edits, writer.edits());
    if (!edits.empty() || !isThere(file)) return {};
    const auto text = readFile(file, std::size_t(512) << 20);
    return text ? writer.replaceEdits(catalog::editsFromJson(*text)) : Result<void>();
}

/// Runs whose folders cannot be read now, as the catalog knows them.
static Result<std::map<std::string, feed::RunInfo>> unreadableRuns(catalog::CatalogWriter& writer, const std::vector<Place>& places) {
    std::map<std::string, feed::RunInfo> rows;
    for (const auto& place : places) {
        if (::access((place.folder / "manifest.json").c_str(), R_OK) == 0 || errno == ENOENT) continue;
        ESPALIER_TRY(auto row, writer.run(place.id));
        if (row) rows.emplace(place.id, std::move(*row));
    }
    return rows;
}

Result<Warnings> Workspace::Impl::rebuild() {
    Warnings warnings;
    ESPALIER_CHECK_OK(catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
        const auto runs = placesOf(*this, "run");
        ESPALIER_TRY(const auto before, unreadableRuns(writer, runs));
        ESPALIER_CHECK_OK(writer.clearRows());
        ESPALIER_CHECK_OK(rebuildRuns(writer, runs, before, warnings));
        for (const auto& place : placesOf(*this, "dataset")) {
            const auto summary = readDatasetFolder(place);
            if (!summary) {
                warnings.push_back(lost(place, "unreadable_dataset", summary.error()));
                continue;
            }
            ESPALIER_TRY(const auto twin, writer.dataset(summary->id));
            if (twin) continue;
            auto row = datasetRow(*summary);
            row.isTrashed = place.isTrashed;
            ESPALIER_CHECK_OK(writer.putDataset(row));
        }
        return refillJournal(writer, folder / kJournalFile);
    }));
    notify({});
    return warnings;
}

/// Finishes what a killed process left half done in the logs of runs that have ended, and migrates older ones.
Result<void> Workspace::Impl::finishLogs(Warnings& warnings) {
    catalog::RunQuery query;
    query.where = "r.is_trashed = 0";
    query.withParams = false;
    ESPALIER_TRY(const auto runs, catalog->runs(query));
    for (const auto& info : runs) {
        if (!feed::isFinal(info.state) || isRunLive(info.id)) continue;
        const auto finished = runlog::compactRunLog(runFolder(info.id));
        if (finished || finished.error().code == ErrorCode::NotFound) continue;  // a run that never began has no log
        warnings.push_back({"runs/" + info.id, 0, "unfinished_log", finished.error().sentence(), Outcome::Kept});
    }
    return {};
}

Result<Warnings> Workspace::rebuild() {
    ESPALIER_TRY(auto warnings, d->rebuild());
    ESPALIER_CHECK_OK(d->markInterrupted());
    ESPALIER_CHECK_OK(d->finishLogs(warnings));
    return warnings;
}

Result<Warnings> Workspace::check() const {
    Warnings warnings;
    ESPALIER_TRY(const auto damage, d->catalog->findDamage());
    if (!damage.empty())
        warnings.push_back({"catalog.sqlite", 0, "damaged_catalog",
                            "The catalog is damaged (" + damage + "); it is made again when the workspace is opened next.",
                            Outcome::Kept});
    ESPALIER_TRY(const bool isSearchSound, d->catalog->isSearchSound());
    if (!isSearchSound)
        warnings.push_back({"catalog.sqlite", 0, "damaged_search",
                            "The search index disagrees with the runs; 'workspace rebuild' makes it again.", Outcome::Kept});
    ESPALIER_TRY(const auto handles, d->catalog->runHandles());
    std::set<std::string> known, present;
    for (const auto& handle : handles) known.insert(handle.id);
    for (const auto& place : placesOf(*d, "run")) {
        present.insert(place.id);
        Warnings ofRun;
        const auto info = readPlacedRun(place, ofRun);
        warnings.insert(warnings.end(), ofRun.begin(), ofRun.end());
        if (!info) warnings.push_back(lost(place, "unreadable_manifest", info.error()));
        if (!known.contains(place.id))
            warnings.push_back({shownName(place), 0, "folder_without_row",
                                "The folder is not in the catalog; 'workspace rebuild' adds it.", Outcome::Ignored});
    }
    for (const auto& handle : handles)
        if (!present.contains(handle.id))
            warnings.push_back({"runs/" + handle.id, 0, "row_without_folder",
                                "The folder of the run \"" + handle.name + "\" is missing; 'workspace rebuild' drops the row.",
                                Outcome::Kept});
    ESPALIER_TRY(const auto rows, d->catalog->datasets(true));
    known.clear();
    present.clear();
    for (const auto& row : rows) known.insert(row.id);
    for (const auto& place : placesOf(*d, "dataset")) {
        present.insert(place.id);
        const auto summary = readDatasetFolder(place);
        if (!summary) warnings.push_back(lost(place, "unreadable_dataset", summary.error()));
        if (!known.contains(place.id))
            warnings.push_back({shownName(place), 0, "folder_without_row",
                                "The folder is not in the catalog (an import may be under way); 'workspace rebuild' adds it.",
                                Outcome::Ignored});
    }
    for (const auto& row : rows)
        if (!present.contains(row.id))
            warnings.push_back({"datasets/" + row.id, 0, "row_without_folder",
                                "The folder of the data set \"" + row.name + "\" is missing; 'workspace rebuild' drops the row.",
                                Outcome::Kept});
    return warnings;
}

Result<std::vector<Workspace::TrashEntry>> Workspace::trash() const {
    std::vector<TrashEntry> entries;
    catalog::RunQuery query;
    query.where = "r.is_trashed = 1";
    ESPALIER_TRY(const auto runs, d->catalog->runs(query));
    for (const auto& row : runs)
        entries.push_back({"run", row.id, row.name, catalog::folderBytes(d->trashFolder("run", row.id))});
    ESPALIER_TRY(const auto sets, d->catalog->datasets(true));
    for (const auto& row : sets)
        if (row.isTrashed)
            entries.push_back({"dataset", row.id, row.name, catalog::folderBytes(d->trashFolder("dataset", row.id))});
    return entries;
}

Result<std::int64_t> Workspace::emptyTrash() {
    std::int64_t freed = 0;
    ESPALIER_TRY(const auto entries, trash());
    feed::CatalogChanged changed;
    for (const auto& entry : entries) {
        // The row goes first: a crash here leaves a folder that check() names, never a row without its run.
        ESPALIER_CHECK_OK(d->catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
            ESPALIER_CHECK_OK(entry.kind == "run" ? writer.removeRun(entry.id) : writer.removeDataset(entry.id));
            ESPALIER_CHECK_OK(writer.forgetEditsOf(entry.kind, entry.id));
            return d->storeJournal(writer);
        }));
        const auto place = d->trashFolder(entry.kind, entry.id);
        std::error_code trouble;
        fs::remove_all(place, trouble);
        if (trouble) return fail(ioError("could not be deleted", place, trouble.value()));
        freed += entry.bytes;
        (entry.kind == "run" ? changed.runIds : changed.datasetIds).push_back(entry.id);
    }
    if (!entries.empty()) d->notify(std::move(changed));
    return freed;
}

}  // namespace espalier::runtime
