#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/database.h"
#include "engine/feed/run_info.h"

/// Run rows to and from SQLite, on whatever connection the caller holds.
namespace espalier::catalog {

/// What a list of runs asks for, in SQL made by us alone; values are always bound.
struct RunQuery {
    std::string where = "1";  ///< over alias r
    std::vector<SqlValue> values;
    std::string order = "r.created DESC, r.id DESC";
    std::vector<SqlValue> orderValues;
};

/// Rows with tags and summary. `folder` stays empty: the catalog does not know where it lies.
Result<std::vector<feed::RunInfo>> selectRuns(Database& database, const RunQuery& query);
Result<std::vector<std::string>> selectRunIds(Database& database, const RunQuery& query);
Result<std::optional<feed::RunInfo>> selectRun(Database& database, std::string_view id);

Result<void> insertRunRow(Database& database, const feed::RunInfo& info);
/// Writes what the training process owns: state, times, sizes, device, summary. Name, tags, note and colour stay.
Result<void> updateRunRow(Database& database, const feed::RunInfo& info);
Result<void> updateRunTags(Database& database, std::string_view id, const std::vector<std::string>& tags);
/// `column` is one of our own literals, never text from outside.
Result<void> updateRunColumn(Database& database, std::string_view id, const char* column, const SqlValue& value);
Result<void> deleteRunRow(Database& database, std::string_view id);

/// {"key":"value",…} as stored in the params columns.
std::string paramsToJson(const std::map<std::string, std::string>& params);
std::map<std::string, std::string> paramsFromJson(std::string_view text);

}  // namespace espalier::catalog
