#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/api/torch.h"
#include "engine/nn/taps.h"

namespace espalier::nn {

/// One weight a quantizer may replace. `number` is what LayerHooks sees.
struct WeightLayer {
    int number = 0;
    std::string name;   ///< "blocks.0.attention.qkv"
    std::string op;     ///< conv2d or linear
    int block = 0;      ///< 0 tokenizer, 1…L blocks, L+1 head
    at::Tensor weight;  ///< the stored float weight
    std::int64_t macs = 0;  ///< of one sample
    std::int64_t channelDim = -1;  ///< of the layer's output
    /// The layer's own arithmetic with another weight, without bias.
    std::function<at::Tensor(const at::Tensor& x, const at::Tensor& weight)> apply;
};

/// A part of the model whose output is the next part's input.
struct Unit {
    std::string name;
    int block = 0;
    std::vector<int> layers;          ///< numbers of its weight layers, in forward order
    std::int64_t channelDim = -1;     ///< of its output
    std::function<at::Tensor(const at::Tensor&)> forward;
};

/// An image classifier that recipes can evaluate, look into and quantize. Its submodules' parameters are the checkpoint.
class ImageClassifier : public torch::nn::Module {
public:
    /// [B, C, H, W] normalised → logits [B, K].
    virtual at::Tensor forward(const at::Tensor& images) = 0;
    virtual std::vector<WeightLayer> weightLayers() = 0;
    /// In forward order; running all of them one after the other is forward().
    virtual std::vector<Unit> units() = 0;
    virtual std::int64_t macs() const = 0;
    virtual std::int64_t classes() const = 0;
    virtual std::int64_t imageSize() const = 0;
    virtual std::int64_t channels() const = 0;
    /// What a weights file must carry so that loadImageClassifier() can build the model again.
    virtual std::map<std::string, std::string> metadata() const = 0;
};

std::int64_t trainableParameters(const torch::nn::Module& model);

}  // namespace espalier::nn
