#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/api/torch.h"

namespace espalier::nn {

/// Lets a quantizer stand in for a layer's weight and look at (or replace) its input, without touching the parameter.
/// Empty = the layer computes with its own weight. A replaced weight may carry gradients.
struct LayerHook {
    at::Tensor weight;                                        ///< used instead of the parameter when defined
    std::function<at::Tensor(const at::Tensor& input)> input; ///< applied to the layer's input when set
    void clear() {
        weight = {};
        input = nullptr;
    }
};

/// One layer whose weight can be quantized. Tensors are the model's own parameters, not copies.
struct WeightLayer {
    std::string name;  ///< parameter path without ".weight": "blocks.0.attention.qkv"
    std::string op;    ///< "linear" or "conv2d"
    int block = -1;    ///< encoder block from 0; −1 before the first, `layers` after the last
    at::Tensor weight; ///< linear [out, in], conv2d [out, in, kh, kw]
    at::Tensor bias;   ///< undefined when there is none
    std::int64_t macs = 0;  ///< multiply-accumulates for one sample
    std::shared_ptr<LayerHook> hook;
    /// The layer alone (with hook applied): its input to its output, before any activation.
    std::function<at::Tensor(const at::Tensor&)> forward;
};

/// A stretch of the model that is reconstructed as a whole: output of unit i is the input of unit i + 1, the first takes
/// normalised images, the last gives logits. Built for eval mode; valid as long as the model lives.
struct Unit {
    std::string name;  ///< "tokenizer", "blocks.0", "head"
    int block = -1;    ///< as in WeightLayer
    std::function<at::Tensor(const at::Tensor&)> forward;
    std::vector<WeightLayer> layers;  ///< in forward order
};

/// How an image becomes the network's input.
struct ImageNormalization {
    std::int64_t size = 32, channels = 3;
    std::vector<double> mean, std;  ///< one a channel, of pixels in 0…1
};

/// What a weights file says about its model besides the tensors.
struct ClassifierInfo {
    std::string recipe;        ///< "70-compact-transformers"
    std::string architecture;  ///< JSON; its "model" member names the class that reads it
    ImageNormalization normalization;
    std::vector<std::string> classes;  ///< names by index
};

/// Any network from images to class logits that later stages (quantization, prediction) can walk through.
/// Lives on the engine thread.
class ImageClassifier : public torch::nn::Module {
public:
    virtual at::Tensor forward(const at::Tensor& images) = 0;  ///< [B, C, H, W] normalised → [B, K]
    virtual std::vector<Unit> units() = 0;
    virtual std::int64_t macsPerItem() const = 0;

    /// Every weight layer of every unit, in forward order.
    std::vector<WeightLayer> weightLayers() {
        std::vector<WeightLayer> layers;
        for (auto& unit : units())
            for (auto& layer : unit.layers) layers.push_back(layer);
        return layers;
    }

    ClassifierInfo info;
};

}  // namespace espalier::nn
