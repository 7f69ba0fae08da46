#include <QApplication>
#include <QClipboard>
#include <QLabel>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <set>

#include "app/pages/compare_groups.h"
#include "app/pages/compare_inspector.h"
#include "app/pages/compare_page.h"
#include "app/pages/compare_table.h"
#include "app/pages/compare_table_view.h"
#include "app/pages/paired_difference.h"
#include "app/shell/services.h"
#include "engine/api/recipe_registry.h"
#include "tests/support/window_samples.h"
#include "widgets/plot/loss_chart.h"

using namespace espalier;
using namespace espalier::app;

namespace {

feed::RunInfo runOf(const std::string& name, std::map<std::string, std::string> params, std::map<std::string, double> metrics) {
    feed::RunInfo run;
    run.id = run.name = name;
    run.recipe = "70-compact-transformers";
    run.datasetHash = "abc";
    run.datasetName = "digits";
    run.device = "cpu";
    run.state = feed::JobState::Completed;
    run.params = std::move(params);
    for (const auto& [key, value] : metrics) run.summary[key] = {value, value, 10, 10};
    return run;
}

/// What the engine says of such runs; its own tests compare it with this definition.
feed::RunDiff diffOf(const std::vector<feed::RunInfo>& runs) {
    feed::RunDiff diff;
    std::set<std::string> keys;
    for (const auto& run : runs) {
        diff.runIds.push_back(run.id);
        for (const auto& [key, value] : run.params) keys.insert(key);
    }
    diff.paramKeys = keys.size();
    for (const std::string& key : keys) {
        feed::RunDiff::Row row{key, {}};
        for (const auto& run : runs) row.values.push_back(run.params.count(key) ? std::optional(run.params.at(key)) : std::nullopt);
        if (std::any_of(row.values.begin(), row.values.end(), [&](const auto& value) { return value != row.values.front(); })) diff.rows.push_back(row);
    }
    return diff;
}

const CompareRow* find(const std::vector<CompareRow>& rows, const char* name) {
    for (const CompareRow& row : rows)
        if (row.name == QString::fromLatin1(name)) return &row;
    return nullptr;
}

}  // namespace

/// Tables, groups and tests as pure functions, then the page over a real workspace.
class TestComparePage : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    api::RecipeRegistry m_registry;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    QStringList m_ids;

private Q_SLOTS:
    void initTestCase() {
        widgets::theme().install(*qobject_cast<QApplication*>(QApplication::instance()));
        QVERIFY(api::registerAllRecipes(m_registry));
        m_workspace = *runtime::Workspace::open(m_folder.filePath(QStringLiteral("ws")).toStdString());
        for (const std::int64_t seed : {0, 1}) {
            tests::SampleRun run;
            run.name = "cct-F-s" + std::to_string(seed);
            run.seed = seed;
            run.steps = run.logged = 4000;
            run.stepsPerEpoch = 100;
            run.top1 = 0.95;
            run.hasAnswers = true;
            m_ids += QString::fromStdString(tests::addRun(*m_workspace, run));
        }
        tests::SampleRun quick;
        quick.name = "cct-Q-s0";
        quick.schedule = "Q";
        quick.steps = quick.logged = 3000;
        quick.stepsPerEpoch = 100;
        quick.top1 = 0.93;
        quick.hasAnswers = true;
        m_ids += QString::fromStdString(tests::addRun(*m_workspace, quick));
        m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
        m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("s.ini")));
        QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.runs().rowCount(), 3, 10000);
    }
    void cleanupTestCase() {
        m_services.reset();
        m_engine.reset();
    }

    void listsOnlyParametersThatDiffer() {
        const std::vector<feed::RunInfo> runs{runOf("a", {{"lr", "5e-4"}, {"batch", "128"}, {"recipe", "Q"}}, {}),
                                              runOf("b", {{"lr", "5.5e-4"}, {"batch", "128"}, {"recipe", "Q"}}, {})};
        const auto rows = compareRows(runs, diffOf(runs), 0, {QStringLiteral("a"), QStringLiteral("b")});
        QVERIFY(find(rows, "lr"));
        QVERIFY(!find(rows, "batch"));
        QVERIFY(find(rows, "lr")->cells[0].isFaint);
        QVERIFY(!find(rows, "lr")->cells[1].isFaint);
        QVERIFY2(rows[0].caption.startsWith(QStringLiteral("1 of 3 parameters; data hash, ")), qPrintable(rows[0].caption));
    }

    void factsThatDifferStandOnceBesideParametersOfTheirName() {
        // "recipe" is a parameter (Q or F) and a fact (the card); "seed" is a fact alone here.
        std::vector<feed::RunInfo> runs{runOf("a", {{"recipe", "Q"}}, {}), runOf("b", {{"recipe", "F"}}, {})};
        runs[1].seed = 3;
        runs[1].recipe = "46-flexround";
        feed::RunDiff diff = diffOf(runs);
        diff.rows.push_back({"seed", {"0", "3"}});
        diff.rows.push_back({"recipe", {"70-compact-transformers", "46-flexround"}});
        const auto rows = compareRows(runs, diff, 0, {QStringLiteral("a"), QStringLiteral("b")});
        QStringList values;
        for (const CompareRow& row : rows)
            if (row.name == QStringLiteral("recipe") || row.name == QStringLiteral("seed")) values << row.name + u'=' + row.cells[1].text;
        QCOMPARE(values, (QStringList{QStringLiteral("recipe=46-flexround"), QStringLiteral("recipe=F"), QStringLiteral("seed=3")}));
        QVERIFY2(rows[0].caption.startsWith(QStringLiteral("1 of 1 parameters; ")), qPrintable(rows[0].caption));
    }

    void thousandsAreSeparated() {
        const std::vector<feed::RunInfo> runs{runOf("a", {}, {{"train/img_per_s", 1784.6}}), runOf("b", {}, {{"train/img_per_s", 28600}})};
        const auto rows = compareRows(runs, diffOf(runs), 0, {QStringLiteral("a"), QStringLiteral("b")});
        QCOMPARE(find(rows, "train/img_per_s")->cells[0].text, QStringLiteral("1,785"));
        QCOMPARE(find(rows, "train/img_per_s")->cells[1].text, QStringLiteral("28,600"));
        QCOMPARE(find(rows, "train/img_per_s")->cells[1].copyText, QStringLiteral("28600"));
    }

    void differencesCarrySignAndDirection() {
        const std::vector<feed::RunInfo> runs{runOf("a", {}, {{"test/top1", 0.9478}, {"valid/loss", 0.2497}}),
                                              runOf("b", {}, {{"test/top1", 0.9648}, {"valid/loss", 0.2361}}),
                                              runOf("c", {}, {{"test/top1", 0.9469}, {"valid/loss", 0.2513}})};
        const auto rows = compareRows(runs, diffOf(runs), 0, {QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c")});
        const CompareRow* top1 = find(rows, "test/top1");
        QVERIFY(top1);
        QCOMPARE(top1->cells[0].difference, QString());
        QCOMPARE(top1->cells[1].difference, QStringLiteral("+1.70"));
        QCOMPARE(top1->cells[2].difference, QStringLiteral("−0.09"));
        QCOMPARE(top1->cells[1].trend, CompareCell::Trend::Better);
        QCOMPARE(top1->cells[2].trend, CompareCell::Trend::Worse);
        QVERIFY(top1->cells[1].isBest && !top1->cells[0].isBest && !top1->cells[2].isBest);
        const CompareRow* loss = find(rows, "valid/loss, best");
        QVERIFY(loss);
        QCOMPARE(loss->cells[1].difference, QStringLiteral("−5.4 %"));
        QCOMPARE(loss->cells[1].trend, CompareCell::Trend::Better);
        QVERIFY(loss->cells[1].isBest);
        QCOMPARE(loss->cells[2].copyText, QStringLiteral("0.2513"));
    }

    void moreThanTenTimesIsSaidInTimes() {
        const std::vector<feed::RunInfo> runs{runOf("a", {}, {{"train/img_per_s", 2.25}}), runOf("b", {}, {{"train/img_per_s", 1275}}),
                                              runOf("c", {}, {{"train/img_per_s", 4.5}})};
        const auto rows = compareRows(runs, diffOf(runs), 0, {QStringLiteral("a"), QStringLiteral("b"), QStringLiteral("c")});
        const CompareRow* speed = find(rows, "train/img_per_s");
        QVERIFY(speed);
        QCOMPARE(speed->cells[1].difference, QStringLiteral("567×"));
        QCOMPARE(speed->cells[2].difference, QStringLiteral("+100 %"));
    }

    void groupsRunsThatDifferInTheSeedAlone() {
        const std::vector<feed::RunInfo> runs{runOf("x-F-s0", {{"lr", "1"}, {"seed", "0"}}, {}), runOf("x-Q-s0", {{"lr", "2"}, {"seed", "0"}}, {}),
                                              runOf("x-F-s1", {{"lr", "1"}, {"seed", "1"}}, {})};
        const auto groups = groupRuns(runs, {QStringLiteral("F-s0"), QStringLiteral("Q-s0"), QStringLiteral("F-s1")}, true);
        QCOMPARE(groups.size(), 2u);
        QCOMPARE(groups[0].runs, QVector<int>({0, 2}));
        QCOMPARE(groups[0].label, QStringLiteral("F, 2"));
        QCOMPARE(groups[1].label, QStringLiteral("Q-s0"));
        QCOMPARE(groupRuns(runs, {QString(), QString(), QString()}, false).size(), 3u);
    }

    void meanAndIntervalOfAGroup() {
        const auto line = groupMean({{{1, 1.0}, {2, 2.0}, {3, 3.0}}, {{1, 3.0}, {3, 5.0}}}, BandKind::Interval95);
        QCOMPARE(line->keys, (std::vector<double>{1, 2, 3}));
        QCOMPARE(line->values, (std::vector<double>{2, 3, 4}));
        // Two seeds: their range. t(1) = 12.7 would hide everything.
        QCOMPARE(line->low, (std::vector<double>{1, 2, 3}));
        QCOMPARE(line->high, (std::vector<double>{3, 4, 5}));
        // Three values 1 apart: s = 1, t(2) = 4.30265, s/√3.
        const auto three = groupMean({{{1, 1.0}}, {{1, 2.0}}, {{1, 3.0}}}, BandKind::Interval95);
        QVERIFY(std::abs(three->high[0] - (2 + 4.30265 / std::sqrt(3.0))) < 1e-4);
        QVERIFY(std::abs(three->low[0] - (2 - 4.30265 / std::sqrt(3.0))) < 1e-4);
        QVERIFY(groupMean({{{1, 1.0}}}, BandKind::None)->low.empty());
    }

    void studentsTMeetsItsTable() {
        // half width for s = √n is t itself
        QVERIFY(std::abs(meanHalfWidth95(std::sqrt(3.0), 3) - 4.30265) < 1e-4);
        QVERIFY(std::abs(meanHalfWidth95(std::sqrt(31.0), 31) - 2.04227) < 1e-4);
        QVERIFY(std::isnan(meanHalfWidth95(1, 1)));
    }

    void welchMeetsNumericalIntegration() {
        // t, degrees and p from Simpson's rule over Student's density, 200,000 strips
        const std::vector<double> a{27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
        const std::vector<double> b{27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.0, 23.9};
        const auto result = welch(a, b);
        QVERIFY(result);
        QVERIFY(std::abs(result->t + 2.835264) < 1e-6);
        QVERIFY(std::abs(result->degrees - 27.713626) < 1e-6);
        QVERIFY(std::abs(result->p - 0.008452732) < 1e-8);
        QVERIFY(!welch(a, std::vector<double>{1.0}));
    }

    void pairedBootstrapMeetsTheNormalInterval() {
        std::vector<std::uint8_t> a(10000), b(10000);
        for (std::size_t i = 0; i < 10000; ++i) {
            a[i] = i % 100 < 96;  // 96 % right
            b[i] = i % 100 >= 2 && i % 100 < 96 ? 1 : i % 100 == 98;  // loses 2 %, gains 1 %
        }
        const auto result = pairedBootstrap(a, b);
        QVERIFY(result);
        QCOMPARE(result->onlyA, 200);
        QCOMPARE(result->onlyB, 100);
        QVERIFY(std::abs(result->difference - 0.01) < 1e-12);
        const double deviation = std::sqrt((0.03 - 0.01 * 0.01) / 10000);
        QVERIFY(std::abs(result->low - (0.01 - 1.96 * deviation)) < 2e-4);
        QVERIFY(std::abs(result->high - (0.01 + 1.96 * deviation)) < 2e-4);
        QVERIFY(result->p < 0.001);
        QCOMPARE(pairedBootstrap(a, b)->low, result->low);
        QCOMPARE(pairedBootstrap(a, a)->p, 1.0);
        QVERIFY(!pairedBootstrap(a, std::vector<std::uint8_t>(5)));
    }

    void latexEscapesAndMarksTheBest() {
        const std::vector<feed::RunInfo> runs{runOf("a_1", {{"lr", "1"}}, {{"test/top1", 0.9}}), runOf("b", {{"lr", "2"}}, {{"test/top1", 0.95}})};
        const QString text = latexTable(compareRows(runs, diffOf(runs), 0, {QStringLiteral("a_1"), QStringLiteral("b")}), {QStringLiteral("a_1"), QStringLiteral("b")});
        QVERIFY(text.contains(QStringLiteral("a\\_1")));
        QVERIFY(text.contains(QStringLiteral("\\textbf{.9500}")));
        QCOMPARE(text.count(QStringLiteral("\\toprule")), 1);
    }

    void pageShowsGroupsTableAndDifference() {
        m_services->selection.setShownRuns(m_ids);
        m_services->selection.setCurrentRun(m_ids[0]);
        ComparePage page(m_services->context);
        page.resize(886, 680);
        page.show();
        page.activated();
        QWidget* inspector = page.inspector();
        inspector->resize(272, 600);
        QTRY_VERIFY_WITH_TIMEOUT(page.isSettled(), 10000);
        QCOMPARE(page.groups().size(), 2u);
        QCOMPARE(page.charts()[0]->scene().lines.size(), 2u);
        QCOMPARE(page.charts()[0]->scene().lines[0]->spec().role, widgets::LineRole::Mean);
        QCOMPARE(page.charts()[0]->scene().lines[0]->size(), 40u);
        QCOMPARE(page.model()->columnCount(), 4);
        // The parameters come from the engine's diff: the schedule, and with it the epochs.
        QVERIFY(find(page.model()->rows(), "recipe") && find(page.model()->rows(), "epochs"));
        QVERIFY(!find(page.model()->rows(), "batch"));
        page.setBaseline(m_ids[2]);
        const CompareRow* top1 = find(page.model()->rows(), "test/top1");
        QVERIFY(top1);
        QCOMPARE(top1->cells[0].difference, QStringLiteral("+2.00"));
        // The paired test reads both answer arrays on the view pool.
        const auto textOf = [&] {
            QStringList texts;
            for (QLabel* label : inspector->findChildren<QLabel*>()) texts += label->text();
            return texts.join(u'|');
        };
        QTRY_VERIFY_WITH_TIMEOUT(page.isSettled(), 10000);
        QVERIFY2(textOf().contains(QStringLiteral("the band of two is their range")), qPrintable(textOf()));
        QTRY_VERIFY_WITH_TIMEOUT(textOf().contains(QStringLiteral("+1.9")) || textOf().contains(QStringLiteral("+2.0")), 5000);
    }

    void copiesCellsAsTabbedText() {
        m_services->selection.setShownRuns(m_ids);
        ComparePage page(m_services->context);
        page.resize(886, 680);
        page.show();
        page.activated();
        auto* view = page.findChild<CompareTableView*>();
        QTRY_VERIFY_WITH_TIMEOUT(page.isSettled() && page.model()->rowCount() > 0, 10000);
        view->selectAll();
        QTest::keyClick(view, Qt::Key_C, Qt::ControlModifier);
        const QString text = QApplication::clipboard()->text();
        QVERIFY2(text.contains(QStringLiteral("test/top1\t0.95\t0.95\t0.93")), qPrintable(text));
    }

    void aRunThatEndedIsTheBaselineUnlessOneIsChosen() {
        m_services->selection.setShownRuns({m_ids[2], m_ids[0]});
        m_services->bridge.runs().setState(m_ids[2], feed::JobState::Interrupted, {});
        ComparePage page(m_services->context);
        page.show();
        page.activated();
        QCOMPARE(page.baseline(), m_ids[0]);
        page.setBaseline(m_ids[2]);
        m_services->selection.setShownRuns({m_ids[2], m_ids[0], m_ids[1]});
        QTRY_COMPARE(page.model()->columnCount(), 4);
        QCOMPARE(page.baseline(), m_ids[2]);
        m_services->bridge.runs().setState(m_ids[2], feed::JobState::Completed, {});
    }

    void saysWhatToDoWithoutRuns() {
        m_services->selection.setShownRuns({});
        m_services->selection.setCurrentRun({});
        ComparePage page(m_services->context);
        page.show();
        page.activated();
        QVERIFY(page.charts()[0]->scene().lines.empty());
        QVERIFY(!page.charts()[0]->isVisible());
    }
};

QTEST_MAIN(TestComparePage)
#include "tst_compare_page.moc"
