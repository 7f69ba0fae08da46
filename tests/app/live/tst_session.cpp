// labels: fast gate
#include "engine/api/torch.h"

#include <QDockWidget>
#include <QListView>
#include <QToolBar>
#include <QToolButton>
#include <QtTest>

#include "app/pages/page.h"
#include "app/pages/train_page.h"
#include "app/shell/navigator.h"
#include "app/shell/single_instance.h"
#include "tests/support/live_window.h"
#include "tests/support/memory_folder.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/plot/qcp.h"

using namespace espalier;
using namespace espalier::app;
using feed::JobState;

/// What comes back after a restart, and what a second start and a small screen do.
class TestSession : public QObject {
    Q_OBJECT
    std::unique_ptr<tests::LiveWindow> m_live;
    QString m_run;

    MainWindow& window() const { return *m_live->window; }

private Q_SLOTS:
    void initTestCase() {
        tests::useMemoryFolder();
        m_live = std::make_unique<tests::LiveWindow>();
        const auto job = m_live->start({{"epochs", "3"}}, "first");
        QVERIFY(m_live->waitFor(job, JobState::Completed));
        const auto other = m_live->start({{"epochs", "2"}}, "second");
        QVERIFY(m_live->waitFor(other, JobState::Completed));
        m_run = m_live->row(job)->runId;
        QTRY_COMPARE(m_live->services->bridge.runs().rowCount(), 2);
    }
    void cleanupTestCase() { m_live.reset(); }

    void pageRunDocksAndThemeComeBack() {
        m_live->services->selection.setCurrentRun(m_run);
        m_live->services->selection.setShownRuns({m_run});
        QTest::keyClick(&window(), Qt::Key_5, Qt::AltModifier);
        const QString page = window().currentPage()->key();
        QVERIFY(page != QStringLiteral("train"));
        window().inspectorDock()->hide();
        window().navigatorDock()->setFloating(true);
        QTest::keyClick(&window(), Qt::Key_T, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(widgets::theme().kind(), widgets::ThemeKind::Light);
        m_live->reopen();
        QCOMPARE(window().currentPage()->key(), page);
        QTRY_COMPARE(m_live->services->selection.currentRun(), m_run);
        QCOMPARE(m_live->services->selection.shownRuns(), QStringList{m_run});
        QVERIFY(!window().inspectorDock()->isVisible());
        QVERIFY(window().navigatorDock()->isFloating());
        // main.cpp installs the theme that the settings name.
        QCOMPARE(m_live->services->settings.themeKind(), widgets::ThemeKind::Light);
        widgets::theme().setKind(widgets::ThemeKind::Dark);
        m_live->services->settings.setThemeKind(widgets::ThemeKind::Dark);
        window().resetLayout();
        QVERIFY(window().inspectorDock()->isVisible());
        QVERIFY(!window().navigatorDock()->isFloating());
    }

    void stateOfAPageComesBack() {
        window().openPage(QStringLiteral("train"));
        auto* train = qobject_cast<TrainPage*>(window().currentPage());
        QVERIFY(train);
        train->lossChart()->plot()->setFocus();
        QTest::keyClick(train->lossChart()->plot(), Qt::Key_L);
        QVERIFY(train->lossChart()->isLogY());
        m_live->reopen();
        train = qobject_cast<TrainPage*>(window().currentPage());
        QVERIFY(train && train->lossChart()->isLogY());
    }

    void aRunThatIsGoneIsLeftOut() {
        m_live->services->selection.setCurrentRun(m_run);
        window().saveSession();
        QVERIFY(m_live->workspace->trashRun(m_run.toStdString()));
        m_live->reopen();
        QVERIFY(m_live->services->selection.currentRun() != m_run);
        QVERIFY(m_live->workspace->restoreRun(m_run.toStdString()));
        m_live->services->bridge.refreshCatalog();
        QTRY_COMPARE(m_live->services->bridge.runs().rowCount(), 2);
    }

    void foldsToRailsOnASmallScreen() {
        window().resize(1440, 900);
        QVERIFY(!window().isFolded());
        QVERIFY(window().navigatorDock()->isVisible());
        window().resize(720, 450);
        QTRY_VERIFY(window().isFolded());
        QVERIFY(window().width() <= 720 && window().height() <= 450);
        QVERIFY(!window().navigatorDock()->isVisible() && !window().inspectorDock()->isVisible());
        QToolBar* rail = window().rail(Qt::LeftToolBarArea);
        QVERIFY(rail->isVisible());
        QCOMPARE(rail->width(), 40);
        auto* runs = qobject_cast<QToolButton*>(rail->widgetForAction(rail->actions().front()));
        QVERIFY(runs);
        QTest::mouseClick(runs, Qt::LeftButton);
        QVERIFY(window().navigatorDock()->isVisible());
        QTest::mouseClick(runs, Qt::LeftButton);
        QVERIFY(!window().navigatorDock()->isVisible());
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        QTest::qWait(100);
        if (!folder.isEmpty()) window().grab().save(folder + QStringLiteral("/rails.png"));
        // Closed while folded, opened on a large screen: the docks are there.
        m_live->reopen();
        window().resize(1440, 900);
        QTRY_VERIFY(!window().isFolded());
        QVERIFY(window().navigatorDock()->isVisible() && window().inspectorDock()->isVisible());
        QVERIFY(!window().rail(Qt::LeftToolBarArea)->isVisible());
    }

    void chartsStandInOneColumnWhenNarrow() {
        m_live->services->selection.setCurrentRun(m_run);
        window().resize(720, 450);
        window().openPage(QStringLiteral("train"));
        auto* train = qobject_cast<TrainPage*>(window().currentPage());
        QTRY_VERIFY(train->width() < 680);
        const auto charts = train->charts();
        QCOMPARE(charts.size(), 4);
        const auto topOf = [&](int i) { return charts[i]->mapTo(train, QPoint()).y(); };
        QTRY_VERIFY(topOf(1) < topOf(2) && topOf(2) < topOf(3));
        for (const auto* chart : charts) QVERIFY(chart->height() >= 150 && chart->width() > 400);
        window().resize(1440, 900);
        QTRY_COMPARE(topOf(1), topOf(3));
    }

    void aSecondStartHandsItsPathsOver() {
        const QString folder = QString::fromStdString(m_live->workspace->folder().string());
        SingleInstance first(folder), second(folder), elsewhere(m_live->folder.path());
        QVERIFY(!second.handOver({}));  // nobody listens yet
        QVERIFY(first.listen());
        connect(&first, &SingleInstance::startedAgain, &window(), &MainWindow::comeToFront);
        const QString path = m_live->folder.filePath(QStringLiteral("two.csv"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        for (int i = 0; i < 40; ++i) file.write(QByteArray::number(i) + ',' + QByteArray::number(i % 7) + (i % 2 ? ",odd\n" : ",even\n"));
        file.close();
        window().showMinimized();
        // handOver() blocks as a starting process does; the answer comes from this one.
        bool isTaken = false;
        std::unique_ptr<QThread> starter(QThread::create([&] { isTaken = second.handOver({path}); }));
        starter->start();
        QTRY_VERIFY_WITH_TIMEOUT(starter->isFinished(), 5000);
        QVERIFY(isTaken);
        QTRY_VERIFY(!window().isMinimized());
        QTRY_COMPARE_WITH_TIMEOUT(m_live->services->bridge.datasets().rowCount(), 1, 20000);
        QCOMPARE(m_live->services->settings.recentFiles().value(0), path);
        QVERIFY(!elsewhere.handOver({}));
    }

    void aTrashedDataSetComesBackByUndo() {
        QTRY_COMPARE(m_live->services->bridge.datasets().rowCount(), 1);
        QListView* view = window().navigator()->datasetView();
        window().resize(1440, 900);
        QApplication::setActiveWindow(&window());
        view->setFocus();
        QTRY_VERIFY(view->hasFocus());
        view->setCurrentIndex(view->model()->index(0, 0));
        QTest::keyClick(view, Qt::Key_Delete);
        QTRY_COMPARE_WITH_TIMEOUT(m_live->services->bridge.datasets().rowCount(), 0, 5000);
        QVERIFY(m_live->services->undo.undoText().contains(QStringLiteral("to the trash")));
        QTest::keyClick(&window(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(m_live->services->bridge.datasets().rowCount(), 1, 5000);
        QVERIFY(m_live->services->bridge.datasets().at(0)->samples == 40);
        QTest::keyClick(&window(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_COMPARE_WITH_TIMEOUT(m_live->services->bridge.datasets().rowCount(), 0, 5000);
        QTest::keyClick(&window(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(m_live->services->bridge.datasets().rowCount(), 1, 5000);
    }
};

QTEST_MAIN(TestSession)
#include "tst_session.moc"
