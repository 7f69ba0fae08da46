#include "engine/intake/dataset_builder.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/intake/array_paths.h"
#include "engine/intake/dataset_store.h"
#include "engine/intake/dataset_warnings.h"
#include "engine/intake/image_paths.h"
#include "engine/intake/names.h"
#include "engine/intake/row_collector.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxGroups = 1000;
constexpr double kProgressSecs = 0.1;
constexpr const char* kReading = "Reading files";

/// Removes the staging folder unless it was put in place.
class Staging {
public:
    explicit Staging(const fs::path& target)
        : m_folder(target.parent_path() / ("." + target.filename().string() + ".importing")) {}
    ~Staging() {
        std::error_code ignored;
        if (!m_isKept) fs::remove_all(m_folder, ignored);
    }
    Result<void> create() {
        std::error_code error;
        fs::remove_all(m_folder, error);
        fs::create_directories(m_folder, error);
        if (error) return fail(ioError("the data set's folder cannot be made", m_folder, error.value()));
        return {};
    }
    Result<void> putInPlace(const fs::path& target) {
        std::error_code error;
        fs::rename(m_folder, target, error);
        if (error) return fail(ioError("the data set's folder cannot be put in place", target, error.value()));
        m_isKept = true;
        return {};
    }
    const fs::path& folder() const { return m_folder; }

private:
    fs::path m_folder;
    bool m_isKept = false;
};

Error stoppedError() { return Error{ErrorCode::BadInput, "the import was stopped; nothing was stored", {}, {}, {}}; }

std::string nameOf(const BuildRequest& request) {
    if (!request.name.empty()) return request.name;
    auto path = request.paths.front().lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    std::string name = displayText(path.filename().string());
    for (const char* suffix : {".gz", ".zst", ".bz2", ".xz", ".tar", ".tgz", ".zip", ".7z", ".npz", ".npy", ".h5", ".hdf5", ".csv", ".tsv"})
        if (name.size() > std::string_view(suffix).size() && lowerAscii(name).ends_with(suffix)) name.resize(name.size() - std::string_view(suffix).size());
    return name.empty() ? "data" : name;
}

/// The files of MNIST or CIFAR, dropped together: they mean the folder that they lie in.
Result<void> readWholeFolder(const BuildRequest& request, const Importer& importer, RowCollector& sink) {
    const fs::path folder = fs::absolute(request.paths.front()).lexically_normal().parent_path();
    for (const auto& path : request.paths)
        if (fs::absolute(path).lexically_normal().parent_path() != folder)
            return fail(ErrorCode::BadInput, "the files lie in different folders", displayText(path.string()), "Put them into one folder and drop that");
    return importer.read(folder, request.options, sink);
}

/// "archive" is too coarse for a reader: tar, zip or 7z, by content.
std::string shownFormat(const std::string& format, const fs::path& path) {
    if (format == "cifar") return "cifar-bin";
    if (format != "archive") return format;
    std::array<char, 6> head{};
    std::ifstream(path, std::ios::binary).read(head.data(), head.size());
    const std::string_view start(head.data(), head.size());
    return start.substr(0, 2) == "PK" ? "zip" : start.substr(0, 2) == "7z" ? "7z" : start.substr(0, 4) == "Rar!" ? "rar" : "tar";
}

/// What the user said and this kind of source has no use for: better told than passed over.
void warnOfUnusedOptions(const BuildRequest& request, const std::string& format, RowCollector& sink) {
    const ImportOptions& options = request.options;
    // An archive may hold either; its importer tells of members where it holds pictures.
    const bool hasMembers = format == "npz" || format == "hdf5" || format == "array-folder" || format == "archive", hasColumns = format == "csv" || format == "npy" || format == "image-folder" || format == "archive";
    const auto warn = [&](const std::string& value, const char* what) {
        if (!value.empty())
            sink.warn({displayText(request.paths.front().string()), 0, "unused_option",
                       std::string("the ") + what + " \"" + value + "\" plays no part in a source of kind " + format, Outcome::Ignored});
    };
    if (!hasColumns) warn(options.label, "label column");
    if (!hasMembers) {
        warn(options.images, "member with images");
        warn(options.labels, "member with labels");
    }
}

Result<void> readAll(const BuildRequest& request, RowCollector& sink, std::string& format) {
    if (request.paths.empty()) return fail(ErrorCode::BadInput, "nothing was named to import");
    ESPALIER_TRY(const Importer* importer, findImporter(request.paths.front(), request.options));
    // A table dropped together with pictures holds their labels.
    for (std::size_t i = 1; i < request.paths.size() && importer->format() == "csv"; ++i)
        if (const auto other = findImporter(request.paths[i], request.options); other && (*other)->format() == "image-folder") importer = *other;
    format = std::string(importer->format());
    warnOfUnusedOptions(request, format, sink);
    for (std::size_t i = 1; i < request.paths.size(); ++i) {
        std::error_code error;
        if (!fs::exists(request.paths[i], error))
            return fail(ErrorCode::NotFound, "there is no such file or folder", displayText(request.paths[i].string()), "Check the path; nothing was imported");
    }
    if (request.paths.size() == 1) return importer->read(request.paths.front(), request.options, sink);
    // Pictures and their labels: one file finds the other.
    if (format == "idx" && request.paths.size() == 2) return importer->read(request.paths.front(), request.options, sink);
    if (format == "idx" || format == "cifar") return readWholeFolder(request, *importer, sink);
    if (format == "npy" || format == "npz") {
        format = "array-folder";
        return readArrayPaths(request.paths, request.options, sink);
    }
    if (format != "image-folder")
        return fail(ErrorCode::BadInput, "several paths can only be pictures or folders of them, and this is " + format,
                    displayText(request.paths.front().string()), "Import it alone, or drop the folder that holds all files");
    return readImagePaths(request.paths, request.options, sink);
}

/// Classes in declared order, others after them in natural order; labels of the rows follow.
void orderClasses(RowCollector::Rows& rows, feed::DatasetSummary& summary) {
    std::vector<std::string> names = rows.declared;
    const std::set<std::string> declared(names.begin(), names.end());
    std::vector<std::string> others;
    for (const auto& name : rows.labelNames)
        if (!declared.count(name)) others.push_back(name);
    std::sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return naturalLess(a, b); });
    names.insert(names.end(), others.begin(), others.end());
    std::map<std::string, int> number;
    for (const auto& name : names)
        if (number.emplace(name, static_cast<int>(number.size())).second) summary.classes.push_back({displayText(name), {}});
    for (auto& record : rows.table.records)
        if (record.label >= 0) record.label = number[rows.labelNames[static_cast<std::size_t>(record.label)]];
}

void splitTable(RowTable& table, feed::DatasetSummary& summary, const BuildRequest& request) {
    const bool hasSplits = std::any_of(table.records.begin(), table.records.end(),
                                       [](const auto& record) { return record.sourceSplit != kNoSplit; });
    if (hasSplits && request.useFolderSplits) {
        summary.splitKind = "folders";
        for (auto& record : table.records) record.split = record.sourceSplit == kNoSplit ? 0 : record.sourceSplit;
        return;
    }
    summary.splitKind = "seed";
    std::vector<std::int64_t> labels;
    for (const auto& record : table.records) labels.push_back(record.label);
    const auto splits = splitRows(labels, request.splitFractions, request.seed);
    for (std::size_t row = 0; row < splits.size(); ++row) table.records[row].split = static_cast<std::uint8_t>(splits[row]);
}

/// Rows whose decoded content is the same, and that fact as warnings: the first copy is the original.
void findExactCopies(feed::DatasetSummary& summary, const RowTable& table) {
    std::map<std::array<std::uint8_t, 32>, std::vector<std::int64_t>> byContent;
    for (std::size_t row = 0; row < table.records.size(); ++row)
        byContent[table.records[row].digest].push_back(static_cast<std::int64_t>(row));
    std::vector<std::vector<std::int64_t>> groups;
    for (auto& [digest, rows] : byContent) {
        if (rows.size() < 2) continue;
        summary.exactDuplicates += static_cast<std::int64_t>(rows.size()) - 1;
        groups.push_back(std::move(rows));
    }
    std::sort(groups.begin(), groups.end());
    if (groups.size() > kMaxGroups) groups.resize(kMaxGroups);
    summary.exactGroups = std::move(groups);
}

void findNearCopies(feed::DatasetSummary& summary, RowCollector::Rows& rows, const std::stop_token& stop) {
    if (rows.isTable) return;
    // One row a content: exact copies are told apart already.
    std::set<std::array<std::uint8_t, 32>> seen;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.prints.size(); ++i) {
        if (!seen.insert(rows.table.records[static_cast<std::size_t>(rows.printRows[i])].digest).second) continue;
        rows.prints[kept] = rows.prints[i];
        rows.printRows[kept++] = rows.printRows[i];
    }
    rows.prints.resize(kept);
    rows.printRows.resize(kept);
    auto found = findNearPairs(rows.prints, rows.printRows, [&] { return stop.stop_requested(); });
    summary.nearDuplicatePairs = static_cast<std::int64_t>(found.pairs.size());
    if (found.isCut)
        summary.warnings.push_back({summary.source, 0, "many_near_duplicates",
                                    "has more pairs that look alike than are counted (" + groupedNumber(summary.nearDuplicatePairs) + ")",
                                    Outcome::Kept});
    if (found.pairs.size() > kMaxGroups) found.pairs.resize(kMaxGroups);
    summary.nearPairs = std::move(found.pairs);
}

std::vector<feed::HistogramBin> histogram(std::vector<double> values, int bins) {
    if (values.empty()) return {};
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const double start = *low, width = std::max(1.0, (*high - *low)) / bins;
    std::vector<feed::HistogramBin> result;
    for (int i = 0; i < bins; ++i) result.push_back({start + i * width, start + (i + 1) * width, 0});
    for (const double value : values)
        ++result[std::min<std::size_t>(std::size_t(bins) - 1, std::size_t((value - start) / width))].count;
    return result;
}

void describeSizes(feed::DatasetSummary& summary, const RowTable& table, bool isTable) {
    std::map<std::array<std::uint32_t, 3>, std::int64_t> shapes;
    std::map<std::string, std::int64_t> sizes;
    std::vector<double> bytes, sides;
    for (const auto& record : table.records) {
        ++shapes[{record.channels, record.height, record.width}];
        summary.storedBytes += record.storedBytes;
        summary.decodedBytes += isTable ? static_cast<std::int64_t>(record.length)
                                        : std::int64_t(record.width) * record.height * record.channels;
        bytes.push_back(static_cast<double>(record.storedBytes));
        if (isTable) continue;
        ++sizes[std::to_string(record.width) + "×" + std::to_string(record.height)];
        sides.push_back(std::max(record.width, record.height));
    }
    summary.byteHistogram = histogram(std::move(bytes), 24);
    if (isTable) {
        summary.shape = {static_cast<std::int64_t>(summary.columns.size())};
        return;
    }
    const auto common = std::max_element(shapes.begin(), shapes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    summary.shape = {common->first[0], common->first[1], common->first[2]};
    // One colour picture makes it a colour data set, whatever the most common size holds.
    for (const auto& [shape, count] : shapes) summary.shape[0] = std::max<std::int64_t>(summary.shape[0], shape[0]);
    summary.hasOneSize = sizes.size() == 1;
    summary.sizes.assign(sizes.begin(), sizes.end());
    std::stable_sort(summary.sizes.begin(), summary.sizes.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
    summary.sizeHistogram = histogram(std::move(sides), 24);
}

Error nothingCameIn(const BuildRequest& request, const RowCollector::Rows& rows) {
    const auto where = displayText(request.paths.front().string());
    if (rows.warnings.empty())
        return Error{ErrorCode::BadInput, "holds no samples: there is no data to import", where, "Check that it is the right file", {}};
    // What was kept with a remark is not why nothing came in.
    const auto skipped = std::find_if(rows.warnings.begin(), rows.warnings.end(), [](const Warning& warning) { return warning.outcome == Outcome::Skipped; });
    const Warning& first = skipped != rows.warnings.end() ? *skipped : rows.warnings.front();
    return Error{ErrorCode::BadInput,
                 "nothing could be read; the first trouble is " + displayText(first.file) + ": " + first.detail, where,
                 "Repair or replace the file", {}};
}

/// Passes progress on about ten times a second, with a rate.
class ProgressMeter {
public:
    explicit ProgressMeter(const std::function<void(const BuildProgress&)>& report) : m_report(report) {}
    void stage(const char* name) {
        m_stage = name;
        m_started = steadySecs();
        m_last = 0;
        show(0, 0);
    }
    void show(std::int64_t done, std::int64_t total) {
        const double now = steadySecs();
        if (!m_report || (now - m_last < kProgressSecs && done != total)) return;
        m_last = now;
        const double elapsed = now - m_started;
        m_report({m_stage, done, total, elapsed > 0 && m_stage == kReading ? static_cast<double>(done) / elapsed : 0.0});
    }

private:
    const std::function<void(const BuildProgress&)>& m_report;
    std::string m_stage;
    double m_started = 0, m_last = 0;
};

Result<feed::DatasetSummary> build(const BuildRequest& request, const fs::path& folder,
                                   const std::function<void(const BuildProgress&)>& report, std::stop_token stop) {
    const double started = steadySecs();
    ESPALIER_CHECK_OK(checkFractions(request.splitFractions));
    Staging staging(folder);
    if (!request.isDryRun) ESPALIER_CHECK_OK(staging.create());
    ProgressMeter meter(report);
    meter.stage(kReading);
    RowCollector collector({request.isDryRun ? fs::path() : staging.folder(), request.threads, stop,
                            [&](std::int64_t done, std::int64_t total) { meter.show(done, total); },
                            [&](const char* name) { meter.stage(name); }});
    feed::DatasetSummary summary;
    if (auto read = readAll(request, collector, summary.format); !read) {
        Error error = std::move(read).error();
        if (error.where.empty() && !request.paths.empty()) error.where = displayText(request.paths.front().string());
        return fail(std::move(error));
    }
    summary.format = shownFormat(summary.format, request.paths.front());
    if (stop.stop_requested()) return fail(stoppedError());
    ESPALIER_CHECK_OK(collector.finish());
    auto rows = collector.takeRows();
    if (stop.stop_requested()) return fail(stoppedError());
    if (rows.table.records.empty()) return fail(nothingCameIn(request, rows));

    summary.id = request.id;
    summary.name = nameOf(request);
    summary.source = displayText(request.paths.front().string());
    summary.kind = rows.isTable ? "table" : "images";
    summary.columns = rows.columns;
    summary.splitSeed = request.seed;
    summary.splitFractions = request.splitFractions;
    summary.warnings = rows.warnings;
    for (auto& warning : summary.warnings) warning.file = displayText(warning.file);
    orderClasses(rows, summary);
    splitTable(rows.table, summary, request);
    describeSizes(summary, rows.table, rows.isTable);
    meter.stage("Looking for duplicates");
    findExactCopies(summary, rows.table);
    findNearCopies(summary, rows, stop);
    if (stop.stop_requested()) return fail(stoppedError());
    summarizeSplits(summary, rows.table);
    warnOfCopies(summary, rows.table);
    warnOfNearLeaks(summary, rows.table);
    warnOfClasses(summary);
    for (auto& warning : summary.warnings) warning.file = displayText(warning.file);
    summary.importedUtc = utcText(wallClockSecs());
    summary.importSecs = steadySecs() - started;
    if (request.isDryRun) return summary;
    ESPALIER_CHECK_OK(writeRowTable(staging.folder() / "rows.bin", rows.table));
    ESPALIER_CHECK_OK(writeFileAtomically(staging.folder() / "dataset.json", summaryToJson(summary)));
    ESPALIER_CHECK_OK(staging.putInPlace(folder));
    return summary;
}

}  // namespace

Result<feed::DatasetSummary> buildDataset(const BuildRequest& request, const fs::path& folder,
                                          const std::function<void(const BuildProgress&)>& progress,
                                          std::stop_token stop) {
    // The door where exceptions of the format libraries end.
    try {
        return build(request, folder, progress, std::move(stop));
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::OutOfMemory, "the import needs more memory than there is",
                    request.paths.empty() ? "" : displayText(request.paths.front().string()), "Import a smaller part");
    } catch (const std::exception& error) {
        return fail(ErrorCode::Internal, "the import failed in a library",
                    request.paths.empty() ? "" : displayText(request.paths.front().string()), "Please report this file", error.what());
    }
}

}  // namespace espalier::intake
