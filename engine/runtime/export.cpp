#include "engine/runtime/export.h"

#include <algorithm>

#include "engine/base/files.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/run_plan.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

// Bytes for bytes, so that hashes stay what they were.
Result<void> copyFile(const fs::path& from, const fs::path& to) {
    std::error_code code;
    if (fs::equivalent(from, to, code)) return fail(ErrorCode::BadInput, "is the file itself", to.string());
    ESPALIER_TRY(const auto bytes, readFile(from, std::size_t(1) << 40));
    return writeFileAtomically(to, bytes);
}

}  // namespace

Result<void> exportRunWeights(const Workspace& workspace, const std::string& runId, const fs::path& file) {
    ESPALIER_TRY(const auto run, workspace.run(runId));
    ESPALIER_TRY(const auto weights, runWeights(run));
    ESPALIER_TRY(const auto header, interop::readSafetensorsHeader(weights));
    (void)header;
    return copyFile(weights, file);
}

Result<void> exportTradeoffPoint(const Workspace& workspace, const std::string& runId, int pointId,
                                 const fs::path& file) {
    ESPALIER_TRY(const auto run, workspace.run(runId));
    ESPALIER_TRY(const auto tables, workspace.tradeoff(runId));
    const auto point = std::find_if(tables.points.begin(), tables.points.end(),
                                    [&](const feed::TradeoffPoint& candidate) { return candidate.pointId == pointId; });
    if (point == tables.points.end())
        return fail(ErrorCode::NotFound, "there is no point " + std::to_string(pointId), run.name,
                    "espalier-cli show lists the points");
    const auto artifact = fs::path(run.folder) / "artifacts" / ("point-" + std::to_string(pointId) + ".safetensors");
    std::error_code ignored;
    if (!fs::exists(artifact, ignored))
        return fail(ErrorCode::NotFound, "no model was stored for the point " + point->label, run.name);
    ESPALIER_TRY(const auto header, interop::readSafetensorsHeader(artifact));
    if (static_cast<std::int64_t>(header.payloadBytes) != point->bytesTotal)
        return fail(ErrorCode::Corrupt,
                    "the stored model has " + std::to_string(header.payloadBytes) + " bytes where the log says " +
                        std::to_string(point->bytesTotal),
                    artifact.string(), "Run the job again");
    return copyFile(artifact, file);
}

}  // namespace espalier::runtime
