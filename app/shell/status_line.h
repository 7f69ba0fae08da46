#pragma once

#include <QTimer>
#include <QWidget>

#include "app/bridge/app_context.h"

namespace espalier::app {

/// Status bar of 22 px: workspace, runs and size, what Ctrl+Z undoes, device, threads, free disk. GUI thread.
class StatusLine : public QWidget {
    Q_OBJECT
public:
    explicit StatusLine(AppContext& context, QWidget* parent = nullptr);
    QString undoText() const { return m_undoText; }
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

private:
    void refresh();
    void readMachine();

    AppContext& m_context;
    QTimer m_timer;
    QString m_workspace, m_runs, m_undoText, m_device, m_threads, m_disk;
    bool m_hasGpu = false;
};

}  // namespace espalier::app
