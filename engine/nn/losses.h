#pragma once

#include "engine/api/torch.h"

namespace espalier::nn {

/// (1 − s)·NLL(y) + s·mean_c(−log p_c), mean over the batch. logits [B, K], labels [B] int64.
at::Tensor smoothedCrossEntropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing);
/// −Σ_c t_c log p_c, mean over the batch. targets [B, K] (mixup, cutmix).
at::Tensor softCrossEntropy(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace espalier::nn
