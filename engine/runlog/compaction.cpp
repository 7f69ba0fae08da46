#include "engine/runlog/compaction.h"

#include <algorithm>
#include <array>
#include <map>

#include "engine/runlog/compact_layout.h"
#include "engine/runlog/pyramid.h"
#include "engine/runlog/recovery.h"
#include "engine/runlog/run_file.h"

namespace espalier::runlog {
namespace fs = std::filesystem;
namespace {

/// Writes the columns of all series. Points come interleaved; each series collects them up to the next chunk border,
/// so that almost every chunk is deflated once.
class ColumnWriter {
public:
    Result<void> open(hid_t file, const LogModel& model) {
        std::uint64_t total = 0, buckets = 0;
        for (const auto& info : model.series) {
            m_parts.push_back({total, total, {}, {}, {}, {}});
            total += info.count;
            for (const auto level : pyramidLevels(info.count)) buckets += level;
        }
        h5::DatasetOptions options;
        options.chunkRows = compact::kChunk;
        options.isCompressed = options.isFixedSize = true;
        options.rows = total;
        ESPALIER_TRY(m_steps, h5::createDataset(file, compact::kSteps, H5T_STD_I64LE, options));
        ESPALIER_TRY(m_wallSecs, h5::createDataset(file, compact::kWallSecs, H5T_IEEE_F64LE, options));
        ESPALIER_TRY(m_values, h5::createDataset(file, compact::kValues, H5T_IEEE_F64LE, options));
        options.rows = buckets;
        const auto pyramid = [&](const char* name, hid_t type) { return h5::createDataset(file, name, type, options); };
        ESPALIER_TRY(m_minStep, pyramid(compact::kMinStep, H5T_STD_I64LE));
        ESPALIER_TRY(m_maxStep, pyramid(compact::kMaxStep, H5T_STD_I64LE));
        ESPALIER_TRY(m_min, pyramid(compact::kMin, H5T_IEEE_F64LE));
        ESPALIER_TRY(m_max, pyramid(compact::kMax, H5T_IEEE_F64LE));
        ESPALIER_TRY(m_mean, pyramid(compact::kMean, H5T_IEEE_F64LE));
        ESPALIER_TRY(m_finite, pyramid(compact::kFinite, H5T_STD_U64LE));
        ESPALIER_TRY(m_nonFinite, pyramid(compact::kNonFinite, H5T_STD_U64LE));
        return {};
    }

    Result<void> add(std::string_view payload) {
        for (; payload.size() >= sizeof(EventRow); payload.remove_prefix(sizeof(EventRow))) {
            EventRow row;
            std::memcpy(&row, payload.data(), sizeof row);
            if (row.series >= m_parts.size()) continue;
            auto& part = m_parts[row.series];
            part.steps.push_back(row.step);
            part.wallSecs.push_back(row.wallSecs);
            part.values.push_back(row.value);
            const auto seen = part.next - part.start + part.steps.size() - 1;
            if (seen / kPyramidFactor >= part.buckets.size()) part.buckets.emplace_back();
            part.buckets.back().addPoint(row.step, row.value);
            if ((part.next + part.steps.size()) % compact::kChunk == 0) ESPALIER_CHECK_OK(writePart(part));
        }
        return {};
    }

    /// Last blocks, pyramids and the series table.
    Result<void> finish(hid_t file, const LogModel& model) {
        std::vector<SeriesRow> rows;
        std::uint64_t bucketOffset = 0;
        for (std::size_t i = 0; i < m_parts.size(); ++i) {
            auto& part = m_parts[i];
            const auto& info = model.series[i];
            ESPALIER_CHECK_OK(writePart(part));
            if (part.next - part.start != info.count)
                return fail(ErrorCode::Internal, "the journal changed while it was compacted", info.name);
            const auto levels = pyramidLevels(info.count);
            rows.push_back(rowFor(info, part.start, bucketOffset, levels.size()));
            std::vector<Bucket> level = std::move(part.buckets);
            for (std::size_t depth = 0; depth < levels.size(); ++depth) {
                if (depth > 0) level = coarser(level);
                ESPALIER_CHECK_OK(writeLevel(level, bucketOffset));
                bucketOffset += level.size();
            }
            part = {};
        }
        return writeTable(file, compact::kSeries, rows, {});
    }

    template <class Row>
    static Result<void> writeTable(hid_t file, const char* name, const std::vector<Row>& rows,
                                   const std::string& jobId) {
        const auto widths = exactWidths(rows, jobId);
        const auto type = compoundOf<Row>(widths);
        h5::DatasetOptions options;
        options.chunkRows = 256;
        options.isCompressed = options.isFixedSize = true;
        options.rows = rows.size();
        ESPALIER_TRY(auto dataset, h5::createDataset(file, name, type.get(), options));
        std::string bytes;
        for (const auto& row : rows) packRow(bytes, row, widths, jobId);
        return h5::writeRows(dataset.get(), type.get(), 0, rows.size(), bytes.data());
    }

    void close() {
        for (auto* handle : handles()) handle->reset();
    }
    void forget() {
        for (auto* handle : handles()) handle->forget();
    }

private:
    std::array<h5::Handle*, 10> handles() {
        return {&m_steps, &m_wallSecs, &m_values, &m_minStep, &m_maxStep,
                &m_min,   &m_max,      &m_mean,   &m_finite,  &m_nonFinite};
    }
    struct Part {
        std::uint64_t start = 0, next = 0;  ///< first and next row in the columns
        std::vector<std::int64_t> steps;
        std::vector<double> wallSecs, values;
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

    Result<void> writePart(Part& part) {
        const auto count = part.steps.size();
        ESPALIER_CHECK_OK(h5::writeRows(m_steps.get(), H5T_NATIVE_INT64, part.next, count, part.steps.data()));
        ESPALIER_CHECK_OK(h5::writeRows(m_wallSecs.get(), H5T_NATIVE_DOUBLE, part.next, count, part.wallSecs.data()));
        ESPALIER_CHECK_OK(h5::writeRows(m_values.get(), H5T_NATIVE_DOUBLE, part.next, count, part.values.data()));
        part.next += count;
        part.steps.clear();
        part.wallSecs.clear();
        part.values.clear();
        return {};
    }

    template <class T>
    static Result<void> writeMember(hid_t dataset, hid_t type, const std::vector<Bucket>& level, std::uint64_t offset,
                                    T Bucket::*member) {
        std::vector<T> column;
        column.reserve(level.size());
        for (const auto& bucket : level) column.push_back(bucket.*member);
        return h5::writeRows(dataset, type, offset, column.size(), column.data());
    }
    Result<void> writeLevel(const std::vector<Bucket>& level, std::uint64_t offset) {
        ESPALIER_CHECK_OK(writeMember(m_minStep.get(), H5T_NATIVE_INT64, level, offset, &Bucket::minStep));
        ESPALIER_CHECK_OK(writeMember(m_maxStep.get(), H5T_NATIVE_INT64, level, offset, &Bucket::maxStep));
        ESPALIER_CHECK_OK(writeMember(m_min.get(), H5T_NATIVE_DOUBLE, level, offset, &Bucket::min));
        ESPALIER_CHECK_OK(writeMember(m_max.get(), H5T_NATIVE_DOUBLE, level, offset, &Bucket::max));
        ESPALIER_CHECK_OK(writeMember(m_mean.get(), H5T_NATIVE_DOUBLE, level, offset, &Bucket::mean));
        ESPALIER_CHECK_OK(writeMember(m_finite.get(), H5T_NATIVE_UINT64, level, offset, &Bucket::finite));
        return writeMember(m_nonFinite.get(), H5T_NATIVE_UINT64, level, offset, &Bucket::nonFinite);
    }

    std::vector<Part> m_parts;
    h5::Handle m_steps, m_wallSecs, m_values, m_minStep, m_maxStep, m_min, m_max, m_mean, m_finite, m_nonFinite;
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

/// Copies arrays from the journal or the live file; those that cannot be read are left out.
Result<void> writeArrays(hid_t file, const LogModel& model, const JournalReader& journal, const fs::path& livePath) {
    std::map<std::uint64_t, ArrayRow> liveRows;
    auto live = RunFile::open(livePath);
    if (live)
        if (auto rows = live->arrayRows())
            for (auto& row : *rows) liveRows[static_cast<std::uint64_t>(row.index)] = row;
    std::vector<ArrayRow> rows;
    std::array<std::uint64_t, kArrayTypes> sizes{};
    for (const auto& entry : model.arrays) {
        if (!entry.isInline && !liveRows.count(entry.info.index)) continue;
        auto row = rowOf(entry.info);
        auto& size = sizes[std::size_t(entry.info.type)];
        row.offset = static_cast<std::int64_t>(size);
        size += static_cast<std::uint64_t>(row.count);
        rows.push_back(std::move(row));
    }
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
    std::map<std::uint64_t, const ArrayEntry*> entries;
    for (const auto& entry : model.arrays) entries[entry.info.index] = &entry;
    for (const auto& row : rows) {
        const auto& entry = *entries[static_cast<std::uint64_t>(row.index)];
        const auto width = elementBytes(entry.info.type);
        std::string bytes(static_cast<std::size_t>(row.count) * width, '\0');
        if (entry.isInline) {
            ESPALIER_CHECK_OK(journal.readAt(entry.journalOffset, bytes.data(), bytes.size()));
        } else {
            ESPALIER_TRY(bytes, live->arrayBytes(liveRows[entry.info.index], 0, row.count));
        }
        const auto element = arrayElementType(entry.info.type);
        ESPALIER_CHECK_OK(h5::writeRows(datasets[std::size_t(entry.info.type)].get(), element.get(),
                                        static_cast<hsize_t>(row.offset), static_cast<hsize_t>(row.count),
                                        bytes.data()));
    }
    return ColumnWriter::writeTable(file, tableName(Table::Arrays), rows, {});
}

Result<void> writeTables(hid_t file, const LogModel& model) {
    std::vector<WarningRow> warnings;
    for (const auto& warning : model.warnings) warnings.push_back(rowOf(warning));
    ESPALIER_CHECK_OK(ColumnWriter::writeTable(file, tableName(Table::Marks), model.marks, {}));
    ESPALIER_CHECK_OK(ColumnWriter::writeTable(file, tableName(Table::Warnings), warnings, {}));
    const auto& tables = model.tradeoff;
    const auto& job = tables.job.jobId;
    std::vector<feed::TradeoffJob> jobs;
    if (!tables.isEmpty()) jobs.push_back(tables.job);
    auto points = tables.points;
    feed::markFront(tables.job, points);
    ESPALIER_CHECK_OK(ColumnWriter::writeTable(file, tableName(Table::Job), jobs, job));
    ESPALIER_CHECK_OK(ColumnWriter::writeTable(file, tableName(Table::Layer), tables.layers, job));
    ESPALIER_CHECK_OK(ColumnWriter::writeTable(file, tableName(Table::Point), points, job));
    ESPALIER_CHECK_OK(ColumnWriter::writeTable(file, tableName(Table::Choice), tables.choices, job));
    return ColumnWriter::writeTable(file, tableName(Table::Trace), tables.traces, job);
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
    ESPALIER_CHECK_OK(h5::writeAttribute(file.get(), "espalier_run_log", kRunFileVersion));
    ESPALIER_CHECK_OK(h5::writeAttribute(file.get(), "state", std::string("compacted")));
    ESPALIER_CHECK_OK(columns.open(file.get(), model));
    ESPALIER_TRY(const auto second, journal.scan(kJournalHeaderBytes, [&](RecordType type, std::string_view bytes,
                                                                          std::uint64_t) -> Result<void> {
        return type == RecordType::Scalars ? columns.add(bytes) : Result<void>{};
    }));
    (void)second;
    ESPALIER_CHECK_OK(columns.finish(file.get(), model));
    ESPALIER_CHECK_OK(writeTables(file.get(), model));
    ESPALIER_CHECK_OK(writeArrays(file.get(), model, journal, folder / kRunFileName));
    // H5Fclose reports no failure of a full disk; the flush does.
    ESPALIER_CHECK_OK(h5::check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "could not be written", temporary.string()));
    columns.close();
    file.reset();
    ESPALIER_TRY(auto written, RunFile::open(temporary));
    ESPALIER_TRY(const auto rows, readTable<SeriesRow>(written.file(), compact::kSeries));
    if (!written.isCompacted() || rows.size() != model.series.size())
        return fail(ErrorCode::Io, "the compacted log does not read back", temporary.string());
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
    }
    return written;
}

Result<void> compactRunLog(const fs::path& folder) {
    if (!fs::exists(folder / kJournalName))
        return fail(ErrorCode::NotFound, "has no journal to compact", folder.string());
    ESPALIER_TRY(auto lock, JournalWriter::open(folder / kJournalName));
    if (auto run = RunFile::open(folder / kRunFileName); run && run->isCompacted()) return {};
    return compactLocked(folder);
}

}  // namespace espalier::runlog
