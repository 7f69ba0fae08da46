#include "engine/runlog/run_file.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace espalier::runlog {

Result<RunFile> RunFile::open(const std::filesystem::path& path) {
    RunFile run;
    ESPALIER_TRY(run.m_file, h5::openFile(path));
    const hid_t file = run.m_file.get();
    ESPALIER_TRY(const auto version, h5::integerAttribute(file, kVersionAttribute));
    run.m_version = version;
    if (version > kRunFileVersion)
        return fail(ErrorCode::Unsupported,
                    "has log format " + std::to_string(version) + ", this program knows up to " +
                        std::to_string(kRunFileVersion),
                    path.string(), "Open it with a newer Espalier");
    ESPALIER_TRY(const auto state, h5::textAttribute(file, "state"));
    run.m_isCompacted = state == "compacted";
    if (run.m_isCompacted) return run;
    // The counter's block is rewritten in place: a reader may meet it half written once.
    for (int attempt = 0;; ++attempt) {
        ESPALIER_TRY(auto dataset, h5::openDataset(file, "commit"));
        auto read = h5::readRows(dataset.get(), H5T_NATIVE_UINT64, 0, kCommitCells, run.m_commit.data());
        if (read) return run;
        if (attempt == 5) return fail(std::move(read).error());
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

std::uint64_t RunFile::committedRows(Table table) const {
    return m_isCompacted ? UINT64_MAX : m_commit[1 + std::size_t(table)];
}

Result<std::vector<ArrayRow>> RunFile::arrayRows() const {
    return readTable<ArrayRow>(file(), tableName(Table::Arrays), committedRows(Table::Arrays));
}

Result<std::string> RunFile::arrayBytes(const ArrayRow& row, std::int64_t first, std::int64_t count) const {
    ESPALIER_TRY(const auto info, infoOf(row));
    if (first < 0 || count < 0 || first + count > row.count)
        return fail(ErrorCode::BadInput, "only " + std::to_string(row.count) + " values are stored", row.name);
    ESPALIER_TRY(auto dataset, h5::openDataset(file(), arrayDatasetName(info.type)));
    ESPALIER_TRY(const auto stored, h5::rowCount(dataset.get()));
    if (static_cast<hsize_t>(row.offset + row.count) > stored)
        return fail(ErrorCode::Corrupt, "values of an array are missing", row.name);
    std::string bytes(static_cast<std::size_t>(count) * elementBytes(info.type), '\0');
    const auto type = arrayElementType(info.type);
    ESPALIER_CHECK_OK(h5::readRows(dataset.get(), type.get(), static_cast<hsize_t>(row.offset + first),
                                   static_cast<hsize_t>(count), bytes.data()));
    return bytes;
}

Result<LogModel> RunFile::liveModel() const {
    LogModel model;
    const auto limit = [&](Table table) { return committedRows(table); };
    ESPALIER_TRY(auto names, h5::openDataset(file(), tableName(Table::Series)));
    ESPALIER_TRY(auto nameType, h5::own(H5Dget_type(names.get()), "series have no type", kRunFileName));
    const std::size_t width = H5Tget_size(nameType.get());
    ESPALIER_TRY(const auto nameRows, h5::rowCount(names.get()));
    const auto nameCount = std::min<std::uint64_t>(nameRows, limit(Table::Series));
    if (H5Tget_class(nameType.get()) != H5T_STRING || width > 4096)
        return fail(ErrorCode::Corrupt, "series names have the wrong type", kRunFileName);
    std::string text(width * nameCount, '\0');
    ESPALIER_CHECK_OK(h5::readRows(names.get(), nameType.get(), 0, nameCount, text.data()));
    for (std::uint64_t i = 0; i < nameCount; ++i)
        model.addSeries(static_cast<std::uint32_t>(i),
                        std::string(&text[i * width], ::strnlen(&text[i * width], width)));

    ESPALIER_TRY(auto events, h5::openDataset(file(), tableName(Table::Events)));
    ESPALIER_TRY(const auto eventRows, h5::rowCount(events.get()));
    const auto eventCount = std::min<std::uint64_t>(eventRows, limit(Table::Events));
    const auto type = eventType();
    std::string rows;
    for (std::uint64_t done = 0; done < eventCount; done += 65536) {
        const auto count = std::min<std::uint64_t>(65536, eventCount - done);
        rows.resize(count * sizeof(EventRow));
        ESPALIER_CHECK_OK(h5::readRows(events.get(), type.get(), done, count, rows.data()));
        model.addEvents(rows);
    }
    ESPALIER_TRY(model.marks, readTable<feed::RunMark>(file(), tableName(Table::Marks), limit(Table::Marks)));
    ESPALIER_TRY(const auto warnings,
                 readTable<WarningRow>(file(), tableName(Table::Warnings), limit(Table::Warnings)));
    for (const auto& row : warnings) model.warnings.push_back(warningOf(row));
    ESPALIER_TRY(const auto arrays, arrayRows());
    for (const auto& row : arrays) {
        ESPALIER_TRY(auto info, infoOf(row));
        model.nextArray = std::max(model.nextArray, info.index + 1);
        model.arrays.push_back({std::move(info), false, 0});
    }
    auto& tables = model.tradeoff;
    ESPALIER_TRY(auto jobs, readTable<feed::TradeoffJob>(file(), tableName(Table::Job), limit(Table::Job)));
    if (!jobs.empty()) tables.job = std::move(jobs.back());
    ESPALIER_TRY(tables.layers, readTable<feed::TradeoffLayer>(file(), tableName(Table::Layer), limit(Table::Layer)));
    ESPALIER_TRY(auto points, readTable<feed::TradeoffPoint>(file(), tableName(Table::Point), limit(Table::Point)));
    ESPALIER_TRY(tables.choices,
                 readTable<feed::TradeoffChoice>(file(), tableName(Table::Choice), limit(Table::Choice)));
    // A row that was written twice holds in its later form, as in the journal.
    std::map<int, feed::TradeoffPoint> lastPoints;
    for (auto& point : points) lastPoints[point.pointId] = std::move(point);
    for (auto& [id, point] : lastPoints) tables.points.push_back(std::move(point));
    std::map<std::pair<int, int>, feed::TradeoffChoice> lastChoices;
    for (auto& choice : tables.choices) lastChoices[{choice.pointId, choice.layerIx}] = std::move(choice);
    tables.choices.clear();
    for (auto& [key, choice] : lastChoices) tables.choices.push_back(std::move(choice));
    ESPALIER_TRY(tables.traces, readTable<feed::TradeoffTrace>(file(), tableName(Table::Trace), limit(Table::Trace)));
    return model;
}

}  // namespace espalier::runlog
