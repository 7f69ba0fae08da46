#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/catalog/catalog.h"
#include "engine/feed/run_info.h"

/// The three JSON files of a run folder from which its catalog row can be made again: manifest.json (written once; its
/// member "run" is ours), state.json (what the training process owns) and user.json (name, tags, note, colour).
namespace espalier::catalog {

/// Format of manifest.json; a newer one is refused, one without a number is of format 1.
inline constexpr std::int64_t kManifestVersion = 1;
Result<void> checkManifestVersion(std::string_view manifestJson, const std::filesystem::path& file);

/// The manifest with its member "run" set from `info`. The rest stays as given, in its order.
Result<std::string> manifestWithRun(const std::string& manifestJson, const feed::RunInfo& info);
Result<void> writeRunState(const std::filesystem::path& folder, const feed::RunInfo& info);
Result<void> writeRunUser(const std::filesystem::path& folder, const feed::RunInfo& info);

/// The row of a run folder. The manifest is needed; a missing or broken state.json or user.json becomes a warning.
Result<feed::RunInfo> readRunFolder(const std::filesystem::path& folder, Warnings& warnings);

/// The trade-off points of a finished run as tradeoff.json, so that a rebuild need not open its log. No rows, no file.
Result<void> writeRunTradeoff(const std::filesystem::path& folder, const std::vector<TradeoffRow>& rows);
/// Empty when there is no such file; a broken one becomes a warning.
std::vector<TradeoffRow> readRunTradeoff(const std::filesystem::path& folder, Warnings& warnings);

/// Checkpoint files of a run folder, oldest first.
std::vector<CheckpointRow> listCheckpoints(const std::filesystem::path& folder);
/// Sum of the file sizes below; links are not followed.
std::int64_t folderBytes(const std::filesystem::path& folder);

}  // namespace espalier::catalog
