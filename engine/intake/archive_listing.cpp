#include "engine/intake/archive_listing.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "engine/base/files.h"
#include "engine/intake/byte_source.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/label_table.h"
#include "engine/intake/names.h"
#include "engine/intake/pickle_refusal.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kMaxEntryBytes = std::int64_t(1) << 30;
constexpr std::int64_t kMaxEntries = 100'000;
constexpr std::int64_t kMaxTableBytes = 256'000'000;

std::string nameOf(archive_entry* entry) {
    const char* name = archive_entry_pathname(entry);
    if (!name) name = archive_entry_pathname_utf8(entry);
    return name ? name : "";
}

/// Why a name must not come out of an archive; empty when it is harmless.
std::string escapeTrouble(const std::string& name) {
    if (name.empty()) return {};
    if (name[0] == '/' || name[0] == '\\') return "has an absolute name";
    if (name.size() > 1 && name[1] == ':' && std::isalpha(static_cast<unsigned char>(name[0]))) return "has an absolute name (drive letter)";
    std::size_t start = 0;
    while (start <= name.size()) {
        const auto end = std::min(name.find_first_of("/\\", start), name.size());
        if (name.compare(start, end - start, "..") == 0) return "climbs out of its folder with ..";
        start = end + 1;
    }
    return {};
}

/// Old Windows programs write backslashes into ZIPs; elsewhere a backslash is part of a name.
std::string cleanName(std::string name, bool isZip) {
    if (isZip) std::replace(name.begin(), name.end(), '\\', '/');
    while (name.rfind("./", 0) == 0) name.erase(0, 2);
    while (!name.empty() && name.back() == '/') name.pop_back();
    return name;
}

bool isSystemPath(const std::string& path) {
    std::size_t start = 0;
    while (start <= path.size()) {
        const auto end = std::min(path.find('/', start), path.size());
        if (end > start && isSystemName(path.substr(start, end - start))) return true;
        start = end + 1;
    }
    return false;
}

std::string headOf(archive* handle) {
    std::string head(32, '\0');
    const auto count = archive_read_data(handle, head.data(), head.size());
    head.resize(static_cast<std::size_t>(std::max<la_ssize_t>(0, count)));
    return head;
}

/// The entry of `folders` (each with its '/') that `name` lies in; empty when there is none.
std::string liesBelow(const std::string& name, const std::set<std::string>& folders) {
    for (std::size_t cut = name.find('/'); cut != std::string::npos; cut = name.find('/', cut + 1))
        if (const auto found = folders.find(name.substr(0, cut + 1)); found != folders.end()) return *found;
    return {};
}

/// Bytes of an entry's data in a tar.
std::int64_t paddedSize(archive_entry* entry) {
    const bool hasData = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry);
    return hasData ? (archive_entry_size(entry) + 511) / 512 * 512 : 0;
}

/// libarchive takes a tar that ends between two entries for whole. Programs that write tars end them with zero blocks.
bool hasNoEndMark(archive* handle, std::int64_t endOfLastEntry) {
    return (archive_format(handle) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR && archive_filter_bytes(handle, 0) <= endOfLastEntry;
}

/// libarchive does not check the checksum at the end of a gzip stream: empty when it is right or the file is no gzip.
std::string gzipTrouble(const fs::path& path, RowSink& sink) {
    auto source = openFileBytes(path);
    if (!source || (*source)->totalBytes() >= 0) return {};  // unpacked by nobody: the size is known
    std::string block(1 << 20, '\0');
    while (!sink.isStopped()) {
        const auto count = (*source)->read(block.data(), block.size());
        if (!count) return count.error().detail.empty() ? count.error().what : displayText(count.error().detail);
        if (*count < block.size()) return {};
    }
    return {};
}

Result<void> noteEntry(archive* handle, archive_entry* entry, std::int64_t position, std::int64_t archiveBytes, const std::string& where,
                       std::set<std::string>& seen, ArchiveListing& listing) {
    const auto raw = nameOf(entry);
    if (const auto trouble = escapeTrouble(raw); !trouble.empty())
        return fail(ErrorCode::BadInput, "the entry " + displayText(raw) + " " + trouble + " and would be written outside", where,
                    "Do not trust this archive; ask for a clean one");
    if (archive_entry_is_encrypted(entry) || archive_entry_is_data_encrypted(entry))
        return fail(ErrorCode::Unsupported, "is encrypted with a password", where, "Unpack it first and import the folder");
    const auto name = cleanName(raw, (archive_format(handle) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP);
    if (name.empty() || isSystemPath(name)) return {};
    const auto skip = [&](const char* kind, std::string detail) {
        listing.warnings.push_back({name, 0, kind, std::move(detail), Outcome::Skipped});
    };
    const auto type = archive_entry_filetype(entry);
    if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) || type == AE_IFLNK) {
        skip("link", "is a link, which is never followed out of an archive");
        listing.links.insert(name + "/");
        return {};
    }
    if (const auto link = liesBelow(name, listing.links); !link.empty()) {
        skip("link", "lies below the link " + displayText(link) + ", which is never followed out of an archive");
        return {};
    }
    if (type == AE_IFDIR) {
        listing.folders.push_back(name);
        return {};
    }
    if (type != AE_IFREG) {
        skip("not_a_file", "is no ordinary file (a pipe or device)");
        return {};
    }
    const std::int64_t size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : 0;
    const bool isData = dataFileKind(name, {}) != DataFileKind::None;
    if (size < 0 || size > (isData ? kMaxDataBytes : kMaxEntryBytes))
        return fail(ErrorCode::BadInput, "the entry " + displayText(name) + " claims " + groupedNumber(size) + " bytes, more than a " +
                        (isData ? "data file" : "picture") + " can have", where, "Check the archive");
    if (size > kUnpackFreeBytes && size > kMaxUnpackRatio * archiveBytes) {
        skip("ratio", "unpacks to " + groupedNumber(size) + " bytes, a ratio beyond " + std::to_string(kMaxUnpackRatio) + " to 1");
        return {};
    }
    listing.bytes += size;
    if (listing.bytes > kMaxUnpackRatio * archiveBytes && listing.bytes > kMaxEntryBytes)
        return fail(ErrorCode::BadInput, "unpacks to more than " + std::to_string(kMaxUnpackRatio) + " times its size: the ratio of an archive bomb", where,
                    "Check the archive");
    if (!seen.insert(name).second) {
        skip("duplicate_name", "stands in the archive twice: the first one counts");
        return {};
    }
    // Content decides where the suffix promises nothing.
    const bool isPromised = isImageSuffix(suffixOf(name));
    const std::string head = isPromised ? std::string() : headOf(handle);
    if (isPromised || sniffImage(head) != ImageKind::Unknown) {
        listing.pictures.push_back({name, static_cast<std::size_t>(position)});
        listing.pictureBytes += size;
    } else {
        if (listing.pickle.empty() && isPickle(fs::path(name), head)) listing.pickle = name;
        if (canBeLabelTable(name) && size <= kMaxTableBytes) listing.tables.emplace(name, static_cast<std::size_t>(position));
        if (const auto kind = dataFileKind(name, head); kind != DataFileKind::None && !isPickle(fs::path(name), head))
            listing.data.push_back({name, static_cast<std::size_t>(position), size, kind});
        listing.others.push_back(name);
    }
    return {};
}

}  // namespace

std::string troubleOf(archive* handle) {
    const char* text = archive_error_string(handle);
    return text ? displayText(text) : "unknown trouble";
}

Result<ArchivePointer> openArchive(const fs::path& path) {
    ArchivePointer handle(archive_read_new());
    archive_read_support_filter_all(handle.get());
    archive_read_support_format_tar(handle.get());
    archive_read_support_format_gnutar(handle.get());
    archive_read_support_format_zip(handle.get());
    archive_read_support_format_7zip(handle.get());
    archive_read_support_format_cpio(handle.get());
    archive_read_support_format_rar(handle.get());
    archive_read_support_format_rar5(handle.get());
    if (archive_read_open_filename(handle.get(), path.c_str(), 1 << 18) != ARCHIVE_OK)
        return fail(ErrorCode::BadInput, "cannot be read as an archive (" + troubleOf(handle.get()) + "): it is cut off, damaged or not an archive",
                    displayText(path.string()), "Download it again");
    return handle;
}

Result<ArchiveListing> listArchive(const fs::path& path, RowSink& sink) {
    const auto where = displayText(path.string());
    std::error_code error;
    const auto archiveBytes = static_cast<std::int64_t>(fs::file_size(path, error));
    ESPALIER_TRY(auto handle, openArchive(path));
    ArchiveListing listing;
    std::set<std::string> seen;
    for (std::int64_t position = 0; !sink.isStopped(); ++position) {
        archive_entry* entry = nullptr;
        const int status = archive_read_next_header(handle.get(), &entry);
        if (status == ARCHIVE_EOF) {
            if (position > 0 && hasNoEndMark(handle.get(), listing.end)) listing.truncation = "the end mark of the tar is missing";
            break;
        }
        if (status == ARCHIVE_FATAL || status == ARCHIVE_FAILED) {
            if (archive_read_has_encrypted_entries(handle.get()) > 0)
                return fail(ErrorCode::Unsupported, "is encrypted with a password", where, "Unpack it first and import the folder");
            if (position == 0)
                return fail(ErrorCode::BadInput, "is damaged, cut off or not an archive (" + troubleOf(handle.get()) + ")", where, "Download it again");
            listing.truncation = troubleOf(handle.get());
            break;
        }
        if (position >= kMaxEntries)
            return fail(ErrorCode::BadInput, "holds more than " + groupedNumber(kMaxEntries) + " entries", where, "Unpack it and drop the folder");
        listing.end = archive_filter_bytes(handle.get(), 0) + paddedSize(entry);
        ESPALIER_CHECK_OK(noteEntry(handle.get(), entry, position, archiveBytes, where, seen, listing));
    }
    if (listing.truncation.empty()) listing.truncation = gzipTrouble(path, sink);
    return listing;
}

Result<std::string> readEntry(archive* handle, archive_entry* entry) {
    std::string bytes;
    if (archive_entry_size_is_set(entry)) bytes.reserve(static_cast<std::size_t>(std::clamp<std::int64_t>(archive_entry_size(entry), 0, kUnpackFreeBytes)));
    std::array<char, 1 << 16> block;
    for (;;) {
        const auto count = archive_read_data(handle, block.data(), block.size());
        if (count == 0) return bytes;
        if (count < 0) return fail(ErrorCode::Corrupt, troubleOf(handle), {}, {}, count == ARCHIVE_FATAL ? "fatal" : "");
        bytes.append(block.data(), static_cast<std::size_t>(count));
        if (static_cast<std::int64_t>(bytes.size()) > kMaxEntryBytes)
            return fail(ErrorCode::BadInput, "is larger than a picture can be");
    }
}

Result<std::string> readTable(const fs::path& path, const ArchiveListing& listing, const std::string& name) {
    const auto wanted = listing.tables.find(name);
    if (wanted == listing.tables.end()) return fail(ErrorCode::NotFound, "is too large for a list of labels", name);
    ESPALIER_TRY(auto handle, openArchive(path));
    archive_entry* entry = nullptr;
    for (std::size_t position = 0; position <= wanted->second; ++position)
        if (archive_read_next_header(handle.get(), &entry) < ARCHIVE_WARN) return fail(ErrorCode::Corrupt, troubleOf(handle.get()), name);
    return readEntry(handle.get(), entry);
}

}  // namespace espalier::intake
