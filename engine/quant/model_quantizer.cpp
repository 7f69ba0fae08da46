#include "engine/quant/model_quantizer.h"

#include <chrono>
#include <cmath>
#include <set>

namespace espalier::quant {
namespace {

/// A searched grid is near its place; one laid on the whole range has farther to go.
constexpr double kSharedShare = 0.1, kSharedShareFromMinMax = 0.25;

double secondsNow() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::unique_ptr<LearnableRounding> makeRounding(const QuantizeSpec& spec, const at::Tensor& weight, const Grid& grid) {
    if (spec.method == "adaround") return std::make_unique<AdaRoundQuantizer>(weight, grid, spec.adaRoundLambda);
    if (spec.method == "adaquant") return std::make_unique<AdaQuantQuantizer>(weight, grid);
    return std::make_unique<FlexRoundQuantizer>(weight, grid, spec.factors);
}

ReconstructionSpec settingsOf(const QuantizeSpec& spec) {
    auto settings = spec.reconstruction;
    settings.sharedShare = spec.grid.isSearched ? kSharedShare : kSharedShareFromMinMax;
    if (spec.method == "adaround") {
        settings.learningRate = spec.adaRoundRate;
        settings.isDecaying = false;  // beta comes down to 2 at the end, where a decayed rate moves nothing any more
        settings.keepsBest = false;   // only the last iterate has settled on one neighbour each
    } else if (spec.method == "adaquant") {
        settings.learningRate = spec.adaQuantRate;
    }
    return settings;
}

double meanSquare(const at::Tensor& a, const at::Tensor& b) { return (a - b).square().mean().item<double>(); }

}  // namespace

at::Tensor QuantHooks::input(int layer, const at::Tensor& x) {
    if (isCapturing) captured[layer] = x.detach();
    const auto found = activations.find(layer);
    return found == activations.end() ? x : (*found->second)(x);
}

at::Tensor QuantHooks::weight(int layer, const at::Tensor& stored) {
    const auto found = weights.find(layer);
    return found == weights.end() ? stored : found->second;
}

double kurtosis(const at::Tensor& values) {
    const auto centred = values.to(at::kDouble) - values.to(at::kDouble).mean();
    const double variance = centred.square().mean().item<double>();
    return variance > 0 ? centred.pow(4).mean().item<double>() / (variance * variance) : 0.0;
}

/// One run over the model.
struct ModelQuantizer::Work {
    const QuantizeSpec& spec;
    const QuantizeCallbacks& callbacks;
    at::Tensor floatStream, quantStream;
    QuantHooks hooks;                        ///< everything quantized so far
    std::map<int, at::Tensor> floatInputs;   ///< of this unit's layers
    std::map<int, Grid> grids;
    std::map<int, std::unique_ptr<LearnableRounding>> roundings;
    std::map<int, double> seconds;
    std::vector<QuantizedLayer> done;
    bool isStopped = false;

    at::Tensor runUnit(const nn::Unit& unit, const at::Tensor& x, QuantHooks* with) {
        nn::LayerHooksScope scope(with);
        return unit.forward(x);
    }
    bool keepGoing() {
        if (callbacks.keepGoing && !callbacks.keepGoing()) isStopped = true;
        return !isStopped;
    }
};

ModelQuantizer::ModelQuantizer(nn::ImageClassifier& model, at::Tensor calibration)
    : m_model(model), m_calibration(std::move(calibration)), m_layers(model.weightLayers()) {}

std::vector<QuantizedLayer> ModelQuantizer::run(const QuantizeSpec& spec, const QuantizeCallbacks& callbacks) {
    m_model.eval();
    for (auto& parameter : m_model.parameters()) parameter.set_requires_grad(false);
    Work work{spec, callbacks, m_calibration, m_calibration, {}, {}, {}, {}, {}, {}, false};
    for (const auto& unit : m_model.units()) {
        if (!work.keepGoing()) break;
        quantizeUnit(work, unit);
    }
    return std::move(work.done);
}

const Grid& ModelQuantizer::gridOf(int layer, const GridSpec& spec) {
    auto& grid = m_grids[{layer, spec.bits, spec.isPerChannel, spec.isSymmetric, spec.isSearched}];
    if (!grid.scale.defined()) grid = findGrid(m_layers[std::size_t(layer)].weight.detach(), spec);
    return grid;
}

void ModelQuantizer::quantizeUnit(Work& work, const nn::Unit& unit) {
    at::Tensor target;
    {
        at::NoGradGuard noGrad;
        QuantHooks capture;
        capture.isCapturing = true;
        target = work.runUnit(unit, work.floatStream, &capture);
        work.floatInputs = std::move(capture.captured);
    }
    for (const int number : unit.layers) {
        const auto& layer = m_layers[std::size_t(number)];
        const auto weight = layer.weight.detach();
        work.grids[number] = gridOf(number, work.spec.grid);
        if (work.spec.method != "rtn") work.roundings[number] = makeRounding(work.spec, weight, work.grids[number]);
        if (work.spec.activationBits < 32)
            work.hooks.activations[number] = std::make_shared<ActivationQuantizer>(work.floatInputs[number], work.spec.activationBits);
    }
    if (work.spec.method != "rtn" && work.spec.isByBlock) reconstructUnit(work, unit);
    for (const int number : unit.layers) {
        if (!work.keepGoing()) return;
        if (work.callbacks.progress) work.callbacks.progress(number, int(m_layers.size()), m_layers[std::size_t(number)].name);
        if (work.spec.method == "rtn")
            work.hooks.weights[number] = roundToNearest(m_layers[std::size_t(number)].weight.detach(), work.grids[number]);
        else if (!work.spec.isByBlock) reconstructLayer(work, unit, number);
    }
    if (work.isStopped) return;
    at::NoGradGuard noGrad;
    measure(work, unit);
    work.floatStream = target;
    work.quantStream = work.runUnit(unit, work.quantStream, &work.hooks);
}

void ModelQuantizer::reconstructLayer(Work& work, const nn::Unit& unit, int number) {
    const double started = secondsNow();
    const auto& layer = m_layers[std::size_t(number)];
    at::Tensor quantInput;
    {
        at::NoGradGuard noGrad;
        auto capture = work.hooks;
        capture.isCapturing = true;
        work.runUnit(unit, work.quantStream, &capture);
        quantInput = capture.captured[number];
    }
    auto& rounding = *work.roundings[number];
    const auto activation = work.hooks.activations.find(number);
    ReconstructionProblem problem;
    problem.floatInputs = work.floatInputs[number];
    problem.quantInputs = quantInput;
    {
        at::NoGradGuard noGrad;
        problem.targets = layer.apply(problem.floatInputs, layer.weight.detach());
    }
    problem.channelDim = layer.channelDim;
    problem.isByChannel = true;
    problem.roundings = {&rounding};
    if (activation != work.hooks.activations.end()) problem.extraParameters = {activation->second->parameter()};
    problem.forward = [&](const at::Tensor& x, const std::vector<at::Tensor>& weights) {
        return layer.apply(activation == work.hooks.activations.end() ? x : (*activation->second)(x), weights[0]);
    };
    problem.keepGoing = [&] { return work.keepGoing(); };
    if (work.callbacks.trace)
        problem.trace = [&](std::int64_t i, double mse, double reg) { work.callbacks.trace(number, i, mse, reg); };
    reconstruct(problem, settingsOf(work.spec));
    work.hooks.weights[number] = rounding.hard();
    work.seconds[number] = secondsNow() - started;
}

void ModelQuantizer::reconstructUnit(Work& work, const nn::Unit& unit) {
    const double started = secondsNow();
    ReconstructionProblem problem;
    problem.floatInputs = work.floatStream;
    problem.quantInputs = work.quantStream;
    {
        at::NoGradGuard noGrad;
        problem.targets = work.runUnit(unit, work.floatStream, nullptr);
    }
    problem.channelDim = unit.channelDim;
    for (const int number : unit.layers) {
        problem.roundings.push_back(work.roundings[number].get());
        if (const auto found = work.hooks.activations.find(number); found != work.hooks.activations.end())
            problem.extraParameters.push_back(found->second->parameter());
    }
    problem.forward = [&](const at::Tensor& x, const std::vector<at::Tensor>& weights) {
        for (std::size_t i = 0; i < weights.size(); ++i) work.hooks.weights[unit.layers[i]] = weights[i];
        return work.runUnit(unit, x, &work.hooks);
    };
    problem.keepGoing = [&] { return work.keepGoing(); };
    if (work.callbacks.trace)
        problem.trace = [&](std::int64_t i, double mse, double reg) { work.callbacks.trace(unit.layers.front(), i, mse, reg); };
    reconstruct(problem, settingsOf(work.spec));
    for (const int number : unit.layers) {
        work.hooks.weights[number] = work.roundings[number]->hard();
        work.seconds[number] = (secondsNow() - started) / double(unit.layers.size());
    }
}

void ModelQuantizer::measure(Work& work, const nn::Unit& unit) {
    auto capture = work.hooks;
    capture.isCapturing = true;
    work.runUnit(unit, work.quantStream, &capture);
    for (const int number : unit.layers) {
        const auto& layer = m_layers[std::size_t(number)];
        const auto weight = layer.weight.detach();
        const auto& grid = work.grids[number];
        QuantizedLayer result;
        result.number = number;
        result.grid = grid;
        result.codes = codes(weight, grid);
        if (const auto found = work.roundings.find(number); found != work.roundings.end()) {
            result.grid.scale = found->second->finalScale().detach();
            result.codes = found->second->hardCodes();
        }
        result.weight = work.hooks.weights[number].detach();
        const auto quantize = [&](const at::Tensor& x) {
            const auto found = work.hooks.activations.find(number);
            return found == work.hooks.activations.end() ? x : (*found->second)(x);
        };
        if (const auto found = work.hooks.activations.find(number); found != work.hooks.activations.end()) {
            result.activationStep = found->second->step().item<double>();
            result.activationZero = found->second->zeroPoint();
        }
        const auto& input = work.floatInputs[number];
        const auto quantInput = quantize(capture.captured[number]);
        const auto exact = layer.apply(input, weight), got = layer.apply(quantInput, result.weight);
        result.errWRel = ((weight - result.weight).square().sum() / weight.square().sum().clamp_min(1e-30)).item<double>();
        result.errOutInit = meanSquare(layer.apply(quantInput, roundToNearest(weight, grid)), exact);
        result.errOut = meanSquare(got, exact);
        result.nsr = result.errOut / std::max(1e-30, exact.square().mean().item<double>());
        result.sqnrDb = -10.0 * std::log10(std::max(result.nsr, 1e-30));
        result.cos = at::cosine_similarity(exact.flatten(), got.flatten(), 0).item<double>();
        result.kurtW = kurtosis(weight);
        result.kurtIn = kurtosis(input);
        result.shift = result.codes - codes(weight, grid);
        const auto moved = result.shift.abs();
        const double count = double(moved.numel());
        result.moved0 = moved.lt(0.5).sum().item<double>() / count;
        result.moved2plus = moved.ge(1.5).sum().item<double>() / count;
        result.moved1 = 1.0 - result.moved0 - result.moved2plus;
        result.seconds = work.seconds[number];
        work.done.push_back(std::move(result));
    }
}

QuantHooks ModelQuantizer::hooksFor(const std::vector<QuantizedLayer>& layers, int activationBits, const at::Tensor& like) {
    QuantHooks hooks;
    for (const auto& layer : layers) {
        hooks.weights[layer.number] = layer.weight;
        if (activationBits < 32)
            hooks.activations[layer.number] = std::make_shared<ActivationQuantizer>(
                at::full({1}, layer.activationStep, like.options()), layer.activationZero, activationBits);
    }
    return hooks;
}

nn::NamedTensors packModel(nn::ImageClassifier& model, const std::vector<QuantizedLayer>& layers, const QuantizeSpec& spec) {
    nn::NamedTensors packed;
    packed.metadata = model.metadata();
    std::set<const void*> quantized;
    const auto weights = model.weightLayers();
    for (const auto& layer : layers) {
        const auto& weight = weights[std::size_t(layer.number)];
        quantized.insert(weight.weight.data_ptr());
        packed.add(weight.name + ".codes", packCodes(layer.codes, layer.grid));
        packed.add(weight.name + ".scale", layer.grid.scale.detach().to(at::kCPU).flatten().contiguous());
        if (!layer.grid.isSymmetric)
            packed.add(weight.name + ".zero_point", layer.grid.zeroPoint.detach().to(at::kCPU).to(at::kInt).flatten().contiguous());
        std::string shape;
        for (const auto size : weight.weight.sizes()) shape += (shape.empty() ? "" : "x") + std::to_string(size);
        packed.metadata[weight.name + ".shape"] = shape;
        if (spec.activationBits < 32)
            packed.metadata[weight.name + ".activation"] =
                std::to_string(layer.activationStep) + "," + std::to_string(layer.activationZero) + "," + std::to_string(spec.activationBits);
    }
    for (const auto& item : model.named_parameters())
        if (!quantized.count(item.value().data_ptr())) packed.add(item.key(), item.value().detach().to(at::kCPU).contiguous());
    packed.metadata["espalier.quantization"] = spec.method + ",w" + std::to_string(spec.grid.bits) + ",a" +
                                               std::to_string(spec.activationBits) + (spec.grid.isPerChannel ? ",channel" : ",tensor") +
                                               (spec.grid.isSymmetric ? ",symmetric" : ",asymmetric");
    return packed;
}

}  // namespace espalier::quant
