#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/output.h"
#include "engine/api/recipe_modules.h"
#include "engine/runtime/engine.h"
#include "engine/runtime/workspace.h"

namespace espalier::cli {

/// What one call of the program works with; workspace and engine are opened on first use.
class Session {
public:
    Session(std::string workspaceFlag, bool isJson) : m_workspaceFlag(std::move(workspaceFlag)), m_isJson(isJson) {}

    bool isJson() const { return m_isJson; }
    Result<std::shared_ptr<runtime::Workspace>> workspace();
    /// Linked-in recipes and those of modules; a module that cannot be used costs a warning on standard error.
    Result<api::RecipeRegistry*> registry();
    /// What became of each module file; filled by registry().
    const std::vector<api::ModuleReport>& modules() const { return m_modules; }
    Result<runtime::Engine*> engine();

private:
    std::string m_workspaceFlag;
    bool m_isJson;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<api::RecipeRegistry> m_registry;
    std::vector<api::ModuleReport> m_modules;
    std::unique_ptr<runtime::Engine> m_engine;
};

/// Takes --json and --workspace DIR (or --workspace=DIR) out of the command line, up to a "--". What is left is
/// reversed, as CLI11 wants it.
std::vector<std::string> takeGlobalFlags(int argc, char** argv, std::string& workspace, bool& isJson);

/// Installs handlers for SIGINT, SIGTERM and SIGHUP that only note the wish to stop.
void installStopSignals();
/// How often a stop was asked for since the start.
int stopRequests();

/// Follows jobs until all have ended: prints events (one JSON object a line) or progress to standard error.
/// Ctrl+C stops them after the step; returns the exit code (0, 1, 75).
int followJobs(Session& session, runtime::Engine& engine, const std::vector<feed::JobId>& jobs);

/// Ends when the import has; hands back its summary.
Result<feed::DatasetSummary> followImport(Session& session, runtime::Engine& engine, feed::JobId job);

}  // namespace espalier::cli
