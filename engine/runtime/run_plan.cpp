#include "engine/runtime/run_plan.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <nlohmann/json.hpp>

#include "engine/base/clock.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/device.h"
#include "engine/runtime/thread_setup.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

constexpr int kMaxThreads = 1024;

Result<const api::RecipeCard*> findCard(const api::RecipeRegistry& registry, const std::string& recipe) {
    if (const auto* card = registry.find(recipe)) return card;
    auto missing = registry.create(recipe);
    if (!missing) return fail(std::move(missing).error());
    return fail(ErrorCode::NotFound, "there is no recipe of this name", recipe);
}

const char* kindText(api::DatasetKind kind) {
    return kind == api::DatasetKind::Images ? "images" : kind == api::DatasetKind::Table ? "table" : "text";
}

Result<void> checkDataset(const api::RecipeCard& card, const feed::DatasetSummary& dataset) {
    std::string accepted;
    for (const auto kind : card.accepts) {
        if (dataset.kind == kindText(kind)) return {};
        accepted += (accepted.empty() ? "" : " or ") + std::string(kindText(kind));
    }
    if (card.accepts.empty())
        return fail(ErrorCode::BadInput, card.name + " takes no data", dataset.name, "Leave the data set out");
    return fail(ErrorCode::BadInput, card.name + " needs " + accepted + ", and this data set holds a " + dataset.kind,
                dataset.name, "Choose another data set or recipe");
}

bool isWeightsFile(const std::string& text) {
    std::error_code ignored;
    return fs::path(text).extension() == ".safetensors" && fs::is_regular_file(text, ignored);
}

Result<void> resolveParent(RunPlan& plan, const Workspace& workspace, const api::RecipeRegistry& registry,
                           const std::string& from) {
    const auto& card = *plan.card;
    if (from.empty()) {
        if (!card.needsParentRun) return {};
        return fail(ErrorCode::BadInput, card.name + " starts from a finished run, and none was named", "from",
                    "Name a run or a .safetensors file with --from");
    }
    plan.from = from;
    if (isWeightsFile(from)) {
        ESPALIER_TRY(plan.parent, parentFromFile(from));
        return {};
    }
    if (fs::path(from).extension() == ".safetensors")
        return fail(ErrorCode::NotFound, "there is no such weights file", from, "Check the path");
    ESPALIER_TRY(const auto run, workspace.findRun(from));
    if (!card.parentKinds.empty()) {
        const auto* parentCard = registry.find(run.recipe);
        const bool isFit = parentCard && std::any_of(parentCard->kinds.begin(), parentCard->kinds.end(),
                                                     [&](const std::string& kind) {
                                                         return std::count(card.parentKinds.begin(),
                                                                           card.parentKinds.end(), kind) > 0;
                                                     });
        if (!isFit)
            return fail(ErrorCode::BadInput, card.name + " cannot start from a run of " + run.recipe, run.name,
                        "Choose a run of a recipe of the kind " + card.parentKinds.front());
    }
    ESPALIER_TRY(plan.parent, parentFromRun(workspace, run));
    plan.info.parentRun = run.id;
    return {};
}

Result<void> resolveDataset(RunPlan& plan, const Workspace& workspace, const std::string& text) {
    if (text.empty()) {
        if (plan.card->accepts.empty()) return {};
        if (plan.parent && !plan.parent->runId.empty()) {
            ESPALIER_TRY(const auto parent, workspace.run(plan.parent->runId));
            ESPALIER_TRY(plan.dataset, workspace.dataset(parent.datasetId));
        } else {
            return fail(ErrorCode::BadInput, plan.card->name + " needs data, and none was named", "data",
                        "Name a data set or a path with --data");
        }
    } else if (auto known = workspace.findDataset(text)) {
        plan.dataset = std::move(*known);
    } else if (std::error_code ignored; fs::exists(text, ignored)) {
        plan.importPath = fs::absolute(text);
        plan.info.datasetName = plan.importPath.filename().empty() ? plan.importPath.parent_path().filename().string()
                                                                   : plan.importPath.filename().string();
        return {};
    } else {
        return fail(std::move(known).error());
    }
    ESPALIER_CHECK_OK(checkDataset(*plan.card, *plan.dataset));
    plan.info.datasetId = plan.dataset->id;
    plan.info.datasetName = plan.dataset->name;
    plan.info.datasetHash = plan.dataset->hash;
    return {};
}

Result<void> checkMachine(const std::string& device, int threads) {
    if (threads < 0 || threads > kMaxThreads)
        return fail(ErrorCode::BadInput, std::to_string(threads) + " threads are not possible", "threads",
                    "Use 0 for all cores, or a number up to " + std::to_string(kMaxThreads));
    if (device == "auto" || device.empty()) return {};  // decided when the run starts
    ESPALIER_TRY(const auto resolved, resolveDevice(device));
    (void)resolved;
    return {};
}

std::int64_t integerIn(const std::map<std::string, std::string>& facts, const char* key) {
    const auto found = facts.find(key);
    std::int64_t value = 0;
    if (found != facts.end())
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    return value;
}

}  // namespace

std::string defaultRunName(const api::RecipeCard& card, const api::Params& params, std::int64_t seed) {
    std::string base = card.name;
    if (const auto* variant = card.schema.find("variant");
        variant && variant->type == api::ParamType::Choice && params.text("variant") != "custom")
        base = params.text("variant");
    std::string name;
    for (const char c : base) {
        const auto letter = static_cast<unsigned char>(c);
        if (std::isalnum(letter)) name += static_cast<char>(std::tolower(letter));
        else if (!name.empty() && name.back() != '-') name += '-';
    }
    return name + (name.empty() || name.back() == '-' ? "s" : "-s") + std::to_string(seed);
}

Result<api::Params> requestParams(const api::RecipeCard& card, const RunRequest& request) {
    api::Params params(card.schema, request.scale);
    for (const auto& [key, text] : request.params) {
        auto set = params.setText(key, text);
        if (!set) return fail(std::move(set).error());
    }
    return params;
}

Result<fs::path> runWeights(const feed::RunInfo& run) {
    std::error_code ignored;
    const auto folder = fs::path(run.folder) / "checkpoints";
    for (const auto* file : {"best.safetensors", "last.safetensors"})
        if (fs::exists(folder / file, ignored)) return folder / file;
    return fail(ErrorCode::NotFound, "this run has saved no weights", run.name,
                "Let it train to its first checkpoint");
}

Result<api::ParentModel> parentFromRun(const Workspace& workspace, const feed::RunInfo& run) {
    api::ParentModel parent;
    ESPALIER_TRY(parent.weights, runWeights(run));
    ESPALIER_TRY(const auto header, interop::readSafetensorsHeader(parent.weights));
    parent.runId = run.id;
    parent.recipeId = run.recipe;
    parent.name = run.name;
    parent.params = run.params;
    parent.classes = integerIn(header.metadata, "classes");
    if (parent.classes == 0)
        if (const auto dataset = workspace.dataset(run.datasetId))
            parent.classes = static_cast<std::int64_t>(dataset->classes.size());
    return parent;
}

Result<api::ParentModel> parentFromFile(const fs::path& file) {
    ESPALIER_TRY(const auto header, interop::readSafetensorsHeader(file));
    api::ParentModel parent;
    parent.weights = fs::absolute(file);
    parent.name = file.stem().string();
    const auto fact = [&](const char* key) {
        const auto found = header.metadata.find(key);
        return found == header.metadata.end() ? std::string() : found->second;
    };
    parent.recipeId = fact("recipe");
    parent.classes = integerIn(header.metadata, "classes");
    // Files written by a run carry its parameters; anything else in that place is no fact of ours.
    const auto params = nlohmann::json::parse(fact("params"), nullptr, /*allow_exceptions=*/false);
    if (params.is_object())
        for (const auto& [key, value] : params.items())
            if (value.is_string()) parent.params[key] = value.get<std::string>();
    return parent;
}

Result<RunPlan> planRun(const Workspace& workspace, const api::RecipeRegistry& registry, const RunRequest& request) {
    RunPlan plan;
    ESPALIER_TRY(plan.card, findCard(registry, request.recipe));
    ESPALIER_TRY(plan.params, requestParams(*plan.card, request));
    ESPALIER_CHECK_OK(checkMachine(request.device, request.threads));
    ESPALIER_CHECK_OK(resolveParent(plan, workspace, registry, request.from));
    ESPALIER_CHECK_OK(resolveDataset(plan, workspace, request.dataset));
    ESPALIER_TRY(const auto recipe, registry.create(plan.card->id));
    ESPALIER_CHECK_OK(recipe->check(plan.params, plan.dataset ? &*plan.dataset : nullptr));

    auto& info = plan.info;
    info.recipe = plan.card->id;
    info.seed = request.seed;
    info.scale = api::scaleName(request.scale);
    info.device = request.device.empty() ? "auto" : request.device;
    info.threads = request.threads > 0 ? request.threads : availableCores();
    info.tags = request.tags;
    info.params = plan.params.toText();
    info.changedParams = plan.params.changedFromDefault();
    info.createdSecs = wallClockSecs();
    info.name = request.name.empty() ? defaultRunName(*plan.card, plan.params, request.seed) : request.name;
    return plan;
}

Result<RunPlan> planResume(const Workspace& workspace, const api::RecipeRegistry& registry, const std::string& runId) {
    RunPlan plan;
    ESPALIER_TRY(plan.info, workspace.run(runId));
    const auto& info = plan.info;
    if (info.isTrashed)
        return fail(ErrorCode::BadInput, "this run lies in the trash", info.name, "Restore it first");
    if (!feed::canContinue(info.state))
        return fail(ErrorCode::BadInput,
                    std::string("this run is ") + feed::jobStateName(info.state) + " and cannot be continued",
                    info.name);
    ESPALIER_TRY(plan.card, findCard(registry, info.recipe));
    RunRequest request;
    request.scale = api::scaleFromName(info.scale).value_or(api::Scale::Desk);
    request.params = info.params;
    ESPALIER_TRY(plan.params, requestParams(*plan.card, request));
    ESPALIER_TRY(const auto manifestText, workspace.manifestText(runId));
    const auto manifest = nlohmann::json::parse(manifestText, nullptr, /*allow_exceptions=*/false);
    std::string from = info.parentRun;
    if (manifest.is_object() && manifest.contains("parent") && manifest["parent"].is_object() &&
        manifest["parent"].value("from", nlohmann::json()).is_string())
        from = manifest["parent"]["from"].get<std::string>();
    if (!info.parentRun.empty()) from = info.parentRun;
    ESPALIER_CHECK_OK(resolveParent(plan, workspace, registry, from));
    const auto storedHash = info.datasetHash;
    std::string source;
    if (info.datasetId.empty() && manifest.is_object() && manifest.contains("dataset") &&
        manifest["dataset"].is_object())
        source = manifest["dataset"].value("source", "");
    ESPALIER_CHECK_OK(resolveDataset(plan, workspace, info.datasetId.empty() ? source : info.datasetId));
    if (!storedHash.empty() && plan.dataset && plan.dataset->hash != storedHash)
        return fail(ErrorCode::BadInput, "the data set changed since this run started, so it cannot be continued exactly",
                    plan.dataset->name, "Restore the split it was made with, or start a new run");
    plan.isResumed = true;
    return plan;
}

}  // namespace espalier::runtime
