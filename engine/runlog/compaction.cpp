#include "engine/runlog/compaction.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <span>

#include "engine/base/files.h"
#include "engine/runlog/column_chunks.h"
#include "engine/runlog/compact_layout.h"
#include "engine/runlog/migration.h"
#include "engine/runlog/pyramid.h"
#include "engine/runlog/recovery.h"
#include "engine/runlog/run_file.h"

namespace espalier::runlog {
namespace fs = std::filesystem;
namespace {

/// One column that is written chunk by chunk. Whole chunks go past HDF5's filters (ChunkEncoder); the borders between two
/// series, which share a chunk, through them.
class ColumnFile {
public:
    Result<void> create(hid_t file, const char* name, hid_t type, hid_t memoryType, std::uint64_t rows) {
        h5::DatasetOptions options;
        options.chunkRows = compact::kChunk;
        options.isCompressed = options.isFixedSize = true;
        options.rows = rows;
        m_memoryType = memoryType;
        m_hasWholeChunks = rows >= compact::kChunk;
        ESPALIER_TRY(m_dataset, h5::createDataset(file, name, type, options));
        return {};
    }
    Result<void> write(std::uint64_t first, std::span<const std::uint64_t> values, ChunkEncoder& encoder) {
        while (!values.empty()) {
            const auto part = values.first(std::min<std::uint64_t>(compact::kChunk - first % compact::kChunk, values.size()));
            if (part.size() == compact::kChunk && m_hasWholeChunks) {
                ESPALIER_TRY(const auto stored, encoder.encode(part.data(), part.size()));
                ESPALIER_CHECK_OK(h5::writeChunk(m_dataset.get(), first, stored));
            } else {
                ESPALIER_CHECK_OK(h5::writeRows(m_dataset.get(), m_memoryType, first, part.size(), part.data()));
            }
            first += part.size();
            values = values.subspan(part.size());
        }
        return {};
    }
    h5::Handle& handle() { return m_dataset; }

private:
    h5::Handle m_dataset;
    hid_t m_memoryType = -1;
    bool m_hasWholeChunks = false;
};

/// Values of one kind that are appended one after another; whole chunks are written as they fill.
class ColumnTail {
public:
    explicit ColumnTail(std::uint64_t first = 0) : m_next(first) {}
    template <class T>
    Result<void> add(T value, ColumnFile& file, ChunkEncoder& encoder) {
        m_values.push_back(std::bit_cast<std::uint64_t>(value));
        return (m_next + m_values.size()) % compact::kChunk == 0 ? flush(file, encoder) : Result<void>{};
    }
    Result<void> flush(ColumnFile& file, ChunkEncoder& encoder) {
        ESPALIER_CHECK_OK(file.write(m_next, m_values, encoder));
        m_next += m_values.size();
        m_values.clear();
        return {};
    }
    std::uint64_t next() const { return m_next; }

private:
    std::uint64_t m_next;
    std::vector<std::uint64_t> m_values;
};

/// Writes the columns of all series. Points come interleaved; each series collects them up to the next chunk border,
/// so that almost every chunk is deflated once.
class ColumnWriter {
public:
    Result<void> open(hid_t file, const LogModel& model) {
        std::uint64_t total = 0, buckets = 0;
        for (const auto& info : model.series) {
            m_parts.emplace_back(total);
            total += info.count;
            for (const auto level : pyramidLevels(info.count)) buckets += level;
        }
        const auto integers = [&](ColumnFile& column, const char* name, std::uint64_t rows) {
            return column.create(file, name, H5T_STD_I64LE, H5T_NATIVE_INT64, rows);
        };
        const auto reals = [&](ColumnFile& column, const char* name, std::uint64_t rows) {
            return column.create(file, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, rows);
        };
        const auto counts = [&](ColumnFile& column, const char* name) {
            return column.create(file, name, H5T_STD_U64LE, H5T_NATIVE_UINT64, buckets);
        };
        ESPALIER_CHECK_OK(integers(m_columns[kStep], compact::kSteps, total));
        ESPALIER_CHECK_OK(reals(m_columns[kWall], compact::kWallSecs, total));
        ESPALIER_CHECK_OK(reals(m_columns[kValue], compact::kValues, total));
        ESPALIER_CHECK_OK(integers(m_columns[kMinStep], compact::kMinStep, buckets));
        ESPALIER_CHECK_OK(integers(m_columns[kMaxStep], compact::kMaxStep, buckets));
        ESPALIER_CHECK_OK(reals(m_columns[kMin], compact::kMin, buckets));
        ESPALIER_CHECK_OK(reals(m_columns[kMax], compact::kMax, buckets));
        ESPALIER_CHECK_OK(reals(m_columns[kMean], compact::kMean, buckets));
        ESPALIER_CHECK_OK(counts(m_columns[kFinite], compact::kFinite));
        return counts(m_columns[kNonFinite], compact::kNonFinite);
    }

    Result<void> add(std::string_view payload) {
        for (; payload.size() >= sizeof(EventRow); payload.remove_prefix(sizeof(EventRow))) {
            EventRow row;
            std::memcpy(&row, payload.data(), sizeof row);
            if (row.series >= m_parts.size()) continue;
            auto& part = m_parts[row.series];
            if (part.count > 0) part.noteStep(row.step);
            part.lastStep = row.step;
            if (part.count++ / kPyramidFactor >= part.buckets.size()) part.buckets.emplace_back();
            part.buckets.back().addPoint(row.step, row.value);
            ESPALIER_CHECK_OK(part.steps.add(row.step, m_columns[kStep], m_encoder));
            ESPALIER_CHECK_OK(part.wallSecs.add(row.wallSecs, m_columns[kWall], m_encoder));
            ESPALIER_CHECK_OK(part.values.add(row.value, m_columns[kValue], m_encoder));
        }
        return {};
    }

    /// Last blocks, pyramids and the series table.
    Result<void> finish(hid_t file, const LogModel& model) {
        std::vector<SeriesRow> rows;
        std::uint64_t offset = 0, bucketOffset = 0;
        for (std::size_t i = 0; i < m_parts.size(); ++i) {
            auto& part = m_parts[i];
            const auto& info = model.series[i];
            ESPALIER_CHECK_OK(part.steps.flush(m_columns[kStep], m_encoder));
            ESPALIER_CHECK_OK(part.wallSecs.flush(m_columns[kWall], m_encoder));
            ESPALIER_CHECK_OK(part.values.flush(m_columns[kValue], m_encoder));
            if (part.count != info.count)
                return fail(ErrorCode::Internal, "the journal changed while it was compacted", info.name);
            const auto levels = pyramidLevels(info.count);
            rows.push_back(rowFor(info, offset, bucketOffset, levels.size()));
            rows.back().stride = part.count == 1 ? 1 : part.stride;
            offset += info.count;
            std::vector<Bucket> level = std::move(part.buckets);
            for (std::size_t depth = 0; depth < levels.size(); ++depth) {
                if (depth > 0) level = coarser(level);
                ESPALIER_CHECK_OK(addLevel(level));
                bucketOffset += level.size();
            }
            part = Part(0);
        }
        for (std::size_t i = kMinStep; i < kColumns; ++i) ESPALIER_CHECK_OK(m_tails[i].flush(m_columns[i], m_encoder));
        return writeTable(file, compact::kSeries, rows, {});
    }

    Result<void> flush() {
        for (auto& column : m_columns) ESPALIER_CHECK_OK(h5::flush(column.handle().get()));
        return {};
    }
    void close() {
        for (auto& column : m_columns) column.handle().reset();
    }
    void forget() {
        for (auto& column : m_columns) column.handle().forget();
    }

private:
    enum { kStep, kWall, kValue, kMinStep, kMaxStep, kMin, kMax, kMean, kFinite, kNonFinite, kColumns };
    struct Part {
        explicit Part(std::uint64_t start) : steps(start), wallSecs(start), values(start) {}
        void noteStep(std::int64_t step) {
            const auto gap = static_cast<std::uint64_t>(step) - static_cast<std::uint64_t>(lastStep);
            if (count == 1) stride = step > lastStep && gap < (std::uint64_t(1) << 62) ? static_cast<std::int64_t>(gap) : 0;
            else if (gap != static_cast<std::uint64_t>(stride)) stride = 0;
        }
        std::uint64_t count = 0;
        std::int64_t lastStep = 0, stride = 0;  ///< stride 0: the steps are not evenly spaced
        ColumnTail steps, wallSecs, values;
        std::vector<Bucket> buckets;
    };

    static SeriesRow rowFor(const feed::SeriesInfo& info, std::uint64_t offset, std::uint64_t pyramidOffset,
                            std::size_t levels) {
        SeriesRow row;
        row.name = info.name;
        row.id = info.id;
        row.count = static_cast<std::int64_t>(info.count);
        row.firstStep = info.firstStep;
        row.lastStep = info.lastStep;
        row.minStep = info.minStep;
        row.maxStep = info.maxStep;
        row.nonFinite = static_cast<std::int64_t>(info.nonFinite);
        row.first = info.first;
        row.last = info.last;
        row.min = info.min;
        row.max = info.max;
        row.offset = static_cast<std::int64_t>(offset);
        row.pyramidOffset = static_cast<std::int64_t>(pyramidOffset);
        row.pyramidLevels = static_cast<std::int64_t>(levels);
        return row;
    }

    Result<void> addLevel(const std::vector<Bucket>& level) {
        const auto add = [&](std::size_t column, auto Bucket::*member) -> Result<void> {
            for (const auto& bucket : level) ESPALIER_CHECK_OK(m_tails[column].add(bucket.*member, m_columns[column], m_encoder));
            return {};
        };
        ESPALIER_CHECK_OK(add(kMinStep, &Bucket::minStep));
        ESPALIER_CHECK_OK(add(kMaxStep, &Bucket::maxStep));
        ESPALIER_CHECK_OK(add(kMin, &Bucket::min));
        ESPALIER_CHECK_OK(add(kMax, &Bucket::max));
        ESPALIER_CHECK_OK(add(kMean, &Bucket::mean));
        ESPALIER_CHECK_OK(add(kFinite, &Bucket::finite));
        return add(kNonFinite, &Bucket::nonFinite);
    }

    std::vector<Part> m_parts;
    std::array<ColumnFile, kColumns> m_columns;
    std::array<ColumnTail, kColumns> m_tails;  ///< of the pyramid's columns
    ChunkEncoder m_encoder;
};

/// Forgets a half-written file instead of closing it (h5::Handle::forget).
class FullDiskGuard {
public:
    FullDiskGuard(h5::Handle& file, ColumnWriter& columns) : m_file(file), m_columns(columns) {}
    ~FullDiskGuard() {
        if (!m_file) return;
        m_columns.forget();
        m_file.forget();
    }

private:
    h5::Handle& m_file;
    ColumnWriter& m_columns;
};

/// Copies arrays from the journal or the live file. Those that cannot be read are left out and noted in `model`.
Result<void> writeArrays(hid_t file, LogModel& model, const JournalReader& journal, const fs::path& livePath) {
    std::map<std::uint64_t, ArrayRow> liveRows;
    auto live = RunFile::open(livePath);
    if (live)
        if (auto rows = live->arrayRows())
            for (auto& row : *rows) liveRows[static_cast<std::uint64_t>(row.index)] = row;
    const auto valuesOf = [&](const ArrayEntry& entry) -> Result<std::string> {
        const auto count = elementCount(entry.info.shape);
        if (entry.isInline) {
            std::string bytes(static_cast<std::size_t>(count) * elementBytes(entry.info.type), '\0');
            ESPALIER_CHECK_OK(journal.readAt(entry.journalOffset, bytes.data(), bytes.size()));
            return bytes;
        }
        const auto row = liveRows.find(entry.info.index);
        if (row == liveRows.end() || row->second.count != count)
            return fail(ErrorCode::Corrupt, "values of an array are missing", livePath.string());
        return live->arrayBytes(row->second, 0, count);
    };
    std::array<std::uint64_t, kArrayTypes> sizes{}, written{};
    for (const auto& entry : model.arrays)
        sizes[std::size_t(entry.info.type)] += static_cast<std::uint64_t>(elementCount(entry.info.shape));
    std::array<h5::Handle, kArrayTypes> datasets;
    for (std::size_t i = 0; i < kArrayTypes; ++i) {
        const auto type = feed::ArrayType(i);
        auto options = arrayOptions(type);
        options.isCompressed = options.isFixedSize = true;
        options.deflateLevel = 1;  // attention maps hardly shrink further and a stop should not take minutes
        options.rows = sizes[i];
        const auto element = arrayElementType(type);
        ESPALIER_TRY(datasets[i], h5::createDataset(file, arrayDatasetName(type), element.get(), options));
    }
    std::vector<ArrayRow> rows;
    for (const auto& entry : model.arrays) {
        const auto bytes = valuesOf(entry);
        if (!bytes) {
            model.warnings.push_back({kRunFileName, 0, "array_lost", "The array " + entry.info.name + " of step " +
                                      std::to_string(entry.info.step) + " could not be read and is gone: " + bytes.error().what,
                                      Outcome::Skipped});
            continue;
        }
        const auto type = std::size_t(entry.info.type);
        auto row = rowOf(entry.info);
        row.offset = static_cast<std::int64_t>(written[type]);
        const auto element = arrayElementType(entry.info.type);
        ESPALIER_CHECK_OK(h5::writeRows(datasets[type].get(), element.get(), written[type], static_cast<hsize_t>(row.count), bytes->data()));
        written[type] += static_cast<std::uint64_t>(row.count);
        rows.push_back(std::move(row));
    }
    for (std::size_t i = 0; i < kArrayTypes; ++i) {
        if (written[i] < sizes[i]) ESPALIER_CHECK_OK(h5::setRows(datasets[i].get(), written[i]));
        ESPALIER_CHECK_OK(h5::flush(datasets[i].get()));
    }
    return writeTable(file, tableName(Table::Arrays), rows, {});
}

Result<void> writeTables(hid_t file, const LogModel& model) {
    std::vector<WarningRow> warnings;
    for (const auto& warning : model.warnings) warnings.push_back(rowOf(warning));
    ESPALIER_CHECK_OK(writeTable(file, tableName(Table::Marks), model.marks, {}));
    ESPALIER_CHECK_OK(writeTable(file, tableName(Table::Warnings), warnings, {}));
    const auto& tables = model.tradeoff;
    const auto& job = tables.job.jobId;
    std::vector<feed::TradeoffJob> jobs;
    if (!tables.isEmpty()) jobs.push_back(tables.job);
    auto points = tables.points;
    feed::markFront(tables.job, points);
    ESPALIER_CHECK_OK(writeTable(file, tableName(Table::Job), jobs, job));
    ESPALIER_CHECK_OK(writeTable(file, tableName(Table::Layer), tables.layers, job));
    ESPALIER_CHECK_OK(writeTable(file, tableName(Table::Point), points, job));
    ESPALIER_CHECK_OK(writeTable(file, tableName(Table::Choice), tables.choices, job));
    return writeTable(file, tableName(Table::Trace), tables.traces, job);
}

Result<void> writeCompacted(const fs::path& temporary, const fs::path& folder) {
    ESPALIER_TRY(auto journal, JournalReader::open(folder / kJournalName));
    LogModel model;
    model.keepsPoints = false;
    ESPALIER_TRY(const auto scan, journal.scan(kJournalHeaderBytes, [&](RecordType type, std::string_view bytes,
                                                                        std::uint64_t offset) -> Result<void> {
        (void)model.apply(type, bytes, offset);  // recovery has told of damaged records
        return {};
    }));
    (void)scan;
    ESPALIER_TRY(auto file, h5::createFile(temporary));
    ColumnWriter columns;
    const FullDiskGuard guard(file, columns);
    ESPALIER_CHECK_OK(h5::writeAttribute(file.get(), kVersionAttribute, kRunFileVersion));
    ESPALIER_CHECK_OK(h5::writeAttribute(file.get(), "state", std::string("compacted")));
    ESPALIER_CHECK_OK(columns.open(file.get(), model));
    ESPALIER_TRY(const auto second, journal.scan(kJournalHeaderBytes, [&](RecordType type, std::string_view bytes,
                                                                          std::uint64_t) -> Result<void> {
        return type == RecordType::Scalars ? columns.add(bytes) : Result<void>{};
    }));
    (void)second;
    ESPALIER_CHECK_OK(columns.finish(file.get(), model));
    ESPALIER_CHECK_OK(writeArrays(file.get(), model, journal, folder / kRunFileName));
    ESPALIER_CHECK_OK(writeTables(file.get(), model));
    ESPALIER_CHECK_OK(columns.flush());
    // H5Fclose reports no failure of a full disk; the flush does.
    ESPALIER_CHECK_OK(h5::check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "could not be written", temporary.string()));
    columns.close();
    file.reset();
    ESPALIER_TRY(auto written, RunFile::open(temporary));
    ESPALIER_TRY(const auto rows, readTable<SeriesRow>(written.file(), compact::kSeries));
    bool isSame = written.isCompacted() && rows.size() == model.series.size();
    for (std::size_t i = 0; isSame && i < rows.size(); ++i)
        isSame = rows[i].name == model.series[i].name && rows[i].count == static_cast<std::int64_t>(model.series[i].count);
    if (!isSame) return fail(ErrorCode::Io, "the compacted log does not read back", temporary.string());
    return {};
}

}  // namespace

Result<void> compactLocked(const fs::path& folder) {
    const auto temporary = folder / kCompactName;
    auto written = writeCompacted(temporary, folder);
    if (written) written = publishFile(temporary, folder / kRunFileName);
    if (!written) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        if (written.error().where == kRunFileName) written.error().where = (folder / kRunFileName).string();
    }
    return written;
}

namespace {

enum class LogForm { Live, CompactedOlder, CompactedCurrent };

/// A damaged run.h5 counts as a live one: the journal has what it held. A newer one is an error.
Result<LogForm> formOf(const fs::path& folder) {
    const auto run = RunFile::open(folder / kRunFileName);
    if (!run && run.error().code == ErrorCode::Unsupported) return fail(run.error());
    if (!run || !run->isCompacted()) return LogForm::Live;
    return run->version() < kRunFileVersion ? LogForm::CompactedOlder : LogForm::CompactedCurrent;
}

Result<void> bringToForm(const fs::path& folder, bool compactsLive) {
    ESPALIER_TRY(auto form, formOf(folder));
    const auto isDone = [&] { return form == LogForm::CompactedCurrent || (form == LogForm::Live && !compactsLive); };
    if (isDone()) return {};
    std::error_code code;
    const bool isThere = fs::exists(folder / kJournalName, code);
    if (code) return fail(ioError("cannot be looked at", folder / kJournalName, code.value()));
    if (!isThere)
        return fail(ErrorCode::NotFound, "has no journal to compact", folder.string());
    ESPALIER_TRY(auto lock, JournalWriter::open(folder / kJournalName));
    ESPALIER_TRY(form, formOf(folder));  // another process may have been faster
    if (isDone()) return {};
    return form == LogForm::Live ? compactLocked(folder) : migrateRunFile(folder);
}

}  // namespace

Result<void> compactRunLog(const fs::path& folder) { return bringToForm(folder, true); }
Result<void> migrateRunLog(const fs::path& folder) { return bringToForm(folder, false); }

}  // namespace espalier::runlog
