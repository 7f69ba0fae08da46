// Column names and order are those of the trade-off schema; `method` is ours and stands last.
#include "engine/runlog/table_columns.h"

namespace espalier::runlog {

template <>
const std::vector<Column<feed::TradeoffJob>>& columnsOf() {
    using R = feed::TradeoffJob;
    static const std::vector<Column<R>> columns{{"job_id", &R::jobId, 64},
                                                {"recipe", &R::recipe, 64},
                                                {"recipe_version", &R::recipeVersion, 32},
                                                {"model_name", &R::modelName, 128},
                                                {"model_sha256", &R::modelSha256, 64},
                                                {"dataset_name", &R::datasetName, 128},
                                                {"dataset_sha256", &R::datasetSha256, 64},
                                                {"task", &R::task, 64},
                                                {"metric_name", &R::metricName, 64},
                                                {"metric_dir", &R::metricDir},
                                                {"base_params", &R::baseParams},
                                                {"base_bytes", &R::baseBytes},
                                                {"base_macs", &R::baseMacs},
                                                {"base_loss", &R::baseLoss},
                                                {"base_metric", &R::baseMetric},
                                                {"base_latency_ms", &R::baseLatencyMs},
                                                {"calib_n", &R::calibN},
                                                {"eval_n", &R::evalN},
                                                {"split", &R::split, 16},
                                                {"seed", &R::seed},
                                                {"device", &R::device, 64},
                                                {"threads", &R::threads},
                                                {"params_json", &R::paramsJson, 8192},
                                                {"started_utc", &R::startedUtc, 32},
                                                {"finished_utc", &R::finishedUtc, 32},
                                                {"notes", &R::notes, 1024}};
    return columns;
}

template <>
const std::vector<Column<feed::TradeoffLayer>>& columnsOf() {
    using R = feed::TradeoffLayer;
    static const std::vector<Column<R>> columns{{"job_id", JobIdColumn{}, 64},
                                                {"probe_kind", &R::probeKind, 16},
                                                {"layer_ix", &R::layerIx},
                                                {"layer_name", &R::layerName, 128},
                                                {"block_ix", &R::blockIx},
                                                {"op", &R::op, 32},
                                                {"shape", &R::shape, 64},
                                                {"params", &R::params},
                                                {"macs", &R::macs},
                                                {"option_ix", &R::optionIx},
                                                {"option_kind", &R::optionKind, 32},
                                                {"w_bits", &R::wBits},
                                                {"a_bits", &R::aBits},
                                                {"granularity", &R::granularity, 32},
                                                {"symmetric", &R::symmetric},
                                                {"level", &R::level},
                                                {"rank", &R::rank},
                                                {"sparsity", &R::sparsity},
                                                {"clusters", &R::clusters},
                                                {"bytes_payload", &R::bytesPayload},
                                                {"bytes_side", &R::bytesSide},
                                                {"bytes_total", &R::bytesTotal},
                                                {"bits_eff", &R::bitsEff},
                                                {"err_w_rel", &R::errWRel},
                                                {"err_out_init", &R::errOutInit},
                                                {"err_out", &R::errOut},
                                                {"nsr", &R::nsr},
                                                {"sqnr_db", &R::sqnrDb},
                                                {"cos", &R::cos},
                                                {"kurt_w", &R::kurtW},
                                                {"kurt_in", &R::kurtIn},
                                                {"loss", &R::loss},
                                                {"metric", &R::metric},
                                                {"d_loss", &R::dLoss},
                                                {"d_metric", &R::dMetric},
                                                {"seconds", &R::seconds},
                                                {"method", &R::method, 32}};
    return columns;
}

template <>
const std::vector<Column<feed::TradeoffPoint>>& columnsOf() {
    using R = feed::TradeoffPoint;
    static const std::vector<Column<R>> columns{{"job_id", JobIdColumn{}, 64},
                                                {"point_id", &R::pointId},
                                                {"parent_point_id", &R::parentPointId},
                                                {"order_ix", &R::orderIx},
                                                {"label", &R::label, 128},
                                                {"stage", &R::stage, 32},
                                                {"budget_kind", &R::budgetKind, 32},
                                                {"budget_value", &R::budgetValue},
                                                {"bytes_total", &R::bytesTotal},
                                                {"bytes_weights", &R::bytesWeights},
                                                {"bytes_side", &R::bytesSide},
                                                {"bytes_other", &R::bytesOther},
                                                {"params", &R::params},
                                                {"avg_w_bits", &R::avgWBits},
                                                {"avg_a_bits", &R::avgABits},
                                                {"macs", &R::macs},
                                                {"bops", &R::bops},
                                                {"flops", &R::flops},
                                                {"latency_ms_p50", &R::latencyMsP50},
                                                {"latency_ms_p95", &R::latencyMsP95},
                                                {"peak_bytes_infer", &R::peakBytesInfer},
                                                {"peak_bytes_train", &R::peakBytesTrain},
                                                {"trainable_params", &R::trainableParams},
                                                {"split", &R::split, 16},
                                                {"loss", &R::loss},
                                                {"metric", &R::metric},
                                                {"metric_lo", &R::metricLo},
                                                {"metric_hi", &R::metricHi},
                                                {"pred_loss", &R::predLoss},
                                                {"pred_metric", &R::predMetric},
                                                {"on_front", &R::onFront},
                                                {"artifact_path", &R::artifactPath, 512},
                                                {"seconds", &R::seconds},
                                                {"method", &R::method, 32}};
    return columns;
}

template <>
const std::vector<Column<feed::TradeoffChoice>>& columnsOf() {
    using R = feed::TradeoffChoice;
    static const std::vector<Column<R>> columns{
        {"job_id", JobIdColumn{}, 64}, {"point_id", &R::pointId}, {"layer_ix", &R::layerIx},
        {"option_kind", &R::optionKind, 32}, {"w_bits", &R::wBits}, {"a_bits", &R::aBits},
        {"level", &R::level}, {"rank", &R::rank}, {"sparsity", &R::sparsity},
        {"clusters", &R::clusters}, {"bytes_total", &R::bytesTotal}};
    return columns;
}

template <>
const std::vector<Column<feed::TradeoffTrace>>& columnsOf() {
    using R = feed::TradeoffTrace;
    static const std::vector<Column<R>> columns{{"job_id", JobIdColumn{}, 64}, {"series", &R::series, 64},
                                                {"layer_ix", &R::layerIx},     {"step", &R::step},
                                                {"value", &R::value},          {"wall_ms", &R::wallMs}};
    return columns;
}

}  // namespace espalier::runlog
