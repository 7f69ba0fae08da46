#include "engine/runlog/run_log_reader.h"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include <sys/stat.h>

#include "engine/runlog/compact_series.h"
#include "engine/runlog/pyramid.h"
#include "engine/runlog/run_file.h"

namespace espalier::runlog {
namespace fs = std::filesystem;
namespace {

struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
};

FileId fileId(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return {};
    return {info.st_dev, info.st_ino};
}

}  // namespace

/// Two ways to answer: a compacted run.h5 on demand, or a model in memory that follows the journal (or, where there is
/// no usable journal, holds one reading of a live run.h5).
struct RunLogReader::Impl {
    explicit Impl(fs::path runFolder) : folder(std::move(runFolder)) {}

    const fs::path folder;
    std::mutex mutex;
    std::optional<RunFile> compacted;
    std::optional<DatasetCache> datasets;  ///< of `compacted`
    FileId compactedId;
    std::vector<SeriesRow> seriesRows;
    std::optional<JournalReader> journal;
    std::uint64_t nextOffset = kJournalHeaderBytes;
    std::uint64_t damagedBytes = 0;
    LogModel model;

    Result<void> openSource();
    Result<void> refresh();
    Result<void> followJournal();
    Result<const SeriesRow*> findCompacted(const std::string& name) const;
    Result<std::uint32_t> findModel(const std::string& name) const;
    Result<feed::ArrayRecord> readStored(const feed::ArrayInfo& info, std::int64_t first, std::int64_t count,
                                         const std::function<Result<std::string>(std::int64_t, std::int64_t)>& bytes)
        const;
};

Result<void> RunLogReader::Impl::openSource() {
    datasets.reset();
    compacted.reset();
    journal.reset();
    model = {};
    nextOffset = kJournalHeaderBytes;
    damagedBytes = 0;
    const auto runFile = folder / kRunFileName;
    compactedId = fileId(runFile);
    auto run = RunFile::open(runFile);
    if (!run && run.error().code == ErrorCode::Unsupported) return fail(std::move(run).error());
    if (run && run->isCompacted()) {
        auto rows = readTable<SeriesRow>(run->file(), "series");
        if (rows) {
            seriesRows = std::move(*rows);
            compacted = std::move(*run);
            datasets.emplace(compacted->file());
            return {};
        }
    }
    // The journal comes first also when run.h5 could be read: it is checked record by record, and reading it does not
    // take HDF5's lock from a writer in this process.
    auto opened = JournalReader::open(folder / kJournalName);
    if (opened) {
        journal.emplace(std::move(*opened));
        return followJournal();
    }
    if (!run) {
        if (opened.error().code == ErrorCode::NotFound && run.error().code == ErrorCode::NotFound)
            return fail(ErrorCode::NotFound, "has no log yet", folder.string());
        return fail(std::move(opened).error());
    }
    if (run->isCompacted()) return fail(ErrorCode::Corrupt, "is damaged", runFile.string());
    ESPALIER_TRY(model, run->liveModel());
    return {};
}

Result<void> RunLogReader::Impl::followJournal() {
    ESPALIER_TRY(const auto scan, journal->scan(nextOffset, [&](RecordType type, std::string_view bytes,
                                                                std::uint64_t offset) -> Result<void> {
        (void)model.apply(type, bytes, offset);  // a record that cannot be decoded is left out
        return {};
    }));
    nextOffset = scan.nextOffset;
    damagedBytes += scan.damagedBytes;
    return {};
}

Result<void> RunLogReader::Impl::refresh() {
    if (compacted) return fileId(folder / kRunFileName) == compactedId ? Result<void>{} : openSource();
    if (journal) return followJournal();
    return openSource();
}

Result<const SeriesRow*> RunLogReader::Impl::findCompacted(const std::string& name) const {
    for (const auto& row : seriesRows)
        if (row.name == name) return &row;
    return fail(ErrorCode::NotFound, "the run has no series of this name", name);
}

Result<std::uint32_t> RunLogReader::Impl::findModel(const std::string& name) const {
    for (const auto& info : model.series)
        if (info.name == name) return info.id;
    return fail(ErrorCode::NotFound, "the run has no series of this name", name);
}

Result<std::unique_ptr<RunLogReader>> RunLogReader::open(const fs::path& runFolder) {
    auto impl = std::make_unique<Impl>(runFolder);
    ESPALIER_CHECK_OK(impl->openSource());
    return std::unique_ptr<RunLogReader>(new RunLogReader(std::move(impl)));
}

RunLogReader::RunLogReader(std::unique_ptr<Impl> impl) : d(std::move(impl)) {}
RunLogReader::~RunLogReader() = default;

Result<std::vector<feed::SeriesInfo>> RunLogReader::series() const {
    std::lock_guard lock(d->mutex);
    ESPALIER_CHECK_OK(d->refresh());
    if (!d->compacted) return d->model.series;
    std::vector<feed::SeriesInfo> infos;
    for (const auto& row : d->seriesRows) infos.push_back(seriesInfo(row));
    return infos;
}

Result<feed::SeriesColumns> RunLogReader::read(const std::string& seriesName) const {
    std::lock_guard lock(d->mutex);
    ESPALIER_CHECK_OK(d->refresh());
    if (!d->compacted) {
        ESPALIER_TRY(const auto id, d->findModel(seriesName));
        return d->model.columns[id];
    }
    ESPALIER_TRY(const auto* row, d->findCompacted(seriesName));
    return readColumns(*d->datasets, *row, 0, static_cast<std::uint64_t>(row->count));
}

Result<std::vector<RunLogReader::Column>> RunLogReader::envelope(const std::string& seriesName, std::int64_t firstStep,
                                                                 std::int64_t lastStep, int columns) const {
    if (columns <= 0 || lastStep < firstStep)
        return fail(ErrorCode::BadInput, "the range of steps or the number of columns is empty", seriesName);
    const StepGrid grid(firstStep, lastStep, columns);
    std::vector<Bucket> buckets;
    {
        std::lock_guard lock(d->mutex);
        ESPALIER_CHECK_OK(d->refresh());
        if (d->compacted) {
            ESPALIER_TRY(const auto* row, d->findCompacted(seriesName));
            ESPALIER_TRY(buckets, envelopeOf(*d->datasets, *row, grid));
        } else {
            ESPALIER_TRY(const auto id, d->findModel(seriesName));
            const auto& source = d->model.columns[id];
            buckets.resize(static_cast<std::size_t>(columns));
            for (std::size_t i = 0; i < source.steps.size(); ++i)
                if (const int column = grid.columnOf(source.steps[i]); column >= 0)
                    buckets[static_cast<std::size_t>(column)].addPoint(source.steps[i], source.values[i]);
        }
    }
    std::vector<Column> result;
    for (const auto& bucket : buckets) {
        Column column;
        column.count = bucket.count();
        column.nonFinite = bucket.nonFinite;
        column.min = bucket.finite ? bucket.min : feed::kNullReal;
        column.max = bucket.finite ? bucket.max : feed::kNullReal;
        column.mean = bucket.finite ? bucket.mean : feed::kNullReal;
        result.push_back(column);
    }
    return result;
}

Result<std::vector<RunLogReader::Span>> RunLogReader::overview(const std::string& seriesName, std::int64_t firstStep,
                                                               std::int64_t lastStep, int columns) const {
    if (columns <= 0 || lastStep < firstStep)
        return fail(ErrorCode::BadInput, "the range of steps or the number of columns is empty", seriesName);
    SpanJoiner joiner(firstStep, lastStep, columns);
    {
        std::lock_guard lock(d->mutex);
        ESPALIER_CHECK_OK(d->refresh());
        if (d->compacted) {
            ESPALIER_TRY(const auto* row, d->findCompacted(seriesName));
            ESPALIER_CHECK_OK(collectSpans(*d->datasets, *row, joiner));
        } else {
            ESPALIER_TRY(const auto id, d->findModel(seriesName));
            const auto& source = d->model.columns[id];
            for (std::size_t i = 0; i < source.steps.size(); ++i) joiner.addPoint(source.steps[i], source.values[i]);
        }
    }
    std::vector<Span> spans;
    for (const auto& bucket : joiner.take())
        spans.push_back({bucket.minStep, bucket.maxStep, bucket.finite ? bucket.min : feed::kNullReal,
                         bucket.finite ? bucket.max : feed::kNullReal, bucket.finite ? bucket.mean : feed::kNullReal,
                         bucket.count(), bucket.nonFinite});
    return spans;
}

Result<std::vector<feed::RunMark>> RunLogReader::marks() const {
    std::lock_guard lock(d->mutex);
    ESPALIER_CHECK_OK(d->refresh());
    if (!d->compacted) return d->model.marks;
    return readTable<feed::RunMark>(d->compacted->file(), tableName(Table::Marks));
}

Result<Warnings> RunLogReader::warnings() const {
    std::lock_guard lock(d->mutex);
    ESPALIER_CHECK_OK(d->refresh());
    if (!d->compacted) {
        auto warnings = d->model.warnings;
        if (d->damagedBytes > 0)
            warnings.push_back({kJournalName, 0, "journal_damaged",
                                std::to_string(d->damagedBytes) + " damaged bytes of the journal were skipped",
                                Outcome::Skipped});
        return warnings;
    }
    ESPALIER_TRY(const auto rows, readTable<WarningRow>(d->compacted->file(), tableName(Table::Warnings)));
    Warnings warnings;
    for (const auto& row : rows) warnings.push_back(warningOf(row));
    return warnings;
}

Result<std::vector<feed::ArrayInfo>> RunLogReader::arrays() const {
    std::lock_guard lock(d->mutex);
    ESPALIER_CHECK_OK(d->refresh());
    std::vector<feed::ArrayInfo> infos;
    if (d->compacted) {
        ESPALIER_TRY(const auto rows, d->compacted->arrayRows());
        for (const auto& row : rows) {
            ESPALIER_TRY(auto info, infoOf(row));
            infos.push_back(std::move(info));
        }
        return infos;
    }
    // The journal tells of large arrays before their values are readable: list only those that are.
    std::set<std::int64_t> stored;
    const bool hasLarge = std::any_of(d->model.arrays.begin(), d->model.arrays.end(),
                                      [](const auto& entry) { return !entry.isInline; });
    if (hasLarge)
        if (auto run = RunFile::open(d->folder / kRunFileName))
            if (auto rows = run->arrayRows())
                for (const auto& row : *rows) stored.insert(row.index);
    for (const auto& entry : d->model.arrays)
        if (entry.isInline || stored.count(static_cast<std::int64_t>(entry.info.index))) infos.push_back(entry.info);
    return infos;
}

Result<feed::ArrayRecord> RunLogReader::Impl::readStored(
    const feed::ArrayInfo& info, std::int64_t first, std::int64_t count,
    const std::function<Result<std::string>(std::int64_t, std::int64_t)>& bytes) const {
    const std::int64_t rows = info.shape.empty() ? 1 : info.shape.front();
    if (count < 0) count = rows - std::min(first, rows);
    if (first < 0 || first + count > rows)
        return fail(ErrorCode::BadInput,
                    "rows " + std::to_string(first) + " to " + std::to_string(first + count) +
                        " were asked for, but there are " + std::to_string(rows),
                    info.name);
    feed::ArrayRecord record;
    record.info = info;
    const std::int64_t rowSize = rows > 0 ? elementCount(info.shape) / rows : 0;
    ESPALIER_TRY(const auto stored, bytes(first * rowSize, count * rowSize));
    if (!record.info.shape.empty()) record.info.shape.front() = count;
    fillValues(record, stored);
    return record;
}

Result<feed::ArrayRecord> RunLogReader::readArray(std::uint64_t index, std::int64_t first, std::int64_t count) const {
    std::lock_guard lock(d->mutex);
    ESPALIER_CHECK_OK(d->refresh());
    if (!d->compacted) {
        for (const auto& entry : d->model.arrays) {
            if (entry.info.index != index || !entry.isInline) continue;
            const auto width = elementBytes(entry.info.type);
            return d->readStored(entry.info, first, count,
                                 [&](std::int64_t from, std::int64_t elements) -> Result<std::string> {
                                     std::string bytes(static_cast<std::size_t>(elements) * width, '\0');
                                     ESPALIER_CHECK_OK(d->journal->readAt(
                                         entry.journalOffset + static_cast<std::uint64_t>(from) * width, bytes.data(),
                                         bytes.size()));
                                     return bytes;
                                 });
        }
    }
    std::optional<RunFile> live;
    if (!d->compacted) {
        ESPALIER_TRY(live, RunFile::open(d->folder / kRunFileName));
    }
    const RunFile& run = d->compacted ? *d->compacted : *live;
    ESPALIER_TRY(const auto rows, run.arrayRows());
    for (const auto& row : rows) {
        if (row.index != static_cast<std::int64_t>(index)) continue;
        ESPALIER_TRY(const auto info, infoOf(row));
        return d->readStored(info, first, count, [&](std::int64_t from, std::int64_t elements) {
            return run.arrayBytes(row, from, elements);
        });
    }
    return fail(ErrorCode::NotFound, "the run has no array " + std::to_string(index), d->folder.string());
}

Result<feed::TradeoffTables> RunLogReader::tradeoff() const {
    std::lock_guard lock(d->mutex);
    ESPALIER_CHECK_OK(d->refresh());
    feed::TradeoffTables tables;
    if (!d->compacted) {
        tables = d->model.tradeoff;
        feed::markFront(tables.job, tables.points);
        return tables;
    }
    const hid_t file = d->compacted->file();
    ESPALIER_TRY(auto jobs, readTable<feed::TradeoffJob>(file, tableName(Table::Job)));
    if (!jobs.empty()) tables.job = std::move(jobs.back());
    ESPALIER_TRY(tables.layers, readTable<feed::TradeoffLayer>(file, tableName(Table::Layer)));
    ESPALIER_TRY(tables.points, readTable<feed::TradeoffPoint>(file, tableName(Table::Point)));
    ESPALIER_TRY(tables.choices, readTable<feed::TradeoffChoice>(file, tableName(Table::Choice)));
    ESPALIER_TRY(tables.traces, readTable<feed::TradeoffTrace>(file, tableName(Table::Trace)));
    return tables;
}

}  // namespace espalier::runlog
