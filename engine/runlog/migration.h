#pragma once

#include <cstdint>
#include <filesystem>

#include "engine/base/result.h"

namespace espalier::runlog {

/// Formats of run.h5 before the present one, and how each became the next:
///     1 → 2   the series table of a compacted file says how far the steps are apart (`stride`)
/// Readers know all of them. A live file of an older format is made anew from the journal when it is opened to append.

/// Brings a compacted run.h5 to the present format, step by step on a copy that then takes its place; the old file stays as
/// backupPath(). Does nothing to a file that is of this format already. The caller holds the journal's lock.
Result<void> migrateRunFile(const std::filesystem::path& runFolder);

/// Keeps a run.h5 of an older format beside the one that will replace it. Nothing to do for one of this format.
Result<void> backUpOlderFormat(const std::filesystem::path& runFolder);
/// "run.format-1.h5"
std::filesystem::path backupPath(const std::filesystem::path& runFolder, std::int64_t version);

inline constexpr const char* kMigrateName = ".run.h5.migrate";  ///< left behind by a kill; made anew

}  // namespace espalier::runlog
