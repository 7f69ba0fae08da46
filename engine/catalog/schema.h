#pragma once

#include <cstdint>
#include <filesystem>

#include "engine/base/result.h"
#include "engine/catalog/database.h"

namespace espalier::catalog {

/// Version that this program writes (PRAGMA user_version).
int schemaVersion() noexcept;

/// Unsupported when the header of the file names a newer format. Opens nothing, so nothing is written.
Result<void> checkFormat(const std::filesystem::path& file);

/// Creates or migrates the tables; true when an older catalog was migrated, which is copied to backupFile() first. A
/// catalog of a newer program is Unsupported and left alone; other tables than the version promises are Corrupt.
Result<bool> prepareSchema(Database& database);

/// Empties the full-text index by making it anew; row by row would take half a minute for 100,000 runs.
Result<void> clearRunText(Database& database);

/// Where the catalog of format `version` is kept when it is migrated: "catalog.format-1.sqlite".
std::filesystem::path backupFile(const std::filesystem::path& file, std::int64_t version);

}  // namespace espalier::catalog
