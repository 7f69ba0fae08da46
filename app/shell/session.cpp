// What comes back after a restart; the rest of MainWindow stands in main_window.cpp.
#include <QDockWidget>
#include <QGuiApplication>
#include <QJsonArray>
#include <QJsonObject>
#include <QScreen>
#include <QToolBar>

#include "app/pages/page.h"
#include "app/settings/settings.h"
#include "app/shell/main_window.h"
#include "app/shell/navigator.h"

namespace espalier::app {

namespace {

QString workspaceKey(const AppContext& context) { return QString::fromStdString(context.workspace->folder().string()); }

}  // namespace

void MainWindow::saveSession() {
    Settings& settings = *m_context.settings;
    // Folded docks are hidden only for lack of room; a larger window must bring them back.
    const bool wasFolded = m_isFolded;
    if (wasFolded) fold(false);
    settings.setWindow(saveGeometry(), saveState());
    if (wasFolded) fold(true);
    if (const Page* page = currentPage()) settings.setPage(page->key());
    for (const Page* page : m_pages) settings.setPageState(page->key(), page->saveState());
    const Selection& selection = *m_context.selection;
    settings.setWorkspaceState(workspaceKey(m_context),
                               {{QStringLiteral("run"), selection.currentRun()},
                                {QStringLiteral("shown"), QJsonArray::fromStringList(selection.shownRuns())},
                                {QStringLiteral("dataset"), selection.currentDataset()},
                                {QStringLiteral("recipe"), selection.currentRecipe()},
                                {QStringLiteral("focus"), static_cast<int>(selection.focus())},
                                {QStringLiteral("navigator"), m_navigator->saveState()}});
}

// Called once, when the catalog has been read: ids that are gone are left out.
void MainWindow::restoreSession() {
    m_isRestored = true;
    Settings& settings = *m_context.settings;
    if (const QByteArray geometry = settings.geometry(); !geometry.isEmpty()) {
        restoreGeometry(geometry);
        bool isOnScreen = false;
        for (const QScreen* screen : QGuiApplication::screens())
            isOnScreen = isOnScreen || screen->availableGeometry().intersects(frameGeometry());
        if (!isOnScreen) move(QGuiApplication::primaryScreen()->availableGeometry().topLeft());
    }
    if (const QByteArray docks = settings.docks(); !docks.isEmpty()) {
        restoreState(docks);
        if (m_context.bridge->jobs().rowCount() == 0) m_jobsDock->hide();
        m_isFolded = false;
        m_leftRail->hide();
        m_rightRail->hide();
        degrade();
    }
    for (Page* page : m_pages) page->restoreState(settings.pageState(page->key()));

    Selection& selection = *m_context.selection;
    const QJsonObject state = settings.workspaceState(workspaceKey(m_context));
    QStringList shown;
    for (const auto& value : state[QStringLiteral("shown")].toArray())
        if (m_context.bridge->run(value.toString())) shown << value.toString();
    selection.setShownRuns(shown);
    const QString run = state[QStringLiteral("run")].toString();
    const QString dataset = state[QStringLiteral("dataset")].toString();
    const QString recipe = state[QStringLiteral("recipe")].toString();
    const auto focus = static_cast<Selection::Focus>(state[QStringLiteral("focus")].toInt());
    // The focused one last, because each of them takes the focus.
    if (m_context.registry->find(recipe.toStdString()) && !recipe.isEmpty()) selection.setCurrentRecipe(recipe);
    if (m_context.bridge->dataset(dataset)) selection.setCurrentDataset(dataset);
    if (m_context.bridge->run(run)) selection.setCurrentRun(run);
    if (focus == Selection::Focus::Dataset && m_context.bridge->dataset(dataset)) selection.setCurrentDataset(dataset);
    if (focus == Selection::Focus::Recipe && !recipe.isEmpty()) selection.setCurrentRecipe(recipe);
    if (state.contains(QStringLiteral("navigator"))) m_navigator->restoreState(state[QStringLiteral("navigator")].toObject());
    if (const QString page = settings.page(); !page.isEmpty()) openPage(page);
}

}  // namespace espalier::app
