#include "app/shell/window_actions.h"

#include <QActionGroup>
#include <QApplication>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>

#include <algorithm>

#include "app/bridge/edits.h"
#include "app/pages/page.h"
#include "app/settings/settings.h"
#include "app/settings/settings_dialog.h"
#include "app/shell/about_dialog.h"
#include "app/shell/command_palette.h"
#include "app/shell/error_presenter.h"
#include "app/shell/jobs_dock.h"
#include "app/shell/main_window.h"
#include "app/shell/navigator.h"
#include "app/shell/stall_watch.h"
#include "app/shell/trash_dialog.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using widgets::ThemeKind;

WindowActions::WindowActions(AppContext& context, MainWindow& window) : QObject(&window), m_context(context), m_window(window) {
    QMenuBar& bar = *window.menuBar();
    buildFile(bar);
    buildEdit(bar);
    buildView(bar);
    buildRun(bar);
    buildWindow(bar);
    buildHelp(bar);
    connect(context.settings, &Settings::keysChanged, this, &WindowActions::applyKeys);
    applyKeys();
}

QAction* WindowActions::add(QMenu* menu, const QString& id, const QString& words, const QList<QKeySequence>& keys,
                            const QString& iconName, const std::function<void()>& act) {
    auto* action = new QAction(words, this);
    if (!iconName.isEmpty()) action->setIcon(widgets::icon(iconName));
    connect(action, &QAction::triggered, &m_window, [this, act, words] {
        m_window.stalls()->noteAct(words);
        act();
    });
    menu->addAction(action);
    enlist(action, id, keys);
    return action;
}

void WindowActions::enlist(QAction* action, const QString& id, const QList<QKeySequence>& keys) {
    action->setObjectName(id);
    m_defaults.insert(id, keys);
    m_all << action;
}

void WindowActions::applyKeys() {
    for (QAction* action : m_all) {
        const auto own = m_context.settings->keys(action->objectName());
        if (!own) {
            action->setShortcuts(m_defaults.value(action->objectName()));
            continue;
        }
        QList<QKeySequence> keys;
        for (const QString& key : *own) keys << QKeySequence(key, QKeySequence::PortableText);
        action->setShortcuts(keys);
    }
}

void WindowActions::buildFile(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&File"));
    add(menu, QStringLiteral("new-run"), tr("New run…"), {QKeySequence(Qt::CTRL | Qt::Key_N)}, QStringLiteral("run"), [this] { m_window.openNewRun({}, {}, {}); });
    menu->addSeparator();
    add(menu, QStringLiteral("import-files"), tr("Import files…"), {QKeySequence(Qt::CTRL | Qt::Key_O)}, QStringLiteral("import"), [this] { m_window.chooseFiles(); });
    add(menu, QStringLiteral("import-folder"), tr("Import folder…"), {QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_O)}, QStringLiteral("folder"), [this] { m_window.chooseFolder(); });
    add(menu, QStringLiteral("import-the-digits-sample"), tr("Import the digits sample"), {}, QStringLiteral("dataset"), [this] { m_window.importSample(); });
    menu->addSeparator();
    add(menu, QStringLiteral("open-workspace"), tr("Open workspace…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O)}, QStringLiteral("disk"), [this] {
        auto* dialog = new QFileDialog(&m_window, tr("Open a workspace folder"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setFileMode(QFileDialog::Directory);
        connect(dialog, &QFileDialog::fileSelected, &m_window, &MainWindow::workspaceRequested);
        dialog->open();
    });
    QMenu* recent = menu->addMenu(tr("Recent workspaces"));
    connect(recent, &QMenu::aboutToShow, this, [this, recent] { fillRecentWorkspaces(*recent); });
    QMenu* files = menu->addMenu(tr("Recent data"));
    connect(files, &QMenu::aboutToShow, this, [this, files] { fillRecentData(*files); });
    menu->addSeparator();
    add(menu, QStringLiteral("export-figure"), tr("Export figure…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E)}, QStringLiteral("export"), [this] {
        if (Page* page = m_window.currentPage()) page->exportFigure();
    });
    menu->addSeparator();
    QAction* quit = add(menu, QStringLiteral("quit"), tr("Quit"), {QKeySequence(Qt::CTRL | Qt::Key_Q)}, {}, [this] { m_window.close(); });
    quit->setMenuRole(QAction::QuitRole);
}

void WindowActions::fillRecentWorkspaces(QMenu& menu) {
    menu.clear();
    for (const QString& folder : m_context.settings->recentWorkspaces()) {
        QAction* action = menu.addAction(folder, &m_window, [this, folder] { Q_EMIT m_window.workspaceRequested(folder); });
        action->setEnabled(QFileInfo(folder).isDir());
    }
    menu.addSeparator();
    menu.addAction(tr("Clear"), &m_window, [this] { m_context.settings->clearRecentWorkspaces(); });
}

// Data sets of the workspace first, then the files they came from; a file that is gone stays, greyed out.
void WindowActions::fillRecentData(QMenu& menu) {
    constexpr int kMostSets = 8;
    menu.clear();
    const auto& sets = m_context.bridge->datasets().datasets();
    for (std::size_t i = 0; i < sets.size() && i < kMostSets; ++i)
        menu.addAction(widgets::icon(QStringLiteral("dataset")), widgets::format::text(sets[i].name), &m_window,
                       [this, id = widgets::format::text(sets[i].id)] {
                           m_context.selection->setCurrentDataset(id);
                           m_window.openPage(QStringLiteral("data"));
                       });
    menu.addSeparator();
    for (const QString& path : m_context.settings->recentFiles()) {
        QAction* action = menu.addAction(widgets::icon(QStringLiteral("import")), path, &m_window, [this, path] { m_window.openPaths({path}); });
        action->setEnabled(QFileInfo::exists(path));
    }
    menu.addSeparator();
    menu.addAction(tr("Clear"), &m_window, [this] { m_context.settings->clearRecentFiles(); });
}

void WindowActions::buildEdit(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Edit"));
    QAction* undo = m_context.undo->createUndoAction(this, tr("Undo"));
    undo->setIcon(widgets::icon(QStringLiteral("undo")));
    QAction* redo = m_context.undo->createRedoAction(this, tr("Redo"));
    redo->setIcon(widgets::icon(QStringLiteral("redo")));
    menu->addAction(undo);
    menu->addAction(redo);
    enlist(undo, QStringLiteral("undo"), {QKeySequence(Qt::CTRL | Qt::Key_Z)});
    enlist(redo, QStringLiteral("redo"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), QKeySequence(Qt::CTRL | Qt::Key_Y)});
    menu->addSeparator();
    add(menu, QStringLiteral("copy-picture"), tr("Copy the chart as a picture"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C)}, QStringLiteral("copy"),
        [this] { copyPicture(); });
    // Fields keep their own paste; this one acts where no text is edited.
    add(menu, QStringLiteral("paste-a-path"), tr("Paste a path"), {QKeySequence(Qt::CTRL | Qt::Key_V)}, QStringLiteral("import"), [this] { m_window.pastePaths(); });
    menu->addSeparator();
    add(menu, QStringLiteral("rename"), tr("Rename"), {QKeySequence(Qt::Key_F2)}, QStringLiteral("rename"), [this] { m_window.navigator()->renameCurrent(); });
    add(menu, QStringLiteral("tag"), tr("Tag…"), {QKeySequence(Qt::CTRL | Qt::Key_T)}, QStringLiteral("tag"), [this] { m_window.navigator()->tagSelected(); });
    QAction* trash = add(menu, QStringLiteral("move-to-trash"), tr("Move to trash"), {QKeySequence(Qt::Key_Delete)}, QStringLiteral("trash"),
                         [this] { m_window.navigator()->trashSelected(); });
    trash->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    m_window.navigator()->addAction(trash);
    add(menu, QStringLiteral("show-trash"), tr("Trash: restore or empty…"), {}, QStringLiteral("restore"), [this] {
        auto* dialog = new TrashDialog(m_context, &m_window);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    menu->addSeparator();
    add(menu, QStringLiteral("find-on-this-page"), tr("Find on this page"), {QKeySequence(Qt::CTRL | Qt::Key_F)}, QStringLiteral("search"), [this] {
        if (Page* page = m_window.currentPage()) page->focusSearch();
    });
    add(menu, QStringLiteral("filter-runs"), tr("Filter runs"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_F)}, QStringLiteral("filter"),
        [this] { m_window.navigator()->focusFilter(); });
    menu->addSeparator();
    m_settings = add(menu, QStringLiteral("settings"), tr("Settings…"), {QKeySequence(Qt::CTRL | Qt::Key_Comma)}, QStringLiteral("settings"), [this] {
        auto* dialog = new SettingsDialog(m_context, m_all, m_defaults, &m_window);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    m_settings->setMenuRole(QAction::PreferencesRole);
}

void WindowActions::copyPicture() {
    Page* page = m_window.currentPage();
    const QString title = page && !m_window.isEmptyShown() ? page->copyPicture() : QString();
    if (title.isEmpty()) m_window.errors()->toast(tr("This page shows no chart"), {}, QStringLiteral("warning"));
    else m_window.errors()->toast(tr("Picture copied"), title, QStringLiteral("copy"));
}

void WindowActions::toggleSidePanels() {
    const bool areShown = m_window.navigatorDock()->isVisible() || m_window.inspectorDock()->isVisible();
    m_window.navigatorDock()->setVisible(!areShown);
    m_window.inspectorDock()->setVisible(!areShown);
}

void WindowActions::showShortcuts() {
    auto* dialog = new ShortcutsDialog(m_all, m_window.pages(), m_window.currentPage(), &m_window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

}  // namespace espalier::app
