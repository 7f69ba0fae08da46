#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/api/recipe_card.h"
#include "engine/base/result.h"
#include "engine/feed/dataset.h"

namespace at {
class Tensor;
}

namespace espalier::api {

class RunContext;
class PredictContext;

/// One method. Constructed by the registry for each job, used on the engine thread only.
class Recipe {
public:
    virtual ~Recipe() = default;

    /// Checks parameters against each other and against the data before anything is created. Cheap, no torch work.
    virtual Result<void> check(const Params& params, const feed::DatasetSummary* dataset) const;

    /// Size and cost. May build the model on the meta device or count by formula; at most a few milliseconds.
    virtual Result<Forecast> forecast(const Params& params, const feed::DatasetSummary* dataset) const;

    /// The whole method, as a sequence of context calls. Returns early with an Error or when ctx says stop.
    virtual Result<void> run(RunContext& context) = 0;

    /// Builds the model from params + weights and runs it on `inputs`; writes logits, embeddings and taps to the
    /// context. Recipes without a model to run keep the default (Unsupported).
    virtual Result<void> predict(PredictContext& context);
};

}  // namespace espalier::api
