#include "engine/quant/rounding.h"

namespace espalier::quant {
namespace {
/// Adam moves every parameter by about its rate; the weights of AdaQuant want a hundredth of what the grid wants.
constexpr double kWeightShare = 1e-2;
}  // namespace

AdaQuantQuantizer::AdaQuantQuantizer(at::Tensor weight, Grid grid) : m_weight(std::move(weight)), m_grid(std::move(grid)) {
    v = at::zeros_like(m_weight).set_requires_grad(true);
    l1 = at::zeros_like(m_grid.scale).set_requires_grad(true);
}

at::Tensor AdaQuantQuantizer::finalScale() const { return m_grid.scale * l1.exp(); }

at::Tensor AdaQuantQuantizer::soft() const {
    const auto scale = finalScale();
    const auto u = (m_weight + kWeightShare * v) / scale;
    at::Tensor isInside, rest, clamped;
    {
        at::NoGradGuard noGrad;
        const auto rounded = at::round(u);
        const auto low = m_grid.qLow(), high = m_grid.qHigh();
        isInside = (rounded >= low).logical_and_(rounded <= high).to(u.scalar_type());
        rest = rounded - u;
        clamped = at::clamp(rounded, low, high);
    }
    return scale * (isInside * (u + rest) + (1.0 - isInside) * clamped);
}

at::Tensor AdaQuantQuantizer::hardCodes() const {
    at::NoGradGuard noGrad;
    return at::clamp(at::round((m_weight + kWeightShare * v) / finalScale()), m_grid.qLow(), m_grid.qHigh());
}

at::Tensor AdaQuantQuantizer::hard() const {
    at::NoGradGuard noGrad;
    return finalScale() * hardCodes();
}

}  // namespace espalier::quant
