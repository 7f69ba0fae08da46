#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace espalier::cli {

/// What the parser left over: "--name value" and "--name=value" become parameters. One bare word goes to `bareWord`
/// where the verb takes one; anything else is wrong usage.
Result<std::map<std::string, std::string>> looseParams(const std::vector<std::string>& words, std::string* bareWord = nullptr);

}  // namespace espalier::cli
