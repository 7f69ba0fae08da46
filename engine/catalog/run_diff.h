#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/database.h"
#include "engine/feed/run_diff.h"

namespace espalier::catalog {

/// What differs between the runs `ids`; NotFound names the first that is missing.
Result<feed::RunDiff> diffRuns(Database& database, const std::vector<std::string>& ids);

}  // namespace espalier::catalog
