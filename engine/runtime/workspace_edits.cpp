#include <algorithm>
#include <iomanip>
#include <sstream>

#include "engine/catalog/run_folder.h"
#include "engine/intake/dataset_store.h"
#include "engine/base/files.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
using catalog::CatalogWriter;
using catalog::FieldChange;

namespace {

constexpr std::size_t kMaxNameBytes = 200;
constexpr std::size_t kMaxNoteBytes = std::size_t(1) << 20;

Result<void> checkName(const std::string& name, const char* what) {
    const bool isBlank = std::all_of(name.begin(), name.end(), [](unsigned char c) { return c == ' ' || c == '\t'; });
    if (isBlank) return fail(ErrorCode::BadInput, std::string("a ") + what + " cannot be empty", {}, "Type a word");
    if (name.size() > kMaxNameBytes)
        return fail(ErrorCode::BadInput, std::string("a ") + what + " has at most 200 bytes", name.substr(0, 40) + "…", "Shorten it");
    for (const unsigned char c : name)
        if (c < 32 || c == 127)
            return fail(ErrorCode::BadInput, std::string("a ") + what + " cannot hold line breaks or control characters",
                        {}, "Type it on one line");
    return {};
}

std::vector<FieldChange> reversed(std::vector<FieldChange> changes) {
    std::reverse(changes.begin(), changes.end());
    return changes;
}

std::string runCount(std::size_t count) { return std::to_string(count) + (count == 1 ? " run" : " runs"); }

/// A split by seed as an edit keeps it: "0.8 0.1 0.1 7".
std::string splitText(const std::array<double, 3>& fractions, std::int64_t seed) {
    std::ostringstream text;
    text << std::setprecision(17) << fractions[0] << ' ' << fractions[1] << ' ' << fractions[2] << ' ' << seed;
    return text.str();
}

Result<feed::DatasetSummary> resplitTo(const fs::path& place, const std::string& split) {
    std::array<double, 3> fractions{};
    std::int64_t seed = 0;
    std::istringstream text(split);
    if (!(text >> fractions[0] >> fractions[1] >> fractions[2] >> seed))
        return fail(ErrorCode::Corrupt, "an entry of the undo journal names no split", split);
    return intake::resplitDataset(place, fractions, seed);
}

/// Puts the folder where `isTrashed` wants it; already there is fine.
Result<void> placeFolder(const fs::path& kept, const fs::path& trashed, bool isTrashed) {
    const auto& from = isTrashed ? kept : trashed;
    const auto& to = isTrashed ? trashed : kept;
    if (!isThere(from) && isThere(to)) return {};
    return moveFolder(from, to);
}

}  // namespace

Result<void> Workspace::Impl::applyRun(CatalogWriter& writer, const FieldChange& change, const std::string& value) {
    ESPALIER_TRY(auto info, writer.run(change.id));
    if (!info) return {};
    if (change.field == "is_trashed") {
        const bool isTrashed = value == "1";
        if (isTrashed && !feed::isFinal(info->state) && isRunLive(info->id))
            return fail(ErrorCode::BadInput, "is still running", info->name, "Stop the run first");
        forgetReader(info->id);
        ESPALIER_CHECK_OK(writer.setRunTrashed(info->id, isTrashed));
        return placeFolder(runFolder(info->id), trashFolder("run", info->id), isTrashed);
    }
    if (change.field == "name") {
        info->name = value;
        ESPALIER_CHECK_OK(writer.setRunName(info->id, value));
    } else if (change.field == "note") {
        info->note = value;
        ESPALIER_CHECK_OK(writer.setRunNote(info->id, value));
    } else if (change.field == "tags") {
        info->tags = catalog::tagsFromJson(value);
        ESPALIER_CHECK_OK(writer.setRunTags(info->id, info->tags));
    }
    return catalog::writeRunUser(placeOf(*info), *info);
}

Result<void> Workspace::Impl::applyDataset(CatalogWriter& writer, const FieldChange& change, const std::string& value) {
    ESPALIER_TRY(auto row, writer.dataset(change.id));
    if (!row) return {};
    forgetStore(row->id);
    if (change.field == "is_trashed") {
        const bool isTrashed = value == "1";
        ESPALIER_CHECK_OK(writer.setDatasetTrashed(row->id, isTrashed));
        return placeFolder(datasetFolder(row->id), trashFolder("dataset", row->id), isTrashed);
    }
    const auto place = row->isTrashed ? trashFolder("dataset", row->id) : datasetFolder(row->id);
    if (change.field == "split") {
        ESPALIER_TRY(const auto summary, resplitTo(place, value));
        auto changed = datasetRow(summary);
        changed.isTrashed = row->isTrashed;
        return writer.putDataset(changed);
    }
    ESPALIER_TRY(auto summary, intake::summaryFromJson(row->summary, row->id));
    summary.name = value;
    auto changed = datasetRow(summary);
    changed.isTrashed = row->isTrashed;
    ESPALIER_CHECK_OK(writer.putDataset(changed));
    return writeFileAtomically(place / "dataset.json", changed.summary);
}

Result<void> Workspace::Impl::apply(CatalogWriter& writer, const std::vector<FieldChange>& changes, bool isUndo) {
    for (const auto& change : changes) {
        const auto& value = isUndo ? change.before : change.after;
        auto applied = change.kind == "run" ? applyRun(writer, change, value) : applyDataset(writer, change, value);
        if (applied) continue;
        // The rows roll back by themselves; the files of the changes before this one are put back here.
        for (auto* undone = &change; undone != changes.data();) {
            --undone;
            const auto& old = isUndo ? undone->after : undone->before;
            (void)(undone->kind == "run" ? applyRun(writer, *undone, old) : applyDataset(writer, *undone, old));
        }
        return applied;
    }
    return {};
}

static feed::CatalogChanged changedBy(const std::vector<FieldChange>& changes) {
    feed::CatalogChanged changed;
    for (const auto& change : changes) (change.kind == "run" ? changed.runIds : changed.datasetIds).push_back(change.id);
    return changed;
}

Result<void> Workspace::Impl::storeJournal(CatalogWriter& writer) {
    ESPALIER_TRY(const auto edits, writer.edits());
    return writeFileAtomically(folder / kJournalFile, catalog::editsToJson(edits));
}

Result<void> Workspace::Impl::edit(const std::function<Result<Planned>(CatalogWriter&)>& plan) {
    Planned planned;
    ESPALIER_CHECK_OK(catalog->write([&](CatalogWriter& writer) -> Result<void> {
        ESPALIER_TRY(planned, plan(writer));
        if (planned.changes.empty()) return {};
        ESPALIER_CHECK_OK(apply(writer, planned.changes, false));
        auto recorded = writer.recordEdit({0, planned.text, planned.changes});
        if (recorded) recorded = storeJournal(writer);
        if (!recorded) (void)apply(writer, reversed(planned.changes), true);  // rows roll back, files are put back
        return recorded;
    }));
    if (!planned.changes.empty()) notify(changedBy(planned.changes));
    return {};
}

Result<std::string> Workspace::Impl::undoOrRedo(bool isUndo) {
    std::optional<catalog::Edit> next;
    ESPALIER_CHECK_OK(catalog->write([&](CatalogWriter& writer) -> Result<void> {
        // Asked under the write lock: two windows never take the same edit back.
        ESPALIER_TRY(next, isUndo ? writer.nextUndo() : writer.nextRedo());
        if (!next)
            return fail(ErrorCode::NotFound, isUndo ? "there is nothing to undo" : "there is nothing to redo", folder.string());
        ESPALIER_CHECK_OK(apply(writer, isUndo ? reversed(next->changes) : next->changes, isUndo));
        ESPALIER_CHECK_OK(writer.markUndone(next->seq, isUndo));
        return storeJournal(writer);
    }));
    notify(changedBy(next->changes));
    return next->text;
}

Result<std::string> Workspace::undo() { return d->undoOrRedo(true); }
Result<std::string> Workspace::redo() { return d->undoOrRedo(false); }

std::string Workspace::undoText() const {
    const auto next = d->catalog->nextUndo();
    return next && *next ? (*next)->text : std::string();
}

std::string Workspace::redoText() const {
    const auto next = d->catalog->nextRedo();
    return next && *next ? (*next)->text : std::string();
}

Result<void> Workspace::renameRun(const std::string& id, const std::string& name) {
    ESPALIER_CHECK_OK(checkName(name, "name"));
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto info, d->run(writer, id));
        if (info.name == name) return Impl::Planned();
        return Impl::Planned{"rename \"" + info.name + "\" to \"" + name + '"', {{"run", id, "name", info.name, name}}};
    });
}

static std::string tagSetText(const std::vector<std::string>& before, const std::vector<std::string>& after) {
    std::vector<std::string> added, removed;
    const auto isIn = [](const auto& tags, const auto& tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); };
    for (const auto& tag : after)
        if (!isIn(before, tag)) added.push_back(tag);
    for (const auto& tag : before)
        if (!isIn(after, tag)) removed.push_back(tag);
    if (added.size() == 1 && removed.empty()) return "tag 1 run \"" + added[0] + '"';
    if (removed.size() == 1 && added.empty()) return "remove tag \"" + removed[0] + "\" from 1 run";
    return "change the tags of 1 run";
}

Result<void> Workspace::setRunTags(const std::string& id, const std::vector<std::string>& tags) {
    std::vector<std::string> unique;
    for (const auto& tag : tags) {
        ESPALIER_CHECK_OK(checkName(tag, "tag"));
        if (std::find(unique.begin(), unique.end(), tag) == unique.end()) unique.push_back(tag);
    }
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto info, d->run(writer, id));
        if (info.tags == unique) return Impl::Planned();
        return Impl::Planned{tagSetText(info.tags, unique),
                             {{"run", id, "tags", catalog::tagsToJson(info.tags), catalog::tagsToJson(unique)}}};
    });
}

/// A change for each run whose tags `change` alters; it says whether it did.
static Result<std::vector<FieldChange>> tagChanges(const Workspace::Impl& impl, CatalogWriter& writer, const std::vector<std::string>& ids,
                                                   const std::function<bool(std::vector<std::string>&)>& change) {
    std::vector<FieldChange> changes;
    for (const auto& id : ids) {
        ESPALIER_TRY(const auto info, impl.run(writer, id));
        auto tags = info.tags;
        if (change(tags)) changes.push_back({"run", id, "tags", catalog::tagsToJson(info.tags), catalog::tagsToJson(tags)});
    }
    return changes;
}

Result<void> Workspace::addTag(const std::vector<std::string>& ids, const std::string& tag) {
    ESPALIER_CHECK_OK(checkName(tag, "tag"));
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(auto changes, tagChanges(*d, writer, ids, [&](auto& tags) {
                         if (std::find(tags.begin(), tags.end(), tag) != tags.end()) return false;
                         tags.push_back(tag);
                         return true;
                     }));
        return Impl::Planned{"tag " + runCount(changes.size()) + " \"" + tag + '"', std::move(changes)};
    });
}

Result<void> Workspace::removeTag(const std::vector<std::string>& ids, const std::string& tag) {
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(auto changes, tagChanges(*d, writer, ids, [&](auto& tags) { return std::erase(tags, tag) > 0; }));
        return Impl::Planned{"remove tag \"" + tag + "\" from " + runCount(changes.size()), std::move(changes)};
    });
}

Result<void> Workspace::changeTags(const std::string& id, const std::vector<std::string>& added,
                                   const std::vector<std::string>& removed) {
    for (const auto& tag : added) ESPALIER_CHECK_OK(checkName(tag, "tag"));
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto info, d->run(writer, id));
        auto tags = info.tags;
        for (const auto& tag : removed) std::erase(tags, tag);
        for (const auto& tag : added)
            if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
        if (tags == info.tags) return Impl::Planned();
        return Impl::Planned{tagSetText(info.tags, tags), {{"run", id, "tags", catalog::tagsToJson(info.tags), catalog::tagsToJson(tags)}}};
    });
}

Result<void> Workspace::setRunNote(const std::string& id, const std::string& note) {
    if (note.size() > kMaxNoteBytes) return fail(ErrorCode::BadInput, "a note has at most 1 MiB", id, "Shorten it");
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto info, d->run(writer, id));
        if (info.note == note) return Impl::Planned();
        return Impl::Planned{"change the note of \"" + info.name + '"', {{"run", id, "note", info.note, note}}};
    });
}

Result<void> Workspace::trashRun(const std::string& id) { return trashRuns({id}); }

Result<void> Workspace::trashRuns(const std::vector<std::string>& ids) {
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        Impl::Planned planned;
        std::string name;
        for (const auto& id : ids) {
            ESPALIER_TRY(const auto info, d->run(writer, id));
            if (info.isTrashed) continue;
            name = info.name;
            planned.changes.push_back({"run", id, "is_trashed", "0", "1"});
        }
        planned.text = "delete " + (planned.changes.size() == 1 ? '"' + name + '"' : runCount(planned.changes.size()));
        return planned;
    });
}

Result<void> Workspace::restoreRun(const std::string& id) {
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto info, d->run(writer, id));
        if (!info.isTrashed) return Impl::Planned();
        return Impl::Planned{"restore \"" + info.name + '"', {{"run", id, "is_trashed", "1", "0"}}};
    });
}

/// The row of a data set inside a write transaction; NotFound when it is gone.
static Result<catalog::DatasetRow> datasetOf(CatalogWriter& writer, const std::string& id) {
    ESPALIER_TRY(auto row, writer.dataset(id));
    if (!row) return fail(ErrorCode::NotFound, "no data set has this id", id, "List the data sets to see their ids");
    return std::move(*row);
}

Result<void> Workspace::renameDataset(const std::string& id, const std::string& name) {
    ESPALIER_CHECK_OK(checkName(name, "name"));
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto row, datasetOf(writer, id));
        if (row.name == name) return Impl::Planned();
        return Impl::Planned{"rename data set \"" + row.name + "\" to \"" + name + '"', {{"dataset", id, "name", row.name, name}}};
    });
}

Result<void> Workspace::trashDataset(const std::string& id) {
    ESPALIER_TRY(const auto summary, dataset(id));
    catalog::RunQuery query;
    query.where = "r.dataset_id = ? AND r.state IN ('queued', 'preparing', 'running', 'paused', 'stopping')";
    query.values.emplace_back(id);
    ESPALIER_TRY(const auto users, d->catalog->runs(query));
    for (const auto& user : users)
        if (d->isRunLive(user.id))
            return fail(ErrorCode::BadInput, "is used by the run \"" + user.name + "\", which has not ended", summary.name,
                        "Stop that run first");
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto row, datasetOf(writer, id));
        if (row.isTrashed) return Impl::Planned();
        return Impl::Planned{"delete data set \"" + row.name + '"', {{"dataset", id, "is_trashed", "0", "1"}}};
    });
}

Result<void> Workspace::restoreDataset(const std::string& id) {
    return d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto row, datasetOf(writer, id));
        if (!row.isTrashed) return Impl::Planned();
        return Impl::Planned{"restore data set \"" + row.name + '"', {{"dataset", id, "is_trashed", "1", "0"}}};
    });
}

Result<feed::DatasetSummary> Workspace::resplit(const std::string& datasetId, const std::array<double, 3>& fractions,
                                                std::int64_t seed) {
    ESPALIER_CHECK_OK(d->edit([&](CatalogWriter& writer) -> Result<Impl::Planned> {
        ESPALIER_TRY(const auto row, datasetOf(writer, datasetId));
        if (row.isTrashed) return fail(ErrorCode::BadInput, "lies in the trash", row.name, "Restore it first");
        ESPALIER_TRY(const auto summary, intake::summaryFromJson(row.summary, row.id));
        const auto before = splitText(summary.splitFractions, summary.splitSeed), after = splitText(fractions, seed);
        if (summary.splitKind == "seed" && before == after) return Impl::Planned();
        if (summary.splitKind == "seed")
            return Impl::Planned{"split data set \"" + row.name + "\" anew", {{"dataset", datasetId, "split", before, after}}};
        // A split by folders cannot be dealt again from a seed, so this is the one change that has no way back.
        ESPALIER_TRY(const auto changed, resplitTo(d->datasetFolder(datasetId), after));
        ESPALIER_CHECK_OK(writer.putDataset(datasetRow(changed)));
        return Impl::Planned();
    }));
    d->forgetStore(datasetId);
    d->notify({{}, {datasetId}});
    return dataset(datasetId);
}

}  // namespace espalier::runtime
