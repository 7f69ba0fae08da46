#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/api/recipe_registry.h"
#include "engine/base/result.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {

/// What to predict with, on what, and where to put it. Either `run`, or `recipe` and `weights`.
struct PredictRequest {
    std::string run;                            ///< id or name of a run: its recipe, parameters and best weights
    std::string recipe;                         ///< id, number or name
    std::string weights;                        ///< .safetensors under own or reference names
    std::map<std::string, std::string> params;  ///< text as from the command line; added to those of the run
    std::string input;                          ///< .npy, .npz or .safetensors file, else a data set's id or name
    std::vector<std::string> taps;              ///< globs of intermediates that are written too
    std::filesystem::path output;               ///< .safetensors
};

/// Runs a model on an input and writes logits, embeddings and the wanted taps. Works on the CPU in the calling thread;
/// needs no engine. Catches what the libraries throw.
Result<void> predictToFile(Workspace& workspace, const api::RecipeRegistry& registry, const PredictRequest& request);

}  // namespace espalier::runtime
