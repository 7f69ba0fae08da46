#include "engine/intake/archive_data.h"

#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "engine/base/files.h"
#include "engine/intake/names.h"
#include "engine/intake/scratch_folder.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kBlockBytes = 1 << 20;
constexpr std::int64_t kSpareBytes = 64'000'000;  ///< stays free on the disk

struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

/// Writes entries into one folder; counts what comes out, because headers can lie or be silent about sizes.
class Unpacker {
public:
    Unpacker(const fs::path& archive, const fs::path& folder, const DataChoice& choice, RowSink& sink)
        : m_where(displayText(archive.string())), m_folder(folder), m_sink(sink) {
        std::error_code error;
        m_limit = kMaxUnpackRatio * static_cast<std::int64_t>(fs::file_size(archive, error));
        for (const DataFile& file : choice.files) {
            m_total += file.bytes;
            m_wanted.emplace(file.index, &file);
        }
    }

    Result<void> unpack(const fs::path& archive) {
        ESPALIER_CHECK_OK(checkSpace());
        ESPALIER_TRY(auto handle, openArchive(archive));
        m_sink.stage("Unpacking, in MB");
        std::size_t found = 0;
        for (std::size_t position = 0; found < m_wanted.size() && !m_sink.isStopped(); ++position) {
            archive_entry* entry = nullptr;
            if (archive_read_next_header(handle.get(), &entry) < ARCHIVE_WARN)
                return fail(ErrorCode::Corrupt, "is cut off or damaged (" + troubleOf(handle.get()) + ")", m_where, "Download it again");
            const auto wanted = m_wanted.find(position);
            if (wanted == m_wanted.end()) continue;
            ++found;
            ESPALIER_CHECK_OK(unpackEntry(handle.get(), *wanted->second));
        }
        if (!m_sink.isStopped()) m_sink.stage("Reading files");
        return {};
    }

private:
    Result<void> checkSpace() const {
        std::error_code error;
        const auto space = fs::space(m_folder, error);
        if (error || static_cast<std::int64_t>(space.available >> 10) > (m_total + kSpareBytes) >> 10) return {};
        return fail(ErrorCode::Io, "unpacks to " + groupedNumber(m_total >> 20) + " MB, but only " +
                        groupedNumber(static_cast<std::int64_t>(space.available >> 20)) + " MB are free in " + displayText(m_folder.parent_path().string()),
                    m_where, "Free some space");
    }

    Result<void> unpackEntry(archive* handle, const DataFile& file) {
        const fs::path target = m_folder / file.path;
        std::error_code error;
        fs::create_directories(target.parent_path(), error);
        const std::unique_ptr<std::FILE, FileCloser> out(std::fopen(target.c_str(), "wbxe"));
        if (!out) return fail(ioError("an unpacked file cannot be written", target, errno));
        m_block.resize(kBlockBytes);
        std::int64_t written = 0;
        while (!m_sink.isStopped()) {
            const auto count = archive_read_data(handle, m_block.data(), m_block.size());
            if (count == 0) break;
            if (count < 0)
                return fail(ErrorCode::Corrupt, "the entry " + displayText(file.path) + " is damaged in the archive (" + troubleOf(handle) + ")", m_where,
                            "Download it again");
            written += count;
            m_unpacked += count;
            if ((written > kUnpackFreeBytes && written > m_limit) || written > kMaxDataBytes)
                return fail(ErrorCode::BadInput, "the entry " + displayText(file.path) + " unpacks to more than " + std::to_string(kMaxUnpackRatio) +
                                " times the archive's size: the ratio of an archive bomb", m_where, "Check the archive");
            if (std::fwrite(m_block.data(), 1, static_cast<std::size_t>(count), out.get()) != static_cast<std::size_t>(count))
                return fail(ioError("an unpacked file cannot be written", target, errno));
            m_sink.progress(m_unpacked >> 20, m_total >> 20);
        }
        if (std::fflush(out.get()) != 0) return fail(ioError("an unpacked file cannot be written", target, errno));
        return {};
    }

    std::string m_where;
    const fs::path& m_folder;
    RowSink& m_sink;
    std::map<std::size_t, const DataFile*> m_wanted;
    std::int64_t m_limit = 0, m_total = 0, m_unpacked = 0;
    std::vector<char> m_block;
};

void replaceAll(std::string& text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
}

/// What happened in the scratch folder, told by the names that the user knows.
Error toldOfArchive(Error error, const fs::path& folder, const fs::path& archive) {
    const std::string shown = displayText(archive.string());
    for (std::string* text : {&error.where, &error.what, &error.remedy})
        for (const std::string& inner : {folder.string(), displayText(folder.string())}) {
            replaceAll(*text, inner + "/", shown + ", ");
            replaceAll(*text, inner, shown);
        }
    return error;
}

Result<void> readUnpacked(const fs::path& folder, const DataChoice& choice, const ImportOptions& options, RowSink& sink) {
    switch (choice.kind) {
        case DataFileKind::CifarBatch: return makeCifarImporter()->read(folder, options, sink);
        case DataFileKind::Idx: return makeIdxImporter()->read(folder, options, sink);
        case DataFileKind::Array:
            if (choice.isFolder) return makeArrayFolderImporter()->read(folder, options, sink);
            break;
        default: break;
    }
    const fs::path file = folder / choice.files.front().path;
    ESPALIER_TRY(const Importer* importer, findImporter(file, options));
    if (importer->format() == "archive" || importer->format() == "image-folder")
        return fail(ErrorCode::Unsupported, "is an archive or picture inside the archive, not the data file that its name promises", file.string(),
                    "Unpack it first and import what is inside");
    return importer->read(file, options, sink);
}

}  // namespace

Result<void> importArchiveData(const fs::path& path, const DataChoice& choice, const ImportOptions& options, RowSink& sink) {
    ESPALIER_TRY(const ScratchFolder scratch, ScratchFolder::make(sink.scratchFolder()));
    // Named like the archive, because sentences of the importers show the last name.
    const fs::path folder = scratch.path() / path.filename();
    std::error_code error;
    fs::create_directory(folder, error);
    if (error) return fail(ioError("the folder for unpacked files cannot be made", folder, error.value()));
    ESPALIER_CHECK_OK(Unpacker(path, folder, choice, sink).unpack(path));
    if (sink.isStopped()) return {};
    ImportOptions inner = options;
    inner.format = "auto";  // what the user said was said of the archive
    if (auto read = readUnpacked(folder, choice, inner, sink); !read) return fail(toldOfArchive(std::move(read).error(), folder, path));
    return {};
}

}  // namespace espalier::intake
