#include "engine/runtime/ema.h"

#include "engine/api/torch.h"
#include "engine/base/assert.h"

namespace espalier::runtime {

Ema::Ema(torch::nn::Module& module, double decay) : m_decay(decay) {
    at::NoGradGuard noGrad;
    for (const auto& item : module.named_parameters()) {
        m_names.push_back("ema." + item.key());
        m_params.push_back(item.value());
        m_averages.push_back(item.value().detach().clone());
    }
}

void Ema::update() {
    ESPALIER_ASSERT(!m_isSwappedIn, "averages are updated from trained weights only");
    at::NoGradGuard noGrad;
    at::_foreach_lerp_(m_averages, m_params, at::Scalar(1.0 - m_decay));
}

void Ema::swapIn() {
    if (m_isSwappedIn) return;
    at::NoGradGuard noGrad;
    m_trained.clear();
    for (std::size_t i = 0; i < m_params.size(); ++i) {
        m_trained.push_back(m_params[i].detach());
        m_params[i].set_data(m_averages[i]);
    }
    m_isSwappedIn = true;
}

void Ema::swapOut() {
    if (!m_isSwappedIn) return;
    at::NoGradGuard noGrad;
    for (std::size_t i = 0; i < m_params.size(); ++i) m_params[i].set_data(m_trained[i]);
    m_trained.clear();
    m_isSwappedIn = false;
}

void Ema::save(nn::NamedTensors& into) const {
    for (std::size_t i = 0; i < m_names.size(); ++i) into.add(m_names[i], m_averages[i]);
}

Result<void> Ema::load(const nn::NamedTensors& from, const std::string& where) {
    at::NoGradGuard noGrad;
    for (std::size_t i = 0; i < m_names.size(); ++i) {
        const auto* stored = from.find(m_names[i]);
        if (!stored || stored->sizes() != m_averages[i].sizes())
            return fail(ErrorCode::BadInput,
                        "the averaged weights " + m_names[i] + (stored ? " have another shape" : " are missing"), where,
                        "The checkpoint belongs to another architecture");
        m_averages[i].copy_(*stored);
    }
    return {};
}

}  // namespace espalier::runtime
