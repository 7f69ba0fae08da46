#include <QTemporaryDir>
#include <QtTest>

#include <algorithm>

#include "app/pages/attend_page.h"
#include "app/shell/services.h"
#include "engine/runtime/engine.h"
#include "tests/support/sample_runs.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/epoch_scrubber.h"
#include "widgets/heatmap/head_wall.h"
#include "widgets/heatmap/probe_strip.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

class TestAttendPage : public QObject {
    Q_OBJECT
private:
    QTemporaryDir m_folder;
    api::RecipeRegistry m_registry;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    std::unique_ptr<AttendPage> m_page;
    feed::RunInfo m_cct, m_vit, m_none;
    tests::AttentionShape m_shape;

    void open(const feed::RunInfo& run) {
        m_page.reset();
        m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("settings.ini")));
        QTRY_VERIFY(m_services->bridge.isSettled());
        m_services->selection.setCurrentRun(QString::fromStdString(run.id));
        m_page = std::make_unique<AttendPage>(m_services->context);
        m_page->resize(920, 734);
        m_page->show();
        m_page->activated();
        settle();
    }
    void settle() { QTRY_VERIFY_WITH_TIMEOUT(m_page->isSettled() && m_services->bridge.isSettled(), 8000); }
    std::vector<float> expectedRow(int layer, int head, int query, double progress, int probe = 0) const {
        auto row = tests::attentionRow(m_shape, layer, (head + probe) % m_shape.heads, query, progress);
        return row;
    }
    static double difference(const std::vector<float>& a, const std::vector<float>& b) {
        if (a.size() != b.size()) return 1e9;
        double most = 0;
        for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double(a[i]) - double(b[i])));
        return most;
    }

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void opensAtTheNewestSnapshotAndLastLayer();
    void clickOnAPixelShowsThatTokensRow();
    void receivedIsTheColumn();
    void arrowsMoveTheQuery();
    void wallChoosesLayerAndHead();
    void scrubberGoesBackInTraining();
    void stripChoosesAnImageAndMarksTheWrongOne();
    void readOutsAreTheStoredMaps();
    void derivedFiguresAreRight();
    void classTokenModelsHaveNoPooling();
    void saysWhyThereAreNoMaps();
    void followsALiveRun();
    void exportsThePictureShown();
    void rendersAtBothSizes();
};

void TestAttendPage::initTestCase() {
    theme().install(*qApp, ThemeKind::Dark);
    auto workspace = runtime::Workspace::open(m_folder.filePath(QStringLiteral("workspace")).toStdString());
    if (!workspace) QFAIL(workspace.error().sentence().c_str());
    m_workspace = *workspace;
    m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
    m_cct = tests::makeAttentionRun(*m_workspace, "cct-s0", m_shape);
    tests::AttentionShape vit;
    vit.grid = 8;
    vit.jump = 4;
    vit.offset = 1.5;
    vit.field = 4;
    vit.classTokens = 1;
    vit.layers = 2;
    vit.snapshots = 2;
    m_vit = tests::makeAttentionRun(*m_workspace, "vit-s0", vit);
    m_none = tests::newRun(*m_workspace, "plain", "70-compact-transformers");
    tests::finishRun(*m_workspace, m_none);
}

void TestAttendPage::cleanupTestCase() {
    m_page.reset();
    m_services.reset();
    m_engine.reset();
}

void TestAttendPage::opensAtTheNewestSnapshotAndLastLayer() {
    open(m_cct);
    QCOMPARE(m_page->index().snapshots.size(), std::size_t(6));
    QCOMPARE(m_page->index().probes.size(), std::size_t(6));
    QCOMPARE(m_page->snapshot(), 5);
    QCOMPARE(m_page->wall()->layers(), 4);
    QCOMPARE(m_page->wall()->heads(), 4);
    QCOMPARE(m_page->wall()->layer(), 3);
    QVERIFY(difference(m_page->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 1.0)) < 2e-4);  // stored in half precision
}

void TestAttendPage::clickOnAPixelShowsThatTokensRow() {
    open(m_cct);
    AttentionMap* map = m_page->map();
    const int token = 5 * 16 + 9;
    QTest::mouseClick(map, Qt::LeftButton, {}, map->positionOf(token).toPoint());
    QCOMPARE(map->query(), token);
    QVERIFY(difference(m_page->shownWeights(), expectedRow(3, 0, token, 1.0)) < 2e-4);
}

void TestAttendPage::receivedIsTheColumn() {
    open(m_cct);
    const int token = 3 * 16 + 4;
    QTest::mouseClick(m_page->map(), Qt::LeftButton, {}, m_page->map()->positionOf(token).toPoint());
    SegmentedControl* direction = nullptr;
    for (auto* control : m_page->findChildren<SegmentedControl*>())
        if (control->labels().value(1) == QStringLiteral("Received")) direction = control;
    QVERIFY(direction);
    QTest::mouseClick(direction, Qt::LeftButton, {}, direction->segmentRect(1).center());
    std::vector<float> column;
    for (int from = 0; from < 256; ++from) column.push_back(expectedRow(3, 0, from, 1.0)[std::size_t(token)]);
    QVERIFY(difference(m_page->shownWeights(), column) < 2e-4);
}

void TestAttendPage::arrowsMoveTheQuery() {
    open(m_cct);
    QCOMPARE(m_page->map()->query(), 8 * 16 + 8);
    QTest::keyClick(m_page->map(), Qt::Key_Right);
    QTest::keyClick(m_page->map(), Qt::Key_Down);
    QCOMPARE(m_page->map()->query(), 9 * 16 + 9);
    QVERIFY(difference(m_page->shownWeights(), expectedRow(3, 0, 9 * 16 + 9, 1.0)) < 2e-4);
}

void TestAttendPage::wallChoosesLayerAndHead() {
    open(m_cct);
    QTest::mouseClick(m_page->wall(), Qt::LeftButton, {}, m_page->wall()->thumbRect(1, 2).center());
    QVERIFY(difference(m_page->shownWeights(), expectedRow(1, 2, 8 * 16 + 8, 1.0)) < 2e-4);
    QTest::keyClick(m_page->wall(), Qt::Key_Right);
    QTest::keyClick(m_page->wall(), Qt::Key_Up);
    QVERIFY(difference(m_page->shownWeights(), expectedRow(2, 1, 8 * 16 + 8, 1.0)) < 2e-4);
}

void TestAttendPage::scrubberGoesBackInTraining() {
    open(m_cct);
    EpochScrubber* scrubber = m_page->scrubber();
    QTest::mouseClick(scrubber, Qt::LeftButton, {}, QPoint(int(scrubber->pixelOf(1)), 15));
    settle();
    QCOMPARE(m_page->snapshot(), 1);
    QVERIFY(difference(m_page->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 2.0 / 6)) < 2e-4);
    QTest::keyClick(scrubber, Qt::Key_Right);
    settle();
    QCOMPARE(m_page->snapshot(), 2);
    QTest::keyClick(m_page.get(), Qt::Key_BracketLeft);
    settle();
    QCOMPARE(m_page->snapshot(), 1);
}

void TestAttendPage::stripChoosesAnImageAndMarksTheWrongOne() {
    open(m_cct);
    const auto& probes = m_page->strip()->probes();
    QCOMPARE(probes.size(), 6);
    for (int i = 0; i < 5; ++i) QVERIFY2(!probes[i].isWrong, qPrintable(QString::number(i)));
    QVERIFY(probes[5].isWrong);
    QTest::mouseClick(m_page->strip(), Qt::LeftButton, {}, m_page->strip()->thumbRect(2).center());
    settle();
    QVERIFY(difference(m_page->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 1.0, 2)) < 2e-4);
    QTest::keyClick(m_page->strip(), Qt::Key_Left);
    settle();
    QCOMPARE(m_page->strip()->current(), 1);
    QVERIFY(difference(m_page->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 1.0, 1)) < 2e-4);
}

void TestAttendPage::readOutsAreTheStoredMaps() {
    open(m_cct);
    SegmentedControl* control = m_page->readOutControl();
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(1).center());
    QVERIFY(difference(m_page->shownWeights(), tests::attentionRow(m_shape, 3, 0, 128, 1.0)) < 1e-7);
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(2).center());
    QVERIFY(difference(m_page->shownWeights(), tests::attentionRow(m_shape, 0, 1, 128, 1.0)) < 1e-7);
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(3).center());
    const auto high = tests::attentionRow(m_shape, 3, 0, 128, 1.0), low = tests::attentionRow(m_shape, 0, 1, 128, 1.0);
    std::vector<float> share;
    for (std::size_t i = 0; i < high.size(); ++i) share.push_back(40.0f * (high[i] - low[i]));
    QVERIFY(difference(m_page->shownWeights(), share) < 1e-6);  // the predicted class
    QVERIFY(*std::min_element(share.begin(), share.end()) < 0);
}

void TestAttendPage::derivedFiguresAreRight() {
    // Two tokens on a grid of 1×2, jump 3: one looks at itself, the other at the first.
    LayerMaps layer{1, 2, 0, {1, 0, 1, 0}};
    QCOMPARE(layer.entropy(0), 0.0);
    QCOMPARE(layer.distance(0, {1, 2, 3, 0, 5, 0}), 1.5);
    QCOMPARE(layer.received(0, 0), (std::vector<float>{1, 1}));
    LayerMaps even{1, 2, 0, {0.5f, 0.5f, 0.5f, 0.5f}};
    QCOMPARE(even.entropy(0), 1.0);
    ProbeMaps now, before;
    now.layers = {even};
    before.layers = {layer};
    const auto changes = mostChangedHeads(now, before, 5);
    QCOMPARE(changes.size(), std::size_t(1));
    QCOMPARE(changes[0].change, 1.0);
    // A class token in front: rows and columns of image tokens leave it out.
    LayerMaps withClass{1, 3, 1, {0.2f, 0.3f, 0.5f, 0.1f, 0.6f, 0.3f, 0.4f, 0.4f, 0.2f}};
    QCOMPARE(withClass.row(0, -1), (std::vector<float>{0.3f, 0.5f}));
    QCOMPARE(withClass.row(0, 0), (std::vector<float>{0.6f, 0.3f}));
    QCOMPARE(withClass.received(0, 1), (std::vector<float>{0.3f, 0.2f}));
}

void TestAttendPage::classTokenModelsHaveNoPooling() {
    open(m_vit);
    QCOMPARE(m_page->index().grid.classTokens, 1);
    SegmentedControl* control = m_page->readOutControl();
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(1).center());
    QCOMPARE(int(m_page->readOut()), int(AttendPage::ReadOut::HeadRow));
    QTest::mouseClick(m_page->map(), Qt::LeftButton, {}, m_page->map()->positionOf(9).toPoint());
    const auto before = m_page->shownWeights();
    QTest::keyClick(m_page.get(), Qt::Key_C);
    QCOMPARE(m_page->map()->query(), -1);
    QVERIFY(difference(before, m_page->shownWeights()) > 1e-4);
    QCOMPARE(m_page->shownWeights().size(), std::size_t(64));
}

void TestAttendPage::saysWhyThereAreNoMaps() {
    open(m_none);
    QVERIFY(m_page->index().isEmpty());
    QVERIFY(!m_page->map()->isVisible());
    QVERIFY(m_page->inspector() == nullptr);
}

void TestAttendPage::followsALiveRun() {
    tests::AttentionShape shape;
    shape.grid = 4;
    shape.jump = 8;
    shape.layers = 1;
    shape.probes = 2;
    const auto run = tests::newRun(*m_workspace, "live", "70-compact-transformers");
    auto writer = runlog::RunLogWriter::open(m_workspace->impl().runFolder(run.id));
    QVERIFY(writer);
    tests::logProbes(**writer, shape);
    tests::logSnapshot(**writer, shape, 0);
    QVERIFY((*writer)->flush());
    open(run);
    QCOMPARE(m_page->snapshot(), 0);
    tests::logSnapshot(**writer, shape, 1);
    QVERIFY((*writer)->flush());
    Q_EMIT m_services->bridge.arrayStored(QString::fromStdString(run.id), QStringLiteral("attn/rollout"), 200, 2);
    QTRY_COMPARE(m_page->snapshot(), 1);
    settle();
    // Held: a new snapshot does not take the view away.
    QTest::mouseClick(m_page->scrubber(), Qt::LeftButton, {}, QPoint(int(m_page->scrubber()->pixelOf(0)), 15));
    settle();
    tests::logSnapshot(**writer, shape, 2);
    QVERIFY((*writer)->flush());
    Q_EMIT m_services->bridge.arrayStored(QString::fromStdString(run.id), QStringLiteral("attn/rollout"), 300, 3);
    QTRY_COMPARE(m_page->index().snapshots.size(), std::size_t(3));
    QCOMPARE(m_page->snapshot(), 0);
    settle();
    QVERIFY((*writer)->close(true));
    tests::finishRun(*m_workspace, run);
}

void TestAttendPage::exportsThePictureShown() {
    open(m_cct);
    const QString path = m_folder.filePath(QStringLiteral("map.png"));
    m_page->chooseFile = [&](const QString&) { return path; };
    m_page->exportFigure();
    const QImage picture(path);
    QCOMPARE(picture.size(), m_page->map()->imageRect().size() * 2);
    QVERIFY(!m_page->exportTo(m_folder.filePath(QStringLiteral("nowhere/map.png"))));
}

void TestAttendPage::rendersAtBothSizes() {
    open(m_cct);
    for (const QSize size : {QSize(920, 734), QSize(836, 606)}) {
        m_page->resize(size);
        settle();
        // Nothing sticks out of the page, and the map is an integer multiple of the image.
        QCOMPARE(m_page->size(), size);
        for (QWidget* part : {static_cast<QWidget*>(m_page->map()), static_cast<QWidget*>(m_page->wall()), static_cast<QWidget*>(m_page->strip()), static_cast<QWidget*>(m_page->scrubber())}) {
            const QRect place(part->mapTo(m_page.get(), QPoint(0, 0)), part->size());
            QVERIFY2(m_page->rect().contains(place), qPrintable(QStringLiteral("%1: %2 to %3 of %4").arg(part->accessibleName()).arg(place.top()).arg(place.bottom()).arg(size.height())));
        }
        QVERIFY(m_page->map()->mapTo(m_page.get(), m_page->map()->rect().bottomLeft()).y() < m_page->scrubber()->mapTo(m_page.get(), QPoint()).y());
        QCOMPARE(m_page->map()->scale(), std::floor(m_page->map()->scale()));
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        if (folder.isEmpty()) continue;
        for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light}) {
            theme().setKind(kind);
            settle();
            QTest::qWait(60);
            m_page->grab().save(QStringLiteral("%1/attend-%2-%3.png").arg(folder).arg(size.width()).arg(Theme::kindName(kind)));
            if (QWidget* inspector = m_page->inspector()) {
                inspector->setParent(nullptr);
                inspector->resize(272, 734);
                inspector->grab().save(QStringLiteral("%1/attend-inspector-%2.png").arg(folder, Theme::kindName(kind)));
            }
        }
        theme().setKind(ThemeKind::Dark);
    }
}

QTEST_MAIN(TestAttendPage)
#include "tst_attend_page.moc"
