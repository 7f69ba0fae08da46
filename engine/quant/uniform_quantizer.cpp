#include "engine/quant/uniform_quantizer.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace espalier::quant {
namespace {

constexpr double kSearchPower = 2.4;
constexpr int kShrinkSteps = 100;
constexpr int kFullSearchBits = 4;   // beyond, 2^b zero points cost more than they bring
constexpr int kZeroPointReach = 4;   // around the balanced zero point

std::vector<std::int64_t> channelShape(const at::Tensor& weight) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(weight.dim()), 1);
    shape[0] = weight.size(0);
    return shape;
}

/// Row-wise or global minimum and maximum as [out, 1, …] or [1].
std::pair<at::Tensor, at::Tensor> range(const at::Tensor& weight, bool isPerChannel) {
    if (!isPerChannel) return {weight.min().reshape({1}), weight.max().reshape({1})};
    const auto rows = weight.reshape({weight.size(0), -1});
    return {rows.amin(1).reshape(channelShape(weight)), rows.amax(1).reshape(channelShape(weight))};
}

/// A grid whose range holds [low, high] and zero.
Grid minMaxGrid(at::Tensor low, at::Tensor high, const GridSpec& spec) {
    const double levels = double((1 << spec.bits) - 1);
    const double tiny = 1e-8;
    Grid grid;
    grid.bits = spec.bits;
    grid.isSymmetric = spec.isSymmetric;
    if (spec.isSymmetric) {
        const auto largest = at::maximum(low.abs(), high.abs());
        grid.scale = (largest * 2.0 / levels).clamp_min(tiny);
        grid.zeroPoint = at::zeros_like(grid.scale);
        return grid;
    }
    low = low.clamp_max(0.0);
    high = high.clamp_min(0.0);
    grid.scale = ((high - low) / levels).clamp_min(tiny);
    grid.zeroPoint = at::round(-low / grid.scale).clamp(0.0, levels);
    return grid;
}

/// Keeps, per channel or for the tensor, the candidate of least score; the first one wins a tie.
struct BestGrid {
    Grid grid;
    at::Tensor score;

    void offer(const at::Tensor& weight, const Grid& candidate, bool isPerChannel) {
        const auto candidateScore = searchScore(weight, roundToNearest(weight, candidate), isPerChannel);
        if (!score.defined()) {
            score = candidateScore;
            grid = candidate;
            return;
        }
        const auto isBetter = candidateScore < score;
        score = at::where(isBetter, candidateScore, score);
        grid.scale = at::where(isBetter, candidate.scale, grid.scale);
        grid.zeroPoint = at::where(isBetter, candidate.zeroPoint, grid.zeroPoint);
    }
};

Grid searchSymmetric(const at::Tensor& weight, const GridSpec& spec) {
    const auto [low, high] = range(weight, spec.isPerChannel);
    const auto largest = at::maximum(low.abs(), high.abs());
    BestGrid best;
    for (int k = 1; k <= kShrinkSteps; ++k) {
        const auto limit = largest * (double(k) / kShrinkSteps);
        best.offer(weight, minMaxGrid(-limit, limit, spec), spec.isPerChannel);
    }
    return best.grid;
}

Grid searchAsymmetric(const at::Tensor& weight, const GridSpec& spec) {
    auto [low, high] = range(weight, spec.isPerChannel);
    low = low.clamp_max(0.0);  // every grid holds zero
    high = high.clamp_min(0.0);
    const auto span = high - low;
    const int levels = (1 << spec.bits) - 1;
    // Weights of one sign need no level on the other side.
    const bool isPositive = weight.min().item<float>() >= 0.0f, isNegative = weight.max().item<float>() <= 0.0f;
    BestGrid best;
    for (int k = 1; k <= kShrinkSteps; ++k) {
        Grid candidate;
        candidate.bits = spec.bits;
        candidate.scale = (span * (double(k) / kShrinkSteps) / double(levels)).clamp_min(1e-8);
        if (isPositive || isNegative) {
            candidate.zeroPoint = at::full_like(candidate.scale, isPositive ? 0.0 : double(levels));
            best.offer(weight, candidate, spec.isPerChannel);
            continue;
        }
        if (spec.bits <= kFullSearchBits) {
            for (int zeroPoint = 0; zeroPoint <= levels; ++zeroPoint) {
                candidate.zeroPoint = at::full_like(candidate.scale, double(zeroPoint));
                best.offer(weight, candidate, spec.isPerChannel);
            }
            continue;
        }
        // The grid that clips both ends alike has its middle level at the middle of the range.
        const auto balanced = at::round(double(levels) / 2.0 - (low + high) / 2.0 / candidate.scale);
        for (int shift = -kZeroPointReach; shift <= kZeroPointReach; ++shift) {
            candidate.zeroPoint = (balanced + double(shift)).clamp(0.0, double(levels));
            best.offer(weight, candidate, spec.isPerChannel);
        }
    }
    return best.grid;
}

}  // namespace

at::Tensor Grid::qLow() const {
    return isSymmetric ? at::full_like(scale, -double(1 << (bits - 1))) : -zeroPoint;
}

at::Tensor Grid::qHigh() const {
    return isSymmetric ? at::full_like(scale, double((1 << (bits - 1)) - 1)) : double((1 << bits) - 1) - zeroPoint;
}

Grid findGrid(const at::Tensor& weight, const GridSpec& spec) {
    at::NoGradGuard noGrad;
    const auto values = weight.detach().to(at::kFloat);
    if (!spec.isSearched) {
        const auto [low, high] = range(values, spec.isPerChannel);
        return minMaxGrid(low, high, spec);
    }
    return spec.isSymmetric ? searchSymmetric(values, spec) : searchAsymmetric(values, spec);
}

at::Tensor codes(const at::Tensor& weight, const Grid& grid) {
    return at::clamp(at::round(weight / grid.scale), grid.qLow(), grid.qHigh());
}

at::Tensor roundToNearest(const at::Tensor& weight, const Grid& grid) { return codes(weight, grid) * grid.scale; }

at::Tensor searchScore(const at::Tensor& a, const at::Tensor& b, bool keepsChannels) {
    const auto errors = (a - b).abs_().pow_(kSearchPower);
    if (!keepsChannels) return errors.mean().reshape({1});
    std::vector<std::int64_t> shape(static_cast<std::size_t>(a.dim()), 1);
    shape[0] = a.size(0);
    return errors.reshape({a.size(0), -1}).mean(1).reshape(shape);
}

}  // namespace espalier::quant
