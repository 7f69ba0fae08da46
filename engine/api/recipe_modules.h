#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/recipe_registry.h"

namespace espalier::api {

/// What became of one file of a plugins folder.
struct ModuleReport {
    std::filesystem::path file;
    std::vector<std::string> recipes;  ///< ids it brought
    std::optional<Error> error;        ///< why it was left out
};

/// Where modules are looked for: ESPALIER_PLUGINS (folders or files, ':' between them), then "plugins" in the user's
/// data folder.
std::vector<std::filesystem::path> modulePlaces();

/// Stamp of this program; compiled with the linked-in recipes, in the generated list of them.
std::string_view programStamp();

/// Loads every *.so of the places (files in order of name) whose stamp is `stamp` and adds its recipes, all of a module
/// or none. One that cannot be used is reported and left out; none of its code has run unless its stamp agreed. Modules
/// stay loaded until the process ends. Call once at start, before any thread uses the registry.
std::vector<ModuleReport> loadRecipeModules(RecipeRegistry& registry, const std::vector<std::filesystem::path>& places,
                                            std::string_view stamp);

}  // namespace espalier::api
