#include <nlohmann/json.hpp>

#include "engine/intake/dataset_store.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

using nlohmann::json;

json binsToJson(const std::vector<feed::HistogramBin>& bins) {
    json array = json::array();
    for (const feed::HistogramBin& bin : bins) array.push_back({bin.low, bin.high, bin.count});
    return array;
}

std::vector<feed::HistogramBin> binsFromJson(const json& array) {
    std::vector<feed::HistogramBin> bins;
    for (const json& bin : array) bins.push_back({bin.at(0), bin.at(1), bin.at(2)});
    return bins;
}

Outcome outcomeFromName(const std::string& name) {
    return name == "skipped" ? Outcome::Skipped : name == "ignored" ? Outcome::Ignored : Outcome::Kept;
}

json warningsToJson(const Warnings& warnings) {
    json array = json::array();
    for (const Warning& warning : warnings)
        array.push_back({{"file", displayText(warning.file)},
                         {"line", warning.line},
                         {"kind", warning.kind},
                         {"detail", displayText(warning.detail)},
                         {"outcome", outcomeName(warning.outcome)}});
    return array;
}

void readContent(const json& root, feed::DatasetSummary& summary) {
    for (const json& entry : root.at("classes"))
        summary.classes.push_back({entry.at("name"), entry.at("counts").get<std::array<std::int64_t, 3>>()});
    summary.shape = root.at("shape").get<std::vector<std::int64_t>>();
    summary.hasOneSize = root.at("has_one_size");
    const json& splits = root.at("splits");
    summary.splits = {splits.at("train"), splits.at("valid"), splits.at("test")};
    summary.splitKind = root.at("split_kind");
    summary.splitSeed = root.at("split_seed");
    summary.splitFractions = root.at("split_fractions").get<std::array<double, 3>>();
    const json& duplicates = root.at("duplicates");
    summary.exactDuplicates = duplicates.at("exact");
    summary.exactAcrossSplits = duplicates.at("exact_across_splits");
    summary.exactGroups = duplicates.at("exact_groups").get<std::vector<std::vector<std::int64_t>>>();
    summary.nearDuplicatePairs = duplicates.at("near");
    for (const json& pair : duplicates.at("near_pairs"))
        summary.nearPairs.push_back({pair.at(0), pair.at(1), pair.at(2), pair.at(3)});
}

void readMeasures(const json& root, feed::DatasetSummary& summary) {
    summary.channelMean = root.at("channel_mean").get<std::vector<double>>();
    summary.channelStd = root.at("channel_std").get<std::vector<double>>();
    summary.byteHistogram = binsFromJson(root.at("byte_histogram"));
    summary.sizeHistogram = binsFromJson(root.at("size_histogram"));
    for (const json& size : root.at("sizes")) summary.sizes.emplace_back(size.at(0), size.at(1));
    summary.storedBytes = root.at("stored_bytes");
    summary.decodedBytes = root.at("decoded_bytes");
    summary.columns = root.at("columns").get<std::vector<std::string>>();
    summary.importSecs = root.at("import_secs");
    summary.importedUtc = root.at("imported_utc");
    for (const json& warning : root.at("warnings"))
        summary.warnings.push_back({warning.at("file"), warning.at("line"), warning.at("kind"), warning.at("detail"),
                                    outcomeFromName(warning.at("outcome"))});
}

/// Indices into the rows must be usable without another check.
bool indicesFit(const feed::DatasetSummary& summary) {
    const auto fits = [&](std::int64_t index) { return index >= 0 && index < summary.samples; };
    for (const auto& group : summary.exactGroups)
        for (const std::int64_t index : group)
            if (!fits(index)) return false;
    for (const feed::NearPair& pair : summary.nearPairs)
        if (!fits(pair.a) || !fits(pair.b)) return false;
    return summary.samples >= 0;
}

}  // namespace

std::string summaryToJson(const feed::DatasetSummary& summary) {
    json classes = json::array();
    for (const feed::ClassInfo& info : summary.classes)
        classes.push_back({{"name", displayText(info.name)}, {"count", info.total()}, {"counts", info.counts}});
    json pairs = json::array();
    for (const feed::NearPair& pair : summary.nearPairs)
        pairs.push_back({pair.a, pair.b, pair.similarity, pair.acrossSplits});
    json sizes = json::array();
    for (const auto& [name, count] : summary.sizes) sizes.push_back({name, count});
    json columns = json::array();
    for (const std::string& column : summary.columns) columns.push_back(displayText(column));
    const json root{
        {"format_version", 1},
        {"id", summary.id},
        {"name", displayText(summary.name)},
        {"kind", summary.kind},
        {"source", displayText(summary.source)},
        {"format", summary.format},
        {"samples", summary.samples},
        {"classes", std::move(classes)},
        {"shape", summary.shape},
        {"has_one_size", summary.hasOneSize},
        {"splits", {{"train", summary.splits[0]}, {"valid", summary.splits[1]}, {"test", summary.splits[2]}}},
        {"split_kind", summary.splitKind},
        {"split_seed", summary.splitSeed},
        {"split_fractions", summary.splitFractions},
        {"hash", summary.hash},
        {"duplicates",
         {{"exact", summary.exactDuplicates},
          {"exact_across_splits", summary.exactAcrossSplits},
          {"exact_groups", summary.exactGroups},
          {"near", summary.nearDuplicatePairs},
          {"near_pairs", std::move(pairs)}}},
        {"channel_mean", summary.channelMean},
        {"channel_std", summary.channelStd},
        {"byte_histogram", binsToJson(summary.byteHistogram)},
        {"size_histogram", binsToJson(summary.sizeHistogram)},
        {"sizes", std::move(sizes)},
        {"stored_bytes", summary.storedBytes},
        {"decoded_bytes", summary.decodedBytes},
        {"columns", std::move(columns)},
        {"import_secs", summary.importSecs},
        {"imported_utc", summary.importedUtc},
        {"warnings", warningsToJson(summary.warnings)},
    };
    return root.dump(1, ' ', false, json::error_handler_t::replace);
}

Result<feed::DatasetSummary> summaryFromJson(const std::string& text, const std::string& where) {
    try {
        const json root = json::parse(text);
        if (root.at("format_version") != 1)
            return fail(ErrorCode::Unsupported, "the data set was stored by a newer version of the program", where,
                        "Update the program or import the data again");
        feed::DatasetSummary summary;
        summary.id = root.at("id");
        summary.name = root.at("name");
        summary.kind = root.at("kind");
        summary.source = root.at("source");
        summary.format = root.at("format");
        summary.samples = root.at("samples");
        summary.hash = root.at("hash");
        readContent(root, summary);
        readMeasures(root, summary);
        if (!indicesFit(summary))
            return fail(ErrorCode::Corrupt, "the description names samples that do not exist", where,
                        "Import the data again");
        return summary;
    } catch (const json::exception& exception) {
        return fail(ErrorCode::Corrupt, "the description of the data set cannot be read", where,
                    "Import the data again", exception.what());
    }
}

}  // namespace espalier::intake
