#include <QApplication>
#include <QMenu>
#include <QPushButton>
#include <QtTest>

#include <fstream>

#include "app/pages/quantize_inspector.h"
#include "app/pages/quantize_page.h"
#include "tests/support/page_fixture.h"
#include "tests/support/sample_runs.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/method_legend.h"
#include "widgets/plot/weight_views.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

class TestQuantizePage : public QObject {
    Q_OBJECT
private:
    tests::PageFixture<QuantizePage> m_fixture;
    feed::RunInfo m_parent, m_job;
    tests::QuantizeShape m_shape;

    void open(const feed::RunInfo& run) { m_fixture.open(run.id); }
    void settle() { m_fixture.settle(); }
    QuantizePage* page() const { return m_fixture.page.get(); }
    void clickPoint(int id) {
        QTest::mouseClick(page()->scatter(), Qt::LeftButton, {}, page()->scatter()->positionOf(id).toPoint());
        settle();
    }
    static void moveMouse(QWidget* widget, const QPoint& to, Qt::MouseButtons buttons = Qt::NoButton) {
        QMouseEvent move(QEvent::MouseMove, to, widget->mapToGlobal(to), Qt::NoButton, buttons, Qt::NoModifier);
        QApplication::sendEvent(widget, &move);
    }
    static QString valueOf(const KeyValueList* list, const QString& key) {
        for (const KeyValue& row : list->rows())
            if (row.key == key) return row.value;
        return QStringLiteral("no such row");
    }

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void showsTheSmallestPointNearTheBase();
    void clickOnAPointShowsItsBytesAndLayers();
    void lanesShareTheColumnUnderTheMouse();
    void layerShowsHistogramWithTheGrid();
    void mapFallsBackToErrors();
    void exportButtonWritesTheChosenPoint();
    void exportOfAMissingModelSaysSo();
    void growsWhileTheJobRuns();
    void trainedRunShowsItsNewestJob();
    void saysThatNothingWasQuantized();
    void hoverReadsEveryMethodOfASize();
    void boxZoomHasAHistory();
    void keysSetLogScales();
    void legendHidesAndIsolates();
    void lanesZoomToLayersTogether();
    void layerChartsReadTheirValues();
    void everyChartIsExported();
    void figuresDoNotChangeWithTheTheme();
    void rendersAtBothSizes();
};

void TestQuantizePage::initTestCase() {
    QVERIFY(m_fixture.start());
    m_parent = tests::newRun(*m_fixture.workspace, "cct-s0", "70-compact-transformers");
    tests::finishRun(*m_fixture.workspace, m_parent);
    m_job = tests::makeQuantizeRun(*m_fixture.workspace, "flexround-s0", m_parent.id, m_shape);
}

void TestQuantizePage::cleanupTestCase() {
    m_fixture.stop();
}

void TestQuantizePage::showsTheSmallestPointNearTheBase() {
    open(m_job);
    QCOMPARE(page()->scatter()->points().size(), std::size_t(10));
    // w4: FlexRound loses 0.0054 and AdaRound 0.0096 of 0.965, RTN 0.0264; both of the first are within 1 %, of one size.
    QCOMPARE(page()->selectedPoint(), 6);
    QCOMPARE(QString::fromStdString(page()->data().point(6)->label), QStringLiteral("flexround w4"));
    QCOMPARE(page()->data().smallestWithinOnePercent().size(), std::size_t(3));
}

void TestQuantizePage::clickOnAPointShowsItsBytesAndLayers() {
    open(m_job);
    clickPoint(3);  // flexround w8 is on the front, above RTN w8 of the same size
    QCOMPARE(page()->selectedPoint(), 3);
    std::int64_t weights = 0, scales = 0;
    for (int layer = 0; layer < m_shape.layers(); ++layer) weights += tests::weightsOf(m_shape, layer), scales += 8 * 64;
    const KeyValueList* bytes = page()->details()->bytes();
    const auto plain = [](QString text) { return text.remove(u','); };
    QCOMPARE(plain(valueOf(bytes, QStringLiteral("weights"))), QString::number(weights));
    QCOMPARE(plain(valueOf(bytes, QStringLiteral("scales"))), QString::number(scales));
    QCOMPARE(plain(valueOf(bytes, QStringLiteral("untouched"))), QStringLiteral("20000"));
    QCOMPARE(plain(valueOf(bytes, QStringLiteral("total"))), QString::number(weights + scales + 20000));
    QCOMPARE(page()->allocation()->bars().size(), m_shape.layers());
    QCOMPARE(page()->allocation()->bars()[0].bits, 8.0);
    QCOMPARE(page()->allocation()->bars()[0].bytes, 1728.0 + 512);
    // Keys: to the next larger point, the base.
    QTest::keyClick(page()->scatter(), Qt::Key_End);
    QCOMPARE(page()->selectedPoint(), 0);
    QCOMPARE(page()->allocation()->bars()[0].bits, 32.0);
}

void TestQuantizePage::lanesShareTheColumnUnderTheMouse() {
    open(m_job);
    const QPoint over = page()->allocation()->columnRect(5).center().toPoint();
    moveMouse(page()->allocation(), over);
    QCOMPARE(page()->sensitivity()->columns()->hovered(), 5);
    // One x for all three.
    for (int layer = 0; layer < m_shape.layers(); ++layer) {
        QCOMPARE(page()->sensitivity()->columnRect(layer).left(), page()->calibration()->columnRect(layer).left());
        QCOMPARE(page()->sensitivity()->columnRect(layer).width(), page()->allocation()->columnRect(layer).width());
    }
    QTest::mouseClick(page()->calibration(), Qt::LeftButton, {}, page()->calibration()->columnRect(7).center().toPoint());
    settle();
    QCOMPARE(page()->allocation()->columns()->selected(), 7);
    QTest::keyClick(page()->sensitivity(), Qt::Key_Left);
    QCOMPARE(page()->allocation()->columns()->selected(), 6);
    QCOMPARE(valueOf(page()->details()->layer(), QStringLiteral("bits")), QStringLiteral("4"));
    settle();
}

void TestQuantizePage::layerShowsHistogramWithTheGrid() {
    open(m_job);
    clickPoint(page()->selectedPoint());
    // The grid of 4 bit ends half a step (0.008125) beyond −0.13 and 0.11375; the tails of the histogram lie outside.
    const auto [below, above] = page()->histogram()->clippedShares();
    QVERIFY2(below > 0 && below < 0.02, qPrintable(QString::number(below)));
    QVERIFY2(above > below && above < 0.05, qPrintable(QString::number(above)));
    QCOMPARE(valueOf(page()->details()->layer(), QStringLiteral("moved 1 level")), QStringLiteral("9.4 %"));
}

void TestQuantizePage::mapFallsBackToErrors() {
    open(m_job);
    QVERIFY(page()->sensitivity()->isSigned());
    QuantizeData data = page()->data();
    const auto loss = lossCells(data);
    QCOMPARE(loss.bits, (std::vector<std::int64_t>{8, 4, 3}));
    QCOMPARE(loss.values[0].size(), std::size_t(m_shape.layers()));
    const auto error = errorCells(data, "adaround");
    QVERIFY(std::abs(error.values[1][3] - 0.7 * tests::outputError(3, "adaround", 4)) < 1e-9);
    std::erase_if(data.tables.layers, [](const auto& row) { return row.probeKind == "single"; });
    QVERIFY(lossCells(data).isEmpty());
}

void TestQuantizePage::exportButtonWritesTheChosenPoint() {
    open(m_job);
    clickPoint(6);
    const auto stored = std::filesystem::path(m_job.folder.empty() ? m_fixture.workspace->impl().runFolder(m_job.id) : std::filesystem::path(m_job.folder)) / "artifacts";
    std::filesystem::create_directories(stored);
    // A real safetensors file of the stored point, as the job writes it.
    const std::string bytes = std::to_string(page()->data().point(6)->bytesTotal);
    const std::string header = R"({"fc.weight":{"dtype":"U8","shape":[)" + bytes + R"(],"data_offsets":[0,)" + bytes + "]}}";
    const auto length = static_cast<std::uint64_t>(header.size());
    std::ofstream file(stored / "point-6.safetensors", std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), 8);
    file << header << std::string(static_cast<std::size_t>(page()->data().point(6)->bytesTotal), 'a');
    file.close();
    const QString path = m_fixture.folder.filePath(QStringLiteral("out.safetensors"));
    QString suggested;
    page()->chooseFile = [&](const QString& name) {
        suggested = name;
        return path;
    };
    QSignalSpy exported(page(), &QuantizePage::exported);
    QTest::mouseClick(page()->details()->exportButton(), Qt::LeftButton);
    QTRY_COMPARE(exported.count(), 1);
    QCOMPARE(suggested, QStringLiteral("flexround-w4.safetensors"));
    QCOMPARE(exported[0][0].toInt(), 6);
    QVERIFY(exported[0][2].toBool());
    QCOMPARE(std::filesystem::file_size(path.toStdString()), std::filesystem::file_size(stored / "point-6.safetensors"));
    QVERIFY(page()->details()->exportButton()->isEnabled());
}

void TestQuantizePage::exportOfAMissingModelSaysSo() {
    open(m_job);
    clickPoint(3);
    QSignalSpy exported(page(), &QuantizePage::exported);
    page()->exportPointTo(3, m_fixture.folder.filePath(QStringLiteral("never.safetensors")));
    QTRY_COMPARE(exported.count(), 1);
    QVERIFY(!exported[0][2].toBool());
    QVERIFY(!QFile::exists(m_fixture.folder.filePath(QStringLiteral("never.safetensors"))));
}

void TestQuantizePage::growsWhileTheJobRuns() {
    const auto run = tests::newRun(*m_fixture.workspace, "growing", "46-flexround", m_parent.id);
    auto writer = runlog::RunLogWriter::open(m_fixture.workspace->impl().runFolder(run.id));
    QVERIFY(writer);
    tests::logQuantizeHead(**writer, m_shape, run.id);
    QVERIFY((*writer)->flush());
    open(run);
    QCOMPARE(page()->scatter()->points().size(), std::size_t(1));
    for (int kind = 0; kind < 3; ++kind) {
        tests::logQuantizePoint(**writer, m_shape, 1, kind);
        QVERIFY((*writer)->flush());
        Q_EMIT m_fixture.services->bridge.tradeoffGrew(QString::fromStdString(run.id));
        QTRY_COMPARE(page()->scatter()->points().size(), std::size_t(2 + kind));
    }
    settle();
    QCOMPARE(QString::fromStdString(page()->data().point(page()->selectedPoint())->method), QStringLiteral("flexround"));
    // A choice of the user stays.
    clickPoint(4);
    const int chosen = page()->selectedPoint();
    tests::logQuantizePoint(**writer, m_shape, 2, 0);
    QVERIFY((*writer)->flush());
    Q_EMIT m_fixture.services->bridge.tradeoffGrew(QString::fromStdString(run.id));
    QTRY_COMPARE(page()->scatter()->points().size(), std::size_t(5));
    QCOMPARE(page()->selectedPoint(), chosen);
    settle();
    QVERIFY((*writer)->close(true));
    tests::finishRun(*m_fixture.workspace, run);
}

void TestQuantizePage::trainedRunShowsItsNewestJob() {
    open(m_parent);
    QVERIFY(!page()->data().tables.points.empty());
    QCOMPARE(page()->data().tables.job.recipe, std::string("46-flexround"));
}

void TestQuantizePage::saysThatNothingWasQuantized() {
    const auto lonely = tests::newRun(*m_fixture.workspace, "lonely", "70-compact-transformers");
    tests::finishRun(*m_fixture.workspace, lonely);
    open(lonely);
    QVERIFY(!page()->scatter()->isVisible());
    QVERIFY(page()->inspector() == nullptr);
}

void TestQuantizePage::hoverReadsEveryMethodOfASize() {
    open(m_job);
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

void TestQuantizePage::boxZoomHasAHistory() {
    open(m_job);
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

void TestQuantizePage::keysSetLogScales() {
    open(m_job);
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

void TestQuantizePage::legendHidesAndIsolates() {
    open(m_job);
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

void TestQuantizePage::lanesZoomToLayersTogether() {
    open(m_job);
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
    QCOMPARE(page()->readout()->content().title, columns->layers()[5].name);
    QVERIFY(page()->readout()->isVisible() && page()->readout()->content().rows.size() >= 3);
    QTest::keyClick(page()->allocation(), Qt::Key_Backspace);
    QVERIFY(!columns->isZoomed());
    settle();
}

void TestQuantizePage::layerChartsReadTheirValues() {
    open(m_job);
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

void TestQuantizePage::everyChartIsExported() {
    open(m_job);
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
    QVERIFY2(rows.contains(QString::fromStdString(tests::layerName(m_shape, 4)) + QStringLiteral(",bits,4")), qPrintable(rows.left(400)));
}

void TestQuantizePage::figuresDoNotChangeWithTheTheme() {
    open(m_job);
    const QImage dark = figureImage(page()->scatter()->figure()), darkLanes = figureImage(page()->lanesFigure());
    theme().setKind(ThemeKind::Light);
    settle();
    QCOMPARE(figureImage(page()->scatter()->figure()), dark);
    QCOMPARE(figureImage(page()->lanesFigure()), darkLanes);
    theme().setKind(ThemeKind::Dark);
}

void TestQuantizePage::rendersAtBothSizes() {
    open(m_job);
    for (const QSize size : {QSize(920, 734), QSize(836, 606)}) {
        page()->resize(size);
        settle();
        QVERIFY(page()->minimumSizeHint().width() <= size.width());
        QVERIFY2(page()->minimumSizeHint().height() <= size.height(), qPrintable(QString::number(page()->minimumSizeHint().height())));
        m_fixture.picture(QStringLiteral("quantize"));
    }
}

QTEST_MAIN(TestQuantizePage)
#include "tst_quantize_page.moc"
