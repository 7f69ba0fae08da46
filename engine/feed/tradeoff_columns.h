#pragma once

#include "engine/feed/tradeoff.h"

/// Column names of the trade-off tables (TRADEOFF-SCHEMA section 2), in order, in one place: CSV, JSON and HDF5 are
/// made from these. `visit(name, field)` sees std::string, int, std::int64_t and double fields.
namespace espalier::feed {

template <class Row, class Visitor>
void visitJobColumns(Row& r, Visitor&& visit) {
    visit("job_id", r.jobId), visit("recipe", r.recipe), visit("recipe_version", r.recipeVersion);
    visit("model_name", r.modelName), visit("model_sha256", r.modelSha256), visit("dataset_name", r.datasetName);
    visit("dataset_sha256", r.datasetSha256), visit("task", r.task), visit("metric_name", r.metricName);
    visit("metric_dir", r.metricDir), visit("base_params", r.baseParams), visit("base_bytes", r.baseBytes);
    visit("base_macs", r.baseMacs), visit("base_loss", r.baseLoss), visit("base_metric", r.baseMetric);
    visit("base_latency_ms", r.baseLatencyMs), visit("calib_n", r.calibN), visit("eval_n", r.evalN);
    visit("split", r.split), visit("seed", r.seed), visit("device", r.device), visit("threads", r.threads);
    visit("params_json", r.paramsJson), visit("started_utc", r.startedUtc), visit("finished_utc", r.finishedUtc);
    visit("notes", r.notes);
}

template <class Row, class Visitor>
void visitLayerColumns(Row& r, Visitor&& visit) {
    visit("probe_kind", r.probeKind), visit("layer_ix", r.layerIx), visit("layer_name", r.layerName);
    visit("block_ix", r.blockIx), visit("op", r.op), visit("shape", r.shape), visit("params", r.params);
    visit("macs", r.macs), visit("option_ix", r.optionIx), visit("option_kind", r.optionKind);
    visit("w_bits", r.wBits), visit("a_bits", r.aBits), visit("granularity", r.granularity);
    visit("symmetric", r.symmetric), visit("level", r.level), visit("rank", r.rank), visit("sparsity", r.sparsity);
    visit("clusters", r.clusters), visit("bytes_payload", r.bytesPayload), visit("bytes_side", r.bytesSide);
    visit("bytes_total", r.bytesTotal), visit("bits_eff", r.bitsEff), visit("err_w_rel", r.errWRel);
    visit("err_out_init", r.errOutInit), visit("err_out", r.errOut), visit("nsr", r.nsr), visit("sqnr_db", r.sqnrDb);
    visit("cos", r.cos), visit("kurt_w", r.kurtW), visit("kurt_in", r.kurtIn), visit("loss", r.loss);
    visit("metric", r.metric), visit("d_loss", r.dLoss), visit("d_metric", r.dMetric), visit("seconds", r.seconds);
    visit("method", r.method);
}

template <class Row, class Visitor>
void visitPointColumns(Row& r, Visitor&& visit) {
    visit("point_id", r.pointId), visit("parent_point_id", r.parentPointId), visit("order_ix", r.orderIx);
    visit("label", r.label), visit("stage", r.stage), visit("budget_kind", r.budgetKind);
    visit("budget_value", r.budgetValue), visit("bytes_total", r.bytesTotal), visit("bytes_weights", r.bytesWeights);
    visit("bytes_side", r.bytesSide), visit("bytes_other", r.bytesOther), visit("params", r.params);
    visit("avg_w_bits", r.avgWBits), visit("avg_a_bits", r.avgABits), visit("macs", r.macs), visit("bops", r.bops);
    visit("flops", r.flops), visit("latency_ms_p50", r.latencyMsP50), visit("latency_ms_p95", r.latencyMsP95);
    visit("peak_bytes_infer", r.peakBytesInfer), visit("peak_bytes_train", r.peakBytesTrain);
    visit("trainable_params", r.trainableParams), visit("split", r.split), visit("loss", r.loss);
    visit("metric", r.metric), visit("metric_lo", r.metricLo), visit("metric_hi", r.metricHi);
    visit("pred_loss", r.predLoss), visit("pred_metric", r.predMetric), visit("on_front", r.onFront);
    visit("artifact_path", r.artifactPath), visit("seconds", r.seconds), visit("method", r.method);
}

template <class Row, class Visitor>
void visitChoiceColumns(Row& r, Visitor&& visit) {
    visit("point_id", r.pointId), visit("layer_ix", r.layerIx), visit("option_kind", r.optionKind);
    visit("w_bits", r.wBits), visit("a_bits", r.aBits), visit("level", r.level), visit("rank", r.rank);
    visit("sparsity", r.sparsity), visit("clusters", r.clusters), visit("bytes_total", r.bytesTotal);
}

template <class Row, class Visitor>
void visitTraceColumns(Row& r, Visitor&& visit) {
    visit("series", r.series), visit("layer_ix", r.layerIx), visit("step", r.step), visit("value", r.value);
    visit("wall_ms", r.wallMs);
}

}  // namespace espalier::feed
