#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/catalog.h"
#include "engine/feed/dataset.h"
#include "engine/feed/feed_event.h"
#include "engine/feed/run_info.h"
#include "engine/intake/dataset_store.h"
#include "engine/runlog/run_log_reader.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {

/// The undo journal as a file of the workspace: what edits did to several runs has no place in one run's folder.
inline constexpr const char* kJournalFile = "undo.json";

/// Advisory lock (flock) on a file, held while this object lives and released by the kernel when the process dies.
class FileLock {
public:
    /// Waits up to `waitSecs`; false when another holder keeps it. Creates the file when it is missing.
    static Result<FileLock> take(const std::filesystem::path& file, double waitSecs);
    /// True when someone, this process included, holds the lock of `file`.
    static bool isHeld(const std::filesystem::path& file);
    FileLock() = default;
    FileLock(FileLock&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();
    bool isHolding() const { return m_fd >= 0; }

private:
    explicit FileLock(int fd) : m_fd(fd) {}
    int m_fd = -1;
};

/// The inside of a workspace, for the runtime room: what the engine thread and import jobs write. Thread-safe. Files of
/// a run folder are written inside the catalog's write transaction, so row and folder change in the same order for
/// every process.
struct Workspace::Impl {
    static Result<std::unique_ptr<Impl>> open(const std::filesystem::path& folder, const Options& options);

    // --- for the runtime ---
    /// Makes runs/<id>/ with its three JSON files, checkpoints/ and artifacts/, takes its lock and inserts the row.
    /// Fills id, a free name, colour, creation time and folder of `info`; the manifest gets a member "run".
    Result<std::filesystem::path> createRun(feed::RunInfo& info, const std::string& manifestJson);
    /// State, detail, times, sizes, device and summary of `info` to state.json and the row (name, tags and note are not
    /// touched). A final state also measures the folder and gives the lock back.
    Result<void> updateRun(const feed::RunInfo& info);
    /// Says that this process trains the run; kept until unlockRun or a final updateRun. Again is no error.
    Result<void> lockRun(const std::string& id);
    void unlockRun(const std::string& id);
    bool isRunLive(const std::string& id) const;  ///< in any process
    /// Path of a data set that does not exist yet; its last component is the new id.
    Result<std::filesystem::path> createDatasetFolder();
    /// Adds what buildDataset made; a taken name gets "-2" (in dataset.json too). Returns what was stored.
    Result<feed::DatasetSummary> addDataset(feed::DatasetSummary summary);
    /// An open store, shared while somebody holds it.
    Result<std::shared_ptr<intake::DatasetStore>> datasetStore(const std::string& id);
    /// Called after every change made through this object, on the thread that made it. Returns a token.
    int addListener(std::function<void(const feed::CatalogChanged&)> listener);
    void removeListener(int token);

    // --- paths ---
    std::filesystem::path runFolder(const std::string& id) const { return folder / "runs" / id; }
    std::filesystem::path datasetFolder(const std::string& id) const { return folder / "datasets" / id; }
    std::filesystem::path trashFolder(const std::string& kind, const std::string& id) const {
        return folder / "trash" / (kind + "-" + id);
    }
    /// Where a run lies now, trash included.
    std::filesystem::path placeOf(const feed::RunInfo& info) const {
        return info.isTrashed ? trashFolder("run", info.id) : runFolder(info.id);
    }

    // --- shared by the files workspace_*.cpp ---
    Result<feed::RunInfo> run(const std::string& id) const;
    Result<std::shared_ptr<runlog::RunLogReader>> reader(const std::string& runId) const;
    void forgetReader(const std::string& runId) const;
    void forgetStore(const std::string& datasetId);
    /// Applies changes (`after`, or `before` when undoing) to folders and rows inside a transaction; those of things
    /// that are gone are passed over.
    Result<void> apply(catalog::CatalogWriter& writer, const std::vector<catalog::FieldChange>& changes, bool isUndo);
    /// What an edit does, found under the write lock: nobody else can change a run between its old and its new value.
    struct Planned {
        std::string text;
        std::vector<catalog::FieldChange> changes;
    };
    /// Plans, applies and records one edit; no changes, no edit.
    Result<void> edit(const std::function<Result<Planned>(catalog::CatalogWriter&)>& plan);
    /// The undo journal to undo.json, from which a rebuild brings it back.
    Result<void> storeJournal(catalog::CatalogWriter& writer);
    /// A run inside a write transaction; NotFound when it is gone.
    Result<feed::RunInfo> run(catalog::CatalogWriter& writer, const std::string& id) const;
    Result<std::string> undoOrRedo(bool isUndo);
    Result<int> markInterrupted();
    Result<void> mendTrash();
    Result<Warnings> rebuild();
    Result<void> finishLogs(Warnings& warnings);
    void notify(feed::CatalogChanged change) const;

    std::filesystem::path folder;
    std::vector<std::string> notices;

private:
    /// A temporary folder that goes with this object; after the catalog, which may lie in it.
    struct PrivateFolder {
        std::filesystem::path path;
        ~PrivateFolder();
    } m_private;

public:
    std::unique_ptr<catalog::Catalog> catalog;

private:
    Result<FileLock> takeOver();
    Result<void> openCatalog(bool isOnNetwork);
    Result<void> openForReading(const Error& reason);
    Result<void> copyCatalog();
    void note(std::string sentence);
    Result<void> refill();
    Result<void> applyRun(catalog::CatalogWriter& writer, const catalog::FieldChange& change, const std::string& value);
    Result<void> applyDataset(catalog::CatalogWriter& writer, const catalog::FieldChange& change, const std::string& value);

    struct OpenReader {
        std::string runId, place;
        std::shared_ptr<runlog::RunLogReader> reader;
    };
    mutable std::mutex m_readerMutex;
    mutable std::list<OpenReader> m_readers;  ///< most recently used first
    std::mutex m_storeMutex;
    std::list<std::pair<std::string, std::shared_ptr<intake::DatasetStore>>> m_stores;
    std::mutex m_lockMutex;
    std::map<std::string, FileLock> m_locks;
    mutable std::recursive_mutex m_listenerMutex;  ///< held during calls, so removeListener returns when none runs
    std::map<int, std::function<void(const feed::CatalogChanged&)>> m_listeners;
    int m_nextListener = 1;
};

Result<void> makeFolder(const std::filesystem::path& folder);

/// Whether the path names something; what cannot be looked at counts as absent.
bool isThere(const std::filesystem::path& path) noexcept;

/// Moves a folder inside the workspace; both parents are synced.
Result<void> moveFolder(const std::filesystem::path& from, const std::filesystem::path& to);

/// A name as it may be stored: no control characters, at most 200 bytes.
std::string cleanName(std::string name);

/// Row of the catalog for a data set.
catalog::DatasetRow datasetRow(const feed::DatasetSummary& summary);

}  // namespace espalier::runtime
