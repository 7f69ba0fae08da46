#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "widgets/data/decimation.h"
#include "widgets/data/smoothing.h"

using namespace espalier::widgets;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Line {
    std::vector<std::int64_t> steps;
    std::vector<double> keys, values;
    LineColumns view() const { return {steps, keys, 0, values}; }
};

Line noise(std::size_t count, std::int64_t stride = 1, unsigned seed = 7) {
    Line line;
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(1.0, 0.2);
    for (std::size_t i = 0; i < count; ++i) {
        line.steps.push_back(static_cast<std::int64_t>(i) * stride);
        line.values.push_back(normal(random));
    }
    return line;
}

std::vector<double> edges(double left, double right, int columns) {
    std::vector<double> result;
    for (int i = 0; i <= columns; ++i) result.push_back(left + (right - left) * i / columns);
    return result;
}

Decimator digest(const Line& line) {
    Decimator decimator;
    decimator.append(line.view());
    return decimator;
}

// The definition, point by point.
PixelColumn expected(const Line& line, double left, double right, bool isLast) {
    PixelColumn column;
    column.min = std::numeric_limits<double>::infinity();
    column.max = -column.min;
    const auto view = line.view();
    for (std::size_t i = 0; i < line.values.size(); ++i) {
        const double key = view.key(i);
        if (key < left || (isLast ? key > right : key >= right)) continue;
        if (!std::isfinite(line.values[i])) {
            ++column.nonFinite;
            continue;
        }
        if (column.finite++ == 0) {
            column.firstKey = key;
            column.first = line.values[i];
        }
        column.lastKey = key;
        column.last = line.values[i];
        column.min = std::min(column.min, line.values[i]);
        column.max = std::max(column.max, line.values[i]);
    }
    return column;
}

}  // namespace

class TestDecimation : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void columnsEqualTheDefinition_data() {
        QTest::addColumn<int>("count");
        QTest::addColumn<int>("stride");
        QTest::addColumn<double>("left");
        QTest::addColumn<double>("right");
        QTest::addColumn<bool>("hasKeys");
        QTest::newRow("whole line") << 40000 << 1 << 0.0 << 39999.0 << false;
        QTest::newRow("every 50th step") << 5000 << 50 << 0.0 << 250000.0 << false;
        QTest::newRow("zoomed to the last quarter") << 40000 << 1 << 30000.0 << 39999.0 << false;
        QTest::newRow("a few points") << 40000 << 1 << 17000.25 << 17021.75 << false;
        QTest::newRow("between two points") << 100 << 10 << 12.0 << 18.0 << false;
        QTest::newRow("wider than the line") << 1000 << 1 << -500.0 << 3000.0 << false;
        QTest::newRow("by epoch") << 40000 << 1 << 3.0 << 88.0 << true;
    }
    void columnsEqualTheDefinition() {
        QFETCH(int, count);
        QFETCH(int, stride);
        QFETCH(double, left);
        QFETCH(double, right);
        QFETCH(bool, hasKeys);
        Line line = noise(static_cast<std::size_t>(count), stride);
        for (std::size_t i = 100; i < line.values.size(); i += 997) line.values[i] = i % 2 ? kNaN : 1.0 / 0.0;
        if (hasKeys) {
            for (const auto step : line.steps) line.keys.push_back(static_cast<double>(step) / 391.0);
        }
        const Decimator decimator = digest(line);
        const auto cuts = edges(left, right, 320);
        const auto segments = decimator.columns(line.view(), cuts);
        QCOMPARE(segments.size(), 1u);
        for (int c = 0; c < 320; ++c) {
            const PixelColumn& got = segments[0].columns[static_cast<std::size_t>(c)];
            const PixelColumn want = expected(line, cuts[static_cast<std::size_t>(c)],
                                              cuts[static_cast<std::size_t>(c) + 1], c == 319);
            QCOMPARE(got.finite, want.finite);
            QCOMPARE(got.nonFinite, want.nonFinite);
            if (want.finite == 0) continue;
            QCOMPARE(got.min, want.min);
            QCOMPARE(got.max, want.max);
            QCOMPARE(got.firstKey, want.firstKey);
            QCOMPARE(got.first, want.first);
            QCOMPARE(got.lastKey, want.lastKey);
            QCOMPARE(got.last, want.last);
        }
    }

    void keepsASpikeAtEveryZoom() {
        Line line = noise(400000);
        line.values[271828] = 3.91;
        const Decimator decimator = digest(line);
        for (double width = 400000; width > 4; width /= 3) {
            const auto segments =
                decimator.columns(line.view(), edges(271828 - width / 2, 271828 + width / 2, 1000));
            double highest = 0;
            for (const auto& segment : segments)
                for (const auto& column : segment.columns)
                    if (!column.isEmpty()) highest = std::max(highest, column.max);
            QCOMPARE(highest, 3.91);
        }
    }

    void endPointsKeepTheirSteps() {
        const Line line = noise(12345, 7);
        const auto segments = digest(line).columns(line.view(), edges(-100, 100000, 300));
        double first = kNaN, last = kNaN;
        for (const auto& column : segments[0].columns) {
            if (column.isEmpty()) continue;
            if (std::isnan(first)) first = column.firstKey;
            last = column.lastKey;
        }
        QCOMPARE(first, 0.0);
        QCOMPARE(last, 12344.0 * 7);
    }

    void nonFiniteValuesStandAloneAndBreakTheLine() {
        Line line{{0, 10, 20, 30, 40}, {}, {1, 2, kNaN, 3, 4}};
        const auto segments = digest(line).columns(line.view(), edges(0, 50, 5));
        const auto& columns = segments[0].columns;
        QVERIFY(!columns[1].isBrokenBefore);
        QVERIFY(columns[2].isEmpty());
        QCOMPARE(columns[2].nonFinite, 1u);
        QVERIFY(columns[3].isBrokenBefore);
        QVERIFY(!columns[4].isBrokenBefore);
        // The same when it falls between two finite points of one column.
        const auto wide = digest(line).columns(line.view(), edges(0, 50, 1));
        QCOMPARE(wide[0].columns[0].finite, 4u);
        QCOMPARE(wide[0].columns[0].max, 4.0);
        QCOMPARE(wide[0].columns[0].nonFinite, 1u);
    }

    void reportsTheNeighboursOutsideTheView() {
        Line line{{0, 10, 20, 30}, {}, {1, 2, 3, 4}};
        const auto segments = digest(line).columns(line.view(), edges(12, 18, 3));
        QCOMPARE(segments.size(), 1u);
        QVERIFY(segments[0].hasBefore && segments[0].hasAfter);
        QCOMPARE(segments[0].beforeKey, 10.0);
        QCOMPARE(segments[0].after, 3.0);
        QVERIFY(!segments[0].isBrokenAfter);
    }

    void stepsGoingBackwardsStartASegment() {
        Line line{{0, 1, 2, 3, 2, 3, 4, 4, 5}, {}, {9, 8, 7, 6, 5, 4, 3, 2, 1}};
        const Decimator decimator = digest(line);
        QCOMPARE(decimator.segments(), (std::vector<Segment>{{0, 4}, {4, 9}}));
        const auto segments = decimator.columns(line.view(), edges(0, 6, 6));
        QCOMPARE(segments.size(), 2u);
        QCOMPARE(segments[0].columns[3].max, 6.0);
        QCOMPARE(segments[1].columns[3].max, 4.0);
        QCOMPARE(segments[1].columns[4].max, 3.0);
        QCOMPARE(segments[1].columns[4].min, 2.0);
        QCOMPARE(decimator.atOrBefore(line.view(), 3.5), 5u);
        QCOMPARE(decimator.atOrBefore(line.view(), 1.0), 1u);
    }

    void growingGivesWhatReadingAtOnceGives() {
        Line line = noise(20000);
        line.values[777] = kNaN;
        for (std::size_t i = 12000; i < 20000; ++i) line.steps[i] -= 500;
        const Decimator whole = digest(line);
        SmoothLine wholeSmooth(200);
        wholeSmooth.append(line.view(), whole.segments());
        Decimator grown;
        SmoothLine grownSmooth(200);
        Line part;
        std::mt19937 random(3);
        while (part.values.size() < line.values.size()) {
            const std::size_t more = std::min<std::size_t>(1 + random() % 90, line.values.size() - part.values.size());
            for (std::size_t i = 0; i < more; ++i) {
                part.steps.push_back(line.steps[part.values.size()]);
                part.values.push_back(line.values[part.values.size()]);
            }
            grown.append(part.view());
            grownSmooth.append(part.view(), grown.segments());
        }
        QCOMPARE(grown.segments(), whole.segments());
        const auto cuts = edges(0, 20000, 500);
        const auto a = whole.columns(line.view(), cuts), b = grown.columns(line.view(), cuts);
        for (std::size_t s = 0; s < a.size(); ++s)
            for (std::size_t c = 0; c < 500; ++c) QCOMPARE(a[s].columns[c].max, b[s].columns[c].max);
        for (std::size_t i = 0; i < line.values.size(); i += 37)
            QCOMPARE(wholeSmooth.value(line.view(), i), grownSmooth.value(line.view(), i));
    }

    void countsPointsAboveALimit() {
        Line line = noise(100000);
        std::uint64_t want = 0;
        for (std::size_t i = 5; i < 99990; ++i) want += line.values[i] > 1.8;
        const Decimator decimator = digest(line);
        QVERIFY(want > 0);
        QCOMPARE(decimator.pyramid().countAbove(line.values, 5, 99990, 1.8), want);
        line.values[4321] = kNaN;
        line.values[99999] = kNaN;
        const Decimator broken = digest(line);
        QCOMPARE(broken.pyramid().nonFinite(line.values, 0, 100000, 10), (std::vector<std::size_t>{4321, 99999}));
    }

    void smoothingFollowsItsFormula() {
        Line line = noise(3000, 5);
        line.values[1200] = kNaN;
        for (std::size_t i = 2000; i < 3000; ++i) line.steps[i] += static_cast<std::int64_t>(i % 3);
        const Decimator decimator = digest(line);
        SmoothLine smooth(60);
        smooth.append(line.view(), decimator.segments());
        for (const std::size_t i : {0u, 1u, 15u, 16u, 1199u, 1200u, 1201u, 2500u, 2999u}) {
            double sum = 0, weight = 0;
            for (std::size_t j = 0; j <= i; ++j) {
                if (!std::isfinite(line.values[j])) continue;
                const double w = std::exp(-static_cast<double>(line.steps[i] - line.steps[j]) / 60);
                sum += w * line.values[j];
                weight += w;
            }
            QVERIFY2(std::abs(smooth.value(line.view(), i) - sum / weight) < 1e-12, QByteArray::number(qulonglong(i)));
        }
    }

    void smoothCurveStartsAndEndsAtTheLine() {
        const Line line = noise(100000);
        const Decimator decimator = digest(line);
        SmoothLine smooth(420);
        smooth.append(line.view(), decimator.segments());
        const auto vertices = smooth.vertices(line.view(), decimator, edges(0, 99999, 500));
        QCOMPARE(vertices.front().key, 0.0);
        QCOMPARE(vertices.front().value, line.values[0]);
        QCOMPARE(vertices.back().key, 99999.0);
        QCOMPARE(vertices.back().value, smooth.value(line.view(), 99999));
        QVERIFY(vertices.size() < 4 * 500 + 4);
        for (std::size_t i = 1; i < vertices.size(); ++i) QVERIFY(vertices[i].key >= vertices[i - 1].key);
    }
};

QTEST_GUILESS_MAIN(TestDecimation)
#include "tst_decimation.moc"
