#pragma once

#include <vector>

#include "engine/nn/loop_spec.h"
#include "engine/nn/named_tensors.h"

namespace espalier::runtime {

/// AdamW and SGD over all parameters of a group at once (ATen's fused kernels). Lives on the engine thread. Parameters
/// without a gradient are left alone for that step, as torch.optim does; each keeps its own step count.
class Optimizer {
public:
    Optimizer(const nn::OptimizerSpec& spec, const std::vector<nn::ParamGroup>& groups);

    /// One update with the gradients that are there now. `learningRate` is multiplied by each group's scale.
    void step(double learningRate);
    /// Drops all gradients, so that the next backward pass writes instead of adding.
    void clearGradients();
    /// Gradients of the step at hand, in group order; the undefined ones left out.
    std::vector<at::Tensor> gradients() const;

    /// Moments and step counts under "optim.<group>.<index>.<what>". The tensors are the live ones, not copies.
    void save(nn::NamedTensors& into) const;
    /// Takes the values back; the error names the tensor that is missing or misshapen.
    Result<void> load(const nn::NamedTensors& from, const std::string& where);

private:
    struct Group {
        std::vector<at::Tensor> params, first, second;  // second: AdamW only
        at::Tensor steps;                               // [params] float32; a fused kernel reads them as scalars
        std::vector<at::Tensor> stepViews;
        std::vector<char> hasBuffer;                    // SGD: the momentum buffer holds a value
        double lrScale = 1.0, weightDecay = 0.0;
    };
    void stepAdamW(Group& group, double learningRate);
    void stepSgd(Group& group, double learningRate);

    nn::OptimizerSpec m_spec;
    std::vector<Group> m_groups;
};

/// Euclidean norm over all gradients as one device scalar; nothing is read back.
at::Tensor gradientNorm(const std::vector<at::Tensor>& gradients);
/// Scales the gradients so that their norm is at most `clipNorm`: factor min(1, clip / (norm + 1e-6)), on the device.
void clipGradients(const std::vector<at::Tensor>& gradients, const at::Tensor& norm, double clipNorm);

}  // namespace espalier::runtime
