#include <QAbstractItemModelTester>
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QDropEvent>
#include <QFile>
#include <QJsonObject>
#include <QLineEdit>
#include <QListView>
#include <QMimeData>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <QTreeView>
#include <QUrl>

#include <cmath>
#include <memory>

#include "app/pages/empty_page.h"
#include "app/pages/page.h"
#include "app/shell/command_palette.h"
#include "app/shell/error_presenter.h"
#include "app/shell/inspector.h"
#include "app/shell/job_row.h"
#include "app/shell/jobs_dock.h"
#include "app/shell/loop_watchdog.h"
#include "app/shell/main_window.h"
#include "app/shell/navigator.h"
#include "app/shell/services.h"
#include "app/shell/status_line.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/theme.h"

using namespace espalier;
using namespace espalier::app;

namespace {

constexpr int kImportMs = 20000;
constexpr int kTrainMs = 60000;

}  // namespace

/// The window over the real engine and a workspace in a temporary folder; everything comes in by events a user makes.
class TestMainWindow : public QObject {
    Q_OBJECT

    api::RecipeRegistry m_registry;
    QTemporaryDir m_folder;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    std::unique_ptr<MainWindow> m_window;

    QString csvPath() const { return m_folder.filePath(QStringLiteral("squares.csv")); }

    // 120 pictures of 8×8 in two classes that a small model tells apart at once.
    void writeCsv() const {
        QFile file(csvPath());
        QVERIFY(file.open(QIODevice::WriteOnly));
        for (int row = 0; row < 120; ++row) {
            const int label = row % 2;
            QByteArray line;
            for (int pixel = 0; pixel < 64; ++pixel) {
                const bool isLeft = pixel % 8 < 4;
                line += QByteArray::number((isLeft == (label == 0) ? 12 : 2) + (row * 7 + pixel * 3) % 4) + ',';
            }
            file.write(line + (label == 0 ? "left\n" : "right\n"));
        }
    }

    void dropOn(QWidget* target, const QString& path) {
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(path)});
        QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(target, &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(target, &drop);
    }

    void importCsv() {
        if (m_services->bridge.datasets().rowCount() > 0) return;
        dropOn(m_window.get(), csvPath());
        QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.datasets().rowCount(), 1, kImportMs);
    }

    Result<feed::JobId> submit(const std::map<std::string, std::string>& params, const std::string& name) {
        runtime::RunRequest request;
        request.recipe = "70";
        request.dataset = "squares";
        request.scale = api::Scale::Smoke;
        request.params = params;
        request.name = name;
        request.threads = 1;
        return m_engine->submit(request);
    }

    // For eyes: ESPALIER_PICTURES names a folder.
    void savePicture(const QString& name) const {
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        if (!folder.isEmpty()) m_window->grab().save(folder + u'/' + name + QStringLiteral(".png"));
    }

    // One finished smoke run, made once.
    QString finishedRun() {
        importCsv();
        for (const feed::RunInfo& run : m_services->bridge.runs().runs())
            if (run.state == feed::JobState::Completed) return QString::fromStdString(run.id);
        const auto job = submit({}, "first");
        if (!job) qWarning("%s", job.error().sentence().c_str());
        if (!job) return {};
        const bool isDone = QTest::qWaitFor(
            [&] {
                const JobRow* row = m_services->bridge.jobs().find(*job);
                return row && feed::isFinal(row->state);
            },
            kTrainMs);
        const JobRow* row = m_services->bridge.jobs().find(*job);
        if (!isDone || !row || row->state != feed::JobState::Completed) {
            qWarning("%s", row ? qPrintable(row->sentence) : "no job");
            return {};
        }
        const bool isListed = QTest::qWaitFor([&] { return m_services->bridge.run(row->runId) != nullptr; }, 5000);
        return isListed ? row->runId : QString();
    }

    void openWindow() {
        m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("settings.ini")));
        m_window = std::make_unique<MainWindow>(m_services->context);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        QTRY_VERIFY(m_window->isSettled());
    }

private Q_SLOTS:
    void initTestCase() {
        widgets::theme().install(*qApp, widgets::ThemeKind::Dark);
        QVERIFY(api::registerAllRecipes(m_registry));
        QVERIFY(!m_registry.cards().empty());
        auto workspace = runtime::Workspace::open(m_folder.filePath(QStringLiteral("workspace")).toStdString());
        if (!workspace) QFAIL(workspace.error().sentence().c_str());
        m_workspace = *workspace;
        m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
        writeCsv();
        openWindow();
    }

    void cleanupTestCase() {
        m_window.reset();
        m_services.reset();
        m_engine.reset();
    }

    void emptyWorkspaceSaysWhatToDo() {
        QVERIFY(m_window->isEmptyShown());
        auto* page = m_window->findChild<EmptyPage*>();
        QCOMPARE(page->recipeTable()->model()->rowCount(), static_cast<int>(m_registry.cards().size()));
        QCOMPARE(m_services->selection.focus(), Selection::Focus::Recipe);
        QVERIFY(!m_window->jobsDock()->isVisible());
    }

    void refusesAPickleWithTheReason() {
        const QString path = m_folder.filePath(QStringLiteral("model.pt"));
        QFile(path).open(QIODevice::WriteOnly);
        dropOn(m_window.get(), path);
        QCOMPARE(m_window->errors()->toastCount(), 1);
        QVERIFY(m_window->drops()->hovering().sentence.contains(QStringLiteral("pickle")));
        QCOMPARE(m_services->bridge.jobs().rowCount(), 0);
    }

    void droppedFileBecomesADataset() {
        importCsv();
        QTRY_VERIFY(!m_window->isEmptyShown() || m_window->pages().empty());
        QCOMPARE(m_services->bridge.datasets().at(0)->samples, 120);
        QTRY_COMPARE(m_services->selection.currentDataset(), QString::fromStdString(m_services->bridge.datasets().at(0)->id));
        QVERIFY(m_window->jobsDock()->isVisible());
    }

    void modelsKeepTheirPromises() {
        QAbstractItemModelTester runs(&m_services->bridge.runs());
        QAbstractItemModelTester jobs(&m_services->bridge.jobs());
        QAbstractItemModelTester datasets(&m_services->bridge.datasets());
        const QString run = finishedRun();
        QVERIFY(!run.isEmpty());
    }

    void curvesOfALiveRunArrive() {
        const QString run = finishedRun();
        QVERIFY(!run.isEmpty());
        const widgets::Series* loss = m_services->bridge.series().find(run, QStringLiteral("train/loss"));
        QVERIFY(loss);
        QVERIFY(loss->size() >= 1);
        const auto logged = m_workspace->readSeries(run.toStdString(), "train/loss");
        QVERIFY(logged);
        m_services->bridge.drainAll();
        QCOMPARE(loss->size(), logged->values.size());
        QCOMPARE(loss->values.back(), logged->values.back());
        QSignalSpy loaded(&m_services->bridge, &EngineBridge::runLoaded);
        m_services->bridge.loadRun(run);
        QTRY_COMPARE(loaded.count(), 1);
        QCOMPARE(loss->size(), logged->values.size());  // reading the log doubled nothing
        QCOMPARE(loss->values, logged->values);
    }

    void clickInTheNavigatorSelectsARun() {
        const QString run = finishedRun();
        m_services->selection.setCurrentRecipe(QString::fromStdString(m_registry.cards().front().id));
        QListView* view = m_window->navigator()->runView();
        QTRY_COMPARE(view->model()->rowCount(), 1);
        QTRY_VERIFY(view->isVisible());
        const QRect row = view->visualRect(view->model()->index(0, 0));
        QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, row.center());
        QCOMPARE(m_services->selection.currentRun(), run);
        QCOMPARE(m_services->selection.focus(), Selection::Focus::Run);
        const bool wasShown = m_services->selection.isShown(run);
        QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, widgets::RunRowDelegate::swatchRect(row).center());
        QCOMPARE(m_services->selection.isShown(run), !wasShown);
    }

    void renamesByF2AndUndoes() {
        const QString run = finishedRun();
        QListView* view = m_window->navigator()->runView();
        view->setFocus();
        view->setCurrentIndex(view->model()->index(0, 0));
        QTest::keyClick(view, Qt::Key_F2);
        auto* editor = view->findChild<QLineEdit*>();
        QVERIFY(editor);
        editor->selectAll();
        QTest::keyClicks(editor, QStringLiteral("renamed"));
        QTest::keyClick(editor, Qt::Key_Return);
        QTRY_COMPARE(QString::fromStdString(m_services->bridge.run(run)->name), QStringLiteral("renamed"));
        QTRY_VERIFY(m_services->edits.isIdle());
        QCOMPARE(m_workspace->run(run.toStdString())->name, std::string("renamed"));
        QVERIFY(m_window->status()->undoText().contains(QStringLiteral("rename first to renamed")));
        QTest::keyClick(m_window.get(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(QString::fromStdString(m_services->bridge.run(run)->name), QStringLiteral("first"));
        QTRY_VERIFY(m_services->edits.isIdle());
        QCOMPARE(m_workspace->run(run.toStdString())->name, std::string("first"));
    }

    void trashIsUndone() {
        const QString run = finishedRun();
        m_services->selection.setCurrentRun(run);
        m_window->navigator()->runView()->setFocus();
        QTest::keyClick(m_window->navigator()->runView(), Qt::Key_Delete);
        QTRY_COMPARE(m_services->bridge.runs().rowCount(), 0);
        QTest::keyClick(m_window.get(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(m_services->bridge.runs().rowCount(), 1);
    }

    void filterUsesTheLanguageOfTheWorkspace() {
        finishedRun();
        Navigator* navigator = m_window->navigator();
        navigator->setFilter(QStringLiteral("name ~ nothing-like-it"));
        QTRY_COMPARE(navigator->runView()->model()->rowCount(), 0);
        navigator->setFilter(QStringLiteral("firs"));
        QTRY_COMPARE(navigator->runView()->model()->rowCount(), 1);
        navigator->setFilter(QString());
        QTRY_COMPARE(navigator->runView()->model()->rowCount(), 1);
    }

    void paletteFindsRunsAndCommands() {
        const QString run = finishedRun();
        m_services->selection.setCurrentRecipe(QString::fromStdString(m_registry.cards().front().id));
        m_window->activateWindow();
        m_window->commandField()->open();
        QVERIFY(m_window->commandField()->isListOpen());
        QTest::keyClicks(m_window->commandField(), QStringLiteral("first"));
        QCOMPARE(m_window->commandField()->shownTexts().value(0), QStringLiteral("first"));
        QTest::keyClick(m_window->commandField(), Qt::Key_Return);
        QVERIFY(!m_window->commandField()->isListOpen());
        QCOMPARE(m_services->selection.currentRun(), run);
        m_window->commandField()->open();
        QTest::keyClicks(m_window->commandField(), QStringLiteral("next theme"));
        QTest::keyClick(m_window->commandField(), Qt::Key_Return);
        QCOMPARE(widgets::theme().kind(), widgets::ThemeKind::Light);
        widgets::theme().setKind(widgets::ThemeKind::Dark);
    }

    void stopButtonStopsARunWithinAStep() {
        importCsv();
        const auto job = submit({{"epochs", "400"}}, "long");
        if (!job) QFAIL(job.error().sentence().c_str());
        QTRY_VERIFY_WITH_TIMEOUT(m_services->bridge.jobs().find(*job) &&
                                     m_services->bridge.jobs().find(*job)->state == feed::JobState::Running, kTrainMs);
        const QString run = m_services->bridge.jobs().find(*job)->runId;
        QTRY_VERIFY_WITH_TIMEOUT(m_services->bridge.series().find(run, QStringLiteral("train/loss")), kTrainMs);
        m_window->watchdog()->reset();
        QTest::qWait(1500);  // the window draws a live run meanwhile
        const double block = m_window->watchdog()->maxBlockMs();
        savePicture(QStringLiteral("live"));
        JobRowWidget* row = m_window->jobs()->rowOf(*job);
        QVERIFY(row);
        QTest::mouseClick(row->pauseButton(), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.jobs().find(*job)->state, feed::JobState::Paused, 5000);
        QTest::mouseClick(row->pauseButton(), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.jobs().find(*job)->state, feed::JobState::Running, 5000);
        QTest::mouseClick(row->stopButton(), Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.jobs().find(*job)->state, feed::JobState::Stopped, 5000);
        qInfo("longest block of the event loop while training: %.1f ms", block);
        QVERIFY2(block <= 50.0, "the window was blocked for more than 50 ms while training");
    }

    void pastedPathIsImported() {
        QApplication::clipboard()->setText(csvPath());
        const int before = m_services->bridge.jobs().rowCount();
        m_window->navigator()->runView()->setFocus();
        QTest::keyClick(m_window.get(), Qt::Key_V, Qt::ControlModifier);
        QTRY_COMPARE(m_services->bridge.jobs().rowCount(), before + 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_engine->isIdle(), kImportMs);
    }

    void sidePanelsHideAndComeBack() {
        QTest::keyClick(m_window.get(), Qt::Key_F9);
        QVERIFY(!m_window->navigatorDock()->isVisible());
        QTest::keyClick(m_window.get(), Qt::Key_F9);
        QVERIFY(m_window->navigatorDock()->isVisible());
    }

    void fitsALowWindow() {
        m_window->resize(1280, 720);
        QTest::qWait(50);
        QVERIFY(m_window->width() <= 1280);
        QVERIFY(m_window->height() <= 720);
        QVERIFY(m_window->navigatorDock()->width() <= 220);
        m_window->resize(1440, 900);
        QTest::qWait(50);
        QVERIFY(m_window->navigatorDock()->width() >= 240);
    }

    void sessionComesBack() {
        const QString run = finishedRun();
        m_services->selection.setCurrentRun(run);
        m_services->selection.setShownRuns({run});
        const QString page = m_window->pages().empty() ? QString() : m_window->pages().back()->key();
        if (!page.isEmpty()) m_window->openPage(page);
        m_window->close();
        m_window.reset();
        m_services.reset();
        openWindow();
        QTRY_COMPARE(m_services->selection.currentRun(), run);
        QCOMPARE(m_services->selection.shownRuns(), QStringList{run});
        if (!page.isEmpty()) QCOMPARE(m_window->currentPage()->key(), page);
        // A finished run is read from its log.
        m_services->bridge.loadRun(run);
        QTRY_VERIFY(m_services->bridge.isLoaded(run));
        QVERIFY(m_services->bridge.series().find(run, QStringLiteral("train/loss"))->size() >= 1);
    }
};

QTEST_MAIN(TestMainWindow)
#include "tst_main_window.moc"
