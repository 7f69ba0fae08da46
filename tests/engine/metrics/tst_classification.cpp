#include <QtTest>

#include <cmath>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "engine/metrics/classification.h"

using namespace espalier;

namespace {

/// Values of one tensor of a trusted safetensors file: enough for fixtures, and keeps torch out of this test.
template <class T>
std::vector<T> stored(const std::string& bytes, const char* name) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    const auto entry = nlohmann::json::parse(bytes.substr(8, length)).at(name);
    const auto begin = entry["data_offsets"][0].get<std::size_t>(), end = entry["data_offsets"][1].get<std::size_t>();
    std::vector<T> values((end - begin) / sizeof(T));
    std::memcpy(values.data(), bytes.data() + 8 + length + begin, end - begin);
    return values;
}

metrics::Classification scores(std::int64_t classes, const std::vector<float>& logits,
                               const std::vector<std::int64_t>& labels, int bins = 15) {
    metrics::ClassificationMeter meter(classes, bins);
    meter.add(logits, labels);
    return meter.result();
}

bool isNear(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance; }

}  // namespace

class TestClassification : public QObject {
    Q_OBJECT

    nlohmann::json m_recorded;
    std::vector<std::int64_t> m_labels;
    std::vector<float> m_plain, m_tied;

    static std::vector<float> narrowed(const std::vector<double>& values) { return {values.begin(), values.end()}; }

private Q_SLOTS:
    void initTestCase() {
        const auto folder = qEnvironmentVariable("ESPALIER_SHARED").toStdString() + "/fixtures/metrics/";
        std::ifstream json(folder + "metrics.json"), tensors(folder + "metrics.safetensors", std::ios::binary);
        if (!json || !tensors) return;
        json >> m_recorded;
        const std::string bytes((std::istreambuf_iterator<char>(tensors)), {});
        m_labels = stored<std::int64_t>(bytes, "classification.labels");
        m_plain = narrowed(stored<double>(bytes, "classification.logits"));
        m_tied = narrowed(stored<double>(bytes, "classification.logits_tied"));
    }

    void agreesWithOtherPrograms() {
        if (m_recorded.is_null()) QSKIP("ESPALIER_SHARED names no folder with recorded metrics");
        const auto& expected = m_recorded["classification"]["no_ties"];
        const auto actual = scores(7, m_plain, m_labels);
        QVERIFY(isNear(actual.top1, expected["sklearn.accuracy_top1 (argmax, lowest index wins a tie)"], 1e-12));
        QVERIFY(isNear(actual.top5, expected["sklearn.top_k_accuracy_score k=5 (highest index wins a tie)"], 1e-12));
        QVERIFY(isNear(actual.loss, expected["sklearn.log_loss"], 1e-6));
        QVERIFY(isNear(actual.ece, expected["torchmetrics.multiclass_calibration_error n_bins=15 norm=l1"], 1e-6));
        QVERIFY(isNear(scores(7, m_plain, m_labels, 10).ece,
                       expected["torchmetrics.multiclass_calibration_error n_bins=10 norm=l1"], 1e-6));
        std::vector<std::int64_t> confusion;
        for (const auto& row : expected["sklearn.confusion_matrix rows=truth"])
            for (const auto& cell : row) confusion.push_back(cell);
        QCOMPARE(actual.confusion, confusion);
        QCOMPARE(actual.items, std::int64_t(240));
    }

    void givesTiesToTheLowestIndex() {
        if (m_recorded.is_null()) QSKIP("ESPALIER_SHARED names no folder with recorded metrics");
        const auto& expected = m_recorded["classification"]["ties"];
        const auto actual = scores(7, m_tied, m_labels);
        QVERIFY(isNear(actual.top1, expected["sklearn.accuracy_top1 (argmax, lowest index wins a tie)"], 1e-12));
        const auto byHand = scores(3, {1, 1, 0, 1, 1, 0}, {0, 1});
        QCOMPARE(byHand.isCorrect, (std::vector<std::uint8_t>{1, 0}));
        QCOMPARE(byHand.confusion, (std::vector<std::int64_t>{1, 0, 0, 1, 0, 0, 0, 0, 0}));
    }

    void countsTheTopFiveOfSix() {
        const auto actual = scores(6, {6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1}, {4, 5});
        QCOMPARE(actual.top5, 0.5);
        QCOMPARE(actual.top1, 0.0);
    }

    void losesNothingToLargeLogits() {
        const auto actual = scores(2, {1000, 0, 0, 1000}, {0, 0});
        QCOMPARE(actual.loss, 500.0);
        QCOMPARE(actual.ece, 0.5);  // always certain, right half of the time
    }

    void addsUpOverBatches() {
        metrics::ClassificationMeter meter(2);
        const std::vector<float> first{2, 0, 0, 2}, second{0, 2};
        meter.add(first, std::vector<std::int64_t>{0, 0});
        meter.add(second, std::vector<std::int64_t>{1});
        const auto split = meter.result(), whole = scores(2, {2, 0, 0, 2, 0, 2}, {0, 0, 1});
        QCOMPARE(split.items, std::int64_t(3));
        QCOMPARE(split.loss, whole.loss);
        QCOMPARE(split.isCorrect, (std::vector<std::uint8_t>{1, 0, 1}));
    }

    void isSilentWithoutItems() {
        const auto nothing = metrics::ClassificationMeter(4).result();
        QCOMPARE(nothing.items, std::int64_t(0));
        QCOMPARE(nothing.top1, 0.0);
    }

    void intervalHoldsTheMeanAndNarrows() {
        std::vector<std::uint8_t> few(100), many(10000);
        for (std::size_t i = 0; i < few.size(); ++i) few[i] = i % 5 != 0;
        for (std::size_t i = 0; i < many.size(); ++i) many[i] = i % 5 != 0;
        const auto wide = metrics::bootstrapInterval(few, 2000, 1), narrow = metrics::bootstrapInterval(many, 2000, 1);
        // Normal theory: 1.96 · sqrt(0.8 · 0.2 / n) = 0.0784 and 0.00784.
        QVERIFY(isNear(wide.high - wide.low, 2 * 0.0784, 0.015));
        QVERIFY(isNear(narrow.high - narrow.low, 2 * 0.00784, 0.0015));
        QVERIFY(narrow.low < 0.8 && narrow.high > 0.8);
    }
};

QTEST_GUILESS_MAIN(TestClassification)
#include "tst_classification.moc"
