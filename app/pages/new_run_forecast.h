#pragma once

#include <QString>

#include <functional>
#include <string>
#include <vector>

#include "engine/runtime/engine.h"

namespace espalier::app {

/// What a run would cost; made in the background.
struct RunForecast {
    api::Forecast cost;
    double secsPerItem = 0;
    std::int64_t memoryOfMachine = 0;
    std::vector<std::string> devices;
    bool isFromParent = false;   ///< size and MACs are those of the parent run
    double secsByEarlier = 0;    ///< by an earlier run of the recipe, scaled; 0 = there is none
    QString timeWhy;             ///< how the time is known, or why it is not
    /// Weights, gradients, two moments of the optimizer and the activations of a batch.
    std::int64_t bytes() const { return cost.params * 16 + cost.bytesActivations; }
    double secs() const { return isFromParent ? secsByEarlier : secsPerItem * static_cast<double>(cost.items); }
};

/// A recipe that starts from a run does not know its size by its parameters: size and MACs are the parent's, and the
/// time is that of the newest earlier run of the recipe, by steps and MACs. `again` forecasts that earlier run.
void completeFromParent(RunForecast& forecast, const feed::RunInfo& parent, const std::vector<feed::RunInfo>& earlier,
                        const std::function<Result<api::Forecast>(const feed::RunInfo&)>& again);
/// The forecast of a run as it was started.
Result<api::Forecast> forecastAgain(const runtime::Engine& engine, const feed::RunInfo& run);

}  // namespace espalier::app
