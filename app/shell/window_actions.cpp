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
}

QAction* WindowActions::add(QMenu* menu, const QString& words, const QList<QKeySequence>& keys, const QString& iconName,
                            const std::function<void()>& act) {
    auto* action = new QAction(words, this);
    action->setShortcuts(keys);
    if (!iconName.isEmpty()) action->setIcon(widgets::icon(iconName));
    connect(action, &QAction::triggered, &m_window, [act] { act(); });
    menu->addAction(action);
    m_all << action;
    return action;
}

void WindowActions::buildFile(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&File"));
    add(menu, tr("New run…"), {QKeySequence(Qt::CTRL | Qt::Key_N)}, QStringLiteral("run"), [this] { m_window.openNewRun({}, {}, {}); });
    menu->addSeparator();
    add(menu, tr("Import files…"), {QKeySequence(Qt::CTRL | Qt::Key_O)}, QStringLiteral("import"), [this] { m_window.chooseFiles(); });
    add(menu, tr("Import folder…"), {QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_O)}, QStringLiteral("folder"), [this] { m_window.chooseFolder(); });
    add(menu, tr("Import the digits sample"), {}, QStringLiteral("dataset"), [this] { m_window.importSample(); });
    menu->addSeparator();
    add(menu, tr("Open workspace…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O)}, QStringLiteral("disk"), [this] {
        auto* dialog = new QFileDialog(&m_window, tr("Open a workspace folder"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setFileMode(QFileDialog::Directory);
        connect(dialog, &QFileDialog::fileSelected, &m_window, &MainWindow::workspaceRequested);
        dialog->open();
    });
    QMenu* recent = menu->addMenu(tr("Recent workspaces"));
    connect(recent, &QMenu::aboutToShow, this, [this, recent] { fillRecent(recent); });
    menu->addSeparator();
    add(menu, tr("Export figure…"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C)}, QStringLiteral("export"), [this] {
        if (Page* page = m_window.currentPage()) page->exportFigure();
    });
    menu->addSeparator();
    QAction* quit = add(menu, tr("Quit"), {QKeySequence(Qt::CTRL | Qt::Key_Q)}, {}, [this] { m_window.close(); });
    quit->setMenuRole(QAction::QuitRole);
}

void WindowActions::fillRecent(QMenu* menu) {
    menu->clear();
    for (const QString& folder : m_context.settings->recentWorkspaces()) {
        QAction* action = menu->addAction(folder, &m_window, [this, folder] { Q_EMIT m_window.workspaceRequested(folder); });
        action->setEnabled(QFileInfo(folder).isDir());
    }
    menu->addSeparator();
    menu->addAction(tr("Clear"), &m_window, [this] { m_context.settings->clearRecentWorkspaces(); });
}

void WindowActions::buildEdit(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Edit"));
    QAction* undo = m_context.undo->createUndoAction(this, tr("Undo"));
    undo->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Z));
    undo->setIcon(widgets::icon(QStringLiteral("undo")));
    QAction* redo = m_context.undo->createRedoAction(this, tr("Redo"));
    redo->setShortcuts({QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), QKeySequence(Qt::CTRL | Qt::Key_Y)});
    redo->setIcon(widgets::icon(QStringLiteral("redo")));
    menu->addAction(undo);
    menu->addAction(redo);
    m_all << undo << redo;
    menu->addSeparator();
    // Fields keep their own paste; this one acts where no text is edited.
    add(menu, tr("Paste a path"), {QKeySequence(Qt::CTRL | Qt::Key_V)}, QStringLiteral("import"), [this] { m_window.pastePaths(); });
    menu->addSeparator();
    add(menu, tr("Rename"), {QKeySequence(Qt::Key_F2)}, QStringLiteral("rename"), [this] { m_window.navigator()->renameCurrent(); });
    add(menu, tr("Tag…"), {QKeySequence(Qt::CTRL | Qt::Key_T)}, QStringLiteral("tag"), [this] { m_window.navigator()->tagSelected(); });
    QAction* trash = add(menu, tr("Move to trash"), {QKeySequence(Qt::Key_Delete)}, QStringLiteral("trash"),
                         [this] { m_window.navigator()->trashSelected(); });
    trash->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    m_window.navigator()->addAction(trash);
    add(menu, tr("Empty the trash"), {}, {}, [this] { m_context.edits->emptyTrash(); });
    menu->addSeparator();
    add(menu, tr("Find on this page"), {QKeySequence(Qt::CTRL | Qt::Key_F)}, QStringLiteral("search"), [this] {
        if (Page* page = m_window.currentPage()) page->focusSearch();
    });
    add(menu, tr("Filter runs"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_F)}, QStringLiteral("filter"),
        [this] { m_window.navigator()->focusFilter(); });
    menu->addSeparator();
    m_settings = add(menu, tr("Settings…"), {QKeySequence(Qt::CTRL | Qt::Key_Comma)}, QStringLiteral("settings"), [this] {
        auto* dialog = new SettingsDialog(m_context, &m_window);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    m_settings->setMenuRole(QAction::PreferencesRole);
}

void WindowActions::buildView(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&View"));
    add(menu, tr("Command palette"), {QKeySequence(Qt::CTRL | Qt::Key_K), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P)},
        QStringLiteral("command"), [this] { m_window.commandField()->open(); });
    add(menu, tr("Read the workspace again"), {QKeySequence(Qt::Key_F5)}, {}, [this] { m_context.bridge->refreshCatalog(); });
    menu->addSeparator();
    m_sidePanels = add(menu, tr("Side panels"), {QKeySequence(Qt::Key_F9), QKeySequence(Qt::CTRL | Qt::Key_B)},
                       QStringLiteral("sidebar"), [this] { toggleSidePanels(); });
    for (QDockWidget* dock : {m_window.navigatorDock(), m_window.inspectorDock(), m_window.jobsDock()}) {
        menu->addAction(dock->toggleViewAction());
        m_all << dock->toggleViewAction();
    }
    add(menu, tr("Show log"), {QKeySequence(Qt::CTRL | Qt::Key_L)}, {}, [this] {
        m_window.jobsDock()->show();
        m_window.jobs()->setCollapsed(false);
        m_window.jobs()->showTab(JobsDock::Tab::Log);
    });
    add(menu, tr("Reset layout"), {}, {}, [this] { m_window.resetLayout(); });
    menu->addSeparator();
    auto* group = new QActionGroup(this);
    const std::pair<ThemeKind, QString> kinds[] = {{ThemeKind::Dark, tr("Dark")},
                                                   {ThemeKind::Light, tr("Light")},
                                                   {ThemeKind::Contrast, tr("High contrast")},
                                                   {ThemeKind::FollowSystem, tr("As the system")}};
    QMenu* themes = menu->addMenu(widgets::icon(QStringLiteral("theme")), tr("Theme"));
    for (const auto& [kind, words] : kinds) {
        QAction* action = add(themes, words, {}, {}, [this, kind = kind] {
            widgets::theme().setKind(kind);
            m_context.settings->setThemeKind(kind);
        });
        action->setCheckable(true);
        action->setActionGroup(group);
        action->setChecked(widgets::theme().kind() == kind);
        connect(&widgets::theme(), &widgets::Theme::changed, action,
                [action, kind = kind] { action->setChecked(widgets::theme().kind() == kind); });
    }
    m_nextTheme = add(menu, tr("Next theme"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T)}, QStringLiteral("theme"), [this] {
        const ThemeKind shown = widgets::theme().shownKind();
        const ThemeKind next = shown == ThemeKind::Dark    ? ThemeKind::Light
                               : shown == ThemeKind::Light ? ThemeKind::Contrast
                                                           : ThemeKind::Dark;
        widgets::theme().setKind(next);
        m_context.settings->setThemeKind(next);
    });
    add(menu, tr("Full screen"), {QKeySequence(Qt::Key_F11)}, {},
        [this] { m_window.isFullScreen() ? m_window.showNormal() : m_window.showFullScreen(); });
}

void WindowActions::buildRun(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Run"));
    add(menu, tr("Start a run…"), {QKeySequence(Qt::CTRL | Qt::Key_R)}, QStringLiteral("run"), [this] {
        const feed::RunInfo* run = m_context.bridge->run(m_context.selection->currentRun());
        m_window.openNewRun(run ? QString::fromStdString(run->recipe) : m_context.selection->currentRecipe(),
                            run ? QString::fromStdString(run->datasetId) : m_context.selection->currentDataset(), {});
    });
    add(menu, tr("Pause or resume"), {QKeySequence(Qt::CTRL | Qt::Key_P)}, QStringLiteral("pause"), [this] { m_window.jobs()->pauseCurrent(); });
    add(menu, tr("Stop after this step"), {QKeySequence(Qt::CTRL | Qt::Key_Period)}, QStringLiteral("stop"),
        [this] { m_window.jobs()->stopCurrent(); });
    add(menu, tr("Save a checkpoint now"), {QKeySequence(Qt::CTRL | Qt::Key_S)}, QStringLiteral("checkpoint"), [this] {
        for (const JobRow& job : m_context.bridge->jobs().rows())
            if (job.state == feed::JobState::Running && !job.runId.isEmpty()) m_context.engine->saveNow(job.id);
    });
    add(menu, tr("Continue from the last checkpoint"), {}, QStringLiteral("resume"), [this] {
        const QString run = m_context.selection->currentRun();
        if (run.isEmpty()) return;
        if (auto job = m_context.engine->resumeRun(run.toStdString()); !job) m_window.errors()->show(job.error());
    });
    menu->addSeparator();
    add(menu, tr("Show or hide in charts"), {QKeySequence(Qt::CTRL | Qt::Key_E)}, QStringLiteral("eye"), [this] {
        for (const QString& run : m_window.navigator()->selectedRuns())
            m_context.selection->setShown(run, !m_context.selection->isShown(run));
    });
}

void WindowActions::buildWindow(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Window"));
    int number = 1;
    for (Page* page : m_window.pages()) {
        add(menu, page->title(), {QKeySequence(Qt::ALT | static_cast<Qt::Key>(Qt::Key_0 + number))}, page->iconName(),
            [this, key = page->key()] { m_window.openPage(key); });
        ++number;
    }
    const auto step = [this](int by) {
        const auto& pages = m_window.pages();
        const auto at = std::find(pages.begin(), pages.end(), m_window.currentPage());
        if (at == pages.end()) return;
        const auto n = static_cast<std::ptrdiff_t>(pages.size());
        m_window.openPage(pages[static_cast<std::size_t>((at - pages.begin() + by + n) % n)]->key());
    };
    menu->addSeparator();
    add(menu, tr("Next page"), {QKeySequence(Qt::CTRL | Qt::Key_Tab), QKeySequence(Qt::CTRL | Qt::Key_PageDown)}, {}, [step] { step(1); });
    add(menu, tr("Previous page"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Tab), QKeySequence(Qt::CTRL | Qt::Key_PageUp)}, {},
        [step] { step(-1); });
}

void WindowActions::buildHelp(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Help"));
    add(menu, tr("Keys"), {QKeySequence(Qt::CTRL | Qt::Key_Question), QKeySequence(Qt::Key_F1)}, QStringLiteral("help"),
        [this] { showShortcuts(); });
    QAction* about = add(menu, tr("About Espalier"), {}, QStringLiteral("info"), [this] {
        auto* dialog = new AboutDialog(m_context, &m_window);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    about->setMenuRole(QAction::AboutRole);
}

void WindowActions::toggleSidePanels() {
    const bool areShown = m_window.navigatorDock()->isVisible() || m_window.inspectorDock()->isVisible();
    m_window.navigatorDock()->setVisible(!areShown);
    m_window.inspectorDock()->setVisible(!areShown);
}

void WindowActions::showShortcuts() {
    auto* dialog = new ShortcutsDialog(m_all, &m_window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

}  // namespace espalier::app
