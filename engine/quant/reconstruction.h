#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/base/result.h"
#include "engine/quant/rounding.h"

namespace espalier::quant {

/// Settings of one unit's reconstruction (card 46 step 4).
struct ReconstructionSpec {
    std::int64_t iterations = 1500;
    std::int64_t batch = 32;         ///< ≥ number of samples: full batch
    double learningRate = 2e-3;      ///< Adam
    bool isDecaying = true;          ///< the rate falls to 0 along a cosine; else it stays (AdaRound, as in BRECQ)
    bool keepsBest = true;           ///< best iterate on the whole calibration set, else the last one
    double sharedShare = 0.1;        ///< where channels keep their own best iterate: what they share is learned this long
    double mixProbability = 0.5;     ///< setting Q: each input element is the quantized one with this probability; 1 = B
    std::int64_t seed = 0;
    std::int64_t evaluations = 40;   ///< how often the hard loss on the whole set is looked at
};

/// One unit (layer or block) with learnable roundings in place of its weights.
struct ReconstructionProblem {
    at::Tensor floatInputs, quantInputs;  ///< [samples, …]: X of the float model and Xq behind quantized predecessors
    at::Tensor targets;                   ///< Y = float unit on float inputs
    std::int64_t channelDim = -1;         ///< of the outputs; the loss sums over it and averages over the rest
    /// There is one rounding and output channel c depends on row c of its weight alone: the loss is a sum of independent
    /// terms, and each channel may keep its own best iterate.
    bool isByChannel = false;
    std::vector<LearnableRounding*> roundings;
    std::vector<at::Tensor> extraParameters;  ///< activation steps
    /// Unit output for inputs, with `weights[i]` in place of the weight of roundings[i].
    std::function<at::Tensor(const at::Tensor& inputs, const std::vector<at::Tensor>& weights)> forward;
    /// Polled each iteration; false ends the reconstruction with the best iterate so far.
    std::function<bool()> keepGoing;
    /// (iteration, reconstruction loss of the batch, regulariser); called at most 200 times.
    std::function<void(std::int64_t, double, double)> trace;
};

struct ReconstructionOutcome {
    double lossInit = 0;   ///< hard loss on the calibration set before training (round-to-nearest for FlexRound)
    double lossFinal = 0;  ///< of what is kept
    std::int64_t iterations = 0;
    bool wasStopped = false;
};

/// Trains the roundings (and extra parameters) in place; the best iterate's values are in them afterwards.
/// With keepsBest and isByChannel every output channel keeps its own best iterate. Iterates of one channel can only be
/// put beside those of another while what they share (a grid size of the tensor, factors of the inputs, activation steps)
/// stands still, so that is learned during the first `sharedShare` of the steps only. Never worse on the calibration set
/// than the start.
ReconstructionOutcome reconstruct(const ReconstructionProblem& problem, const ReconstructionSpec& spec);

/// mean over batch and positions of |a − b|², a value a channel.
at::Tensor channelLosses(const at::Tensor& a, const at::Tensor& b, std::int64_t channelDim);
/// mean over batch and positions of the sum over channels of |a − b|².
at::Tensor reconstructionLoss(const at::Tensor& a, const at::Tensor& b, std::int64_t channelDim);

}  // namespace espalier::quant
