#include "engine/quant/reconstruction.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace espalier::quant {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr std::int64_t kMaxTraces = 200;

/// Adam on a handful of tensors; weight decay must be 0 on rounding parameters.
class Adam {
public:
    explicit Adam(std::vector<at::Tensor> parameters) : m_parameters(std::move(parameters)) {
        for (const auto& parameter : m_parameters) {
            m_first.push_back(at::zeros_like(parameter));
            m_second.push_back(at::zeros_like(parameter));
            m_steps.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
        }
    }
    void step(double learningRate) {
        std::vector<at::Tensor> parameters, gradients, first, second, steps;
        for (std::size_t i = 0; i < m_parameters.size(); ++i) {
            if (!m_parameters[i].grad().defined()) continue;
            parameters.push_back(m_parameters[i]);
            gradients.push_back(m_parameters[i].grad());
            first.push_back(m_first[i]);
            second.push_back(m_second[i]);
            steps.push_back(m_steps[i]);
            m_steps[i].add_(1.0);
        }
        if (parameters.empty()) return;
        at::NoGradGuard noGrad;
        at::_fused_adam_(parameters, gradients, first, second, {}, steps, learningRate, 0.9, 0.999, 0.0, 1e-8, false, false);
    }
    void zeroGradients() {
        for (auto& parameter : m_parameters) parameter.mutable_grad() = at::Tensor();
    }
    const std::vector<at::Tensor>& parameters() const { return m_parameters; }

private:
    std::vector<at::Tensor> m_parameters, m_first, m_second, m_steps;
};

std::vector<at::Tensor> hardWeights(const ReconstructionProblem& problem) {
    std::vector<at::Tensor> weights;
    for (const auto* rounding : problem.roundings) weights.push_back(rounding->hard());
    return weights;
}

/// Hard loss over the whole calibration set, in slices that fit the cache.
double calibrationLoss(const ReconstructionProblem& problem, const std::vector<at::Tensor>& weights) {
    constexpr std::int64_t kSlice = 128;
    at::NoGradGuard noGrad;
    const auto samples = problem.targets.size(0);
    double sum = 0;
    for (std::int64_t start = 0; start < samples; start += kSlice) {
        const auto count = std::min(kSlice, samples - start);
        const auto output = problem.forward(problem.quantInputs.narrow(0, start, count), weights);
        sum += reconstructionLoss(output, problem.targets.narrow(0, start, count), problem.channelDim).item<double>() *
               double(count);
    }
    return sum / double(samples);
}

/// Values of all learned tensors, to come back to.
std::vector<at::Tensor> snapshot(const std::vector<at::Tensor>& parameters) {
    std::vector<at::Tensor> copies;
    for (const auto& parameter : parameters) copies.push_back(parameter.detach().clone());
    return copies;
}

void restore(const std::vector<at::Tensor>& parameters, const std::vector<at::Tensor>& copies) {
    at::NoGradGuard noGrad;
    for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].detach().copy_(copies[i]);
}

}  // namespace

at::Tensor reconstructionLoss(const at::Tensor& a, const at::Tensor& b, std::int64_t channelDim) {
    return (a - b).square().sum(channelDim).mean();
}

ReconstructionOutcome reconstruct(const ReconstructionProblem& problem, const ReconstructionSpec& spec) {
    std::vector<at::Tensor> parameters;
    for (const auto* rounding : problem.roundings)
        for (const auto& parameter : rounding->parameters()) parameters.push_back(parameter);
    for (const auto& parameter : problem.extraParameters) parameters.push_back(parameter);
    Adam optimizer(parameters);
    auto generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(spec.seed));

    ReconstructionOutcome outcome;
    outcome.lossInit = calibrationLoss(problem, hardWeights(problem));
    outcome.lossFinal = outcome.lossInit;
    auto best = snapshot(parameters);
    const auto samples = problem.targets.size(0);
    const auto batch = std::min(spec.batch, samples);
    const auto evaluateEvery = std::max<std::int64_t>(1, spec.iterations / std::max<std::int64_t>(1, spec.evaluations));
    const auto traceEvery = std::max<std::int64_t>(1, spec.iterations / kMaxTraces);
    // Where a step's own loss is the hard loss of the whole set, every iterate is a candidate at no cost.
    const bool seesEveryIterate =
        spec.keepsBest && batch == samples && spec.mixProbability >= 1.0 &&
        std::all_of(problem.roundings.begin(), problem.roundings.end(), [](const auto* each) { return each->isAlwaysHard(); });
    const bool isMixed = spec.mixProbability < 1.0 && !problem.floatInputs.is_same(problem.quantInputs);

    for (std::int64_t i = 0; i < spec.iterations; ++i) {
        if (problem.keepGoing && !problem.keepGoing()) {
            outcome.wasStopped = true;
            break;
        }
        at::Tensor inputs = problem.quantInputs, floats = problem.floatInputs, targets = problem.targets;
        if (batch < samples) {
            const auto rows = at::randint(samples, {batch}, generator, at::TensorOptions().dtype(at::kLong)).to(targets.device());
            inputs = inputs.index_select(0, rows);
            targets = targets.index_select(0, rows);
            if (isMixed) floats = floats.index_select(0, rows);
        }
        if (isMixed) {
            const auto draws = at::rand(inputs.sizes(), generator, at::TensorOptions().dtype(at::kFloat)).to(inputs.device());
            inputs = at::where(draws < spec.mixProbability, inputs, floats);
        }
        std::vector<at::Tensor> weights;
        for (const auto* rounding : problem.roundings) weights.push_back(rounding->soft());
        auto loss = reconstructionLoss(problem.forward(inputs, weights), targets, problem.channelDim);
        const auto reconstructed = loss;
        at::Tensor regulariser;
        for (const auto* rounding : problem.roundings) {
            const auto term = rounding->regulariser(double(i) / double(spec.iterations));
            if (term.defined()) regulariser = regulariser.defined() ? regulariser + term : term;
        }
        if (regulariser.defined()) loss = loss + regulariser;
        if (seesEveryIterate) {
            if (const double hardLoss = reconstructed.item<double>(); hardLoss < outcome.lossFinal) {
                outcome.lossFinal = hardLoss;
                best = snapshot(parameters);
            }
        }
        optimizer.zeroGradients();
        loss.backward();
        optimizer.step(spec.learningRate * 0.5 * (1.0 + std::cos(kPi * double(i) / double(spec.iterations))));
        ++outcome.iterations;
        if (problem.trace && i % traceEvery == 0)
            problem.trace(i, reconstructed.item<double>(), regulariser.defined() ? regulariser.item<double>() : 0.0);
        if (spec.keepsBest && (i + 1) % evaluateEvery == 0) {  // also the last iterate, which no later step looks at
            const double hardLoss = calibrationLoss(problem, hardWeights(problem));
            if (hardLoss < outcome.lossFinal) {
                outcome.lossFinal = hardLoss;
                best = snapshot(parameters);
            }
        }
    }
    if (spec.keepsBest) restore(parameters, best);
    else outcome.lossFinal = calibrationLoss(problem, hardWeights(problem));
    optimizer.zeroGradients();
    return outcome;
}

}  // namespace espalier::quant
