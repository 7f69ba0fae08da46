#include "engine/quant/rounding.h"

namespace espalier::quant {
namespace {

constexpr double kZeta = 1.1, kGamma = -0.1;
constexpr double kBetaStart = 20.0, kBetaEnd = 2.0;

}  // namespace

AdaRoundQuantizer::AdaRoundQuantizer(at::Tensor weight, Grid grid, double lambda, double warmup)
    : m_weight(std::move(weight)), m_grid(std::move(grid)), m_lambda(lambda), m_warmup(warmup) {
    at::NoGradGuard noGrad;
    const auto scaled = m_weight / m_grid.scale;
    m_floor = at::floor(scaled);
    const auto fraction = scaled - m_floor;
    v = (-at::log((kZeta - kGamma) / (fraction - kGamma) - 1.0)).detach().set_requires_grad(true);
}

at::Tensor AdaRoundQuantizer::rectified() const {
    return at::clamp(at::sigmoid(v) * (kZeta - kGamma) + kGamma, 0.0, 1.0);
}

at::Tensor AdaRoundQuantizer::soft() const {
    // Written out: from LibTorch 2.14 on clamp's own gradient is 0 or ½ at its bounds; here the closed interval passes it.
    const auto q = m_floor + rectified();
    const auto low = m_grid.qLow(), high = m_grid.qHigh();
    at::Tensor isInside, clamped;
    {
        at::NoGradGuard noGrad;
        isInside = (q >= low).logical_and_(q <= high).to(q.scalar_type());
        clamped = at::clamp(q, low, high);
    }
    return m_grid.scale * (clamped + (q - q.detach()) * isInside);
}

at::Tensor AdaRoundQuantizer::hardCodes() const {
    at::NoGradGuard noGrad;
    return at::clamp(m_floor + (v >= 0).to(m_weight.scalar_type()), m_grid.qLow(), m_grid.qHigh());
}

at::Tensor AdaRoundQuantizer::hard() const {
    at::NoGradGuard noGrad;
    return m_grid.scale * hardCodes();
}

double AdaRoundQuantizer::betaAt(double progress, double warmup) {
    if (progress < warmup) return kBetaStart;
    const double share = (progress - warmup) / (1.0 - warmup);
    return kBetaEnd + (kBetaStart - kBetaEnd) * std::max(0.0, 1.0 - share);
}

at::Tensor AdaRoundQuantizer::regulariser(double progress) const {
    if (progress < m_warmup) return {};
    const auto distance = (2.0 * rectified() - 1.0).abs();
    return m_lambda * (1.0 - distance.pow(betaAt(progress, m_warmup))).sum();
}

}  // namespace espalier::quant
