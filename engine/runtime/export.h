#pragma once

#include <filesystem>
#include <string>

#include "engine/base/result.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {

/// Copies the weights that stand for a run (best, else last), checked on the way.
Result<void> exportRunWeights(const Workspace& workspace, const std::string& runId, const std::filesystem::path& file);
/// Copies the artifact of one trade-off point; refuses when its payload differs from the bytes the point logged.
Result<void> exportTradeoffPoint(const Workspace& workspace, const std::string& runId, int pointId,
                                 const std::filesystem::path& file);

}  // namespace espalier::runtime
