#include <charconv>
#include <cmath>
#include <cstring>

#include <archive.h>
#include <archive_entry.h>

#include "engine/base/files.h"
#include "engine/base/glob.h"
#include "engine/feed/tradeoff_columns.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {
namespace {

/// A one-dimensional .npy file, little-endian.
std::string npyBytes(const char* type, const void* data, std::size_t count, std::size_t itemSize) {
    std::string header = std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (" +
                         std::to_string(count) + ",), }";
    header.append((64 - (10 + header.size() + 1) % 64) % 64, ' ');
    header += '\n';
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 255);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    bytes.append(static_cast<const char*>(data), count * itemSize);
    return bytes;
}

struct ArchiveCloser {
    void operator()(archive* handle) const { archive_write_free(handle); }
};

Result<void> addMember(archive* zip, const std::string& name, const std::string& bytes, const std::string& where) {
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname_utf8(entry.get(), (name + ".npy").c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    if (archive_write_header(zip, entry.get()) != ARCHIVE_OK ||
        archive_write_data(zip, bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
        return fail(ErrorCode::Io, "could not be written: " + std::string(archive_error_string(zip)), where);
    return {};
}

la_ssize_t appendBytes(archive*, void* target, const void* data, size_t size) {
    static_cast<std::string*>(target)->append(static_cast<const char*>(data), size);
    return static_cast<la_ssize_t>(size);
}

/// Cells of one CSV row: empty = null, '.' decimal, shortest text that reads back the same.
struct RowToCsv {
    std::string line;
    bool isHead = false, isFirst = true;

    void cell(const std::string& text) {
        if (!isFirst) line += ',';
        isFirst = false;
        if (text.find_first_of(",\"\n\r") == std::string::npos) {
            line += text;
            return;
        }
        line += '"';
        for (const char c : text) line += c == '"' ? std::string("\"\"") : std::string(1, c);
        line += '"';
    }
    template <class T>
    void operator()(const char* name, const T& value) {
        if (isHead) cell(name);
        else cell(textOf(value));
    }

    static std::string textOf(const std::string& value) { return value; }
    static std::string textOf(int value) { return std::to_string(value); }
    static std::string textOf(std::int64_t value) { return value == feed::kNullInt ? "" : std::to_string(value); }
    static std::string textOf(double value) {
        if (std::isnan(value)) return "";
        char buffer[64];
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
        return std::string(buffer, end);
    }
};

template <class Row, class Visit>
Result<void> writeTable(const std::filesystem::path& file, const std::vector<Row>& rows, Visit visit) {
    RowToCsv head;
    head.isHead = true;
    const Row empty{};
    visit(empty, head);
    std::string text = head.line + "\n";
    for (const auto& row : rows) {
        RowToCsv cells;
        visit(row, cells);
        text += cells.line + "\n";
    }
    return writeFileAtomically(file, text);
}

}  // namespace

Result<void> Workspace::exportMetricsNpz(const std::string& runId, std::string_view seriesGlob,
                                         const std::filesystem::path& file) const {
    ESPALIER_TRY(const auto all, series(runId));
    std::string bytes;
    std::unique_ptr<archive, ArchiveCloser> zip(archive_write_new());
    archive_write_set_format_zip(zip.get());
    archive_write_set_options(zip.get(), "zip:compression=store");
    if (archive_write_open(zip.get(), &bytes, nullptr, appendBytes, nullptr) != ARCHIVE_OK)
        return fail(ErrorCode::Io, "could not be written", file.string());
    for (const auto& each : all) {
        if (!globMatches(std::string(seriesGlob), each.name)) continue;
        ESPALIER_TRY(const auto columns, readSeries(runId, each.name));
        ESPALIER_CHECK_OK(addMember(zip.get(), each.name + ".step",
                                    npyBytes("<i8", columns.steps.data(), columns.steps.size(), 8), file.string()));
        ESPALIER_CHECK_OK(addMember(zip.get(), each.name + ".wall_secs",
                                    npyBytes("<f8", columns.wallSecs.data(), columns.wallSecs.size(), 8), file.string()));
        ESPALIER_CHECK_OK(addMember(zip.get(), each.name + ".value",
                                    npyBytes("<f8", columns.values.data(), columns.values.size(), 8), file.string()));
    }
    if (archive_write_close(zip.get()) != ARCHIVE_OK) return fail(ErrorCode::Io, "could not be written", file.string());
    return writeFileAtomically(file, bytes);
}

Result<void> Workspace::exportTradeoffCsv(const std::string& runId, const std::filesystem::path& folder) const {
    ESPALIER_TRY(const auto tables, tradeoff(runId));
    if (tables.isEmpty())
        return fail(ErrorCode::NotFound, "has no trade-off tables", runId, "Quantize it first: espalier-cli run 46 --from …");
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(ioError("cannot be made", folder, error.value()));
    ESPALIER_CHECK_OK(writeTable(folder / "layer.csv", tables.layers,
                                 [](const auto& row, auto& to) { feed::visitLayerColumns(row, to); }));
    ESPALIER_CHECK_OK(writeTable(folder / "point.csv", tables.points,
                                 [](const auto& row, auto& to) { feed::visitPointColumns(row, to); }));
    ESPALIER_CHECK_OK(writeTable(folder / "choice.csv", tables.choices,
                                 [](const auto& row, auto& to) { feed::visitChoiceColumns(row, to); }));
    return writeTable(folder / "trace.csv", tables.traces,
                      [](const auto& row, auto& to) { feed::visitTraceColumns(row, to); });
}

}  // namespace espalier::runtime
