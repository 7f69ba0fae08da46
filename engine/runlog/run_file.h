#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/runlog/h5.h"
#include "engine/runlog/live_file.h"

namespace espalier::runlog {

/// The reading end of any run.h5, live or compacted. Counts are clamped to the commit counter. Open it for one
/// question and drop it: an open object would not see what a writer appends.
class RunFile {
public:
    static Result<RunFile> open(const std::filesystem::path& path);

    bool isCompacted() const { return m_isCompacted; }
    std::int64_t version() const { return m_version; }
    hid_t file() const { return m_file.get(); }
    const Commit& commit() const { return m_commit; }
    std::uint64_t committedRows(Table table) const;

    Result<std::vector<ArrayRow>> arrayRows() const;
    /// Elements [first, first + count) of an array as stored, in slices.
    Result<std::string> arrayBytes(const ArrayRow& row, std::int64_t first, std::int64_t count) const;
    /// All of a live file's tables.
    Result<LogModel> liveModel() const;

private:
    h5::Handle m_file;
    bool m_isCompacted = false;
    std::int64_t m_version = 0;
    Commit m_commit{};
};

}  // namespace espalier::runlog
