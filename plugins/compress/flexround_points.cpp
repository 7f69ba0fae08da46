#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/base/clock.h"
#include "engine/feed/array_record.h"
#include "plugins/compress/flexround_job.h"

namespace espalier::recipes::flexround {
namespace {

constexpr int kHistogramBins = 64;
constexpr std::int64_t kShiftSamples = 2000;

}  // namespace

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
    std::vector<std::int64_t> widths;
    for (const auto bits : params.integers("bits"))
        if (std::find(widths.begin(), widths.end(), bits) == widths.end()) widths.push_back(bits);
    const auto& layers = m_quantizer->layers();
    std::int64_t done = 0;
    for (std::size_t width = 0; width < widths.size(); ++width)
        for (const auto& layer : layers) {
            if (!m_context.keepGoing()) return {};
            const double started = steadySecs();
            const Option option{int(width), "rtn", int(widths[width])};
            const auto spec = specFor(params, option, m_context.seed());
            auto row = layerRow(layer, option, spec.grid, 32);
            row.probeKind = "single";
            ++done;
            if (isLogged(row)) continue;
            quant::QuantHooks hooks;
            hooks.weights[layer.number] = quant::roundToNearest(layer.weight.detach(), m_quantizer->gridOf(layer.number, spec.grid));
            ESPALIER_TRY(row.loss, calibrationLoss(&hooks));
            row.dLoss = row.loss - m_calibrationBase;
            row.errWRel = ((layer.weight - hooks.weights[layer.number]).square().sum() / layer.weight.square().sum().clamp_min(1e-30)).item<double>();
            row.kurtW = quant::kurtosis(layer.weight);
            row.seconds = steadySecs() - started;
            m_context.tradeoffLayer(row);
            m_context.progress("layers alone", done, std::int64_t(widths.size() * layers.size()));
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
    if (isLogged(pointId)) {
        m_done += int(m_quantizer->layers().size());
        return {};
    }
    quant::QuantizeCallbacks callbacks;
    callbacks.keepGoing = [this] { return m_context.keepGoing(); };
    callbacks.progress = [&](int layer, int, const std::string& name) {
        m_context.progress(option.label() + ", " + name, m_done + layer, m_total);
    };
    callbacks.trace = [&](int layer, std::int64_t step, double mse, double regulariser) {
        const double wallMs = 1000.0 * (steadySecs() - started);
        step += option.index * params.integer("iterations");  // options share a series: one after the other
        m_context.tradeoffTrace({"recon/mse", layer, step, mse, wallMs});
        if (option.method == "adaround") m_context.tradeoffTrace({"recon/reg", layer, step, regulariser, wallMs});
    };
    const auto layers = m_quantizer->run(spec, callbacks);
    m_done += int(m_quantizer->layers().size());
    if (layers.size() < m_quantizer->layers().size()) return {};  // stopped: no half point
    writeLayerRows(option, spec, layers, pointId);

    auto hooks = quant::ModelQuantizer::hooksFor(layers, spec.activationBits, m_calibration);
    ESPALIER_TRY(const auto score, evaluate(&hooks));
    const auto [p50, p95] = latency(&hooks);
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
    point.latencyMsP50 = p50;
    point.latencyMsP95 = p95;
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
    m_context.scalar(m_split + "/top1", pointId, score.metric);
    m_context.scalar(m_split + "/loss", pointId, score.loss);
    m_context.tradeoffPoint(point, choices);  // last: whoever finds it finds the rest
    return {};
}

}  // namespace espalier::recipes::flexround
