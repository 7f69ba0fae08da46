// The menus View, Run, Window and Help; the rest stands in window_actions.cpp.
#include <QActionGroup>
#include <QDockWidget>
#include <QMenu>
#include <QMenuBar>

#include <algorithm>

#include "app/pages/page.h"
#include "app/settings/settings.h"
#include "app/shell/about_dialog.h"
#include "app/shell/command_palette.h"
#include "app/shell/error_presenter.h"
#include "app/shell/jobs_dock.h"
#include "app/shell/main_window.h"
#include "app/shell/navigator.h"
#include "app/shell/window_actions.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using widgets::ThemeKind;

void WindowActions::buildView(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&View"));
    add(menu, QStringLiteral("command-palette"), tr("Command palette"), {QKeySequence(Qt::CTRL | Qt::Key_K), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P)},
        QStringLiteral("command"), [this] { m_window.commandField()->open(); });
    add(menu, QStringLiteral("read-the-workspace-again"), tr("Read the workspace again"), {QKeySequence(Qt::Key_F5)}, {}, [this] { m_context.bridge->refreshCatalog(); });
    menu->addSeparator();
    m_sidePanels = add(menu, QStringLiteral("side-panels"), tr("Side panels"), {QKeySequence(Qt::Key_F9), QKeySequence(Qt::CTRL | Qt::Key_B)},
                       QStringLiteral("sidebar"), [this] { toggleSidePanels(); });
    for (QDockWidget* dock : {m_window.navigatorDock(), m_window.inspectorDock(), m_window.jobsDock()}) {
        menu->addAction(dock->toggleViewAction());
        enlist(dock->toggleViewAction(), QStringLiteral("panel-") + dock->objectName(), {});
    }
    add(menu, QStringLiteral("go-to-jobs"), tr("Go to the jobs"), {QKeySequence(Qt::CTRL | Qt::Key_J)}, {}, [this] {
        m_window.jobsDock()->show();
        m_window.jobs()->setCollapsed(false);
        m_window.jobs()->focusFirst();
    });
    add(menu, QStringLiteral("go-to-list"), tr("Go to the list of runs"), {QKeySequence(Qt::CTRL | Qt::Key_1)}, {}, [this] {
        m_window.navigatorDock()->show();
        m_window.navigator()->focusList();
    });
    add(menu, QStringLiteral("show-warnings"), tr("Show warnings"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L)}, {},
        [this] { m_window.showJobsTab(JobsDock::Tab::Warnings); });
    add(menu, QStringLiteral("show-log"), tr("Show log"), {QKeySequence(Qt::CTRL | Qt::Key_L)}, {}, [this] { m_window.showJobsTab(JobsDock::Tab::Log); });
    add(menu, QStringLiteral("reset-layout"), tr("Reset layout"), {}, {}, [this] { m_window.resetLayout(); });
    menu->addSeparator();
    auto* group = new QActionGroup(this);
    const std::pair<ThemeKind, QString> kinds[] = {{ThemeKind::Dark, tr("Dark")},
                                                   {ThemeKind::Light, tr("Light")},
                                                   {ThemeKind::Contrast, tr("High contrast")},
                                                   {ThemeKind::FollowSystem, tr("As the system")}};
    QMenu* themes = menu->addMenu(widgets::icon(QStringLiteral("theme")), tr("Theme"));
    for (const auto& [kind, words] : kinds) {
        QAction* action = add(themes, QStringLiteral("theme-") + widgets::Theme::kindName(kind), words, {}, {}, [this, kind = kind] {
            widgets::theme().setKind(kind);
            m_context.settings->setThemeKind(kind);
        });
        action->setCheckable(true);
        action->setActionGroup(group);
        action->setChecked(widgets::theme().kind() == kind);
        connect(&widgets::theme(), &widgets::Theme::changed, action,
                [action, kind = kind] { action->setChecked(widgets::theme().kind() == kind); });
    }
    m_nextTheme = add(menu, QStringLiteral("next-theme"), tr("Next theme"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T)}, QStringLiteral("theme"), [this] {
        const ThemeKind shown = widgets::theme().shownKind();
        const ThemeKind next = shown == ThemeKind::Dark    ? ThemeKind::Light
                               : shown == ThemeKind::Light ? ThemeKind::Contrast
                                                           : ThemeKind::Dark;
        widgets::theme().setKind(next);
        m_context.settings->setThemeKind(next);
    });
    add(menu, QStringLiteral("full-screen"), tr("Full screen"), {QKeySequence(Qt::Key_F11)}, {},
        [this] { m_window.isFullScreen() ? m_window.showNormal() : m_window.showFullScreen(); });
}

void WindowActions::buildRun(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Run"));
    add(menu, QStringLiteral("start-a-run"), tr("Start a run…"), {QKeySequence(Qt::CTRL | Qt::Key_R)}, QStringLiteral("run"), [this] {
        const feed::RunInfo* run = m_context.bridge->run(m_context.selection->currentRun());
        m_window.openNewRun(run ? QString::fromStdString(run->recipe) : m_context.selection->currentRecipe(),
                            run ? QString::fromStdString(run->datasetId) : m_context.selection->currentDataset(), {});
    });
    add(menu, QStringLiteral("pause-or-resume"), tr("Pause or resume"), {QKeySequence(Qt::CTRL | Qt::Key_P)}, QStringLiteral("pause"), [this] { m_window.jobs()->pauseCurrent(); });
    add(menu, QStringLiteral("stop-after-this-step"), tr("Stop after this step"), {QKeySequence(Qt::CTRL | Qt::Key_Period)}, QStringLiteral("stop"),
        [this] { m_window.jobs()->stopCurrent(); });
    add(menu, QStringLiteral("save-a-checkpoint-now"), tr("Save a checkpoint now"), {QKeySequence(Qt::CTRL | Qt::Key_S)}, QStringLiteral("checkpoint"), [this] {
        for (const JobRow& job : m_context.bridge->jobs().rows())
            if (job.state == feed::JobState::Running && !job.runId.isEmpty()) m_context.engine->saveNow(job.id);
    });
    add(menu, QStringLiteral("continue-from-the-last-checkpoint"), tr("Continue from the last checkpoint"), {}, QStringLiteral("resume"), [this] {
        const QString run = m_context.selection->currentRun();
        if (run.isEmpty()) return;
        if (auto job = m_context.engine->resumeRun(run.toStdString()); !job) m_window.errors()->show(job.error());
    });
    menu->addSeparator();
    add(menu, QStringLiteral("show-or-hide-in-charts"), tr("Show or hide in charts"), {QKeySequence(Qt::CTRL | Qt::Key_E)}, QStringLiteral("eye"), [this] {
        for (const QString& run : m_window.navigator()->selectedRuns())
            m_context.selection->setShown(run, !m_context.selection->isShown(run));
    });
}

void WindowActions::buildWindow(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Window"));
    int number = 1;
    for (Page* page : m_window.pages()) {
        add(menu, QStringLiteral("page-") + page->key(), page->title(), {QKeySequence(Qt::ALT | static_cast<Qt::Key>(Qt::Key_0 + number))}, page->iconName(),
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
    add(menu, QStringLiteral("next-page"), tr("Next page"), {QKeySequence(Qt::CTRL | Qt::Key_Tab), QKeySequence(Qt::CTRL | Qt::Key_PageDown)}, {}, [step] { step(1); });
    add(menu, QStringLiteral("previous-page"), tr("Previous page"), {QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Tab), QKeySequence(Qt::CTRL | Qt::Key_PageUp)}, {},
        [step] { step(-1); });
}

void WindowActions::buildHelp(QMenuBar& bar) {
    QMenu* menu = bar.addMenu(tr("&Help"));
    add(menu, QStringLiteral("keys"), tr("Keys"), {QKeySequence(Qt::CTRL | Qt::Key_Question), QKeySequence(Qt::Key_F1)}, QStringLiteral("help"),
        [this] { showShortcuts(); });
    QAction* about = add(menu, QStringLiteral("about-espalier"), tr("About Espalier"), {}, QStringLiteral("info"), [this] {
        auto* dialog = new AboutDialog(m_context, &m_window);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    about->setMenuRole(QAction::AboutRole);
}

}  // namespace espalier::app
