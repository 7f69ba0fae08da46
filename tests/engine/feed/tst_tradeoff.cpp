#include <algorithm>
#include <cmath>
#include <random>

#include <QtTest>

#include "engine/feed/tradeoff.h"

using namespace espalier::feed;

namespace {

TradeoffJob makeJob(int direction, double baseMetric, std::int64_t baseBytes) {
    TradeoffJob job;
    job.jobId = "j";
    job.metricDir = direction;
    job.baseMetric = baseMetric;
    job.baseBytes = baseBytes;
    return job;
}

TradeoffPoint makePoint(int id, std::int64_t bytes, double metric, std::int64_t parent = kNullInt) {
    TradeoffPoint point;
    point.pointId = id;
    point.bytesTotal = bytes;
    point.metric = metric;
    point.parentPointId = parent;
    return point;
}

TradeoffChoice makeChoice(int point, int layer, std::int64_t bits) {
    TradeoffChoice choice;
    choice.pointId = point;
    choice.layerIx = layer;
    choice.wBits = bits;
    return choice;
}

/// The definition, word for word: dominated by another point, or an exact tie of a lower id.
bool isOnFrontByDefinition(const TradeoffJob& job, const std::vector<TradeoffPoint>& points, std::size_t p) {
    if (std::isnan(points[p].metric)) return false;
    const double dp = metricLoss(job, points[p]);
    for (std::size_t q = 0; q < points.size(); ++q) {
        if (q == p || std::isnan(points[q].metric)) continue;
        const double dq = metricLoss(job, points[q]);
        const bool isNoWorse = points[q].bytesTotal <= points[p].bytesTotal && dq <= dp;
        const bool isTie = points[q].bytesTotal == points[p].bytesTotal && dq == dp;
        if (isNoWorse && (!isTie || points[q].pointId < points[p].pointId)) return false;
    }
    return true;
}

}  // namespace

class TestTradeoff : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void frontMatchesBruteForce() {
        std::mt19937 random(5);
        for (int round = 0; round < 200; ++round) {
            const auto job = makeJob(round % 2 ? 1 : -1, 0.5, 1000);
            std::vector<TradeoffPoint> points;
            const int count = static_cast<int>(random() % 60);
            for (int i = 0; i < count; ++i) {  // few distinct values: many ties and duplicates
                const double metric = random() % 10 == 0 ? kNullReal : double(random() % 8) / 8.0;
                points.push_back(makePoint(i, std::int64_t(random() % 12) * 100, metric));
            }
            std::shuffle(points.begin(), points.end(), random);
            markFront(job, points);
            for (std::size_t i = 0; i < points.size(); ++i)
                QCOMPARE(points[i].onFront == 1, isOnFrontByDefinition(job, points, i));
        }
    }

    void frontSmall() {
        std::vector<TradeoffPoint> points{makePoint(0, 100, 0.9), makePoint(1, 50, 0.8), makePoint(2, 50, 0.8),
                                          makePoint(3, 40, 0.7), makePoint(4, 60, 0.8), makePoint(5, 10, kNullReal)};
        markFront(makeJob(1, 0.9, 100), points);
        std::vector<std::int64_t> flags;
        for (const auto& point : points) flags.push_back(point.onFront);
        QCOMPARE(flags, (std::vector<std::int64_t>{1, 1, 0, 1, 0, 0}));
    }

    void hypervolumeByHand() {
        const auto job = makeJob(1, 0.9, 3200);
        // Four times smaller at no loss: a rectangle of 2 x 1 of the 5 x 1.
        QCOMPARE(hypervolume(job, {makePoint(0, 3200, 0.9), makePoint(1, 800, 0.9)}, 0.1), 0.4);
        // Chance level is worth nothing, and so is a point larger than the base.
        QCOMPARE(hypervolume(job, {makePoint(1, 800, 0.1), makePoint(2, 6400, 1.0)}, 0.1), 0.0);
        // Steps: (1, 1.0) and (3, 0.5) give (1·1 + 2·0.5) / 5.
        QCOMPARE(hypervolume(job, {makePoint(1, 1600, 0.9), makePoint(2, 400, 0.5)}, 0.1), 0.4);
        // Beyond 32 times and above the base everything is clamped.
        QCOMPARE(hypervolume(job, {makePoint(1, 1, 0.95)}, 0.1), 1.0);
        QCOMPARE(hypervolume(job, {}, 0.1), 0.0);
    }

    void hypervolumeMatchesRaster() {
        std::mt19937 random(9);
        std::uniform_real_distribution<double> unit(0.0, 1.0);
        for (int round = 0; round < 20; ++round) {
            const int direction = round % 2 ? 1 : -1;
            const double base = direction > 0 ? 0.9 : 2.0, chance = direction > 0 ? 0.1 : 6.0;
            const auto job = makeJob(direction, base, 1'000'000);
            std::vector<TradeoffPoint> points;
            const int count = 1 + static_cast<int>(random() % 15);
            for (int i = 0; i < count; ++i)
                points.push_back(makePoint(i, std::int64_t(1'000'000 / std::exp2(6 * unit(random))),
                                           base + (chance - base) * (1.2 * unit(random) - 0.1)));
            // Every cell centre of a raster lies under the staircase or not.
            constexpr int kWidth = 2000, kHeight = 2000;
            std::int64_t inside = 0;
            for (int column = 0; column < kWidth; ++column) {
                const double x = 5.0 * (column + 0.5) / kWidth;
                double height = 0;
                for (const auto& point : points)
                    if (std::log2(1e6 / double(point.bytesTotal)) >= x)
                        height = std::max(height, 1.0 - metricLoss(job, point) / std::abs(base - chance));
                for (int row = 0; row < kHeight; ++row) inside += (row + 0.5) / kHeight < height;
            }
            const double area = double(inside) / (double(kWidth) * kHeight);
            QVERIFY(std::abs(hypervolume(job, points, chance) - area) < 1e-3);
        }
    }

    void leastBytesAndBestMetric() {
        const auto job = makeJob(1, 0.9, 1000);
        const std::vector<TradeoffPoint> points{makePoint(0, 1000, 0.9), makePoint(1, 500, 0.895),
                                                makePoint(2, 250, 0.86), makePoint(3, 100, kNullReal)};
        QCOMPARE(bytesAt(job, points, 0.009), std::int64_t(500));
        QCOMPARE(bytesAt(job, points, 0.045), std::int64_t(250));
        QCOMPARE(bytesAt(job, points, -0.01), kNullInt);
        QCOMPARE(metricAt(job, points, 999), 0.895);
        QCOMPARE(metricAt(job, points, 250), 0.86);
        QVERIFY(std::isnan(metricAt(job, points, 249)));
        const auto lower = makeJob(-1, 2.0, 1000);  // perplexity: lower is better
        const std::vector<TradeoffPoint> losses{makePoint(0, 1000, 2.0), makePoint(1, 500, 1.9), makePoint(2, 400, 2.5)};
        QCOMPARE(metricLoss(lower, losses[2]), 0.5);
        QCOMPARE(metricAt(lower, losses, 500), 1.9);
        QCOMPARE(bytesAt(lower, losses, 0.0), std::int64_t(500));
    }

    void choicesFollowTheParents() {
        TradeoffTables tables;
        tables.points = {makePoint(0, 100, 1), makePoint(1, 90, 1, 0), makePoint(2, 80, 1, 1), makePoint(3, 70, 1)};
        tables.choices = {makeChoice(0, 0, 32), makeChoice(0, 1, 32), makeChoice(0, 2, 32), makeChoice(1, 1, 8),
                          makeChoice(2, 1, 4),  makeChoice(2, 2, 2),  makeChoice(3, 0, 16)};
        const auto bits = [&](int point) {
            std::vector<std::int64_t> result;
            for (const auto& row : resolvedChoices(tables, point)) result.push_back(row.wBits);
            return result;
        };
        QCOMPARE(bits(0), (std::vector<std::int64_t>{32, 32, 32}));
        QCOMPARE(bits(1), (std::vector<std::int64_t>{32, 8, 32}));
        QCOMPARE(bits(2), (std::vector<std::int64_t>{32, 4, 2}));
        QCOMPARE(bits(3), (std::vector<std::int64_t>{16}));
        QVERIFY(bits(9).empty());
        tables.points[0].parentPointId = 2;  // a cycle ends
        QCOMPARE(bits(2), (std::vector<std::int64_t>{32, 4, 2}));
    }

    /// A chain of thousands of one-layer changes, as a bit-level sweep writes it, must stay quick to resolve.
    void longChain() {
        TradeoffTables tables;
        for (int i = 0; i < 3000; ++i) {
            tables.points.push_back(makePoint(i, 3000 - i, 1, i ? i - 1 : kNullInt));
            tables.choices.push_back(makeChoice(i, i % 100, i));
        }
        QElapsedTimer timer;
        timer.start();
        const auto rows = resolvedChoices(tables, 2999);
        QVERIFY(timer.elapsed() < 500);
        QCOMPARE(rows.size(), std::size_t(100));
        QCOMPARE(rows[0].wBits, std::int64_t(2900));
        QCOMPARE(rows[99].wBits, std::int64_t(2999));
    }
};

QTEST_GUILESS_MAIN(TestTradeoff)
#include "tst_tradeoff.moc"
