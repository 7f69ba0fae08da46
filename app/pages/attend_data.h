#pragma once

#include <QImage>
#include <QString>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "engine/base/result.h"
#include "engine/runtime/workspace.h"
#include "widgets/heatmap/token_grid.h"

/// What the Attend page reads from a run's log, and what it derives from it. Plain values; the read functions run on
/// the view pool.
namespace espalier::app {

/// One pinned image.
struct AttendProbe {
    QImage image;
    std::int64_t row = -1, label = -1;
    QString name, splitName;
};

/// The arrays of one stored moment of training, as positions in the log.
struct AttendSnapshot {
    std::int64_t step = 0, epoch = -1;
    std::map<int, feed::ArrayInfo> layers;  ///< by layer from 1
    std::optional<feed::ArrayInfo> pooling, rollout, contribution, logits;
};

/// Everything about a run's maps except their values.
struct AttendIndex {
    widgets::TokenGrid grid;
    std::vector<AttendProbe> probes;
    std::vector<AttendSnapshot> snapshots;  ///< ascending in step
    bool isEmpty() const { return probes.empty() || snapshots.empty() || !grid.isValid(); }
};

/// Attention of one layer for one probe: heads × tokens × tokens, class tokens in front.
struct LayerMaps {
    int heads = 0, tokens = 0, classTokens = 0;
    std::vector<float> values;

    /// Weights of one query over the image tokens. Query −1 is the class token; image tokens count from 0.
    std::vector<float> row(int head, int query) const;
    /// What every image token gives to one, i.e. the column.
    std::vector<float> received(int head, int query) const;
    /// Mean over queries of −Σ p ln p / ln N.
    double entropy(int head) const;
    /// Mean over image queries of the distance in pixels that their weights look.
    double distance(int head, const widgets::TokenGrid& grid) const;
};

/// All maps of one probe at one snapshot.
struct ProbeMaps {
    int snapshot = -1, probe = -1;
    std::vector<LayerMaps> layers;
    std::vector<float> pooling, rollout;             ///< by image token; empty when not logged
    std::vector<std::vector<float>> contribution;    ///< by class
    std::vector<std::vector<float>> probabilities;   ///< of every probe, softmax of its logits
    int predicted(int probe) const;                  ///< −1 when unknown
};

/// A head whose entropy moved between two snapshots.
struct HeadChange {
    int layer = 0, head = 0;
    double change = 0;
};

Result<AttendIndex> readAttendIndex(const runtime::Workspace& workspace, const std::string& run, const std::string& dataset);
/// Reads only this probe's part of every array.
Result<ProbeMaps> readProbeMaps(const runtime::Workspace& workspace, const std::string& run, const AttendSnapshot& snapshot,
                                int probe, int classTokens);
/// Largest changes first; heads that both have.
std::vector<HeadChange> mostChangedHeads(const ProbeMaps& now, const ProbeMaps& before, std::size_t count);

}  // namespace espalier::app
