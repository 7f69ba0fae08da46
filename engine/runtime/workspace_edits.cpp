#include <algorithm>

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

std::string runCount(std::size_t count) { return std::to_string(count) + (count == 1 ? " run" : " runs"); }

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

Result<void> Workspace::Impl::edit(const std::string& text, const std::vector<FieldChange>& changes) {
    if (changes.empty()) return {};
    ESPALIER_CHECK_OK(catalog->write([&](CatalogWriter& writer) -> Result<void> {
        ESPALIER_CHECK_OK(apply(writer, changes, false));
        return writer.recordEdit({0, text, changes});
    }));
    notify(changedBy(changes));
    return {};
}

Result<std::string> Workspace::Impl::undoOrRedo(bool isUndo) {
    ESPALIER_TRY(const auto next, isUndo ? catalog->nextUndo() : catalog->nextRedo());
    if (!next)
        return fail(ErrorCode::NotFound, isUndo ? "there is nothing to undo" : "there is nothing to redo", folder.string());
    auto changes = next->changes;
    if (isUndo) std::reverse(changes.begin(), changes.end());
    ESPALIER_CHECK_OK(catalog->write([&](CatalogWriter& writer) -> Result<void> {
        ESPALIER_CHECK_OK(apply(writer, changes, isUndo));
        return writer.markUndone(next->seq, isUndo);
    }));
    notify(changedBy(changes));
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
    ESPALIER_TRY(const auto info, run(id));
    if (info.name == name) return {};
    return d->edit("rename \"" + info.name + "\" to \"" + name + '"', {{"run", id, "name", info.name, name}});
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
    ESPALIER_TRY(const auto info, run(id));
    if (info.tags == unique) return {};
    return d->edit(tagSetText(info.tags, unique),
                   {{"run", id, "tags", catalog::tagsToJson(info.tags), catalog::tagsToJson(unique)}});
}

Result<void> Workspace::addTag(const std::vector<std::string>& ids, const std::string& tag) {
    ESPALIER_CHECK_OK(checkName(tag, "tag"));
    std::vector<FieldChange> changes;
    for (const auto& id : ids) {
        ESPALIER_TRY(const auto info, run(id));
        if (std::find(info.tags.begin(), info.tags.end(), tag) != info.tags.end()) continue;
        auto tags = info.tags;
        tags.push_back(tag);
        changes.push_back({"run", id, "tags", catalog::tagsToJson(info.tags), catalog::tagsToJson(tags)});
    }
    return d->edit("tag " + runCount(changes.size()) + " \"" + tag + '"', changes);
}

Result<void> Workspace::removeTag(const std::vector<std::string>& ids, const std::string& tag) {
    std::vector<FieldChange> changes;
    for (const auto& id : ids) {
        ESPALIER_TRY(const auto info, run(id));
        auto tags = info.tags;
        if (std::erase(tags, tag) == 0) continue;
        changes.push_back({"run", id, "tags", catalog::tagsToJson(info.tags), catalog::tagsToJson(tags)});
    }
    return d->edit("remove tag \"" + tag + "\" from " + runCount(changes.size()), changes);
}

Result<void> Workspace::setRunNote(const std::string& id, const std::string& note) {
    if (note.size() > kMaxNoteBytes) return fail(ErrorCode::BadInput, "a note has at most 1 MiB", id, "Shorten it");
    ESPALIER_TRY(const auto info, run(id));
    if (info.note == note) return {};
    return d->edit("change the note of \"" + info.name + '"', {{"run", id, "note", info.note, note}});
}

Result<void> Workspace::trashRun(const std::string& id) { return trashRuns({id}); }

Result<void> Workspace::trashRuns(const std::vector<std::string>& ids) {
    std::vector<FieldChange> changes;
    std::string name;
    for (const auto& id : ids) {
        ESPALIER_TRY(const auto info, run(id));
        if (info.isTrashed) continue;
        name = info.name;
        changes.push_back({"run", id, "is_trashed", "0", "1"});
    }
    return d->edit("delete " + (changes.size() == 1 ? '"' + name + '"' : runCount(changes.size())), changes);
}

Result<void> Workspace::restoreRun(const std::string& id) {
    ESPALIER_TRY(const auto info, run(id));
    if (!info.isTrashed) return {};
    return d->edit("restore \"" + info.name + '"', {{"run", id, "is_trashed", "1", "0"}});
}

Result<void> Workspace::renameDataset(const std::string& id, const std::string& name) {
    ESPALIER_CHECK_OK(checkName(name, "name"));
    ESPALIER_TRY(const auto summary, dataset(id));
    if (summary.name == name) return {};
    return d->edit("rename data set \"" + summary.name + "\" to \"" + name + '"',
                   {{"dataset", id, "name", summary.name, name}});
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
    return d->edit("delete data set \"" + summary.name + '"', {{"dataset", id, "is_trashed", "0", "1"}});
}

Result<void> Workspace::restoreDataset(const std::string& id) {
    ESPALIER_TRY(const auto row, d->catalog->dataset(id));
    if (!row) return fail(ErrorCode::NotFound, "no data set has this id", id, "List the data sets to see their ids");
    if (!row->isTrashed) return {};
    return d->edit("restore data set \"" + row->name + '"', {{"dataset", id, "is_trashed", "1", "0"}});
}

}  // namespace espalier::runtime
