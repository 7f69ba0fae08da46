#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QElapsedTimer>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/pages/compare_page.h"
#include "app/pages/run_names.h"
#include "app/pages/train_page.h"
#include "app/shell/main_window.h"
#include "app/shell/services.h"
#include "engine/api/recipe_registry.h"
#include "engine/feed/metric_names.h"
#include "tests/support/window_samples.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/messages.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/chart_legend.h"
#include "widgets/plot/loss_chart.h"

using namespace espalier;
using namespace espalier::app;

/// The Train page over a real workspace, logs and engine inboxes.
class TestTrainPage : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    api::RecipeRegistry m_registry;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    QString m_first, m_second;

    std::unique_ptr<TrainPage> makePage(QSize size = {886, 680}) {
        auto page = std::make_unique<TrainPage>(m_services->context);
        page->resize(size);
        page->show();
        page->activated();
        return page;
    }
    void settle(TrainPage& page) {
        QTRY_VERIFY_WITH_TIMEOUT(page.isSettled(), 10000);
        QCoreApplication::processEvents();
    }
    EngineBridge& bridge() { return m_services->bridge; }

private Q_SLOTS:
    void initTestCase() {
        widgets::theme().install(*qobject_cast<QApplication*>(QApplication::instance()));
        QVERIFY(api::registerAllRecipes(m_registry));
        auto workspace = runtime::Workspace::open(m_folder.filePath(QStringLiteral("ws")).toStdString());
        QVERIFY2(workspace, workspace ? "" : workspace.error().sentence().c_str());
        m_workspace = *workspace;
        tests::SampleRun one;
        one.name = "cct7-3x1-F-s0";
        one.hasNaN = true;
        m_first = QString::fromStdString(tests::addRun(*m_workspace, one));
        tests::SampleRun two;
        two.name = "cct7-3x1-F-s1";
        two.seed = 1;
        two.logged = 3600;
        two.state = feed::JobState::Stopped;
        m_second = QString::fromStdString(tests::addRun(*m_workspace, two));
        m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
        m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("settings.ini")));
        QTRY_COMPARE_WITH_TIMEOUT(bridge().runs().rowCount(), 2, 10000);
    }
    void cleanupTestCase() {
        m_services.reset();
        m_engine.reset();
    }
    void init() {
        m_services->selection.setShownRuns({});
        m_services->selection.setCurrentRun({});
    }

    void shortensNames_data() {
        QTest::addColumn<QStringList>("names");
        QTest::addColumn<int>("words");
        QTest::addColumn<QStringList>("expected");
        const auto s = [](const char* text) { return QString::fromLatin1(text).split(u' '); };
        QTest::newRow("legend") << s("cct7-3x1-F-s1 cct7-3x1-F-s0") << 1 << s("s1 s0");
        QTest::newRow("chips") << s("cct7-3x1-F-s1 cct7-3x1-F-s0") << 2 << s("F-s1 F-s0");
        QTest::newRow("nothing shared") << s("digits-cct resnet18") << 1 << s("digits-cct resnet18");
        QTest::newRow("one run") << s("cct7-3x1-F-s1") << 1 << s("s1");
        QTest::newRow("a prefix of the other") << s("a-b a-b-c") << 1 << s("b b-c");
    }
    void shortensNames() {
        QFETCH(QStringList, names);
        QFETCH(int, words);
        QFETCH(QStringList, expected);
        QCOMPARE(shortRunNames(names, words), expected);
    }

    void saysWhatToDoWhenNothingIsShown() {
        auto page = makePage();
        settle(*page);
        auto* empty = page->findChild<widgets::EmptyState*>();
        QVERIFY(empty && empty->isVisible());
        QSignalSpy asked(&m_services->commands, &Commands::newRunRequested);
        QTest::mouseClick(empty->findChild<QPushButton*>(), Qt::LeftButton);
        QCOMPARE(asked.count(), 1);
    }

    void drawsEveryPointOfAFinishedRun() {
        m_services->selection.setCurrentRun(m_first);
        auto page = makePage();
        settle(*page);
        const auto& lines = page->lossChart()->scene().lines;
        QCOMPARE(lines.size(), 2u);
        QTRY_COMPARE_WITH_TIMEOUT(lines[0]->size(), 6000u, 5000);
        QCOMPARE(lines[1]->size(), 15u);
        QCOMPARE(lines[0]->decimator().pyramid().nonFinite(lines[0]->columns().values, 0, 6000, 10), (std::vector<std::size_t>{1547}));
        QVERIFY(page->lossChart()->keyRange().high >= 6000);
        QCOMPARE(page->charts().size(), 4);
        QCOMPARE(page->charts()[2]->scene().lines.size(), 1u);
    }

    void severalRunsShareTheCharts() {
        m_services->selection.setShownRuns({m_first, m_second});
        m_services->selection.setCurrentRun(m_second);
        auto page = makePage();
        settle(*page);
        QStringList labels;
        for (const auto& entry : page->lossChart()->legend()->entries()) labels += entry.label;
        QCOMPARE(labels, QStringList({QStringLiteral("s1 train"), QStringLiteral("s1 valid"), QStringLiteral("s0 train"), QStringLiteral("s0 valid")}));
        QVERIFY(page->lossChart()->scene().lines[0]->spec().isFocused);
        QVERIFY(!page->lossChart()->scene().lines[2]->spec().isFocused);
        page->group()->setCursor(2000, page->lossChart());
        const auto content = page->lossChart()->readoutContent();
        QCOMPARE(content.rows.size(), 4);
        QCOMPARE(content.title, QStringLiteral("step 2,000"));
        QVERIFY2(content.detail.startsWith(QStringLiteral("epoch 5.1, 0:01:2")), qPrintable(content.detail));
        QVERIFY(content.hasSmooth);
        // and the other charts carry the same cursor
        QCOMPARE(*page->charts()[1]->scene().cursorKey, 2000.0);
    }

    void epochsAndTimeOnX() {
        m_services->selection.setCurrentRun(m_first);
        auto page = makePage();
        settle(*page);
        page->group()->setXKind(widgets::XKind::Epoch);
        const double epochs = 6000.0 / 390;
        QVERIFY(std::abs(page->lossChart()->scene().keyExtent()->high - epochs) < 0.01);
        page->group()->setXKind(widgets::XKind::Time);
        QVERIFY(std::abs(page->lossChart()->scene().keyExtent()->high - 6000 * 0.0435) < 0.1);
    }

    void growsLiveFromTheEngine() {
        auto page = makePage();
        const std::string run = m_second.toStdString();
        m_services->selection.setCurrentRun(m_second);
        settle(*page);
        const auto& lines = page->lossChart()->scene().lines;
        QTRY_COMPARE(lines[0]->size(), 3600u);
        // The walk of a scalar: inbox, bridge, store, chart.
        m_engine->events().push(feed::SeriesAdded{run, 0, "train/loss"});
        QElapsedTimer clock;
        clock.start();
        for (int burst = 0; burst < 10; ++burst) {
            feed::MetricBatch batch{run, {}};
            for (int i = 0; i < 100; ++i) {
                const std::int64_t step = 3601 + burst * 100 + i;
                batch.points.push_back({0, step, 1.7e9 + step * 0.0435, step == 4000 ? 3.75 : 0.6});
            }
            m_engine->metrics().push(std::move(batch));
            QCoreApplication::processEvents();
        }
        QTRY_COMPARE_WITH_TIMEOUT(lines[0]->size(), 4600u, 3000);
        QTRY_VERIFY(page->lossChart()->keyRange().high >= 4600);
        QCOMPARE(page->lossChart()->legend()->entries()[0].value.left(3), QStringLiteral("0.6"));
        const auto extent = lines[0]->decimator().extent(lines[0]->columns(), 3990, 4010);
        QCOMPARE(extent.max, 3.75);
    }

    void marksBecomeEvents() {
        m_services->selection.setCurrentRun(m_first);
        auto page = makePage();
        settle(*page);
        QStringList kinds;
        for (const auto& event : page->lossChart()->scene().events) kinds += QString::fromStdString(event.mark.kind);
        QCOMPARE(kinds.count(QStringLiteral("best")), 1);
        QVERIFY(kinds.contains(QStringLiteral("nan")) && kinds.contains(QStringLiteral("resume")) && kinds.contains(QStringLiteral("mixup_off")));
    }

    void allSeriesHasAChartAName() {
        m_services->selection.setCurrentRun(m_first);
        auto page = makePage();
        page->restoreState({{QStringLiteral("layout"), 2}});
        settle(*page);
        QStringList titles;
        for (auto* chart : page->charts()) titles += chart->title();
        QCOMPARE(titles.value(0), QStringLiteral("loss"));
        QVERIFY(titles.contains(QStringLiteral("top1")) && titles.contains(QStringLiteral("grad_norm")));
        page->restoreState({{QStringLiteral("layout"), 0}});
        QCOMPARE(page->charts().size(), 4);
    }

    void stateComesBack() {
        m_services->selection.setCurrentRun(m_first);
        auto page = makePage();
        settle(*page);
        page->group()->setXKind(widgets::XKind::Step);
        page->restoreState({{QStringLiteral("x"), 1}, {QStringLiteral("logY"), true}, {QStringLiteral("smoothing"), 100.0}, {QStringLiteral("unknown"), 7}});
        const QJsonObject state = page->saveState();
        QCOMPARE(state[QStringLiteral("x")].toInt(), 1);
        QVERIFY(state[QStringLiteral("logY")].toBool());
        QCOMPARE(state[QStringLiteral("smoothing")].toDouble(), 100.0);
    }

    void smoothingSliderIsInvertible() {
        QCOMPARE(smoothingOfSlider(0), 0.0);
        for (int i = 8; i <= 100; ++i) QVERIFY(std::abs(sliderOfSmoothing(smoothingOfSlider(i)) - i) <= 2);
    }

    // Pictures of the whole window for the eye; the test itself only asks that they are not empty.
    void paintsInEveryTheme() {
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        if (folder.isEmpty()) QSKIP("ESPALIER_PICTURES names no folder for the pictures");
        QDir().mkpath(folder);
        QTemporaryDir large;
        auto workspace = *runtime::Workspace::open(large.filePath(QStringLiteral("ws")).toStdString());
        tests::SampleRun done;
        done.name = "cct7-3x1-F-s0";
        done.steps = done.logged = 120900;
        done.hasAnswers = true;
        tests::SampleRun live = done;
        live.name = "cct7-3x1-F-s1";
        live.seed = 1;
        live.hasNaN = live.hasSpikes = true;
        live.logged = 72930;
        live.state = feed::JobState::Paused;
        live.hasAnswers = false;
        tests::SampleRun quick = done;
        quick.schedule = "Q";
        quick.top1 = 0.938;
        quick.lr = 5e-4;
        quick.steps = quick.logged = 78000;
        std::vector<std::string> ids{tests::addRun(*workspace, live), tests::addRun(*workspace, done)};
        for (int seed = 0; seed < 3; ++seed) {
            quick.seed = seed;
            quick.name = "cct7-3x1-Q-s" + std::to_string(seed);
            ids.push_back(tests::addRun(*workspace, quick));
        }
        runtime::Engine engine(workspace, m_registry);
        Services services(engine, workspace, m_registry, large.filePath(QStringLiteral("s.ini")));
        QTRY_COMPARE_WITH_TIMEOUT(services.bridge.runs().rowCount(), 5, 10000);
        MainWindow window(services.context);
        window.show();
        const auto save = [&](const QString& page, const QString& name, QSize size) {
            window.resize(size);
            window.openPage(page);
            QTRY_VERIFY_WITH_TIMEOUT(window.isSettled(), 20000);
            QTest::qWait(300);
            if (auto* train = qobject_cast<TrainPage*>(window.currentPage()); train && page == QStringLiteral("train")) {
                train->group()->setCursor(58410, train->lossChart());
            }
            if (auto* compare = qobject_cast<ComparePage*>(window.currentPage())) compare->setBaseline(QString::fromStdString(ids[2]));
            QTest::qWait(200);
            QVERIFY(window.grab().save(folder + u'/' + name + QStringLiteral(".png")));
        };
        services.selection.setShownRuns({QString::fromStdString(ids[0]), QString::fromStdString(ids[1])});
        services.selection.setCurrentRun(QString::fromStdString(ids[0]));
        for (const auto kind : {widgets::ThemeKind::Dark, widgets::ThemeKind::Light, widgets::ThemeKind::Contrast}) {
            widgets::theme().setKind(kind);
            save(QStringLiteral("train"), QStringLiteral("train-") + widgets::Theme::kindName(kind), {1440, 900});
        }
        widgets::theme().setKind(widgets::ThemeKind::Dark);
        save(QStringLiteral("train"), QStringLiteral("train-1280-dark"), {1280, 720});
        QStringList all;
        for (const std::string& id : ids) all += QString::fromStdString(id);
        all.move(2, 0);
        services.selection.setShownRuns(all);
        for (const auto kind : {widgets::ThemeKind::Dark, widgets::ThemeKind::Light}) {
            widgets::theme().setKind(kind);
            save(QStringLiteral("compare"), QStringLiteral("compare-") + widgets::Theme::kindName(kind), {1440, 900});
        }
        save(QStringLiteral("compare"), QStringLiteral("compare-1280-light"), {1280, 720});
        widgets::theme().setKind(widgets::ThemeKind::Dark);
    }
};

QTEST_MAIN(TestTrainPage)
#include "tst_train_page.moc"
