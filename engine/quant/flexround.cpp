#include "engine/quant/rounding.h"

namespace espalier::quant {
namespace {

/// Sums a gradient down to the shape of the tensor it broadcast from.
at::Tensor reducedTo(const at::Tensor& gradient, at::IntArrayRef shape) { return at::sum_to(gradient, shape); }

struct FlexRoundFunction : torch::autograd::Function<FlexRoundFunction> {
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& weight, const at::Tensor& s1,
                              const at::Tensor& logDivisor, const at::Tensor& qLow, const at::Tensor& qHigh) {
        const auto u = weight / (s1 * logDivisor.exp());
        const auto rounded = at::round(u);
        const auto q = at::clamp(rounded, qLow, qHigh);
        const auto isInside = (rounded >= qLow).logical_and_(rounded <= qHigh);
        context->save_for_backward({u, q, isInside, s1});
        context->saved_data["divisorShape"] = logDivisor.sizes().vec();
        return s1 * q;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const auto &u = saved[0], &q = saved[1], &isInside = saved[2], &s1 = saved[3];
        const auto& g = gradients[0];
        const auto insideU = u * isInside;
        const auto gradS1 = reducedTo(g * (q - insideU), s1.sizes());
        const auto gradLogDivisor =
            reducedTo(-(g * s1 * insideU), context->saved_data["divisorShape"].toIntVector());
        return {at::Tensor(), gradS1, gradLogDivisor, at::Tensor(), at::Tensor()};
    }
};

at::Tensor zeroParameter(std::vector<std::int64_t> shape, const at::Tensor& like, bool isLearned) {
    return at::zeros(shape, like.options()).set_requires_grad(isLearned);
}

}  // namespace

at::Tensor flexRoundForward(const at::Tensor& weight, const at::Tensor& s1, const at::Tensor& logDivisor,
                            const at::Tensor& qLow, const at::Tensor& qHigh) {
    return FlexRoundFunction::apply(weight, s1, logDivisor, qLow, qHigh);
}

FlexRoundQuantizer::FlexRoundQuantizer(at::Tensor weight, Grid grid, FlexRoundFactors factors)
    : m_weight(std::move(weight)), m_grid(std::move(grid)), m_factors(factors) {
    const auto dims = static_cast<std::size_t>(m_weight.dim());
    l1 = zeroParameter(m_grid.scale.sizes().vec(), m_weight, factors.s1);
    l2 = zeroParameter(m_weight.sizes().vec(), m_weight, factors.s2);
    std::vector<std::int64_t> outShape(dims, 1), inShape(dims, 1);
    outShape[0] = m_weight.size(0);
    l3 = zeroParameter(outShape, m_weight, factors.s3);
    if (dims > 2) {
        inShape[1] = m_weight.size(1);
        l4 = zeroParameter(inShape, m_weight, factors.s4);
    }
}

at::Tensor FlexRoundQuantizer::logDivisor() const {
    const auto sum = l2 + l3;
    return l4.defined() ? sum + l4 : sum;
}

at::Tensor FlexRoundQuantizer::finalScale() const { return m_grid.scale * l1.exp(); }

at::Tensor FlexRoundQuantizer::soft() const {
    return flexRoundForward(m_weight, finalScale(), logDivisor(), m_grid.qLow(), m_grid.qHigh());
}

at::Tensor FlexRoundQuantizer::hardCodes() const {
    at::NoGradGuard noGrad;
    return at::clamp(at::round(m_weight / (finalScale() * logDivisor().exp())), m_grid.qLow(), m_grid.qHigh());
}

at::Tensor FlexRoundQuantizer::hard() const {
    at::NoGradGuard noGrad;
    return finalScale() * hardCodes();
}

std::vector<at::Tensor> FlexRoundQuantizer::parameters() const {
    std::vector<at::Tensor> learned;
    for (const auto& parameter : {l1, l2, l3, l4})
        if (parameter.defined() && parameter.requires_grad()) learned.push_back(parameter);
    return learned;
}

}  // namespace espalier::quant
