#include "engine/runlog/live_file.h"

#include <cstddef>

namespace espalier::runlog {
namespace {

constexpr std::size_t kSeriesNameBytes = 256;
constexpr hsize_t kEventChunk = 16384;

template <class Row>
void prepare(h5::Handle& type, std::vector<std::size_t>& widths) {
    widths = liveWidths<Row>();
    type = compoundOf<Row>(widths);
}

hsize_t chunkRows(Table table) {
    switch (table) {
        case Table::Events: return kEventChunk;
        case Table::Trace: return 1024;
        case Table::Job: return 4;
        default: return 64;
    }
}

}  // namespace

const char* tableName(Table table) {
    static constexpr const char* kNames[kTableCount] = {
        "events",         "series",         "marks",           "warnings",       "arrays/index", "tradeoff/job",
        "tradeoff/layer", "tradeoff/point", "tradeoff/choice", "tradeoff/trace"};
    return kNames[std::size_t(table)];
}

const char* arrayDatasetName(feed::ArrayType type) {
    static constexpr const char* kNames[kArrayTypes] = {"arrays/float32", "arrays/float16", "arrays/uint8",
                                                        "arrays/int64"};
    return kNames[std::size_t(type)];
}

h5::Handle eventType() {
    h5::Handle type(H5Tcreate(H5T_COMPOUND, sizeof(EventRow)));
    H5Tinsert(type.get(), "series", offsetof(EventRow, series), H5T_STD_U32LE);
    H5Tinsert(type.get(), "flags", offsetof(EventRow, flags), H5T_STD_U32LE);
    H5Tinsert(type.get(), "step", offsetof(EventRow, step), H5T_STD_I64LE);
    H5Tinsert(type.get(), "wall_secs", offsetof(EventRow, wallSecs), H5T_IEEE_F64LE);
    H5Tinsert(type.get(), "value", offsetof(EventRow, value), H5T_IEEE_F64LE);
    return type;
}

h5::Handle arrayElementType(feed::ArrayType type) {
    switch (type) {
        case feed::ArrayType::Float32: return h5::Handle(H5Tcopy(H5T_IEEE_F32LE));
        case feed::ArrayType::Float16: return h5::halfType();
        case feed::ArrayType::UInt8: return h5::Handle(H5Tcopy(H5T_STD_U8LE));
        case feed::ArrayType::Int64: return h5::Handle(H5Tcopy(H5T_STD_I64LE));
    }
    return {};
}

h5::DatasetOptions arrayOptions(feed::ArrayType type) {
    h5::DatasetOptions options;
    options.chunkRows = (std::size_t(1) << 20) / elementBytes(type);
    return options;
}

LiveFile::~LiveFile() {
    if (!m_isBroken) return;
    for (auto& stream : m_tables) stream.dataset.forget();
    for (auto& stream : m_arrays) stream.dataset.forget();
    m_commit.forget();
    m_file.forget();
}

Result<void> LiveFile::noted(Result<void> result) {
    if (!result) m_isBroken = true;
    return result;
}

void LiveFile::prepareTypes() {
    const auto at = [&](Table table) -> Stream& { return m_tables[std::size_t(table)]; };
    at(Table::Events).type = eventType();
    at(Table::Series).type = h5::fixedText(kSeriesNameBytes);
    prepare<feed::RunMark>(at(Table::Marks).type, at(Table::Marks).widths);
    prepare<WarningRow>(at(Table::Warnings).type, at(Table::Warnings).widths);
    prepare<ArrayRow>(at(Table::Arrays).type, at(Table::Arrays).widths);
    prepare<feed::TradeoffJob>(at(Table::Job).type, at(Table::Job).widths);
    prepare<feed::TradeoffLayer>(at(Table::Layer).type, at(Table::Layer).widths);
    prepare<feed::TradeoffPoint>(at(Table::Point).type, at(Table::Point).widths);
    prepare<feed::TradeoffChoice>(at(Table::Choice).type, at(Table::Choice).widths);
    prepare<feed::TradeoffTrace>(at(Table::Trace).type, at(Table::Trace).widths);
    for (std::size_t i = 0; i < kArrayTypes; ++i) m_arrays[i].type = arrayElementType(feed::ArrayType(i));
}

Result<std::unique_ptr<LiveFile>> LiveFile::create(const std::filesystem::path& path) {
    std::unique_ptr<LiveFile> live(new LiveFile);
    ESPALIER_TRY(live->m_file, h5::createFile(path));
    const hid_t file = live->m_file.get();
    ESPALIER_CHECK_OK(h5::writeAttribute(file, kVersionAttribute, kRunFileVersion));
    ESPALIER_CHECK_OK(h5::writeAttribute(file, "state", std::string("live")));
    live->prepareTypes();
    for (std::size_t i = 0; i < kTableCount; ++i) {
        auto& stream = live->m_tables[i];
        h5::DatasetOptions options;
        options.chunkRows = chunkRows(Table(i));
        ESPALIER_TRY(stream.dataset, h5::createDataset(file, tableName(Table(i)), stream.type.get(), options));
    }
    for (std::size_t i = 0; i < kArrayTypes; ++i) {
        auto& stream = live->m_arrays[i];
        const auto type = feed::ArrayType(i);
        ESPALIER_TRY(stream.dataset,
                     h5::createDataset(file, arrayDatasetName(type), stream.type.get(), arrayOptions(type)));
    }
    h5::DatasetOptions options;
    options.chunkRows = kCommitCells;
    options.rows = kCommitCells;
    ESPALIER_TRY(live->m_commit, h5::createDataset(file, "commit", H5T_STD_U64LE, options));
    live->m_isBroken = false;
    ESPALIER_CHECK_OK(live->commit());
    return live;
}

Result<std::unique_ptr<LiveFile>> LiveFile::reopen(const std::filesystem::path& path) {
    std::unique_ptr<LiveFile> live(new LiveFile);
    ESPALIER_TRY(live->m_file, h5::openFile(path, h5::OpenMode::ReadWrite));
    live->m_isBroken = false;  // nothing is written here
    const hid_t file = live->m_file.get();
    ESPALIER_TRY(const auto version, h5::integerAttribute(file, kVersionAttribute));
    ESPALIER_TRY(const auto state, h5::textAttribute(file, "state"));
    if (version != kRunFileVersion || state != "live")
        return fail(ErrorCode::Unsupported, "is not a live log of this version", path.string());
    live->prepareTypes();
    ESPALIER_TRY(live->m_commit, h5::openDataset(file, "commit"));
    Commit commit{};
    ESPALIER_CHECK_OK(h5::readRows(live->m_commit.get(), H5T_NATIVE_UINT64, 0, kCommitCells, commit.data()));
    live->m_sequence = commit[0];
    const auto open = [&](Stream& stream, const char* name, std::uint64_t committed) -> Result<void> {
        ESPALIER_TRY(stream.dataset, h5::openDataset(file, name));
        ESPALIER_TRY(stream.rows, h5::rowCount(stream.dataset.get()));
        h5::Handle stored(H5Dget_type(stream.dataset.get()));
        if (stream.rows != committed || H5Tequal(stored.get(), stream.type.get()) <= 0)
            return fail(ErrorCode::Corrupt, std::string(name) + " differs from the commit counter", path.string());
        return {};
    };
    for (std::size_t i = 0; i < kTableCount; ++i)
        ESPALIER_CHECK_OK(open(live->m_tables[i], tableName(Table(i)), commit[1 + i]));
    for (std::size_t i = 0; i < kArrayTypes; ++i)
        ESPALIER_CHECK_OK(
            open(live->m_arrays[i], arrayDatasetName(feed::ArrayType(i)), commit[1 + kTableCount + i]));
    return live;
}

Result<void> LiveFile::startLive() {
    h5::quiet();
    return noted(
        h5::check(H5Fstart_swmr_write(m_file.get()), "cannot be made readable while it is written", kRunFileName));
}

Result<void> LiveFile::append(Stream& stream, const void* rows, std::uint64_t count) {
    if (count == 0) return {};
    ESPALIER_CHECK_OK(noted(h5::setRows(stream.dataset.get(), stream.rows + count)));
    ESPALIER_CHECK_OK(noted(h5::writeRows(stream.dataset.get(), stream.type.get(), stream.rows, count, rows)));
    stream.rows += count;
    return {};
}

Result<void> LiveFile::addEvents(std::span<const EventRow> rows) {
    return append(m_tables[std::size_t(Table::Events)], rows.data(), rows.size());
}

void LiveFile::addSeries(std::string_view name) {
    auto& stream = m_tables[std::size_t(Table::Series)];
    const auto part = fitted(name, kSeriesNameBytes);
    stream.pending.append(part);
    stream.pending.append(kSeriesNameBytes - part.size(), '\0');
    ++stream.pendingRows;
}

void LiveFile::addJob(const feed::TradeoffJob& job) {
    m_jobId = job.jobId;
    addRow(Table::Job, job);
}

Result<void> LiveFile::addArray(const feed::ArrayInfo& info, std::string_view stored) {
    auto& stream = m_arrays[std::size_t(info.type)];
    auto row = rowOf(info);
    row.offset = static_cast<std::int64_t>(stream.rows);
    // Pieces, so that readers of this process get the library's lock in between.
    constexpr std::size_t kPieceBytes = 4u << 20;
    const std::size_t width = elementBytes(info.type);
    for (std::size_t done = 0; done < stored.size(); done += kPieceBytes) {
        const auto piece = stored.substr(done, kPieceBytes);
        ESPALIER_CHECK_OK(append(stream, piece.data(), piece.size() / width));
    }
    addRow(Table::Arrays, row);
    return {};
}

Result<void> LiveFile::commit() {
    for (auto& stream : m_tables) {
        if (stream.pendingRows == 0) continue;
        ESPALIER_CHECK_OK(append(stream, stream.pending.data(), stream.pendingRows));
        stream.pending.clear();
        stream.pendingRows = 0;
    }
    h5::quiet();
    ESPALIER_CHECK_OK(noted(
        h5::check(H5Fflush(m_file.get(), H5F_SCOPE_LOCAL), "run.h5 could not be written", kRunFileName)));
    Commit commit{};
    commit[0] = ++m_sequence;
    for (std::size_t i = 0; i < kTableCount; ++i) commit[1 + i] = m_tables[i].rows;
    for (std::size_t i = 0; i < kArrayTypes; ++i) commit[1 + kTableCount + i] = m_arrays[i].rows;
    ESPALIER_CHECK_OK(noted(h5::writeRows(m_commit.get(), H5T_NATIVE_UINT64, 0, kCommitCells, commit.data())));
    return noted(h5::check(H5Dflush(m_commit.get()), "run.h5 could not be written", kRunFileName));
}

void LiveFile::readLargeArrays(const TakeArray& take) const {
    const auto rows = readTable<ArrayRow>(m_file.get(), tableName(Table::Arrays), m_tables[std::size_t(Table::Arrays)].rows);
    if (!rows) return;
    for (const auto& row : *rows) {
        const auto info = infoOf(row);
        if (!info) continue;
        std::string stored(static_cast<std::size_t>(row.count) * elementBytes(info->type), '\0');
        if (stored.size() <= kInlineArrayBytes) continue;
        const auto& stream = m_arrays[std::size_t(info->type)];
        if (!h5::readRows(stream.dataset.get(), stream.type.get(), static_cast<hsize_t>(row.offset), static_cast<hsize_t>(row.count), stored.data()))
            stored.clear();
        take(*info, stored);
    }
}

Result<void> LiveFile::close() {
    ESPALIER_CHECK_OK(commit());
    for (auto& stream : m_tables) stream.dataset.reset();
    for (auto& stream : m_arrays) stream.dataset.reset();
    m_commit.reset();
    m_file.reset();
    return {};
}

}  // namespace espalier::runlog
