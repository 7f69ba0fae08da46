#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTabBar>
#include <QToolButton>
#include <QtTest>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <utility>

#include "app/pages/new_run_recipes.h"
#include "tests/support/new_run_window.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/messages.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

/// Starting from the New-run window: seeds, one run each, what happens when some are refused, and jobs on a finished run.
class TestNewRunStart : public QObject, tests::NewRunWindow {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { start(); }
    void cleanupTestCase() { stop(); }
    void wrongSeedsDisableStart();
    void enterStartsOneRunASeed();
    void aPartialFailureKeepsOnlyTheOpenSeeds();
    void quantizerForecastIsThatOfItsParent();
};

void TestNewRunStart::wrongSeedsDisableStart() {
    open();
    typeSeeds(QStringLiteral("0; one"));
    QVERIFY(!m_dialog->target()->seedRow()->problem().isEmpty());
    QVERIFY(!m_dialog->startButton()->isEnabled());
    const auto before = runs().size();
    QTest::keyClick(m_dialog.get(), Qt::Key_Return);
    QTest::qWait(50);
    QCOMPARE(runs().size(), before);
    QVERIFY(m_dialog->isVisible());
}

void TestNewRunStart::enterStartsOneRunASeed() {
    open();
    clickScale(0);
    type("lr", "3e-3");
    typeSeeds(QStringLiteral("4,5"));
    QTest::keyClicks(m_dialog->target()->tagRow()->editor(), QStringLiteral("first, try"));
    settle();
    QSignalSpy started(m_dialog.get(), &NewRunDialog::started);
    QSignalSpy pages(&m_services->commands, &Commands::pageRequested);
    QTest::keyClick(m_dialog->target()->seedRow()->editor(), Qt::Key_Return);
    QTRY_COMPARE_WITH_TIMEOUT(started.count(), 1, 10000);
    QTRY_VERIFY(!m_dialog->isVisible());
    const auto all = runs();
    QCOMPARE(all.size(), std::size_t(2));
    std::set<std::int64_t> seeds;
    for (const feed::RunInfo& run : all) {
        seeds.insert(run.seed);
        QCOMPARE(run.recipe, std::string("70-compact-transformers"));
        QCOMPARE(run.scale, std::string("smoke"));
        QCOMPARE(run.params.at("lr"), std::string("0.003"));
        QCOMPARE(run.params.at("epochs"), std::string("1"));
        QCOMPARE(run.datasetId, m_dataset.toStdString());
        QCOMPARE(run.tags, (std::vector<std::string>{"first", "try"}));
    }
    QCOMPARE(seeds, (std::set<std::int64_t>{4, 5}));
    QTRY_COMPARE_WITH_TIMEOUT(pages.count(), 1, 10000);
    QCOMPARE(pages.front().front().toString(), QStringLiteral("train"));
    QVERIFY(!m_services->selection.currentRun().isEmpty());
    QTRY_VERIFY_WITH_TIMEOUT(m_engine->isIdle(), 60000);
    for (const feed::RunInfo& run : runs()) QVERIFY2(run.state == feed::JobState::Completed, run.stateDetail.c_str());
}

void TestNewRunStart::aPartialFailureKeepsOnlyTheOpenSeeds() {
    open();
    clickScale(0);
    constexpr int kSeeds = 60;
    QStringList words;
    for (int seed = 100; seed < 100 + kSeeds; ++seed) words << QString::number(seed);
    typeSeeds(words.join(u','));
    settle();
    // As soon as the first run is queued a file stands where the folders of the next ones would go.
    const std::filesystem::path folder = m_workspace->folder() / "runs", aside = m_workspace->folder() / "runs-aside";
    bool isBlocked = false;
    connect(&m_services->bridge, &EngineBridge::jobAdded, m_dialog.get(), [&] {
        if (std::exchange(isBlocked, true)) return;
        std::filesystem::rename(folder, aside);
        std::ofstream(folder) << "in the way";
    });
    QSignalSpy started(m_dialog.get(), &NewRunDialog::started);
    QTest::mouseClick(m_dialog->startButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_dialog->findChild<Banner*>() || !m_dialog->isVisible(), 20000);
    if (isBlocked) {
        std::filesystem::remove(folder);
        std::filesystem::rename(aside, folder);
    }
    for (const JobRow& job : m_services->bridge.jobs().rows())
        if (!feed::isFinal(job.state)) m_engine->stop(job.id);
    QVERIFY(m_dialog->isVisible());
    QCOMPARE(started.count(), 1);
    const auto made = static_cast<int>(started.front().front().value<QList<quint64>>().size());
    QVERIFY2(made >= 1 && made < kSeeds, qPrintable(QString::number(made)));
    const auto left = m_dialog->target()->seeds();
    QCOMPARE(static_cast<int>(left.size()), kSeeds - made);
    QCOMPARE(left.front(), std::int64_t(100 + made));
    QVERIFY(m_dialog->findChild<Banner*>()->text().startsWith(QStringLiteral("Only ")));
    QTRY_VERIFY_WITH_TIMEOUT(m_engine->isIdle(), 60000);
}

void TestNewRunStart::quantizerForecastIsThatOfItsParent() {
    QTRY_VERIFY_WITH_TIMEOUT(m_engine->isIdle(), 60000);
    const auto all = runs();
    const auto parent = std::find_if(all.begin(), all.end(), [](const feed::RunInfo& run) { return run.state == feed::JobState::Completed; });
    QVERIFY(parent != all.end());
    QTRY_VERIFY(m_services->bridge.run(QString::fromStdString(parent->id)));
    open(QStringLiteral("46"), QString::fromStdString(parent->id));
    QString shown = valueOf(m_dialog->card()->forecastRows(), QStringLiteral("parameters"));
    QCOMPARE(shown.remove(u','), QString::number(parent->params_count));
    QVERIFY(valueOf(m_dialog->card()->forecastRows(), QStringLiteral("MACs an item")) != QStringLiteral("–"));
    QCOMPARE(valueOf(m_dialog->card()->timeRows(), QStringLiteral("time a run")), QStringLiteral("not known"));
    QVERIFY(m_dialog->card()->timeWhy().contains(QStringLiteral("no earlier run")));
}

QTEST_MAIN(TestNewRunStart)
#include "tst_new_run_start.moc"
