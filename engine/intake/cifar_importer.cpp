#include <algorithm>
#include <cctype>
#include <fstream>
#include <optional>

#include "engine/base/files.h"
#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"
#include "engine/intake/data_files.h"
#include "engine/intake/importer.h"
#include "engine/intake/names.h"
#include "engine/intake/pickle_refusal.h"

namespace espalier::intake {
namespace fs = std::filesystem;

namespace {

constexpr int kSide = 32, kArea = kSide * kSide, kPixels = 3 * kArea;

/// CIFAR-10 has one label byte a record, CIFAR-100 a coarse and a fine one.
struct Flavour {
    int labelBytes = 1, classes = 10;
    int recordBytes() const { return labelBytes + kPixels; }
};
constexpr Flavour kTen{1, 10}, kHundred{2, 100};

std::string lowerName(const fs::path& path) {
    std::string text = path.filename().string();
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return text;
}

std::vector<fs::path> batchFiles(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
        if (entry.is_regular_file(error) && isCifarBatchName(entry.path().string())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// The folder itself, or the only folder in it, as the archive of the data set unpacks.
fs::path folderWithBatches(const fs::path& folder) {
    if (!batchFiles(folder).empty()) return folder;
    std::error_code error;
    fs::path only;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (isSystemName(entry.path().filename().string())) continue;
        if (!only.empty() || entry.is_symlink(error) || !entry.is_directory(error)) return folder;
        only = entry.path();
    }
    return only.empty() ? folder : only;
}

bool isPythonFolder(const fs::path& folder) {
    std::error_code error;
    const auto has = [&](const char* name) { return fs::is_regular_file(folder / name, error); };
    return (has("data_batch_1") && (has("batches.meta") || has("test_batch"))) || (has("train") && has("test") && has("meta"));
}

/// Decides by the size of the file, and by the labels where both would fit.
std::optional<Flavour> flavourOf(const fs::path& path, std::int64_t bytes, std::string_view head) {
    const std::string name = lowerName(path);
    const bool fitsTen = bytes % kTen.recordBytes() == 0, fitsHundred = bytes % kHundred.recordBytes() == 0;
    if (fitsTen != fitsHundred) return fitsTen ? kTen : kHundred;
    if (name == "train.bin" || name == "test.bin") return kHundred;
    if (name.starts_with("data_batch") || name.starts_with("test_batch")) return kTen;
    const auto label = [&](std::size_t at) { return at < head.size() ? static_cast<unsigned char>(head[at]) : 255u; };
    if (label(0) < 10 && label(kTen.recordBytes()) < 10) return kTen;
    return std::nullopt;
}

std::vector<std::string> readNames(const fs::path& folder, const Flavour& flavour) {
    std::vector<std::string> names;
    for (const char* file : {"batches.meta.txt", "fine_label_names.txt"}) {
        if ((flavour.labelBytes == 2) != (std::string_view(file) == "fine_label_names.txt")) continue;
        std::ifstream stream(folder / file);
        std::string line;
        while (names.size() < 1000 && std::getline(stream, line)) {
            while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
            if (!line.empty()) names.push_back(line.substr(0, 200));
        }
    }
    if (static_cast<int>(names.size()) != flavour.classes) names.clear();
    return names;
}

/// CIFAR-10 and CIFAR-100 binary batches; refuses the Python (pickle) version and other pickles by sentence.
class CifarImporter final : public Importer {
public:
    std::string_view format() const override { return "cifar"; }
    int confidence(const fs::path& path, std::string_view head) const override {
        std::error_code error;
        if (fs::is_directory(path, error)) {
            const fs::path folder = folderWithBatches(path);
            return isPythonFolder(folder) ? 100 : batchFiles(folder).empty() ? 0 : 95;
        }
        if (isPickle(path, head)) return 100;
        if (isCifarBatchName(path.string())) return 90;
        if (path.extension() != ".bin") return 0;
        const auto bytes = static_cast<std::int64_t>(fs::file_size(path, error));
        return !error && bytes > 0 && (bytes % kTen.recordBytes() == 0 || bytes % kHundred.recordBytes() == 0) &&
                       flavourOf(path, bytes, head)
                   ? 60
                   : 0;
    }
    Result<void> read(const fs::path& path, const ImportOptions& options, RowSink& sink) const override;

private:
    static Result<std::int64_t> readBatch(const fs::path& path, const Flavour& flavour, const std::vector<std::string>& names,
                                          std::optional<feed::Split> split, RowSink& sink, std::int64_t done);
};

feed::Image8 pictureOf(const unsigned char* planes) {
    feed::Image8 image{kSide, kSide, 3, std::vector<std::uint8_t>(kPixels)};
    for (int pixel = 0; pixel < kArea; ++pixel)
        for (int c = 0; c < 3; ++c) image.pixels[static_cast<std::size_t>(pixel * 3 + c)] = planes[c * kArea + pixel];
    return image;
}

Result<std::int64_t> CifarImporter::readBatch(const fs::path& path, const Flavour& flavour, const std::vector<std::string>& names,
                                              std::optional<feed::Split> split, RowSink& sink, std::int64_t done) {
    ESPALIER_TRY(auto source, openFileBytes(path));
    std::vector<unsigned char> record(static_cast<std::size_t>(flavour.recordBytes()));
    std::int64_t row = 0;
    for (;; ++row) {
        if (sink.isStopped()) return row;
        ESPALIER_TRY(const std::size_t count, source->read(record.data(), record.size()));
        if (count == 0) return row;
        if (count < record.size()) {
            sink.warn({shownName(path), 0, "truncated",
                       "the batch ends inside record " + std::to_string(row) + ": it was cut short; the " + grouped(row) + " whole records before came in",
                       Outcome::Skipped});
            return row;
        }
        const unsigned label = record[static_cast<std::size_t>(flavour.labelBytes - 1)];
        if (label >= static_cast<unsigned>(flavour.classes))
            return fail(ErrorCode::Corrupt,
                        "record " + std::to_string(row) + " has the label " + std::to_string(label) + ", but CIFAR-" +
                            std::to_string(flavour.classes) + " has labels below " + std::to_string(flavour.classes),
                        path.string(), "This is not a CIFAR binary batch, or it is damaged: download it again");
        RowMeta meta;
        meta.source = shownName(path) + "[" + std::to_string(row) + "]";
        meta.label = names.empty() ? std::to_string(label) : names[label];
        meta.split = split;
        meta.storedBytes = flavour.recordBytes();
        ESPALIER_CHECK_OK(sink.image(std::move(meta), pictureOf(record.data() + flavour.labelBytes)));
        if (row % 1000 == 0) sink.progress(done + row, 0);
    }
}

Result<void> CifarImporter::read(const fs::path& named, const ImportOptions&, RowSink& sink) const {
    std::error_code error;
    const bool isFolder = fs::is_directory(named, error);
    const fs::path path = isFolder ? folderWithBatches(named) : named;
    if (isFolder && isPythonFolder(path)) {
        Error refusal = pickleError(path);
        refusal.what = "is the Python version of CIFAR, whose batches are pickles; they are never unpacked because they can run any program";
        refusal.remedy = "Download the binary version (cifar-10-binary.tar.gz), or save the arrays as .npz";
        return fail(refusal);
    }
    std::vector<fs::path> files = isFolder ? batchFiles(path) : std::vector<fs::path>{path};
    std::string head;
    if (!isFolder) {
        head.resize(4096);
        std::ifstream stream(path, std::ios::binary);
        stream.read(head.data(), 4096);
        head.resize(static_cast<std::size_t>(stream.gcount()));
        if (isPickle(path, head)) return fail(pickleError(path));
    }
    if (files.empty()) return fail(ErrorCode::NotFound, "has no CIFAR binary batches (data_batch_1.bin, …)", path.string(), "Name the folder that holds them");
    const fs::path folder = isFolder ? path : path.parent_path();
    const auto bytes = static_cast<std::int64_t>(fs::file_size(files.front(), error));
    const auto flavour = flavourOf(files.front(), bytes, head);
    if (!flavour || bytes < flavour->recordBytes())
        return fail(ErrorCode::BadInput,
                    bytes == 0 ? "the file is empty (0 bytes)" : "is not a CIFAR binary batch: records have 3,073 or 3,074 bytes, the file has " + grouped(bytes),
                    files.front().string(), "Download it again");
    const auto names = readNames(folder, *flavour);
    for (int i = 0; i < flavour->classes; ++i) sink.declareClass(names.empty() ? std::to_string(i) : names[static_cast<std::size_t>(i)]);
    std::int64_t total = 0;
    for (const fs::path& file : files) {
        std::optional<feed::Split> split;
        if (isFolder && files.size() > 1) split = lowerName(file).starts_with("test") ? feed::Split::Test : feed::Split::Train;
        auto rows = readBatch(file, *flavour, names, split, sink, total);
        if (!rows && files.size() == 1) return fail(std::move(rows).error());
        if (!rows) sink.warn({shownName(file), 0, "damaged_batch", rows.error().what, Outcome::Skipped});
        else total += *rows;
    }
    if (total == 0 && !sink.isStopped()) return fail(ErrorCode::BadInput, "holds no whole record: there are no samples", path.string(), "Download it again");
    return {};
}

}  // namespace

std::unique_ptr<Importer> makeCifarImporter() { return std::make_unique<CifarImporter>(); }

}  // namespace espalier::intake
