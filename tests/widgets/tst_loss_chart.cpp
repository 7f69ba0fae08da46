#include <QApplication>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <random>

#include "tests/support/chart_page.h"
#include "widgets/controls/chip.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/chart_legend.h"
#include "widgets/plot/chart_marks.h"
#include "widgets/plot/chart_style.h"
#include "widgets/plot/column_canvas.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/plot/qcp.h"
#include "widgets/theme/theme.h"

using namespace espalier;
using namespace espalier::widgets;
using tests::noise;
using tests::Page;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double distance(QRgb a, QRgb b) {
    return std::abs(qRed(a) - qRed(b)) + std::abs(qGreen(a) - qGreen(b)) + std::abs(qBlue(a) - qBlue(b));
}

struct Signature {
    std::vector<int> top, bottom;  ///< −1 where nothing is lit
};

// Lowest and highest row of every pixel column that shows neither ground, grid nor axis.
Signature signatureOf(Page& page) {
    const QImage with = page.picture();
    Signature signature;
    const QRect area = page.chart.plotArea();
    const QRgb ground = theme().color(Color::Well).rgb(), grid = theme().color(Color::Grid).rgb(), axis = theme().color(Color::Axis).rgb();
    for (int x = area.left(); x <= area.right(); ++x) {
        int top = -1, bottom = -1;
        for (int y = area.top(); y < area.bottom() - 1; ++y) {
            const QRgb pixel = with.pixel(x, y);
            if (distance(pixel, ground) < 24 || distance(pixel, grid) < 12 || distance(pixel, axis) < 12) continue;
            if (top < 0) top = y;
            bottom = y;
        }
        signature.top.push_back(top);
        signature.bottom.push_back(bottom);
    }
    return signature;
}

}  // namespace

class TestLossChart : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { theme().install(*qobject_cast<QApplication*>(QApplication::instance())); }

    void theUnitKeepsClearOfMarks() {
        QCOMPARE(freeLeftOf(100, 20, {}), 80.0);
        QCOMPARE(freeLeftOf(100, 20, {10, 40}), 80.0);
        // The last event stands at the end of the axis: the word ends five pixels before it.
        QCOMPARE(freeLeftOf(100, 20, {100}), 75.0);
        // Two in a row push it further.
        QCOMPARE(freeLeftOf(100, 20, {100, 80}), 55.0);
        QCOMPARE(markWord({0, 0, "lr", "0.000439"}), QStringLiteral("lr 4.39e-4"));
        QCOMPARE(markWord({0, 0, "nan", "train/loss"}), QStringLiteral("NaN in train/loss"));
        QCOMPARE(markWord({0, 0, "nan", "NaN, skipped"}), QStringLiteral("NaN, skipped"));
        QCOMPARE(markWord({0, 0, "stage", "Test"}), QStringLiteral("Test"));
        // A cosine halves its rate a few times at the end: ticks, not a fence of lines with words.
        QVERIFY(!isTurningPoint({0, 0, "lr", "0.000439"}));
        QVERIFY(isTurningPoint({0, 0, "resume", {}}));
    }

    void everyColumnReachesItsExtremes_data() {
        QTest::addColumn<int>("count");
        QTest::addColumn<bool>("isLog");
        QTest::addColumn<double>("left");
        QTest::addColumn<double>("right");
        QTest::newRow("dense") << 50000 << false << 0.0 << 49999.0;
        QTest::newRow("zoomed to the last quarter") << 50000 << false << 37500.0 << 49999.0;
        QTest::newRow("a few points a column") << 700 << false << 0.0 << 699.0;
        QTest::newRow("fewer points than columns") << 60 << false << 0.0 << 59.0;
        QTest::newRow("log y") << 50000 << true << 0.0 << 49999.0;
    }
    void everyColumnReachesItsExtremes() {
        QFETCH(int, count);
        QFETCH(bool, isLog);
        QFETCH(double, left);
        QFETCH(double, right);
        Page page;
        std::vector<double> values = noise(static_cast<std::size_t>(count));
        values[static_cast<std::size_t>(count) * 4 / 5] = 3.4;  // one spike that any averaging would lose
        for (double& v : values) v = std::max(v, 0.05);
        page.add(QStringLiteral("a/raw"), 0, LineRole::Smoothed, values);
        page.chart.setLogY(isLog);
        page.group.setSmoothing(50);
        // The raw layer alone: the smooth stroke lies over it and is wider than a pixel.
        page.chart.plot()->layer(QString::fromLatin1(layers::kSmooth))->setVisible(false);
        page.finish();
        page.chart.setShowsAll(true);
        page.group.zoomTo({left, right});
        const QRect area = page.chart.plotArea();
        const QCustomPlot* plot = page.chart.plot();
        const Signature got = signatureOf(page);
        // Walk the true polyline, point by point, into expected rows.
        const int width = area.width();
        std::vector<double> top(static_cast<std::size_t>(width), 1e9), bottom(static_cast<std::size_t>(width), -1e9);
        const auto xOf = [&](double key) { return plot->xAxis->coordToPixel(key) - plot->axisRect()->left(); };
        const auto yOf = [&](double v) { return plot->yAxis->coordToPixel(v) + plot->y(); };
        for (int i = 0; i + 1 < count; ++i) {
            const double x0 = xOf(i), x1 = xOf(i + 1);
            const double y0 = yOf(values[static_cast<std::size_t>(i)]), y1 = yOf(values[static_cast<std::size_t>(i) + 1]);
            for (int c = std::max(0, static_cast<int>(std::floor(x0))); c <= std::min(width - 1, static_cast<int>(std::floor(x1))); ++c) {
                const double a = std::max<double>(c, x0), b = std::min<double>(c + 1, x1);
                if (b < a) continue;
                for (const double x : {a, b}) {
                    const double y = x1 > x0 ? y0 + (x - x0) / (x1 - x0) * (y1 - y0) : y0;
                    top[static_cast<std::size_t>(c)] = std::min(top[static_cast<std::size_t>(c)], y);
                    bottom[static_cast<std::size_t>(c)] = std::max(bottom[static_cast<std::size_t>(c)], y);
                }
            }
        }
        int compared = 0, far = 0;
        for (int c = 1; c + 1 < width; ++c) {
            const auto i = static_cast<std::size_t>(c);
            if (top[i] > bottom[i] || bottom[i] > area.bottom() - 4) continue;
            ++compared;
            const bool isFar = std::abs(got.top[i] - std::floor(top[i])) > 1 || std::abs(got.bottom[i] - std::floor(bottom[i])) > 1;
            far += isFar;
            if (isFar && far < 4) qInfo("column %d shows %d to %d, its points reach %.1f to %.1f", c, got.top[i], got.bottom[i], top[i], bottom[i]);
        }
        QVERIFY(compared > width / 2);
        QVERIFY2(far == 0, qPrintable(QStringLiteral("%1 of %2 columns off").arg(far).arg(compared)));
    }

    void breaksTheLineAtNaN() {
        Page page({640, 240});
        std::vector<double> values(21, 1.0);
        values[10] = kNaN;
        page.add(QStringLiteral("a/valid"), 0, LineRole::Plain, values);
        page.finish();
        const QImage picture = page.picture();
        const QRect area = page.chart.plotArea();
        const int y = static_cast<int>(std::lround(page.chart.plot()->yAxis->coordToPixel(1.0))) + page.chart.plot()->y();
        const auto isLineAt = [&](double key) {
            const int x = page.chart.pixelOfKey(key);
            for (int dy = -1; dy <= 1; ++dy)
                if (distance(picture.pixel(x, y + dy), theme().runColor(0).rgb()) < 60) return true;
            return false;
        };
        QVERIFY(isLineAt(8.5));
        QVERIFY(!isLineAt(9.5));
        QVERIFY(!isLineAt(10.5));
        QVERIFY(isLineAt(11.5));
        // and a full-height mark in the error colour
        const int x = page.chart.pixelOfKey(10);
        int marked = 0;
        for (int row = area.top() + 2; row < area.bottom() - 2; ++row) {
            bool isMarked = false;
            for (int dx = -1; dx <= 1; ++dx) isMarked |= distance(picture.pixel(x + dx, row), theme().color(Color::Error).rgb()) < 20;
            marked += isMarked;
        }
        QVERIFY2(marked > area.height() - 8, QByteArray::number(marked));
    }

    void aFinitePointBetweenTwoGapsIsSeen() {
        Page page({640, 240});
        page.add(QStringLiteral("a/valid"), 0, LineRole::Valid, {1, 1, kNaN, 2, kNaN, 1, 1});
        page.finish();
        const QImage picture = page.picture();
        const int x = page.chart.pixelOfKey(3);
        const int y = static_cast<int>(std::lround(page.chart.plot()->yAxis->coordToPixel(2.0))) + page.chart.plot()->y();
        QVERIFY(distance(picture.pixel(x, y), theme().runColor(0).rgb()) < 60);
    }

    // A run of one epoch has one validation: a dot of 4 px, whatever the role of the line.
    void aLineOfOnePointIsADot_data() {
        QTest::addColumn<int>("role");
        QTest::newRow("plain") << int(LineRole::Plain);
        QTest::newRow("valid") << int(LineRole::Valid);
    }
    void aLineOfOnePointIsADot() {
        QFETCH(int, role);
        Page page({640, 240});
        page.add(QStringLiteral("a/x"), 1, LineRole::Plain, {1, 1.1, 1.2, 1.1, 1});
        LineSpec& one = page.add(QStringLiteral("b/x"), 0, static_cast<LineRole>(role), {0.5});
        const_cast<Series*>(one.series)->steps[0] = 2;
        page.finish();
        const QImage picture = page.picture();
        const int x = page.chart.pixelOfKey(2);
        const int y = static_cast<int>(std::lround(page.chart.plot()->yAxis->coordToPixel(0.5))) + page.chart.plot()->y();
        int lit = 0;
        for (int dx = -4; dx <= 4; ++dx)
            for (int dy = -4; dy <= 4; ++dy) lit += distance(picture.pixel(x + dx, y + dy), theme().runColor(0).rgb()) < 60;
        QVERIFY2(lit >= 9, qPrintable(QString::number(lit)));
    }

    void legendHidesAndIsolates() {
        Page page({900, 300});
        page.add(QStringLiteral("s1/train"), 0, LineRole::Smoothed, noise(400, 1));
        page.add(QStringLiteral("s1/valid"), 0, LineRole::Valid, noise(40, 2), 10);
        page.add(QStringLiteral("s0/train"), 1, LineRole::Smoothed, noise(400, 3));
        page.finish();
        ChartLegend* legend = page.chart.legend();
        const auto clickEntry = [&](int index) { QTest::mouseClick(legend, Qt::LeftButton, {}, legend->entryRect(index).center()); };
        clickEntry(2);
        QVERIFY(!page.chart.isLineVisible(QStringLiteral("s0/train")));
        QVERIFY(page.chart.isLineVisible(QStringLiteral("s1/train")));
        clickEntry(2);
        QVERIFY(page.chart.isLineVisible(QStringLiteral("s0/train")));
        const auto doubleClickEntry = [&](int index) {
            clickEntry(index);
            QTest::mouseDClick(legend, Qt::LeftButton, {}, legend->entryRect(index).center());
        };
        doubleClickEntry(0);
        QVERIFY(page.chart.isLineVisible(QStringLiteral("s1/train")));
        QVERIFY(page.chart.isLineVisible(QStringLiteral("s1/valid")));
        QVERIFY(!page.chart.isLineVisible(QStringLiteral("s0/train")));
        doubleClickEntry(0);
        QVERIFY(page.chart.isLineVisible(QStringLiteral("s0/train")));
    }

    void theSwatchShowsWhatTheChartShows() {
        Page page({900, 300});
        page.add(QStringLiteral("s1/train"), 0, LineRole::Smoothed, noise(400, 1));
        page.add(QStringLiteral("s1/valid"), 0, LineRole::Valid, noise(200, 2), 2);
        page.add(QStringLiteral("s0/valid"), 1, LineRole::Valid, noise(20, 3), 20);
        page.finish();
        const auto strokeOf = [&](int index) { return page.chart.legend()->entries()[index].stroke; };
        QCOMPARE(strokeOf(0), StrokeKind::Solid);
        QCOMPARE(strokeOf(1), StrokeKind::Dashed);
        QCOMPARE(strokeOf(2), StrokeKind::Dotted);
        // Zoomed in by the mouse, the points of the second one stand apart as well.
        const QRect area = page.chart.plotArea();
        const QPoint from(area.left() + 100, area.top() + 20), to(area.left() + 200, area.bottom() - 20);
        QTest::mousePress(page.chart.plot(), Qt::LeftButton, {}, from - page.chart.plot()->pos());
        QTest::mouseMove(page.chart.plot(), to - page.chart.plot()->pos());
        QTest::mouseRelease(page.chart.plot(), Qt::LeftButton, {}, to - page.chart.plot()->pos());
        page.group.updateNow();
        QCOMPARE(strokeOf(1), StrokeKind::Dotted);
        QTest::keyClick(page.chart.plot(), Qt::Key_0);
        page.group.updateNow();
        QCOMPARE(strokeOf(1), StrokeKind::Dashed);
        // The dot is on the sample: more rows are lit in its middle than beside it.
        const QImage picture = page.chart.legend()->grab().toImage();
        const QRect entry = page.chart.legend()->entryRect(2);
        const auto litAt = [&](int x) {
            int lit = 0;
            for (int y = 0; y < picture.height(); ++y) lit += distance(picture.pixel(x, y), theme().runColor(1).rgb()) < 120;
            return lit;
        };
        QVERIFY2(litAt(entry.left() + 7) >= litAt(entry.left() + 2) + 2, qPrintable(QStringLiteral("%1 %2").arg(litAt(entry.left() + 7)).arg(litAt(entry.left() + 2))));
    }

    void anEmptyChartMakesUpNoNumbers() {
        Page page({640, 240});
        page.chart.setEmptyText(QStringLiteral("waits for the first step"));
        page.finish();
        QVERIFY(!page.chart.plot()->xAxis->tickLabels() && !page.chart.plot()->yAxis->tickLabels());
        page.add(QStringLiteral("a/x"), 0, LineRole::Plain, {1, 2, 3});
        page.finish();
        QVERIFY(page.chart.plot()->xAxis->tickLabels() && page.chart.plot()->yAxis->tickLabels());
    }

    void theMarginHoldsTheNumbersOfY() {
        Page page({300, 340});
        page.chart.setLeftMargin(20);
        page.add(QStringLiteral("a/lr"), 0, LineRole::Plain, {0.0015, 0.003, 0.0025, 0.001, 0});
        page.finish();
        const int margin = page.chart.plot()->axisRect()->margins().left();
        const QStringList labels = page.chart.plot()->yAxis->tickVectorLabels();
        QVERIFY(labels.size() >= 3);
        const QFontMetrics metrics(theme().font(Type::Caption));
        for (const QString& label : labels) QVERIFY2(metrics.horizontalAdvance(label) + 5 <= margin, qPrintable(label));
    }

    void smallReadingsKeepThreeFigures() {
        QCOMPARE(readingText(0.00183), QStringLiteral("0.00183"));
        QCOMPARE(readingText(0.0183), QStringLiteral("0.0183"));
        QCOMPARE(readingText(0.516), QStringLiteral("0.516"));
        QCOMPARE(readingText(9.43e-6), QStringLiteral("9.43e-6"));
        QCOMPARE(readingText(0), QStringLiteral("0.000"));
    }

    void legendShowsValuesAtTheCursor() {
        Page page({900, 300});
        page.add(QStringLiteral("a"), 0, LineRole::Plain, {1.5, 1.25, 1.125, 1.0});
        page.add(QStringLiteral("b"), 1, LineRole::Plain, {2.5, 2.25});
        page.finish();
        QCOMPARE(page.chart.legend()->entries()[0].value, QStringLiteral("1.000"));
        page.group.setCursor(1.2, &page.chart);
        QCOMPARE(page.chart.legend()->entries()[0].value, QStringLiteral("1.250"));
        QCOMPARE(page.chart.legend()->entries()[1].value, QStringLiteral("2.250"));
        page.group.setCursor(3, &page.chart);
        QCOMPARE(page.chart.legend()->entries()[1].value, QStringLiteral("–"));
        QCOMPARE(page.chart.readoutContent().title, QStringLiteral("step 3"));
        page.group.clearCursor();
        QCOMPARE(page.chart.legend()->entries()[1].value, QStringLiteral("2.250"));
    }

    void boxZoomAndBackByMouse() {
        Page page({640, 320});
        page.add(QStringLiteral("a"), 0, LineRole::Plain, noise(1000));
        page.finish();
        const AxisRange before = page.chart.keyRange(), valuesBefore = page.chart.valueRange();
        QWidget* plot = page.chart.plot();
        const QRect area = page.chart.plot()->axisRect()->rect();
        const QPoint from(area.left() + area.width() / 4, area.top() + area.height() / 4);
        const QPoint to(area.left() + area.width() / 2, area.top() + area.height() / 2);
        QTest::mousePress(plot, Qt::LeftButton, {}, from);
        QTest::mouseMove(plot, (from + to) / 2);
        QTest::mouseMove(plot, to);
        QVERIFY(page.chart.scene().rubberBand.isValid());
        QTest::mouseRelease(plot, Qt::LeftButton, {}, to);
        const AxisRange zoomed = page.chart.keyRange();
        QVERIFY(std::abs(zoomed.low - (before.low + before.size() / 4)) < before.size() * 0.01);
        QVERIFY(std::abs(zoomed.high - (before.low + before.size() / 2)) < before.size() * 0.01);
        QVERIFY(page.chart.valueRange().size() < valuesBefore.size() * 0.3);
        QVERIFY(page.group.canGoBack());
        page.group.zoomTo({200, 210});
        page.group.zoomBack();
        QCOMPARE(page.chart.keyRange(), zoomed);
        QTest::keyClick(plot, Qt::Key_Backspace);
        QCOMPARE(page.chart.keyRange(), before);
        QCOMPARE(page.chart.valueRange(), valuesBefore);
        QVERIFY(!page.group.canGoBack());
    }

    void wheelIsOneStepOfHistory() {
        Page page({640, 320});
        page.add(QStringLiteral("a"), 0, LineRole::Plain, noise(1000));
        page.finish();
        const AxisRange before = page.chart.keyRange();
        const QPoint middle = page.chart.plot()->axisRect()->rect().center();
        for (int i = 0; i < 3; ++i) {
            QWheelEvent event(middle, page.chart.plot()->mapToGlobal(middle), {}, {0, 120}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
            QApplication::sendEvent(page.chart.plot(), &event);
        }
        QVERIFY(page.chart.keyRange().size() < before.size() * 0.6);
        page.group.zoomBack();
        QCOMPARE(page.chart.keyRange(), before);
        QVERIFY(!page.group.canGoBack());
    }

    void chartsOfAGroupShareX() {
        Page page({640, 320});
        page.add(QStringLiteral("a"), 0, LineRole::Plain, noise(1000));
        LossChart other(QStringLiteral("Top-1"), {}, &page.page);
        other.resize(320, 200);
        other.show();
        page.group.add(&other);
        page.finish();
        page.group.zoomTo({100, 300});
        QCOMPARE(other.keyRange(), (AxisRange{100, 300}));
        page.group.setCursor(200, &page.chart);
        QCOMPARE(*other.scene().cursorKey, 200.0);
        QVERIFY(other.scene().cursorTag.isEmpty());
        QCOMPARE(page.chart.scene().cursorTag, QStringLiteral("200"));
    }

    void outliersAreCountedAndAClickShowsThem() {
        Page page({900, 320});
        std::vector<double> values = noise(20000);
        for (int i = 0; i < 27; ++i) values[static_cast<std::size_t>(500 + 700 * i)] = i == 13 ? 30.91 : 20.0 + i * 0.1;
        page.add(QStringLiteral("a"), 0, LineRole::Smoothed, values);
        page.group.setSmoothing(200);
        page.finish();
        QVERIFY(page.chart.badge()->isVisible());
        const double limit = page.chart.valueRange().high;
        const auto above = std::count_if(values.begin(), values.end(), [&](double v) { return v > limit; });
        QVERIFY(above >= 27);
        QVERIFY2(page.chart.badge()->text().startsWith(QStringLiteral("%1 points above ").arg(above)), qPrintable(page.chart.badge()->text()));
        QVERIFY(page.chart.badge()->text().endsWith(QStringLiteral(", highest 30.9")));
        QVERIFY(page.chart.valueRange().high < 6);
        QTest::mouseClick(page.chart.badge(), Qt::LeftButton);
        QVERIFY(page.chart.valueRange().high > 30.91);
        QTest::mouseClick(page.chart.badge(), Qt::LeftButton);
        QVERIFY(page.chart.valueRange().high < 6);
    }

    void stepsHaveWholeTicks() {
        Page page({640, 320});
        page.add(QStringLiteral("a"), 0, LineRole::Plain, {1, 0.8, 0.7, 0.65});
        page.finish();
        const QVector<double> ticks = page.chart.plot()->xAxis->tickVector();
        QVERIFY(ticks.size() >= 3);
        for (const double tick : ticks) QCOMPARE(tick, std::round(tick));
        for (const QString& label : page.chart.plot()->xAxis->tickVectorLabels()) QVERIFY2(!label.contains(u'.'), qPrintable(label));
    }

    void logAxisHasDecades() {
        Page page({640, 320});
        std::vector<double> values;
        for (int i = 0; i < 200; ++i) values.push_back(std::pow(10.0, -4.0 + 6.0 * i / 199));
        page.add(QStringLiteral("a"), 0, LineRole::Plain, values);
        page.finish();
        QTest::keyClick(page.chart.plot(), Qt::Key_L);
        QVERIFY(page.chart.isLogY());
        const double y0 = page.chart.plot()->yAxis->coordToPixel(0.001), y1 = page.chart.plot()->yAxis->coordToPixel(0.01);
        const double y2 = page.chart.plot()->yAxis->coordToPixel(1), y3 = page.chart.plot()->yAxis->coordToPixel(10);
        QVERIFY(std::abs((y0 - y1) - (y2 - y3)) < 0.01);
        QVERIFY(page.chart.valueRange().low > 0 && page.chart.valueRange().low < 1.1e-4);
    }

    void growsWithItsSeries() {
        Page page;
        page.add(QStringLiteral("a"), 0, LineRole::Plain, {3, 2, 1});
        page.finish();
        const AxisRange before = page.chart.keyRange();
        for (int i = 3; i < 100; ++i) {
            page.series[0]->steps.push_back(i);
            page.series[0]->wallSecs.push_back(i);
            page.series[0]->values.push_back(1.0 / i);
        }
        page.group.updateNow();
        QVERIFY(page.chart.keyRange().high > before.high * 10);
        QCOMPARE(page.chart.legend()->entries()[0].value, readingText(1.0 / 99));
    }

    void exportsEveryPointAndTextAsText() {
        Page page({640, 320});
        std::vector<double> values = noise(5000);
        page.add(QStringLiteral("a"), 0, LineRole::Smoothed, values);
        page.group.setSmoothing(20);
        page.finish();
        QTemporaryDir folder;
        const auto write = [&](const char* suffix) {
            const QString path = folder.filePath(QStringLiteral("figure.") + QString::fromLatin1(suffix));
            const auto result = exportCharts({&page.chart}, 1, path);
            if (!result) qWarning("%s", result.error().what.c_str());
            QFile file(path);
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        const QList<QByteArray> rows = write("csv").trimmed().split('\n');
        QCOMPARE(rows.size(), 5001);
        QCOMPARE(rows[0], QByteArray("run,line,x,step,wall_secs,value"));
        QCOMPARE(rows[2501].split(',').last().toDouble(), values[2500]);
        const QByteArray svg = write("svg");
        QVERIFY(svg.contains(">Loss<"));
        QVERIFY(svg.contains("1000") || svg.contains("1k"));
        QVERIFY(write("pdf").startsWith("%PDF"));
        QImage png;
        QVERIFY(png.loadFromData(write("png")));
        QCOMPARE(png.width(), 1280);
        // On paper in every theme.
        QCOMPARE(png.pixel(2, png.height() / 2), QColor(Qt::white).rgb());
        const auto refused = exportCharts({&page.chart}, 1, folder.filePath(QStringLiteral("figure.tiff")));
        QVERIFY(!refused);
        QVERIFY(!exportCharts({&page.chart}, 1, QStringLiteral("/nowhere/at/all.png")));
    }
};

QTEST_MAIN(TestLossChart)
#include "tst_loss_chart.moc"
