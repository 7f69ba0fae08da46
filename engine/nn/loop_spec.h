#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/torch.h"
#include "engine/base/result.h"

namespace espalier::nn {

/// One batch on the run's device. rowIds lead every sample back to its file.
struct Batch {
    at::Tensor inputs;   ///< images: [B, C, H, W] float32, normalised
    at::Tensor targets;  ///< [B] int64, or [B, K] float32 soft targets after mixup
    at::Tensor rowIds;   ///< [B] int64
    std::int64_t size() const { return inputs.defined() ? inputs.size(0) : 0; }
};

/// Gives the batches of one epoch in an order that is a pure function of (seed, epoch), starting anywhere in it.
class BatchSource {
public:
    virtual ~BatchSource() = default;
    virtual std::int64_t batchesPerEpoch() const = 0;
    virtual std::int64_t itemsPerEpoch() const = 0;
    /// Starts (or restarts) reading at batch `firstBatch` of `epoch`.
    virtual void begin(std::int64_t epoch, std::int64_t firstBatch) = 0;
    /// Next batch; an undefined `inputs` at the end of the epoch. Blocks for the loader threads.
    virtual Result<Batch> next() = 0;
};

/// What a step returns; tensors stay on the device, the loop reads them only at logging time.
struct StepOutput {
    at::Tensor loss;      ///< scalar, differentiable; the mean over the batch
    at::Tensor correct;   ///< scalar int64 or float, number right in the batch; undefined when meaningless
    std::int64_t items = 0;
};

struct ParamGroup {
    std::vector<at::Tensor> params;
    double lrScale = 1.0;
    double weightDecay = 0.0;
};

struct OptimizerSpec {
    enum class Kind { AdamW, Sgd };
    Kind kind = Kind::AdamW;
    double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    double momentum = 0.9;
    bool isNesterov = false;
};

/// Values of one evaluation: series name → value ("valid/loss").
using EvalValues = std::vector<std::pair<std::string, double>>;

/// What one training run is. The loop owns stepping, schedule, accumulation, clipping, EMA, logging cadence,
/// evaluation, checkpoints, pause and stop; the recipe says what a step is.
struct LoopSpec {
    std::shared_ptr<torch::nn::Module> model;
    std::vector<ParamGroup> groups;  ///< every trainable parameter exactly once
    OptimizerSpec optimizer;
    /// Learning rate of an optimizer step: (step from 0, fractional epoch of its first sample) → rate.
    std::function<double(std::int64_t step, double epoch)> learningRate;
    std::int64_t epochs = 1;
    std::int64_t accumulation = 1;
    double clipNorm = 0.0;  ///< 0 = off; the norm is logged either way
    double emaDecay = 0.0;  ///< 0 = off; evaluation and the best checkpoint use the averaged weights
    std::int64_t logEvery = 1;              ///< optimizer steps between logged points
    std::int64_t checkpointEverySteps = 0;  ///< 0 = at epoch ends only
    std::int64_t evaluateEveryEpochs = 1;
    std::string bestSeries = "valid/loss";
    bool isBestHighest = false;

    BatchSource* batches = nullptr;
    std::function<Result<StepOutput>(const Batch&, std::int64_t step, std::int64_t epoch)> step;
    /// Called in eval mode without gradients at epoch ends; returns the values to log.
    std::function<Result<EvalValues>(std::int64_t epoch)> evaluate;
    /// Called after evaluate, in eval mode without gradients: attention maps and the like. Must not touch any RNG.
    std::function<Result<void>(std::int64_t epoch, std::int64_t step)> probe;
    /// Recipe facts that go into the weights file's metadata (architecture, class names, normalisation).
    std::map<std::string, std::string> metadata;
};

}  // namespace espalier::nn
