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

#include "app/pages/new_run_card.h"
#include "app/pages/new_run_dialog.h"
#include "app/pages/new_run_form.h"
#include "app/pages/new_run_recipes.h"
#include "app/pages/new_run_target.h"
#include "app/shell/services.h"
#include "engine/runtime/engine.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/theme.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

namespace {

constexpr int kImportMs = 20000;
constexpr int kForecastMs = 8000;

}  // namespace

/// The New-run window over the real engine, the real recipes and a small generated data set; values come by keys and
/// clicks.
class TestNewRunDialog : public QObject {
    Q_OBJECT
private:
    api::RecipeRegistry m_registry;
    QTemporaryDir m_folder;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    std::unique_ptr<QWidget> m_window;
    std::unique_ptr<NewRunDialog> m_dialog;
    QString m_dataset;

    void open(const QString& recipe = QStringLiteral("70"), const QString& parentRun = {}, QSize size = {1440, 900}) {
        m_dialog.reset();
        m_window = std::make_unique<QWidget>();
        m_window->resize(size);
        m_window->show();
        m_dialog = std::make_unique<NewRunDialog>(m_services->context, m_window.get());
        m_dialog->preset(recipe, m_dataset, parentRun);
        m_dialog->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_dialog.get()));
        settle();
    }
    void settle() { QTRY_VERIFY_WITH_TIMEOUT(m_dialog->isSettled(), kForecastMs); }
    ParamField* field(const char* key) const { return m_dialog->form()->field(QString::fromLatin1(key)); }
    void type(const char* key, const char* words) {
        auto* line = qobject_cast<QLineEdit*>(field(key)->editor());
        QVERIFY(line);
        line->setFocus();
        line->selectAll();
        QTest::keyClicks(line, QString::fromLatin1(words));
    }
    void typeSeeds(const QString& words) {
        auto* line = qobject_cast<QLineEdit*>(m_dialog->target()->seedRow()->editor());
        line->selectAll();
        QTest::keyClicks(line, words);
    }
    void clickScale(int index) {
        SegmentedControl* scale = m_dialog->scaleControl();
        QTest::mouseClick(scale, Qt::LeftButton, {}, scale->segmentRect(index).center());
        settle();
    }
    static QString valueOf(const KeyValueList* list, const QString& key) {
        for (const KeyValue& row : list->rows())
            if (row.key == key) return row.value;
        return QStringLiteral("no such row");
    }
    std::vector<feed::RunInfo> runs() const {
        auto runs = m_workspace->runs();
        return runs ? *runs : std::vector<feed::RunInfo>{};
    }

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void wrongRateSaysWhyAndTheLinkMendsIt();
    void scientificNotationAndSteps();
    void scaleResetsWhatTheUserLeftAlone();
    void rowsAppearWhenTheyMatter();
    void forecastFollowsTheValues();
    void commandLineSaysTheSame();
    void searchNarrowsTheRecipes();
    void quantizerNeedsAParent();
    void wrongSeedsDisableStart();
    void enterStartsOneRunASeed();
    void aPartialFailureKeepsOnlyTheOpenSeeds();
    void cardStandsBehindATabWhenNarrow();
    void quantizerForecastIsThatOfItsParent();
    void escapeCloses();
    void rendersInBothThemes();
};

void TestNewRunDialog::initTestCase() {
    theme().install(*qApp, ThemeKind::Dark);
    QVERIFY(api::registerAllRecipes(m_registry));
    auto workspace = runtime::Workspace::open(m_folder.filePath(QStringLiteral("workspace")).toStdString());
    if (!workspace) QFAIL(workspace.error().sentence().c_str());
    m_workspace = *workspace;
    m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
    m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("settings.ini")));
    runtime::ImportRequest request;
    request.paths = {"shapes32:0:64:16"};
    request.format = "generator";
    request.name = "shapes";
    const auto job = m_engine->submitImport(request);
    if (!job) QFAIL(job.error().sentence().c_str());
    QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.datasets().rowCount(), 1, kImportMs);
    m_dataset = QString::fromStdString(m_services->bridge.datasets().at(0)->id);
}

void TestNewRunDialog::cleanupTestCase() {
    m_dialog.reset();
    m_services.reset();
    m_engine.reset();
}

void TestNewRunDialog::wrongRateSaysWhyAndTheLinkMendsIt() {
    open();
    QVERIFY(m_dialog->startButton()->isEnabled());
    type("lr", "5.5e-1");
    QCOMPARE(field("lr")->problem(), QStringLiteral("Highest is 1e-1; the paper uses 5.5e-4."));
    QVERIFY(!m_dialog->startButton()->isEnabled());
    QCOMPARE(m_dialog->problemText(), QStringLiteral("1 value to correct"));
    QVERIFY(field("lr")->editor()->property("isWrong").toBool());
    type("epochs", "many");
    QCOMPARE(m_dialog->problemText(), QStringLiteral("2 values to correct"));
    QVERIFY(field("epochs")->problem().contains(QStringLiteral("\"many\" is not a whole number")));
    QTest::mouseClick(field("lr")->remedy(), Qt::LeftButton);
    QVERIFY(field("lr")->problem().isEmpty());
    QCOMPARE(field("lr")->value(), std::string("0.00055"));
    QTest::mouseClick(field("epochs")->remedy(), Qt::LeftButton);
    QCOMPARE(field("epochs")->value(), std::string("300"));
    settle();
    QVERIFY(m_dialog->startButton()->isEnabled());
    QVERIFY(m_dialog->problemText().isEmpty());
}

void TestNewRunDialog::scientificNotationAndSteps() {
    open();
    type("lr", "2.5e-3");
    QCOMPARE(field("lr")->value(), std::string("0.0025"));
    QTest::keyClick(field("lr")->editor(), Qt::Key_Up);
    QCOMPARE(field("lr")->value(), std::string("0.005"));
    QTest::keyClick(field("lr")->editor(), Qt::Key_Down);
    QTest::keyClick(field("lr")->editor(), Qt::Key_Down);
    QCOMPARE(field("lr")->value(), std::string("0.001"));
    type("batch", "64");
    QTest::keyClick(field("batch")->editor(), Qt::Key_PageUp);
    QCOMPARE(field("batch")->value(), std::string("74"));
    type("epochs", "5000");
    QTest::keyClick(field("epochs")->editor(), Qt::Key_Up);  // the range ends here
    QCOMPARE(field("epochs")->value(), std::string("5000"));
    settle();
}

void TestNewRunDialog::scaleResetsWhatTheUserLeftAlone() {
    open();
    QCOMPARE(field("epochs")->value(), std::string("10"));
    type("lr", "7e-4");
    clickScale(2);
    QCOMPARE(field("epochs")->value(), std::string("300"));
    QCOMPARE(field("variant")->value(), std::string("CCT-7/3x1"));
    QCOMPARE(field("lr")->value(), std::string("7e-04"));
    clickScale(0);
    QCOMPARE(field("epochs")->value(), std::string("1"));
    QCOMPARE(field("lr")->value(), std::string("7e-04"));
    const std::map<std::string, std::string> changed{{"lr", "7e-04"}};
    QCOMPARE(m_dialog->form()->changed(), changed);
}

void TestNewRunDialog::rowsAppearWhenTheyMatter() {
    open();
    QVERIFY(field("layers")->isHidden());
    auto* variant = qobject_cast<QComboBox*>(field("variant")->editor());
    QVERIFY(variant);
    variant->setFocus();
    QTest::keyClick(variant, Qt::Key_End);
    QCOMPARE(variant->currentText(), QStringLiteral("custom"));
    QVERIFY(!field("layers")->isHidden());
    QVERIFY(field("dropout")->isHidden());  // advanced, folded
    type("layers", "99");
    QCOMPARE(m_dialog->form()->problemCount(), 1);
    QTest::keyClick(variant, Qt::Key_Home);
    // A value that does not matter cannot be wrong, and is not sent.
    QCOMPARE(m_dialog->form()->problemCount(), 0);
    QVERIFY(m_dialog->form()->changed().count("layers") == 0);
    settle();
}

void TestNewRunDialog::forecastFollowsTheValues() {
    open();
    clickScale(2);
    const KeyValueList* rows = m_dialog->card()->forecastRows();
    QTRY_VERIFY(valueOf(rows, QStringLiteral("parameters")) != QStringLiteral("–"));
    const QString paper = valueOf(rows, QStringLiteral("parameters"));
    runtime::RunRequest request;
    request.recipe = "70";
    request.dataset = m_dataset.toStdString();
    request.scale = api::Scale::Paper;
    const auto forecast = m_engine->forecast(request);
    QVERIFY(forecast.has_value());
    QCOMPARE(QString(paper).remove(u','), QString::number(forecast->params));
    clickScale(1);
    QTRY_VERIFY(valueOf(rows, QStringLiteral("parameters")) != paper);
    type("epochs", "0");
    settle();
    QCOMPARE(valueOf(rows, QStringLiteral("parameters")), QStringLiteral("–"));
}

void TestNewRunDialog::commandLineSaysTheSame() {
    open();
    clickScale(0);
    type("lr", "2e-3");
    typeSeeds(QStringLiteral("0, 1, 1, 2"));
    auto* name = qobject_cast<QLineEdit*>(m_dialog->target()->nameRow()->editor());
    QTest::keyClicks(name, QStringLiteral("it's new"));
    settle();
    QCOMPARE(m_dialog->commandLine(),
             QStringLiteral("espalier-cli run 70 --data shapes --scale smoke --seed 0,1,2 --name 'it'\\''s new' --lr 0.002"));
    QCOMPARE(m_dialog->startButton()->text(), QStringLiteral("Start 3 runs"));
    for (QToolButton* button : m_dialog->findChildren<QToolButton*>())
        if (button->toolTip() == QStringLiteral("Copy the command line")) QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(QApplication::clipboard()->text(), m_dialog->commandLine());
}

void TestNewRunDialog::searchNarrowsTheRecipes() {
    open();
    QCOMPARE(m_dialog->recipes()->view()->model()->rowCount(), static_cast<int>(m_registry.cards().size()));
    QTest::keyClicks(m_dialog->recipes()->search(), QStringLiteral("rounding"));
    QTRY_COMPARE(m_dialog->recipes()->view()->model()->rowCount(), 1);
    m_dialog->recipes()->view()->setFocus();
    QTest::keyClick(m_dialog->recipes()->view(), Qt::Key_Down);
    QCOMPARE(m_dialog->recipes()->current(), QStringLiteral("46-flexround"));
    QVERIFY(field("granularity"));
    settle();
}

void TestNewRunDialog::quantizerNeedsAParent() {
    open(QStringLiteral("46"));
    QVERIFY(!m_dialog->target()->parentRow()->problem().isEmpty());
    QVERIFY(!m_dialog->startButton()->isEnabled());
    open(QStringLiteral("70"));
    QVERIFY(m_dialog->target()->parentRow()->problem().isEmpty());
    QVERIFY(m_dialog->startButton()->isEnabled());
}

void TestNewRunDialog::wrongSeedsDisableStart() {
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

void TestNewRunDialog::enterStartsOneRunASeed() {
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

void TestNewRunDialog::aPartialFailureKeepsOnlyTheOpenSeeds() {
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

void TestNewRunDialog::cardStandsBehindATabWhenNarrow() {
    open(QStringLiteral("70"), {}, {1440, 900});
    QVERIFY(!m_dialog->cardTabs()->isVisible());
    QVERIFY(m_dialog->card()->isVisible());
    open(QStringLiteral("70"), {}, {960, 600});
    QVERIFY2(m_dialog->width() < 960 && m_dialog->width() <= 912, qPrintable(QString::number(m_dialog->width())));
    QTabBar* tabs = m_dialog->cardTabs();
    QVERIFY(tabs->isVisible());
    QVERIFY(!m_dialog->card()->isVisible() && m_dialog->form()->isVisible());
    QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(1).center());
    QVERIFY(m_dialog->card()->isVisible() && !m_dialog->form()->isVisible());
    tabs->setFocus();
    QTest::keyClick(tabs, Qt::Key_Left);
    QVERIFY(!m_dialog->card()->isVisible() && m_dialog->form()->isVisible());
    // Nothing of the form is cut: it is as wide as its column.
    QVERIFY(m_dialog->form()->width() > 400);
}

void TestNewRunDialog::quantizerForecastIsThatOfItsParent() {
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

void TestNewRunDialog::escapeCloses() {
    open();
    QTest::keyClick(m_dialog.get(), Qt::Key_Escape);
    QVERIFY(!m_dialog->isVisible());
    QVERIFY(!m_window->findChild<QWidget*>(QStringLiteral("scrim")));
}

void TestNewRunDialog::rendersInBothThemes() {
    const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
    for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light})
        for (const QSize size : {QSize(1440, 900), QSize(1280, 720)}) {
            theme().setKind(kind);
            open(QStringLiteral("70"), {}, size);
            clickScale(2);
            type("lr", "5.5e-1");
            typeSeeds(QStringLiteral("0, 1, 2"));
            settle();
            const QPixmap picture = m_dialog->grab();
            QVERIFY(picture.width() <= size.width() && picture.height() <= size.height());
            if (!folder.isEmpty()) picture.save(folder + QStringLiteral("/newrun-%1-%2.png").arg(Theme::kindName(kind)).arg(size.width()));
            if (folder.isEmpty()) continue;
            QTest::mouseClick(field("lr")->remedy(), Qt::LeftButton);
            settle();
            for (QScrollArea* area : m_dialog->findChildren<QScrollArea*>())
                if (area->widget()->isAncestorOf(m_dialog->form())) area->verticalScrollBar()->setValue(area->verticalScrollBar()->maximum());
            QTest::qWait(50);
            m_dialog->grab().save(folder + QStringLiteral("/newrun-end-%1-%2.png").arg(Theme::kindName(kind)).arg(size.width()));
            open(QStringLiteral("46"), {}, size);
            m_dialog->grab().save(folder + QStringLiteral("/newrun46-%1-%2.png").arg(Theme::kindName(kind)).arg(size.width()));
        }
    theme().setKind(ThemeKind::Dark);
}

QTEST_MAIN(TestNewRunDialog)
#include "tst_new_run_dialog.moc"
