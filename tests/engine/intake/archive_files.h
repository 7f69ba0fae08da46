#pragma once

#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

/// Writes archives with libarchive for tests; the writer does not check names, so hostile ones can be made.
namespace archivefiles {

struct Entry {
    std::string name, data;
    int type = AE_IFREG;
    std::string link = {};
    std::int64_t claimed = -1;
};

inline std::string packed(const std::vector<Entry>& entries, const std::string& format, const std::string& filter = {}) {
    std::string out(8'000'000, '\0');
    std::size_t used = 0;
    archive* writer = archive_write_new();
    archive_write_set_format_by_name(writer, format.c_str());
    if (!filter.empty()) archive_write_add_filter_by_name(writer, filter.c_str());
    archive_write_set_bytes_in_last_block(writer, 1);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    for (const Entry& entry : entries) {
        archive_entry* made = archive_entry_new();
        archive_entry_set_pathname(made, entry.name.c_str());
        archive_entry_set_filetype(made, static_cast<unsigned>(entry.type));
        archive_entry_set_perm(made, 0644);
        archive_entry_set_size(made, entry.claimed >= 0 ? entry.claimed : static_cast<std::int64_t>(entry.data.size()));
        if (!entry.link.empty()) archive_entry_set_symlink(made, entry.link.c_str());
        archive_write_header(writer, made);
        archive_write_data(writer, entry.data.data(), entry.data.size());
        archive_entry_free(made);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    out.resize(used);
    return out;
}

}  // namespace archivefiles
