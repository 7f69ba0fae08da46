#include "engine/nn/attention_readouts.h"

#include <cmath>

namespace espalier::nn {

at::Tensor attentionRollout(const std::vector<at::Tensor>& maps) {
    at::Tensor rollout;
    for (const auto& map : maps) {
        const auto mean = map.mean(1);  // [B, N, N]
        const auto mixed = 0.5 * mean + 0.5 * at::eye(mean.size(-1), mean.options());
        rollout = rollout.defined() ? at::matmul(mixed, rollout) : mixed;
    }
    return rollout;
}

at::Tensor classContribution(const at::Tensor& weights, const at::Tensor& encoded, const at::Tensor& headWeight) {
    const auto perToken = at::matmul(encoded, headWeight.t());  // [B, N, K]
    return (perToken * weights.unsqueeze(-1)).transpose(1, 2).contiguous();
}

at::Tensor attentionEntropy(const at::Tensor& map) {
    const auto entropy = -(map * map.clamp_min(1e-30).log()).sum(-1) / std::log(double(map.size(-1)));
    return entropy.mean({0, 2});
}

at::Tensor poolingEntropy(const at::Tensor& weights) {
    return (-(weights * weights.clamp_min(1e-30).log()).sum(-1) / std::log(double(weights.size(-1)))).mean();
}

at::Tensor attentionDistance(const at::Tensor& map, std::int64_t side, double jump, bool hasClassToken) {
    auto spatial = map;
    if (hasClassToken) {
        spatial = map.narrow(2, 1, side * side).narrow(3, 1, side * side);
        spatial = spatial / spatial.sum(-1, true).clamp_min(1e-12);
    }
    const auto index = at::arange(side * side, at::TensorOptions().dtype(at::kLong).device(map.device()));
    const auto row = at::floor_divide(index, side).to(map.scalar_type()), column = at::remainder(index, side).to(map.scalar_type());
    const auto dy = row.unsqueeze(1) - row.unsqueeze(0), dx = column.unsqueeze(1) - column.unsqueeze(0);
    const auto distance = (dx * dx + dy * dy).sqrt() * jump;
    return (spatial * distance).sum(-1).mean({0, 2});
}

}  // namespace espalier::nn
