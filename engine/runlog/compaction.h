#pragma once

#include <filesystem>

#include "engine/base/result.h"

namespace espalier::runlog {

/// Turns a live run.h5 into a compacted one: a column per quantity with all series one after another, min/max/mean
/// pyramids (×16), tables and arrays, shuffled and deflated. The source is the journal, plus run.h5 for the large
/// arrays; the result replaces run.h5 only when it is complete and synced, so a kill leaves the live file as it was
/// and the next call starts anew. Takes the journal's lock: fails while a writer has the run.
/// A compacted file of an older format is migrated, one of this format is left alone without taking the lock.
Result<void> compactRunLog(const std::filesystem::path& runFolder);

/// Brings a compacted run.h5 of an older format to the present one; the old file stays beside it. Anything else is left
/// as it is. Takes the lock only when there is something to do.
Result<void> migrateRunLog(const std::filesystem::path& runFolder);

/// The same for a caller that holds the lock already.
Result<void> compactLocked(const std::filesystem::path& runFolder);

}  // namespace espalier::runlog
