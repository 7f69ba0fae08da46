#include "engine/api/recipe_modules.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <set>

#include "engine/api/module_marker.h"
#include "engine/api/module_stamp.h"
#include "engine/api/recipe_module.h"
#include "engine/base/files.h"

namespace espalier::api {
namespace fs = std::filesystem;
namespace {

using Entry = void (*)(RecipeRegistry&, Result<void>&);

/// A module is foreign code: what it throws ends here.
Result<void> registerGuarded(Entry entry, RecipeRegistry& registry, const fs::path& file) {
    Result<void> outcome;
    try {
        entry(registry, outcome);
    } catch (const std::exception& error) {
        return fail(ErrorCode::Internal, std::string("the recipe module failed to register: ") + error.what(), file.string());
    }
    if (!outcome) {
        auto error = outcome.error();
        error.where = file.string() + (error.where.empty() ? "" : ", " + error.where);
        return fail(std::move(error));
    }
    return outcome;
}

Result<std::vector<std::string>> loadModule(RecipeRegistry& registry, const fs::path& file, std::string_view stamp) {
    ESPALIER_TRY(const auto found, readModuleStamp(file));
    if (found != stamp)
        return fail(ErrorCode::Unsupported,
                    "was built for \"" + found + "\" and this program is \"" + std::string(stamp) + "\"", file.string(),
                    "Build it again against this version");
    ESPALIER_TRY(const auto marker, ModuleMarker::set(file, userDataFolder() / "loading"));
    void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* message = ::dlerror();
        return fail(ErrorCode::Unsupported, "the recipe module cannot be loaded", file.string(),
                    "Build it again against this version", message ? message : "");
    }
    const auto entry = reinterpret_cast<Entry>(::dlsym(handle, kModuleEntry));
    if (!entry)
        return fail(ErrorCode::BadInput, "the recipe module does not say how to register its recipes", file.string(),
                    "Use ESPALIER_RECIPE_MODULE of engine/api/recipe_module.h");
    RecipeRegistry own;
    ESPALIER_CHECK_OK(registerGuarded(entry, own, file));
    std::vector<std::string> ids;
    for (const auto& card : own.cards()) ids.push_back(card.id);
    ESPALIER_CHECK_OK(registry.addAll(std::move(own), file.string()));
    return ids;
}

std::vector<fs::path> modulesIn(const fs::path& place) {
    std::error_code error;
    if (!fs::is_directory(place, error)) return {place};
    std::vector<fs::path> files;
    for (fs::directory_iterator it(place, fs::directory_options::skip_permission_denied, error), end; !error && it != end;
         it.increment(error))
        if (it->path().extension() == ".so") files.push_back(it->path());
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

std::vector<fs::path> modulePlaces() {
    std::vector<fs::path> places;
    const char* variable = std::getenv("ESPALIER_PLUGINS");
    const std::string text = variable ? variable : "";
    for (std::size_t start = 0; start < text.size();) {
        const auto end = std::min(text.find(':', start), text.size());
        if (end > start) places.emplace_back(text.substr(start, end - start));
        start = end + 1;
    }
    // Only what was named must exist.
    std::error_code ignored;
    if (const auto own = userDataFolder() / "plugins"; fs::is_directory(own, ignored)) places.push_back(own);
    return places;
}

std::vector<ModuleReport> loadRecipeModules(RecipeRegistry& registry, const std::vector<fs::path>& places,
                                            std::string_view stamp) {
    std::vector<ModuleReport> reports;
    std::set<fs::path> seen;
    for (const auto& place : places)
        for (const auto& file : modulesIn(place)) {
            std::error_code ignored;
            if (!seen.insert(fs::weakly_canonical(file, ignored)).second) continue;
            auto ids = loadModule(registry, file, stamp);
            reports.push_back({file, ids ? std::move(*ids) : std::vector<std::string>(),
                               ids ? std::nullopt : std::optional<Error>(ids.error())});
        }
    return reports;
}

}  // namespace espalier::api
