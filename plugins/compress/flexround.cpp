// FlexRound: Learnable Rounding based on Element-wise Division for Post-Training Quantization — Lee, Kim, Kwon, Lee, 2023.
// https://arxiv.org/abs/2306.00317, reference implementation: github robotseye/FlexRound_LRQ.
//
// Differs from the paper in: see `deviations` in flexround_card.cpp.
#include "plugins/compress/flexround.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include <nlohmann/json.hpp>

#include "engine/base/clock.h"
#include "engine/feed/array_record.h"

namespace espalier::recipes::flexround {
namespace {

constexpr std::int64_t kEvaluationBatch = 256;
constexpr int kHistogramBins = 64;
constexpr std::int64_t kShiftSamples = 2000;
constexpr int kResamples = 1000;

struct Score {
    double loss = 0, metric = 0, low = 0, high = 0;
};

/// Everything a job holds while it runs.
class Job {
public:
    Job(api::RunContext& context, nn::LoadedClassifier loaded) : m_context(context), m_loaded(std::move(loaded)) {}
    Result<void> run();

private:
    Result<void> prepare();
    Result<Score> evaluate(nn::LayerHooks* hooks);
    Result<double> calibrationLoss(nn::LayerHooks* hooks);
    Result<void> writeBase();
    Result<void> writeSensitivity();
    Result<void> writeOption(const Option& option);
    void writeHistograms();
    void writeLayerRows(const Option& option, const quant::QuantizeSpec& spec, const std::vector<quant::QuantizedLayer>& layers, int pointId);
    feed::TradeoffLayer layerRow(const nn::WeightLayer& layer, const Option& option, const quant::GridSpec& grid, int activationBits) const;
    Result<void> close();

    api::RunContext& m_context;
    nn::LoadedClassifier m_loaded;
    std::unique_ptr<quant::ModelQuantizer> m_quantizer;
    std::unique_ptr<data::ImageBatches> m_evaluation;
    at::Tensor m_calibration, m_calibrationLabels;
    feed::TradeoffJob m_job;
    std::string m_split;
    double m_calibrationBase = 0;
    int m_done = 0, m_total = 1;
};

data::ImagePipeline pipelineOf(const nn::Normalization& normalization) {
    data::ImagePipeline pipeline;
    pipeline.size = normalization.size;
    pipeline.channels = normalization.channels;
    pipeline.mean = normalization.mean;
    pipeline.std = normalization.std;
    return pipeline;
}

/// `count` training rows in an order that the seed alone decides.
std::vector<std::int64_t> calibrationRows(data::ImageSource& images, std::int64_t count, std::int64_t seed) {
    auto rows = images.rows(feed::Split::Train);
    std::mt19937_64 random(static_cast<std::uint64_t>(seed) + 0x5851F42D4C957F2Dull);
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random() % i]);
    if (std::int64_t(rows.size()) > count) rows.resize(std::size_t(count));
    return rows;
}

Result<void> Job::prepare() {
    const auto& params = m_context.params();
    auto& images = m_context.images();
    const auto device = m_context.toDevice(at::empty({0})).device();
    m_loaded.model->to(device);
    m_loaded.model->eval();
    const auto classes = std::int64_t(m_context.dataset()->classes.size());
    if (classes != m_loaded.model->classes())
        return fail(ErrorCode::BadInput, "has " + std::to_string(classes) + " classes, the model was trained for " + std::to_string(m_loaded.model->classes()),
                    m_context.dataset()->name, "Choose the data set that the model was trained on");
    const auto pipeline = pipelineOf(m_loaded.normalization);
    m_split = params.text("split");
    if (m_split == "test" && images.rows(feed::Split::Test).empty()) m_split = "valid";
    const auto split = m_split == "test" ? feed::Split::Test : feed::Split::Valid;
    if (images.rows(split).empty())
        return fail(ErrorCode::BadInput, "has neither a test nor a valid part to measure on", m_context.dataset()->name, "Split it again");
    m_evaluation = std::make_unique<data::ImageBatches>(images, split, pipeline, kEvaluationBatch, 0, false, false, 1, device);

    const auto rows = calibrationRows(images, params.integer("calibration"), m_context.seed());
    if (rows.empty()) return fail(ErrorCode::BadInput, "has no training images to calibrate on", m_context.dataset()->name, "Split it again");
    data::ImageBatches calibration(images, feed::Split::Train, pipeline, std::int64_t(rows.size()), 0, false, false, 1, device);
    calibration.restrictTo(rows);
    calibration.begin(0, 0);
    ESPALIER_TRY(const auto batch, calibration.next());
    m_calibration = batch.inputs;
    m_calibrationLabels = batch.targets;
    m_quantizer = std::make_unique<quant::ModelQuantizer>(*m_loaded.model, m_calibration);
    m_context.describeModel(nn::trainableParameters(*m_loaded.model), m_loaded.model->macs());
    m_total = int(optionsOf(params).size()) * int(m_quantizer->layers().size());
    return {};
}

Result<Score> Job::evaluate(nn::LayerHooks* hooks) {
    at::NoGradGuard noGrad;
    nn::LayerHooksScope scope(hooks);
    metrics::ClassificationMeter meter(m_loaded.model->classes());
    m_evaluation->begin(0, 0);
    for (;;) {
        ESPALIER_TRY(const auto batch, m_evaluation->next());
        if (!batch.inputs.defined()) break;
        const auto logits = m_loaded.model->forward(batch.inputs).to(at::kCPU).contiguous();
        const auto labels = batch.targets.to(at::kCPU).contiguous();
        meter.add({logits.data_ptr<float>(), std::size_t(logits.numel())}, {labels.data_ptr<std::int64_t>(), std::size_t(labels.numel())});
    }
    const auto result = meter.result();
    const auto interval = metrics::bootstrapInterval(result.isCorrect, kResamples, static_cast<std::uint64_t>(m_context.seed()));
    return Score{result.loss, result.top1, interval.low, interval.high};
}

Result<double> Job::calibrationLoss(nn::LayerHooks* hooks) {
    at::NoGradGuard noGrad;
    nn::LayerHooksScope scope(hooks);
    double sum = 0;
    for (std::int64_t start = 0; start < m_calibration.size(0); start += kEvaluationBatch) {
        const auto count = std::min(kEvaluationBatch, m_calibration.size(0) - start);
        const auto logits = m_loaded.model->forward(m_calibration.narrow(0, start, count));
        sum += nn::smoothedCrossEntropy(logits, m_calibrationLabels.narrow(0, start, count), 0.0).item<double>() * double(count);
    }
    return sum / double(m_calibration.size(0));
}

Result<void> Job::writeBase() {
    const auto& params = m_context.params();
    ESPALIER_TRY(const auto score, evaluate(nullptr));
    std::int64_t parameters = 0;
    for (const auto& parameter : m_loaded.model->parameters()) parameters += parameter.numel();
    const auto* parent = m_context.parent();
    m_job.jobId = m_context.runId();
    m_job.recipe = kId;
    m_job.recipeVersion = card().version;
    m_job.modelName = parent->name;
    m_job.modelSha256 = parent->sha256;
    if (m_job.modelSha256.empty())
        if (const auto digest = interop::sha256OfFile(parent->weights)) m_job.modelSha256 = *digest;
    m_job.datasetName = m_context.dataset()->name;
    m_job.datasetSha256 = m_context.dataset()->hash;
    m_job.task = "image classification";
    m_job.metricName = m_split + "/top1";
    m_job.baseParams = parameters;
    m_job.baseBytes = 4 * parameters;
    m_job.baseMacs = m_loaded.model->macs();
    m_job.baseLoss = score.loss;
    m_job.baseMetric = score.metric;
    m_job.calibN = m_calibration.size(0);
    m_job.evalN = m_evaluation->itemsPerEpoch();
    m_job.split = m_split;
    m_job.seed = m_context.seed();
    m_job.device = m_context.deviceName();
    m_job.threads = m_context.threads();
    m_job.paramsJson = nlohmann::json(params.toText()).dump();
    m_job.startedUtc = utcText(wallClockSecs());
    m_context.tradeoffJob(m_job);

    feed::TradeoffPoint base;
    base.label = "fp32";
    base.stage = "fp";
    base.bytesTotal = m_job.baseBytes;
    base.params = parameters;
    base.macs = m_job.baseMacs;
    base.split = m_split;
    base.loss = score.loss;
    base.metric = score.metric;
    base.metricLo = score.low;
    base.metricHi = score.high;
    std::vector<feed::TradeoffChoice> choices;
    for (const auto& layer : m_quantizer->layers()) {
        base.bytesWeights += 4 * layer.weight.numel();
        base.bops += double(layer.macs) * 32.0 * 32.0;
        feed::TradeoffChoice choice;
        choice.layerIx = layer.number;
        choice.optionKind = "float";
        choice.bytesTotal = 4 * layer.weight.numel();
        choices.push_back(std::move(choice));
    }
    base.bytesOther = base.bytesTotal - base.bytesWeights;
    nn::NamedTensors floats;
    floats.metadata = m_loaded.model->metadata();
    for (const auto& item : m_loaded.model->named_parameters()) floats.add(item.key(), item.value().detach().to(at::kCPU).contiguous());
    ESPALIER_TRY(const auto artifact, m_context.artifact("point-0", floats));
    base.artifactPath = artifact.path.filename().string();
    m_context.tradeoffPoint(base, choices);
    m_context.scalar(m_split + "/top1", 0, score.metric);
    m_context.scalar(m_split + "/loss", 0, score.loss);
    return {};
}

void Job::writeHistograms() {
    for (const auto& layer : m_quantizer->layers()) {
        const auto values = layer.weight.detach().to(at::kCPU).flatten();
        const double low = values.min().item<double>(), high = std::max(values.max().item<double>(), low + 1e-12);
        const auto counts = at::histc(values, kHistogramBins, low, high);
        const auto edges = at::linspace(low, high, kHistogramBins + 1).narrow(0, 0, kHistogramBins);
        m_context.array(feed::arrays::weightHistogram(layer.name), 0, -1, at::stack({edges, counts}));
    }
}

feed::TradeoffLayer Job::layerRow(const nn::WeightLayer& layer, const Option& option, const quant::GridSpec& grid, int activationBits) const {
    feed::TradeoffLayer row;
    row.layerIx = layer.number;
    row.layerName = layer.name;
    row.blockIx = layer.block;
    row.op = layer.op;
    for (const auto size : layer.weight.sizes()) row.shape += (row.shape.empty() ? "" : "x") + std::to_string(size);
    row.params = layer.weight.numel();
    row.macs = layer.macs;
    row.optionIx = option.index;
    row.optionKind = "uniform";
    row.method = option.method;
    row.wBits = option.bits;
    row.aBits = activationBits;
    row.granularity = grid.isPerChannel ? "channel" : "tensor";
    row.symmetric = grid.isSymmetric;
    const auto bytes = quant::uniformBytes(row.params, option.bits, layer.weight.size(0), grid.isPerChannel, grid.isSymmetric);
    row.bytesPayload = bytes.payload;
    row.bytesSide = bytes.side;
    row.bytesTotal = bytes.total();
    row.bitsEff = 8.0 * double(row.bytesTotal) / double(row.params);
    return row;
}

Result<void> Job::writeSensitivity() {
    const auto& params = m_context.params();
    ESPALIER_TRY(m_calibrationBase, calibrationLoss(nullptr));
    const auto& widths = params.integers("bits");
    const auto& layers = m_quantizer->layers();
    std::int64_t done = 0;
    for (std::size_t width = 0; width < widths.size(); ++width)
        for (const auto& layer : layers) {
            if (!m_context.keepGoing()) return {};
            const double started = steadySecs();
            const Option option{int(width), "rtn", int(widths[width])};
            const auto spec = specFor(params, option, m_context.seed());
            quant::QuantHooks hooks;
            hooks.weights[layer.number] = quant::roundToNearest(layer.weight.detach(), quant::findGrid(layer.weight, spec.grid));
            auto row = layerRow(layer, option, spec.grid, 32);
            row.probeKind = "single";
            ESPALIER_TRY(row.loss, calibrationLoss(&hooks));
            row.dLoss = row.loss - m_calibrationBase;
            row.errWRel = ((layer.weight - hooks.weights[layer.number]).square().sum() / layer.weight.square().sum().clamp_min(1e-30)).item<double>();
            row.kurtW = quant::kurtosis(layer.weight);
            row.seconds = steadySecs() - started;
            m_context.tradeoffLayer(row);
            m_context.progress("layers alone", ++done, std::int64_t(widths.size() * layers.size()));
        }
    return {};
}

void Job::writeLayerRows(const Option& option, const quant::QuantizeSpec& spec, const std::vector<quant::QuantizedLayer>& layers, int pointId) {
    for (const auto& result : layers) {
        const auto& layer = m_quantizer->layers()[std::size_t(result.number)];
        auto row = layerRow(layer, option, spec.grid, spec.activationBits);
        row.probeKind = "recon";
        row.errWRel = result.errWRel;
        row.errOutInit = result.errOutInit;
        row.errOut = result.errOut;
        row.nsr = result.nsr;
        row.sqnrDb = result.sqnrDb;
        row.cos = result.cos;
        row.kurtW = result.kurtW;
        row.kurtIn = result.kurtIn;
        row.seconds = result.seconds;
        m_context.tradeoffLayer(row);
        const auto& grid = result.grid;
        const auto levels = at::arange(0, 1 << grid.bits, at::kFloat) + grid.qLow().flatten()[0].to(at::kCPU).to(at::kFloat);
        m_context.array(feed::arrays::weightGrid(pointId, layer.name), pointId, -1, levels * grid.scale.flatten()[0].to(at::kCPU));
        if (option.method == "rtn") continue;
        const auto sizes = layer.weight.detach().abs().flatten().to(at::kCPU), shift = result.shift.flatten().to(at::kCPU);
        const auto stride = std::max<std::int64_t>(1, sizes.numel() / kShiftSamples);
        const auto picked = at::arange(0, sizes.numel(), stride, at::kLong);
        m_context.array(feed::arrays::weightShift(pointId, layer.name), pointId, -1,
                        at::stack({sizes.index_select(0, picked), shift.index_select(0, picked)}));
        const auto name = "recon/" + layer.name;
        m_context.scalar(name + "/moved0", pointId, result.moved0);
        m_context.scalar(name + "/moved1", pointId, result.moved1);
        m_context.scalar(name + "/moved2plus", pointId, result.moved2plus);
    }
}

Result<void> Job::writeOption(const Option& option) {
    const double started = steadySecs();
    const auto& params = m_context.params();
    const auto spec = specFor(params, option, m_context.seed());
    const int pointId = option.index + 1;
    quant::QuantizeCallbacks callbacks;
    callbacks.keepGoing = [this] { return m_context.keepGoing(); };
    callbacks.progress = [&](int layer, int, const std::string& name) {
        m_context.progress(option.label() + ", " + name, m_done + layer, m_total);
    };
    callbacks.trace = [&](int layer, std::int64_t step, double mse, double regulariser) {
        const double wallMs = 1000.0 * (steadySecs() - started);
        m_context.tradeoffTrace({"recon/mse", layer, step, mse, wallMs});
        if (option.method == "adaround") m_context.tradeoffTrace({"recon/reg", layer, step, regulariser, wallMs});
    };
    const auto layers = m_quantizer->run(spec, callbacks);
    m_done += int(m_quantizer->layers().size());
    if (layers.size() < m_quantizer->layers().size()) return {};  // stopped: no half point
    writeLayerRows(option, spec, layers, pointId);

    auto hooks = quant::ModelQuantizer::hooksFor(layers, spec.activationBits, m_calibration);
    ESPALIER_TRY(const auto score, evaluate(&hooks));
    feed::TradeoffPoint point;
    point.pointId = pointId;
    point.parentPointId = 0;
    point.orderIx = pointId;
    point.label = option.label() + (spec.activationBits < 32 ? "a" + std::to_string(spec.activationBits) : "");
    point.stage = option.method == "rtn" ? "rtn" : "calibrated";
    point.method = option.method;
    point.params = m_job.baseParams;
    point.macs = m_job.baseMacs;
    point.avgABits = spec.activationBits;
    point.split = m_split;
    point.loss = score.loss;
    point.metric = score.metric;
    point.metricLo = score.low;
    point.metricHi = score.high;
    std::vector<feed::TradeoffChoice> choices;
    std::int64_t touched = 0;
    for (const auto& layer : m_quantizer->layers()) {
        const auto row = layerRow(layer, option, spec.grid, spec.activationBits);
        point.bytesWeights += row.bytesPayload;
        point.bytesSide += row.bytesSide;
        point.bops += double(layer.macs) * option.bits * std::min(32, spec.activationBits);
        touched += row.params;
        feed::TradeoffChoice choice;
        choice.pointId = pointId;
        choice.layerIx = layer.number;
        choice.optionKind = "uniform";
        choice.wBits = option.bits;
        choice.aBits = spec.activationBits;
        choice.bytesTotal = row.bytesTotal;
        choices.push_back(std::move(choice));
    }
    point.bytesOther = 4 * (m_job.baseParams - touched);
    point.bytesTotal = point.bytesWeights + point.bytesSide + point.bytesOther;
    point.avgWBits = (double(touched) * option.bits + 32.0 * double(m_job.baseParams - touched)) / double(m_job.baseParams);
    auto packed = quant::packModel(*m_loaded.model, layers, spec);
    packed.metadata["espalier.normalization"] = m_loaded.normalization.toJson();
    packed.metadata["espalier.classes"] = nlohmann::json(m_loaded.classNames).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    ESPALIER_TRY(const auto artifact, m_context.artifact("point-" + std::to_string(pointId), packed));
    if (artifact.payloadBytes != point.bytesTotal)
        return fail(ErrorCode::Internal, "the stored model has " + std::to_string(artifact.payloadBytes) + " bytes where " +
                                             std::to_string(point.bytesTotal) + " were counted", point.label);
    point.artifactPath = artifact.path.filename().string();
    point.seconds = steadySecs() - started;
    m_context.tradeoffPoint(point, choices);
    m_context.scalar(m_split + "/top1", pointId, score.metric);
    m_context.scalar(m_split + "/loss", pointId, score.loss);
    return {};
}

Result<void> Job::close() {
    // Catches state that leaked from probes into the model.
    ESPALIER_TRY(const auto again, evaluate(nullptr));
    if (std::abs(again.loss - m_job.baseLoss) > 1e-6)
        return fail(ErrorCode::Internal, "the untouched model scores " + std::to_string(again.loss) + " at the end and scored " +
                                             std::to_string(m_job.baseLoss) + " at the start", m_job.modelName);
    m_job.finishedUtc = utcText(wallClockSecs());
    m_context.tradeoffJob(m_job);
    return {};
}

Result<void> Job::run() {
    ESPALIER_CHECK_OK(prepare());
    ESPALIER_CHECK_OK(m_context.stage("Measure the float model", [this] { return writeBase(); }));
    writeHistograms();
    if (m_context.params().boolean("sensitivity"))
        ESPALIER_CHECK_OK(m_context.stage("Sensitivity", [this] { return writeSensitivity(); }));
    ESPALIER_CHECK_OK(m_context.stage("Quantize", [this]() -> Result<void> {
        for (const auto& option : optionsOf(m_context.params())) {
            if (!m_context.keepGoing()) return {};
            ESPALIER_CHECK_OK(writeOption(option));
        }
        return {};
    }));
    return m_context.wasStopped() ? Result<void>() : close();
}

class FlexRoundRecipe : public api::Recipe {
public:
    Result<void> check(const api::Params& params, const feed::DatasetSummary* dataset) const override {
        if (dataset && dataset->classes.empty())
            return fail(ErrorCode::BadInput, "has no labels to measure accuracy with", dataset->name, "Choose a labelled data set");
        return {};
    }
    Result<api::Forecast> forecast(const api::Params& params, const feed::DatasetSummary*) const override {
        api::Forecast forecast;
        std::int64_t learned = 0;
        for (const auto& option : optionsOf(params)) learned += option.method != "rtn";
        forecast.steps = learned * params.integer("iterations");
        forecast.items = forecast.steps * params.integer("recon_batch");
        forecast.modelText = std::to_string(optionsOf(params).size()) + " points";
        return forecast;
    }
    Result<void> run(api::RunContext& context) override {
        const auto* parent = context.parent();
        if (!parent) return fail(ErrorCode::BadInput, "needs a finished run or weights to start from", "--from");
        ESPALIER_TRY(const auto weights, interop::readSafetensors(parent->weights));
        ESPALIER_TRY(auto loaded, nn::loadImageClassifier(weights, parent->weights.string()));
        return Job(context, std::move(loaded)).run();
    }
};

}  // namespace
}  // namespace espalier::recipes::flexround

namespace espalier::api {

Result<void> registerFlexRound(RecipeRegistry& registry) {
    return registry.add(recipes::flexround::card(), [] { return std::make_unique<recipes::flexround::FlexRoundRecipe>(); });
}

}  // namespace espalier::api
