#include "engine/runtime/optimizer.h"

#include <algorithm>

#include "engine/api/torch.h"

namespace espalier::runtime {
namespace {

// The fused kernels walk parameter, gradient and moments as flat arrays: all must lie in memory alike.
at::Tensor laidOutLike(const at::Tensor& gradient, const at::Tensor& param) {
    if (gradient.strides() == param.strides() && gradient.scalar_type() == param.scalar_type()) return gradient;
    return at::empty_like(param).copy_(gradient);
}

std::string stateName(std::size_t group, std::size_t index, const char* what) {
    return "optim." + std::to_string(group) + "." + std::to_string(index) + "." + what;
}

Result<void> copyState(const nn::NamedTensors& from, const std::string& name, at::Tensor& target,
                       const std::string& where) {
    const auto* stored = from.find(name);
    if (!stored)
        return fail(ErrorCode::BadInput, "the checkpoint has no tensor " + name, where,
                    "It belongs to another architecture or optimizer");
    if (stored->sizes() != target.sizes())
        return fail(ErrorCode::BadInput, "the tensor " + name + " has another shape than this model needs", where,
                    "It belongs to another architecture");
    target.copy_(*stored);
    return {};
}

}  // namespace

Optimizer::Optimizer(const nn::OptimizerSpec& spec, const std::vector<nn::ParamGroup>& groups) : m_spec(spec) {
    at::NoGradGuard noGrad;
    for (const auto& given : groups) {
        Group group;
        group.params = given.params;
        group.lrScale = given.lrScale;
        group.weightDecay = given.weightDecay;
        group.hasBuffer.assign(given.params.size(), 0);
        for (const auto& param : given.params) {
            group.first.push_back(at::zeros_like(param, at::MemoryFormat::Preserve));
            if (spec.kind == nn::OptimizerSpec::Kind::AdamW)
                group.second.push_back(at::zeros_like(param, at::MemoryFormat::Preserve));
        }
        if (!given.params.empty()) {
            group.steps = at::zeros({static_cast<std::int64_t>(given.params.size())},
                                    given.params.front().options().dtype(at::kFloat).requires_grad(false));
            group.stepViews = group.steps.unbind(0);
        }
        m_groups.push_back(std::move(group));
    }
}

void Optimizer::step(double learningRate) {
    at::NoGradGuard noGrad;
    for (auto& group : m_groups) {
        if (m_spec.kind == nn::OptimizerSpec::Kind::AdamW)
            stepAdamW(group, learningRate * group.lrScale);
        else
            stepSgd(group, learningRate * group.lrScale);
    }
}

void Optimizer::stepAdamW(Group& group, double learningRate) {
    std::vector<at::Tensor> params, grads, first, second, steps;
    for (std::size_t i = 0; i < group.params.size(); ++i) {
        const auto& grad = group.params[i].grad();
        if (!grad.defined()) continue;
        params.push_back(group.params[i]);
        grads.push_back(laidOutLike(grad, group.params[i]));
        first.push_back(group.first[i]);
        second.push_back(group.second[i]);
        steps.push_back(group.stepViews[i]);
    }
    if (params.empty()) return;
    if (params.size() == group.params.size())
        group.steps.add_(1.0f);
    else
        at::_foreach_add_(steps, at::Scalar(1.0));
    at::_fused_adamw_(params, grads, first, second, {}, steps, learningRate, m_spec.beta1, m_spec.beta2,
                      group.weightDecay, m_spec.eps, /*amsgrad=*/false, /*maximize=*/false);
}

void Optimizer::stepSgd(Group& group, double learningRate) {
    // A parameter's first gradient starts its momentum buffer; the kernel takes that as one flag for a whole list.
    struct List {
        std::vector<at::Tensor> params, grads, buffers;
    } starting, going;
    for (std::size_t i = 0; i < group.params.size(); ++i) {
        const auto& grad = group.params[i].grad();
        if (!grad.defined()) continue;
        auto& list = group.hasBuffer[i] ? going : starting;
        list.params.push_back(group.params[i]);
        list.grads.push_back(laidOutLike(grad, group.params[i]));
        if (m_spec.momentum != 0.0) list.buffers.push_back(group.first[i]);
        group.hasBuffer[i] = 1;
        group.stepViews[i].add_(1.0f);
    }
    for (auto* list : {&starting, &going})
        if (!list->params.empty())
            at::_fused_sgd_(list->params, list->grads, list->buffers, group.weightDecay, m_spec.momentum, learningRate,
                            /*dampening=*/0.0, m_spec.isNesterov, /*maximize=*/false, list == &starting);
}

void Optimizer::clearGradients() {
    for (auto& group : m_groups)
        for (auto& param : group.params) param.mutable_grad().reset();
}

std::vector<at::Tensor> Optimizer::gradients() const {
    std::vector<at::Tensor> gradients;
    for (const auto& group : m_groups)
        for (const auto& param : group.params)
            if (param.grad().defined()) gradients.push_back(param.grad());
    return gradients;
}

void Optimizer::save(nn::NamedTensors& into) const {
    for (std::size_t g = 0; g < m_groups.size(); ++g) {
        const auto& group = m_groups[g];
        if (group.steps.defined()) into.add("optim." + std::to_string(g) + ".steps", group.steps);
        for (std::size_t i = 0; i < group.first.size(); ++i) into.add(stateName(g, i, "first"), group.first[i]);
        for (std::size_t i = 0; i < group.second.size(); ++i) into.add(stateName(g, i, "second"), group.second[i]);
    }
}

Result<void> Optimizer::load(const nn::NamedTensors& from, const std::string& where) {
    at::NoGradGuard noGrad;
    for (std::size_t g = 0; g < m_groups.size(); ++g) {
        auto& group = m_groups[g];
        if (!group.steps.defined()) continue;
        ESPALIER_CHECK_OK(copyState(from, "optim." + std::to_string(g) + ".steps", group.steps, where));
        for (std::size_t i = 0; i < group.first.size(); ++i)
            ESPALIER_CHECK_OK(copyState(from, stateName(g, i, "first"), group.first[i], where));
        for (std::size_t i = 0; i < group.second.size(); ++i)
            ESPALIER_CHECK_OK(copyState(from, stateName(g, i, "second"), group.second[i], where));
        const auto steps = group.steps.to(at::kCPU);
        for (std::size_t i = 0; i < group.hasBuffer.size(); ++i)
            group.hasBuffer[i] = steps[static_cast<std::int64_t>(i)].item<float>() > 0.0f;
    }
    return {};
}

at::Tensor gradientNorm(const std::vector<at::Tensor>& gradients) {
    at::NoGradGuard noGrad;
    if (gradients.empty()) return at::zeros({}, at::kFloat);
    return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
}

void clipGradients(const std::vector<at::Tensor>& gradients, const at::Tensor& norm, double clipNorm) {
    at::NoGradGuard noGrad;
    if (gradients.empty()) return;
    const auto factor = at::clamp_max(at::div(at::scalar_tensor(clipNorm, norm.options()), norm + 1e-6), 1.0);
    at::_foreach_mul_(gradients, factor);
}

}  // namespace espalier::runtime
