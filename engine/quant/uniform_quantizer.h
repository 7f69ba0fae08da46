#pragma once

#include <cstdint>
#include <string>

#include "engine/api/torch.h"

namespace espalier::quant {

/// How a weight tensor's grid is laid.
struct GridSpec {
    int bits = 4;                ///< 2…8
    bool isPerChannel = false;   ///< one grid per output channel (first dimension), else one for the tensor
    bool isSymmetric = false;
    bool isSearched = true;      ///< shrink-factor search minimising mean |W − Q|^2.4, else plain min-max
};

/// Uniform grid: levels scale · q with integer q in [qLow, qHigh]. `scale` and `zeroPoint` broadcast against the
/// weight: [1] per tensor, [out, 1, …] per channel. Asymmetric: q ∈ [−zp, 2^b − 1 − zp]; symmetric: zp = 0 and
/// q ∈ [−2^(b−1), 2^(b−1) − 1].
struct Grid {
    at::Tensor scale, zeroPoint;
    int bits = 4;
    bool isSymmetric = false;

    at::Tensor qLow() const;
    at::Tensor qHigh() const;
    bool isPerChannel() const { return scale.numel() > 1; }
};

/// Lays a grid for `weight` ([out, in] or [out, in, kh, kw], float32).
/// Search: 100 shrink factors k/100 of the min-max range; asymmetric grids also try the zero points (all of them up to
/// 6 bits, those near the balanced one above; FlexRound, arXiv 2306.00317, and card 46 step 1).
Grid findGrid(const at::Tensor& weight, const GridSpec& spec);

/// Integer levels clamp(round(W / scale), qLow, qHigh), half to even, without the zero point; float tensor.
at::Tensor codes(const at::Tensor& weight, const Grid& grid);
/// scale · codes: round-to-nearest.
at::Tensor roundToNearest(const at::Tensor& weight, const Grid& grid);

/// mean |a − b|^2.4 over all elements or, with keepsChannels, per first dimension ([out, 1, …]).
at::Tensor searchScore(const at::Tensor& a, const at::Tensor& b, bool keepsChannels);

}  // namespace espalier::quant
