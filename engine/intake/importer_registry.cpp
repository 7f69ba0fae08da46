#include <algorithm>
#include <cctype>
#include <fstream>

#include "engine/base/files.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/importer.h"
#include "engine/intake/names.h"
#include "engine/intake/pickle_refusal.h"
#include "engine/intake/shapes_generator.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kHeadBytes = 4096;
constexpr const char* kAccepted =
    "Espalier takes image folders, tar, zip and 7z archives of them, .npy and .npz (also a folder of them), HDF5, MNIST idx, CIFAR binary and CSV files";

std::string headOf(const fs::path& path) {
    std::string head(kHeadBytes, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
    return head;
}

/// What a file of this name should hold, for sentences.
std::string promisedKind(const fs::path& path) {
    static const std::vector<std::pair<std::string_view, std::string_view>> kinds = {
        {"h5", "an HDF5 file"}, {"hdf5", "an HDF5 file"}, {"npy", "a NumPy array"}, {"npz", "an .npz archive of arrays"},
        {"csv", "a table"}, {"tsv", "a table"}, {"zip", "an archive"}, {"tar", "an archive"}, {"tgz", "an archive"},
        {"gz", "an archive"}, {"zst", "an archive"}, {"bz2", "an archive"}, {"xz", "an archive"}, {"7z", "an archive"}};
    const std::string suffix = suffixOf(path.filename().string());
    for (const auto& [known, kind] : kinds)
        if (suffix == known) return std::string(kind);
    return "a data file";
}

/// What a failed download leaves behind under the name of the file that was wanted, and what looks like a data file
/// only to its owner.
Result<void> checkIsDataFile(const fs::path& path, std::string_view head) {
    const std::string where = displayText(path.string());
    if (head.starts_with("version https://git-lfs"))
        return fail(ErrorCode::BadInput, "is a Git LFS pointer, not " + promisedKind(path), where, "Run \"git lfs pull\" in its repository");
    using namespace std::string_view_literals;
    const std::string suffix = suffixOf(path.filename().string());
    const bool isOffice = head.starts_with("PK") && head.substr(0, 200).find("[Content_Types].xml") != std::string_view::npos;
    if (suffix == "xlsx" || suffix == "xlsm" || suffix == "xls" || suffix == "ods" || isOffice || head.starts_with("\xD0\xCF\x11\xE0"sv))
        return fail(ErrorCode::Unsupported, "is a spreadsheet or another Office file, not a table as text", where, "Save the sheet as CSV (UTF-8)");
    if (isImageSuffix(suffix)) return {};
    const std::size_t start = head.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    const std::string begin = lowerAscii(head.substr(std::min(start, head.size()), 15));
    if (begin.starts_with("<!doctype html") || begin.starts_with("<html"))
        return fail(ErrorCode::BadInput, "is a web page, not " + promisedKind(path) + ": its download failed", where, "Download it again");
    return {};
}

const Importer* byFormat(std::string_view format) {
    for (const auto& importer : importers())
        if (importer->format() == format) return importer.get();
    static const std::vector<std::pair<std::string_view, std::string_view>> aliases = {
        {"tar", "archive"}, {"zip", "archive"}, {"7z", "archive"}, {"mnist", "idx"}, {"h5", "hdf5"}, {"tsv", "csv"},
        {"folder", "image-folder"}, {"cifar-bin", "cifar"}, {"shapes32", "generator"}};
    for (const auto& [alias, name] : aliases)
        if (alias == format) return byFormat(name);
    return nullptr;
}

}  // namespace

const std::vector<std::unique_ptr<Importer>>& importers() {
    static const auto* const all = [] {
        auto* list = new std::vector<std::unique_ptr<Importer>>;
        list->push_back(makeShapesImporter());
        list->push_back(makeNpzImporter());
        list->push_back(makeNpyImporter());
        list->push_back(makeArrayFolderImporter());
        list->push_back(makeHdf5Importer());
        list->push_back(makeIdxImporter());
        list->push_back(makeCifarImporter());
        list->push_back(makeArchiveImporter());
        list->push_back(makeImageFolderImporter());
        list->push_back(makeCsvImporter());
        return list;
    }();
    return *all;
}

Result<const Importer*> findImporter(const fs::path& path, const ImportOptions& options) {
    const std::string where = displayText(path.string());
    if (options.format != "auto" && !options.format.empty()) {
        if (const auto* named = byFormat(options.format)) return named;
        return fail(ErrorCode::BadInput, "\"" + options.format + "\" is no format known here", "--format", kAccepted);
    }
    std::error_code error;
    const auto status = fs::status(path, error);
    if (!fs::exists(status)) {
        if (const auto* generator = byFormat("generator"); generator && generator->confidence(path, {}) > 0) return generator;
        return fail(ErrorCode::NotFound, "there is no such file or folder", where, "Check the path");
    }
    std::string head;
    if (fs::is_regular_file(status)) {
        if (fs::file_size(path, error) == 0)
            return fail(ErrorCode::BadInput, "is empty (0 bytes): there is no data in it", where, "Download or copy it again");
        head = headOf(path);
        if (head.empty()) return fail(ErrorCode::Io, "cannot be read", where, "Check its permissions");
        if (isPickle(path, head)) return fail(pickleError(path));
        ESPALIER_CHECK_OK(checkIsDataFile(path, head));
    } else if (!fs::is_directory(status)) {
        return fail(ErrorCode::BadInput, "is neither a file nor a folder", where, kAccepted);
    }
    const Importer* best = nullptr;
    int bestConfidence = 0;
    for (const auto& importer : importers()) {
        const int confidence = importer->confidence(path, head);
        if (confidence > bestConfidence) {
            best = importer.get();
            bestConfidence = confidence;
        }
    }
    if (best) return best;
    return fail(ErrorCode::Unsupported, "is of no kind known here", where, kAccepted);
}

}  // namespace espalier::intake
