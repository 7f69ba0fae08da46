#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "engine/quant/reconstruction.h"

namespace espalier::quant::oracle {

/// The card's default; its 1e-5 belongs to a loss that also averages over the 48 outputs.
inline constexpr double kLambda = 1e-2;
inline constexpr double kFlexRate = 2e-3;  ///< the card's desk rate

/// The single-layer oracle of card 46, check 5: 48×48 Student-t(5)/sqrt(48) weights, 512 inputs with spectrum i^-0.7.
struct SingleLayer {
    at::Tensor weight, train, heldOut;  ///< [48, 48], [512, 48], [512, 48]

    explicit SingleLayer(std::uint64_t seed) {
        constexpr std::int64_t n = 48, samples = 512;
        auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
        const auto options = at::TensorOptions().dtype(at::kFloat);
        const auto normal = at::randn({n, n}, generator, options);
        auto chiSquare = at::zeros({n, n});
        for (int i = 0; i < 5; ++i) chiSquare += at::randn({n, n}, generator, options).square();
        weight = normal / (chiSquare / 5.0).sqrt() / std::sqrt(double(n));
        const auto spectrum = at::pow(at::arange(1, n + 1, options), -0.7);
        const auto rotation = std::get<0>(at::linalg_qr(at::randn({n, n}, generator, options)));
        const auto draw = [&] { return at::matmul(at::randn({samples, n}, generator, options) * spectrum, rotation); };
        train = draw();
        heldOut = draw();
    }

    double heldOutError(const at::Tensor& quantized) const {
        return (at::matmul(heldOut, (quantized - weight).t())).square().sum(-1).mean().item<double>();
    }
};

inline ReconstructionProblem linearProblem(LearnableRounding& rounding, const at::Tensor& inputs, const at::Tensor& weight) {
    ReconstructionProblem problem;
    problem.floatInputs = problem.quantInputs = inputs;
    problem.targets = at::matmul(inputs, weight.t());
    problem.isByChannel = true;
    problem.roundings = {&rounding};
    problem.forward = [](const at::Tensor& x, const std::vector<at::Tensor>& weights) {
        return at::matmul(x, weights[0].t());
    };
    return problem;
}

inline ReconstructionSpec fullBatch(std::int64_t iterations, double learningRate) {
    ReconstructionSpec spec;
    spec.iterations = iterations;
    spec.batch = std::int64_t(1) << 40;
    spec.learningRate = learningRate;
    spec.mixProbability = 1.0;
    return spec;
}

/// y = x·Wᵀ, full batch, 3000 iterations, each method as ModelQuantizer trains it.
inline ReconstructionOutcome trainFlexRound(LearnableRounding& rounding, const SingleLayer& layer) {
    return reconstruct(linearProblem(rounding, layer.train, layer.weight), fullBatch(3000, kFlexRate));
}
inline ReconstructionOutcome trainAdaRound(LearnableRounding& rounding, const SingleLayer& layer) {
    auto spec = fullBatch(3000, 1e-2);
    spec.isDecaying = spec.keepsBest = false;
    return reconstruct(linearProblem(rounding, layer.train, layer.weight), spec);
}

}  // namespace espalier::quant::oracle
