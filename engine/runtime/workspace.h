#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/feed/array_record.h"
#include "engine/feed/dataset.h"
#include "engine/feed/metric_point.h"
#include "engine/feed/run_diff.h"
#include "engine/feed/run_info.h"
#include "engine/feed/tradeoff.h"

namespace espalier::runtime {

/// One workspace folder: the SQLite catalog, `runs/`, `datasets/` and `trash/`. Plain values in and out; no torch,
/// Qt, HDF5 or SQLite in this header. Thread-safe; several processes may have the same workspace open.
///
///     WORKSPACE/catalog.sqlite  runs/<id>/…  datasets/<id>/…  trash/  lock files
class Workspace {
public:
    struct Options {
        std::int64_t fileSystemType = 0;  ///< `f_type` of statfs instead of the folder's own, for tests
    };
    /// Creates the folder if it is missing. One that cannot be written (rights, read-only or full disk) is opened for
    /// reading: isReadOnly() is true then, a notice says why, and every change is refused with a sentence. A catalog of a
    /// newer program is refused, and nothing is written.
    static Result<std::shared_ptr<Workspace>> open(const std::filesystem::path& folder);
    static Result<std::shared_ptr<Workspace>> open(const std::filesystem::path& folder, const Options& options);
    /// The flag, else ESPALIER_WORKSPACE, else the user's data folder.
    static std::filesystem::path defaultFolder(std::string_view flag = {});
    ~Workspace();

    const std::filesystem::path& folder() const;
    bool isReadOnly() const;
    /// Sentences that a user should see once after opening: a network file system, a rebuilt or migrated catalog, reading
    /// only. Usually empty.
    const std::vector<std::string>& notices() const;

    // --- runs ---
    Result<std::vector<feed::RunInfo>> runs(bool withTrashed = false) const;  ///< newest first
    Result<feed::RunInfo> run(const std::string& id) const;
    /// By id, by an unambiguous start of it, or by name. Ambiguous: an error that lists the candidates.
    Result<feed::RunInfo> findRun(std::string_view text) const;
    /// Filter language, e.g. `valid/top1 > 0.4 and tag = paper and name ~ cct`; empty = all. `sort` = "key" or "-key".
    Result<std::vector<feed::RunInfo>> queryRuns(std::string_view filter, std::string_view sort = {}) const;
    /// The same, ids only: fast enough to filter 10,000 runs at every key stroke.
    Result<std::vector<std::string>> queryRunIds(std::string_view filter, std::string_view sort = {}) const;
    /// `count` rows from place `first` of the same list, without params and changedParams, and the length of the whole
    /// list. Costs as much as filter and sort, whatever the number of runs.
    struct RunPage {
        std::vector<feed::RunInfo> runs;
        std::int64_t total = 0;
    };
    Result<RunPage> runPage(std::string_view filter, std::string_view sort, std::int64_t first, std::int64_t count) const;
    /// Only what differs between these runs.
    Result<feed::RunDiff> diffRuns(const std::vector<std::string>& ids) const;
    Result<void> renameRun(const std::string& id, const std::string& name);
    Result<void> setRunTags(const std::string& id, const std::vector<std::string>& tags);
    Result<void> setRunNote(const std::string& id, const std::string& note);
    /// One edit for several runs, undone as one. Runs that have (or lack) the tag already stay as they are.
    Result<void> addTag(const std::vector<std::string>& ids, const std::string& tag);
    Result<void> removeTag(const std::vector<std::string>& ids, const std::string& tag);
    /// Several tags in and out of one run as one edit; what others tagged meanwhile stays.
    Result<void> changeTags(const std::string& id, const std::vector<std::string>& added, const std::vector<std::string>& removed);
    Result<void> trashRuns(const std::vector<std::string>& ids);
    Result<void> trashRun(const std::string& id);     ///< a running one is refused
    Result<void> restoreRun(const std::string& id);
    Result<std::int64_t> emptyTrash();                ///< bytes freed
    /// Leaves a request that the process which runs it sees at its next step; a run nobody runs is refused.
    Result<void> requestStop(const std::string& id);
    /// Takes such a request away and says whether there was one.
    static bool takeStopRequest(const std::filesystem::path& runFolder);
    Result<std::string> manifestText(const std::string& id) const;  ///< JSON

    Result<std::vector<feed::SeriesInfo>> series(const std::string& runId) const;
    Result<feed::SeriesColumns> readSeries(const std::string& runId, const std::string& name) const;
    /// A quick picture of a whole series from its pyramid: smallest and largest value of each stretch as two points,
    /// a few times `columns` in all. Without wall times (NaN); values that are not finite may be missing.
    Result<feed::SeriesColumns> previewSeries(const std::string& runId, const feed::SeriesInfo& series, int columns) const;
    Result<std::vector<feed::RunMark>> marks(const std::string& runId) const;
    Result<Warnings> warnings(const std::string& runId) const;
    Result<std::vector<feed::ArrayInfo>> arrays(const std::string& runId) const;
    /// One array, or only the part `first`…`first+count` along its first dimension (count −1 = all).
    Result<feed::ArrayRecord> readArray(const std::string& runId, std::uint64_t index, std::int64_t first = 0,
                                        std::int64_t count = -1) const;
    Result<feed::TradeoffTables> tradeoff(const std::string& runId) const;
    /// Every point at full precision as CSV (series,step,wall_secs,value), in series then log order.
    Result<void> exportMetricsCsv(const std::string& runId, std::string_view seriesGlob,
                                  const std::filesystem::path& file) const;
    /// The same as columns "<series>.step", "<series>.wall_secs", "<series>.value" of a .npz file.
    Result<void> exportMetricsNpz(const std::string& runId, std::string_view seriesGlob,
                                  const std::filesystem::path& file) const;
    /// layer.csv, point.csv, choice.csv and trace.csv (TRADEOFF-SCHEMA section 5) into a folder.
    Result<void> exportTradeoffCsv(const std::string& runId, const std::filesystem::path& folder) const;

    // --- data sets ---
    Result<std::vector<feed::DatasetSummary>> datasets() const;
    Result<feed::DatasetSummary> dataset(const std::string& id) const;
    Result<feed::DatasetSummary> findDataset(std::string_view idOrName) const;
    Result<void> renameDataset(const std::string& id, const std::string& name);
    Result<void> trashDataset(const std::string& id);
    Result<void> restoreDataset(const std::string& id);
    Result<std::vector<feed::SampleInfo>> samples(const std::string& datasetId, std::int64_t first,
                                                  std::int64_t count, int classIndex = -1) const;
    Result<feed::Image8> sampleImage(const std::string& datasetId, std::int64_t index) const;
    /// Same data, new split: writes split and hash, other runs keep the old hash in their manifests.
    Result<feed::DatasetSummary> resplit(const std::string& datasetId, const std::array<double, 3>& fractions,
                                         std::int64_t seed);

    // --- undo: names, tags, notes, splits by seed and the trash; kept over restarts, 100 deep, shared by all processes ---
    Result<std::string> undo();  ///< text of the edit that was undone; nothing to undo is an error
    Result<std::string> redo();
    std::string undoText() const;  ///< `tag 2 runs "paper"`, empty when there is nothing
    std::string redoText() const;

    // --- upkeep ---
    /// Runs whose process died become Interrupted; says how many. open() does it once, a window now and then.
    Result<int> noticeDeadRuns();
    Result<Warnings> check() const;
    Result<Warnings> rebuild();  ///< catalog from the run and data set folders
    struct TrashEntry {
        std::string kind, id, name;
        std::int64_t bytes = 0;
    };
    Result<std::vector<TrashEntry>> trash() const;
    /// Bumped by every committed change of any process (PRAGMA data_version); poll it to notice others.
    std::int64_t changeCounter() const;

    struct Impl;
    Impl& impl() const { return *d; }  ///< for the runtime room only

private:
    explicit Workspace(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> d;
};

}  // namespace espalier::runtime
