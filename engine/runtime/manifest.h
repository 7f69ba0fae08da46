#pragma once

#include <string>

#include "engine/api/params.h"
#include "engine/feed/run_info.h"
#include "engine/runtime/engine.h"

namespace espalier::runtime {

/// What is fixed when a run starts, besides its catalog row.
struct ManifestFacts {
    std::string recipeVersion;
    std::string from;           ///< parent as the user named it: run id or weights file
    std::string datasetSource;  ///< path it was imported from
};

/// manifest.json of a run: recipe and version, parameters, seed, data hash, device, threads, versions, parent.
std::string manifestJson(const feed::RunInfo& info, const ManifestFacts& facts, const MachineReport& machine);

}  // namespace espalier::runtime
