#include <QApplication>
#include <QMenu>
#include <QtTest>

#include "app/pages/quantize_inspector.h"
#include "tests/support/quantize_fixture.h"
#include "tests/support/sample_runs.h"
#include "widgets/controls/section.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/method_legend.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;
using tests::moveMouse;

/// The charts of the Quantize page under mouse and keys, and as files.
class TestQuantizeCharts : public QObject {
    Q_OBJECT
private:
    tests::QuantizeFixture m_fixture;

    void open(const feed::RunInfo& run) { m_fixture.open(run.id); }
    void settle() { m_fixture.settle(); }
    QuantizePage* page() const { return m_fixture.page.get(); }
    void clickPoint(int id) { m_fixture.clickPoint(id); }

private Q_SLOTS:
    void initTestCase() { QVERIFY(m_fixture.start()); }
    void cleanupTestCase() { m_fixture.stop(); }
    void optionsOfALayerStandInColumns();
    void blocksAreCountedAsTheLanesCountThem();
    void hoverReadsEveryMethodOfASize();
    void boxZoomHasAHistory();
    void keysSetLogScales();
    void legendHidesAndIsolates();
    void lanesZoomToLayersTogether();
    void layerChartsReadTheirValues();
    void everyChartIsExported();
    void figuresDoNotChangeWithTheTheme();
};

void TestQuantizeCharts::optionsOfALayerStandInColumns() {
    open(m_fixture.job);
    const KeyValueList* options = nullptr;
    for (const auto* list : page()->findChildren<KeyValueList*>())
        if (list->isVisible() && !list->rows().isEmpty() && list->rows().front().key.startsWith(u'w')) options = list;
    QVERIFY(options && options->rows().size() == 9);
    for (int row = 0; row < options->rows().size(); ++row) {
        QVERIFY(options->rows()[row].isNumber);
        QCOMPARE(options->valueEdge(row), options->valueEdge(0));  // whatever the size behind it takes
    }
    QVERIFY(options->valueEdge(0) < options->width() - 20);
    m_fixture.picture(QStringLiteral("options"));
}

void TestQuantizeCharts::blocksAreCountedAsTheLanesCountThem() {
    open(m_fixture.job);
    LayerColumns* columns = page()->allocation()->columns();
    columns->select(5);
    settle();
    QCOMPARE(columns->layers()[5].name, QStringLiteral("blocks.1.qkv"));
    QCOMPARE(columns->layers()[5].block, QStringLiteral("block 2"));
    QCOMPARE(columns->titleOf(5), QStringLiteral("block 2, qkv"));
    QCOMPARE(columns->titleOf(0), QStringLiteral("tokenizer.conv0"));
    // The inspector says the same, and the name of the model as such.
    QCOMPARE(tests::valueOf(page()->details()->layer(), QStringLiteral("in the model")), QStringLiteral("blocks.1.qkv"));
    QStringList sections;
    for (const auto* section : page()->inspector()->findChildren<Section*>()) sections << section->count();
    QVERIFY2(sections.contains(QStringLiteral("block 2, qkv")), qPrintable(sections.join(u';')));
}

void TestQuantizeCharts::hoverReadsEveryMethodOfASize() {
    open(m_fixture.job);
    TradeoffScatter* scatter = page()->scatter();
    moveMouse(scatter, scatter->positionOf(6).toPoint());
    QVERIFY(page()->readout()->isVisible());
    // w4 of all three methods takes the same bytes: one line, three values, the best first.
    const auto rows = page()->readout()->content().rows;
    QCOMPARE(rows.size(), 3);
    QVERIFY(rows[0].label == QStringLiteral("flexround w4") && rows[2].label == QStringLiteral("rtn w4"));
    QVERIFY2(rows[0].raw.startsWith(QString::number(tests::metricOf("flexround", 4), 'f', 5)), qPrintable(rows[0].raw));
    moveMouse(scatter, QPoint(scatter->plotArea().left() + 3, scatter->plotArea().center().y()));
    QVERIFY(!page()->readout()->isVisible());
}

void TestQuantizeCharts::boxZoomHasAHistory() {
    open(m_fixture.job);
    TradeoffScatter* scatter = page()->scatter();
    const ChartView all = scatter->view();
    const auto drag = [&](const QPoint& from, const QPoint& to) {
        QTest::mousePress(scatter, Qt::LeftButton, {}, from);
        moveMouse(scatter, (from + to) / 2, Qt::LeftButton);
        moveMouse(scatter, to, Qt::LeftButton);
        QTest::mouseRelease(scatter, Qt::LeftButton, {}, to);
    };
    const QRect area = scatter->plotArea();
    const int chosen = page()->selectedPoint();
    drag(area.topLeft() + QPoint(40, 10), area.center());
    const ChartView once = scatter->view();
    QVERIFY(once.x.high < all.x.high && once.x.low > all.x.low && once.y.low > all.y.low);
    QCOMPARE(page()->selectedPoint(), chosen);  // a drag chooses nothing
    drag(area.topLeft() + QPoint(20, 10), area.center());
    QVERIFY(scatter->view().x.size() < once.x.size());
    QTest::keyClick(scatter, Qt::Key_Backspace);
    QCOMPARE(scatter->view(), once);
    QTest::mouseDClick(scatter, Qt::LeftButton, {}, area.center());
    QCOMPARE(scatter->view(), all);
    QVERIFY(!scatter->isZoomed());
    QTest::keyClick(scatter, Qt::Key_Backspace);  // a reset can be taken back
    QCOMPARE(scatter->view(), once);
    QTest::keyClick(scatter, Qt::Key_0);
    QCOMPARE(scatter->view(), all);
}

void TestQuantizeCharts::keysSetLogScales() {
    open(m_fixture.job);
    TradeoffScatter* scatter = page()->scatter();
    QVERIFY(scatter->isLogX() && !scatter->isLogY());
    const auto gap = [&](int a, int b) { return scatter->positionOf(a).x() - scatter->positionOf(b).x(); };
    const double bytes3 = double(page()->data().point(9)->bytesTotal), bytes4 = double(page()->data().point(6)->bytesTotal), bytes8 = double(page()->data().point(3)->bytesTotal);
    QVERIFY(std::abs(gap(3, 6) / gap(6, 9) - std::log(bytes8 / bytes4) / std::log(bytes4 / bytes3)) < 0.01);
    QTest::keyClick(scatter, Qt::Key_L, Qt::ShiftModifier);
    QVERIFY(!scatter->isLogX());
    QVERIFY(std::abs(gap(3, 6) / gap(6, 9) - (bytes8 - bytes4) / (bytes4 - bytes3)) < 0.01);
    QTest::keyClick(scatter, Qt::Key_L);
    QVERIFY(scatter->isLogY());
    QVERIFY(page()->calibration()->isLogY());
    QTest::keyClick(page()->calibration(), Qt::Key_L);
    QVERIFY(!page()->calibration()->isLogY());
    QTest::keyClick(page()->allocation(), Qt::Key_L);
    QVERIFY(page()->allocation()->isLogY());
    QTest::keyClick(page()->histogram(), Qt::Key_L);
    QVERIFY(page()->histogram()->isLogY());
}

void TestQuantizeCharts::legendHidesAndIsolates() {
    open(m_fixture.job);
    MethodLegend* legend = page()->legend();
    QTest::mouseClick(legend, Qt::LeftButton, {}, legend->entryRect(0).center());
    QVERIFY(page()->scatter()->isMethodHidden(QStringLiteral("rtn")));
    QTest::mouseClick(legend, Qt::LeftButton, {}, legend->entryRect(0).center());
    QVERIFY(!page()->scatter()->isMethodHidden(QStringLiteral("rtn")));
    // A double click arrives as a click and a double click.
    const auto doubleClick = [&] {
        QTest::mouseClick(legend, Qt::LeftButton, {}, legend->entryRect(2).center());
        QTest::mouseDClick(legend, Qt::LeftButton, {}, legend->entryRect(2).center());
    };
    doubleClick();
    QVERIFY(page()->scatter()->isMethodHidden(QStringLiteral("rtn")) && page()->scatter()->isMethodHidden(QStringLiteral("adaround")));
    QVERIFY(!page()->scatter()->isMethodHidden(QStringLiteral("flexround")));
    doubleClick();
    for (const char* method : {"rtn", "adaround", "flexround"}) QVERIFY(!page()->scatter()->isMethodHidden(QString::fromLatin1(method)));
}

void TestQuantizeCharts::lanesZoomToLayersTogether() {
    open(m_fixture.job);
    LayerColumns* columns = page()->allocation()->columns();
    const auto middle = [&](int layer) { return page()->allocation()->columnRect(layer).center().toPoint(); };
    const QPoint from = middle(3), to = middle(8);
    QTest::mousePress(page()->allocation(), Qt::LeftButton, {}, from);
    moveMouse(page()->allocation(), (from + to) / 2, Qt::LeftButton);
    moveMouse(page()->allocation(), to, Qt::LeftButton);
    QTest::mouseRelease(page()->allocation(), Qt::LeftButton, {}, to);
    QCOMPARE(columns->first(), 3);
    QCOMPARE(columns->last(), 8);
    // All lanes follow, with wider columns; layers outside have no place.
    for (int layer = 3; layer <= 8; ++layer) QCOMPARE(page()->calibration()->columnRect(layer).left(), page()->sensitivity()->columnRect(layer).left());
    QVERIFY(page()->calibration()->columnRect(2).isEmpty());
    moveMouse(page()->calibration(), page()->calibration()->columnRect(5).center().toPoint());
    QCOMPARE(page()->readout()->content().title, QStringLiteral("block 2, qkv"));  // the model counts it as 1
    QVERIFY(page()->readout()->isVisible() && page()->readout()->content().rows.size() >= 3);
    QTest::keyClick(page()->allocation(), Qt::Key_Backspace);
    QVERIFY(!columns->isZoomed());
    settle();
}

void TestQuantizeCharts::layerChartsReadTheirValues() {
    open(m_fixture.job);
    clickPoint(6);
    WeightHistogram* histogram = page()->histogram();
    moveMouse(histogram, histogram->plotArea().center());
    QVERIFY(page()->readout()->isVisible());
    const auto rows = page()->readout()->content().rows;
    QCOMPARE(rows.size(), 3);  // count, share, nearest level of the grid
    QVERIFY2(rows[2].label.endsWith(QStringLiteral("of 16")), qPrintable(rows[2].label));
    moveMouse(page()->shift(), page()->shift()->plotArea().center());
    QVERIFY(page()->readout()->isVisible());
    const QImage before = histogram->grab().toImage();
    QWheelEvent wheel(QPointF(histogram->plotArea().center()), histogram->mapToGlobal(QPointF(histogram->plotArea().center())), {}, {0, 360}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(histogram, &wheel);
    QVERIFY(histogram->isZoomed());
    QVERIFY(histogram->grab().toImage() != before);
    QTest::keyClick(histogram, Qt::Key_Backspace);
    QVERIFY(!histogram->isZoomed());
}

void TestQuantizeCharts::everyChartIsExported() {
    open(m_fixture.job);
    QString path;
    page()->chooseFigure = [&](const QString&) { return path; };
    QMenu menu;
    page()->fillExportMenu(menu);
    int charts = 0;
    for (QAction* action : menu.actions()) {
        if (!action->text().endsWith(QChar(0x2026))) continue;
        ++charts;
        for (const char* suffix : {"png", "svg", "pdf", "csv"}) {
            path = m_fixture.folder.filePath(QStringLiteral("chart%1.%2").arg(charts).arg(QString::fromLatin1(suffix)));
            action->trigger();
            QVERIFY2(QFileInfo(path).size() > 200, qPrintable(path));
        }
    }
    QCOMPARE(charts, 4);
    // Text stays text in the SVG; the CSV has every digit of the tables.
    QFile svg(m_fixture.folder.filePath(QStringLiteral("chart1.svg")));
    QVERIFY(svg.open(QIODevice::ReadOnly));
    QVERIFY(svg.readAll().contains("within 1 % of base"));
    QFile csv(m_fixture.folder.filePath(QStringLiteral("chart1.csv")));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    const QStringList lines = QString::fromUtf8(csv.readAll()).split(u'\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 11);
    for (const QString& line : lines.mid(1)) {
        const auto& points = page()->data().tables.points;
        const auto at = std::find_if(points.begin(), points.end(), [&](const auto& one) { return QString::fromStdString(one.label) == line.section(u',', 0, 0); });
        QVERIFY2(at != points.end(), qPrintable(line));
        QCOMPARE(line.section(u',', 4, 4).toDouble(), at->metric);
    }
    QFile lanes(m_fixture.folder.filePath(QStringLiteral("chart2.csv")));
    QVERIFY(lanes.open(QIODevice::ReadOnly));
    const QString rows = QString::fromUtf8(lanes.readAll());
    QVERIFY2(rows.contains(QString::fromStdString(tests::layerName(m_fixture.shape, 4)) + QStringLiteral(",bits,4")), qPrintable(rows.left(400)));
}

void TestQuantizeCharts::figuresDoNotChangeWithTheTheme() {
    open(m_fixture.job);
    const QImage dark = figureImage(page()->scatter()->figure()), darkLanes = figureImage(page()->lanesFigure());
    theme().setKind(ThemeKind::Light);
    settle();
    QCOMPARE(figureImage(page()->scatter()->figure()), dark);
    QCOMPARE(figureImage(page()->lanesFigure()), darkLanes);
    theme().setKind(ThemeKind::Dark);
}

QTEST_MAIN(TestQuantizeCharts)
#include "tst_quantize_charts.moc"
