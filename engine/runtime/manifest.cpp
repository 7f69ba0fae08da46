#include "engine/runtime/manifest.h"

#include <nlohmann/json.hpp>

#include "engine/base/clock.h"
#include "engine/catalog/run_folder.h"

namespace espalier::runtime {

std::string manifestJson(const feed::RunInfo& info, const ManifestFacts& facts, const MachineReport& machine) {
    using nlohmann::json;
    const auto orNull = [](const std::string& text) { return text.empty() ? json(nullptr) : json(text); };
    json manifest;
    manifest["format"] = "espalier-run";
    manifest["format_version"] = catalog::kManifestVersion;
    manifest["id"] = info.id;
    manifest["name"] = info.name;
    manifest["recipe"] = {{"id", info.recipe}, {"version", facts.recipeVersion}};
    manifest["scale"] = info.scale;
    manifest["params"] = info.params;
    manifest["changed_params"] = info.changedParams;
    manifest["seed"] = info.seed;
    manifest["dataset"] = info.datasetId.empty() && info.datasetName.empty()
                              ? json(nullptr)
                              : json{{"id", info.datasetId},
                                     {"name", info.datasetName},
                                     {"hash", info.datasetHash},
                                     {"source", facts.datasetSource}};
    manifest["parent"] = facts.from.empty() && info.parentRun.empty()
                             ? json(nullptr)
                             : json{{"run", orNull(info.parentRun)},
                                    {"from", orNull(facts.from)}};
    manifest["device"] = info.device;
    manifest["threads"] = info.threads;
    manifest["created"] = utcText(info.createdSecs);
    manifest["versions"] = {{"espalier", machine.version}, {"torch", machine.torchVersion}};
    manifest["machine"] = {{"cpu", machine.cpuName},
                           {"cpu_capability", machine.cpuCapability},
                           {"blas", machine.blas},
                           {"cores", machine.cores},
                           {"memory_bytes", machine.memoryBytes},
                           {"cuda", machine.cudaText}};
    manifest["tags"] = info.tags;
    manifest["color_index"] = info.colorIndex;
    return manifest.dump(2) + "\n";
}

}  // namespace espalier::runtime
