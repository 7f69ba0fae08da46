#include "app/shell/note_edit.h"

#include "app/bridge/edits.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using widgets::format::text;

namespace {
constexpr int kHeight = 72, kCommitMs = 800;
}

NoteEdit::NoteEdit(AppContext& context, QWidget* parent) : QPlainTextEdit(parent), m_context(context) {
    setPlaceholderText(tr("What to remember about this run"));
    setAccessibleName(tr("Note"));
    setMinimumHeight(kHeight);
    setTabChangesFocus(true);
    setAcceptDrops(false);  // files dropped here are data, as everywhere in the window
    m_timer.setSingleShot(true);
    m_timer.setInterval(kCommitMs);
    connect(&m_timer, &QTimer::timeout, this, &NoteEdit::commit);
    connect(this, &QPlainTextEdit::textChanged, this, [this] {
        if (hasFocus()) m_timer.start();
    });
    connect(context.bridge, &EngineBridge::catalogChanged, this, &NoteEdit::refresh);
    connect(&context.bridge->runs(), &QAbstractItemModel::dataChanged, this,
            [this](const QModelIndex&, const QModelIndex&, const QList<int>& roles) {
                if (roles.isEmpty()) refresh();
            });
}

void NoteEdit::setRun(const QString& id) {
    if (m_timer.isActive()) commit();
    if (id == m_run) return;
    m_run = id;
    // Also where the cursor stands in it: what is typed next belongs to the new run.
    const feed::RunInfo* run = m_context.bridge->run(id);
    setPlainText(run ? text(run->note) : QString());
    m_timer.stop();
    refresh();
}

void NoteEdit::refresh() {
    const feed::RunInfo* run = m_context.bridge->run(m_run);
    setEnabled(run != nullptr);
    if (run && !m_timer.isActive() && !hasFocus() && toPlainText() != text(run->note)) setPlainText(text(run->note));
}

void NoteEdit::commit() {
    m_timer.stop();
    m_context.edits->setNote(m_run, toPlainText());
}

void NoteEdit::focusOutEvent(QFocusEvent* event) {
    QPlainTextEdit::focusOutEvent(event);
    if (m_timer.isActive()) commit();
}

}  // namespace espalier::app
