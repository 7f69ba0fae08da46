#include "engine/nn/losses.h"

namespace espalier::nn {

at::Tensor smoothedCrossEntropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing) {
    return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, smoothing);
}

at::Tensor softCrossEntropy(const at::Tensor& logits, const at::Tensor& targets) {
    return -(targets * at::log_softmax(logits, -1)).sum(-1).mean();
}

}  // namespace espalier::nn
