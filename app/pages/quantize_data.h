#pragma once

#include <QString>
#include <QStringList>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/feed/tradeoff.h"
#include "engine/runtime/workspace.h"
#include "widgets/plot/layer_lanes.h"
#include "widgets/plot/tradeoff_scatter.h"

/// What the Quantize page reads from a job's log, and what it derives from it. Plain values.
namespace espalier::app {

/// Tables of one job with the places of its weight arrays.
struct QuantizeData {
    feed::TradeoffTables tables;                    ///< onFront is up to date
    std::map<std::string, std::uint64_t> arrays;    ///< "quant/…" → newest position

    const feed::TradeoffPoint* point(int id) const;
    const feed::TradeoffPoint* base() const { return point(0); }
    /// Every layer once, in order of layerIx; what an allocation or probe named.
    std::vector<const feed::TradeoffLayer*> layers() const;
    /// The row that calibrated this layer for a point of this method and width; null when there is none.
    const feed::TradeoffLayer* recon(int layerIx, const std::string& method, std::int64_t bits) const;
    int bitsOf(int pointId) const;  ///< the width most layers have; 32 for the base
    /// The smallest point within 1 % of the base, else the best one; −1 when there is none.
    int suggestedPoint() const;
    /// The smallest within 1 % of the base, one a method, smallest first.
    std::vector<const feed::TradeoffPoint*> smallestWithinOnePercent() const;
};

enum class CostKind { Size, Latency, Operations };

/// A matrix of the sensitivity map.
struct SensitivityCells {
    QStringList options;
    std::vector<std::int64_t> bits;            ///< of each option
    std::vector<std::vector<double>> values;   ///< [option][layer]
    bool isEmpty() const;
};

/// Weight arrays of one layer in one point.
struct LayerArrays {
    std::vector<double> lefts, counts, levels, sizes, shifts;
};

Result<QuantizeData> readQuantizeData(const runtime::Workspace& workspace, const std::string& run);
Result<LayerArrays> readLayerArrays(const runtime::Workspace& workspace, const std::string& run, const QuantizeData& places, int point, const std::string& layer);

double costOf(const QuantizeData& data, const feed::TradeoffPoint& point, CostKind kind);
bool hasCost(const QuantizeData& data, CostKind kind);
QString costUnit(const QuantizeData& data, CostKind kind);
/// "w4", "w4a8": a point's label without its method.
QString shortLabel(const feed::TradeoffPoint& point);
std::vector<widgets::ScatterPoint> scatterPoints(const QuantizeData& data, CostKind kind);
/// The end of a layer's name inside its block: "mlp_in" of "blocks.3.mlp_in"; a name outside of blocks stays whole.
QString layerEnd(const QString& name);
QVector<widgets::LayerColumns::Layer> columnsOf(const QuantizeData& data);
/// Loss added by each layer alone ("single" probes), or the relative output error of one method ("recon" rows).
SensitivityCells lossCells(const QuantizeData& data);
SensitivityCells errorCells(const QuantizeData& data, const std::string& method);
std::vector<std::string> methodsOf(const QuantizeData& data);  ///< in order of appearance

}  // namespace espalier::app
