#include "app/pages/new_run_forecast.h"

#include <QCoreApplication>

#include <algorithm>

#include "widgets/theme/format.h"

namespace espalier::app {

namespace {

QString words(const char* sentence) { return QCoreApplication::translate("RunForecast", sentence); }

}  // namespace

void completeFromParent(RunForecast& forecast, const feed::RunInfo& parent, const std::vector<feed::RunInfo>& earlier,
                        const std::function<Result<api::Forecast>(const feed::RunInfo&)>& again) {
    forecast.isFromParent = true;
    if (forecast.cost.params == 0) forecast.cost.params = parent.params_count;
    if (forecast.cost.macsPerItem == 0) forecast.cost.macsPerItem = parent.macs;
    if (forecast.cost.steps == 0) {
        forecast.timeWhy = words("nothing is learned with these methods, so there are no steps to go by");
        return;
    }
    const feed::RunInfo* newest = nullptr;
    double ratio = 0;
    for (const feed::RunInfo& run : earlier) {
        if (run.activeSecs <= 0 || (newest && run.createdSecs <= newest->createdSecs)) continue;
        const auto cost = again(run);
        if (!cost || cost->steps <= 0) continue;
        // A run of the same model scales by its steps; of another one by the work of an item too.
        const double work = run.macs > 0 && forecast.cost.macsPerItem > 0 ? static_cast<double>(forecast.cost.macsPerItem) / static_cast<double>(run.macs) : 1;
        ratio = static_cast<double>(forecast.cost.steps) / static_cast<double>(cost->steps) * work;
        newest = &run;
    }
    if (!newest) {
        forecast.timeWhy = words("no earlier run of this recipe to go by");
        return;
    }
    forecast.secsByEarlier = newest->activeSecs * ratio;
    forecast.timeWhy = words("by %1").arg(widgets::format::text(newest->name));
}

Result<api::Forecast> forecastAgain(const runtime::Engine& engine, const feed::RunInfo& run) {
    runtime::RunRequest request;
    request.recipe = run.recipe;
    request.dataset = run.datasetId;
    request.from = run.parentRun;
    if (const auto scale = api::scaleFromName(run.scale)) request.scale = *scale;
    request.params = run.changedParams;
    return engine.forecast(request);
}

}  // namespace espalier::app
