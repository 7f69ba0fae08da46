#pragma once

#include <vector>

#include "engine/api/torch.h"

namespace espalier::nn {

/// Rollout (card 70 step 13d): Ã = ½·mean_h A + ½·I per layer, R = Ã_L ··· Ã_1. maps: one [B, H, N, N] a layer → [B, N, N].
at::Tensor attentionRollout(const std::vector<at::Tensor>& maps);

/// Exact share of each token in each logit: c_i(k) = α_i·(W_k·x_i). weights α [B, N], encoded x [B, N, D], headWeight
/// [K, D] → [B, K, N]; Σ_i c_i(k) + b_k = logit_k.
at::Tensor classContribution(const at::Tensor& weights, const at::Tensor& encoded, const at::Tensor& headWeight);

/// Mean over rows of −Σ A log A / ln N, per head: [B, H, N, N] → [H]; also [B, N] → scalar for pooling weights.
at::Tensor attentionEntropy(const at::Tensor& map);
at::Tensor poolingEntropy(const at::Tensor& weights);

/// Σ_ij A_ij·dist(i, j)/N in pixels per head: [B, H, N, N] over a side×side grid `jump` pixels apart → [H]. With a class
/// token its row and column are left out and rows are normalised again.
at::Tensor attentionDistance(const at::Tensor& map, std::int64_t side, double jump, bool hasClassToken);

}  // namespace espalier::nn
