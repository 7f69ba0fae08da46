#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>

#include <locale.h>

#include "engine/intake/archive_data.h"
#include "engine/intake/archive_listing.h"
#include "engine/intake/image_layout.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/importer.h"
#include "engine/intake/label_table.h"
#include "engine/intake/names.h"
#include "engine/intake/pickle_refusal.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kInMemoryBytes = 1'500'000'000; ///< up to here rows come in the order of the folders

/// libarchive converts names by the thread's locale and drops what that cannot spell; in "C" that is most of Unicode.
class Utf8Locale {
public:
    Utf8Locale() : m_locale(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (m_locale) m_previous = uselocale(m_locale);
    }
    ~Utf8Locale() {
        if (!m_locale) return;
        uselocale(m_previous);
        freelocale(m_locale);
    }
    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

private:
    locale_t m_locale = nullptr, m_previous = nullptr;
};

/// Second pass: hands every wanted picture's bytes to `take`, in archive order.
Result<void> readPictures(const fs::path& path, const std::map<std::size_t, const PlacedImage*>& wanted, RowSink& sink,
                          std::string& truncation, const std::function<Result<void>(const PlacedImage&, std::string)>& take) {
    ESPALIER_TRY(auto handle, openArchive(path));
    std::int64_t done = 0;
    for (std::size_t position = 0; !sink.isStopped() && done < static_cast<std::int64_t>(wanted.size()); ++position) {
        archive_entry* entry = nullptr;
        const int status = archive_read_next_header(handle.get(), &entry);
        if (status == ARCHIVE_EOF) break;
        if (status == ARCHIVE_FATAL || status == ARCHIVE_FAILED) {
            if (truncation.empty()) truncation = troubleOf(handle.get());
            break;
        }
        const auto found = wanted.find(position);
        if (found == wanted.end()) continue;
        const std::string header = troubleOf(handle.get());
        auto bytes = readEntry(handle.get(), entry);
        sink.progress(++done, static_cast<std::int64_t>(wanted.size()));
        if (status == ARCHIVE_WARN && header.rfind("Inconsistent", 0) == 0 && bytes)
            sink.warn({found->second->path, 0, "damaged_entry",
                       "the archive's directory and the entry itself do not agree about it (" + header + "): it was kept because its own checksum is right", Outcome::Kept});
        if (!bytes) {
            sink.warn({found->second->path, 0, "damaged_entry", "is damaged in the archive (" + bytes.error().what + ")", Outcome::Skipped});
            if (bytes.error().detail == "fatal") {
                if (truncation.empty()) truncation = bytes.error().what;
                break;
            }
            continue;
        }
        ESPALIER_CHECK_OK(take(*found->second, std::move(*bytes)));
    }
    return {};
}

class ArchiveImporter : public Importer {
public:
    std::string_view format() const override { return "archive"; }

    int confidence(const fs::path& path, std::string_view head) const override {
        if (head.empty()) return 0;
        const auto name = lowerAscii(path.filename().string());
        const auto endsWith = [&](std::string_view suffix) { return std::string_view(name).ends_with(suffix); };
        const auto starts = [&](std::string_view magic) { return head.substr(0, magic.size()) == magic; };
        if (starts(std::string_view("PK\x03\x04", 4)) || starts(std::string_view("PK\x05\x06", 4))) return endsWith(".zip") ? 80 : 50;
        if (starts(std::string_view("7z\xBC\xAF\x27\x1C", 6))) return 90;
        if (starts("Rar!")) return 80;
        if (head.size() > 262 && head.substr(257, 5) == "ustar") return 85;
        for (const auto* suffix : {".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.lz4", ".tar.lzma", ".tlz", ".tar.lz", ".tar.z"})
            if (endsWith(suffix)) return 85;
        for (const auto* suffix : {".zip", ".7z", ".rar", ".cpio"})
            if (endsWith(suffix)) return 60;
        // A packed file of no other kind: most likely a tar.
        using namespace std::string_view_literals;
        for (const auto magic : {"\x1F\x8B"sv, "BZh"sv, "\xFD\x37zXZ\0"sv, "\x28\xB5\x2F\xFD"sv})
            if (starts(magic)) return 25;
        return 0;
    }

    Result<void> read(const fs::path& path, const ImportOptions& options, RowSink& sink) const override {
        const Utf8Locale locale;
        const auto where = displayText(path.string());
        ESPALIER_TRY(auto listing, listArchive(path, sink));
        if (sink.isStopped()) return {};
        if (listing.pictures.empty()) return readWithoutPictures(path, std::move(listing), options, sink);
        warnOfMemberNames(path, options, sink);
        for (const auto& warning : listing.warnings) sink.warn(warning);
        ESPALIER_TRY(const ImageLayout layout, layOutWithTables(listing.pictures, listing.others, listing.folders, options.label,
                                                                [&](const std::string& name) { return readTable(path, listing, name); }));
        for (const auto& name : layout.classes) sink.declareClass(name);
        for (const auto& warning : layout.warnings) sink.warn(warning);
        std::map<std::size_t, const PlacedImage*> wanted;
        for (const auto& image : layout.images) wanted[image.index] = &image;
        auto truncation = listing.truncation;
        ESPALIER_CHECK_OK(listing.pictureBytes <= kInMemoryBytes ? sendInOrder(path, layout, wanted, sink, truncation)
                                                                 : sendAsRead(path, wanted, sink, truncation));
        if (!truncation.empty())
            sink.warn({path.filename().string(), 0, "truncated_archive",
                       "the archive ends early or is damaged (" + truncation + "): what lies before was kept", Outcome::Kept});
        return {};
    }

private:
    /// Data files are imported as if the unpacked folder had been given; else a sentence about what is inside.
    static Result<void> readWithoutPictures(const fs::path& path, ArchiveListing listing, const ImportOptions& options, RowSink& sink) {
        const auto where = displayText(path.string());
        if (!listing.truncation.empty())
            return fail(ErrorCode::BadInput, listing.data.empty() ? "is cut off or damaged before its first picture (" + listing.truncation + ")"
                                                                  : "is cut off or damaged (" + listing.truncation + "), so that its data cannot be taken for whole",
                        where, "Download it again");
        if (listing.others.empty() && listing.folders.empty() && listing.warnings.empty())
            return fail(ErrorCode::BadInput, "is an empty archive: there is no data in it", where, "Choose another file");
        for (const auto& warning : listing.warnings) sink.warn(warning);
        if (listing.others.empty() && !listing.warnings.empty())
            return fail(ErrorCode::BadInput, "nothing in it can be imported; the first trouble is " + displayText(listing.warnings.front().file) + ": " +
                            listing.warnings.front().detail, where, "Check the archive, or unpack it and import the folder");
        ESPALIER_TRY(const DataChoice choice, chooseData(std::move(listing.data), where));
        // Texts beside pickles only speak about them.
        const bool isWeak = choice.kind == DataFileKind::None || (choice.kind == DataFileKind::Text && !listing.pickle.empty());
        if (!isWeak) return importArchiveData(path, choice, options, sink);
        Error error = listing.pickle.empty() ? noPicturesError(where, listing.others) : picklesInsideError(where, listing.pickle);
        if (error.what.find("data file") != std::string::npos) error.remedy = "Unpack it first and import what is inside";
        return fail(std::move(error));
    }

    static void warnOfMemberNames(const fs::path& path, const ImportOptions& options, RowSink& sink) {
        for (const auto& [name, what] : {std::pair(options.images, "images"), std::pair(options.labels, "labels")})
            if (!name.empty())
                sink.warn({path.filename().string(), 0, "unused_option",
                           std::string("the member with ") + what + " \"" + name + "\" plays no part in an archive of pictures", Outcome::Ignored});
    }

    static Result<void> send(const PlacedImage& image, std::string bytes, RowSink& sink) {
        RowMeta meta{image.path, image.label, image.split, static_cast<std::int64_t>(bytes.size())};
        return sink.encodedImage(std::move(meta), std::move(bytes), {});
    }

    /// Rows in the order a folder of the same files would give.
    static Result<void> sendInOrder(const fs::path& path, const ImageLayout& layout, const std::map<std::size_t, const PlacedImage*>& wanted,
                                    RowSink& sink, std::string& truncation) {
        std::map<const PlacedImage*, std::string> held;
        ESPALIER_CHECK_OK(readPictures(path, wanted, sink, truncation, [&](const PlacedImage& image, std::string bytes) -> Result<void> {
            held.emplace(&image, std::move(bytes));
            return {};
        }));
        for (const auto& image : layout.images) {
            if (sink.isStopped()) return {};
            if (const auto found = held.find(&image); found != held.end()) ESPALIER_CHECK_OK(send(image, std::move(found->second), sink));
        }
        return {};
    }

    static Result<void> sendAsRead(const fs::path& path, const std::map<std::size_t, const PlacedImage*>& wanted, RowSink& sink, std::string& truncation) {
        return readPictures(path, wanted, sink, truncation, [&](const PlacedImage& image, std::string bytes) { return send(image, std::move(bytes), sink); });
    }
};

}  // namespace

std::unique_ptr<Importer> makeArchiveImporter() { return std::make_unique<ArchiveImporter>(); }

}  // namespace espalier::intake
