#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/params.h"
#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/array_record.h"
#include "engine/feed/dataset.h"
#include "engine/feed/metric_point.h"
#include "engine/feed/tradeoff.h"

namespace at {
class Tensor;
}
namespace espalier::nn {
struct LoopSpec;      // engine/nn/loop_spec.h, through engine/api/blocks.h
struct NamedTensors;  // engine/nn/named_tensors.h
}  // namespace espalier::nn
namespace espalier::data {
class ImageSource;  // engine/data/image_source.h
}  // namespace espalier::data

namespace espalier::api {

/// Where a job started from: weights and what is known about them.
struct ParentModel {
    std::string runId;            ///< empty for a bare weights file
    std::string recipeId;
    std::string name;             ///< for labels
    std::map<std::string, std::string> params;  ///< canonical text; empty for a bare file
    std::filesystem::path weights;  ///< safetensors
    std::string sha256;
    std::int64_t classes = 0;
};

/// All that a recipe may touch while it runs. Lives on the engine thread; every call returns quickly except train().
/// A recipe never opens files, spawns threads or names a device: it asks here.
class RunContext {
public:
    virtual ~RunContext() = default;

    virtual const Params& params() const = 0;
    virtual std::int64_t seed() const = 0;
    virtual const std::string& runId() const = 0;
    virtual const std::string& runName() const = 0;
    /// Null only for recipes that accept no data.
    virtual const feed::DatasetSummary* dataset() const = 0;
    virtual data::ImageSource& images() = 0;  ///< decoded rows of the data set (tensor header in engine/data)
    virtual const ParentModel* parent() const = 0;

    /// Moves a tensor or module to the run's device; the only place where a device is decided.
    virtual at::Tensor toDevice(const at::Tensor& tensor) const = 0;
    virtual std::string deviceName() const = 0;
    virtual int threads() const = 0;

    /// THE training loop. Returns when done, stopped (wasStopped()) or failed.
    virtual Result<void> train(nn::LoopSpec& spec) = 0;
    /// A named part of the run with its own progress; runs `body` unless the run resumes past it.
    virtual Result<void> stage(std::string_view name, const std::function<Result<void>()>& body) = 0;
    virtual void progress(std::string_view text, std::int64_t done, std::int64_t total) = 0;

    virtual void scalar(std::string_view series, std::int64_t step, double value) = 0;
    virtual void mark(std::int64_t step, std::string_view kind, std::string_view text) = 0;
    /// Stores a tensor under a name of feed::arrays. Float32 unless `type` says otherwise. Any device; copied.
    virtual void array(std::string_view name, std::int64_t step, std::int64_t epoch, const at::Tensor& values,
                       feed::ArrayType type = feed::ArrayType::Float32) = 0;

    // Trade-off tables (TRADEOFF-SCHEMA): rows are append-only.
    virtual void tradeoffJob(const feed::TradeoffJob& job) = 0;  ///< once at the start, again to close it
    virtual void tradeoffLayer(const feed::TradeoffLayer& row) = 0;
    virtual void tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices) = 0;
    virtual void tradeoffTrace(const feed::TradeoffTrace& row) = 0;
    /// What an earlier life of a resumed run logged; a point in it is whole. Empty in a run's first life.
    virtual const feed::TradeoffTables& loggedTradeoff() const = 0;

    /// Writes tensors + string metadata as artifacts/<name>.safetensors (atomically); returns its path and payload bytes.
    struct Artifact {
        std::filesystem::path path;
        std::int64_t payloadBytes = 0;
    };
    virtual Result<Artifact> artifact(std::string_view name, const nn::NamedTensors& tensors) = 0;

    virtual std::stop_token stop() const = 0;
    virtual bool wasStopped() const = 0;
    /// Between steps of a recipe's own loop: handles pause, says whether to go on.
    virtual bool keepGoing() = 0;
    virtual void warn(Warning warning) = 0;
    virtual void log(std::string_view text) = 0;
    /// Facts for the manifest and the run table that are known only once the model exists.
    virtual void describeModel(std::int64_t params, std::int64_t macsPerItem) = 0;
};

/// What `espalier-cli predict` hands a recipe, and where the results go.
class PredictContext {
public:
    virtual ~PredictContext() = default;
    virtual const Params& params() const = 0;
    virtual const nn::NamedTensors& weights() const = 0;   ///< as in the file, reference or own names
    virtual std::string weightsPath() const = 0;
    virtual at::Tensor inputs() const = 0;                 ///< [B, …] float32 as given, no normalisation
    virtual bool wants(std::string_view tap) const = 0;    ///< matches one of the --taps globs
    virtual void output(std::string_view name, const at::Tensor& value) = 0;
};

}  // namespace espalier::api
