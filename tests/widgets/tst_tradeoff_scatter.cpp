#include <QtTest>

#include <cmath>

#include "widgets/plot/layer_lanes.h"
#include "widgets/plot/method_legend.h"
#include "widgets/plot/tradeoff_scatter.h"
#include "widgets/plot/weight_views.h"
#include "widgets/theme/theme.h"

using namespace espalier::widgets;

namespace {

ScatterPoint point(int id, double cost, double metric, const QString& method, bool isOnFront = false) {
    ScatterPoint one;
    one.id = id;
    one.cost = cost;
    one.metric = metric;
    one.method = method;
    one.label = QStringLiteral("w%1").arg(id);
    one.isOnFront = isOnFront;
    one.isBase = id == 0;
    return one;
}

std::vector<ScatterPoint> usual() {
    return {point(0, 15, 0.965, {}, true), point(1, 4, 0.9645, QStringLiteral("rtn")), point(2, 4, 0.9648, QStringLiteral("flexround"), true),
            point(3, 2, 0.94, QStringLiteral("rtn")), point(4, 2, 0.958, QStringLiteral("flexround"), true)};
}

int countColor(const QImage& picture, const QRect& area, const QColor& color) {
    int count = 0;
    for (int y = area.top(); y <= area.bottom(); ++y)
        for (int x = area.left(); x <= area.right(); ++x) {
            const QColor at = picture.pixelColor(x, y);
            count += std::abs(at.red() - color.red()) + std::abs(at.green() - color.green()) + std::abs(at.blue() - color.blue()) < 12;
        }
    return count;
}

}  // namespace

class TestTradeoffScatter : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { theme().install(*qApp, ThemeKind::Dark); }
    void smallerIsLeftAndBetterIsAbove();
    void clickChoosesThePointUnderTheMouse();
    void keysWalkBySize();
    void farPointsBecomeCaretsUntilAskedFor();
    void hiddenMethodsCannotBeChosen();
    void marksHaveTheirMethodsColour();
    void frontIsAStaircase();
    void lowerIsBetterTurnsTheStripAround();
    void legendTogglesByClickAndKey();
    void columnsFillTheLaneInWholePixels();
    void clippedSharesCountWholeBins();
};

void TestTradeoffScatter::smallerIsLeftAndBetterIsAbove() {
    TradeoffScatter scatter;
    scatter.resize(560, 280);
    scatter.setPoints(usual(), 1, QStringLiteral("MB"));
    QVERIFY(scatter.positionOf(3).x() < scatter.positionOf(1).x());
    QVERIFY(scatter.positionOf(1).x() < scatter.positionOf(0).x());
    QVERIFY(scatter.positionOf(4).y() < scatter.positionOf(3).y());
    // Logarithmic: 2 to 4 MB is as far as 4 to 8.
    const double unit = scatter.positionOf(1).x() - scatter.positionOf(3).x();
    const double rest = scatter.positionOf(0).x() - scatter.positionOf(1).x();
    QVERIFY(std::abs(rest / unit - std::log2(15.0 / 4)) < 0.01);
}

void TestTradeoffScatter::clickChoosesThePointUnderTheMouse() {
    TradeoffScatter scatter;
    scatter.resize(560, 280);
    scatter.show();
    scatter.setPoints(usual(), 1, QStringLiteral("MB"));
    QSignalSpy picked(&scatter, &TradeoffScatter::picked);
    QTest::mouseClick(&scatter, Qt::LeftButton, {}, scatter.positionOf(4).toPoint() + QPoint(3, 3));
    QCOMPARE(picked.count(), 1);
    QCOMPARE(picked[0][0].toInt(), 4);
    QTest::mouseClick(&scatter, Qt::LeftButton, {}, QPoint(scatter.plotArea().center().x(), scatter.plotArea().bottom() - 3));
    QCOMPARE(picked.count(), 1);
    QCOMPARE(scatter.selected(), 4);
}

void TestTradeoffScatter::keysWalkBySize() {
    TradeoffScatter scatter;
    scatter.setPoints(usual(), 1, QStringLiteral("MB"));
    QTest::keyClick(&scatter, Qt::Key_Home);
    QCOMPARE(scatter.selected(), 3);
    QTest::keyClick(&scatter, Qt::Key_Right);
    QCOMPARE(scatter.selected(), 4);
    QTest::keyClick(&scatter, Qt::Key_End);
    QCOMPARE(scatter.selected(), 0);
    QTest::keyClick(&scatter, Qt::Key_Left);
    QCOMPARE(scatter.selected(), 2);
}

void TestTradeoffScatter::farPointsBecomeCaretsUntilAskedFor() {
    TradeoffScatter scatter;
    scatter.resize(560, 280);
    auto points = usual();
    points.push_back(point(5, 1.4, 0.31, QStringLiteral("rtn")));
    points.push_back(point(6, 1.4, 0.55, QStringLiteral("flexround"), true));
    scatter.setPoints(points, 1, QStringLiteral("MB"));
    QCOMPARE(scatter.outsideCount(), 2);
    QVERIFY(scatter.edgeValue() > 0.9);
    QVERIFY(scatter.positionOf(5).y() > scatter.plotArea().bottom() - 10);
    scatter.setShowsAll(true);
    QCOMPARE(scatter.outsideCount(), 0);
    QVERIFY(scatter.edgeValue() < 0.31);
}

void TestTradeoffScatter::hiddenMethodsCannotBeChosen() {
    TradeoffScatter scatter;
    scatter.resize(560, 280);
    scatter.setPoints(usual(), 1, QStringLiteral("MB"));
    scatter.setMethodHidden(QStringLiteral("flexround"), true);
    QTest::keyClick(&scatter, Qt::Key_Home);
    QTest::keyClick(&scatter, Qt::Key_Right);
    QCOMPARE(scatter.selected(), 1);
}

void TestTradeoffScatter::marksHaveTheirMethodsColour() {
    TradeoffScatter scatter;
    scatter.resize(560, 280);
    scatter.setPoints(usual(), 1, QStringLiteral("MB"));
    const QImage picture = scatter.grab().toImage();
    const auto box = [&](int id) { return QRect(scatter.positionOf(id).toPoint() - QPoint(6, 6), QSize(13, 13)); };
    const QColor flex = theme().methodLook(QStringLiteral("flexround")).color;
    QVERIFY(countColor(picture, box(4), flex) > 25);
    QCOMPARE(countColor(picture, box(3), flex), 0);
}

void TestTradeoffScatter::frontIsAStaircase() {
    TradeoffScatter scatter;
    scatter.resize(560, 280);
    scatter.setPoints(usual(), 1, QStringLiteral("MB"));
    const QImage picture = scatter.grab().toImage();
    // Between the two front points the line runs at the height of the smaller one, then jumps.
    const QPoint low = scatter.positionOf(4).toPoint(), high = scatter.positionOf(2).toPoint();
    const QColor line = theme().color(Color::Text);
    QVERIFY(countColor(picture, QRect(low.x() + 20, low.y() - 1, high.x() - low.x() - 40, 4), line) >= high.x() - low.x() - 44);
    QVERIFY(countColor(picture, QRect(high.x() - 1, high.y() + 10, 4, low.y() - high.y() - 14), line) >= (low.y() - high.y()) - 16);
}

void TestTradeoffScatter::lowerIsBetterTurnsTheStripAround() {
    TradeoffScatter scatter;
    scatter.resize(560, 280);
    std::vector<ScatterPoint> points{point(0, 10, 20.0, {}, true), point(1, 3, 20.1, QStringLiteral("flexround"), true), point(2, 3, 24, QStringLiteral("rtn"))};
    scatter.setPoints(points, -1, QStringLiteral("MB"));
    QVERIFY(scatter.positionOf(0).y() > scatter.positionOf(2).y());  // perplexity: the better base lies lower
    const QImage picture = scatter.grab().toImage();
    const int x = scatter.plotArea().left() + 5;
    const int base = int(scatter.positionOf(0).y());
    QVERIFY(picture.pixelColor(x, base - 4) != picture.pixelColor(x, base + 4));
}

void TestTradeoffScatter::legendTogglesByClickAndKey() {
    MethodLegend legend(true);
    legend.setEntries({{QStringLiteral("rtn"), theme().methodLook(QStringLiteral("rtn")), false}, {QStringLiteral("flexround"), theme().methodLook(QStringLiteral("flexround")), false}});
    legend.resize(legend.sizeHint());
    QSignalSpy toggled(&legend, &MethodLegend::toggled);
    QTest::mouseClick(&legend, Qt::LeftButton, {}, legend.entryRect(1).center());
    QCOMPARE(toggled.takeFirst(), (QVariantList{QStringLiteral("flexround"), true}));
    QTest::keyClick(&legend, Qt::Key_Space);
    QCOMPARE(toggled.takeFirst(), (QVariantList{QStringLiteral("flexround"), false}));
}

void TestTradeoffScatter::columnsFillTheLaneInWholePixels() {
    LayerColumns columns;
    QVector<LayerColumns::Layer> layers;
    for (int i = 0; i < 30; ++i) layers << LayerColumns::Layer{QString::number(i), QString::number(i / 4)};
    columns.setLayers(layers);
    QCOMPARE(columns.column(0, 46, 520).left(), 46.0);
    QCOMPARE(columns.column(0, 46, 520).width(), std::floor(columns.column(0, 46, 520).width()));
    QVERIFY(columns.column(29, 46, 520).right() <= 566.0);
    QVERIFY(columns.column(29, 46, 520).right() >= 566.0 - 8);
    for (int i = 0; i < 30; ++i) QCOMPARE(columns.columnAt(columns.column(i, 46, 520).center().x(), 46, 520), i);
    QCOMPARE(columns.columnAt(10, 46, 520), -1);
}

void TestTradeoffScatter::clippedSharesCountWholeBins() {
    WeightHistogram histogram;
    histogram.setBins({-3, -2, -1, 0, 1, 2}, {1, 2, 3, 2, 1, 1});
    QCOMPARE(histogram.clippedShares(), (std::pair<double, double>{0, 0}));
    histogram.setGrid({-1, 0, 1}, QStringLiteral("flexround"));  // reaches half a step further: −1.5 to 1.5
    const auto [below, above] = histogram.clippedShares();
    QCOMPARE(below, 0.1);   // the bin around −2.5; the one around −1.5 lies at the edge
    QCOMPARE(above, 0.1);
}

QTEST_MAIN(TestTradeoffScatter)
#include "tst_tradeoff_scatter.moc"
