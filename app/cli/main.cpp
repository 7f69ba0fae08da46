#include <exception>

#include "app/cli/usage_errors.h"
#include "app/cli/verbs.h"

/// espalier-cli: the engine without a window. Exit codes: 0 done, 1 failed, 2 wrong usage, 75 stopped and resumable.
int main(int argc, char** argv) {
    using namespace espalier;
    CLI::App program{"Espalier: train, watch and quantize models"};
    program.name("espalier-cli");
    program.set_version_flag("--version", std::string("espalier-cli ") + ESPALIER_VERSION);
    program.require_subcommand(1);
    // These two may stand anywhere: verbs that take free parameters would swallow them otherwise.
    std::string workspaceFlag;
    bool isJson = false;
    auto words = cli::takeGlobalFlags(argc, argv, workspaceFlag, isJson);
    program.add_option("--workspace", workspaceFlag, "Workspace folder; else ESPALIER_WORKSPACE, else the user's data folder");
    program.add_flag("--json", isJson, "One JSON document on standard output (run and resume: an object a line)");

    cli::Action action;
    cli::addDataVerbs(program, action);
    cli::addRunVerbs(program, action);
    cli::addLookVerbs(program, action);
    cli::addModelVerbs(program, action);
    cli::addKeepVerbs(program, action);
    cli::addDoctorVerb(program, action);
    const std::vector<std::string> typed(words.rbegin(), words.rend());
    try {
        program.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return program.exit(error);
        cli::report(cli::usageError(program, typed, error), isJson);
        return cli::kUsage;
    }
    cli::installStopSignals();
    try {
        cli::Session session(workspaceFlag, isJson);
        return action(session);
    } catch (const std::exception& error) {
        return cli::report({ErrorCode::Internal, error.what(), "espalier-cli", "Please report this", {}}, isJson);
    }
}
