#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/database.h"
#include "engine/catalog/edit.h"
#include "engine/catalog/run_rows.h"
#include "engine/feed/run_info.h"

namespace espalier::catalog {

/// One data set as the catalog keeps it; `summary` is the text of dataset.json, whose format belongs to intake.
struct DatasetRow {
    std::string id, name, kind, format, hash, imported, summary;
    std::int64_t samples = 0, bytes = 0;
    bool isTrashed = false;
};

struct CheckpointRow {
    std::string name;  ///< file name inside checkpoints/
    std::int64_t bytes = 0;
    double writtenSecs = 0;
    bool operator==(const CheckpointRow&) const = default;
};

/// Changes inside one transaction; what it reads cannot change until the transaction ends. Lives in Catalog::write.
class CatalogWriter {
public:
    explicit CatalogWriter(Database& database) : m_database(database) {}

    Result<std::optional<feed::RunInfo>> run(std::string_view id);
    Result<void> insertRun(const feed::RunInfo& info) { return insertRunRow(m_database, info); }
    Result<void> updateRun(const feed::RunInfo& info) { return updateRunRow(m_database, info); }
    Result<void> setRunName(std::string_view id, const std::string& name);
    Result<void> setRunNote(std::string_view id, const std::string& note);
    Result<void> setRunTags(std::string_view id, const std::vector<std::string>& tags);
    Result<void> setRunTrashed(std::string_view id, bool isTrashed);
    Result<void> removeRun(std::string_view id) { return deleteRunRow(m_database, id); }
    Result<void> replaceCheckpoints(std::string_view id, const std::vector<CheckpointRow>& rows);
    /// `wanted`, or `wanted`-2, -3 … when that is taken.
    Result<std::string> freeRunName(const std::string& wanted);
    /// The run colour used least, and among those longest ago, by the last eight runs.
    Result<int> nextColor();

    Result<std::optional<DatasetRow>> dataset(std::string_view id);
    Result<void> putDataset(const DatasetRow& row);
    Result<void> setDatasetTrashed(std::string_view id, bool isTrashed);
    Result<void> removeDataset(std::string_view id);
    Result<std::string> freeDatasetName(const std::string& wanted);

    /// Adds to the undo journal: what was undone before is forgotten, and so is the 101st oldest.
    Result<void> recordEdit(const Edit& edit);
    Result<void> markUndone(std::int64_t seq, bool isUndone);
    /// After the trash was emptied: edits of things that are gone cannot come back.
    Result<void> forgetEditsOf(const std::string& kind, const std::string& id);
    /// Everything but the undo journal, before a rebuild.
    Result<void> clearRows();

private:
    Result<std::string> freeName(const char* sql, const std::string& wanted);
    Database& m_database;
};

/// The index of a workspace: runs, tags, notes, summaries, data sets, checkpoints and the undo journal, in one SQLite
/// file that can be rebuilt from the folders. Thread-safe: one connection reads, another writes. Several processes may
/// have it open. After fork() a child opens its own.
class Catalog {
public:
    /// Corrupt when quick_check fails, Unsupported when a newer program wrote it.
    static Result<std::unique_ptr<Catalog>> open(const std::filesystem::path& file);

    Result<std::vector<feed::RunInfo>> runs(const RunQuery& query) const;
    Result<std::vector<std::string>> runIds(const RunQuery& query) const;
    Result<std::optional<feed::RunInfo>> run(std::string_view id) const;
    /// Runs named `text` or whose id starts with it; at most `limit`.
    Result<std::vector<feed::RunInfo>> runsNamed(std::string_view text, int limit) const;
    /// Id, name and trash flag of every run, nothing else: for nearest names and for checks.
    struct Handle {
        std::string id, name;
        bool isTrashed = false;
    };
    Result<std::vector<Handle>> runHandles() const;
    Result<std::vector<CheckpointRow>> checkpoints(std::string_view runId) const;
    Result<std::vector<std::string>> children(std::string_view runId) const;  ///< runs that started from it
    Result<bool> hasRuns() const;
    Result<std::vector<std::string>> paramKeys() const;

    Result<std::vector<DatasetRow>> datasets(bool withTrashed) const;
    Result<std::optional<DatasetRow>> dataset(std::string_view id) const;

    /// What Undo (or Redo) would take next.
    Result<std::optional<Edit>> nextUndo() const;
    Result<std::optional<Edit>> nextRedo() const;

    /// Runs `change` in one transaction and commits it if it succeeds, else rolls all of it back.
    Result<void> write(const std::function<Result<void>(CatalogWriter&)>& change);

    /// Grows or at least differs after every commit of any process.
    std::int64_t changeCounter() const;

private:
    Catalog(std::unique_ptr<Database> reader, std::unique_ptr<Database> writer)
        : m_reader(std::move(reader)), m_writer(std::move(writer)) {}
    Result<std::optional<Edit>> edit(const char* sql) const;

    mutable std::mutex m_readMutex, m_writeMutex;
    std::unique_ptr<Database> m_reader, m_writer;
};

}  // namespace espalier::catalog
