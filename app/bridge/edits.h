#pragma once

#include <QObject>
#include <QStringList>
#include <QThreadPool>
#include <QUndoStack>

#include <functional>

#include "app/bridge/engine_bridge.h"

namespace espalier::app {

/// Every edit of the workspace, each one step of the undo history with a text ("rename F-s1 to best"). The window
/// shows the new value at once; the write follows on a thread of its own, in order. GUI thread.
class Edits : public QObject {
    Q_OBJECT
public:
    Edits(EngineBridge& bridge, QUndoStack& undo, QObject* parent = nullptr);
    ~Edits() override;  ///< waits for the writes under way

    void renameRun(const QString& id, const QString& name);
    void setTags(const QStringList& ids, const QString& addTag, const QString& removeTag);
    void setNote(const QString& id, const QString& note);
    void trashRuns(const QStringList& ids);  ///< a running one is left out, failed() says so
    void renameDataset(const QString& id, const QString& name);
    void trashDataset(const QString& id);
    void restore(const runtime::Workspace::TrashEntry& entry);
    void emptyTrash();

    bool isIdle() const { return m_pending == 0; }

Q_SIGNALS:
    void failed(const espalier::Error& error);
    void trashEmptied(qint64 bytes);
    /// Every write asked for so far is done; what the trash holds may be another now.
    void written();

private:
    friend class EditCommand;
    using Write = std::function<Result<void>(runtime::Workspace&)>;
    void write(Write write);
    void push(const QString& text, std::function<void()> redo, std::function<void()> undo);
    void applyRun(const QString& id, const std::function<void(feed::RunInfo&)>& change, Write write);

    EngineBridge& m_bridge;
    QUndoStack& m_undo;
    QThreadPool m_pool;
    int m_pending = 0;
};

}  // namespace espalier::app
