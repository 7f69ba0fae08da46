#include <QtTest>

#include <array>

#include "engine/intake/dataset_store.h"
#include "engine/intake/names.h"

using namespace espalier;
using namespace espalier::intake;

namespace {

using Fractions = std::array<double, 3>;

std::map<std::int64_t, std::array<int, 3>> countSplits(const std::vector<std::int64_t>& labels, const Fractions& fractions, std::int64_t seed) {
    std::map<std::int64_t, std::array<int, 3>> counts;
    const auto splits = splitRows(labels, fractions, seed);
    for (std::size_t i = 0; i < labels.size(); ++i) ++counts[labels[i]][static_cast<std::size_t>(splits[i])];
    return counts;
}

std::vector<std::int64_t> manyLabels(const std::vector<int>& sizes) {
    std::vector<std::int64_t> labels;
    for (std::size_t c = 0; c < sizes.size(); ++c) labels.insert(labels.end(), static_cast<std::size_t>(sizes[c]), static_cast<std::int64_t>(c));
    return labels;
}

}  // namespace

class TestSplit : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepsTheShareInEveryClass() {
        const auto counts = countSplits(manyLabels({100, 50, 1000}), {0.8, 0.1, 0.1}, 3);
        QCOMPARE(counts.at(0), (std::array<int, 3>{80, 10, 10}));
        QCOMPARE(counts.at(1), (std::array<int, 3>{40, 5, 5}));
        QCOMPARE(counts.at(2), (std::array<int, 3>{800, 100, 100}));
    }

    /// Twenty classes of four: rounding each alone would leave valid and test empty.
    void doesNotStarveSmallSplits() {
        std::array<int, 3> total{};
        for (const auto& [label, counts] : countSplits(manyLabels(std::vector<int>(20, 4)), {0.8, 0.1, 0.1}, 1)) {
            QVERIFY(counts[0] >= 2);
            for (std::size_t s = 0; s < 3; ++s) total[s] += counts[s];
        }
        QCOMPARE(total, (std::array<int, 3>{64, 8, 8}));
    }

    void leavesEveryClassSomethingToTrainOn() {
        for (const auto& [label, counts] : countSplits(manyLabels(std::vector<int>(30, 1)), {0.1, 0.45, 0.45}, 1)) QCOMPARE(counts[0], 1);
    }

    void followsTheSeedOnly() {
        const auto labels = manyLabels({40, 40});
        QVERIFY(splitRows(labels, {0.8, 0.1, 0.1}, 7) == splitRows(labels, {0.8, 0.1, 0.1}, 7));
        QVERIFY(splitRows(labels, {0.8, 0.1, 0.1}, 7) != splitRows(labels, {0.8, 0.1, 0.1}, 8));
    }

    /// Splits are part of a data set's hash, so they must never change between versions or machines.
    void isTheSameOnEveryMachine() {
        std::string dealt;
        for (const auto split : splitRows(manyLabels({10, 6}), {0.5, 0.25, 0.25}, 42)) dealt += "012"[static_cast<int>(split)];
        QCOMPARE(QByteArray::fromStdString(dealt), QByteArrayLiteral("0120101020002102"));
    }

    void dealsUnlabelledRows() {
        const auto counts = countSplits(std::vector<std::int64_t>(10, -1), {0.6, 0.2, 0.2}, 0);
        QCOMPARE(counts.at(-1), (std::array<int, 3>{6, 2, 2}));
    }

    void refusesBadShares() {
        QVERIFY(checkFractions({0.8, 0.1, 0.1}).has_value());
        QVERIFY(checkFractions({1, 0, 0}).has_value());
        QVERIFY(!checkFractions({0.8, 0.1, 0.2}));
        QVERIFY(!checkFractions({0, 0.5, 0.5}));
        QVERIFY(!checkFractions({1.2, -0.1, -0.1}));
        QVERIFY(!checkFractions({std::nan(""), 0.5, 0.5}));
    }

    void ordersNamesNaturally() {
        std::vector<std::string> names{"c10", "c9", "C1", "c", "c009", "b/2", "\xC3\xA9"};
        std::sort(names.begin(), names.end(), naturalLess);
        QCOMPARE(names, (std::vector<std::string>{"C1", "b/2", "c", "c009", "c9", "c10", "\xC3\xA9"}));
        QVERIFY(naturalPathLess("a/2", "a b/1"));
        QVERIFY(!naturalPathLess("a", "a"));
    }

    void showsBytesThatAreNoText() {
        QCOMPARE(displayText("caf\xE9"), std::string("caf\\xE9"));
        QCOMPARE(displayText("caf\xC3\xA9"), std::string("caf\xC3\xA9"));
        QCOMPARE(normalizedName("cafe\xCC\x81"), std::string("caf\xC3\xA9"));
        QCOMPARE(groupedNumber(1234567), std::string("1,234,567"));
        QCOMPARE(groupedNumber(-999), std::string("-999"));
    }
};

QTEST_GUILESS_MAIN(TestSplit)
#include "tst_split.moc"
