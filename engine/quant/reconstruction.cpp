#include "engine/quant/reconstruction.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

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
    /// From now on only these move; their moments stay.
    void restrictTo(const std::vector<at::Tensor>& kept) {
        for (std::size_t i = m_parameters.size(); i-- > 0;) {
            if (std::any_of(kept.begin(), kept.end(), [&](const auto& each) { return each.is_same(m_parameters[i]); })) continue;
            for (auto* list : {&m_parameters, &m_first, &m_second, &m_steps}) list->erase(list->begin() + std::ptrdiff_t(i));
        }
    }

private:
    std::vector<at::Tensor> m_parameters, m_first, m_second, m_steps;
};

/// Hard losses of the channels over the whole calibration set, in slices that fit the cache.
at::Tensor calibrationLosses(const ReconstructionProblem& problem, const std::vector<at::Tensor>& weights) {
    constexpr std::int64_t kSlice = 128;
    at::NoGradGuard noGrad;
    const auto samples = problem.targets.size(0);
    at::Tensor sum;
    for (std::int64_t start = 0; start < samples; start += kSlice) {
        const auto count = std::min(kSlice, samples - start);
        const auto output = problem.forward(problem.quantInputs.narrow(0, start, count), weights);
        const auto losses = channelLosses(output, problem.targets.narrow(0, start, count), problem.channelDim) * double(count);
        sum = sum.defined() ? sum + losses : losses;
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

/// Keeps the best iterate: of the unit, and once what the channels share stands still also of every channel.
class BestIterate {
public:
    BestIterate(std::vector<at::Tensor> parameters, const at::Tensor& losses)
        : m_parameters(std::move(parameters)), m_loss(losses.sum().item<double>()), m_values(snapshot(m_parameters)) {}
    /// `rows`: parameters whose first dimension counts the output channels.
    void startRows(std::vector<at::Tensor> rows) {
        m_rows = std::move(rows);
        m_rowValues = snapshot(m_rows);
        m_valuesAtStart = snapshot(m_parameters);
        m_isByRow = true;
    }
    void offer(const at::Tensor& losses) {
        at::NoGradGuard noGrad;
        if (const double loss = losses.sum().item<double>(); loss < m_loss) {
            m_loss = loss;
            m_values = snapshot(m_parameters);
        }
        if (!m_isByRow) return;
        const auto isBetter = m_rowLosses.defined() ? losses < m_rowLosses : at::ones_like(losses, at::kBool);
        m_rowLosses = m_rowLosses.defined() ? at::minimum(losses, m_rowLosses) : losses.clone();
        for (std::size_t i = 0; i < m_rows.size(); ++i) {
            std::vector<std::int64_t> shape(std::size_t(m_rows[i].dim()), 1);
            shape[0] = isBetter.numel();
            m_rowValues[i] = at::where(isBetter.reshape(shape), m_rows[i].detach(), m_rowValues[i]);
        }
    }
    /// Puts the best into the parameters; its loss.
    double take() {
        const double rowLoss = m_rowLosses.defined() ? m_rowLosses.sum().item<double>() : std::numeric_limits<double>::infinity();
        if (rowLoss >= m_loss) {
            restore(m_parameters, m_values);
            return m_loss;
        }
        restore(m_parameters, m_valuesAtStart);
        restore(m_rows, m_rowValues);
        return rowLoss;
    }

private:
    std::vector<at::Tensor> m_parameters, m_rows;
    double m_loss = 0;
    std::vector<at::Tensor> m_values, m_rowValues, m_valuesAtStart;
    at::Tensor m_rowLosses;
    bool m_isByRow = false;
};

/// One reconstruction on its way.
class Reconstruction {
public:
    Reconstruction(const ReconstructionProblem& problem, const ReconstructionSpec& spec);
    ReconstructionOutcome run();

private:
    /// Inputs and targets of one step.
    std::pair<at::Tensor, at::Tensor> draw();
    void step(std::int64_t i);
    void freezeShared();
    std::vector<at::Tensor> weights(bool isHard) const;

    const ReconstructionProblem& m_problem;
    const ReconstructionSpec& m_spec;
    std::vector<at::Tensor> m_parameters, m_rows;  ///< rows: those whose first dimension counts the output channels
    Adam m_optimizer;
    at::Generator m_generator;
    std::int64_t m_samples, m_batch, m_evaluateEvery, m_traceEvery, m_freezeAt = -1;
    bool m_isMixed, m_keepsChannels, m_seesEveryIterate;
    std::optional<BestIterate> m_best;
};

std::vector<at::Tensor> learnedTensors(const ReconstructionProblem& problem) {
    std::vector<at::Tensor> parameters;
    for (const auto* rounding : problem.roundings)
        for (const auto& parameter : rounding->parameters()) parameters.push_back(parameter);
    for (const auto& parameter : problem.extraParameters) parameters.push_back(parameter);
    return parameters;
}

Reconstruction::Reconstruction(const ReconstructionProblem& problem, const ReconstructionSpec& spec)
    : m_problem(problem), m_spec(spec), m_parameters(learnedTensors(problem)), m_optimizer(m_parameters),
      m_generator(at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(spec.seed))) {
    m_samples = problem.targets.size(0);
    m_batch = std::min(spec.batch, m_samples);
    m_evaluateEvery = std::max<std::int64_t>(1, spec.iterations / std::max<std::int64_t>(1, spec.evaluations));
    m_traceEvery = std::max<std::int64_t>(1, spec.iterations / kMaxTraces);
    m_isMixed = spec.mixProbability < 1.0 && !problem.floatInputs.is_same(problem.quantInputs);
    m_keepsChannels = spec.keepsBest && problem.isByChannel && problem.roundings.size() == 1;
    if (m_keepsChannels) {
        const auto channels = problem.roundings.front()->soft().size(0);
        for (const auto& parameter : problem.roundings.front()->parameters())
            if (parameter.size(0) == channels) m_rows.push_back(parameter);
        const bool isAnyShared = m_rows.size() < m_parameters.size();
        m_freezeAt = isAnyShared ? std::int64_t(std::ceil(spec.sharedShare * double(spec.iterations))) : 0;
    }
    // Where a step's own loss is the hard loss of the whole set, every iterate is a candidate at no cost.
    m_seesEveryIterate =
        spec.keepsBest && m_batch == m_samples && !m_isMixed &&
        std::all_of(problem.roundings.begin(), problem.roundings.end(), [](const auto* each) { return each->isAlwaysHard(); });
}

std::vector<at::Tensor> Reconstruction::weights(bool isHard) const {
    std::vector<at::Tensor> values;
    for (const auto* rounding : m_problem.roundings) values.push_back(isHard ? rounding->hard() : rounding->soft());
    return values;
}

std::pair<at::Tensor, at::Tensor> Reconstruction::draw() {
    at::Tensor inputs = m_problem.quantInputs, floats = m_problem.floatInputs, targets = m_problem.targets;
    if (m_batch < m_samples) {
        const auto rows = at::randint(m_samples, {m_batch}, m_generator, at::TensorOptions().dtype(at::kLong)).to(targets.device());
        inputs = inputs.index_select(0, rows);
        targets = targets.index_select(0, rows);
        if (m_isMixed) floats = floats.index_select(0, rows);
    }
    if (m_isMixed) {
        const auto draws = at::rand(inputs.sizes(), m_generator, at::TensorOptions().dtype(at::kFloat)).to(inputs.device());
        inputs = at::where(draws < m_spec.mixProbability, inputs, floats);
    }
    return {inputs, targets};
}

void Reconstruction::freezeShared() {
    m_optimizer.restrictTo(m_rows);
    m_best->startRows(m_rows);
}

void Reconstruction::step(std::int64_t i) {
    const double progress = double(i) / double(m_spec.iterations);
    const auto [inputs, targets] = draw();
    const auto output = m_problem.forward(inputs, weights(false));
    auto loss = reconstructionLoss(output, targets, m_problem.channelDim);
    const auto reconstructed = loss;
    at::Tensor regulariser;
    for (const auto* rounding : m_problem.roundings) {
        const auto term = rounding->regulariser(progress);
        if (term.defined()) regulariser = regulariser.defined() ? regulariser + term : term;
    }
    if (regulariser.defined()) loss = loss + regulariser;
    if (m_seesEveryIterate) m_best->offer(channelLosses(output.detach(), targets, m_problem.channelDim));
    for (auto& parameter : m_parameters) parameter.mutable_grad() = at::Tensor();
    loss.backward();
    m_optimizer.step(m_spec.learningRate * (m_spec.isDecaying ? 0.5 * (1.0 + std::cos(kPi * progress)) : 1.0));
    if (m_problem.trace && i % m_traceEvery == 0)
        m_problem.trace(i, reconstructed.item<double>(), regulariser.defined() ? regulariser.item<double>() : 0.0);
}

ReconstructionOutcome Reconstruction::run() {
    ReconstructionOutcome outcome;
    const auto losses = calibrationLosses(m_problem, weights(true));
    outcome.lossInit = losses.sum().item<double>();
    m_best.emplace(m_parameters, losses);
    for (std::int64_t i = 0; i < m_spec.iterations; ++i) {
        if (m_problem.keepGoing && !m_problem.keepGoing()) {
            outcome.wasStopped = true;
            break;
        }
        if (i == m_freezeAt) freezeShared();
        step(i);
        ++outcome.iterations;
        const bool isLast = i + 1 == m_spec.iterations;  // no later step looks at the last iterate
        if (m_spec.keepsBest && (isLast || (!m_seesEveryIterate && (i + 1) % m_evaluateEvery == 0)))
            m_best->offer(calibrationLosses(m_problem, weights(true)));
    }
    outcome.lossFinal = m_spec.keepsBest ? m_best->take() : calibrationLosses(m_problem, weights(true)).sum().item<double>();
    for (auto& parameter : m_parameters) parameter.mutable_grad() = at::Tensor();
    return outcome;
}

}  // namespace

at::Tensor channelLosses(const at::Tensor& a, const at::Tensor& b, std::int64_t channelDim) {
    const auto squares = (a - b).square();
    return squares.movedim(channelDim, 0).reshape({squares.size(channelDim), -1}).mean(1);
}

at::Tensor reconstructionLoss(const at::Tensor& a, const at::Tensor& b, std::int64_t channelDim) {
    return (a - b).square().sum(channelDim).mean();
}

ReconstructionOutcome reconstruct(const ReconstructionProblem& problem, const ReconstructionSpec& spec) {
    return Reconstruction(problem, spec).run();
}

}  // namespace espalier::quant
