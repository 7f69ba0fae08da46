#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "app/cli/session.h"

namespace espalier::cli {

/// What a verb does once the command line is parsed; returns the exit code.
using Action = std::function<int(Session&)>;

/// Each adds its sub-commands to `program` and stores the chosen verb's action in `action`.
void addDataVerbs(CLI::App& program, Action& action);     ///< import, datasets
void addRunVerbs(CLI::App& program, Action& action);      ///< recipes, run, resume, stop
void addLookVerbs(CLI::App& program, Action& action);     ///< list, show, compare, metrics
void addModelVerbs(CLI::App& program, Action& action);    ///< predict, export
void addKeepVerbs(CLI::App& program, Action& action);     ///< rename, tag, note, delete, restore, workspace

void addDoctorVerb(CLI::App& program, Action& action);

/// Runs `body`; an Error becomes the sentence, the JSON object and exit code 1 (2 for `isUsage`).
int guarded(Session& session, const std::function<Result<int>()>& body);

/// The modules of the plugins folders and why one was left out: {"file", "recipes", "error"?} each.
nlohmann::ordered_json modulesJson(const Session& session);

}  // namespace espalier::cli
