#include "app/pages/attend_data.h"

#include <algorithm>
#include <cmath>

#include "engine/feed/array_record.h"
#include "widgets/theme/format.h"

namespace espalier::app {
namespace {

namespace names = feed::arrays;
constexpr const char* kLayerPrefix = "attn/layer";

std::optional<int> layerOf(const std::string& name) {
    const std::string prefix = kLayerPrefix;
    if (name.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
    const int layer = std::atoi(name.c_str() + prefix.size());
    return layer > 0 ? std::optional(layer) : std::nullopt;
}

/// Adds an array to its snapshot; the newest of a step wins (a resumed run logs a step again).
void place(std::vector<AttendSnapshot>& snapshots, const feed::ArrayInfo& array) {
    const auto layer = layerOf(array.name);
    const bool isOther = array.name == names::kPooling || array.name == names::kRollout || array.name == names::kContribution || array.name == names::kProbeLogits;
    if (!layer && !isOther) return;
    auto at = std::lower_bound(snapshots.begin(), snapshots.end(), array.step, [](const auto& one, std::int64_t step) { return one.step < step; });
    if (at == snapshots.end() || at->step != array.step) {
        at = snapshots.insert(at, AttendSnapshot{});
        at->step = array.step;
    }
    at->epoch = std::max(at->epoch, array.epoch);
    if (layer) at->layers[*layer] = array;
    else if (array.name == names::kPooling) at->pooling = array;
    else if (array.name == names::kRollout) at->rollout = array;
    else if (array.name == names::kContribution) at->contribution = array;
    else at->logits = array;
}

std::vector<AttendProbe> probesFrom(const feed::ArrayRecord& images) {
    std::vector<AttendProbe> probes;
    const auto& shape = images.info.shape;
    if (shape.size() != 4 || shape[3] != 3 || shape[1] <= 0 || shape[2] <= 0) return probes;
    const int height = static_cast<int>(shape[1]), width = static_cast<int>(shape[2]);
    const std::size_t stride = static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3;
    for (std::int64_t i = 0; i < shape[0] && (static_cast<std::size_t>(i) + 1) * stride <= images.bytes.size(); ++i) {
        AttendProbe probe;
        const auto* pixels = images.bytes.data() + static_cast<std::size_t>(i) * stride;
        probe.image = QImage(pixels, width, height, width * 3, QImage::Format_RGB888).convertToFormat(QImage::Format_RGB32);
        probes.push_back(std::move(probe));
    }
    return probes;
}

std::vector<float> softmax(const float* logits, std::size_t count) {
    const float most = *std::max_element(logits, logits + count);
    std::vector<float> shares(count);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += shares[i] = std::exp(logits[i] - most);
    for (float& share : shares) share = static_cast<float>(share / sum);
    return shares;
}

/// One probe of [P, …] as a flat list; empty when the array lacks it.
Result<std::vector<float>> sliceOf(const runtime::Workspace& workspace, const std::string& run, const std::optional<feed::ArrayInfo>& array, int probe) {
    if (!array || array->shape.empty() || probe >= array->shape[0]) return std::vector<float>();
    ESPALIER_TRY(auto record, workspace.readArray(run, array->index, probe, 1));
    return std::move(record.floats);
}

}  // namespace

std::vector<float> LayerMaps::row(int head, int query) const {
    const int from = query < 0 ? 0 : query + classTokens;
    if (head < 0 || head >= heads || from >= tokens) return {};
    const auto start = values.begin() + (static_cast<std::ptrdiff_t>(head) * tokens + from) * tokens;
    return {start + classTokens, start + tokens};
}

std::vector<float> LayerMaps::received(int head, int query) const {
    const int to = query < 0 ? 0 : query + classTokens;
    std::vector<float> column;
    if (head < 0 || head >= heads || to >= tokens) return column;
    const float* map = values.data() + static_cast<std::ptrdiff_t>(head) * tokens * tokens;
    for (int from = classTokens; from < tokens; ++from) column.push_back(map[static_cast<std::ptrdiff_t>(from) * tokens + to]);
    return column;
}

double LayerMaps::entropy(int head) const {
    if (head < 0 || head >= heads || tokens < 2) return feed::kNullReal;
    const float* map = values.data() + static_cast<std::ptrdiff_t>(head) * tokens * tokens;
    double sum = 0;
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(tokens) * tokens; ++i)
        if (map[i] > 0) sum -= map[i] * std::log(static_cast<double>(map[i]));
    return sum / tokens / std::log(static_cast<double>(tokens));
}

double LayerMaps::distance(int head, const widgets::TokenGrid& grid) const {
    const int image = tokens - classTokens;
    if (head < 0 || head >= heads || image != grid.tokens()) return feed::kNullReal;
    double sum = 0;
    for (int query = 0; query < image; ++query) {
        const auto weights = row(head, query);
        double look = 0, whole = 0;
        for (int key = 0; key < image; ++key) {
            const double dr = grid.rowOf(key) - grid.rowOf(query), dc = grid.colOf(key) - grid.colOf(query);
            look += weights[static_cast<std::size_t>(key)] * std::sqrt(dr * dr + dc * dc);
            whole += weights[static_cast<std::size_t>(key)];
        }
        if (whole > 0) sum += look / whole;
    }
    return sum / image * grid.jump;
}

int ProbeMaps::predicted(int index) const {
    if (index < 0 || index >= static_cast<int>(probabilities.size())) return -1;
    const auto& shares = probabilities[static_cast<std::size_t>(index)];
    return static_cast<int>(std::max_element(shares.begin(), shares.end()) - shares.begin());
}

Result<AttendIndex> readAttendIndex(const runtime::Workspace& workspace, const std::string& run, const std::string& dataset) {
    AttendIndex index;
    ESPALIER_TRY(const auto arrays, workspace.arrays(run));
    std::optional<feed::ArrayInfo> images, rows, labels, grid;
    for (const auto& array : arrays) {
        if (array.name == names::kProbeImages) images = array;
        else if (array.name == names::kProbeRows) rows = array;
        else if (array.name == names::kProbeLabels) labels = array;
        else if (array.name == names::kProbeGrid) grid = array;
        else place(index.snapshots, array);
    }
    // While a run logs a snapshot only some of its arrays are there; show it once its last array, the logits, came.
    if (index.snapshots.size() > 1 && index.snapshots.front().logits && !index.snapshots.back().logits) index.snapshots.pop_back();
    if (!images || !grid) return index;
    ESPALIER_TRY(const auto gridValues, workspace.readArray(run, grid->index));
    if (const auto known = widgets::TokenGrid::fromArray(gridValues.floats)) index.grid = *known;
    ESPALIER_TRY(const auto pictures, workspace.readArray(run, images->index));
    index.probes = probesFrom(pictures);
    if (labels) {
        ESPALIER_TRY(const auto values, workspace.readArray(run, labels->index));
        for (std::size_t i = 0; i < index.probes.size() && i < values.integers.size(); ++i) index.probes[i].label = values.integers[i];
    }
    if (rows) {
        ESPALIER_TRY(const auto values, workspace.readArray(run, rows->index));
        for (std::size_t i = 0; i < index.probes.size() && i < values.integers.size(); ++i) {
            AttendProbe& probe = index.probes[i];
            probe.row = values.integers[i];
            // The data set may be gone; its names are a convenience.
            if (const auto found = workspace.samples(dataset, probe.row, 1); found && !found->empty()) {
                probe.name = widgets::format::text(found->front().source);
                probe.splitName = QString::fromLatin1(feed::splitName(found->front().split));
            }
        }
    }
    return index;
}

Result<ProbeMaps> readProbeMaps(const runtime::Workspace& workspace, const std::string& run, const AttendSnapshot& snapshot,
                                int probe, int classTokens) {
    ProbeMaps maps;
    maps.probe = probe;
    for (const auto& [number, array] : snapshot.layers) {
        if (array.shape.size() != 4 || array.shape[2] != array.shape[3]) continue;
        LayerMaps layer;
        layer.heads = static_cast<int>(array.shape[1]);
        layer.tokens = static_cast<int>(array.shape[2]);
        layer.classTokens = classTokens;
        ESPALIER_TRY(layer.values, sliceOf(workspace, run, array, probe));
        if (layer.values.size() != static_cast<std::size_t>(layer.heads) * static_cast<std::size_t>(layer.tokens) * static_cast<std::size_t>(layer.tokens)) layer.heads = 0;
        maps.layers.push_back(std::move(layer));
    }
    ESPALIER_TRY(maps.pooling, sliceOf(workspace, run, snapshot.pooling, probe));
    ESPALIER_TRY(maps.rollout, sliceOf(workspace, run, snapshot.rollout, probe));
    ESPALIER_TRY(const auto contribution, sliceOf(workspace, run, snapshot.contribution, probe));
    if (!contribution.empty() && snapshot.contribution->shape.size() == 3) {
        const auto tokens = static_cast<std::ptrdiff_t>(snapshot.contribution->shape[2]);
        for (auto at = contribution.begin(); contribution.end() - at >= tokens && tokens > 0; at += tokens) maps.contribution.emplace_back(at, at + tokens);
    }
    if (snapshot.logits && snapshot.logits->shape.size() == 2 && snapshot.logits->shape[1] > 0) {
        ESPALIER_TRY(const auto logits, workspace.readArray(run, snapshot.logits->index));
        const auto classes = static_cast<std::size_t>(snapshot.logits->shape[1]);
        for (std::size_t at = 0; at + classes <= logits.floats.size(); at += classes) maps.probabilities.push_back(softmax(logits.floats.data() + at, classes));
    }
    return maps;
}

std::vector<HeadChange> mostChangedHeads(const ProbeMaps& now, const ProbeMaps& before, std::size_t count) {
    std::vector<HeadChange> changes;
    for (std::size_t layer = 0; layer < std::min(now.layers.size(), before.layers.size()); ++layer)
        for (int head = 0; head < std::min(now.layers[layer].heads, before.layers[layer].heads); ++head)
            changes.push_back({static_cast<int>(layer), head, now.layers[layer].entropy(head) - before.layers[layer].entropy(head)});
    std::stable_sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return std::abs(a.change) > std::abs(b.change); });
    if (changes.size() > count) changes.resize(count);
    return changes;
}

}  // namespace espalier::app
