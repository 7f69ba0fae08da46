#include "engine/catalog/run_rows.h"

#include <charconv>
#include <limits>
#include <unordered_map>

#include <nlohmann/json.hpp>

namespace espalier::catalog {
namespace {

using nlohmann::json;

constexpr const char* kColumns =
    "r.num, r.id, r.name, r.recipe, r.state, r.state_detail, r.dataset_id, r.dataset_name, r.dataset_hash, "
    "r.parent_run, r.device, r.threads, r.seed, r.scale, r.params, r.changed_params, r.note, r.color, r.created, "
    "r.started, r.ended, r.active, r.bytes, r.params_count, r.macs, r.is_trashed";

/// The whole text as a number, or NaN: "1e-3" and "7" are, "3x1" and "nan" are not.
double numberOf(const std::string& text) {
    double value = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    return parsed.ec == std::errc() && parsed.ptr == end ? value : std::numeric_limits<double>::quiet_NaN();
}

/// Collects a flat object of texts without building a tree: listing 10,000 runs parses 20,000 of these.
struct ParamsReader : nlohmann::json_sax<json> {
    std::map<std::string, std::string> params;
    std::string member;
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t& text) override {
        params.insert_or_assign(params.end(), std::move(member), std::move(text));
        return true;
    }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t& text) override {
        member = std::move(text);
        return true;
    }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return false; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }
};

feed::RunInfo runFrom(const Statement& row) {
    feed::RunInfo info;
    int column = 1;
    info.id = row.text(column++);
    info.name = row.text(column++);
    info.recipe = row.text(column++);
    info.state = feed::jobStateFromName(row.text(column++)).value_or(feed::JobState::Interrupted);
    info.stateDetail = row.text(column++);
    info.datasetId = row.text(column++);
    info.datasetName = row.text(column++);
    info.datasetHash = row.text(column++);
    info.parentRun = row.text(column++);
    info.device = row.text(column++);
    info.threads = static_cast<int>(row.integer(column++));
    info.seed = row.integer(column++);
    info.scale = row.text(column++);
    info.params = paramsFromJson(row.view(column++));
    info.changedParams = paramsFromJson(row.view(column++));
    info.note = row.text(column++);
    info.colorIndex = static_cast<int>(row.integer(column++));
    info.createdSecs = row.real(column++);
    info.startedSecs = row.real(column++);
    info.endedSecs = row.real(column++);
    info.activeSecs = row.real(column++);
    info.bytesOnDisk = row.integer(column++);
    info.params_count = row.integer(column++);
    info.macs = row.integer(column++);
    info.isTrashed = row.integer(column++) != 0;
    return info;
}

using Places = std::unordered_map<std::int64_t, std::size_t>;

/// Above this many rows whole tables are walked once; below it each run asks for its own.
constexpr std::size_t kWalkWholeTables = 500;

feed::SummaryEntry entryFrom(const Statement& row, int column) {
    return {row.real(column), row.real(column + 1), row.integer(column + 2), row.integer(column + 3)};
}

Result<void> addAllDetails(Database& database, std::vector<feed::RunInfo>& runs, const Places& places) {
    ESPALIER_TRY(auto tags, database.prepare("SELECT run, tag FROM tags ORDER BY run, place"));
    for (;;) {
        ESPALIER_TRY(const bool hasRow, tags.step());
        if (!hasRow) break;
        if (const auto found = places.find(tags.integer(0)); found != places.end())
            runs[found->second].tags.push_back(tags.text(1));
    }
    ESPALIER_TRY(auto rows, database.prepare("SELECT run, series, last, best, best_step, last_step FROM summaries"));
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) break;
        const auto found = places.find(rows.integer(0));
        if (found == places.end()) continue;
        auto& summary = runs[found->second].summary;
        summary.insert_or_assign(summary.end(), rows.text(1), entryFrom(rows, 2));
    }
    return {};
}

Result<void> addDetails(Database& database, feed::RunInfo& run, std::int64_t num) {
    ESPALIER_TRY(auto tags, database.prepare("SELECT tag FROM tags WHERE run = ? ORDER BY place"));
    tags.bind(num);
    for (;;) {
        ESPALIER_TRY(const bool hasRow, tags.step());
        if (!hasRow) break;
        run.tags.push_back(tags.text(0));
    }
    ESPALIER_TRY(auto rows,
                 database.prepare("SELECT series, last, best, best_step, last_step FROM summaries WHERE run = ?"));
    rows.bind(num);
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) break;
        run.summary.insert_or_assign(rows.text(0), entryFrom(rows, 1));
    }
    return {};
}

Result<Statement> prepareQuery(Database& database, const char* columns, const RunQuery& query) {
    const std::string sql = std::string("SELECT ") + columns + " FROM runs r WHERE " + query.where + " ORDER BY " + query.order;
    auto statement = database.prepare(sql);
    if (!statement) return statement;
    for (const auto& value : query.values) statement->bindValue(value);
    for (const auto& value : query.orderValues) statement->bindValue(value);
    return statement;
}

Result<std::int64_t> rowNumber(Database& database, std::string_view id) {
    ESPALIER_TRY(auto find, database.prepare("SELECT num FROM runs WHERE id = ?"));
    find.bind(id);
    ESPALIER_TRY(const bool hasRow, find.step());
    if (!hasRow) return fail(ErrorCode::NotFound, "no run has this id", std::string(id), "List the runs to see their ids");
    return find.integer(0);
}

Result<void> writeSummary(Database& database, std::int64_t num, const feed::RunInfo& info) {
    ESPALIER_TRY(auto clear, database.prepare("DELETE FROM summaries WHERE run = ?"));
    clear.bind(num);
    ESPALIER_CHECK_OK(clear.run());
    ESPALIER_TRY(auto insert, database.prepare("INSERT INTO summaries VALUES(?, ?, ?, ?, ?, ?)"));
    for (const auto& [series, entry] : info.summary) {
        insert.bind(num).bind(series).bind(entry.last).bind(entry.best).bind(entry.bestStep).bind(entry.lastStep);
        ESPALIER_CHECK_OK(insert.run());
    }
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

/// Words for the full-text search; written whole whenever one of its four parts changes.
Result<void> writeText(Database& database, std::int64_t num) {
    ESPALIER_TRY(auto clear, database.prepare("DELETE FROM run_text WHERE rowid = ?"));
    clear.bind(num);
    ESPALIER_CHECK_OK(clear.run());
    ESPALIER_TRY(auto insert,
                 database.prepare("INSERT INTO run_text(rowid, name, note, tags, params) SELECT num, name, note, "
                                  "coalesce((SELECT group_concat(tag, ' ') FROM tags WHERE run = num), ''), "
                                  "recipe || ' ' || dataset_name || ' ' || "
                                  "coalesce((SELECT group_concat(key || ' ' || value, ' ') FROM run_params WHERE run = num), '') "
                                  "FROM runs WHERE num = ?"));
    insert.bind(num);
    return insert.run();
}

}  // namespace

std::string paramsToJson(const std::map<std::string, std::string>& params) {
    json object = json::object();
    for (const auto& [key, value] : params) object[key] = value;
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::map<std::string, std::string> paramsFromJson(std::string_view text) {
    ParamsReader reader;
    json::sax_parse(text.begin(), text.end(), &reader);
    return std::move(reader.params);
}

Result<std::vector<feed::RunInfo>> selectRuns(Database& database, const RunQuery& query) {
    std::vector<feed::RunInfo> runs;
    std::vector<std::int64_t> numbers;
    {
        ESPALIER_TRY(auto rows, prepareQuery(database, kColumns, query));
        for (;;) {
            ESPALIER_TRY(const bool hasRow, rows.step());
            if (!hasRow) break;
            numbers.push_back(rows.integer(0));
            runs.push_back(runFrom(rows));
        }
    }
    if (runs.size() > kWalkWholeTables) {
        Places places;
        places.reserve(runs.size());
        for (std::size_t i = 0; i < runs.size(); ++i) places.emplace(numbers[i], i);
        ESPALIER_CHECK_OK(addAllDetails(database, runs, places));
    } else {
        for (std::size_t i = 0; i < runs.size(); ++i) ESPALIER_CHECK_OK(addDetails(database, runs[i], numbers[i]));
    }
    return runs;
}

Result<std::vector<std::string>> selectRunIds(Database& database, const RunQuery& query) {
    std::vector<std::string> ids;
    ESPALIER_TRY(auto rows, prepareQuery(database, "r.id", query));
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return ids;
        ids.push_back(rows.text(0));
    }
}

Result<std::optional<feed::RunInfo>> selectRun(Database& database, std::string_view id) {
    RunQuery query;
    query.where = "r.id = ?";
    query.values.emplace_back(std::string(id));
    ESPALIER_TRY(auto found, selectRuns(database, query));
    if (found.empty()) return std::optional<feed::RunInfo>();
    return std::optional(std::move(found.front()));
}

Result<void> insertRunRow(Database& database, const feed::RunInfo& info) {
    ESPALIER_TRY(auto insert,
                 database.prepare("INSERT INTO runs(id, name, recipe, state, state_detail, dataset_id, dataset_name, "
                                  "dataset_hash, parent_run, device, threads, seed, scale, params, changed_params, note, "
                                  "color, created, started, ended, active, bytes, params_count, macs, is_trashed) "
                                  "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    insert.bind(info.id).bind(info.name).bind(info.recipe).bind(feed::jobStateName(info.state)).bind(info.stateDetail);
    insert.bind(info.datasetId).bind(info.datasetName).bind(info.datasetHash).bind(info.parentRun).bind(info.device);
    insert.bind(info.threads).bind(info.seed).bind(info.scale).bind(paramsToJson(info.params));
    insert.bind(paramsToJson(info.changedParams)).bind(info.note).bind(info.colorIndex).bind(info.createdSecs);
    insert.bind(info.startedSecs).bind(info.endedSecs).bind(info.activeSecs).bind(info.bytesOnDisk);
    insert.bind(info.params_count).bind(info.macs).bind(info.isTrashed);
    ESPALIER_CHECK_OK(insert.run());
    const auto num = database.lastRowId();
    ESPALIER_TRY(auto param, database.prepare("INSERT INTO run_params VALUES(?, ?, ?, ?)"));
    for (const auto& [key, value] : info.params) {
        param.bind(num).bind(key).bind(value).bind(numberOf(value));
        ESPALIER_CHECK_OK(param.run());
    }
    ESPALIER_CHECK_OK(writeSummary(database, num, info));
    ESPALIER_CHECK_OK(writeTags(database, num, info.tags));
    return writeText(database, num);
}

Result<void> updateRunRow(Database& database, const feed::RunInfo& info) {
    ESPALIER_TRY(const auto num, rowNumber(database, info.id));
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
    ESPALIER_TRY(const auto num, rowNumber(database, id));
    ESPALIER_CHECK_OK(writeTags(database, num, tags));
    return writeText(database, num);
}

Result<void> updateRunColumn(Database& database, std::string_view id, const char* column, const SqlValue& value) {
    ESPALIER_TRY(const auto num, rowNumber(database, id));
    ESPALIER_TRY(auto update, database.prepare(std::string("UPDATE runs SET ") + column + " = ? WHERE num = ?"));
    update.bindValue(value).bind(num);
    ESPALIER_CHECK_OK(update.run());
    return writeText(database, num);
}

Result<void> deleteRunRow(Database& database, std::string_view id) {
    ESPALIER_TRY(const auto num, rowNumber(database, id));
    for (const char* sql : {"DELETE FROM run_text WHERE rowid = ?", "DELETE FROM runs WHERE num = ?"}) {
        ESPALIER_TRY(auto remove, database.prepare(sql));
        remove.bind(num);
        ESPALIER_CHECK_OK(remove.run());
    }
    return {};
}

}  // namespace espalier::catalog
