#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "engine/base/result.h"
#include "engine/intake/data_files.h"
#include "engine/intake/image_layout.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

constexpr std::int64_t kMaxUnpackRatio = 200;
constexpr std::int64_t kUnpackFreeBytes = 16'000'000;          ///< smaller entries are harmless whatever their ratio
constexpr std::int64_t kMaxDataBytes = std::int64_t(1) << 36;  ///< of one data file; pictures end earlier

struct ArchiveCloser {
    void operator()(archive* handle) const { archive_read_free(handle); }
};
using ArchivePointer = std::unique_ptr<archive, ArchiveCloser>;

/// The library's words about its last trouble.
std::string troubleOf(archive* handle);
Result<ArchivePointer> openArchive(const std::filesystem::path& path);

/// What one pass over the headers found.
struct ArchiveListing {
    std::vector<LayoutEntry> pictures;  ///< index = position among all entries
    std::vector<std::string> others, folders;
    std::vector<DataFile> data;         ///< of the others, those that may hold a data set; index as above
    std::map<std::string, std::size_t> tables;  ///< of the others, those that may hold labels, with their position
    std::int64_t bytes = 0;
    std::int64_t pictureBytes = 0;
    Warnings warnings;
    std::string pickle;      ///< the first Python pickle
    std::string truncation;  ///< the library's words when the archive ends early
    std::int64_t end = 0;    ///< unpacked bytes up to the end of the last entry of a tar
    std::set<std::string> links;
};

/// Reads all headers. Refused as a whole: names that lead outside, encryption, bombs, claims beyond reason.
Result<ArchiveListing> listArchive(const std::filesystem::path& path, RowSink& sink);

/// The entry's bytes; the error's `what` is the reason for a warning, its detail "fatal" when nothing behind can be read.
Result<std::string> readEntry(archive* handle, archive_entry* entry);
/// The bytes of one of listing.tables.
Result<std::string> readTable(const std::filesystem::path& path, const ArchiveListing& listing, const std::string& name);

}  // namespace espalier::intake
