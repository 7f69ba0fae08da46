#include "engine/catalog/run_rows.h"

#include <algorithm>

#include "engine/catalog/run_sort.h"

namespace espalier::catalog {
namespace {

constexpr const char* kColumns =
    "r.num, r.id, r.name, r.recipe, r.state, r.state_detail, r.dataset_id, r.dataset_name, r.dataset_hash, "
    "r.parent_run, r.device, r.threads, r.seed, r.scale, r.note, r.color, r.created, "
    "r.started, r.ended, r.active, r.bytes, r.params_count, r.macs, r.is_trashed";

/// Above this many rows whole tables are walked once; below it each run asks for its own.
constexpr std::size_t kWalkWholeTables = 500;

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

Result<Statement> prepareQuery(Database& database, const char* columns, const RunQuery& query) {
    const std::string sql = std::string("SELECT ") + columns + " FROM runs r WHERE " + query.where + " ORDER BY " + query.order;
    auto statement = database.prepare(sql);
    if (!statement) return statement;
    for (const auto& value : query.values) statement->bindValue(value);
    for (const auto& value : query.orderValues) statement->bindValue(value);
    return statement;
}

/// Calls `row` for each row of a statement.
template <class Row>
Result<void> forEachRow(Statement& statement, Row&& row) {
    for (;;) {
        ESPALIER_TRY(const bool hasRow, statement.step());
        if (!hasRow) return {};
        row();
    }
}

/// The wanted part of the sorted list as places in `numbers`.
Result<std::vector<std::uint32_t>> wantedPlaces(Database& database, const std::vector<std::int64_t>& numbers, const RunQuery& query) {
    ESPALIER_TRY(auto places, sortedPlaces(database, numbers, query.sort));
    const auto size = static_cast<std::int64_t>(places.size());
    const auto first = std::clamp<std::int64_t>(query.first, 0, size);
    const auto end = query.count < 0 || query.count > size - first ? size : first + query.count;
    if (first > 0 || end < size) places = {places.begin() + first, places.begin() + end};
    return places;
}

Result<std::vector<std::int64_t>> selectNumbers(Database& database, const RunQuery& query) {
    std::vector<std::int64_t> numbers;
    ESPALIER_TRY(auto rows, prepareQuery(database, "r.num", query));
    ESPALIER_CHECK_OK(forEachRow(rows, [&] { numbers.push_back(rows.integer(0)); }));
    return numbers;
}

/// Fills the runs of some row numbers from the tables, either run by run or by one walk over each table.
class RowReader {
public:
    RowReader(Database& database, const std::vector<std::int64_t>& numbers)
        : m_database(database), m_numbers(numbers), m_places(numbers), m_runs(numbers.size()) {}

    Result<std::vector<feed::RunInfo>> read(bool withParams) {
        ESPALIER_CHECK_OK(readSeriesNames());
        ESPALIER_CHECK_OK(walk(std::string("SELECT ") + kColumns + " FROM runs r", "r.num",
                               [&](feed::RunInfo& run, const Statement& row) { run = runFrom(row); }));
        ESPALIER_CHECK_OK(walk("SELECT run, tag FROM tags", "run",
                               [&](feed::RunInfo& run, const Statement& row) { run.tags.push_back(row.text(1)); }));
        ESPALIER_CHECK_OK(walk("SELECT run, series, last, best, best_step, last_step FROM series_values", "run",
                               [&](feed::RunInfo& run, const Statement& row) {
                                   const auto name = static_cast<std::size_t>(row.integer(1));
                                   if (name >= m_seriesNames.size()) return;
                                   run.summary.insert_or_assign(m_seriesNames[name], feed::SummaryEntry{row.real(2), row.real(3), row.integer(4), row.integer(5)});
                               }));
        if (!withParams) return std::move(m_runs);
        ESPALIER_CHECK_OK(walk("SELECT run, params, changed_params FROM run_details", "run",
                               [&](feed::RunInfo& run, const Statement& row) {
                                   run.params = paramsFromJson(row.view(1));
                                   run.changedParams = paramsFromJson(row.view(2));
                               }));
        return std::move(m_runs);
    }

private:
    template <class Fill>
    Result<void> walk(const std::string& select, const char* numberColumn, Fill&& fill) {
        if (m_numbers.size() > kWalkWholeTables) {
            ESPALIER_TRY(auto rows, m_database.prepare(select));
            return forEachRow(rows, [&] {
                if (const auto place = m_places.of(rows.integer(0)); place >= 0) fill(m_runs[static_cast<std::size_t>(place)], rows);
            });
        }
        const auto one = select + " WHERE " + numberColumn + " = ?";
        for (std::size_t i = 0; i < m_numbers.size(); ++i) {
            ESPALIER_TRY(auto rows, m_database.prepare(one));
            rows.bind(m_numbers[i]);
            ESPALIER_CHECK_OK(forEachRow(rows, [&] { fill(m_runs[i], rows); }));
        }
        return {};
    }

    Result<void> readSeriesNames() {
        constexpr std::int64_t kMostNames = 1'000'000;
        ESPALIER_TRY(auto rows, m_database.prepare("SELECT num, name FROM series_names"));
        return forEachRow(rows, [&] {
            const auto number = rows.integer(0);
            if (number < 0 || number >= kMostNames) return;
            if (m_seriesNames.size() <= static_cast<std::size_t>(number)) m_seriesNames.resize(static_cast<std::size_t>(number) + 1);
            m_seriesNames[static_cast<std::size_t>(number)] = rows.text(1);
        });
    }

    Database& m_database;
    const std::vector<std::int64_t>& m_numbers;
    Places m_places;
    std::vector<feed::RunInfo> m_runs;
    std::vector<std::string> m_seriesNames;
};

}  // namespace

Result<std::vector<feed::RunInfo>> selectRuns(Database& database, const RunQuery& query, std::int64_t* total) {
    ESPALIER_TRY(const auto all, selectNumbers(database, query));
    if (total) *total = static_cast<std::int64_t>(all.size());
    ESPALIER_TRY(const auto places, wantedPlaces(database, all, query));
    std::vector<std::int64_t> numbers;
    numbers.reserve(places.size());
    for (const auto place : places) numbers.push_back(all[place]);
    return RowReader(database, numbers).read(query.withParams);
}

Result<std::vector<std::string>> selectRunIds(Database& database, const RunQuery& query) {
    std::vector<std::int64_t> numbers;
    std::vector<std::string> ids;
    {
        ESPALIER_TRY(auto rows, prepareQuery(database, "r.num, r.id", query));
        ESPALIER_CHECK_OK(forEachRow(rows, [&] {
            numbers.push_back(rows.integer(0));
            ids.push_back(rows.text(1));
        }));
    }
    if (query.sort.empty() && query.first <= 0 && query.count < 0) return ids;
    ESPALIER_TRY(const auto places, wantedPlaces(database, numbers, query));
    std::vector<std::string> sorted;
    sorted.reserve(places.size());
    for (const auto place : places) sorted.push_back(std::move(ids[place]));
    return sorted;
}

Result<std::optional<feed::RunInfo>> selectRun(Database& database, std::string_view id) {
    RunQuery query;
    query.where = "r.id = ?";
    query.values.emplace_back(std::string(id));
    ESPALIER_TRY(auto found, selectRuns(database, query));
    if (found.empty()) return std::optional<feed::RunInfo>();
    return std::optional(std::move(found.front()));
}

}  // namespace espalier::catalog
