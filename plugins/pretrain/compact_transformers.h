#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/api/blocks.h"
#include "engine/api/recipe.h"
#include "engine/api/recipe_registry.h"
#include "engine/api/run_context.h"

namespace espalier::recipes::compact_transformers {

inline constexpr const char* kId = "70-compact-transformers";

api::RecipeCard card();

/// Shape of the model that these parameters and this data ask for.
Result<nn::CompactConfig> configFor(const api::Params& params, std::int64_t side, std::int64_t channels, std::int64_t classes);

/// Learning rate of an epoch under recipe Q, F or custom (= Q's shape).
double rateOf(const api::Params& params, std::int64_t epoch);
std::int64_t totalEpochs(const api::Params& params);

/// How training images are varied.
data::ImagePipeline trainPipeline(const api::Params& params, const data::ImagePipeline& plain);

/// Pinned images and their attention through training time.
class Probes {
public:
    /// Chooses `count` images spread over the classes of the test (else valid, else train) split and logs them once.
    static Result<std::unique_ptr<Probes>> pin(api::RunContext& context, const data::ImagePipeline& plain,
                                               const nn::CompactConfig& config, std::int64_t count);
    /// Maps, read-outs and their series for this epoch. Eval mode, no gradients, no randomness.
    Result<void> record(api::RunContext& context, nn::CompactTransformer& model, std::int64_t epoch, std::int64_t step);

private:
    at::Tensor m_inputs;  ///< [P, C, S, S] on the device
};

/// Scores a split batch by batch; embeddings of each image when asked.
struct Evaluation {
    metrics::Classification scores;
    double poolEntropy = -1;
    at::Tensor embeddings;  ///< [items, D] on the CPU, or undefined
};
Result<Evaluation> evaluateSplit(api::RunContext& context, nn::CompactTransformer& model, nn::BatchSource& batches,
                                 bool keepsEmbeddings);

}  // namespace espalier::recipes::compact_transformers
