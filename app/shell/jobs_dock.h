#pragma once

#include <QHash>
#include <QPointer>
#include <QWidget>

#include "app/bridge/app_context.h"

class QButtonGroup;
class QLabel;
class QPlainTextEdit;
class QScrollArea;
class QStackedWidget;
class QStandardItemModel;
class QToolButton;
class QVBoxLayout;

namespace espalier::app {

class JobRowWidget;
class LogView;

/// Bottom dock: jobs with progress, pause and stop; log; warnings. GUI thread.
class JobsDock : public QWidget {
    Q_OBJECT
public:
    explicit JobsDock(AppContext& context, QWidget* parent = nullptr);

    enum class Tab { Jobs, Log, Warnings };
    void showTab(Tab tab);
    void setCollapsed(bool isCollapsed);
    bool isCollapsed() const { return m_isCollapsed; }
    /// One line for the running job, for low windows.
    void setCompact(bool isCompact);
    /// Stops the job of the current run, else the running one (Ctrl+.).
    void stopCurrent();
    void pauseCurrent();
    JobRowWidget* rowOf(feed::JobId job) const;
    QToolButton* tabButton(Tab tab) const { return tab == Tab::Jobs ? m_jobsTab : tab == Tab::Log ? m_logTab : m_warningsTab; }
    Tab currentTab() const;
    QPlainTextEdit* logText() const;
    QString countsText() const;
    const QStandardItemModel* warningRows() const { return m_warnings; }
    void focusFirst();  ///< keyboard: the first row of the tab on top
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;

Q_SIGNALS:
    void collapsedChanged(bool isCollapsed);
    void runActivated(const QString& runId);

private:
    QWidget* makeHeader();
    void rebuild();
    void updateRow(int row);
    void updateHeader();
    void addWarningRows();
    void showJobMenu(feed::JobId job, const QPoint& global);
    void moveJob(feed::JobId job, int place);
    void focusNeighbour(feed::JobId job, int step);
    void fitHeight();
    const JobRow* current() const;

    AppContext& m_context;
    QLabel *m_counts, *m_done, *m_queued;
    QToolButton *m_jobsTab, *m_logTab, *m_warningsTab, *m_collapse;
    QWidget* m_header;
    QStackedWidget* m_stack;
    QWidget* m_rows;
    QVBoxLayout* m_rowLayout;
    QScrollArea* m_rowArea;
    QLabel* m_noJobs;
    LogView* m_log;
    QStandardItemModel* m_warnings;
    QHash<feed::JobId, JobRowWidget*> m_rowByJob;
    int m_warningCount = 0;
    bool m_isCollapsed = false;
    bool m_isCompact = false;
};

}  // namespace espalier::app
