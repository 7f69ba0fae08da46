#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/api/run_context.h"
#include "engine/api/torch.h"
#include "engine/data/image_source.h"
#include "engine/feed/run_info.h"
#include "engine/runtime/job.h"
#include "engine/runtime/run_sinks.h"

namespace espalier::runtime {

/// Everything a run works with once it is prepared; outlives the context.
struct RunWork {
    Job& job;
    RunSinks& sinks;
    feed::RunInfo& info;  ///< the catalog row in the making; `store` writes it
    const api::Params& params;
    const feed::DatasetSummary* dataset = nullptr;
    data::ImageSource* images = nullptr;
    const api::ParentModel* parent = nullptr;
    at::Device device = at::Device(at::kCPU);
    std::string recipeVersion;
    /// Between steps: stop requests of other processes, catalog row now and then.
    std::function<void()> betweenSteps;
    std::function<void()> store;
};

/// The recipe's view of a run. Engine thread only.
class RunContextImpl : public api::RunContext {
public:
    explicit RunContextImpl(RunWork work) : m_work(std::move(work)) {}

    const api::Params& params() const override { return m_work.params; }
    std::int64_t seed() const override { return m_work.info.seed; }
    const std::string& runId() const override { return m_work.info.id; }
    const std::string& runName() const override { return m_work.info.name; }
    const feed::DatasetSummary* dataset() const override { return m_work.dataset; }
    data::ImageSource& images() override;
    const api::ParentModel* parent() const override { return m_work.parent; }

    at::Tensor toDevice(const at::Tensor& tensor) const override;
    std::string deviceName() const override;
    int threads() const override { return m_work.info.threads; }

    Result<void> train(nn::LoopSpec& spec) override;
    Result<void> stage(std::string_view name, const std::function<Result<void>()>& body) override;
    void progress(std::string_view text, std::int64_t done, std::int64_t total) override;

    void scalar(std::string_view series, std::int64_t step, double value) override;
    void mark(std::int64_t step, std::string_view kind, std::string_view text) override;
    void array(std::string_view name, std::int64_t step, std::int64_t epoch, const at::Tensor& values,
               feed::ArrayType type) override;

    void tradeoffJob(const feed::TradeoffJob& job) override { m_work.sinks.tradeoffJob(job); }
    void tradeoffLayer(const feed::TradeoffLayer& row) override { m_work.sinks.tradeoffLayer(row); }
    void tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices) override;
    void tradeoffTrace(const feed::TradeoffTrace& row) override { m_work.sinks.tradeoffTrace(row); }
    const feed::TradeoffTables& loggedTradeoff() const override { return m_work.sinks.loggedTradeoff(); }

    Result<Artifact> artifact(std::string_view name, const nn::NamedTensors& tensors) override;

    std::stop_token stop() const override { return m_work.job.stopToken(); }
    bool wasStopped() const override { return m_work.job.isStopRequested(); }
    bool keepGoing() override;
    void warn(Warning warning) override { m_work.sinks.warn(warning); }
    void log(std::string_view text) override;
    void describeModel(std::int64_t params, std::int64_t macsPerItem) override;

private:
    std::map<std::string, std::string> weightsMetadata() const;

    RunWork m_work;
    std::string m_stage, m_progressText;
    double m_progressSince = 0.0;
    std::int64_t m_progressFirst = 0, m_lastStep = 0;
    int m_loops = 0;
};

/// Values of a tensor as the log stores them; copied to the host.
feed::ArrayRecord arrayRecord(std::string_view name, std::int64_t step, std::int64_t epoch, const at::Tensor& values,
                              feed::ArrayType type);

}  // namespace espalier::runtime
