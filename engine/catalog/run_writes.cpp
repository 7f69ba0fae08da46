#include "engine/catalog/run_rows.h"

namespace espalier::catalog {
namespace {

/// Number of `name` in a dictionary table, which gets the name when it is new. Both statements are our own literals.
Result<void> insertByName(Database& database, Statement& insert, const char* addName, const std::string& name,
                          const std::function<void()>& bindAll) {
    bindAll();
    ESPALIER_CHECK_OK(insert.run());
    if (database.changes() > 0) return {};
    ESPALIER_TRY(auto add, database.prepare(addName));
    add.bind(name);
    ESPALIER_CHECK_OK(add.run());
    bindAll();
    return insert.run();
}

Result<void> writeParams(Database& database, std::int64_t num, const feed::RunInfo& info) {
    ESPALIER_TRY(auto details, database.prepare("INSERT INTO run_details(run, params, changed_params) VALUES(?, ?, ?)"));
    details.bind(num).bind(paramsToJson(info.params)).bind(paramsToJson(info.changedParams));
    ESPALIER_CHECK_OK(details.run());
    ESPALIER_TRY(auto insert, database.prepare("INSERT INTO param_values(key, run, value) SELECT num, ?, ? FROM param_keys WHERE name = ?"));
    for (const auto& [key, value] : info.params)
        ESPALIER_CHECK_OK(insertByName(database, insert, "INSERT INTO param_keys(name) VALUES(?)", key,
                                       [&] { insert.bind(num).bind(value).bind(key); }));
    return {};
}

Result<void> writeSummary(Database& database, std::int64_t num, const feed::RunInfo& info) {
    ESPALIER_TRY(auto clear, database.prepare("DELETE FROM series_values WHERE run = ?"));
    clear.bind(num);
    ESPALIER_CHECK_OK(clear.run());
    ESPALIER_TRY(auto insert, database.prepare("INSERT INTO series_values(series, run, best, last, best_step, last_step) "
                                               "SELECT num, ?, ?, ?, ?, ? FROM series_names WHERE name = ?"));
    for (const auto& [series, entry] : info.summary)
        ESPALIER_CHECK_OK(insertByName(database, insert, "INSERT INTO series_names(name) VALUES(?)", series, [&] {
            insert.bind(num).bind(entry.best).bind(entry.last).bind(entry.bestStep).bind(entry.lastStep).bind(series);
        }));
    return {};
}

Result<void> writeTags(Database& database, std::int64_t num, const std::vector<std::string>& tags) {
    ESPALIER_TRY(auto clear, database.prepare("DELETE FROM tags WHERE run = ?"));
    clear.bind(num);
    ESPALIER_CHECK_OK(clear.run());
    ESPALIER_TRY(auto insert, database.prepare("INSERT INTO tags VALUES(?, ?, ?)"));
    for (std::size_t place = 0; place < tags.size(); ++place) {
        insert.bind(num).bind(std::int64_t(place)).bind(tags[place]);
        ESPALIER_CHECK_OK(insert.run());
    }
    return {};
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

/// Words for the full-text search.
Result<void> writeText(Database& database, std::int64_t num, const feed::RunInfo& info) {
    ESPALIER_TRY(auto insert, database.prepare("INSERT INTO run_text(rowid, name, note, tags, params) VALUES(?, ?, ?, ?, ?)"));
    std::string params = info.recipe + ' ' + info.datasetName;
    for (const auto& [key, value] : info.params) params += ' ' + key + ' ' + value;
    insert.bind(num).bind(info.name).bind(info.note).bind(joined(info.tags)).bind(params);
    return insert.run();
}

/// `sql` sets one value of one run: first the value, then the row number.
Result<void> setValue(Database& database, const char* sql, std::int64_t num, const SqlValue& value) {
    ESPALIER_TRY(auto update, database.prepare(sql));
    update.bindValue(value).bind(num);
    return update.run();
}

}  // namespace

Result<std::int64_t> runNumber(Database& database, std::string_view id) {
    ESPALIER_TRY(auto find, database.prepare("SELECT num FROM runs WHERE id = ?"));
    find.bind(id);
    ESPALIER_TRY(const bool hasRow, find.step());
    if (!hasRow) return fail(ErrorCode::NotFound, "no run has this id", std::string(id), "List the runs to see their ids");
    return find.integer(0);
}

Result<void> insertRunRow(Database& database, const feed::RunInfo& info) {
    ESPALIER_TRY(auto insert,
                 database.prepare("INSERT INTO runs(id, name, recipe, state, state_detail, dataset_id, dataset_name, "
                                  "dataset_hash, parent_run, device, threads, seed, scale, note, "
                                  "color, created, started, ended, active, bytes, params_count, macs, is_trashed) "
                                  "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    insert.bind(info.id).bind(info.name).bind(info.recipe).bind(feed::jobStateName(info.state)).bind(info.stateDetail);
    insert.bind(info.datasetId).bind(info.datasetName).bind(info.datasetHash).bind(info.parentRun).bind(info.device);
    insert.bind(info.threads).bind(info.seed).bind(info.scale).bind(info.note).bind(info.colorIndex).bind(info.createdSecs);
    insert.bind(info.startedSecs).bind(info.endedSecs).bind(info.activeSecs).bind(info.bytesOnDisk);
    insert.bind(info.params_count).bind(info.macs).bind(info.isTrashed);
    ESPALIER_CHECK_OK(insert.run());
    const auto num = database.lastRowId();
    ESPALIER_CHECK_OK(writeParams(database, num, info));
    ESPALIER_CHECK_OK(writeSummary(database, num, info));
    ESPALIER_CHECK_OK(writeTags(database, num, info.tags));
    return writeText(database, num, info);
}

Result<void> updateRunRow(Database& database, const feed::RunInfo& info) {
    ESPALIER_TRY(const auto num, runNumber(database, info.id));
    ESPALIER_TRY(auto update,
                 database.prepare("UPDATE runs SET state = ?, state_detail = ?, device = ?, threads = ?, started = ?, "
                                  "ended = ?, active = ?, bytes = ?, params_count = ?, macs = ? WHERE num = ?"));
    update.bind(feed::jobStateName(info.state)).bind(info.stateDetail).bind(info.device).bind(info.threads);
    update.bind(info.startedSecs).bind(info.endedSecs).bind(info.activeSecs).bind(info.bytesOnDisk);
    update.bind(info.params_count).bind(info.macs).bind(num);
    ESPALIER_CHECK_OK(update.run());
    return writeSummary(database, num, info);
}

Result<void> updateRunTags(Database& database, std::string_view id, const std::vector<std::string>& tags) {
    ESPALIER_TRY(const auto num, runNumber(database, id));
    ESPALIER_CHECK_OK(writeTags(database, num, tags));
    return setValue(database, "UPDATE run_text SET tags = ? WHERE rowid = ?", num, joined(tags));
}

Result<void> updateRunName(Database& database, std::string_view id, const std::string& name) {
    ESPALIER_TRY(const auto num, runNumber(database, id));
    ESPALIER_CHECK_OK(setValue(database, "UPDATE runs SET name = ? WHERE num = ?", num, name));
    return setValue(database, "UPDATE run_text SET name = ? WHERE rowid = ?", num, name);
}

Result<void> updateRunNote(Database& database, std::string_view id, const std::string& note) {
    ESPALIER_TRY(const auto num, runNumber(database, id));
    ESPALIER_CHECK_OK(setValue(database, "UPDATE runs SET note = ? WHERE num = ?", num, note));
    return setValue(database, "UPDATE run_text SET note = ? WHERE rowid = ?", num, note);
}

Result<void> updateRunTrashed(Database& database, std::string_view id, bool isTrashed) {
    ESPALIER_TRY(const auto num, runNumber(database, id));
    return setValue(database, "UPDATE runs SET is_trashed = ? WHERE num = ?", num, std::int64_t(isTrashed));
}

Result<void> deleteRunRow(Database& database, std::string_view id) {
    ESPALIER_TRY(const auto num, runNumber(database, id));
    // Parameters are stored key by key, so each key is asked; the rest goes with the row of runs.
    for (const char* sql : {"DELETE FROM run_text WHERE rowid = ?",
                            "DELETE FROM param_values WHERE run = ? AND key IN (SELECT num FROM param_keys)",
                            "DELETE FROM runs WHERE num = ?"}) {
        ESPALIER_TRY(auto remove, database.prepare(sql));
        remove.bind(num);
        ESPALIER_CHECK_OK(remove.run());
    }
    return {};
}

}  // namespace espalier::catalog
