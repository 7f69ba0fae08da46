#include <QtTest>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "engine/api/torch.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/optimizer.h"

using namespace espalier;
using runtime::Optimizer;

namespace {

nn::OptimizerSpec adamW(double beta1, double beta2, double eps) {
    nn::OptimizerSpec spec;
    spec.beta1 = beta1;
    spec.beta2 = beta2;
    spec.eps = eps;
    return spec;
}

nn::OptimizerSpec sgd(double momentum, bool isNesterov) {
    nn::OptimizerSpec spec;
    spec.kind = nn::OptimizerSpec::Kind::Sgd;
    spec.momentum = momentum;
    spec.isNesterov = isNesterov;
    return spec;
}

double maxDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

/// The fused kernels against the formulas of the papers and against trajectories of torch.optim.
class TestOptimizer : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void adamWFollowsTheFormula();
    void groupsHaveTheirOwnRateAndDecay();
    void sgdFollowsTheFormula_data();
    void sgdFollowsTheFormula();
    void leavesParametersWithoutGradientAlone();
    void clipsToTheGivenNorm();
    void continuesFromSavedState();
    void refusesStateOfAnotherShape();
    void meetsTorchTrajectories_data();
    void meetsTorchTrajectories();
};

void TestOptimizer::adamWFollowsTheFormula() {
    auto p = torch::tensor({0.5f, -1.0f, 2.0f}).requires_grad_();
    Optimizer optimizer(adamW(0.9, 0.99, 1e-8), {{{p}, 1.0, 0.1}});
    const double gradients[3][3] = {{0.1, -0.2, 0.3}, {0.4, 0.1, -0.2}, {-0.3, 0.2, 0.5}};
    double x[3] = {0.5, -1.0, 2.0}, m[3] = {}, v[3] = {};
    const double lr = 0.05;
    for (int t = 1; t <= 3; ++t) {
        p.mutable_grad() = torch::tensor({gradients[t - 1][0], gradients[t - 1][1], gradients[t - 1][2]}).to(at::kFloat);
        optimizer.step(lr);
        for (int i = 0; i < 3; ++i) {
            const double g = gradients[t - 1][i];
            x[i] -= lr * 0.1 * x[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.99 * v[i] + 0.01 * g * g;
            x[i] -= lr * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.99, t))) + 1e-8);
            QVERIFY(std::abs(p[i].item<double>() - x[i]) < 1e-6);
        }
    }
}

void TestOptimizer::groupsHaveTheirOwnRateAndDecay() {
    auto a = torch::ones({2}).requires_grad_(), b = torch::ones({2}).requires_grad_();
    Optimizer optimizer(sgd(0.0, false), {{{a}, 1.0, 0.0}, {{b}, 0.5, 0.2}});
    a.mutable_grad() = torch::ones({2});
    b.mutable_grad() = torch::ones({2});
    optimizer.step(0.1);
    QVERIFY(std::abs(a[0].item<double>() - 0.9) < 1e-7);
    QVERIFY(std::abs(b[0].item<double>() - (1.0 - 0.05 * (1.0 + 0.2))) < 1e-7);
}

void TestOptimizer::sgdFollowsTheFormula_data() {
    QTest::addColumn<bool>("isNesterov");
    QTest::newRow("heavy ball") << false;
    QTest::newRow("nesterov") << true;
}

void TestOptimizer::sgdFollowsTheFormula() {
    QFETCH(bool, isNesterov);
    auto p = torch::tensor({1.0f}).requires_grad_();
    Optimizer optimizer(sgd(0.9, isNesterov), {{{p}, 1.0, 0.01}});
    double x = 1.0, buffer = 0.0;
    const double gradients[] = {0.5, -0.2, 0.3, 0.1};
    for (int t = 0; t < 4; ++t) {
        p.mutable_grad() = torch::tensor({static_cast<float>(gradients[t])});
        optimizer.step(0.1);
        const double g = gradients[t] + 0.01 * x;
        buffer = t == 0 ? g : 0.9 * buffer + g;
        x -= 0.1 * (isNesterov ? g + 0.9 * buffer : buffer);
        QVERIFY(std::abs(p.item<double>() - x) < 1e-6);
    }
}

void TestOptimizer::leavesParametersWithoutGradientAlone() {
    auto a = torch::ones({3}).requires_grad_(), b = torch::ones({3}).requires_grad_();
    Optimizer optimizer(adamW(0.9, 0.999, 1e-8), {{{a, b}, 1.0, 0.5}});
    a.mutable_grad() = torch::ones({3});
    optimizer.step(0.1);
    QVERIFY(at::equal(b.detach(), at::ones({3})));
    QVERIFY(!at::equal(a.detach(), at::ones({3})));
    optimizer.clearGradients();
    // The late one starts with its own first step: bias correction makes that step exactly the learning rate.
    b.mutable_grad() = torch::full({3}, 0.3f);
    optimizer.step(0.1);
    QVERIFY(std::abs(b[0].item<double>() - (1.0 - 0.1 * 0.5 - 0.1)) < 1e-5);
}

void TestOptimizer::clipsToTheGivenNorm() {
    std::vector<at::Tensor> gradients{torch::tensor({3.0f, 0.0f}), torch::tensor({4.0f})};
    const auto norm = runtime::gradientNorm(gradients);
    QVERIFY(std::abs(norm.item<double>() - 5.0) < 1e-6);
    runtime::clipGradients(gradients, norm, 10.0);
    QCOMPARE(gradients[0][0].item<double>(), 3.0);
    runtime::clipGradients(gradients, norm, 1.0);
    QVERIFY(std::abs(gradients[0][0].item<double>() - 0.6) < 1e-6);
    QVERIFY(std::abs(gradients[1][0].item<double>() - 0.8) < 1e-6);
}

void TestOptimizer::continuesFromSavedState() {
    for (const auto& spec : {adamW(0.9, 0.999, 1e-8), sgd(0.9, true)}) {
        const auto gradient = [](int t) {
            return at::sin(at::arange(6, at::kFloat).reshape({2, 3}) + static_cast<double>(t));
        };
        auto whole = torch::ones({2, 3}).requires_grad_(), half = torch::ones({2, 3}).requires_grad_();
        Optimizer one(spec, {{{whole}, 1.0, 0.05}}), two(spec, {{{half}, 1.0, 0.05}});
        for (int t = 0; t < 5; ++t) {
            whole.mutable_grad() = gradient(t);
            one.step(0.01);
            half.mutable_grad() = gradient(t);
            two.step(0.01);
        }
        nn::NamedTensors saved;
        two.save(saved);
        for (auto& [name, tensor] : saved.tensors) tensor = tensor.clone();
        auto other = half.detach().clone().requires_grad_();
        Optimizer three(spec, {{{other}, 1.0, 0.05}});
        QVERIFY(three.load(saved, "test"));
        for (int t = 5; t < 9; ++t) {
            whole.mutable_grad() = gradient(t);
            one.step(0.01);
            other.mutable_grad() = gradient(t);
            three.step(0.01);
        }
        QVERIFY(at::equal(whole.detach(), other.detach()));
    }
}

void TestOptimizer::refusesStateOfAnotherShape() {
    auto a = torch::ones({2, 3}).requires_grad_(), b = torch::ones({3, 2}).requires_grad_();
    nn::NamedTensors saved;
    Optimizer(nn::OptimizerSpec{}, {{{a}, 1.0, 0.0}}).save(saved);
    Optimizer other(nn::OptimizerSpec{}, {{{b}, 1.0, 0.0}});
    const auto loaded = other.load(saved, "here");
    QVERIFY(!loaded);
    QCOMPARE(loaded.error().where, std::string("here"));
    QVERIFY(loaded.error().what.find("optim.0.0.first") != std::string::npos);
}

void TestOptimizer::meetsTorchTrajectories_data() {
    QTest::addColumn<QString>("run");
    for (const char* run : {"sgd_momentum", "sgd_nesterov", "adamw", "adamw_clip_exempt"}) QTest::newRow(run) << QString::fromLatin1(run);
}

void TestOptimizer::meetsTorchTrajectories() {
    QFETCH(QString, run);
    const char* shared = std::getenv("ESPALIER_SHARED");
    const auto folder = std::filesystem::path(shared ? shared : "") / "fixtures" / "optim";
    if (!shared || !std::filesystem::exists(folder / "trajectories.json"))
        QSKIP("the trajectories of torch.optim are not on this machine");
    std::ifstream file(folder / "trajectories.json");
    const auto facts = nlohmann::json::parse(file).at("runs");
    const auto name = run.toStdString();
    QVERIFY(facts.contains(name));
    const auto& arguments = facts.at(name).at("every_argument_as_the_program_saw_it_except_weight_decay");
    const auto tensors = interop::readSafetensors(folder / "trajectories.safetensors");
    QVERIFY(tensors.has_value());
    const auto get = [&](const std::string& key) {
        const auto* found = tensors->find(key);
        return found ? *found : at::Tensor();
    };
    nn::OptimizerSpec spec = name.starts_with("adamw") ? adamW(arguments["betas"][0], arguments["betas"][1], arguments["eps"])
                                             : sgd(arguments["momentum"], arguments["nesterov"]);
    std::vector<at::Tensor> params, starts;
    const std::vector<std::string> parts{"kernel", "matrix", "vector"};
    for (const auto& part : parts) {
        const auto start = get("init." + part);
        QVERIFY2(start.defined(), part.c_str());
        params.push_back(start.to(at::kFloat).clone().requires_grad_());
    }
    const double decay = facts.at(name).at("weight_decay");
    const bool isVectorExempt = facts.at(name).at("weight_decay_on") == "matrix, kernel";
    Optimizer optimizer(spec, {{{params[0], params[1]}, 1.0, decay}, {{params[2]}, 1.0, isVectorExempt ? 0.0 : decay}});
    const auto& norms = facts.at(name).at("norms_before_clip");
    double worst = 0.0;
    for (std::int64_t step = 0; step < 100; ++step) {
        for (std::size_t i = 0; i < parts.size(); ++i)
            params[i].mutable_grad() = get("grad." + parts[i])[step].to(at::kFloat).clone();
        if (!norms.is_null()) {
            const auto gradients = optimizer.gradients();
            const auto norm = runtime::gradientNorm(gradients);
            const double expected = norms[static_cast<std::size_t>(step)];
            QVERIFY(std::abs(norm.item<double>() - expected) <= 1e-5 * expected);
            runtime::clipGradients(gradients, norm, facts.at(name).at("clip_grad_norm"));
        }
        optimizer.step(arguments["lr"]);
        for (std::size_t i = 0; i < parts.size(); ++i)
            worst = std::max(worst, maxDifference(params[i].detach(), get(name + ".traj." + parts[i])[step]));
    }
    qInfo("largest difference over 100 steps: %g", worst);
    QVERIFY(worst <= (spec.kind == nn::OptimizerSpec::Kind::Sgd ? 3e-5 : 5e-6));
}

QTEST_GUILESS_MAIN(TestOptimizer)
#include "tst_optimizer.moc"
