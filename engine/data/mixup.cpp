#include "engine/data/mixup.h"

#include <algorithm>
#include <cmath>

#include "engine/data/augment/sample_rng.h"
#include "engine/data/image_batches.h"

namespace espalier::data {

namespace {
constexpr std::uint64_t kMixPurpose = 0x6d6978;
}

MixBox cutBox(std::int64_t height, std::int64_t width, double lambda, std::int64_t centreY, std::int64_t centreX) {
    const double ratio = std::sqrt(1.0 - lambda);
    const std::int64_t cutHeight = static_cast<std::int64_t>(double(height) * ratio), cutWidth = static_cast<std::int64_t>(double(width) * ratio);
    return {std::clamp<std::int64_t>(centreY - cutHeight / 2, 0, height), std::clamp<std::int64_t>(centreY + cutHeight / 2, 0, height),
            std::clamp<std::int64_t>(centreX - cutWidth / 2, 0, width), std::clamp<std::int64_t>(centreX + cutWidth / 2, 0, width)};
}

void applyMixup(at::Tensor& inputs, double lambda) {
    const auto partner = inputs.flip(0).mul_(1.0 - lambda);  // [B, C, H, W]
    inputs.mul_(lambda).add_(partner);
}

double applyCutmix(at::Tensor& inputs, const MixBox& box) {
    using torch::indexing::Slice;
    const auto window = {at::indexing::TensorIndex(Slice()), at::indexing::TensorIndex(Slice()), at::indexing::TensorIndex(Slice(box.top, box.bottom)),
                         at::indexing::TensorIndex(Slice(box.left, box.right))};
    if (box.area() > 0) inputs.index_put_(window, inputs.index(window).flip(0));
    return 1.0 - double(box.area()) / double(inputs.size(2) * inputs.size(3));
}

at::Tensor softTargets(const at::Tensor& labels, std::int64_t classes, double lambda, double smoothing) {
    const double off = smoothing / double(classes), on = 1.0 - smoothing + off;
    auto own = at::full({labels.size(0), classes}, off, labels.options().dtype(at::kFloat));  // [B, K]
    own.scatter_(1, labels.view({-1, 1}), on);
    if (lambda >= 1.0) return own;
    return own * lambda + own.flip(0) * (1.0 - lambda);
}

void mixBatch(nn::Batch& batch, const MixSpec& spec, std::int64_t classes, std::int64_t seed, std::int64_t epoch, std::int64_t batchIndex) {
    if (!spec.isOn() || batch.size() == 0) return;
    SampleRng rng(seed, epoch, batchIndex, kMixPurpose);
    const bool both = spec.mixupAlpha > 0 && spec.cutmixAlpha > 0;
    const bool isCut = both ? rng.chance(spec.switchProb) : spec.cutmixAlpha > 0;
    const double alpha = isCut ? spec.cutmixAlpha : spec.mixupAlpha;
    double lambda = rng.beta(alpha, alpha);
    if (isCut) {
        const std::int64_t height = batch.inputs.size(2), width = batch.inputs.size(3);
        const std::int64_t centreY = rng.below(height), centreX = rng.below(width);
        lambda = applyCutmix(batch.inputs, cutBox(height, width, lambda, centreY, centreX));
    } else {
        applyMixup(batch.inputs, lambda);
    }
    batch.targets = softTargets(batch.targets, classes, lambda, spec.smoothing);
}

}  // namespace espalier::data
