#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

/// The five tables of a compress / quantize job, one struct a row. Columns, units and rules: docs in
/// engine/quant/README.md and `TradeoffLog`. "Null" is NaN for real numbers and kNullInt for integers.
namespace espalier::feed {

inline constexpr double kNullReal = std::numeric_limits<double>::quiet_NaN();
inline constexpr std::int64_t kNullInt = std::numeric_limits<std::int64_t>::min();

struct TradeoffJob {
    std::string jobId, recipe, recipeVersion, modelName, modelSha256, datasetName, datasetSha256, task, metricName;
    int metricDir = +1;
    std::int64_t baseParams = 0, baseBytes = 0, baseMacs = 0;
    double baseLoss = kNullReal, baseMetric = kNullReal, baseLatencyMs = kNullReal;
    std::int64_t calibN = 0, evalN = 0;
    std::string split;
    std::int64_t seed = 0;
    std::string device;
    int threads = 0;
    std::string paramsJson, startedUtc, finishedUtc, notes;
};

struct TradeoffLayer {
    std::string probeKind;  ///< single, restore, recon, stack, drift, genome
    int layerIx = 0;
    std::string layerName;
    int blockIx = 0;
    std::string op;     ///< conv2d, conv1d, linear, embedding, …
    std::string shape;  ///< "out x in x kh x kw"
    std::int64_t params = 0, macs = 0;
    int optionIx = 0;
    std::string optionKind;  ///< float, uniform, …
    std::string method;      ///< display only: "rtn", "adaround", "flexround" (not a schema column)
    std::int64_t wBits = 32, aBits = 32;
    std::string granularity;  ///< tensor, channel, row, group:g
    std::int64_t symmetric = 0;
    std::int64_t level = kNullInt, rank = kNullInt, clusters = kNullInt;
    double sparsity = kNullReal;
    std::int64_t bytesPayload = 0, bytesSide = 0, bytesTotal = 0;
    double bitsEff = 0;
    double errWRel = kNullReal, errOutInit = kNullReal, errOut = kNullReal, nsr = kNullReal, sqnrDb = kNullReal,
           cos = kNullReal, kurtW = kNullReal, kurtIn = kNullReal, loss = kNullReal, metric = kNullReal,
           dLoss = kNullReal, dMetric = kNullReal, seconds = kNullReal;
};

struct TradeoffPoint {
    int pointId = 0;
    std::int64_t parentPointId = kNullInt;
    int orderIx = 0;
    std::string label;  ///< "flexround w4"
    std::string stage;  ///< fp, rtn, calibrated, mixed, exported, …
    std::string method; ///< display only: "rtn", "adaround", "flexround" (not a schema column)
    std::string budgetKind = "none";
    double budgetValue = kNullReal;
    std::int64_t bytesTotal = 0, bytesWeights = 0, bytesSide = 0, bytesOther = 0, params = 0;
    double avgWBits = 32, avgABits = 32;
    std::int64_t macs = 0;
    double bops = 0, flops = kNullReal, latencyMsP50 = kNullReal, latencyMsP95 = kNullReal;
    std::int64_t peakBytesInfer = kNullInt, peakBytesTrain = kNullInt, trainableParams = kNullInt;
    std::string split;
    double loss = kNullReal, metric = kNullReal, metricLo = kNullReal, metricHi = kNullReal, predLoss = kNullReal,
           predMetric = kNullReal;
    std::int64_t onFront = 0;
    std::string artifactPath;
    double seconds = kNullReal;
};

struct TradeoffChoice {
    int pointId = 0, layerIx = 0;
    std::string optionKind;
    std::int64_t wBits = 32, aBits = 32, level = kNullInt, rank = kNullInt, clusters = kNullInt;
    double sparsity = kNullReal;
    std::int64_t bytesTotal = 0;
};

struct TradeoffTrace {
    std::string series;  ///< "recon/mse", …
    int layerIx = -1;
    std::int64_t step = 0;
    double value = 0, wallMs = 0;
};

/// Everything one job has logged so far.
struct TradeoffTables {
    TradeoffJob job;
    std::vector<TradeoffLayer> layers;
    std::vector<TradeoffPoint> points;
    std::vector<TradeoffChoice> choices;
    std::vector<TradeoffTrace> traces;
    bool isEmpty() const { return job.jobId.empty(); }
};

// --- Derived quantities (TRADEOFF-SCHEMA section 4), one implementation for engine, window and tests ---

/// Signed so that positive = worse.
double metricLoss(const TradeoffJob& job, const TradeoffPoint& point);
/// Recomputes `onFront`: no other point has both fewer-or-equal bytes and less-or-equal d_metric with one strict;
/// exact ties keep the lower pointId. Points without a metric are never on the front. O(n log n).
void markFront(const TradeoffJob& job, std::vector<TradeoffPoint>& points);
/// Normalised area under the upper-right staircase: x = log2(base/bytes) in [0, 5], y = 1 − d_metric/|base − chance|.
double hypervolume(const TradeoffJob& job, const std::vector<TradeoffPoint>& points, double chanceMetric);
/// Least bytes among measured points with d_metric ≤ d; kNullInt when there is none.
std::int64_t bytesAt(const TradeoffJob& job, const std::vector<TradeoffPoint>& points, double d);
/// Best metric among points with bytes_total ≤ bytes; NaN when there is none.
double metricAt(const TradeoffJob& job, const std::vector<TradeoffPoint>& points, std::int64_t bytes);
/// Rows of `choices` that hold for a point once delta coding along the parent chain is resolved, by layer.
std::vector<TradeoffChoice> resolvedChoices(const TradeoffTables& tables, int pointId);

}  // namespace espalier::feed
