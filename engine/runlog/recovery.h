#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "engine/runlog/live_file.h"
#include "engine/runlog/log_model.h"

namespace espalier::runlog {

/// A run folder's log, ready to be appended to.
struct Recovered {
    std::unique_ptr<LiveFile> live;  ///< null when only the journal can be written; then `liveError` says why
    std::optional<Error> liveError;
    LogModel model;                  ///< summaries only
};

/// Cuts a damaged journal tail, goes on with run.h5 when it was closed in order and agrees with the journal, and else
/// builds it anew from the journal, keeping the large arrays that can still be read. What was lost is appended to the
/// journal as warnings. `journal` holds the lock.
/// On a network folder the journal is written alone (SWMR is not made for them) and a warning says so once.
Result<Recovered> recover(const std::filesystem::path& runFolder, JournalWriter& journal);

/// Names of files that a killed recovery or compaction leaves behind; both start anew.
inline constexpr const char* kRebuildName = ".run.h5.rebuild";
inline constexpr const char* kCompactName = ".run.h5.compact";

/// fsyncs `temporary`, puts it in the place of `target` and fsyncs the folder.
Result<void> publishFile(const std::filesystem::path& temporary, const std::filesystem::path& target);

}  // namespace espalier::runlog
