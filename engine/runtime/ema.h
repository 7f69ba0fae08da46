#pragma once

#include <memory>
#include <vector>

#include "engine/nn/loop_spec.h"
#include "engine/nn/named_tensors.h"

namespace espalier::runtime {

/// Averaged copy of a module's parameters: average ← decay · average + (1 − decay) · parameter after each step.
/// Buffers are not averaged. Lives on the engine thread.
class Ema {
public:
    Ema(torch::nn::Module& module, double decay);

    void update();
    /// Puts the averages into the module, or the trained values back; bits are exchanged, never recomputed.
    void swapIn();
    void swapOut();
    bool isSwappedIn() const noexcept { return m_isSwappedIn; }

    void save(nn::NamedTensors& into) const;  ///< "ema.<parameter>"; live tensors, not copies
    Result<void> load(const nn::NamedTensors& from, const std::string& where);

private:
    double m_decay;
    std::vector<std::string> m_names;
    std::vector<at::Tensor> m_params, m_averages, m_trained;
    bool m_isSwappedIn = false;
};

}  // namespace espalier::runtime
