#pragma once

#include <QMainWindow>
#include <QPointer>

#include <vector>

#include "app/bridge/app_context.h"
#include "app/intake/drop_controller.h"
#include "app/shell/jobs_dock.h"

class QDockWidget;
class QStackedWidget;
class QToolBar;
class QVBoxLayout;

namespace espalier::app {

class CommandField;
class EmptyPage;
class ErrorPresenter;
class Inspector;
class LoopWatchdog;
class Navigator;
class Page;
class PageTabs;
class StallWatch;
class StatusLine;
class WindowActions;

/// Composes menu bar, navigator, pages, inspector, jobs and status line, and carries out what pages ask for. It owns
/// no data and knows no page by name.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    explicit MainWindow(AppContext& context, QWidget* parent = nullptr);
    ~MainWindow() override;

    const std::vector<Page*>& pages() const { return m_pages; }
    Page* currentPage() const;
    void openPage(const QString& key);
    void openNewRun(const QString& recipe, const QString& dataset, const QString& parentRun);
    void importPaths(const QStringList& paths);
    void openPaths(const QStringList& paths);  ///< as dropped: data, weights
    void importSample();
    void chooseFiles();
    void chooseFolder();
    void pastePaths();

    Navigator* navigator() const { return m_navigator; }
    JobsDock* jobs() const { return m_jobs; }
    Inspector* inspector() const { return m_inspector; }
    CommandField* commandField() const { return m_field; }
    ErrorPresenter* errors() const { return m_errors; }
    DropController* drops() const { return m_drops; }
    LoopWatchdog* watchdog() const { return m_watchdog; }
    StatusLine* status() const { return m_status; }
    StallWatch* stalls() const { return m_stalls; }
    const WindowActions& actions() const { return *m_actions; }
    /// Under 1000 px both side docks fold to rails of 40 px.
    bool isFolded() const { return m_isFolded; }
    QToolBar* rail(Qt::ToolBarArea side) const { return side == Qt::LeftToolBarArea ? m_leftRail : m_rightRail; }
    void showJobsTab(JobsDock::Tab tab);
    /// A second start of this workspace: to the front, with what it was given.
    void comeToFront(const QStringList& paths);
    bool isEmptyShown() const;
    /// Shows the page for empty workspaces whatever is in it (for pictures).
    void forceEmptyPage(bool isForced);
    /// Nothing is being read and the page has settled.
    bool isSettled() const;

    QDockWidget* navigatorDock() const { return m_navigatorDock; }
    QDockWidget* inspectorDock() const { return m_inspectorDock; }
    QDockWidget* jobsDock() const { return m_jobsDock; }
    void resetLayout();
    void saveSession();
    void restoreSession();

Q_SIGNALS:
    /// File > Open workspace: main.cpp starts again with it.
    void workspaceRequested(const QString& folder);

protected:
    void resizeEvent(QResizeEvent* event) override;
    void closeEvent(QCloseEvent* event) override;

private:
    void buildCentre();
    void buildDocks();
    void buildMenuCorner();
    void connectBridge();
    void showNotices();
    void showPage(int index);
    void updateEmpty();
    void buildRails();
    void fold(bool isFolded);
    void degrade();
    void jobEnded(quint64 job);
    void selectFirst();

    AppContext& m_context;
    PageTabs* m_tabs = nullptr;
    QStackedWidget* m_stack = nullptr;
    QVBoxLayout* m_banners = nullptr;
    EmptyPage* m_empty = nullptr;
    std::vector<Page*> m_pages;
    int m_active = -1;
    QDockWidget *m_navigatorDock = nullptr, *m_inspectorDock = nullptr, *m_jobsDock = nullptr;
    Navigator* m_navigator = nullptr;
    Inspector* m_inspector = nullptr;
    JobsDock* m_jobs = nullptr;
    CommandField* m_field = nullptr;
    StatusLine* m_status = nullptr;
    ErrorPresenter* m_errors = nullptr;
    DropController* m_drops = nullptr;
    LoopWatchdog* m_watchdog = nullptr;
    StallWatch* m_stalls = nullptr;
    QToolBar *m_leftRail = nullptr, *m_rightRail = nullptr;
    WindowActions* m_actions = nullptr;
    QPointer<QDialog> m_newRun;
    bool m_isEmptyForced = false;
    bool m_isCompact = false, m_isFolded = false;
    bool m_wasNavigatorShown = true, m_wasInspectorShown = true;  ///< before folding
    bool m_isRestored = false;
};

}  // namespace espalier::app
