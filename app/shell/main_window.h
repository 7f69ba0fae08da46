#pragma once

#include <QMainWindow>
#include <QPointer>

#include <vector>

#include "app/bridge/app_context.h"
#include "app/intake/drop_controller.h"

class QDockWidget;
class QStackedWidget;
class QVBoxLayout;

namespace espalier::app {

class CommandField;
class EmptyPage;
class ErrorPresenter;
class Inspector;
class JobsDock;
class LoopWatchdog;
class Navigator;
class Page;
class PageTabs;
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
    void showPage(int index);
    void updateEmpty();
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
    WindowActions* m_actions = nullptr;
    QPointer<QDialog> m_newRun;
    bool m_isEmptyForced = false;
    bool m_isCompact = false;
    bool m_isRestored = false;
};

}  // namespace espalier::app
