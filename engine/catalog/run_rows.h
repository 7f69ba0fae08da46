#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/database.h"
#include "engine/feed/run_info.h"

/// Run rows to and from SQLite, on whatever connection the caller holds.
namespace espalier::catalog {

/// One sort key: `sql` gives a row (run, value) for each run that has one. Numbers come before texts, texts compare
/// without regard to ASCII case, runs without a value come last in either direction.
struct SortTerm {
    std::string sql;
    std::vector<SqlValue> values;
    bool isDescending = false;
};

/// What a list of runs asks for, in SQL made by us alone; values are always bound.
struct RunQuery {
    std::string where = "1";  ///< over alias r
    std::vector<SqlValue> values;
    std::string order = "r.created DESC, r.id DESC";  ///< before `sort`, which is stable
    std::vector<SqlValue> orderValues;
    std::vector<SortTerm> sort;
    std::int64_t first = 0, count = -1;  ///< the part of the sorted list that is wanted; −1 = to its end
    bool withParams = true;              ///< false leaves params and changedParams empty: no JSON is read
};

/// Rows with tags and summary. `folder` stays empty: the catalog does not know where it lies. When `total` is given it
/// gets the length of the whole list.
Result<std::vector<feed::RunInfo>> selectRuns(Database& database, const RunQuery& query, std::int64_t* total = nullptr);
Result<std::vector<std::string>> selectRunIds(Database& database, const RunQuery& query);
Result<std::optional<feed::RunInfo>> selectRun(Database& database, std::string_view id);

Result<void> insertRunRow(Database& database, const feed::RunInfo& info);
/// Writes what the training process owns: state, times, sizes, device, summary. Name, tags, note and colour stay.
Result<void> updateRunRow(Database& database, const feed::RunInfo& info);
Result<void> updateRunTags(Database& database, std::string_view id, const std::vector<std::string>& tags);
Result<void> updateRunName(Database& database, std::string_view id, const std::string& name);
Result<void> updateRunNote(Database& database, std::string_view id, const std::string& note);
Result<void> updateRunTrashed(Database& database, std::string_view id, bool isTrashed);
Result<void> deleteRunRow(Database& database, std::string_view id);
/// Row number of a run; NotFound when there is none.
Result<std::int64_t> runNumber(Database& database, std::string_view id);

/// Calls `member` for each member of a flat object of texts as we write it; false, perhaps after some calls, when the
/// text has escapes or another form and needs a real parser.
bool forEachPlainParam(std::string_view text, const std::function<void(std::string_view, std::string_view)>& member);

/// {"key":"value",…} as stored in the params columns.
std::string paramsToJson(const std::map<std::string, std::string>& params);
std::map<std::string, std::string> paramsFromJson(std::string_view text);

}  // namespace espalier::catalog
