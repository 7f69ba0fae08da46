#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/api/recipe_registry.h"
#include "engine/api/run_context.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {

/// A checked request: all that can be wrong with it was found before anything is created. Plain values, any thread.
struct RunPlan {
    feed::RunInfo info;  ///< everything known so far; id and folder once the run is created
    const api::RecipeCard* card = nullptr;
    api::Params params;
    std::optional<feed::DatasetSummary> dataset;
    std::filesystem::path importPath;  ///< data that is imported when the run starts; dataset is then empty
    std::optional<api::ParentModel> parent;  ///< sha256 is filled when the run starts
    std::string from;                  ///< the parent as the user named it
    bool isResumed = false;
};

/// Recipe, parameters, data, parent and device of a request, checked against each other.
Result<RunPlan> planRun(const Workspace& workspace, const api::RecipeRegistry& registry, const RunRequest& request);
/// The same from the catalog row of a run that ended early.
Result<RunPlan> planResume(const Workspace& workspace, const api::RecipeRegistry& registry, const std::string& runId);

/// Recipe parameters of a request at its scale; the error names the parameter.
Result<api::Params> requestParams(const api::RecipeCard& card, const RunRequest& request);

/// A parent from the best weights of a run, or from a bare file (facts from its metadata, where it has them).
Result<api::ParentModel> parentFromRun(const Workspace& workspace, const feed::RunInfo& run);
Result<api::ParentModel> parentFromFile(const std::filesystem::path& file);
/// The weights that stand for a run: best, else last. The error says that there are none yet.
Result<std::filesystem::path> runWeights(const feed::RunInfo& run);

/// "cct-desk-s0": lower-case words joined by '-'.
std::string defaultRunName(const api::RecipeCard& card, const api::Params& params, std::int64_t seed);

}  // namespace espalier::runtime
