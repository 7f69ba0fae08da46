#pragma once

#include "engine/api/torch.h"

namespace espalier::nn {

/// Whether dropoutAttention() can stand in: gradients are wanted, dropout is on, float32 on the CPU, and the BLAS
/// inside LibTorch is reachable.
bool canUseDropoutAttention(const at::Tensor& packed, std::int64_t heads, double dropout);

/// dropout(softmax(q kᵀ / √d)) v for training on the CPU: [B, N, 3·H·d] packed q, k, v → [B, N, H·d], differentiable.
/// Works head by head in cache and stores one number a row; maps and dropout masks are computed again in the backward
/// pass. One draw of the default CPU generator seeds the mask, which depends on nothing else: not on the thread count.
at::Tensor dropoutAttention(const at::Tensor& packed, std::int64_t heads, double dropout);

/// The mask that a seed gives: 1 = kept. For tests.
at::Tensor attentionDropoutMask(std::uint64_t seed, std::int64_t batch, std::int64_t heads, std::int64_t tokens,
                                double dropout);
/// The same computation with a given seed.
at::Tensor dropoutAttentionSeeded(const at::Tensor& packed, std::int64_t heads, double dropout, std::uint64_t seed);

}  // namespace espalier::nn
