#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include "engine/interop/safetensors.h"
#include "engine/quant/reconstruction.h"

using namespace espalier;
using namespace espalier::quant;

namespace {

std::string fixture(const char* name) {
    return qEnvironmentVariable("ESPALIER_SHARED").toStdString() + "/fixtures/flexround/" + name;
}

at::Generator seeded(std::uint64_t seed) { return at::make_generator<at::CPUGeneratorImpl>(seed); }

double relative(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-12)).item<double>();
}

Grid givenGrid(const nn::NamedTensors& file, const std::string& key, int bits, bool perChannel, bool symmetric) {
    auto scale = *file.find(key + ".scale"), zeroPoint = *file.find(key + ".zero_point");
    if (!perChannel) scale = scale.reshape({1}), zeroPoint = zeroPoint.reshape({1});
    return {scale, zeroPoint, bits, symmetric};
}

struct Key {
    int bits = 0;
    bool perChannel = false, symmetric = false;
};
Key parsed(const std::string& key) {
    Key result;
    result.bits = std::stoi(key.substr(1));
    result.perChannel = key.find(".channel.") != std::string::npos;
    result.symmetric = key.find(".sym.") != std::string::npos;
    return result;
}

}  // namespace

class TestRounding : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // Card 46, check 1.
    void startsAtRoundToNearestBitForBit() {
        for (int bits = 2; bits <= 8; ++bits)
            for (const bool channel : {false, true})
                for (const bool symmetric : {false, true})
                    for (const bool isConv : {false, true}) {
                        const auto weight = (isConv ? at::randn({6, 4, 3, 3}, seeded(11)) : at::randn({24, 16}, seeded(11))) * 0.2;
                        const auto grid = findGrid(weight, {bits, channel, symmetric, false});
                        FlexRoundQuantizer flex(weight, grid);
                        QVERIFY(at::equal(flex.soft(), roundToNearest(weight, grid)));
                        QVERIFY(at::equal(flex.hard(), roundToNearest(weight, grid)));
                        AdaRoundQuantizer ada(weight, grid);
                        const auto clamped = at::clamp(weight, grid.qLow() * grid.scale, grid.qHigh() * grid.scale);
                        QVERIFY((ada.soft() - clamped).abs().max().item<double>() < 1e-5);
                    }
    }

    // Card 46, check 2, on random weights in double precision against the closed forms.
    void gradientsEqualTheClosedForms() {
        const auto options = at::TensorOptions().dtype(at::kDouble);
        const auto weight = at::randn({6, 4, 3, 3}, seeded(3), options) * 0.3;
        const auto g = at::randn(weight.sizes(), seeded(4), options);
        auto grid = findGrid(weight, {3, true, false, false});
        grid.scale = grid.scale.to(at::kDouble) * 0.7;  // so that some weights lie outside the clamp
        grid.zeroPoint = grid.zeroPoint.to(at::kDouble);
        FlexRoundQuantizer flex(weight, grid);
        {
            at::NoGradGuard noGrad;
            for (auto* l : {&flex.l1, &flex.l2, &flex.l3, &flex.l4}) l->copy_(at::randn(l->sizes(), seeded(5), options) * 0.2);
        }
        (flex.soft() * g).sum().backward();
        at::NoGradGuard noGrad;
        const auto s1 = flex.finalScale();
        const auto u = weight / (s1 * (flex.l2 + flex.l3 + flex.l4).exp());
        const auto rounded = u.round();
        const auto isInside = (rounded >= grid.qLow()).logical_and(rounded <= grid.qHigh());
        const auto q = at::clamp(rounded, grid.qLow(), grid.qHigh());
        QVERIFY(isInside.logical_not().sum().item<std::int64_t>() > 5);
        const auto gradL2 = -g * s1 * u * isInside;
        QVERIFY(relative(flex.l2.grad(), gradL2) < 1e-6);
        QVERIFY(relative(flex.l3.grad(), at::sum_to(gradL2, flex.l3.sizes())) < 1e-6);
        QVERIFY(relative(flex.l4.grad(), at::sum_to(gradL2, flex.l4.sizes())) < 1e-6);
        QVERIFY(relative(flex.l1.grad(), at::sum_to(g * s1 * (q - u * isInside), flex.l1.sizes())) < 1e-6);
    }

    void gradientGrowsWithTheWeight() {
        auto weight = at::rand({2, 8}, seeded(9)) * 0.1;
        weight[0] = weight[1];
        weight[1] = weight[1] * 2.0;  // the second row is the first, doubled
        weight[0][3] = 0.0;
        Grid grid{at::full({1}, 0.05f), at::full({1}, 128.0f), 8, false};
        FlexRoundQuantizer flex(weight, grid);
        flex.soft().sum().backward();
        const auto gradient = flex.l2.grad();  // S' = 1 here, so dL/dS' = dL/dl2
        for (int i = 0; i < 8; ++i) {
            if (i == 3) continue;
            QVERIFY(std::abs(gradient[1][i].item<double>() / gradient[0][i].item<double>() - 2.0) < 1e-5);
        }
        QCOMPARE(gradient[0][3].item<double>(), 0.0);
    }

    void meetsTheAuthorsFlexRound_data() {
        QTest::addColumn<QString>("path");
        const QDir folder(QString::fromStdString(fixture("")));
        for (const auto& file : folder.entryList({QStringLiteral("*.flexround.safetensors")}, QDir::Files, QDir::Name))
            QTest::addRow("%s", qPrintable(file)) << folder.filePath(file);
    }
    void meetsTheAuthorsFlexRound() {
        if (QTest::currentDataTag() == nullptr) QSKIP("the FlexRound fixtures are not on this machine");
        QFETCH(QString, path);
        const auto file = interop::readSafetensors(path.toStdString());
        QVERIFY(file.has_value());
        const auto &weight = *file->find("W"), &g = *file->find("G");
        int cases = 0;
        for (const auto& [name, tensor] : file->tensors) {
            const auto end = name.rfind(".fwd");
            if (end == std::string::npos || end + 4 != name.size()) continue;
            const auto key = name.substr(0, end);
            const auto kind = parsed(key);
            const auto grid = givenGrid(*file, key, kind.bits, kind.perChannel, kind.symmetric);
            FlexRoundQuantizer flex(weight, grid);
            {
                at::NoGradGuard noGrad;
                auto l1 = *file->find(key + ".l1");
                if (!kind.perChannel) l1 = l1.reshape({1});
                flex.l1.copy_(l1 - grid.scale.log());  // theirs holds log(scale) itself
                flex.l2.copy_(*file->find("l2"));
                flex.l3.copy_(*file->find("l3"));
            }
            const auto output = flex.soft();
            (output * g).sum().backward();
            // A weight on a rounding tie may fall either way (exp(log s) ≠ s): those are left out, and counted.
            const auto u = (weight / (flex.finalScale() * (flex.l2 + flex.l3).exp())).detach();
            const auto isTie = ((u - u.floor()) - 0.5).abs() < 1e-4;
            QVERIFY2(isTie.sum().item<std::int64_t>() <= 2, key.c_str());
            const auto differences = (output.detach() - tensor).abs() * isTie.logical_not();
            QVERIFY2(differences.max().item<double>() < 1e-6 * std::max(1.0, tensor.abs().max().item<double>()), key.c_str());
            if (isTie.sum().item<std::int64_t>() == 0 && file->find(key + ".grad_l2")) {
                QVERIFY2(relative(flex.l2.grad(), *file->find(key + ".grad_l2")) < 1e-5, key.c_str());
                QVERIFY2(relative(flex.l3.grad(), *file->find(key + ".grad_l3")) < 1e-5, key.c_str());
                // dL/dl1 sums G·s1·(q − u): terms far smaller than the u they come from, so float32 leaves about
                // 2.5e-7 of Σ|G·s1·u| whatever the sum is.
                at::NoGradGuard noGrad;
                const auto size = at::sum_to((g * flex.finalScale() * u).abs(), flex.l1.sizes());
                const auto expected = file->find(key + ".grad_l1")->reshape(flex.l1.sizes());
                const auto allowed = 1e-5 * expected.abs().max() + 2.5e-7 * size;
                QVERIFY2(((flex.l1.grad() - expected).abs() <= allowed).all().item<bool>(), key.c_str());
            }
            ++cases;
        }
        QCOMPARE(cases, 32);
    }

    void meetsTheAuthorsAdaRound() {
        const auto path = fixture("linear_24x16.adaround.safetensors");
        if (!QFile::exists(QString::fromStdString(path))) QSKIP("the FlexRound fixtures are not on this machine");
        const auto file = interop::readSafetensors(path);
        QVERIFY(file.has_value());
        const auto &weight = *file->find("W"), &g = *file->find("G");
        int cases = 0;
        for (const auto& [name, expected] : file->tensors) {
            const auto end = name.rfind(".soft");
            if (end == std::string::npos || end + 5 != name.size()) continue;
            const auto key = name.substr(0, end);
            const auto kind = parsed(key);
            // BRECQ stores an unsigned grid also for its symmetric case: the zero point is in the file.
            const auto grid = givenGrid(*file, key, kind.bits, kind.perChannel, false);
            AdaRoundQuantizer ada(weight, grid);
            QVERIFY2((ada.v - *file->find(key + ".V_init")).abs().max().item<double>() < 2e-4, key.c_str());
            QVERIFY2((ada.soft() - *file->find(key + ".soft_at_init")).abs().max().item<double>() < 1e-6, key.c_str());
            {
                at::NoGradGuard noGrad;
                ada.v.copy_(*file->find(key + ".V"));
            }
            const auto soft = ada.soft();
            QVERIFY2((soft - expected).abs().max().item<double>() < 1e-6, key.c_str());
            QVERIFY2((ada.hard() - *file->find(key + ".hard")).abs().max().item<double>() < 1e-6, key.c_str());
            QVERIFY2((ada.rectified() - *file->find(key + ".h")).abs().max().item<double>() < 1e-6, key.c_str());
            (soft * g).sum().backward();
            QVERIFY2(relative(ada.v.grad(), *file->find(key + ".grad_V")) < 1e-5, key.c_str());
            for (const int count : {40, 99}) {
                const auto* gradient = file->find(key + ".grad_V_of_reg.count" + std::to_string(count));
                if (!gradient) continue;
                ada.v.mutable_grad() = at::Tensor();
                ada.regulariser(count / 100.0).backward();
                QVERIFY2(relative(ada.v.grad(), *gradient) < 1e-5, key.c_str());
            }
            ++cases;
        }
        QVERIFY(cases >= 16);
    }

    void betaFallsAsTheReferenceSays() {
        QFile file(QString::fromStdString(fixture("linear_24x16.adaround.json")));
        if (!file.open(QIODevice::ReadOnly)) QSKIP("the FlexRound fixtures are not on this machine");
        const auto schedule = QJsonDocument::fromJson(file.readAll()).object()[QStringLiteral("beta_schedule")].toObject();
        QVERIFY(schedule.size() > 10);
        for (auto it = schedule.begin(); it != schedule.end(); ++it)
            QVERIFY(std::abs(AdaRoundQuantizer::betaAt(it.key().toInt() / 100.0, 0.2) - it.value().toDouble()) < 1e-9);
    }

    void lossIsAMeanOverTheBatchAndASumOverChannels() {
        const auto a = at::zeros({2, 3, 4}), b = at::ones({2, 3, 4});
        QCOMPARE(reconstructionLoss(a, b, -1).item<double>(), 4.0);
        QCOMPARE(reconstructionLoss(a, b, 1).item<double>(), 3.0);
    }
};

QTEST_GUILESS_MAIN(TestRounding)
#include "tst_rounding.moc"
