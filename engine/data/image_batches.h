#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/torch.h"
#include "engine/data/image_source.h"
#include "engine/nn/loop_spec.h"

namespace espalier::data {

/// How pictures become network input.
struct ImagePipeline {
    int size = 32;                       ///< side of the square input
    int channels = 3;                    ///< grey is repeated, colour is averaged to grey for 1
    std::vector<float> mean{0.4914f, 0.4822f, 0.4465f}, std{0.2470f, 0.2435f, 0.2616f};
    bool isAugmented = false;
    std::string autoAugment = "none";    ///< "none", "cifar10" (recipe Q's own ops), "rand-m9-mstd0.5-inc1"
    int cropPadding = 0;                 ///< zeros around, then random crop; 0 = off
    double cropScaleMin = 0.0;           ///< > 0: random resized crop with area in [min, 1], random interpolation
    bool isFlipped = false;              ///< horizontal, p 0.5
    double erasing = 0.0;                ///< probability of random erasing
};

/// Batches of one split: loader threads decode and augment into flat buffers through a bounded queue; the engine
/// thread wraps them. The order and every random choice are a pure function of (seed, epoch, row), so a resumed run
/// sees the same batches. `device` decides where tensors go.
class ImageBatches : public nn::BatchSource {
public:
    ImageBatches(ImageSource& source, feed::Split split, ImagePipeline pipeline, std::int64_t batchSize,
                 std::int64_t seed, bool isShuffled, bool dropsLast, int loaderThreads, at::Device device);
    ~ImageBatches() override;
    std::int64_t batchesPerEpoch() const override;
    std::int64_t itemsPerEpoch() const override;
    void begin(std::int64_t epoch, std::int64_t firstBatch) override;
    Result<nn::Batch> next() override;
    /// Uses only these rows of the split (calibration, probes, "10,000 images"); call before begin().
    void restrictTo(std::vector<std::int64_t> rows);

private:
    struct Impl;
    std::unique_ptr<Impl> d;
};

/// Mixup / cutmix of a batch (timm's rule: partner = reversed batch, one draw a batch). Targets become soft
/// [B, K] with label smoothing inside. lambda is corrected to the cut area for cutmix.
struct MixSpec {
    double mixupAlpha = 0.0, cutmixAlpha = 0.0, switchProb = 0.5, smoothing = 0.0;
    bool isOn() const { return mixupAlpha > 0 || cutmixAlpha > 0; }
};
/// Random choices come from (seed, epoch, batchIndex) only.
void mixBatch(nn::Batch& batch, const MixSpec& spec, std::int64_t classes, std::int64_t seed, std::int64_t epoch,
              std::int64_t batchIndex);
/// The parts of it, for tests and other recipes.
at::Tensor softTargets(const at::Tensor& labels, std::int64_t classes, double lambda, double smoothing);

}  // namespace espalier::data
