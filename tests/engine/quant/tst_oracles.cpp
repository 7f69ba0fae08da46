#include <QTest>

#include "tests/engine/quant/oracle.h"

using namespace espalier::quant;

/// Card 46, checks 3 and 4, and one seed of check 5 (all five: tst_single_layer).
class TestOracles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { at::set_num_threads(1); }

    void singleLayerAtThreeBits() {
        const oracle::SingleLayer layer(1);
        const auto grid = findGrid(layer.weight, {3, false, false, true});
        const double rtn = layer.heldOutError(roundToNearest(layer.weight, grid));
        AdaRoundQuantizer ada(layer.weight, grid, oracle::kLambda);
        oracle::trainAdaRound(ada, layer);
        FlexRoundQuantizer flex(layer.weight, grid);
        oracle::trainFlexRound(flex, layer);
        const double adaError = layer.heldOutError(ada.hard()) / rtn, flexError = layer.heldOutError(flex.hard()) / rtn;
        qInfo("held-out error relative to rtn: adaround %.3f flexround %.3f", adaError, flexError);
        QVERIFY2(adaError <= 0.65, std::to_string(adaError).c_str());
        QVERIFY2(flexError < adaError, std::to_string(flexError).c_str());

        // Check 3: AdaRound reaches only the two neighbours, and h has settled; FlexRound moves farther.
        const auto floored = at::clamp((layer.weight / grid.scale).floor(), grid.qLow(), grid.qHigh());
        const auto ceiled = at::clamp((layer.weight / grid.scale).floor() + 1.0, grid.qLow(), grid.qHigh());
        const auto codes = ada.hardCodes();
        QVERIFY((codes == floored).logical_or(codes == ceiled).all().item<bool>());
        const auto h = ada.rectified().detach();
        const double settled = at::minimum(h, 1.0 - h).le(0.01).to(at::kFloat).mean().item<double>();
        const auto outputs = [&](const at::Tensor& weight) { return at::matmul(layer.heldOut, weight.detach().t()); };
        const double hardening = ((outputs(ada.hard()) - outputs(ada.soft())).norm() / outputs(ada.soft()).norm()).item<double>();
        qInfo("h settled: %.4f, outputs of hardened against soft: %.2e", settled, hardening);
        QVERIFY2(settled >= 0.99, std::to_string(settled).c_str());
        QVERIFY2(hardening < 1e-3, std::to_string(hardening).c_str());
        const auto moved = (flex.hardCodes() - quantizedCodes(layer.weight, grid)).abs();
        const auto movedFar = moved.ge(2.0).sum().item<std::int64_t>();
        qInfo("weights moved by two levels or more: %lld", static_cast<long long>(movedFar));
        QVERIFY(movedFar >= 1);
    }

    void noAdaRoundBeatsTheBestOfAllRoundings_data() {
        QTest::addColumn<int>("bits");
        QTest::addRow("2 bits") << 2;
        QTest::addRow("3 bits") << 3;
    }
    void noAdaRoundBeatsTheBestOfAllRoundings() {
        QFETCH(int, bits);
        constexpr std::int64_t draws = 300, width = 8, samples = 32;
        auto generator = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t(40 + bits));
        const auto weight = at::randn({draws, width}, generator);
        const auto inputs = at::matmul(at::randn({draws, samples, width}, generator), at::randn({draws, width, width}, generator))
                                .transpose(0, 1).contiguous();  // [samples, draws, width]
        const auto grid = findGrid(weight, {bits, true, false, false});
        // All draws at once: one output channel each, with its own inputs.
        const auto outputs = [&](const at::Tensor& w) { return (inputs * w).sum(-1); };  // [samples, draws]
        const auto targets = outputs(weight);
        const auto errorOf = [&](const at::Tensor& w) { return (outputs(w) - targets).square().mean(0); };

        auto best = at::full({draws}, 1e30);
        const auto floored = (weight / grid.scale).floor();
        for (int choice = 0; choice < 256; ++choice) {
            auto up = at::zeros({width});
            for (int i = 0; i < width; ++i) up[i] = double((choice >> i) & 1);
            best = at::minimum(best, errorOf(grid.scale * at::clamp(floored + up, grid.qLow(), grid.qHigh())));
        }
        const auto train = [&](LearnableRounding& rounding, double learningRate, bool isAdaRound) {
            ReconstructionProblem problem;
            problem.floatInputs = problem.quantInputs = inputs;
            problem.targets = targets;  // draws are independent channels: their losses add up
            problem.isByChannel = true;
            problem.roundings = {&rounding};
            problem.forward = [](const at::Tensor& x, const std::vector<at::Tensor>& w) { return (x * w[0]).sum(-1); };
            auto spec = oracle::fullBatch(3000, learningRate);
            spec.isDecaying = spec.keepsBest = !isAdaRound;
            reconstruct(problem, spec);
        };
        AdaRoundQuantizer ada(weight, grid, 5.0);  // losses of these draws are of the order of 10, not of 0.01
        train(ada, 1e-2, true);
        const auto adaError = errorOf(ada.hard());
        QVERIFY((adaError >= best * (1.0 - 1e-4) - 1e-6).all().item<bool>());
        const auto share = [&](const at::Tensor& isTrue) { return isTrue.to(at::kFloat).mean().item<double>(); };
        const double equal = share(adaError <= best * 1.0001 + 1e-6), near = share(adaError <= best * 1.2);
        const double rtnNear = share(errorOf(roundToNearest(weight, grid)) <= best * 1.2);

        FlexRoundQuantizer flex(weight, grid);  // each draw keeps its own best iterate
        train(flex, 2e-3, false);
        const auto flexBest = errorOf(flex.hard());
        const double flexAtOrBelow = share(flexBest <= best * 1.0001 + 1e-6);
        qInfo("%d bits: adaround equal %.2f near %.2f, rtn near %.2f, flexround at or below %.2f", bits, equal, near, rtnNear, flexAtOrBelow);
        QVERIFY2(equal >= 0.45, std::to_string(equal).c_str());
        QVERIFY2(near >= 0.60, std::to_string(near).c_str());
        QVERIFY2(near > rtnNear, std::to_string(rtnNear).c_str());
        QVERIFY2(flexAtOrBelow >= 0.70, std::to_string(flexAtOrBelow).c_str());
    }

private:
    static at::Tensor quantizedCodes(const at::Tensor& weight, const Grid& grid) { return espalier::quant::codes(weight, grid); }
};

QTEST_GUILESS_MAIN(TestOracles)
#include "tst_oracles.moc"
