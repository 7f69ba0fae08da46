#include "plugins/compress/flexround_job.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/base/clock.h"

namespace espalier::recipes::flexround {
namespace {

constexpr std::int64_t kEvaluationBatch = 256;
constexpr int kResamples = 1000;
constexpr int kLatencyWarmups = 5, kLatencyCalls = 30;
constexpr double kSameLoss = 1e-6;

data::ImagePipeline pipelineOf(const nn::Normalization& normalization) {
    data::ImagePipeline pipeline;
    pipeline.size = normalization.size;
    pipeline.channels = normalization.channels;
    pipeline.mean = normalization.mean;
    pipeline.std = normalization.std;
    return pipeline;
}

}  // namespace

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

Latency Job::latency(nn::LayerHooks* hooks) {
    at::NoGradGuard noGrad;
    nn::LayerHooksScope scope(hooks);
    const auto image = m_calibration.narrow(0, 0, 1);
    std::vector<double> calls;
    for (int i = -kLatencyWarmups; i < kLatencyCalls; ++i) {
        const double started = steadySecs();
        (void)m_loaded.model->forward(image).sum().item<float>();  // waits for the device
        if (i >= 0) calls.push_back(1000.0 * (steadySecs() - started));
    }
    std::sort(calls.begin(), calls.end());
    const auto at = [&](double share) { return calls[std::size_t(std::ceil(share * double(calls.size()))) - 1]; };
    return {at(0.5), at(0.95)};
}

/// A point that an earlier life of this run finished: its row is written last, so everything else of it is there too.
bool Job::isLogged(int pointId) const {
    const auto& points = m_context.loggedTradeoff().points;
    return std::any_of(points.begin(), points.end(), [&](const auto& point) { return point.pointId == pointId; });
}

bool Job::isLogged(const feed::TradeoffLayer& single) const {
    const auto& rows = m_context.loggedTradeoff().layers;
    return std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
        return row.probeKind == single.probeKind && row.layerIx == single.layerIx && row.optionIx == single.optionIx;
    });
}

Result<void> Job::writeBase() {
    const auto& params = m_context.params();
    ESPALIER_TRY(const auto score, evaluate(nullptr));
    const auto baseLatency = latency(nullptr);
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
    m_job.baseLatencyMs = baseLatency.p50;
    m_job.startedUtc = utcText(wallClockSecs());
    m_job.notes = "latency: one image a call, 30 calls after 5; quantized points run with their weights unpacked to float";
    if (isLogged(0)) {
        const auto& logged = m_context.loggedTradeoff().job;
        if (std::abs(logged.baseLoss - m_job.baseLoss) > kSameLoss)
            return fail(ErrorCode::BadInput, "the model scores " + std::to_string(m_job.baseLoss) + " now and scored " +
                                                 std::to_string(logged.baseLoss) + " when this run began", m_job.modelName, "Start a new run");
        m_job = logged;
    }
    m_context.tradeoffJob(m_job);
    return isLogged(0) ? Result<void>() : writeBasePoint(score, baseLatency);
}

Result<void> Job::writeBasePoint(const Score& score, const Latency& latency) {
    writeHistograms();
    feed::TradeoffPoint base;
    base.latencyMsP50 = latency.p50;
    base.latencyMsP95 = latency.p95;
    base.label = "fp32";
    base.stage = "fp";
    base.bytesTotal = m_job.baseBytes;
    base.params = m_job.baseParams;
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
    m_context.scalar(m_split + "/top1", 0, score.metric);
    m_context.scalar(m_split + "/loss", 0, score.loss);
    m_context.tradeoffPoint(base, choices);
    return {};
}

Result<void> Job::close() {
    // Catches state that leaked from probes into the model.
    ESPALIER_TRY(const auto again, evaluate(nullptr));
    if (std::abs(again.loss - m_job.baseLoss) > kSameLoss)
        return fail(ErrorCode::Internal, "the untouched model scores " + std::to_string(again.loss) + " at the end and scored " +
                                             std::to_string(m_job.baseLoss) + " at the start", m_job.modelName);
    m_job.finishedUtc = utcText(wallClockSecs());
    m_context.tradeoffJob(m_job);
    return {};
}

Result<void> Job::run() {
    ESPALIER_CHECK_OK(prepare());
    ESPALIER_CHECK_OK(m_context.stage("Measure the float model", [this] { return writeBase(); }));
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

}  // namespace espalier::recipes::flexround
