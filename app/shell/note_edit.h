#pragma once

#include <QPlainTextEdit>
#include <QTimer>

#include "app/bridge/app_context.h"

namespace espalier::app {

/// The note of one run. Stored a moment after the last key, and at once when another run comes; follows changes that
/// others make while nobody types here. GUI thread.
class NoteEdit : public QPlainTextEdit {
    Q_OBJECT
public:
    explicit NoteEdit(AppContext& context, QWidget* parent = nullptr);
    void setRun(const QString& id);

protected:
    void focusOutEvent(QFocusEvent* event) override;

private:
    void refresh();
    void commit();

    AppContext& m_context;
    QString m_run;
    QTimer m_timer;
};

}  // namespace espalier::app
