#include <algorithm>
#include <cctype>
#include <fstream>

#include "engine/base/files.h"
#include "engine/intake/importer.h"
#include "engine/intake/names.h"
#include "engine/intake/pickle_refusal.h"
#include "engine/intake/shapes_generator.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kHeadBytes = 4096;
constexpr const char* kAccepted =
    "Espalier takes image folders, tar, zip and 7z archives of them, .npy, .npz, HDF5, MNIST idx, CIFAR binary and CSV files";

std::string headOf(const fs::path& path) {
    std::string head(kHeadBytes, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
    return head;
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
