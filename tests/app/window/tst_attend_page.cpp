#include <QApplication>
#include <QClipboard>
#include <QMenu>
#include <QtTest>

#include <algorithm>

#include "app/pages/attend_page.h"
#include "tests/support/page_fixture.h"
#include "tests/support/sample_runs.h"
#include "widgets/controls/accent_slider.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/epoch_scrubber.h"
#include "widgets/heatmap/head_wall.h"
#include "widgets/heatmap/probe_strip.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/loss_chart.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

class TestAttendPage : public QObject {
    Q_OBJECT
private:
    tests::PageFixture<AttendPage> m_fixture;
    feed::RunInfo m_cct, m_vit, m_none;
    tests::AttentionShape m_shape;

    void open(const feed::RunInfo& run) { m_fixture.open(run.id); }
    void settle() { m_fixture.settle(); }
    AttendPage* page() const { return m_fixture.page.get(); }
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
    void figuresDoNotChangeWithTheTheme();
    void keysChooseLayerHeadEpochAndImage();
    void sliderSetsTheOverlay();
    void mapsLieWhereTheTokensLook();
    void comesBackAfterARestart();
};

void TestAttendPage::initTestCase() {
    QVERIFY(m_fixture.start());
    m_cct = tests::makeAttentionRun(*m_fixture.workspace, "cct-s0", m_shape);
    m_vit = tests::makeAttentionRun(*m_fixture.workspace, "vit-s0", tests::classTokenShape());
    m_none = tests::newRun(*m_fixture.workspace, "plain", "70-compact-transformers");
    tests::finishRun(*m_fixture.workspace, m_none);
}

void TestAttendPage::cleanupTestCase() {
    m_fixture.stop();
}

void TestAttendPage::opensAtTheNewestSnapshotAndLastLayer() {
    open(m_cct);
    QCOMPARE(page()->index().snapshots.size(), std::size_t(6));
    QCOMPARE(page()->index().probes.size(), std::size_t(6));
    QCOMPARE(page()->snapshot(), 5);
    QCOMPARE(page()->wall()->layers(), 4);
    QCOMPARE(page()->wall()->heads(), 4);
    QCOMPARE(page()->wall()->layer(), 3);
    QVERIFY(difference(page()->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 1.0)) < 2e-4);  // stored in half precision
}

void TestAttendPage::clickOnAPixelShowsThatTokensRow() {
    open(m_cct);
    AttentionMap* map = page()->map();
    const int token = 5 * 16 + 9;
    QTest::mouseClick(map, Qt::LeftButton, {}, map->positionOf(token).toPoint());
    QCOMPARE(map->query(), token);
    QVERIFY(difference(page()->shownWeights(), expectedRow(3, 0, token, 1.0)) < 2e-4);
}

void TestAttendPage::receivedIsTheColumn() {
    open(m_cct);
    const int token = 3 * 16 + 4;
    QTest::mouseClick(page()->map(), Qt::LeftButton, {}, page()->map()->positionOf(token).toPoint());
    SegmentedControl* direction = nullptr;
    for (auto* control : page()->findChildren<SegmentedControl*>())
        if (control->labels().value(1) == QStringLiteral("Received")) direction = control;
    QVERIFY(direction);
    QTest::mouseClick(direction, Qt::LeftButton, {}, direction->segmentRect(1).center());
    std::vector<float> column;
    for (int from = 0; from < 256; ++from) column.push_back(expectedRow(3, 0, from, 1.0)[std::size_t(token)]);
    QVERIFY(difference(page()->shownWeights(), column) < 2e-4);
}

void TestAttendPage::arrowsMoveTheQuery() {
    open(m_cct);
    QCOMPARE(page()->map()->query(), 8 * 16 + 8);
    QTest::keyClick(page()->map(), Qt::Key_Right);
    QTest::keyClick(page()->map(), Qt::Key_Down);
    QCOMPARE(page()->map()->query(), 9 * 16 + 9);
    QVERIFY(difference(page()->shownWeights(), expectedRow(3, 0, 9 * 16 + 9, 1.0)) < 2e-4);
}

void TestAttendPage::wallChoosesLayerAndHead() {
    open(m_cct);
    QTest::mouseClick(page()->wall(), Qt::LeftButton, {}, page()->wall()->thumbRect(1, 2).center());
    QVERIFY(difference(page()->shownWeights(), expectedRow(1, 2, 8 * 16 + 8, 1.0)) < 2e-4);
    QTest::keyClick(page()->wall(), Qt::Key_Right);
    QTest::keyClick(page()->wall(), Qt::Key_Up);
    QVERIFY(difference(page()->shownWeights(), expectedRow(2, 1, 8 * 16 + 8, 1.0)) < 2e-4);
}

void TestAttendPage::scrubberGoesBackInTraining() {
    open(m_cct);
    EpochScrubber* scrubber = page()->scrubber();
    QTest::mouseClick(scrubber, Qt::LeftButton, {}, QPoint(int(scrubber->pixelOf(1)), 15));
    settle();
    QCOMPARE(page()->snapshot(), 1);
    QVERIFY(difference(page()->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 2.0 / 6)) < 2e-4);
    QTest::keyClick(scrubber, Qt::Key_Right);
    settle();
    QCOMPARE(page()->snapshot(), 2);
    QTest::keyClick(page(), Qt::Key_BracketLeft);
    settle();
    QCOMPARE(page()->snapshot(), 1);
}

void TestAttendPage::stripChoosesAnImageAndMarksTheWrongOne() {
    open(m_cct);
    const auto& probes = page()->strip()->probes();
    QCOMPARE(probes.size(), 6);
    for (int i = 0; i < 5; ++i) QVERIFY2(!probes[i].isWrong, qPrintable(QString::number(i)));
    QVERIFY(probes[5].isWrong);
    QTest::mouseClick(page()->strip(), Qt::LeftButton, {}, page()->strip()->thumbRect(2).center());
    settle();
    QVERIFY(difference(page()->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 1.0, 2)) < 2e-4);
    QTest::keyClick(page()->strip(), Qt::Key_Left);
    settle();
    QCOMPARE(page()->strip()->current(), 1);
    QVERIFY(difference(page()->shownWeights(), expectedRow(3, 0, 8 * 16 + 8, 1.0, 1)) < 2e-4);
}

void TestAttendPage::readOutsAreTheStoredMaps() {
    open(m_cct);
    SegmentedControl* control = page()->readOutControl();
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(1).center());
    QVERIFY(difference(page()->shownWeights(), tests::attentionRow(m_shape, 3, 0, 128, 1.0)) < 1e-7);
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(2).center());
    QVERIFY(difference(page()->shownWeights(), tests::attentionRow(m_shape, 0, 1, 128, 1.0)) < 1e-7);
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(3).center());
    const auto high = tests::attentionRow(m_shape, 3, 0, 128, 1.0), low = tests::attentionRow(m_shape, 0, 1, 128, 1.0);
    std::vector<float> share;
    for (std::size_t i = 0; i < high.size(); ++i) share.push_back(40.0f * (high[i] - low[i]));
    QVERIFY(difference(page()->shownWeights(), share) < 1e-6);  // the predicted class
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
    QCOMPARE(page()->index().grid.classTokens, 1);
    SegmentedControl* control = page()->readOutControl();
    QTest::mouseClick(control, Qt::LeftButton, {}, control->segmentRect(1).center());
    QCOMPARE(int(page()->readOut()), int(AttendPage::ReadOut::HeadRow));
    QTest::mouseClick(page()->map(), Qt::LeftButton, {}, page()->map()->positionOf(9).toPoint());
    const auto before = page()->shownWeights();
    QTest::keyClick(page(), Qt::Key_C);
    QCOMPARE(page()->map()->query(), -1);
    QVERIFY(difference(before, page()->shownWeights()) > 1e-4);
    QCOMPARE(page()->shownWeights().size(), std::size_t(64));
}

void TestAttendPage::saysWhyThereAreNoMaps() {
    open(m_none);
    QVERIFY(page()->index().isEmpty());
    QVERIFY(!page()->map()->isVisible());
    QVERIFY(page()->inspector() == nullptr);
}

void TestAttendPage::followsALiveRun() {
    tests::AttentionShape shape;
    shape.grid = 4;
    shape.jump = 8;
    shape.layers = 1;
    shape.probes = 2;
    const auto run = tests::newRun(*m_fixture.workspace, "live", "70-compact-transformers");
    auto writer = runlog::RunLogWriter::open(m_fixture.workspace->impl().runFolder(run.id));
    QVERIFY(writer);
    tests::logProbes(**writer, shape);
    tests::logSnapshot(**writer, shape, 0);
    QVERIFY((*writer)->flush());
    open(run);
    QCOMPARE(page()->snapshot(), 0);
    tests::logSnapshot(**writer, shape, 1);
    QVERIFY((*writer)->flush());
    Q_EMIT m_fixture.services->bridge.arrayStored(QString::fromStdString(run.id), QStringLiteral("attn/rollout"), 200, 2);
    QTRY_COMPARE(page()->snapshot(), 1);
    settle();
    // Held: a new snapshot does not take the view away.
    QTest::mouseClick(page()->scrubber(), Qt::LeftButton, {}, QPoint(int(page()->scrubber()->pixelOf(0)), 15));
    settle();
    tests::logSnapshot(**writer, shape, 2);
    QVERIFY((*writer)->flush());
    Q_EMIT m_fixture.services->bridge.arrayStored(QString::fromStdString(run.id), QStringLiteral("attn/rollout"), 300, 3);
    QTRY_COMPARE(page()->index().snapshots.size(), std::size_t(3));
    QCOMPARE(page()->snapshot(), 0);
    settle();
    QVERIFY((*writer)->close(true));
    tests::finishRun(*m_fixture.workspace, run);
}

void TestAttendPage::exportsThePictureShown() {
    open(m_cct);
    QString suggested, path;
    page()->chooseFile = [&](const QString& name) {
        suggested = name;
        return path;
    };
    for (const char* suffix : {"png", "svg", "pdf", "csv"}) {
        path = m_fixture.folder.filePath(QStringLiteral("map.") + QString::fromLatin1(suffix));
        page()->exportFigure();
        QVERIFY2(QFileInfo(path).size() > 400, suffix);
    }
    QCOMPARE(suggested, QStringLiteral("cct-s0-l4h1"));
    QVERIFY(QImage(m_fixture.folder.filePath(QStringLiteral("map.png"))).width() == 2 * 384);
    // The CSV is the row that was shown, at full precision.
    QFile csv(m_fixture.folder.filePath(QStringLiteral("map.csv")));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    const QStringList lines = QString::fromUtf8(csv.readAll()).split(u'\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 257);
    QCOMPARE(lines[0], QStringLiteral("row,col,x,y,weight"));
    QCOMPARE(lines[1 + 5 * 16 + 9].section(u',', 0, 3), QStringLiteral("5,9,18,10"));
    for (int token = 0; token < 256; ++token) QCOMPARE(lines[1 + token].section(u',', 4).toFloat(), page()->shownWeights()[std::size_t(token)]);
    // A folder that is not there is said, nothing is left behind.
    path = m_fixture.folder.filePath(QStringLiteral("nowhere/map.png"));
    page()->exportFigure();
    QVERIFY(!QFile::exists(path));
    // Every head of this query, through the Export menu.
    path = m_fixture.folder.filePath(QStringLiteral("wall.csv"));
    QMenu menu;
    page()->fillExportMenu(menu);
    for (QAction* action : menu.actions())
        if (action->text().startsWith(QStringLiteral("All heads"))) action->trigger();
    QFile wall(path);
    QVERIFY(wall.open(QIODevice::ReadOnly));
    QCOMPARE(wall.readAll().count('\n'), 1 + 4 * 4 * 256);
}

void TestAttendPage::figuresDoNotChangeWithTheTheme() {
    open(m_cct);
    const QImage dark = figureImage(page()->mapAsFigure()), darkWall = figureImage(page()->wallAsFigure());
    theme().setKind(ThemeKind::Light);
    settle();
    QCOMPARE(figureImage(page()->mapAsFigure()), dark);
    QCOMPARE(figureImage(page()->wallAsFigure()), darkWall);
    theme().setKind(ThemeKind::Dark);
}

void TestAttendPage::keysChooseLayerHeadEpochAndImage() {
    open(m_cct);
    QTest::keyClick(page(), Qt::Key_L, Qt::ShiftModifier);
    QTest::keyClick(page(), Qt::Key_H);
    QTest::keyClick(page(), Qt::Key_H);
    QCOMPARE(page()->layer(), 2);
    QCOMPARE(page()->head(), 2);
    QCOMPARE(page()->wall()->layer(), 2);
    QVERIFY(difference(page()->shownWeights(), expectedRow(2, 2, 8 * 16 + 8, 1.0)) < 2e-4);
    QTest::keyClick(page(), Qt::Key_BracketLeft);
    settle();
    QCOMPARE(page()->snapshot(), 4);
    QVERIFY(difference(page()->shownWeights(), expectedRow(2, 2, 8 * 16 + 8, 5.0 / 6)) < 2e-4);
    QTest::keyClick(page(), Qt::Key_N);
    settle();
    QCOMPARE(page()->strip()->current(), 1);
    QVERIFY(difference(page()->shownWeights(), expectedRow(2, 2, 8 * 16 + 8, 5.0 / 6, 1)) < 2e-4);
    QTest::keyClick(page(), Qt::Key_2);
    QCOMPARE(int(page()->readOut()), int(AttendPage::ReadOut::Pooling));
    // The map as a picture on the clipboard.
    QTest::keyClick(page(), Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QApplication::clipboard()->image().size(), page()->map()->imageRect().size() * 2);
}

void TestAttendPage::sliderSetsTheOverlay() {
    open(m_cct);
    AccentSlider* slider = page()->opacitySlider();
    QCOMPARE(page()->map()->opacity(), 0.62);
    const QImage half = page()->map()->picture();
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_Home);
    QCOMPARE(page()->map()->opacity(), 0.0);
    // Without the overlay the image alone is there.
    const QImage& image = page()->index().probes[0].image;
    const QImage bare = page()->map()->picture();
    const int scale = int(page()->map()->scale());
    for (const QPoint at : {QPoint(3, 4), QPoint(17, 20), QPoint(30, 9)}) QCOMPARE(bare.pixel(at * scale + QPoint(1, 1)), image.pixel(at));
    QVERIFY(bare != half);
    QTest::keyClick(slider, Qt::Key_End);
    QCOMPARE(page()->map()->opacity(), 1.0);
}

void TestAttendPage::mapsLieWhereTheTokensLook() {
    // One hot token: its overlay is brightest at jump·r, jump·c (convolutions), P·r + (P − 1)/2 (patches).
    struct Case {
        TokenGrid grid;
        int row, col;
        QPointF pixel;
    };
    for (const Case& one : {Case{{16, 16, 2, 0, 5, 0}, 5, 9, {18, 10}}, Case{{8, 8, 4, 1.5, 4, 1}, 2, 6, {25.5, 9.5}}, Case{{8, 8, 4, 0, 13, 0}, 7, 1, {4, 28}}}) {
        QCOMPARE(one.grid.center(one.row * one.grid.cols + one.col), one.pixel);
        std::vector<float> hot(std::size_t(one.grid.tokens()), 0.0f);
        hot[std::size_t(one.row * one.grid.cols + one.col)] = 1;
        const auto pixels = sampleTokens(hot, one.grid, 32, 32, Sampling::Bilinear);
        const auto most = std::max_element(pixels.begin(), pixels.end()) - pixels.begin();
        QVERIFY(std::abs(double(most % 32) - one.pixel.x()) <= 1 && std::abs(double(most / 32) - one.pixel.y()) <= 1);
    }
}

void TestAttendPage::comesBackAfterARestart() {
    open(m_cct);
    page()->scrubber()->setFocus();
    QTest::keyClick(page()->scrubber(), Qt::Key_Home);
    settle();
    QTest::keyClick(page(), Qt::Key_4);
    const auto before = page()->shownWeights();
    const QJsonObject state = page()->saveState();
    // A new process: services, index and maps are made again, from run.h5 alone.
    open(m_cct);
    page()->restoreState(state);
    QTest::keyClick(page()->scrubber(), Qt::Key_Home);
    settle();
    QCOMPARE(int(page()->readOut()), int(AttendPage::ReadOut::Class));
    QCOMPARE(page()->shownWeights(), before);
}

QTEST_MAIN(TestAttendPage)
#include "tst_attend_page.moc"
