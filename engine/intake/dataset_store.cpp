#include "engine/intake/dataset_store.h"

#include <cstring>

#include "engine/base/files.h"
#include "engine/intake/image_decoding.h"
#include "engine/intake/mapped_file.h"
#include "engine/intake/names.h"
#include "engine/intake/row_table.h"

namespace espalier::intake {
namespace fs = std::filesystem;

struct DatasetStore::Impl {
    fs::path folder;
    feed::DatasetSummary summary;
    RowTable table;
    MappedFile pixels, blobs, features;
    std::array<std::vector<std::int64_t>, 3> rows;
    bool isUniform = false;  ///< every row decoded, one size, one number of channels

    const RowRecord* record(std::int64_t row) const {
        return row >= 0 && row < static_cast<std::int64_t>(table.records.size())
                   ? &table.records[static_cast<std::size_t>(row)]
                   : nullptr;
    }
};

namespace {

constexpr const char* kSummaryFile = "dataset.json";
constexpr const char* kRowsFile = "rows.bin";

Result<MappedFile> mapIfThere(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) return MappedFile();
    return MappedFile::open(path);
}

Result<feed::DatasetSummary> readSummary(const fs::path& folder) {
    const fs::path file = folder / kSummaryFile;
    ESPALIER_TRY(const std::string text, readFile(file));
    return summaryFromJson(text, file.string());
}

Error rowError(const std::string& what, const fs::path& folder, std::int64_t row) {
    return Error{ErrorCode::Corrupt, what, folder.string() + ", row " + std::to_string(row), "Import the data again", {}};
}

/// Every row's bytes must lie inside the file that holds them.
Result<void> checkRows(const fs::path& folder, const feed::DatasetSummary& summary, const RowTable& table,
                       std::size_t pixels, std::size_t blobs, std::size_t features) {
    if (summary.samples != static_cast<std::int64_t>(table.records.size()))
        return fail(ErrorCode::Corrupt, "the row table and the description disagree about the number of samples",
                    folder.string(), "Import the data again");
    for (std::size_t row = 0; row < table.records.size(); ++row) {
        const RowRecord& record = table.records[row];
        if (record.storage == RowStorage::Path) continue;
        const std::size_t size = record.storage == RowStorage::Pixels ? pixels
                                 : record.storage == RowStorage::Blob ? blobs
                                                                      : features;
        const bool isInside = record.offset <= size && record.length <= size - record.offset;
        const bool hasShape = record.storage != RowStorage::Pixels ||
                              record.length == std::uint64_t(record.width) * record.height * record.channels;
        const bool hasFloats = record.storage != RowStorage::Features ||
                               (record.length % sizeof(float) == 0 && record.offset % sizeof(float) == 0);
        if (!isInside || !hasShape || !hasFloats)
            return fail(rowError("its content is missing or has another length than recorded", folder,
                                 static_cast<std::int64_t>(row)));
    }
    return {};
}

bool allAlike(const RowTable& table) {
    for (const RowRecord& record : table.records) {
        const RowRecord& first = table.records.front();
        if (record.storage != RowStorage::Pixels || record.width != first.width || record.height != first.height ||
            record.channels != first.channels)
            return false;
    }
    return !table.records.empty();
}

}  // namespace

DatasetStore::DatasetStore(std::unique_ptr<Impl> impl) : d(std::move(impl)) {}
DatasetStore::~DatasetStore() = default;

Result<std::shared_ptr<DatasetStore>> DatasetStore::open(const fs::path& folder) {
    auto impl = std::make_unique<Impl>();
    impl->folder = folder;
    ESPALIER_TRY(impl->summary, readSummary(folder));
    ESPALIER_TRY(impl->table,
                 readRowTable(folder / kRowsFile, static_cast<std::int64_t>(impl->summary.classes.size())));
    ESPALIER_TRY(impl->pixels, mapIfThere(folder / "pixels.bin"));
    ESPALIER_TRY(impl->blobs, mapIfThere(folder / "blobs.bin"));
    ESPALIER_TRY(impl->features, mapIfThere(folder / "features.bin"));
    ESPALIER_CHECK_OK(checkRows(folder, impl->summary, impl->table, impl->pixels.bytes().size(),
                                impl->blobs.bytes().size(), impl->features.bytes().size()));
    for (std::size_t row = 0; row < impl->table.records.size(); ++row)
        impl->rows[impl->table.records[row].split].push_back(static_cast<std::int64_t>(row));
    impl->isUniform = allAlike(impl->table);
    return std::shared_ptr<DatasetStore>(new DatasetStore(std::move(impl)));
}

const feed::DatasetSummary& DatasetStore::summary() const { return d->summary; }
std::int64_t DatasetStore::size() const { return static_cast<std::int64_t>(d->table.records.size()); }
const std::vector<std::int64_t>& DatasetStore::rows(feed::Split split) const {
    return d->rows[static_cast<std::size_t>(split)];
}

feed::SampleInfo DatasetStore::info(std::int64_t row) const {
    const RowRecord* record = d->record(row);
    if (!record) return {};
    return {row,
            record->label,
            static_cast<feed::Split>(record->split),
            static_cast<int>(record->width),
            static_cast<int>(record->height),
            record->channels,
            record->storedBytes,
            std::string(d->table.source(*record))};
}

Result<feed::Image8> DatasetStore::image(std::int64_t row) const {
    const RowRecord* record = d->record(row);
    if (!record)
        return fail(ErrorCode::NotFound,
                    "there is no sample " + std::to_string(row) + " (there are " + std::to_string(size()) + ")",
                    d->folder.string());
    if (record->storage == RowStorage::Features)
        return fail(ErrorCode::Unsupported, "the data set is a table and has no pictures", d->folder.string());
    if (record->storage == RowStorage::Pixels) {
        const auto bytes = d->pixels.bytes().subspan(record->offset, record->length);
        return feed::Image8{static_cast<int>(record->width), static_cast<int>(record->height), record->channels,
                            std::vector<std::uint8_t>(bytes.begin(), bytes.end())};
    }
    const std::string source = displayText(d->table.source(*record));
    std::string encoded;
    if (record->storage == RowStorage::Path) {
        auto read = readFile(fs::path(std::string(d->table.path(*record))));
        if (!read) {
            Error error = std::move(read).error();
            error.remedy = "The data set refers to this file: put it back or import the data again";
            return fail(std::move(error));
        }
        encoded = std::move(*read);
    } else {
        const auto bytes = d->blobs.bytes().subspan(record->offset, record->length);
        encoded.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    auto decoded = decodeImage(encoded);
    if (!decoded) return fail(ErrorCode::Corrupt, decoded.error().detail, source, "Import the data again");
    return std::move(*decoded);
}

Result<std::vector<float>> DatasetStore::features(std::int64_t row) const {
    const RowRecord* record = d->record(row);
    if (!record || record->storage != RowStorage::Features)
        return fail(ErrorCode::NotFound, "there is no table row " + std::to_string(row), d->folder.string());
    std::vector<float> values(record->length / sizeof(float));
    if (!values.empty())
        std::memcpy(values.data(), d->features.bytes().data() + record->offset, record->length);
    return values;
}

const std::uint8_t* DatasetStore::mappedPixels(std::int64_t row) const {
    const RowRecord* record = d->record(row);
    return d->isUniform && record ? d->pixels.bytes().data() + record->offset : nullptr;
}

Result<feed::DatasetSummary> resplitDataset(const fs::path& folder, const std::array<double, 3>& fractions,
                                            std::int64_t seed) {
    ESPALIER_CHECK_OK(checkFractions(fractions));
    ESPALIER_TRY(feed::DatasetSummary summary, readSummary(folder));
    ESPALIER_TRY(RowTable table, readRowTable(folder / kRowsFile, static_cast<std::int64_t>(summary.classes.size())));
    if (summary.samples != static_cast<std::int64_t>(table.records.size()))
        return fail(ErrorCode::Corrupt, "the row table and the description disagree about the number of samples",
                    folder.string(), "Import the data again");
    std::vector<std::int64_t> labels;
    for (const RowRecord& record : table.records) labels.push_back(record.label);
    const auto splits = splitRows(labels, fractions, seed);
    for (std::size_t row = 0; row < splits.size(); ++row)
        table.records[row].split = static_cast<std::uint8_t>(splits[row]);
    summary.splitKind = "seed";
    summary.splitSeed = seed;
    summary.splitFractions = fractions;
    summarizeSplits(summary, table);
    ESPALIER_CHECK_OK(writeRowTable(folder / kRowsFile, table));
    ESPALIER_CHECK_OK(writeFileAtomically(folder / kSummaryFile, summaryToJson(summary)));
    return summary;
}

}  // namespace espalier::intake
