#include "app/bridge/edits.h"

#include <QFuture>
#include <QUndoCommand>
#include <QtConcurrentRun>

#include <algorithm>

#include "widgets/theme/format.h"

namespace espalier::app {

using widgets::format::text;

/// One step of the history, made of two functions.
class EditCommand : public QUndoCommand {
public:
    EditCommand(const QString& text, std::function<void()> redo, std::function<void()> undo)
        : QUndoCommand(text), m_redo(std::move(redo)), m_undo(std::move(undo)) {}
    void redo() override { m_redo(); }
    void undo() override { m_undo(); }

private:
    std::function<void()> m_redo, m_undo;
};

Edits::Edits(EngineBridge& bridge, QUndoStack& undo, QObject* parent) : QObject(parent), m_bridge(bridge), m_undo(undo) {
    m_pool.setMaxThreadCount(1);  // keeps the order of the edits
}

Edits::~Edits() { m_pool.waitForDone(); }

void Edits::write(Write write) {
    ++m_pending;
    QtConcurrent::run(&m_pool, [workspace = m_bridge.workspace(), write = std::move(write)] { return write(*workspace); })
        .then(this, [this](const Result<void>& result) {
            --m_pending;
            if (!result) Q_EMIT failed(result.error());
            if (m_pending > 0) return;
            m_bridge.refreshCatalog();
            Q_EMIT written();
        });
}

void Edits::push(const QString& text, std::function<void()> redo, std::function<void()> undo) {
    m_undo.push(new EditCommand(text, std::move(redo), std::move(undo)));
}

void Edits::applyRun(const QString& id, const std::function<void(feed::RunInfo&)>& change, Write write) {
    if (const feed::RunInfo* info = m_bridge.run(id)) {
        feed::RunInfo changed = *info;
        change(changed);
        m_bridge.runs().update(changed);
    }
    this->write(std::move(write));
}

void Edits::renameRun(const QString& id, const QString& name) {
    const feed::RunInfo* info = m_bridge.run(id);
    if (!info || text(info->name) == name) return;
    const auto set = [this, id](const std::string& to) {
        applyRun(id, [&](feed::RunInfo& run) { run.name = to; },
                 [id = id.toStdString(), to](runtime::Workspace& w) { return w.renameRun(id, to); });
    };
    push(tr("rename %1 to %2").arg(text(info->name), name), [set, to = name.toStdString()] { set(to); },
         [set, from = info->name] { set(from); });
}

void Edits::setTags(const QStringList& ids, const QString& addTag, const QString& removeTag) {
    struct Change {
        QString id;
        std::vector<std::string> before, after;
    };
    std::vector<Change> changes;
    for (const QString& id : ids) {
        const feed::RunInfo* info = m_bridge.run(id);
        if (!info) continue;
        Change change{id, info->tags, info->tags};
        std::erase(change.after, removeTag.toStdString());
        if (!addTag.isEmpty() && std::find(change.after.begin(), change.after.end(), addTag.toStdString()) == change.after.end())
            change.after.push_back(addTag.toStdString());
        if (change.after != change.before) changes.push_back(std::move(change));
    }
    if (changes.empty()) return;
    const auto set = [this](const QString& id, const std::vector<std::string>& tags) {
        applyRun(id, [&](feed::RunInfo& run) { run.tags = tags; },
                 [id = id.toStdString(), tags](runtime::Workspace& w) { return w.setRunTags(id, tags); });
    };
    const int n = static_cast<int>(changes.size());
    const QString what = addTag.isEmpty() ? tr("untag %n run(s) “%1”", nullptr, n).arg(removeTag)
                                          : tr("tag %n run(s) “%1”", nullptr, n).arg(addTag);
    push(what, [set, changes] { for (const Change& c : changes) set(c.id, c.after); },
         [set, changes] { for (const Change& c : changes) set(c.id, c.before); });
}

void Edits::setNote(const QString& id, const QString& note) {
    const feed::RunInfo* info = m_bridge.run(id);
    if (!info || text(info->note) == note) return;
    const auto set = [this, id](const std::string& to) {
        applyRun(id, [&](feed::RunInfo& run) { run.note = to; },
                 [id = id.toStdString(), to](runtime::Workspace& w) { return w.setRunNote(id, to); });
    };
    push(tr("edit the note of %1").arg(text(info->name)), [set, to = note.toStdString()] { set(to); },
         [set, from = info->note] { set(from); });
}

void Edits::trashRuns(const QStringList& ids) {
    QStringList names;
    for (const QString& id : ids)
        if (const feed::RunInfo* info = m_bridge.run(id)) names << text(info->name);
    if (names.isEmpty()) return;
    const auto each = [this, ids](Result<void> (runtime::Workspace::*act)(const std::string&)) {
        for (const QString& id : ids)
            write([id = id.toStdString(), act](runtime::Workspace& w) { return (w.*act)(id); });
    };
    const QString what = names.size() == 1 ? tr("move %1 to the trash").arg(names.front())
                                           : tr("move %n run(s) to the trash", nullptr, static_cast<int>(names.size()));
    push(what, [each] { each(&runtime::Workspace::trashRun); }, [each] { each(&runtime::Workspace::restoreRun); });
}

void Edits::renameDataset(const QString& id, const QString& name) {
    const feed::DatasetSummary* info = m_bridge.dataset(id);
    if (!info || text(info->name) == name) return;
    const auto set = [this, id](const std::string& to) {
        write([id = id.toStdString(), to](runtime::Workspace& w) { return w.renameDataset(id, to); });
    };
    push(tr("rename %1 to %2").arg(text(info->name), name), [set, to = name.toStdString()] { set(to); },
         [set, from = info->name] { set(from); });
}

void Edits::trashDataset(const QString& id) {
    const feed::DatasetSummary* info = m_bridge.dataset(id);
    if (!info) return;
    const auto act = [this, id = id.toStdString()](Result<void> (runtime::Workspace::*change)(const std::string&)) {
        write([id, change](runtime::Workspace& w) { return (w.*change)(id); });
    };
    push(tr("move %1 to the trash").arg(text(info->name)), [act] { act(&runtime::Workspace::trashDataset); },
         [act] { act(&runtime::Workspace::restoreDataset); });
}

void Edits::restore(const runtime::Workspace::TrashEntry& entry) {
    const bool isDataset = entry.kind == "dataset";
    const auto act = [this, id = entry.id](Result<void> (runtime::Workspace::*change)(const std::string&)) {
        write([id, change](runtime::Workspace& w) { return (w.*change)(id); });
    };
    push(tr("restore %1 from the trash").arg(text(entry.name)),
         [act, isDataset] { act(isDataset ? &runtime::Workspace::restoreDataset : &runtime::Workspace::restoreRun); },
         [act, isDataset] { act(isDataset ? &runtime::Workspace::trashDataset : &runtime::Workspace::trashRun); });
}

void Edits::emptyTrash() {
    ++m_pending;
    QtConcurrent::run(&m_pool, [workspace = m_bridge.workspace()] { return workspace->emptyTrash(); })
        .then(this, [this](const Result<std::int64_t>& freed) {
            --m_pending;
            if (freed)
                Q_EMIT trashEmptied(*freed);
            else
                Q_EMIT failed(freed.error());
            m_bridge.refreshCatalog();
            if (m_pending == 0) Q_EMIT written();
        });
}

}  // namespace espalier::app
