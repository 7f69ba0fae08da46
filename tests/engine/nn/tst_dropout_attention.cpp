#include <QtTest>

#include <cmath>

#include "engine/nn/dropout_attention.h"

using namespace espalier;

namespace {

struct Outcome {
    at::Tensor out, gradient;
};

/// The definition, step by step in float64, with the mask that the seed gives.
Outcome explicitAttention(const at::Tensor& packed, std::int64_t heads, double dropout, std::uint64_t seed,
                          const at::Tensor& outGradient) {
    const auto batch = packed.size(0), tokens = packed.size(1), head = packed.size(2) / 3 / heads;
    const at::Tensor leaf = packed.detach().to(at::kDouble).requires_grad_();
    const at::Tensor split = leaf.view({batch, tokens, 3, heads, head}).permute({2, 0, 3, 1, 4});
    const at::Tensor scores = at::matmul(split[0], split[1].transpose(-2, -1)) / std::sqrt(double(head));
    const at::Tensor mask = nn::attentionDropoutMask(seed, batch, heads, tokens, dropout).to(at::kDouble);
    const at::Tensor dropped = at::softmax(scores, -1) * mask / (1.0 - dropout);
    const at::Tensor out = at::matmul(dropped, split[2]).transpose(1, 2).flatten(2);
    out.backward(outGradient.to(at::kDouble));
    return {out.detach(), leaf.grad()};
}

Outcome fastAttention(const at::Tensor& packed, std::int64_t heads, double dropout, std::uint64_t seed,
                      const at::Tensor& outGradient) {
    const at::Tensor leaf = packed.detach().clone().requires_grad_();
    const at::Tensor out = nn::dropoutAttentionSeeded(leaf, heads, dropout, seed);
    out.backward(outGradient);
    return {out.detach(), leaf.grad()};
}

double largestDifference(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace

class TestDropoutAttention : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        const auto probe = torch::zeros({1, 2, 12}).requires_grad_();
        if (!nn::canUseDropoutAttention(probe, 2, 0.1)) QSKIP("this LibTorch exports no BLAS");
    }

    void equalsTheDefinition_data() {
        QTest::addColumn<int>("tokens");
        QTest::addColumn<int>("heads");
        QTest::addColumn<int>("head");
        QTest::addColumn<double>("dropout");
        QTest::addColumn<double>("spread");
        QTest::newRow("one token") << 1 << 2 << 8 << 0.1 << 1.0;
        QTest::newRow("fewer than a vector") << 7 << 1 << 4 << 0.3 << 1.0;
        QTest::newRow("class token, 65") << 65 << 2 << 64 << 0.1 << 1.0;
        QTest::newRow("CCT-7/3x1") << 256 << 4 << 64 << 0.1 << 1.0;
        QTest::newRow("sharp maps") << 64 << 2 << 16 << 0.1 << 6.0;
        QTest::newRow("half is dropped") << 33 << 3 << 8 << 0.5 << 1.0;
    }
    void equalsTheDefinition() {
        QFETCH(int, tokens);
        QFETCH(int, heads);
        QFETCH(int, head);
        QFETCH(double, dropout);
        QFETCH(double, spread);
        torch::manual_seed(5);
        const auto packed = torch::randn({3, tokens, 3 * heads * head}) * spread;
        const auto gradient = torch::randn({3, tokens, heads * head});
        const auto expected = explicitAttention(packed, heads, dropout, 77, gradient);
        const auto actual = fastAttention(packed, heads, dropout, 77, gradient);
        const double size = std::max(1.0, expected.gradient.abs().max().item<double>());
        QVERIFY2(largestDifference(actual.out, expected.out) < 1e-5 * std::max(1.0, spread),
                 qPrintable(QString::number(largestDifference(actual.out, expected.out))));
        QVERIFY2(largestDifference(actual.gradient, expected.gradient) < 3e-5 * size,
                 qPrintable(QString::number(largestDifference(actual.gradient, expected.gradient))));
    }

    void surviveHugeScores() {
        const auto packed = torch::randn({1, 16, 3 * 16}) * 100;
        const auto result = fastAttention(packed, 2, 0.1, 1, torch::ones({1, 16, 16}));
        QVERIFY(torch::isfinite(result.out).all().item<bool>());
        QVERIFY(torch::isfinite(result.gradient).all().item<bool>());
    }

    void showsNaNInsteadOfHidingIt() {
        auto packed = torch::randn({1, 16, 3 * 16});
        packed[0][3][2] = std::nanf("");
        QVERIFY(torch::isnan(fastAttention(packed, 2, 0.1, 1, torch::ones({1, 16, 16})).out).any().item<bool>());
    }

    void dropsTheAskedShareEverywhere() {
        const auto mask = nn::attentionDropoutMask(123456789, 8, 4, 128, 0.1);
        QVERIFY(std::abs(mask.mean().item<double>() - 0.9) < 0.002);       // 524,288 draws: σ = 0.0004
        const auto byColumn = mask.mean({0, 1, 2}), byRow = mask.mean({0, 1, 3});
        QVERIFY((byColumn - 0.9).abs().max().item<double>() < 0.025);      // 4,096 draws: σ = 0.0047
        QVERIFY((byRow - 0.9).abs().max().item<double>() < 0.025);
        const auto dropped = 1 - mask.flatten(0, 2);                       // neighbours are unrelated
        const auto both = (dropped.slice(1, 1) * dropped.slice(1, 0, 127)).mean().item<double>();
        QVERIFY(std::abs(both - 0.01) < 0.0015);
        const auto rows = (dropped.slice(0, 1) * dropped.slice(0, 0, dropped.size(0) - 1)).mean().item<double>();
        QVERIFY(std::abs(rows - 0.01) < 0.0015);
        const auto other = nn::attentionDropoutMask(123456790, 8, 4, 128, 0.1);
        QVERIFY(std::abs(((1 - mask) * (1 - other)).mean().item<double>() - 0.01) < 0.0015);
    }

    void followsTheGeneratorAndNotTheThreads() {
        const auto packed = torch::randn({4, 64, 3 * 32}).requires_grad_();
        const auto draw = [&] {
            torch::manual_seed(9);
            return nn::dropoutAttention(packed, 2, 0.1).detach();
        };
        const int threads = at::get_num_threads();
        at::set_num_threads(1);
        const auto one = draw();
        at::set_num_threads(2);
        const auto two = draw();
        at::set_num_threads(threads);
        QVERIFY(torch::equal(one, two));
        QVERIFY(!torch::equal(one, nn::dropoutAttention(packed, 2, 0.1).detach()));
    }

    void standsAsideWhereItCannotHelp() {
        const auto packed = torch::randn({1, 4, 12}).requires_grad_();
        QVERIFY(nn::canUseDropoutAttention(packed, 2, 0.1));
        QVERIFY(!nn::canUseDropoutAttention(packed, 2, 0.0));
        QVERIFY(!nn::canUseDropoutAttention(packed.to(at::kDouble), 2, 0.1));
        const at::NoGradGuard noGrad;
        QVERIFY(!nn::canUseDropoutAttention(packed, 2, 0.1));
    }
};

QTEST_GUILESS_MAIN(TestDropoutAttention)
#include "tst_dropout_attention.moc"
