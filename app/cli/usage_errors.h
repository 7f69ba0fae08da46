#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "engine/base/result.h"

namespace espalier::cli {

/// What is wrong with a command line that could not be read: an unknown verb or flag with the nearest known one, else
/// what the parser says. `words` in the order they were typed, without the global flags.
Error usageError(const CLI::App& program, const std::vector<std::string>& words, const CLI::ParseError& error);

/// Long flags of a verb, "data" for --data.
std::vector<std::string> flagNames(const CLI::App& verb);

}  // namespace espalier::cli
