#include "app/cli/output.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/feed/tradeoff_columns.h"

namespace espalier::cli {

using Json = nlohmann::ordered_json;

Json numberJson(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    return value;
}

Json nullableJson(double value) { return std::isnan(value) ? Json(nullptr) : numberJson(value); }
Json nullableJson(std::int64_t value) { return value == feed::kNullInt ? Json(nullptr) : Json(value); }

Json errorJson(const Error& error) {
    return Json{{"error",
                 {{"code", errorCodeName(error.code)},
                  {"what", error.what},
                  {"where", error.where},
                  {"remedy", error.remedy}}}};
}

Json warningJson(const Warning& warning) {
    return Json{{"file", warning.file},
                {"line", warning.line > 0 ? Json(warning.line) : Json(nullptr)},
                {"kind", warning.kind},
                {"detail", warning.detail},
                {"outcome", outcomeName(warning.outcome)}};
}

Json datasetJson(const feed::DatasetSummary& dataset) {
    Json classes = Json::array();
    for (const auto& each : dataset.classes) classes.push_back({{"name", each.name}, {"count", each.total()}});
    Json groups = Json::array();
    for (const auto& group : dataset.exactGroups) groups.push_back(group);
    Json pairs = Json::array();
    for (const auto& pair : dataset.nearPairs)
        pairs.push_back({{"a", pair.a}, {"b", pair.b}, {"similarity", pair.similarity}, {"across_splits", pair.acrossSplits}});
    Json sizes = Json::array();
    for (const auto& [size, count] : dataset.sizes) sizes.push_back({{"size", size}, {"count", count}});
    return Json{{"id", dataset.id},
                {"name", dataset.name},
                {"kind", dataset.kind},
                {"format", dataset.format},
                {"source", dataset.source},
                {"samples", dataset.samples},
                {"classes", classes},
                {"shape", dataset.shape},
                {"sizes", sizes},
                {"columns", dataset.columns},
                {"splits", {{"train", dataset.splits[0]}, {"valid", dataset.splits[1]}, {"test", dataset.splits[2]}}},
                {"split_kind", dataset.splitKind},
                {"hash", dataset.hash},
                {"duplicates",
                 {{"exact", dataset.exactDuplicates},
                  {"near", dataset.nearDuplicatePairs},
                  {"exact_across_splits", dataset.exactAcrossSplits},
                  {"exact_groups", groups},
                  {"near_pairs", pairs}}},
                {"channel_mean", dataset.channelMean},
                {"channel_std", dataset.channelStd},
                {"stored_bytes", dataset.storedBytes},
                {"decoded_bytes", dataset.decodedBytes},
                {"import_secs", dataset.importSecs},
                {"imported", dataset.importedUtc}};
}

Json summaryJson(const feed::RunInfo& run) {
    Json summary = Json::object();
    for (const auto& [name, entry] : run.summary)
        summary[name] = {{"last", numberJson(entry.last)}, {"best", numberJson(entry.best)}, {"best_step", entry.bestStep}};
    return summary;
}

Json runJson(const feed::RunInfo& run) {
    return Json{{"id", run.id},
                {"name", run.name},
                {"recipe", run.recipe},
                {"state", feed::jobStateName(run.state)},
                {"state_detail", run.stateDetail},
                {"dataset", {{"id", run.datasetId}, {"name", run.datasetName}, {"hash", run.datasetHash}}},
                {"parent", run.parentRun.empty() ? Json(nullptr) : Json(run.parentRun)},
                {"scale", run.scale},
                {"seed", run.seed},
                {"device", run.device},
                {"threads", run.threads},
                {"tags", run.tags},
                {"note", run.note},
                {"params", run.params},
                {"changed", run.changedParams},
                {"model_params", run.params_count},
                {"macs", run.macs},
                {"created", run.createdSecs},
                {"active_secs", run.activeSecs},
                {"bytes_on_disk", run.bytesOnDisk},
                {"folder", run.folder}};
}

namespace {

/// One trade-off row as an object; nulls where the table holds no value.
struct RowToJson {
    Json object = Json::object();
    void operator()(const char* name, const std::string& value) { object[name] = value; }
    void operator()(const char* name, int value) { object[name] = value; }
    void operator()(const char* name, std::int64_t value) { object[name] = nullableJson(value); }
    void operator()(const char* name, double value) { object[name] = nullableJson(value); }
};

template <class Row, class Visit>
Json rowJson(const Row& row, Visit visit) {
    RowToJson collector;
    visit(row, collector);
    return std::move(collector.object);
}

}  // namespace

Json tradeoffJson(const feed::TradeoffTables& tables) {
    Json points = Json::array(), layers = Json::array(), choices = Json::array();
    auto job = rowJson(tables.job, [](const auto& row, auto& to) { feed::visitJobColumns(row, to); });
    if (tables.job.finishedUtc.empty()) job["finished_utc"] = nullptr;
    for (const auto& each : tables.points)
        points.push_back(rowJson(each, [](const auto& row, auto& to) { feed::visitPointColumns(row, to); }));
    for (const auto& each : tables.layers)
        layers.push_back(rowJson(each, [](const auto& row, auto& to) { feed::visitLayerColumns(row, to); }));
    for (const auto& each : tables.choices)
        choices.push_back(rowJson(each, [](const auto& row, auto& to) { feed::visitChoiceColumns(row, to); }));
    return Json{{"job", job}, {"points", points}, {"layers", layers}, {"choices", choices}};
}

std::string dump(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

void printJson(const Json& document) {
    const auto text = dump(document) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

int report(const Error& error, bool isJson) {
    std::fprintf(stderr, "espalier-cli: %s\n", error.sentence().c_str());
    if (isJson) printJson(errorJson(error));
    return kFailed;
}

std::string shortNumber(double value) {
    char text[48];
    std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

std::string withThousands(std::int64_t value) {
    auto digits = std::to_string(value < 0 ? -value : value);
    for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
    return (value < 0 ? "-" : "") + digits;
}

std::string bytesText(std::int64_t bytes) {
    static const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
    double amount = static_cast<double>(bytes);
    int unit = 0;
    while (amount >= 1000.0 && unit < 4) amount /= 1000.0, ++unit;
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
    return text;
}

std::string durationText(double secs) {
    char text[48];
    const auto whole = static_cast<long long>(secs + 0.5);
    if (secs < 9.95) std::snprintf(text, sizeof text, "%.1f s", secs);
    else if (whole < 60) std::snprintf(text, sizeof text, "%lld s", whole);
    else if (whole < 3600) std::snprintf(text, sizeof text, "%lld min %02lld s", whole / 60, whole % 60);
    else std::snprintf(text, sizeof text, "%lld h %02lld min", whole / 3600, whole / 60 % 60);
    return text;
}

namespace {

/// Columns a terminal shows: code points, not bytes.
std::size_t displayWidth(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

bool looksNumeric(const std::string& text) {
    return !text.empty() && (std::isdigit(static_cast<unsigned char>(text[0])) ||
                             ((text[0] == '-' || text[0] == '.' || text[0] == '+') && text.size() > 1));
}

}  // namespace

void printTable(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& title : head) widths.push_back(displayWidth(title));
    std::vector<bool> isNumber(head.size(), true);
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
            widths[i] = std::max(widths[i], displayWidth(row[i]));
            if (!row[i].empty() && !looksNumeric(row[i])) isNumber[i] = false;
        }
    const auto printRow = [&](const std::vector<std::string>& row) {
        std::string line;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const auto cell = i < row.size() ? row[i] : std::string();
            const std::string padding(widths[i] - std::min(widths[i], displayWidth(cell)), ' ');
            line += (i ? "  " : "") + (isNumber[i] && !rows.empty() ? padding + cell : cell + padding);
        }
        while (!line.empty() && line.back() == ' ') line.pop_back();
        std::printf("%s\n", line.c_str());
    };
    printRow(head);
    for (const auto& row : rows) printRow(row);
}

}  // namespace espalier::cli
