#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/base/files.h"
#include "engine/base/glob.h"
#include "engine/base/log.h"
#include "engine/runlog/compaction.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kOpenReaders = 12;
constexpr std::size_t kCsvPieceBytes = std::size_t(1) << 18;

void appendInteger(std::string& text, std::int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value);
    text.append(digits, end.ptr);
}

/// Shortest text that reads back as the same double.
void appendReal(std::string& text, double value) {
    if (std::isnan(value)) {
        text += "nan";
    } else if (std::isinf(value)) {
        text += value > 0 ? "inf" : "-inf";
    } else {
        char digits[32];
        const auto end = std::to_chars(digits, digits + sizeof digits, value);
        text.append(digits, end.ptr);
    }
}

std::string csvCell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string cell = "\"";
    for (const char c : text) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
    return cell + '"';
}

Result<void> writeSeriesRows(const std::string& name, const feed::SeriesColumns& columns, const ByteSink& sink) {
    const auto cell = csvCell(name);
    std::string piece;
    const auto hand = [&]() -> Result<void> {
        auto written = sink(std::as_bytes(std::span(piece.data(), piece.size())));
        piece.clear();
        return written;
    };
    for (std::size_t i = 0; i < columns.values.size(); ++i) {
        piece += cell;
        piece += ',';
        appendInteger(piece, columns.steps[i]);
        piece += ',';
        appendReal(piece, columns.wallSecs[i]);
        piece += ',';
        appendReal(piece, columns.values[i]);
        piece += '\n';
        if (piece.size() > kCsvPieceBytes) ESPALIER_CHECK_OK(hand());
    }
    return hand();
}

}  // namespace

/// Readers follow a growing log by themselves, so one an open run is enough; a moved folder gets a new one.
Result<std::shared_ptr<runlog::RunLogReader>> Workspace::Impl::reader(const std::string& runId) const {
    ESPALIER_TRY(const auto info, run(runId));
    std::lock_guard guard(m_readerMutex);
    const auto found = std::find_if(m_readers.begin(), m_readers.end(), [&](const auto& open) { return open.runId == runId; });
    if (found != m_readers.end() && found->place == info.folder) {
        m_readers.splice(m_readers.begin(), m_readers, found);
        return m_readers.front().reader;
    }
    if (found != m_readers.end()) m_readers.erase(found);
    if (!catalog->isReadOnly() && feed::isFinal(info.state))
        if (const auto migrated = runlog::migrateRunLog(info.folder); !migrated) {  // readers know older formats too
            ESPALIER_LOG(Warning, "runlog") << migrated.error().sentence();
        }
    ESPALIER_TRY(std::shared_ptr<runlog::RunLogReader> opened, runlog::RunLogReader::open(info.folder));
    m_readers.push_front({runId, info.folder, opened});
    if (m_readers.size() > kOpenReaders) m_readers.pop_back();
    return opened;
}

void Workspace::Impl::forgetReader(const std::string& runId) const {
    std::lock_guard guard(m_readerMutex);
    m_readers.remove_if([&](const auto& open) { return open.runId == runId; });
}

Result<void> Workspace::exportMetricsCsv(const std::string& runId, std::string_view seriesGlob, const fs::path& file) const {
    ESPALIER_TRY(const auto log, d->reader(runId));
    ESPALIER_TRY(const auto all, log->series());
    return writeFileAtomically(file, [&](const ByteSink& sink) -> Result<void> {
        constexpr std::string_view kHead = "series,step,wall_secs,value\n";
        ESPALIER_CHECK_OK(sink(std::as_bytes(std::span(kHead.data(), kHead.size()))));
        for (const auto& info : all) {
            if (!globMatches(seriesGlob, info.name)) continue;
            ESPALIER_TRY(const auto columns, log->read(info.name));
            ESPALIER_CHECK_OK(writeSeriesRows(info.name, columns, sink));
        }
        return {};
    });
}

}  // namespace espalier::runtime
