#include "app/cli/usage_errors.h"

#include <algorithm>

#include "engine/api/params.h"

namespace espalier::cli {
namespace {

bool isFlag(const std::string& word) { return word.size() > 1 && word[0] == '-'; }
bool isLongFlag(const std::string& word) { return word.size() > 2 && word.compare(0, 2, "--") == 0; }

std::string suggestion(const std::string& near, const std::string& prefix, const std::string& otherwise) {
    return near.empty() ? otherwise : "Did you mean " + prefix + near + "?";
}

std::vector<const CLI::App*> verbsOf(const CLI::App& program) { return program.get_subcommands([](const CLI::App*) { return true; }); }

Error unknownVerb(const CLI::App& program, const std::string& word) {
    std::vector<std::string> verbs;
    for (const auto* verb : verbsOf(program)) verbs.push_back(verb->get_name());
    return {ErrorCode::BadInput, "there is no verb \"" + word + "\"", "command line",
            suggestion(api::nearestWord(word, verbs), "", "espalier-cli --help lists the verbs"), {}};
}

/// The first flag in [begin, end) that `app` does not have; empty when it has all.
std::string unknownFlag(const CLI::App& app, const std::vector<std::string>& words, std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && words[i] != "--"; ++i) {
        const std::string name = words[i].substr(0, words[i].find('='));
        if (isLongFlag(words[i]) && !app.get_option_no_throw(name)) return name;
    }
    return {};
}

Error unknownFlagError(const CLI::App& app, const std::string& flag, const std::string& owner, const std::string& help) {
    auto known = flagNames(app);
    for (const char* global : {"json", "workspace"})
        if (std::find(known.begin(), known.end(), global) == known.end()) known.emplace_back(global);
    return {ErrorCode::BadInput, "there is no flag " + flag + owner, "command line", suggestion(api::nearestWord(flag.substr(2), known), "--", help), {}};
}

}  // namespace

std::vector<std::string> flagNames(const CLI::App& verb) {
    std::vector<std::string> names;
    for (const auto* option : verb.get_options())
        for (const auto& name : option->get_lnames()) names.push_back(name);
    return names;
}

Error usageError(const CLI::App& program, const std::vector<std::string>& words, const CLI::ParseError& error) {
    const auto verbAt = static_cast<std::size_t>(std::find_if_not(words.begin(), words.end(), isFlag) - words.begin());
    if (const auto flag = unknownFlag(program, words, 0, verbAt); !flag.empty())
        return unknownFlagError(program, flag, "", "espalier-cli --help lists the flags");
    if (verbAt == words.size())
        return {ErrorCode::BadInput, "there is no verb", "command line", "espalier-cli --help lists the verbs", {}};
    const auto verbs = verbsOf(program);
    const auto found = std::find_if(verbs.begin(), verbs.end(), [&](const CLI::App* each) { return each->check_name(words[verbAt]); });
    if (found == verbs.end()) return unknownVerb(program, words[verbAt]);
    const CLI::App* verb = *found;
    const std::string help = "espalier-cli " + verb->get_name() + " --help tells how it is used";
    if (dynamic_cast<const CLI::ExtrasError*>(&error))
        if (const auto flag = unknownFlag(*verb, words, verbAt + 1, words.size()); !flag.empty())
            return unknownFlagError(*verb, flag, " for " + verb->get_name(), help);
    return {ErrorCode::BadInput, error.what(), "command line", help, {}};
}

}  // namespace espalier::cli
