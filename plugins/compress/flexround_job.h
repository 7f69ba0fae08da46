#pragma once

#include "plugins/compress/flexround.h"

namespace espalier::recipes::flexround {

struct Score {
    double loss = 0, metric = 0, low = 0, high = 0;
};

struct Latency {
    double p50 = 0, p95 = 0;  ///< milliseconds of one image
};

/// Everything a job holds while it runs.
class Job {
public:
    Job(api::RunContext& context, nn::LoadedClassifier loaded) : m_context(context), m_loaded(std::move(loaded)) {}
    Result<void> run();

private:
    Result<void> prepare();
    Result<Score> evaluate(nn::LayerHooks* hooks);
    Result<double> calibrationLoss(nn::LayerHooks* hooks);
    Latency latency(nn::LayerHooks* hooks);
    bool isLogged(int pointId) const;
    bool isLogged(const feed::TradeoffLayer& single) const;
    Result<void> writeBase();
    Result<void> writeBasePoint(const Score& score, const Latency& latency);
    Result<void> writeSensitivity();
    Result<void> writeOption(const Option& option);
    void writeHistograms();
    void writeLayerRows(const Option& option, const quant::QuantizeSpec& spec, const std::vector<quant::QuantizedLayer>& layers, int pointId);
    feed::TradeoffLayer layerRow(const nn::WeightLayer& layer, const Option& option, const quant::GridSpec& grid, int activationBits) const;
    Result<void> close();

    api::RunContext& m_context;
    nn::LoadedClassifier m_loaded;
    std::unique_ptr<quant::ModelQuantizer> m_quantizer;
    std::unique_ptr<data::ImageBatches> m_evaluation;
    at::Tensor m_calibration, m_calibrationLabels;
    feed::TradeoffJob m_job;
    std::string m_split;
    double m_calibrationBase = 0;
    int m_done = 0, m_total = 1;
};

}  // namespace espalier::recipes::flexround
