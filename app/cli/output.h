#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/dataset.h"
#include "engine/feed/run_info.h"
#include "engine/feed/tradeoff.h"

namespace espalier::cli {

/// Exit codes: an interface that schedulers rely on.
inline constexpr int kDone = 0, kFailed = 1, kUsage = 2, kResumable = 75;

/// JSON numbers cannot hold NaN and infinities: those become the strings "nan", "inf", "-inf".
nlohmann::ordered_json numberJson(double value);
/// Trade-off columns: null where the table holds no value.
nlohmann::ordered_json nullableJson(double value);
nlohmann::ordered_json nullableJson(std::int64_t value);

nlohmann::ordered_json errorJson(const Error& error);
nlohmann::ordered_json warningJson(const Warning& warning);
nlohmann::ordered_json datasetJson(const feed::DatasetSummary& dataset);
nlohmann::ordered_json runJson(const feed::RunInfo& run);
nlohmann::ordered_json summaryJson(const feed::RunInfo& run);
nlohmann::ordered_json tradeoffJson(const feed::TradeoffTables& tables);

/// Bytes that are not UTF-8 (file names) are replaced, so every document can be parsed.
std::string dump(const nlohmann::ordered_json& document);
/// One document on standard output.
void printJson(const nlohmann::ordered_json& document);
/// The sentence on standard error and, with --json, the error object on standard output. Returns the exit code.
int report(const Error& error, bool isJson);

/// "0.9571", "1.2e-05": at most six significant digits, for people.
std::string shortNumber(double value);
/// 1,234,567 and 12.3 MB (1 MB = 1,000,000 bytes).
std::string withThousands(std::int64_t value);
std::string bytesText(std::int64_t bytes);
/// "35 s", "2 min 05 s", "1 h 28 min".
std::string durationText(double secs);
/// Columns padded to the widest cell; numbers right-aligned.
void printTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

}  // namespace espalier::cli
