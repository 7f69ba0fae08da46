#include "engine/api/torch.h"

#include <fstream>

#include <QtTest>
#include <nlohmann/json.hpp>

#include "engine/data/image_batches.h"
#include "engine/data/mixup.h"
#include "engine/interop/safetensors.h"

using namespace espalier;
using namespace espalier::data;

namespace {

double largestDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

nn::Batch smallBatch() {
    nn::Batch batch;
    batch.inputs = at::arange(4 * 3 * 8 * 8, at::kFloat).view({4, 3, 8, 8});
    batch.targets = at::tensor(std::vector<std::int64_t>{0, 1, 2, 3}, at::kLong);
    return batch;
}

}  // namespace

class TestMixup : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void meetsTimm() {
        const char* shared = std::getenv("ESPALIER_SHARED");
        const std::string base = std::string(shared ? shared : "") + "/fixtures/augment/mixup_cutmix";
        std::ifstream stream(base + ".json");
        if (!shared || !stream) QSKIP("the shared fixtures are not here");
        const auto json = nlohmann::json::parse(stream);
        const auto tensors = interop::readSafetensors(base + ".safetensors");
        QVERIFY(tensors.has_value());
        const at::Tensor x = *tensors->find("x"), y = *tensors->find("y");
        int checked = 0;
        for (const auto& row : json["rows"]) {
            const std::string key = row["key"];
            const double smoothing = row["smoothing"];
            at::Tensor inputs = x.clone();
            if (key.rfind("target", 0) == 0) {
                QVERIFY2(largestDifference(softTargets(y, 5, row["lam"], smoothing), *tensors->find(key)) < 1e-6, key.c_str());
            } else if (key.rfind("mixup", 0) == 0) {
                applyMixup(inputs, row["lam"]);
                QVERIFY2(largestDifference(inputs, *tensors->find(key + ".x")) < 1e-6, key.c_str());
                QVERIFY2(largestDifference(softTargets(y, 5, row["lam"], smoothing), *tensors->find(key + ".target")) < 1e-6, key.c_str());
            } else {
                const auto& box = row["box"];
                const double lambda = applyCutmix(inputs, {box["top"], box["bottom"], box["left"], box["right"]});
                QVERIFY2(std::fabs(lambda - row["lam_after_box"].get<double>()) < 1e-12, key.c_str());
                QVERIFY2(largestDifference(inputs, *tensors->find(key + ".x")) < 1e-6, key.c_str());
                QVERIFY2(largestDifference(softTargets(y, 5, lambda, smoothing), *tensors->find(key + ".target")) < 1e-6, key.c_str());
            }
            ++checked;
        }
        QCOMPARE(checked, 12);
    }

    void smoothsLiterally() {
        const auto targets = softTargets(at::tensor(std::vector<std::int64_t>{1, 0}, at::kLong), 2, 1.0, 0.1);
        QVERIFY(largestDifference(targets, at::tensor({0.05f, 0.95f, 0.95f, 0.05f}).view({2, 2})) < 1e-6);
    }

    void cutsBoxesAtTheBorder() {
        const MixBox box = cutBox(12, 12, 0.75, 0, 11);
        QCOMPARE(box.top, std::int64_t(0));
        QCOMPARE(box.bottom, std::int64_t(3));
        QCOMPARE(box.left, std::int64_t(8));
        QCOMPARE(box.right, std::int64_t(12));
    }

    void isAPureFunctionOfItsKeys() {
        const MixSpec spec{0.8, 1.0, 0.5, 0.1};
        int differing = 0;
        for (int i = 0; i < 10; ++i) {
            nn::Batch a = smallBatch(), b = smallBatch(), c = smallBatch();
            mixBatch(a, spec, 4, 1, 2, i);
            mixBatch(b, spec, 4, 1, 2, i);
            mixBatch(c, spec, 4, 1, 3, i);
            QVERIFY(a.inputs.equal(b.inputs));
            QVERIFY(a.targets.equal(b.targets));
            QVERIFY(largestDifference(a.targets.sum(1), at::ones({4})) < 1e-5);
            differing += !a.inputs.equal(c.inputs);
        }
        QVERIFY(differing >= 8);
    }

    void leavesTheBatchAloneWhenOff() {
        nn::Batch batch = smallBatch();
        mixBatch(batch, {}, 4, 1, 2, 3);
        QVERIFY(batch.inputs.equal(smallBatch().inputs));
        QCOMPARE(batch.targets.scalar_type(), at::kLong);
    }
};

QTEST_GUILESS_MAIN(TestMixup)
#include "tst_mixup.moc"
