#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/database.h"
#include "engine/catalog/edit.h"
#include "engine/catalog/run_rows.h"
#include "engine/feed/run_diff.h"
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

/// One point of a size-against-accuracy table, as far as lists need it; the whole tables are in the run's log.
struct TradeoffRow {
    std::int64_t point = 0, bytes = 0;
    std::string label, stage, method;
    double avgWBits = 0, avgABits = 0, loss = 0, metric = 0;  ///< NaN where the table holds nothing
    bool isOnFront = false;
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
    Result<void> replaceTradeoff(std::string_view id, const std::vector<TradeoffRow>& rows);
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
    /// What Undo (or Redo) would take next, seen under the write lock.
    Result<std::optional<Edit>> nextUndo();
    Result<std::optional<Edit>> nextRedo();
    /// The whole undo journal, oldest first, and back: it lives in a file of the workspace too.
    Result<std::vector<Edit>> edits();
    Result<void> replaceEdits(const std::vector<Edit>& edits);
    /// Everything but the undo journal, before a rebuild.
    Result<void> clearRows();
    /// Fails as Corrupt when the full-text index disagrees with its own rows.
    Result<void> checkSearch() { return m_database.execute("INSERT INTO run_text(run_text) VALUES('integrity-check')"); }

private:
    Result<std::string> freeName(const char* sql, const std::string& wanted);
    Database& m_database;
};

/// How the health of a catalog is looked at when it is opened. Automatic: at once when it is small, was not closed
/// properly, or is marked; else in the background, where damage that is found leaves the mark for the next opening.
enum class HealthCheck { Automatic, AtOnce };

struct OpenOptions {
    bool isReadOnly = false;
    bool isOnNetwork = false;  ///< rollback journal instead of WAL
    HealthCheck check = HealthCheck::Automatic;
    std::uintmax_t smallBytes = std::uintmax_t(48) << 20;  ///< quick_check of as much takes about 0.1 s
    std::chrono::milliseconds backgroundAfter{4000};       ///< a call from the command line is over by then
};

/// The index of a workspace: runs, tags, notes, summaries, data sets, checkpoints and the undo journal, in one SQLite
/// file that can be rebuilt from the folders. Thread-safe: one connection reads, another writes. Several processes may
/// have it open. After fork() a child opens its own.
class Catalog {
public:
    /// Corrupt when quick_check fails, Unsupported (and not touched) when a newer program wrote it. A read-only one must
    /// have this program's format.
    static Result<std::unique_ptr<Catalog>> open(const std::filesystem::path& file, const OpenOptions& options = {});
    ~Catalog();

    bool isReadOnly() const { return !m_writer; }
    /// The catalog had an older format; what it was lies beside it.
    bool wasMigrated() const { return m_wasMigrated; }

    /// Every read is one snapshot: what other processes write meanwhile is not in it. `total`: see selectRuns.
    Result<std::vector<feed::RunInfo>> runs(const RunQuery& query, std::int64_t* total = nullptr) const;
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
    Result<std::vector<TradeoffRow>> tradeoff(std::string_view runId) const;
    Result<feed::RunDiff> diff(const std::vector<std::string>& runIds) const;
    Result<bool> hasRuns() const;
    Result<std::vector<std::string>> paramKeys() const;

    Result<std::vector<DatasetRow>> datasets(bool withTrashed) const;
    Result<std::optional<DatasetRow>> dataset(std::string_view id) const;

    /// What Undo (or Redo) would take next.
    Result<std::optional<Edit>> nextUndo() const;
    Result<std::optional<Edit>> nextRedo() const;

    /// Runs `change` in one transaction and commits it if it succeeds, else rolls all of it back.
    /// Nothing is written when the catalog is read-only or its file was moved away.
    Result<void> write(const std::function<Result<void>(CatalogWriter&)>& change);
    /// First finding of SQLite's integrity_check (every row and index entry is read), or empty.
    Result<std::string> findDamage() const;
    /// Whether the full-text index agrees with its rows (SQLite's integrity_check does not look into it) and every run has
    /// one. Takes the write lock for as long as it reads; a read-only catalog only counts.
    Result<bool> isSearchSound();

    /// Grows or at least differs after every commit of any process.
    std::int64_t changeCounter() const;

private:
    Catalog() = default;
    template <class Read>
    auto snapshot(Read&& read) const -> decltype(read(std::declval<Database&>()));
    void checkInBackground(const std::filesystem::path& file, std::chrono::milliseconds after);

    mutable std::mutex m_readMutex, m_writeMutex;
    std::unique_ptr<Database> m_reader, m_writer;
    bool m_wasMigrated = false;
    std::jthread m_check;
};

}  // namespace espalier::catalog
