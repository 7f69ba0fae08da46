// How the frame gives way to small windows: compact below 1366 px, rails below 1000; the rest stands in main_window.cpp.
#include <QDockWidget>
#include <QLayout>
#include <QResizeEvent>
#include <QToolBar>

#include "app/shell/error_presenter.h"
#include "app/shell/inspector.h"
#include "app/shell/main_window.h"
#include "app/shell/navigator.h"
#include "widgets/controls/controls.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

namespace metrics = widgets::metrics;

namespace {

// Below this the frame drops sparklines, jobs become one line, docks get narrower (LOOK.md section 9).
constexpr int kCompactWidth = 1366, kCompactHeight = 800;
constexpr int kCompactNavigator = 208, kCompactInspector = 236;
constexpr int kFoldWidth = 1000, kRail = 40;

}  // namespace

void MainWindow::buildRails() {
    const auto make = [this](Qt::ToolBarArea side, const QString& name) {
        auto* rail = new QToolBar(name, this);
        rail->setObjectName(side == Qt::LeftToolBarArea ? QStringLiteral("navigatorRail") : QStringLiteral("inspectorRail"));
        rail->setMovable(false);
        rail->setIconSize(QSize(metrics::kIconTool, metrics::kIconTool));
        rail->toggleViewAction()->setVisible(false);
        rail->layout()->setContentsMargins(2, 4, 2, 4);
        addToolBar(side, rail);
        rail->hide();
        return rail;
    };
    m_leftRail = make(Qt::LeftToolBarArea, tr("Navigator"));
    m_rightRail = make(Qt::RightToolBarArea, tr("Inspector"));
    const auto add = [](QToolBar* rail, const QString& iconName, const QString& words, QDockWidget* dock, auto open) {
        QAction* action = rail->addAction(widgets::icon(iconName), words);
        rail->widgetForAction(action)->setFixedSize(kRail - 4, kRail - 8);
        QObject::connect(action, &QAction::triggered, dock, [dock, open] {
            dock->setVisible(!dock->isVisible());
            if (dock->isVisible()) open();
        });
    };
    add(m_leftRail, QStringLiteral("runs"), tr("Runs"), m_navigatorDock, [this] { m_navigator->focusList(); });
    add(m_leftRail, QStringLiteral("filter"), tr("Filter runs"), m_navigatorDock, [this] { m_navigator->focusFilter(); });
    add(m_rightRail, QStringLiteral("info"), tr("Inspector"), m_inspectorDock, [this] { m_inspector->setFocus(); });
}

void MainWindow::fold(bool isFolded) {
    if (isFolded == m_isFolded) return;
    m_isFolded = isFolded;
    m_leftRail->setVisible(isFolded);
    m_rightRail->setVisible(isFolded);
    if (isFolded) {
        m_wasNavigatorShown = !m_navigatorDock->isHidden();
        m_wasInspectorShown = !m_inspectorDock->isHidden();
        m_navigatorDock->hide();
        m_inspectorDock->hide();
    } else {
        m_navigatorDock->setVisible(m_wasNavigatorShown);
        m_inspectorDock->setVisible(m_wasInspectorShown);
    }
}

void MainWindow::resetLayout() {
    for (QDockWidget* dock : {m_navigatorDock, m_inspectorDock, m_jobsDock}) dock->setFloating(false);
    addDockWidget(Qt::LeftDockWidgetArea, m_navigatorDock);
    addDockWidget(Qt::RightDockWidgetArea, m_inspectorDock);
    addDockWidget(Qt::BottomDockWidgetArea, m_jobsDock);
    m_navigatorDock->show();
    m_inspectorDock->show();
    m_jobsDock->setVisible(m_context.bridge->jobs().rowCount() > 0);
    m_isCompact = m_isFolded = false;
    m_leftRail->hide();
    m_rightRail->hide();
    resizeDocks({m_navigatorDock, m_inspectorDock}, {metrics::kNavigator, metrics::kInspector}, Qt::Horizontal);
    degrade();
}

void MainWindow::degrade() {
    // Larger text needs the room of a smaller window.
    const double scale = widgets::theme().textScale();
    fold(width() < kFoldWidth * scale);
    const bool isCompact = width() < kCompactWidth * scale || height() < kCompactHeight * scale;
    if (isCompact == m_isCompact) return;
    m_isCompact = isCompact;
    m_navigator->setCompact(isCompact);
    m_jobs->setCompact(isCompact);
    const auto scaled = [](int px) { return widgets::theme().scaled(px); };
    resizeDocks({m_navigatorDock, m_inspectorDock},
                isCompact ? QList<int>{scaled(kCompactNavigator), scaled(kCompactInspector)}
                          : QList<int>{scaled(metrics::kNavigator), scaled(metrics::kInspector)},
                Qt::Horizontal);
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    degrade();
    m_errors->placeToasts();
}

void MainWindow::showJobsTab(JobsDock::Tab tab) {
    m_jobsDock->show();
    m_jobs->setCollapsed(false);
    m_jobs->showTab(tab);
    m_jobs->focusFirst();
}

void MainWindow::comeToFront(const QStringList& paths) {
    if (isMinimized()) setWindowState((windowState() & ~Qt::WindowMinimized) | Qt::WindowActive);
    show();
    raise();
    activateWindow();
    if (!paths.isEmpty()) openPaths(paths);
}

}  // namespace espalier::app
