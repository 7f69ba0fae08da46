#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/cli/loose_params.h"
#include "app/cli/usage_errors.h"
#include "app/cli/verbs.h"

namespace espalier::cli {
namespace {

nlohmann::ordered_json paramJson(const api::ParamSpec& spec) {
    static const char* const types[] = {"integer", "real", "boolean", "choice", "text", "integer_list", "choice_list"};
    nlohmann::ordered_json json{{"key", spec.key},
                                {"label", spec.label},
                                {"group", spec.group},
                                {"help", spec.help},
                                {"unit", spec.unit},
                                {"type", types[static_cast<int>(spec.type)]},
                                {"paper", api::valueText(spec.paper)},
                                {"desk", api::valueText(spec.desk)},
                                {"smoke", api::valueText(spec.smoke)}};
    if (spec.minimum != spec.maximum) json["range"] = {spec.minimum, spec.maximum};
    if (!spec.choices.empty()) json["choices"] = spec.choices;
    if (!spec.onlyWhenKey.empty()) json["only_when"] = {{"key", spec.onlyWhenKey}, {"values", spec.onlyWhenValues}};
    return json;
}

nlohmann::ordered_json cardJson(const api::RecipeCard& card, const std::string& origin) {
    auto params = nlohmann::ordered_json::array();
    for (const auto& spec : card.schema.specs()) params.push_back(paramJson(spec));
    auto claims = nlohmann::ordered_json::array();
    for (const auto& claim : card.claims)
        claims.push_back({{"dataset", claim.dataset}, {"metric", claim.metric}, {"value", claim.value},
                          {"setting", claim.setting}, {"source", claim.source}});
    auto accepts = nlohmann::ordered_json::array();
    for (const auto kind : card.accepts)
        accepts.push_back(kind == api::DatasetKind::Images ? "images" : kind == api::DatasetKind::Table ? "table" : "text");
    return {{"id", card.id}, {"name", card.name}, {"title", card.title}, {"year", card.year}, {"paper", card.paperLink},
            {"code", card.codeLink}, {"version", card.version}, {"about", card.about}, {"kinds", card.kinds},
            {"domains", card.domains}, {"accepts", accepts}, {"needs_parent_run", card.needsParentRun},
            {"outputs", card.outputs}, {"claims", claims}, {"deviations", card.deviations},
            {"desk_time", card.deskTime}, {"origin", origin.empty() ? "built in" : origin}, {"params", params}};
}

void printCard(const api::RecipeCard& card) {
    std::printf("%s  %s (%d), %s\n%s\n\n", card.id.c_str(), card.title.c_str(), card.year, card.paperLink.c_str(),
                card.about.c_str());
    std::vector<std::vector<std::string>> rows;
    for (const auto& spec : card.schema.specs()) {
        std::string allowed;
        for (const auto& word : spec.choices) allowed += (allowed.empty() ? "" : " ") + word;
        if (spec.minimum != spec.maximum) allowed = shortNumber(spec.minimum) + " to " + shortNumber(spec.maximum);
        rows.push_back({"--" + spec.key, api::valueText(spec.desk), api::valueText(spec.paper), allowed, spec.help});
    }
    printTable({"parameter", "desk", "paper", "allowed", "meaning"}, rows);
    for (const auto& deviation : card.deviations) std::printf("\nDiffers from the paper: %s", deviation.c_str());
    if (!card.deviations.empty()) std::printf("\n");
}

Result<std::vector<std::int64_t>> seedsFrom(const std::string& text) {
    api::ParamSchema schema({api::integerList("seed", "Run", "Seeds")});
    ESPALIER_TRY(const auto value, schema.parse("seed", text));
    return std::get<std::vector<std::int64_t>>(value);
}

struct RunOptions {
    runtime::RunRequest request;
    std::string seeds = "0", scale = "desk";
    std::vector<std::string> flags;  ///< of the verb itself, as opposed to the recipe's parameters
};

Result<api::Scale> scaleFrom(const std::string& text) {
    if (const auto scale = api::scaleFromName(text)) return *scale;
    const auto near = api::nearestWord(text, {"paper", "desk", "smoke"});
    return fail(ErrorCode::BadInput, "\"" + text + "\" is not paper, desk or smoke", "--scale", near.empty() ? "Name one of them" : "Did you mean " + near + "?");
}

/// A parameter that no recipe has may be one of the verb's own flags, misspelt.
Result<void> checkNames(const std::map<std::string, std::string>& params, const api::RecipeCard& card, const std::vector<std::string>& flags) {
    for (const auto& [key, value] : params) {
        if (card.schema.find(key)) continue;
        std::vector<std::string> known = flags;
        for (const auto& spec : card.schema.specs()) known.push_back(spec.key);
        const auto near = api::nearestWord(key, known);
        if (std::find(flags.begin(), flags.end(), near) != flags.end())
            return fail(ErrorCode::BadInput, "there is no flag or parameter of this name", key, "Did you mean --" + near + "?");
    }
    return {};
}

/// Everything that is said on the command line itself: what is wrong here is wrong usage.
Result<std::vector<std::int64_t>> readOptions(Session& session, RunOptions& options, const std::vector<std::string>& rest) {
    ESPALIER_TRY(options.request.scale, scaleFrom(options.scale));
    ESPALIER_TRY(options.request.params, looseParams(rest));
    ESPALIER_TRY(const auto* registry, session.registry());
    if (const auto* card = registry->find(options.request.recipe)) ESPALIER_CHECK_OK(checkNames(options.request.params, *card, options.flags));
    return seedsFrom(options.seeds);
}

Result<int> runVerb(Session& session, RunOptions& options, const std::vector<std::string>& rest) {
    auto& request = options.request;
    const auto seeds = readOptions(session, options, rest);
    if (!seeds) {
        report(seeds.error(), session.isJson());
        return kUsage;
    }
    ESPALIER_TRY(auto* engine, session.engine());
    std::vector<feed::JobId> jobs;
    const auto baseName = request.name;
    for (const auto seed : *seeds) {
        request.seed = seed;
        request.name = baseName.empty() || seeds->size() == 1 ? baseName : baseName + "-s" + std::to_string(seed);
        const auto job = engine->submit(request);
        if (!job) {  // a wrong parameter is wrong usage, and nothing has been started yet
            const int code = report(job.error(), session.isJson());
            return job.error().code == ErrorCode::BadInput ? kUsage : code;
        }
        jobs.push_back(*job);
    }
    return followJobs(session, *engine, jobs);
}

void listRecipes(Session& session, const api::RecipeRegistry& registry) {
    auto array = nlohmann::ordered_json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& card : registry.cards()) {
        const auto& origin = registry.originOf(card.id);
        array.push_back(cardJson(card, origin));
        rows.push_back({card.id, card.kinds.empty() ? "" : card.kinds[0], card.title, card.deskTime,
                        origin.empty() ? "built in" : origin});
    }
    if (session.isJson()) printJson({{"recipes", array}, {"modules", modulesJson(session)}});
    else printTable({"id", "kind", "paper", "desk time", "origin"}, rows);
}

void addRecipes(CLI::App& program, Action& action) {
    auto* recipes = program.add_subcommand("recipes", "List the recipes, or show one with its parameters");
    auto id = std::make_shared<std::string>();
    recipes->add_option("ID", *id, "Id, number or name");
    recipes->callback([&action, id] {
        action = [id](Session& session) {
            return guarded(session, [&]() -> Result<int> {
                ESPALIER_TRY(auto* registry, session.registry());
                if (!id->empty()) {
                    const auto* card = registry->find(*id);
                    if (!card) {
                        ESPALIER_TRY(auto made, registry->create(*id));
                        (void)made;
                    }
                    const auto& origin = registry->originOf(card->id);
                    if (session.isJson()) {
                        printJson({{"recipe", cardJson(*card, origin)}});
                    } else {
                        printCard(*card);
                        if (!origin.empty()) std::printf("\nFrom %s\n", origin.c_str());
                    }
                    return kDone;
                }
                listRecipes(session, *registry);
                return kDone;
            });
        };
    });
}

}  // namespace

void addRunVerbs(CLI::App& program, Action& action) {
    addRecipes(program, action);

    auto* run = program.add_subcommand("run", "Start a run and follow it; recipe parameters are --name value");
    auto options = std::make_shared<RunOptions>();
    auto& request = options->request;
    run->allow_extras();
    run->add_option("RECIPE", request.recipe, "Id, number or name")->required();
    run->add_option("--data", request.dataset, "Data set by id or name, or a path to import first");
    run->add_option("--from", request.from, "Run, or .safetensors file, to start from");
    run->add_option("--scale", options->scale, "paper, desk or smoke")->default_str("desk");
    run->add_option("--seed", options->seeds, "One seed, or several (0,1,2): one run each")->default_str("0");
    run->add_option("--device", request.device, "auto, cpu or cuda:N")->default_str("auto");
    run->add_option("--threads", request.threads, "CPU threads; 0 = all cores");
    run->add_option("--name", request.name, "Name of the run");
    run->add_option("--tag", request.tags, "Tag; may be repeated")->take_all();
    options->flags = flagNames(*run);
    run->callback([&action, options, run] {
        const auto rest = run->remaining();
        action = [options, rest](Session& session) {
            return guarded(session, [&] { return runVerb(session, *options, rest); });
        };
    });

    auto* resume = program.add_subcommand("resume", "Continue a stopped, failed or interrupted run");
    auto resumed = std::make_shared<std::string>();
    resume->add_option("RUN", *resumed, "Id, start of an id, or name")->required();
    resume->callback([&action, resumed] {
        action = [resumed](Session& session) {
            return guarded(session, [&]() -> Result<int> {
                ESPALIER_TRY(auto workspace, session.workspace());
                ESPALIER_TRY(const auto found, workspace->findRun(*resumed));
                ESPALIER_TRY(auto* engine, session.engine());
                ESPALIER_TRY(const auto job, engine->resumeRun(found.id));
                return followJobs(session, *engine, {job});
            });
        };
    });

    auto* stop = program.add_subcommand("stop", "Ask a run of any process on this workspace to stop after its step");
    auto stopped = std::make_shared<std::string>();
    stop->add_option("RUN", *stopped, "Id, start of an id, or name")->required();
    stop->callback([&action, stopped] {
        action = [stopped](Session& session) {
            return guarded(session, [&]() -> Result<int> {
                ESPALIER_TRY(auto workspace, session.workspace());
                ESPALIER_TRY(const auto found, workspace->findRun(*stopped));
                ESPALIER_CHECK_OK(workspace->requestStop(found.id));
                if (session.isJson()) printJson({{"run", runJson(found)}, {"stop", "requested"}});
                else std::printf("%s is asked to stop after its step\n", found.name.c_str());
                return kDone;
            });
        };
    });
}

}  // namespace espalier::cli
