#include <QSet>
#include <QTest>

#include <algorithm>

#include "widgets/plot/chart_style.h"

using namespace espalier::widgets;

/// Where an axis has its ticks: round steps, far enough apart for their labels, and never one alone.
class TestChartTicks : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aSmallChartHasThreeTicks() {
        QCOMPARE(linearTicks(0, 456, 205, 72).size(), qsizetype(1));
        QCOMPARE(fittingTicks(0, 456, 205, 72, 42), (QVector<double>{0, 200, 400}));
        QCOMPARE(fittingTicks(0, 456, 800, 72, 42), linearTicks(0, 456, 800, 72));
        QVERIFY(fittingTicks(0, 456, 40, 72, 42).size() >= 1);
    }

    void labelsOfAShortLogAxisDiffer() {
        // Less than a decade: linear ticks on a log axis keep the digits that tell them apart.
        QCOMPARE(tickLabels({1.0, 1.5, 2.0, 2.5}, true), (QStringList{QStringLiteral("1.0"), QStringLiteral("1.5"), QStringLiteral("2.0"), QStringLiteral("2.5")}));
        QCOMPARE(tickLabels({1.5, 2.0}, true), (QStringList{QStringLiteral("1.5"), QStringLiteral("2.0")}));
        QCOMPARE(tickLabels({0.3, 1, 3, 10, 30}, true), (QStringList{QStringLiteral("0.3"), QStringLiteral("1"), QStringLiteral("3"), QStringLiteral("10"), QStringLiteral("30")}));
        // Small even steps are read in one power of ten, not behind rows of zeros.
        QCOMPARE(tickLabels({0, 0.0005, 0.001, 0.0015}, false), (QStringList{QStringLiteral("0"), QStringLiteral("5e-4"), QStringLiteral("1e-3"), QStringLiteral("1.5e-3")}));
        QCOMPARE(tickLabels({0, 0.001, 0.002}, false), (QStringList{QStringLiteral("0.000"), QStringLiteral("0.001"), QStringLiteral("0.002")}));
        QCOMPARE(tickLabels({1, 10}, true), (QStringList{QStringLiteral("1"), QStringLiteral("10")}));
        for (double low = 0.02; low < 50; low *= 1.31)
            for (double ratio = 1.2; ratio < 40; ratio *= 1.17) {
                const QStringList labels = tickLabels(logTicks(low, low * ratio, 200, 38), true);
                QCOMPARE(QSet<QString>(labels.begin(), labels.end()).size(), labels.size());
            }
    }

    void aLowAxisHasMoreThanOneTick() {
        // Mean attention distances of four heads on a chart of 145 px: steps of 1 would leave 8.0 alone.
        QCOMPARE(linearTicks(7.42, 8.98, 145, 38), QVector<double>{8});
        QCOMPARE(fittingTicks(7.42, 8.98, 145, 38, 18), (QVector<double>{7.5, 8, 8.5}));
        QCOMPARE(fittingTicks(7.6, 14.4, 50, 38, 18), (QVector<double>{8, 10, 12, 14}));  // the lowest chart of Attend
        for (const double length : {50.0, 56.0, 90.0, 120.0, 200.0})
            for (double low = 0.013; low < 40; low *= 1.37)
                for (double size = low * 0.05; size < low * 8; size *= 1.9) {
                    const auto ticks = fittingTicks(low, low + size, length, 38, 18);
                    QVERIFY2(ticks.size() >= (length < 54 ? 1 : 2), qPrintable(QStringLiteral("%1 to %2 on %3 px").arg(low).arg(low + size).arg(length)));
                    for (int i = 1; i < ticks.size(); ++i) QVERIFY((ticks[i] - ticks[i - 1]) / size * length >= (length < 90 ? 10.7 : 17.9));
                }
    }
};

QTEST_GUILESS_MAIN(TestChartTicks)
#include "tst_chart_ticks.moc"
