#include "app/shell/main_window.h"

#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QDialog>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenuBar>
#include <QMimeData>
#include <QRegularExpression>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/bridge/edits.h"
#include "app/pages/empty_page.h"
#include "app/pages/page.h"
#include "app/pages/page_list.h"
#include "app/pages/page_parts.h"
#if __has_include("app/pages/new_run_dialog.h")
#include "app/pages/new_run_dialog.h"
#define ESPALIER_HAS_NEW_RUN 1
#endif
#include "app/shell/command_palette.h"
#include "app/shell/commands.h"
#include "app/shell/dock_grip.h"
#include "app/shell/english_plurals.h"
#include "app/shell/error_presenter.h"
#include "app/shell/inspector.h"
#include "app/shell/jobs_dock.h"
#include "app/shell/loop_watchdog.h"
#include "app/shell/navigator.h"
#include "app/shell/page_tabs.h"
#include "app/settings/settings.h"
#include "app/shell/sample_data.h"
#include "app/shell/stall_watch.h"
#include "app/shell/status_line.h"
#include "app/shell/window_actions.h"
#include "widgets/controls/controls.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

namespace metrics = widgets::metrics;
using widgets::Color;
using widgets::format::text;

namespace {
constexpr qsizetype kLongestHead = 80;  ///< of a notice, before its colon or semicolon
}

MainWindow::MainWindow(AppContext& context, QWidget* parent) : QMainWindow(parent), m_context(context) {
    installEnglishPlurals();
    setObjectName(QStringLiteral("MainWindow"));
    setWindowTitle(QStringLiteral("Espalier"));
    setDockOptions(QMainWindow::AnimatedDocks | QMainWindow::AllowTabbedDocks | QMainWindow::AllowNestedDocks);
    setMinimumSize(720, 450);
    resize(1440, 900);
    m_watchdog = new LoopWatchdog(this);
    m_watchdog->start();
    buildCentre();
    buildDocks();
    m_status = new StatusLine(context, this);
    statusBar()->addWidget(m_status, 1);
    statusBar()->setSizeGripEnabled(false);
    widgets::setTextHeight(statusBar(), metrics::kStatusBar);
    statusBar()->setContentsMargins(0, 0, 0, 0);
    m_stalls = new StallWatch(context, *m_watchdog, m_banners, this);
    connect(m_stalls, &StallWatch::logWanted, this, [this] { showJobsTab(JobsDock::Tab::Log); });
    m_actions = new WindowActions(context, *this);
    buildRails();
    buildMenuCorner();
    m_drops = new DropController(this);
    connect(m_drops, &DropController::planned, this, [this](const DropPlan& plan) { openPaths(plan.paths); });
    connect(m_drops, &DropController::refused, this,
            [this](const QString& sentence) { m_errors->toast(sentence, {}, QStringLiteral("error")); });
    connect(&widgets::theme(), &widgets::Theme::changed, this, &MainWindow::degrade);
    connectBridge();
    showNotices();
    updateEmpty();
}

// What opening the workspace had to say: reading only, a network file system, a rebuilt or migrated catalog.
void MainWindow::showNotices() {
    for (const std::string& notice : m_context.workspace->notices()) {
        const QString sentence = text(notice);
        static const QRegularExpression kFirstHalf(QStringLiteral("[:;] "));
        const qsizetype end = sentence.indexOf(kFirstHalf);
        // The first half of the sentence is bold; what follows explains it.
        const bool isShort = end > 0 && end < kLongestHead;
        m_errors->warn(isShort ? sentence.left(end) : sentence, isShort ? sentence.mid(end + 2) : QString());
    }
}

MainWindow::~MainWindow() {
    // Pages may still report while they go; nothing may be shown on widgets that are being taken down.
    delete m_errors;
    m_context.errors = nullptr;
}

void MainWindow::buildCentre() {
    auto* centre = new QWidget(this);
    widgets::setGround(centre, Color::Well);
    auto* layout = new QVBoxLayout(centre);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    m_tabs = new PageTabs(centre);
    layout->addWidget(m_tabs);
    auto* bannerArea = new BannerArea(centre);
    m_banners = bannerArea->column();
    layout->addWidget(bannerArea);
    m_stack = new QStackedWidget(centre);
    layout->addWidget(m_stack, 1);
    setCentralWidget(centre);
    m_errors = new ErrorPresenter(m_banners, centre, this);
    m_context.errors = m_errors;

    m_empty = new EmptyPage(m_context, m_stack);
    m_stack->addWidget(m_empty);
    m_pages = createPages(m_context, m_stack);
    for (Page* page : m_pages) {
        m_stack->addWidget(page);
        m_tabs->addPage(page->iconName(), page->title());
    }
    connect(m_tabs, &QTabBar::currentChanged, this, &MainWindow::showPage);
}

void MainWindow::buildDocks() {
    const auto addDock = [this](const QString& name, const QString& title, QWidget* content, Qt::DockWidgetArea area, bool hasGrip) {
        auto* dock = new QDockWidget(title, this);
        dock->setObjectName(name);
        dock->setTitleBarWidget(hasGrip ? static_cast<QWidget*>(new DockGrip(title, dock)) : new QWidget(dock));
        dock->setWidget(content);
        addDockWidget(area, dock);
        return dock;
    };
    m_navigator = new Navigator(m_context, this);
    m_inspector = new Inspector(m_context, this);
    m_jobs = new JobsDock(m_context, this);
    m_navigator->setMinimumWidth(metrics::kNavigatorMin);
    m_inspector->setMinimumWidth(metrics::kInspectorMin);
    m_navigatorDock = addDock(QStringLiteral("navigator"), tr("Navigator"), m_navigator, Qt::LeftDockWidgetArea, true);
    m_inspectorDock = addDock(QStringLiteral("inspector"), tr("Inspector"), m_inspector, Qt::RightDockWidgetArea, true);
    m_jobsDock = addDock(QStringLiteral("jobs"), tr("Jobs"), m_jobs, Qt::BottomDockWidgetArea, false);
    resizeDocks({m_navigatorDock, m_inspectorDock}, {metrics::kNavigator, metrics::kInspector}, Qt::Horizontal);
    m_jobsDock->hide();  // comes with the first job
    connect(m_jobs, &JobsDock::runActivated, this, [this](const QString& run) {
        m_context.selection->setCurrentRun(run);
        openPage(QStringLiteral("train"));
    });
}

void MainWindow::buildMenuCorner() {
    widgets::setTextHeight(menuBar(), metrics::kMenuBar);
    menuBar()->setNativeMenuBar(false);
    auto* corner = new QWidget(menuBar());
    widgets::setTextHeight(corner, metrics::kMenuBar - 1);  // the bar puts it at its top
    auto* row = new QHBoxLayout(corner);
    row->setContentsMargins(0, 0, 10, 0);
    row->setSpacing(2);
    m_field = new CommandField(m_context, this);
    row->addWidget(m_field);
    row->addSpacing(6);
    const auto add = [&](const char* iconName, const QString& name, QAction* action) {
        QToolButton* button = widgets::makeIconButton(QString::fromLatin1(iconName), name, corner, widgets::ControlSize::Small);
        connect(button, &QToolButton::clicked, action, &QAction::trigger);
        row->addWidget(button);
    };
    add("sidebar", tr("Side panels (F9)"), m_actions->sidePanels());
    add("theme", tr("Next theme"), m_actions->nextTheme());
    add("settings", tr("Settings (Ctrl+,)"), m_actions->settings());
    menuBar()->setCornerWidget(corner, Qt::TopRightCorner);
    // The bar measures its corner only when told: at another text size its buttons grow.
    connect(&widgets::theme(), &widgets::Theme::changed, corner, [this, corner] {
        QMetaObject::invokeMethod(corner, [this, corner] {
            corner->layout()->activate();
            menuBar()->setCornerWidget(corner, Qt::TopRightCorner);
        }, Qt::QueuedConnection);
    });
    m_field->setActions(m_actions->all());
}

void MainWindow::connectBridge() {
    EngineBridge& bridge = *m_context.bridge;
    Commands& commands = *m_context.commands;
    connect(&bridge, &EngineBridge::catalogChanged, this, [this] {
        updateEmpty();
        const bool isFirst = !m_isRestored;
        if (isFirst) restoreSession();
        selectFirst();
        if (isFirst) m_navigator->focusList();
    });
    connect(&bridge, &EngineBridge::failed, this, [this](const Error& error) { m_errors->show(error); });
    connect(&bridge, &EngineBridge::jobAdded, this, [this] { m_jobsDock->show(); });
    connect(&bridge, &EngineBridge::jobStateChanged, this, &MainWindow::jobEnded);
    connect(&bridge, &EngineBridge::datasetReady, this, [this](quint64, const QString& dataset) {
        m_context.selection->setCurrentDataset(dataset);
        openPage(QStringLiteral("data"));
    });
    connect(m_context.edits, &Edits::failed, this, [this](const Error& error) { m_errors->show(error); });
    connect(m_context.edits, &Edits::trashEmptied, this, [this](qint64 bytes) {
        m_errors->toast(tr("Trash emptied"), tr("%1 freed").arg(widgets::format::bytes(bytes)), QStringLiteral("check"));
    });
    connect(&commands, &Commands::newRunRequested, this, &MainWindow::openNewRun);
    connect(&commands, &Commands::importRequested, this, &MainWindow::importPaths);
    connect(&commands, &Commands::chooseFilesRequested, this, &MainWindow::chooseFiles);
    connect(&commands, &Commands::pageRequested, this, &MainWindow::openPage);
    connect(&commands, &Commands::sampleRequested, this, &MainWindow::importSample);
    connect(&commands, &Commands::filterRequested, m_navigator, &Navigator::setFilter);
}

Page* MainWindow::currentPage() const {
    return m_active < 0 || m_active >= static_cast<int>(m_pages.size()) ? nullptr : m_pages[static_cast<std::size_t>(m_active)];
}

void MainWindow::openPage(const QString& key) {
    for (std::size_t i = 0; i < m_pages.size(); ++i)
        if (m_pages[i]->key() == key) m_tabs->setCurrentIndex(static_cast<int>(i));
    updateEmpty();
}

void MainWindow::showPage(int index) {
    if (Page* before = currentPage(); before && index != m_active) before->deactivated();
    m_active = index;
    updateEmpty();
    if (Page* page = currentPage()) {
        m_stalls->noteAct(page->title());
        page->activated();
        m_inspector->setPage(isEmptyShown() ? nullptr : page);
    }
}

void MainWindow::updateEmpty() {
    const EngineBridge& bridge = *m_context.bridge;
    const bool isEmpty = m_isEmptyForced || m_pages.empty() ||
                         (bridge.isCatalogRead() && m_context.bridge->runs().rowCount() == 0 && m_context.bridge->datasets().rowCount() == 0);
    if (m_active < 0 && !m_pages.empty()) m_active = std::max(0, m_tabs->currentIndex());
    QWidget* wanted = isEmpty ? static_cast<QWidget*>(m_empty) : currentPage();
    if (!wanted || m_stack->currentWidget() == wanted) return;
    m_stack->setCurrentWidget(wanted);
    m_inspector->setPage(isEmpty ? nullptr : currentPage());
    if (!isEmpty) currentPage()->activated();
}

bool MainWindow::isEmptyShown() const { return m_stack->currentWidget() == m_empty; }

void MainWindow::forceEmptyPage(bool isForced) {
    m_isEmptyForced = isForced;
    updateEmpty();
}

bool MainWindow::isSettled() const {
    const Page* page = currentPage();
    return m_context.bridge->isSettled() && m_context.edits->isIdle() && (isEmptyShown() || !page || page->isSettled());
}

void MainWindow::selectFirst() {
    Selection& selection = *m_context.selection;
    if (selection.focus() != Selection::Focus::None) return;
    if (const feed::RunInfo* run = m_context.bridge->runs().at(0)) {
        selection.setShown(text(run->id), true);
        selection.setCurrentRun(text(run->id));
    } else if (const feed::DatasetSummary* set = m_context.bridge->datasets().at(0)) {
        selection.setCurrentDataset(text(set->id));
    } else if (const api::RecipeCard* first = firstRecipe(*m_context.registry)) {
        selection.setCurrentRecipe(text(first->id));
    }
}

void MainWindow::openNewRun(const QString& recipe, const QString& dataset, const QString& parentRun) {
#ifdef ESPALIER_HAS_NEW_RUN
    if (m_newRun && m_newRun->isVisible()) {
        m_newRun->raise();
        return;
    }
    auto* dialog = new NewRunDialog(m_context, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->preset(recipe, dataset, parentRun);
    m_newRun = dialog;
    dialog->open();
#else
    Q_UNUSED(recipe)
    Q_UNUSED(dataset)
    Q_UNUSED(parentRun)
    m_errors->toast(tr("This build has no New-run window"), {}, QStringLiteral("warning"));
#endif
}

void MainWindow::importPaths(const QStringList& paths) {
    runtime::ImportRequest request;
    for (const QString& path : paths) {
        request.paths.emplace_back(path.toStdString());
        m_context.settings->addRecentFile(path);
    }
    if (auto job = m_context.engine->submitImport(request); !job)
        m_errors->show(job.error());
    else
        m_jobsDock->show();
}

void MainWindow::openPaths(const QStringList& paths) {
    const DropPlan plan = planDrop(paths);
    switch (plan.kind) {
        case DropPlan::Kind::Refused: m_errors->toast(plan.sentence, {}, QStringLiteral("error")); break;
        case DropPlan::Kind::Import: importPaths(plan.paths); break;
        case DropPlan::Kind::Weights: openNewRun({}, {}, plan.paths.front()); break;
    }
}

void MainWindow::importSample() {
    const QString file = sampleFile(QStringLiteral("digits/digits.csv.gz"));
    if (file.isEmpty()) {
        m_errors->show(Error{ErrorCode::NotFound, "The sample data is not beside the program", "samples/digits",
                             "Install Espalier with its data files, or start it from its build folder", {}});
        return;
    }
    runtime::ImportRequest request;
    request.paths.emplace_back(file.toStdString());
    request.name = "digits";
    if (auto job = m_context.engine->submitImport(request); !job) m_errors->show(job.error());
}

void MainWindow::chooseFiles() {
    auto* dialog = new QFileDialog(this, tr("Import files"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFiles);
    connect(dialog, &QFileDialog::filesSelected, this, &MainWindow::openPaths);
    dialog->open();
}

void MainWindow::chooseFolder() {
    auto* dialog = new QFileDialog(this, tr("Import a folder"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    connect(dialog, &QFileDialog::filesSelected, this, &MainWindow::openPaths);
    dialog->open();
}

void MainWindow::pastePaths() {
    const QStringList paths = localPaths(QApplication::clipboard()->mimeData());
    if (paths.isEmpty())
        m_errors->toast(tr("The clipboard holds no path of a file"), {}, QStringLiteral("warning"));
    else
        openPaths(paths);
}

void MainWindow::jobEnded(quint64 job) {
    const JobRow* row = m_context.bridge->jobs().find(job);
    if (!row || !feed::isFinal(row->state)) return;
    const Remedy show{tr("Show"), [this, run = row->runId] {
                          m_context.selection->setCurrentRun(run);
                          openPage(QStringLiteral("train"));
                      }};
    const std::vector<Remedy> remedies = row->runId.isEmpty() ? std::vector<Remedy>{} : std::vector<Remedy>{show};
    if (row->state == feed::JobState::Completed)
        m_errors->toast(row->title, row->warnings > 0 ? tr("completed with %1").arg(row->warnings == 1 ? tr("1 warning") : tr("%1 warnings").arg(widgets::format::count(row->warnings))) : tr("completed"),
                        row->warnings > 0 ? QStringLiteral("warning") : QStringLiteral("check"), remedies);
    else if (row->state == feed::JobState::Failed)
        m_errors->show(Error{ErrorCode::Internal, row->title.toStdString() + " failed", reasonOf(*row).toStdString(),
                             row->runId.isEmpty() ? "" : "What was logged up to the last checkpoint is kept", {}},
                       remedies, tr("%1 failed").arg(row->title));
}

void MainWindow::closeEvent(QCloseEvent* event) {
    saveSession();
    event->accept();
}

}  // namespace espalier::app
