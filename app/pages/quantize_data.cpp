#include "app/pages/quantize_data.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/feed/array_record.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr double kNear = 0.01;  ///< "within 1 % of base"

QString tr(const char* words) { return QCoreApplication::translate("QuantizeData", words); }

bool isWithin(const feed::TradeoffJob& job, const feed::TradeoffPoint& point) {
    return !std::isnan(point.metric) && feed::metricLoss(job, point) <= kNear * std::abs(job.baseMetric);
}

std::vector<double> halfOf(const feed::ArrayRecord& record, int row) {
    if (record.info.shape.size() != 2 || record.info.shape[0] != 2) return {};
    const auto count = static_cast<std::ptrdiff_t>(record.info.shape[1]);
    if (static_cast<std::ptrdiff_t>(record.floats.size()) < 2 * count) return {};
    return {record.floats.begin() + row * count, record.floats.begin() + (row + 1) * count};
}

}  // namespace

bool SensitivityCells::isEmpty() const {
    for (const auto& row : values)
        if (std::any_of(row.begin(), row.end(), [](double value) { return std::isfinite(value); })) return false;
    return true;
}

const feed::TradeoffPoint* QuantizeData::point(int id) const {
    const auto at = std::find_if(tables.points.begin(), tables.points.end(), [id](const auto& one) { return one.pointId == id; });
    return at == tables.points.end() ? nullptr : &*at;
}

std::vector<const feed::TradeoffLayer*> QuantizeData::layers() const {
    std::map<int, const feed::TradeoffLayer*> byIndex;
    for (const auto& row : tables.layers)
        if (row.layerIx >= 0) byIndex.emplace(row.layerIx, &row);
    std::vector<const feed::TradeoffLayer*> list;
    for (const auto& [index, row] : byIndex) list.push_back(row);
    return list;
}

const feed::TradeoffLayer* QuantizeData::recon(int layerIx, const std::string& method, std::int64_t bits) const {
    const feed::TradeoffLayer* found = nullptr;
    for (const auto& row : tables.layers)
        if (row.probeKind == "recon" && row.layerIx == layerIx && row.method == method && row.wBits == bits) found = &row;
    return found;
}

int QuantizeData::bitsOf(int pointId) const {
    std::map<std::int64_t, int> counts;
    for (const auto& choice : feed::resolvedChoices(tables, pointId)) ++counts[choice.optionKind == "float" ? 32 : choice.wBits];
    const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == counts.end() ? 32 : static_cast<int>(most->first);
}

int QuantizeData::suggestedPoint() const {
    const feed::TradeoffPoint* best = nullptr;
    for (const auto& one : tables.points) {
        if (one.pointId == 0 || std::isnan(one.metric)) continue;
        if (!best) best = &one;
        const bool isNear = isWithin(tables.job, one), isBestNear = isWithin(tables.job, *best);
        const double gain = tables.job.metricDir * (one.metric - best->metric);
        const bool isBetter = isNear != isBestNear ? isNear
                              : isNear             ? one.bytesTotal < best->bytesTotal || (one.bytesTotal == best->bytesTotal && gain > 0)
                                                   : gain > 0;
        if (isBetter) best = &one;
    }
    return best ? best->pointId : tables.points.empty() ? -1 : tables.points.front().pointId;
}

std::vector<const feed::TradeoffPoint*> QuantizeData::smallestWithinOnePercent() const {
    std::map<std::string, const feed::TradeoffPoint*> byMethod;
    for (const auto& one : tables.points) {
        if (one.pointId == 0 || !isWithin(tables.job, one)) continue;
        auto& kept = byMethod[one.method];
        if (!kept || one.bytesTotal < kept->bytesTotal) kept = &one;
    }
    std::vector<const feed::TradeoffPoint*> list;
    for (const auto& [method, one] : byMethod) list.push_back(one);
    std::stable_sort(list.begin(), list.end(), [](auto* a, auto* b) { return a->bytesTotal < b->bytesTotal; });
    return list;
}

Result<QuantizeData> readQuantizeData(const runtime::Workspace& workspace, const std::string& run) {
    QuantizeData data;
    ESPALIER_TRY(data.tables, workspace.tradeoff(run));
    feed::markFront(data.tables.job, data.tables.points);
    if (data.tables.isEmpty()) return data;
    ESPALIER_TRY(const auto arrays, workspace.arrays(run));
    for (const auto& array : arrays)
        if (array.name.compare(0, 6, "quant/") == 0) data.arrays[array.name] = array.index;
    return data;
}

Result<LayerArrays> readLayerArrays(const runtime::Workspace& workspace, const std::string& run, const QuantizeData& places, int point, const std::string& layer) {
    LayerArrays arrays;
    const auto read = [&](const std::string& name) -> Result<feed::ArrayRecord> {
        const auto at = places.arrays.find(name);
        if (at == places.arrays.end()) return feed::ArrayRecord{};
        return workspace.readArray(run, at->second);
    };
    ESPALIER_TRY(const auto histogram, read(feed::arrays::weightHistogram(layer)));
    arrays.lefts = halfOf(histogram, 0);
    arrays.counts = halfOf(histogram, 1);
    ESPALIER_TRY(const auto grid, read(feed::arrays::weightGrid(point, layer)));
    arrays.levels.assign(grid.floats.begin(), grid.floats.end());
    ESPALIER_TRY(const auto shift, read(feed::arrays::weightShift(point, layer)));
    arrays.sizes = halfOf(shift, 0);
    arrays.shifts = halfOf(shift, 1);
    return arrays;
}

namespace {

/// Models of the desk are thousands of bytes; their axis counts KB.
bool isSmall(const QuantizeData& data) { return data.tables.job.baseBytes < 1'000'000; }

}  // namespace

double costOf(const QuantizeData& data, const feed::TradeoffPoint& point, CostKind kind) {
    switch (kind) {
    case CostKind::Size: return static_cast<double>(point.bytesTotal) / (isSmall(data) ? 1e3 : 1e6);
    case CostKind::Latency: return point.latencyMsP50;
    case CostKind::Operations: return point.bops / 1e9;
    }
    return feed::kNullReal;
}

bool hasCost(const QuantizeData& data, CostKind kind) {
    return std::any_of(data.tables.points.begin(), data.tables.points.end(), [&](const auto& point) { return costOf(data, point, kind) > 0; });
}

QString costUnit(const QuantizeData& data, CostKind kind) {
    switch (kind) {
    case CostKind::Size: return isSmall(data) ? tr("KB stored") : tr("MB stored");
    case CostKind::Latency: return tr("ms a sample, median");
    case CostKind::Operations: return tr("G bit operations a sample");
    }
    return {};
}

QString shortLabel(const feed::TradeoffPoint& point) {
    QString label = text(point.label);
    const QString method = text(point.method);
    if (!method.isEmpty() && label.startsWith(method + u' ')) label = label.mid(method.size() + 1);
    return label;
}

std::vector<ScatterPoint> scatterPoints(const QuantizeData& data, CostKind kind) {
    std::vector<ScatterPoint> points;
    for (const auto& point : data.tables.points) {
        ScatterPoint mark;
        mark.id = point.pointId;
        mark.cost = costOf(data, point, kind);
        mark.metric = point.metric;
        mark.low = point.metricLo;
        mark.high = point.metricHi;
        mark.method = text(point.method);
        mark.isBase = point.pointId == 0;
        mark.isOnFront = point.onFront != 0;
        mark.name = text(point.label);
        mark.detail = format::bytes(point.bytesTotal);
        mark.label = mark.isBase ? mark.name + QStringLiteral(", ") + mark.detail : shortLabel(point);
        points.push_back(std::move(mark));
    }
    return points;
}

QString layerEnd(const QString& name) {
    static const QRegularExpression kBlockPrefix(QStringLiteral("^blocks\\.\\d+\\."));
    return QString(name).remove(kBlockPrefix);
}

QVector<LayerColumns::Layer> columnsOf(const QuantizeData& data) {
    QVector<LayerColumns::Layer> columns;
    const auto layers = data.layers();
    int last = 0;
    for (const auto* layer : layers) last = std::max(last, layer->blockIx);
    for (const auto* layer : layers) {
        // Block 0 is the tokenizer or stem, the last one the head; a model of one block has neither.
        const QString block = last == 0 ? text(layer->layerName) : layer->blockIx == 0 ? tr("stem") : layer->blockIx == last ? tr("head") : tr("block %1").arg(layer->blockIx);
        const QString name = text(layer->layerName), end = layerEnd(name);
        // Programs count blocks from 0; the word before the layer counts them as the lanes do.
        columns << LayerColumns::Layer{name, block, end == name ? name : tr("%1, %2").arg(block, end)};
    }
    return columns;
}

namespace {

SensitivityCells cellsOf(const QuantizeData& data, const std::string& kind, const std::string& method, double feed::TradeoffLayer::*value) {
    SensitivityCells cells;
    const auto layers = data.layers();
    std::map<int, std::size_t> columnOf;
    for (std::size_t i = 0; i < layers.size(); ++i) columnOf[layers[i]->layerIx] = i;
    std::set<std::int64_t, std::greater<>> widths;
    const auto isWanted = [&](const feed::TradeoffLayer& row) { return row.probeKind == kind && row.optionKind != "float" && (method.empty() || row.method == method); };
    for (const auto& row : data.tables.layers)
        if (isWanted(row)) widths.insert(row.wBits);
    for (const std::int64_t bits : widths) {
        cells.options << tr("%1 bit").arg(bits);
        cells.bits.push_back(bits);
        cells.values.emplace_back(layers.size(), feed::kNullReal);
    }
    for (const auto& row : data.tables.layers) {
        if (!isWanted(row)) continue;
        const auto option = static_cast<std::size_t>(std::find(cells.bits.begin(), cells.bits.end(), row.wBits) - cells.bits.begin());
        const auto column = columnOf.find(row.layerIx);
        if (column != columnOf.end()) cells.values[option][column->second] = row.*value;
    }
    return cells;
}

}  // namespace

SensitivityCells lossCells(const QuantizeData& data) { return cellsOf(data, "single", {}, &feed::TradeoffLayer::dLoss); }
SensitivityCells errorCells(const QuantizeData& data, const std::string& method) { return cellsOf(data, "recon", method, &feed::TradeoffLayer::nsr); }

std::vector<std::string> methodsOf(const QuantizeData& data) {
    std::vector<std::string> methods;
    for (const auto& point : data.tables.points)
        if (!point.method.empty() && std::find(methods.begin(), methods.end(), point.method) == methods.end()) methods.push_back(point.method);
    return methods;
}

}  // namespace espalier::app
