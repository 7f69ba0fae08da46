#include <QtTest>

#include <algorithm>
#include <cmath>
#include <limits>

#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/heat_image.h"
#include "widgets/heatmap/token_grid.h"
#include "widgets/theme/color_maps.h"
#include "widgets/theme/theme.h"

using namespace espalier::widgets;

namespace {

/// Centre of the pixels that differ most from the plain image.
QPointF peakOf(const QImage& picture, const QImage& plain) {
    int most = 0;
    std::vector<QPoint> where;
    for (int y = 0; y < picture.height(); ++y)
        for (int x = 0; x < picture.width(); ++x) {
            const QRgb a = picture.pixel(x, y), b = plain.pixel(x, y);
            const int difference = std::abs(qRed(a) - qRed(b)) + std::abs(qGreen(a) - qGreen(b)) + std::abs(qBlue(a) - qBlue(b));
            if (difference > most) {
                most = difference;
                where.clear();
            }
            if (difference == most && most > 0) where.push_back({x, y});
        }
    QPointF sum;
    for (const QPoint& point : where) sum += point;
    return where.empty() ? QPointF(-100, -100) : sum / double(where.size());
}

QImage greyImage(int side) {
    QImage image(side, side, QImage::Format_RGB32);
    image.fill(qRgb(90, 90, 90));
    return image;
}

}  // namespace

class TestTokenGrid : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { theme().install(*qApp, ThemeKind::Dark); }
    void readsTheStoredArray();
    void hotTokenIsBrightestAtItsCentre_data();
    void hotTokenIsBrightestAtItsCentre();
    void sharesNoHalfTokenShiftWithCentredPatches();
    void bilinearBetweenTwoTokens();
    void findsTheTokenUnderAPixel();
    void boxIsTheReceptiveField();
    void alphaRisesWithWeight();
    void signedRangeIsSymmetric();
    void clickChoosesTheTokenUnderTheMouse();
    void arrowsMoveTheQuery();
    void drawsAtAnIntegerMultiple();
};

void TestTokenGrid::readsTheStoredArray() {
    const std::vector<float> array{16, 16, 2, 0, 5, 0};
    const auto grid = TokenGrid::fromArray(array);
    QVERIFY(grid);
    QCOMPARE(grid->tokens(), 256);
    QCOMPARE(grid->center(16 + 3), QPointF(6, 2));
    QVERIFY(!TokenGrid::fromArray(std::vector<float>{16, 16, 0, 0, 5, 0}));
    QVERIFY(!TokenGrid::fromArray(std::vector<float>{16, 16, 2, 0, 5}));
}

void TestTokenGrid::hotTokenIsBrightestAtItsCentre_data() {
    QTest::addColumn<TokenGrid>("grid");
    QTest::addColumn<int>("side");
    // h, w, jump, offset, field, class tokens: the tokenizers of card 70.
    QTest::newRow("CCT 3x1, 32 px") << TokenGrid{16, 16, 2, 0, 5, 0} << 32;
    QTest::newRow("CCT 3x2, 32 px") << TokenGrid{8, 8, 4, 0, 13, 0} << 32;
    QTest::newRow("CCT 7x2, 224 px") << TokenGrid{14, 14, 16, 0, 51, 0} << 224;
    QTest::newRow("ViT patch 4") << TokenGrid{8, 8, 4, 1.5, 4, 1} << 32;
    QTest::newRow("ViT patch 16, 224 px") << TokenGrid{14, 14, 16, 7.5, 16, 1} << 224;
}

void TestTokenGrid::hotTokenIsBrightestAtItsCentre() {
    QFETCH(TokenGrid, grid);
    QFETCH(int, side);
    const QImage image = greyImage(side);
    for (const auto& [row, col] : {std::pair{1, 1}, {3, 5}, {6, 2}, {grid.rows - 2, grid.cols - 2}}) {
        std::vector<float> values(static_cast<std::size_t>(grid.tokens()), 0.0f);
        values[static_cast<std::size_t>(row * grid.cols + col)] = 1;
        for (const Sampling sampling : {Sampling::Nearest, Sampling::Bilinear}) {
            const QImage picture = overlayImage(image, values, grid, HeatRange::of(values), sampling, 0.62);
            const QPointF peak = peakOf(picture, image);
            const QPointF expected(grid.jump * col + grid.offset, grid.jump * row + grid.offset);
            QVERIFY2(std::abs(peak.x() - expected.x()) <= 1 && std::abs(peak.y() - expected.y()) <= 1,
                     qPrintable(QStringLiteral("(%1, %2): %3, %4 instead of %5, %6").arg(row).arg(col).arg(peak.x()).arg(peak.y()).arg(expected.x()).arg(expected.y())));
        }
    }
}

void TestTokenGrid::sharesNoHalfTokenShiftWithCentredPatches() {
    // Plain resizing of the map puts token (3, 5) of a 7x2 tokenizer 7.5 px too far.
    const TokenGrid convolutional{14, 14, 16, 0, 51, 0}, patches{14, 14, 16, 7.5, 16, 0};
    std::vector<float> values(196, 0.0f);
    values[3 * 14 + 5] = 1;
    const QImage image = greyImage(224);
    const QPointF a = peakOf(overlayImage(image, values, convolutional, {0, 1, false}, Sampling::Bilinear, 1), image);
    const QPointF b = peakOf(overlayImage(image, values, patches, {0, 1, false}, Sampling::Bilinear, 1), image);
    QCOMPARE(b - a, QPointF(7.5, 7.5));
}

void TestTokenGrid::bilinearBetweenTwoTokens() {
    const TokenGrid grid{1, 3, 4, 0, 13, 0};
    const std::vector<float> values{0, 8, 4};
    const auto line = sampleTokens(values, grid, 12, 1, Sampling::Bilinear);
    QCOMPARE(line, (std::vector<float>{0, 2, 4, 6, 8, 7, 6, 5, 4, 4, 4, 4}));
    const auto steps = sampleTokens(values, grid, 12, 1, Sampling::Nearest);
    QCOMPARE(steps, (std::vector<float>{0, 0, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4}));
    const auto large = sampleTokens(values, grid, 12, 1, Sampling::Nearest, 2);
    QCOMPARE(large.size(), std::size_t(24 * 2));
}

void TestTokenGrid::findsTheTokenUnderAPixel() {
    const TokenGrid grid{16, 16, 2, 0, 5, 0};
    for (int token = 0; token < grid.tokens(); ++token) QCOMPARE(grid.tokenAt(grid.center(token)), token);
    QCOMPARE(grid.tokenAt({-5, -5}), 0);
    QCOMPARE(grid.tokenAt({99, 99}), 255);
    const TokenGrid patches{8, 8, 4, 1.5, 4, 1};
    QCOMPARE(patches.tokenAt({3, 0}), 0);
    QCOMPARE(patches.tokenAt({4, 0}), 1);
}

void TestTokenGrid::boxIsTheReceptiveField() {
    const TokenGrid grid{16, 16, 2, 0, 5, 0};
    // Token (5, 9) of CCT 3x1: pixels 16 to 20 across, 8 to 12 down.
    QCOMPARE(grid.fieldRect(5 * 16 + 9), QRectF(16, 8, 5, 5));
    const TokenGrid patches{8, 8, 4, 1.5, 4, 1};
    QCOMPARE(patches.fieldRect(9), QRectF(4, 4, 4, 4));
}

void TestTokenGrid::alphaRisesWithWeight() {
    const TokenGrid grid{1, 3, 1, 0, 1, 0};
    QImage image(3, 1, QImage::Format_RGB32);
    image.fill(Qt::white);
    const std::vector<float> values{0, 0.5f, 1};
    const QImage picture = overlayImage(image, values, grid, HeatRange::of(values), Sampling::Nearest, 1);
    QCOMPARE(picture.pixel(0, 0), qRgb(255, 255, 255));  // nothing attended: the image itself
    QVERIFY(qBlue(picture.pixel(1, 0)) < 250);
    QCOMPARE(picture.pixel(2, 0), mapColor(viridis(), 1));  // all attended at full opacity: the map itself
    QCOMPARE(overlayImage(image, values, grid, HeatRange::of(values), Sampling::Nearest, 0).pixel(2, 0), qRgb(255, 255, 255));
}

void TestTokenGrid::signedRangeIsSymmetric() {
    const auto range = HeatRange::of(std::vector<float>{-0.2f, 0.05f, std::numeric_limits<float>::quiet_NaN()}, true);
    QCOMPARE(range.high, double(0.2f));
    QCOMPARE(range.low, -double(0.2f));
    QCOMPARE(range.position(0), 0.5);
}

void TestTokenGrid::clickChoosesTheTokenUnderTheMouse() {
    AttentionMap map;
    map.setImage(greyImage(32), {16, 16, 2, 0, 5, 0});
    map.setSide(384);
    map.show();
    QSignalSpy picked(&map, &AttentionMap::queryPicked);
    QTest::mouseClick(&map, Qt::LeftButton, {}, map.positionOf(5 * 16 + 9).toPoint());
    QCOMPARE(picked.count(), 1);
    QCOMPARE(picked[0][0].toInt(), 5 * 16 + 9);
    QCOMPARE(map.query(), 89);
}

void TestTokenGrid::arrowsMoveTheQuery() {
    AttentionMap map;
    map.setImage(greyImage(32), {16, 16, 2, 0, 5, 0});
    map.setQuery(17);
    QTest::keyClick(&map, Qt::Key_Right);
    QCOMPARE(map.query(), 18);
    QTest::keyClick(&map, Qt::Key_Down);
    QCOMPARE(map.query(), 34);
    QTest::keyClick(&map, Qt::Key_Up);
    QTest::keyClick(&map, Qt::Key_Up);
    QTest::keyClick(&map, Qt::Key_Up);
    QCOMPARE(map.query(), 2);
}

void TestTokenGrid::drawsAtAnIntegerMultiple() {
    AttentionMap map;
    map.setImage(greyImage(32), {16, 16, 2, 0, 5, 0});
    map.setSide(384);
    QCOMPARE(map.scale(), 12.0);
    map.setSide(300);
    QCOMPARE(map.scale(), 9.0);
    QCOMPARE(map.imageRect().size(), QSize(288, 288));
    map.setImage(greyImage(8), {4, 4, 2, 0, 5, 0});
    QCOMPARE(map.scale(), 37.0);
}

QTEST_MAIN(TestTokenGrid)
#include "tst_token_grid.moc"
