#pragma once

#include <string>

#include "engine/api/torch.h"

namespace espalier::nn {

enum class PositionalKind { Learnable, Sine, None };
const char* positionalName(PositionalKind kind);

/// Fixed table [1, positions, width]: sin(p/10000^(2⌊i/2⌋/D)) for even i, cos for odd i; p is the flat token index.
at::Tensor sineTable(std::int64_t positions, std::int64_t width);

/// Resizes the grid part of a learnable table [1, extra + h·w, D] to another grid, bilinear, align_corners = false; the
/// first `extra` rows (class tokens) stay. The same grid gives the same values.
at::Tensor resizedTable(const at::Tensor& table, std::int64_t extra, std::int64_t height, std::int64_t width,
                        std::int64_t newHeight, std::int64_t newWidth);

/// Attention of tokens to one summary (sequence pooling): s = x·w + b, α = softmax over tokens, z = Σ αᵢ xᵢ.
struct Pooled {
    at::Tensor weights;  ///< α [B, N]
    at::Tensor summary;  ///< z [B, D]
};

}  // namespace espalier::nn
