#include <algorithm>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <set>

#include <sys/stat.h>

#include "engine/base/files.h"
#include "engine/intake/image_layout.h"
#include "engine/intake/image_paths.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/importer.h"
#include "engine/intake/label_table.h"
#include "engine/intake/names.h"
#include "engine/intake/pickle_refusal.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t(1) << 30;
constexpr std::size_t kMaxTableBytes = std::size_t(1) << 28;
constexpr std::size_t kMaxFiles = 20'000'000;

std::string readHead(const fs::path& path, std::size_t size) {
    std::string head(size, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(size));
    head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
    return head;
}

/// Everything below a folder, sorted into what it is. Folder links are not followed (they may lead anywhere, also back);
/// links to files are.
struct FolderScan {
    std::vector<LayoutEntry> pictures;
    std::vector<fs::path> files;  ///< of the pictures, by LayoutEntry::index
    std::vector<std::string> others, folders;
    std::map<std::string, fs::path> tables;  ///< of the others, those that may hold labels
    Warnings warnings;

    /// `prefix` stands before every relative path: empty or a name with a '/'.
    Result<void> scan(const fs::path& root, const std::string& rootPrefix, RowSink& sink);
    void addPicture(const fs::path& path, std::string relative) {
        pictures.push_back({std::move(relative), files.size()});
        files.push_back(path);
    }
    void addFile(const fs::path& path, std::string relative);
    void addLink(const fs::path& path, std::string relative);
    void skip(std::string relative, const char* kind, std::string detail) {
        warnings.push_back({std::move(relative), 0, kind, std::move(detail), Outcome::Skipped});
    }
};

void FolderScan::addFile(const fs::path& path, std::string relative) {
    // Content decides where the suffix promises nothing: a picture may come without or with another suffix.
    if (isImageSuffix(suffixOf(relative)) || sniffImage(readHead(path, 32)) != ImageKind::Unknown) {
        addPicture(path, std::move(relative));
    } else {
        if (canBeLabelTable(relative)) tables.emplace(relative, path);
        others.push_back(std::move(relative));
    }
}

void FolderScan::addLink(const fs::path& path, std::string relative) {
    std::error_code error;
    const fs::file_status target = fs::status(path, error);
    if (error || target.type() == fs::file_type::not_found)
        return skip(std::move(relative), "broken_link", "is a link whose target does not exist (or a link to itself)");
    if (fs::is_directory(target))
        return skip(std::move(relative), "folder_link", "is a link to a folder and is not followed: drop the folder itself");
    if (!fs::is_regular_file(target)) return skip(std::move(relative), "not_a_file", "is a link to something that is no file");
    if (sniffImage(readHead(path, 32)) == ImageKind::Unknown)
        return skip(std::move(relative), "not_an_image", "is a link to a file that is no picture");
    addPicture(path, std::move(relative));
}

Result<void> FolderScan::scan(const fs::path& root, const std::string& rootPrefix, RowSink& sink) {
    std::deque<std::pair<fs::path, std::string>> waiting{{root, rootPrefix}};
    std::size_t seen = 0;
    while (!waiting.empty()) {
        const auto [folder, prefix] = std::move(waiting.front());
        waiting.pop_front();
        std::error_code error;
        fs::directory_iterator iterator(folder, error);
        if (error) {
            if (folder == root) return fail(ioError("cannot be opened", folder, error.value()));
            skip(prefix.substr(0, prefix.size() - 1), "unreadable", "cannot be opened: " + error.message());
            continue;
        }
        for (; iterator != fs::directory_iterator(); iterator.increment(error)) {
            if ((++seen & 255) == 0 && sink.isStopped()) return {};
            if (seen > kMaxFiles)
                return fail(ErrorCode::BadInput, "holds more than " + groupedNumber(kMaxFiles) + " files", root.string(),
                            "Drop the folder of the data set itself");
            const std::string name = iterator->path().filename().string();
            if (isSystemName(name)) continue;
            std::error_code statError;
            const fs::file_status status = iterator->symlink_status(statError);
            std::string relative = prefix + name;
            if (fs::is_symlink(status)) {
                addLink(iterator->path(), std::move(relative));
            } else if (fs::is_directory(status)) {
                folders.push_back(relative);
                waiting.emplace_back(iterator->path(), relative + "/");
            } else if (fs::is_regular_file(status)) {
                addFile(iterator->path(), std::move(relative));
            } else {
                skip(std::move(relative), "not_a_file", "is no ordinary file (a pipe, socket or device)");
            }
        }
        if (error) skip(prefix, "unreadable", "could not be listed to its end: " + error.message());
    }
    const auto less = [](const std::string& a, const std::string& b) { return naturalPathLess(a, b); };
    std::sort(others.begin(), others.end(), less);
    std::sort(folders.begin(), folders.end(), less);
    return {};
}

Result<void> sendImages(const ImageLayout& layout, const std::vector<fs::path>& files, RowSink& sink) {
    for (const std::string& name : layout.classes) sink.declareClass(name);
    for (const Warning& warning : layout.warnings) sink.warn(warning);
    const auto total = static_cast<std::int64_t>(layout.images.size());
    std::int64_t done = 0;
    for (const PlacedImage& image : layout.images) {
        if (sink.isStopped()) return {};
        const fs::path& path = files[image.index];
        auto bytes = readFile(path, kMaxFileBytes);
        if (!bytes) {
            sink.warn({image.path, 0, "unreadable", bytes.error().what, Outcome::Skipped});
        } else {
            RowMeta meta{image.path, image.label, image.split, static_cast<std::int64_t>(bytes->size())};
            ESPALIER_CHECK_OK(sink.encodedImage(std::move(meta), std::move(*bytes), path));
        }
        sink.progress(++done, total);
    }
    return {};
}

/// Folders of Python pickles (CIFAR's python version is one) deserve a sentence of their own.
Error withoutPictures(const fs::path& root, const std::vector<std::string>& others) {
    constexpr std::size_t kLookedAt = 200;
    for (std::size_t i = 0; i < std::min(kLookedAt, others.size()); ++i) {
        const std::string& other = others[i];
        if (isPickle(root / other, readHead(root / other, 32))) return picklesInsideError(displayText(root.string()), other);
    }
    return noPicturesError(displayText(root.string()), others);
}

Result<void> sendScan(FolderScan scan, const fs::path& root, const std::string& labelColumn, RowSink& sink) {
    if (sink.isStopped()) return {};
    for (const Warning& warning : scan.warnings) sink.warn(warning);
    if (scan.pictures.empty() && scan.others.empty() && !scan.warnings.empty())
        return fail(ErrorCode::BadInput, "holds no pictures: " + displayText(scan.warnings.front().file) + " " + scan.warnings.front().detail,
                    displayText(root.string()), "Drop a folder that holds the pictures themselves");
    if (scan.pictures.empty()) return fail(withoutPictures(root, scan.others));
    ESPALIER_TRY(const ImageLayout layout, layOutWithTables(std::move(scan.pictures), scan.others, scan.folders, labelColumn,
                                                            [&](const std::string& other) { return readFile(scan.tables.at(other), kMaxTableBytes); }));
    return sendImages(layout, scan.files, sink);
}

class ImageFolderImporter : public Importer {
public:
    std::string_view format() const override { return "image-folder"; }

    int confidence(const fs::path& path, std::string_view head) const override {
        if (!head.empty()) {
            if (sniffImage(head) != ImageKind::Unknown) return 90;
            return isImageSuffix(suffixOf(path.filename().string())) ? 30 : 0;
        }
        std::error_code error;
        return fs::is_directory(path, error) ? 40 : 0;
    }

    Result<void> read(const fs::path& path, const ImportOptions& options, RowSink& sink) const override {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            const std::string name = path.filename().string();
            ESPALIER_TRY(std::string bytes, readFile(path, kMaxFileBytes));
            RowMeta meta{name, std::nullopt, std::nullopt, static_cast<std::int64_t>(bytes.size())};
            sink.warn({name, 0, "unlabelled", "a single picture comes in without a label", Outcome::Kept});
            return sink.encodedImage(std::move(meta), std::move(bytes), path);
        }
        FolderScan scan;
        ESPALIER_CHECK_OK(scan.scan(path, {}, sink));
        return sendScan(std::move(scan), path, options.label, sink);
    }
};

/// Paths relative to what they have in common; folders by their own names where these differ.
std::vector<std::string> namesOfPaths(const std::vector<fs::path>& paths) {
    fs::path common = fs::absolute(paths.front()).lexically_normal().parent_path();
    std::set<std::string> names;
    bool areFolders = true;
    for (const fs::path& path : paths) {
        const fs::path full = fs::absolute(path).lexically_normal();
        while (common.has_relative_path() && full.lexically_relative(common).begin()->string() == "..")
            common = common.parent_path();
        names.insert(full.filename().string());
        std::error_code error;
        areFolders = areFolders && fs::is_directory(path, error);
    }
    std::vector<std::string> result;
    for (const fs::path& path : paths) {
        const fs::path full = fs::absolute(path).lexically_normal();
        const bool isByName = areFolders && names.size() == paths.size();
        result.push_back(isByName ? full.filename().string() : full.lexically_relative(common).string());
    }
    return result;
}

}  // namespace

Result<void> readImagePaths(const std::vector<fs::path>& paths, const ImportOptions& options, RowSink& sink) {
    FolderScan scan;
    const std::vector<std::string> names = namesOfPaths(paths);
    for (std::size_t i = 0; i < paths.size(); ++i) {
        std::error_code error;
        if (fs::is_directory(paths[i], error)) {
            scan.folders.push_back(names[i]);
            ESPALIER_CHECK_OK(scan.scan(paths[i], names[i] + "/", sink));
        } else {
            scan.addFile(paths[i], names[i]);
        }
    }
    return sendScan(std::move(scan), paths.front().parent_path(), options.label, sink);
}

std::unique_ptr<Importer> makeImageFolderImporter() { return std::make_unique<ImageFolderImporter>(); }

}  // namespace espalier::intake
