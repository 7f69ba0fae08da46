#pragma once

#include <cmath>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <QtTest>

#include "engine/feed/array_record.h"
#include "engine/feed/metric_names.h"
#include "engine/runlog/run_log_writer.h"
#include "engine/runtime/workspace.h"
#include "engine/runtime/workspace_impl.h"

/// Runs with plausible logs, written through the real writer, for tests of pages: known values, no training.
namespace espalier::tests {

struct AttentionShape {
    int side = 32, grid = 16, layers = 4, heads = 4, probes = 6, classes = 5, snapshots = 6;
    double jump = 2, offset = 0, field = 5;
    int classTokens = 0;
    int tokens() const { return grid * grid + classTokens; }
};

/// Patches of 4 px and a class token.
inline AttentionShape classTokenShape() {
    AttentionShape shape;
    shape.grid = 8;
    shape.jump = 4;
    shape.offset = 1.5;
    shape.field = 4;
    shape.classTokens = 1;
    shape.layers = 2;
    shape.snapshots = 2;
    return shape;
}

inline feed::RunInfo newRun(runtime::Workspace& workspace, const std::string& name, const std::string& recipe, const std::string& parent = {}) {
    feed::RunInfo run;
    run.name = name;
    run.recipe = recipe;
    run.parentRun = parent;
    run.scale = "desk";
    run.params = {{"epochs", "10"}};
    if (const auto made = workspace.impl().createRun(run, "{}"); !made) qFatal("%s", made.error().sentence().c_str());
    return run;
}

inline void finishRun(runtime::Workspace& workspace, feed::RunInfo run) {
    run.state = feed::JobState::Completed;
    if (const auto updated = workspace.impl().updateRun(run); !updated) qFatal("%s", updated.error().sentence().c_str());
}

inline feed::ArrayRecord arrayOf(const std::string& name, std::int64_t step, std::int64_t epoch, feed::ArrayType type, std::vector<std::int64_t> shape) {
    feed::ArrayRecord record;
    record.info.name = name;
    record.info.step = step;
    record.info.epoch = epoch;
    record.info.type = type;
    record.info.shape = std::move(shape);
    return record;
}

/// Weight from token `from` to `to`: near tokens in low layers, the middle of the image in high ones; rows sum to 1.
/// `progress` 0…1 sharpens it, so that snapshots differ.
inline std::vector<float> attentionRow(const AttentionShape& shape, int layer, int head, int from, double progress) {
    std::vector<float> row(static_cast<std::size_t>(shape.tokens()));
    const double width = 1.2 + head * 0.9 + layer * 0.5, pull = (layer + 1.0) / shape.layers * progress;
    double sum = 0;
    for (int to = 0; to < shape.tokens(); ++to) {
        const int a = from - shape.classTokens, b = to - shape.classTokens;
        const double fr = a < 0 ? shape.grid / 2.0 : a / shape.grid, fc = a < 0 ? shape.grid / 2.0 : a % shape.grid;
        const double r = b < 0 ? fr : b / shape.grid, c = b < 0 ? fc : b % shape.grid;
        const double near = std::exp(-((r - fr) * (r - fr) + (c - fc) * (c - fc)) / (2 * width * width));
        const double mr = shape.grid * (0.45 + 0.05 * head), mc = shape.grid * (0.6 - 0.06 * head);
        const double body = std::exp(-((r - mr) * (r - mr) + (c - mc) * (c - mc)) / (2.0 * shape.grid));
        row[static_cast<std::size_t>(to)] = static_cast<float>((1 - pull) * near + pull * body + 0.01);
        sum += row[static_cast<std::size_t>(to)];
    }
    for (float& weight : row) weight = static_cast<float>(weight / sum);
    return row;
}

inline void logProbes(runlog::RunLogWriter& writer, const AttentionShape& shape) {
    auto images = arrayOf(feed::arrays::kProbeImages, 0, -1, feed::ArrayType::UInt8, {shape.probes, shape.side, shape.side, 3});
    for (int probe = 0; probe < shape.probes; ++probe)
        for (int y = 0; y < shape.side; ++y)
            for (int x = 0; x < shape.side; ++x) {
                const double u = x / double(shape.side), v = y / double(shape.side);
                const double disc = std::exp(-((u - 0.55) * (u - 0.55) + (v - 0.5) * (v - 0.5)) * (14 + probe * 4));
                for (int c = 0; c < 3; ++c)
                    images.bytes.push_back(static_cast<std::uint8_t>(std::clamp(60 + 70 * v + 20 * std::sin(9 * u + probe) + disc * (c == probe % 3 ? 150 : 40), 0.0, 255.0)));
            }
    writer.array(std::move(images));
    auto rows = arrayOf(feed::arrays::kProbeRows, 0, -1, feed::ArrayType::Int64, {shape.probes});
    auto labels = arrayOf(feed::arrays::kProbeLabels, 0, -1, feed::ArrayType::Int64, {shape.probes});
    for (int probe = 0; probe < shape.probes; ++probe) rows.integers.push_back(probe), labels.integers.push_back(probe % shape.classes);
    writer.array(std::move(rows));
    writer.array(std::move(labels));
    auto grid = arrayOf(feed::arrays::kProbeGrid, 0, -1, feed::ArrayType::Float32, {6});
    grid.floats = {float(shape.grid), float(shape.grid), float(shape.jump), float(shape.offset), float(shape.field), float(shape.classTokens)};
    writer.array(std::move(grid));
}

/// All arrays of one snapshot; in the last probe the model is wrong.
inline void logSnapshot(runlog::RunLogWriter& writer, const AttentionShape& shape, int snapshot) {
    const std::int64_t step = 100 * (snapshot + 1), epoch = snapshot + 1;
    const double progress = (snapshot + 1.0) / shape.snapshots;
    const auto n = shape.tokens();
    for (int layer = 0; layer < shape.layers; ++layer) {
        auto maps = arrayOf(feed::arrays::attentionLayer(layer + 1), step, epoch, feed::ArrayType::Float16, {shape.probes, shape.heads, n, n});
        for (int probe = 0; probe < shape.probes; ++probe)
            for (int head = 0; head < shape.heads; ++head)
                for (int from = 0; from < n; ++from) {
                    const auto row = attentionRow(shape, layer, (head + probe) % shape.heads, from, progress);
                    maps.floats.insert(maps.floats.end(), row.begin(), row.end());
                }
        writer.array(std::move(maps));
        writer.scalar(writer.series(feed::names::attentionEntropy(layer + 1)), step, 1000.0 + double(step), 0.95 - 0.05 * layer - 0.1 * progress);
        for (int head = 0; head < shape.heads; ++head)
            writer.scalar(writer.series(feed::names::attentionDistance(layer + 1, head + 1)), step, 1000.0 + double(step), 5 + 2 * head + 3 * progress);
    }
    const int image = shape.grid * shape.grid;
    auto rollout = arrayOf(feed::arrays::kRollout, step, epoch, feed::ArrayType::Float32, {shape.probes, image});
    auto pooling = arrayOf(feed::arrays::kPooling, step, epoch, feed::ArrayType::Float32, {shape.probes, image});
    auto contribution = arrayOf(feed::arrays::kContribution, step, epoch, feed::ArrayType::Float32, {shape.probes, shape.classes, image});
    auto logits = arrayOf(feed::arrays::kProbeLogits, step, epoch, feed::ArrayType::Float32, {shape.probes, shape.classes});
    AttentionShape flat = shape;
    flat.classTokens = 0;
    for (int probe = 0; probe < shape.probes; ++probe) {
        const auto high = attentionRow(flat, shape.layers - 1, probe % shape.heads, image / 2, progress), low = attentionRow(flat, 0, 1, image / 2, progress);
        pooling.floats.insert(pooling.floats.end(), high.begin(), high.end());
        rollout.floats.insert(rollout.floats.end(), low.begin(), low.end());
        const int taken = probe + 1 == shape.probes ? (probe + 1) % shape.classes : probe % shape.classes;
        for (int k = 0; k < shape.classes; ++k) {
            logits.floats.push_back(k == taken ? float(2 + 3 * progress) : float(-0.3 * k));
            for (int t = 0; t < image; ++t) contribution.floats.push_back((k == taken ? 40.0f : -15.0f) * (high[std::size_t(t)] - low[std::size_t(t)]));
        }
    }
    writer.array(std::move(rollout));
    if (shape.classTokens == 0) writer.array(std::move(pooling)), writer.array(std::move(contribution));
    writer.array(std::move(logits));
}

/// A finished run with maps at `snapshots` moments.
inline feed::RunInfo makeAttentionRun(runtime::Workspace& workspace, const std::string& name, const AttentionShape& shape = {}) {
    const auto run = newRun(workspace, name, "70-compact-transformers");
    auto writer = runlog::RunLogWriter::open(workspace.impl().runFolder(run.id));
    if (!writer) qFatal("%s", writer.error().sentence().c_str());
    const auto epoch = (*writer)->series(feed::names::kTrainEpoch), loss = (*writer)->series(feed::names::kTrainLoss);
    for (int step = 0; step <= 100 * shape.snapshots; step += 20) {
        (*writer)->scalar(epoch, step, 1000.0 + step, step / 100.0);
        (*writer)->scalar(loss, step, 1000.0 + step, 2.0 / (1 + step / 80.0));
    }
    logProbes(**writer, shape);
    for (int snapshot = 0; snapshot < shape.snapshots; ++snapshot) logSnapshot(**writer, shape, snapshot);
    if (const auto closed = (*writer)->close(true); !closed) qFatal("%s", closed.error().sentence().c_str());
    finishRun(workspace, run);
    return run;
}

// --- a quantization job of known numbers: a base, then RTN, AdaRound and FlexRound at each width ---

struct QuantizeShape {
    int blocks = 5;  ///< of 4 layers; with a stem and a head
    std::vector<int> bits{8, 4, 3};
    std::vector<std::string> methods{"rtn", "adaround", "flexround"};
    int layers() const { return blocks * 4 + 2; }
};

inline std::string layerName(const QuantizeShape& shape, int layer) {
    if (layer == 0) return "tokenizer.conv0";
    if (layer + 1 == shape.layers()) return "fc";
    const char* kinds[] = {"qkv", "proj", "fc1", "fc2"};
    return "blocks." + std::to_string((layer - 1) / 4) + "." + kinds[(layer - 1) % 4];
}

inline std::int64_t weightsOf(const QuantizeShape& shape, int layer) {
    if (layer == 0) return 1728;
    if (layer + 1 == shape.layers()) return 1280;
    const std::int64_t counts[] = {49152, 16384, 32768, 32768};
    return counts[(layer - 1) % 4];
}

/// Output error of a layer: halves per bit twice, methods better by a factor.
inline double outputError(int layer, const std::string& method, int bits) {
    const double factor = method == "rtn" ? 1 : method == "adaround" ? 0.45 : 0.3;
    return factor * 0.02 * std::pow(4.0, 4 - bits) * (1 + 0.6 * std::sin(layer * 1.7));
}

inline feed::TradeoffLayer layerRow(const QuantizeShape& shape, int layer, const std::string& method, int bits, int option) {
    feed::TradeoffLayer row;
    row.layerIx = layer;
    row.layerName = layerName(shape, layer);
    row.blockIx = layer == 0 ? 0 : layer + 1 == shape.layers() ? shape.blocks + 1 : (layer - 1) / 4 + 1;
    row.op = layer == 0 ? "conv2d" : "linear";
    row.shape = layer == 0 ? "64x3x3x3" : "128x128";
    row.params = weightsOf(shape, layer);
    row.optionIx = option;
    row.optionKind = "uniform";
    row.method = method;
    row.wBits = bits;
    row.granularity = "channel";
    row.bytesPayload = row.params * bits / 8;
    row.bytesSide = 8 * 64;
    row.bytesTotal = row.bytesPayload + row.bytesSide;
    row.kurtW = 3.5 + layer * 0.1;
    return row;
}

inline double metricOf(const std::string& method, int bits) {
    const double fall = bits == 8 ? 0.0005 : bits == 4 ? 0.012 : 0.05;
    return 0.965 - fall * (method == "rtn" ? (bits == 3 ? 5.5 : 2.2) : method == "adaround" ? 0.8 : 0.45);
}

inline void logQuantizeHead(runlog::RunLogWriter& writer, const QuantizeShape& shape, const std::string& run) {
    feed::TradeoffJob job;
    job.jobId = run;
    job.recipe = "46-flexround";
    job.metricName = "test/top1";
    job.baseLoss = 0.121;
    job.baseMetric = 0.965;
    for (int layer = 0; layer < shape.layers(); ++layer) job.baseParams += weightsOf(shape, layer);
    job.baseParams += 5000;
    job.baseBytes = 4 * job.baseParams;
    writer.tradeoffJob(job);
    feed::TradeoffPoint base;
    base.label = "fp32";
    base.stage = "fp";
    base.bytesTotal = job.baseBytes;
    base.bytesOther = 4 * 5000;
    base.bytesWeights = base.bytesTotal - base.bytesOther;
    base.metric = job.baseMetric;
    base.loss = job.baseLoss;
    base.metricLo = 0.961, base.metricHi = 0.969;
    base.bops = 900e9;
    base.artifactPath = "point-0.safetensors";
    std::vector<feed::TradeoffChoice> choices;
    for (int layer = 0; layer < shape.layers(); ++layer) {
        feed::TradeoffChoice choice;
        choice.layerIx = layer;
        choice.optionKind = "float";
        choice.bytesTotal = 4 * weightsOf(shape, layer);
        choices.push_back(choice);
    }
    writer.tradeoffPoint(base, choices);
    std::mt19937 random(7);
    for (int layer = 0; layer < shape.layers(); ++layer) {
        auto histogram = arrayOf(feed::arrays::weightHistogram(layerName(shape, layer)), 0, -1, feed::ArrayType::Float32, {2, 64});
        for (int bin = 0; bin < 64; ++bin) histogram.floats.push_back(static_cast<float>(-0.16 + bin * 0.005));
        for (int bin = 0; bin < 64; ++bin) {
            const double middle = -0.1575 + bin * 0.005;
            histogram.floats.push_back(static_cast<float>(std::floor(2000 * std::exp(-middle * middle / (2 * 0.045 * 0.045)) + random() % 20)));
        }
        writer.array(std::move(histogram));
        for (const int bits : shape.bits) {
            auto row = layerRow(shape, layer, "rtn", bits, bits);
            row.probeKind = "single";
            row.dLoss = 0.0006 * std::pow(4.2, 8 - bits) * 0.02 * (layer == 0 ? 6 : 1 + std::sin(layer * 2.3)) - 0.0004;
            writer.tradeoffLayer(row);
        }
    }
}

/// One point with its rows and arrays; ids count from 1 in order of widths, methods inside.
inline void logQuantizePoint(runlog::RunLogWriter& writer, const QuantizeShape& shape, int width, int kind) {
    const int bits = shape.bits[std::size_t(width)], id = 1 + width * int(shape.methods.size()) + kind;
    const std::string& method = shape.methods[std::size_t(kind)];
    feed::TradeoffPoint point;
    point.pointId = id;
    point.parentPointId = 0;
    point.orderIx = id;
    point.method = method;
    point.label = method + " w" + std::to_string(bits);
    point.stage = method == "rtn" ? "rtn" : "calibrated";
    point.metric = metricOf(method, bits);
    point.metricLo = point.metric - 0.004, point.metricHi = point.metric + 0.004;
    point.loss = 0.121 + (0.965 - point.metric) * 4;
    point.bops = 900e9 * bits / 32.0;
    point.avgWBits = bits + 0.2;
    point.bytesOther = 4 * 5000;
    point.seconds = 4.5;
    point.artifactPath = "point-" + std::to_string(id) + ".safetensors";
    std::vector<feed::TradeoffChoice> choices;
    for (int layer = 0; layer < shape.layers(); ++layer) {
        auto row = layerRow(shape, layer, method, bits, id);
        row.probeKind = "recon";
        row.errOutInit = outputError(layer, "rtn", bits);
        row.errOut = outputError(layer, method, bits);
        row.nsr = row.errOut * 0.7;
        row.sqnrDb = -10 * std::log10(row.nsr);
        writer.tradeoffLayer(row);
        point.bytesWeights += row.bytesPayload;
        point.bytesSide += row.bytesSide;
        feed::TradeoffChoice choice;
        choice.pointId = id;
        choice.layerIx = layer;
        choice.optionKind = "uniform";
        choice.wBits = bits;
        choice.bytesTotal = row.bytesTotal;
        choices.push_back(choice);
        auto grid = arrayOf(feed::arrays::weightGrid(id, row.layerName), id, -1, feed::ArrayType::Float32, {1 << bits});
        for (int level = 0; level < (1 << bits); ++level) grid.floats.push_back(static_cast<float>((level - (1 << (bits - 1))) * 0.26 / (1 << bits)));
        writer.array(std::move(grid));
        if (method == "rtn") continue;
        auto shift = arrayOf(feed::arrays::weightShift(id, row.layerName), id, -1, feed::ArrayType::Float32, {2, 500});
        for (int i = 0; i < 500; ++i) shift.floats.push_back(static_cast<float>(0.15 * std::pow((i * 37 % 500) / 500.0, 2)));
        for (int i = 0; i < 500; ++i) shift.floats.push_back(i % 11 == 0 ? 1.0f : i % 13 == 0 ? -1.0f : i % 97 == 0 ? 2.0f : 0.0f);
        writer.array(std::move(shift));
        writer.scalar(writer.series("recon/" + row.layerName + "/moved1"), id, 2000.0 + id, 0.094);
        writer.scalar(writer.series("recon/" + row.layerName + "/moved2plus"), id, 2000.0 + id, 0.0031);
    }
    point.bytesTotal = point.bytesWeights + point.bytesSide + point.bytesOther;
    writer.tradeoffPoint(point, choices);
}

inline feed::RunInfo makeQuantizeRun(runtime::Workspace& workspace, const std::string& name, const std::string& parent, const QuantizeShape& shape = {}) {
    const auto run = newRun(workspace, name, "46-flexround", parent);
    auto writer = runlog::RunLogWriter::open(workspace.impl().runFolder(run.id));
    if (!writer) qFatal("%s", writer.error().sentence().c_str());
    logQuantizeHead(**writer, shape, run.id);
    for (std::size_t width = 0; width < shape.bits.size(); ++width)
        for (std::size_t kind = 0; kind < shape.methods.size(); ++kind) logQuantizePoint(**writer, shape, int(width), int(kind));
    if (const auto closed = (*writer)->close(true); !closed) qFatal("%s", closed.error().sentence().c_str());
    finishRun(workspace, run);
    return run;
}

}  // namespace espalier::tests
