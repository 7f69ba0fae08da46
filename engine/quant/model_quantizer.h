#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "engine/nn/image_classifier.h"
#include "engine/nn/named_tensors.h"
#include "engine/quant/activation_quantizer.h"
#include "engine/quant/reconstruction.h"
#include "engine/quant/storage.h"

namespace espalier::quant {

/// How a whole model is quantized.
struct QuantizeSpec {
    std::string method = "flexround";  ///< rtn, adaround, adaquant, flexround
    GridSpec grid;
    int activationBits = 32;           ///< 32 = activations stay float
    bool isByBlock = false;            ///< reconstruct units (tokenizer, blocks, head) as a whole, else layer by layer
    ReconstructionSpec reconstruction;
    double adaRoundLambda = 0.01, adaRoundRate = 1e-2, adaQuantRate = 1e-3;
    FlexRoundFactors factors;
};

/// What became of one layer.
struct QuantizedLayer {
    int number = 0;
    Grid grid;            ///< with the learned scale
    at::Tensor codes;     ///< without the zero point
    at::Tensor weight;    ///< scale · codes
    double activationStep = 0, activationZero = 0;
    double errWRel = 0, errOutInit = 0, errOut = 0, nsr = 0, sqnrDb = 0, cos = 0, kurtW = 0, kurtIn = 0;
    double moved0 = 0, moved1 = 0, moved2plus = 0;  ///< shares of weights by levels from round-to-nearest
    at::Tensor shift;     ///< levels from round-to-nearest, shape of the weight
    double seconds = 0;
};

struct QuantizeCallbacks {
    std::function<bool()> keepGoing;
    std::function<void(int layersDone, int layers, const std::string& name)> progress;
    std::function<void(int layer, std::int64_t iteration, double mse, double regulariser)> trace;
};

/// Puts quantized weights (and activation quantizers) in place of the model's own while a forward pass runs.
class QuantHooks : public nn::LayerHooks {
public:
    at::Tensor input(int layer, const at::Tensor& x) override;
    at::Tensor weight(int layer, const at::Tensor& stored) override;

    std::map<int, at::Tensor> weights;
    std::map<int, std::shared_ptr<ActivationQuantizer>> activations;
    std::map<int, at::Tensor> captured;  ///< inputs before activation quantization, when capturing
    bool isCapturing = false;
};

/// Quantizes every weight layer of a classifier on calibration images, unit by unit in forward order: targets always
/// come from the float stream, inputs from quantized predecessors (card 46 step 4). The model's parameters stay as they
/// are. Lives on the engine thread.
class ModelQuantizer {
public:
    /// `calibration` [N, C, H, W] normalised, on the model's device.
    ModelQuantizer(nn::ImageClassifier& model, at::Tensor calibration);
    /// Layers in forward order; fewer when keepGoing() said no.
    std::vector<QuantizedLayer> run(const QuantizeSpec& spec, const QuantizeCallbacks& callbacks);
    /// Hooks that run the model with these layers.
    static QuantHooks hooksFor(const std::vector<QuantizedLayer>& layers, int activationBits, const at::Tensor& like);

    const std::vector<nn::WeightLayer>& layers() const { return m_layers; }
    /// The starting grid of a layer's float weight; searched once for all methods.
    const Grid& gridOf(int layer, const GridSpec& spec);

private:
    struct Work;
    void quantizeUnit(Work& work, const nn::Unit& unit);
    void reconstructLayer(Work& work, const nn::Unit& unit, int layer);
    void reconstructUnit(Work& work, const nn::Unit& unit);
    void measure(Work& work, const nn::Unit& unit);

    nn::ImageClassifier& m_model;
    at::Tensor m_calibration;
    std::vector<nn::WeightLayer> m_layers;
    std::map<std::tuple<int, int, bool, bool, bool>, Grid> m_grids;
};

/// Codes, scales and zero points of the layers and every other parameter in float: the payload is exactly the sum of
/// uniformBytes() and 4 bytes a remaining parameter.
nn::NamedTensors packModel(nn::ImageClassifier& model, const std::vector<QuantizedLayer>& layers, const QuantizeSpec& spec);

/// E[(x − mean)⁴]/var².
double kurtosis(const at::Tensor& values);

}  // namespace espalier::quant
