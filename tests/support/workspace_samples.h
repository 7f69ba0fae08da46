#pragma once

#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <QtTest>

#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/catalog/database.h"
#include "engine/intake/dataset_builder.h"
#include "engine/runtime/workspace.h"
#include "engine/runtime/workspace_impl.h"

/// Workspaces, runs and data sets made through the real interfaces, and every row of a catalog as text.
namespace espalier::tests {
namespace fs = std::filesystem;
using runtime::Workspace;

inline std::shared_ptr<Workspace> openAt(const fs::path& folder, const Workspace::Options& options = {}) {
    auto opened = Workspace::open(folder, options);
    if (!opened) qFatal("%s %s", opened.error().sentence().c_str(), opened.error().detail.c_str());
    return *opened;
}

inline feed::RunInfo newRun(Workspace& workspace, const std::string& name, const std::string& parent = {}) {
    feed::RunInfo run;
    run.name = name;
    run.recipe = "70-compact-transformers";
    run.parentRun = parent;
    run.datasetName = "digits";
    run.seed = 4;
    run.params = {{"lr", "0.001"}, {"variant", "cct2 \"x\""}};
    run.changedParams = {{"lr", "0.001"}};
    const auto made = workspace.impl().createRun(run, R"({"recipe": "70-compact-transformers"})");
    if (!made) qFatal("%s", made.error().sentence().c_str());
    return run;
}

inline void endRun(Workspace& workspace, feed::RunInfo run, feed::JobState state = feed::JobState::Completed) {
    run.state = state;
    run.stateDetail = state == feed::JobState::Failed ? "train/loss became nan." : "";
    run.summary["valid/top1"] = {0.5, 0.75, 10, 20};
    run.summary["train/loss"] = {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(), 3, 20};
    run.startedSecs = run.createdSecs + 0.125;
    run.endedSecs = run.createdSecs + 9.1;
    run.activeSecs = 7.3;
    run.device = "cpu";
    run.threads = 2;
    run.params_count = 12345;
    run.macs = 678;
    if (const auto updated = workspace.impl().updateRun(run); !updated) qFatal("%s", updated.error().sentence().c_str());
}

inline feed::DatasetSummary newDataset(Workspace& workspace, const fs::path& scratch, const std::string& name) {
    std::ofstream(scratch / "small.csv") << "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,1,x\n2,2,y\n";
    intake::BuildRequest request;
    request.paths = {scratch / "small.csv"};
    const auto place = *workspace.impl().createDatasetFolder();
    request.id = place.filename().string();
    request.name = name;
    request.threads = 1;
    const auto built = intake::buildDataset(request, place, [](const auto&) {}, {});
    if (!built) qFatal("%s", built.error().sentence().c_str());
    return *workspace.impl().addDataset(*built);
}

inline std::string errorOf(const auto& result) { return result ? std::string("no error") : result.error().sentence(); }

inline pid_t inChild(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    return child;
}

inline int exitStatus(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Every row of every table as text, with the ids of runs, keys and series instead of row numbers.
inline std::map<std::string, std::vector<std::string>> dump(const fs::path& folder) {
    const std::pair<const char*, const char*> kTables[] = {
        {"runs", "SELECT 0, * FROM runs r ORDER BY id"},
        {"run_details", "SELECT r.id, d.params, d.changed_params FROM run_details d JOIN runs r ON r.num = d.run ORDER BY 1"},
        {"param_values", "SELECT r.id, k.name, v.value, v.sortable, typeof(v.sortable) FROM param_values v JOIN runs r ON r.num = v.run "
                         "JOIN param_keys k ON k.num = v.key ORDER BY 1, 2"},
        {"param_keys", "SELECT name FROM param_keys ORDER BY 1"},
        {"series_values", "SELECT r.id, n.name, v.best, v.last, v.best_step, v.last_step FROM series_values v JOIN runs r ON "
                          "r.num = v.run JOIN series_names n ON n.num = v.series ORDER BY 1, 2"},
        {"series_names", "SELECT name FROM series_names ORDER BY 1"},
        {"tags", "SELECT r.id, t.place, t.tag FROM tags t JOIN runs r ON r.num = t.run ORDER BY 1, 2"},
        {"checkpoints", "SELECT r.id, c.name, c.bytes, c.written FROM checkpoints c JOIN runs r ON r.num = c.run ORDER BY 1, 2"},
        {"tradeoff_points", "SELECT r.id, t.* FROM tradeoff_points t JOIN runs r ON r.num = t.run ORDER BY 1, t.point"},
        {"run_text", "SELECT r.id, t.name, t.note, t.tags, t.params FROM run_text t JOIN runs r ON r.num = t.rowid ORDER BY 1"},
        {"datasets", "SELECT * FROM datasets ORDER BY id"},
        {"edits", "SELECT * FROM edits ORDER BY seq"},
    };
    auto database = std::move(*catalog::Database::open(folder / "catalog.sqlite", catalog::Access::Read));
    std::map<std::string, std::vector<std::string>> tables;
    for (const auto& [table, sql] : kTables) {
        auto rows = std::move(*database->prepare(sql));
        auto& texts = tables[table];
        while (*rows.step()) {
            std::string text;
            // The number of the run stands at column 1 of runs and of tradeoff_points.
            const bool hasNumber = std::string_view(table) == "runs" || std::string_view(table) == "tradeoff_points";
            for (int column = 0; column < rows.columns(); ++column)
                if (!hasNumber || column != 1) text += (rows.isNull(column) ? "NULL" : rows.text(column)) + "|";
            texts.push_back(text);
        }
    }
    // No table is forgotten: what is in the schema is in the list (full-text shadow tables aside).
    auto names = std::move(*database->prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'run_text_%' AND name NOT LIKE 'sqlite_%'"));
    while (*names.step())
        if (!tables.contains(names.text(0))) tables["not compared: " + names.text(0)] = {"?"};
    return tables;
}

inline void compareDumps(const std::map<std::string, std::vector<std::string>>& actual,
                  const std::map<std::string, std::vector<std::string>>& expected) {
    for (const auto& [table, rows] : expected) {
        QVERIFY2(actual.contains(table), table.c_str());
        QVERIFY2(!table.starts_with("not compared"), table.c_str());
        const auto& other = actual.at(table);
        for (std::size_t i = 0; i < std::min(rows.size(), other.size()); ++i)
            QVERIFY2(other[i] == rows[i], (table + ": " + other[i] + " instead of " + rows[i]).c_str());
        QCOMPARE(other.size(), rows.size());
    }
}

inline void removeCatalog(const fs::path& folder) {
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(folder / (std::string("catalog.sqlite") + suffix));
}

}  // namespace espalier::tests
