#include "engine/quant/activation_quantizer.h"

#include <cmath>

namespace espalier::quant {
namespace {

struct LsqFunction : torch::autograd::Function<LsqFunction> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const at::Tensor& step,
                              double zeroPoint, double levels) {
        const auto scaled = x / step;
        const auto shifted = at::round(scaled) + zeroPoint;
        const auto q = at::clamp(shifted, 0.0, levels) - zeroPoint;
        const auto isInside = (shifted >= 0.0).logical_and_(shifted <= levels);
        context->save_for_backward({scaled, q, isInside});
        // LSQ's gradient scale: the step sees a sum over all elements, its size must not grow with them.
        context->saved_data["gradScale"] = 1.0 / std::sqrt(double(x.numel()) * levels);
        return step * q;
    }
    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &scaled = saved[0], &q = saved[1], &isInside = saved[2];
        const auto& g = gradients[0];
        const auto gradStep = (g * (q - scaled * isInside)).sum().reshape({1}) *
                              context->saved_data["gradScale"].toDouble();
        return {g * isInside, gradStep, at::Tensor(), at::Tensor()};
    }
};

}  // namespace

ActivationQuantizer::ActivationQuantizer(const at::Tensor& samples, int bits) : m_bits(bits) {
    at::NoGradGuard noGrad;
    const double low = std::min(0.0, samples.min().item<double>());
    const double high = std::max(0.0, samples.max().item<double>());
    const double levels = double((std::int64_t(1) << std::min(bits, 30)) - 1);
    const double step = std::max((high - low) / levels, 1e-8);
    m_zeroPoint = std::nearbyint(-low / step);
    m_start = at::full({1}, step, samples.options().dtype(at::kFloat));
    m_log = at::zeros_like(m_start).set_requires_grad(true);
}

ActivationQuantizer::ActivationQuantizer(at::Tensor step, double zeroPoint, int bits)
    : m_start(std::move(step)), m_log(at::zeros_like(m_start)), m_zeroPoint(zeroPoint), m_bits(bits) {}

at::Tensor ActivationQuantizer::operator()(const at::Tensor& x) const {
    if (m_bits >= 32) return x;
    return LsqFunction::apply(x, step(), m_zeroPoint, double((std::int64_t(1) << m_bits) - 1));
}

}  // namespace espalier::quant
