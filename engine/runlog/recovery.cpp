#include "engine/runlog/recovery.h"

#include <cerrno>
#include <map>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/runlog/migration.h"
#include "engine/runlog/run_file.h"

namespace espalier::runlog {
namespace fs = std::filesystem;
namespace {

/// Copies the journal into a fresh live file, record by record.
class Rebuild {
public:
    Rebuild(JournalReader& journal, LiveFile& live, const fs::path& oldFile) : m_journal(journal), m_live(live) {
        auto old = RunFile::open(oldFile);
        if (!old) return;
        auto rows = old->arrayRows();
        if (!rows) return;
        for (auto& row : *rows) m_oldRows[static_cast<std::uint64_t>(row.index)] = std::move(row);
        m_old.emplace(std::move(*old));
    }

    Result<void> run(const LogModel& model, std::uint64_t end) {
        for (const auto& entry : model.arrays) m_wanted[entry.info.index] = &entry;
        ESPALIER_TRY(const auto scan, m_journal.scan(kJournalHeaderBytes, [&](RecordType type, std::string_view bytes,
                                                                              std::uint64_t offset) -> Result<void> {
            if (offset >= end) return {};
            return take(type, bytes);
        }));
        (void)scan;
        return m_live.commit();
    }
    const std::vector<feed::ArrayInfo>& lost() const { return m_lost; }

private:
    Result<void> take(RecordType type, std::string_view payload) {
        ByteReader in(payload);
        switch (type) {
            case RecordType::Series:
                in.number<std::uint32_t>();
                m_live.addSeries(in.text());
                return {};
            case RecordType::Scalars: return takeScalars(payload);
            case RecordType::Mark: m_live.addRow(Table::Marks, decodeRow<feed::RunMark>(in)); return {};
            case RecordType::Warning: m_live.addRow(Table::Warnings, decodeRow<WarningRow>(in)); return {};
            case RecordType::Array: return takeArray(in, payload);
            case RecordType::TradeoffJob: m_live.addJob(decodeRow<feed::TradeoffJob>(in)); return {};
            case RecordType::TradeoffLayer:
                m_live.addRow(Table::Layer, decodeRow<feed::TradeoffLayer>(in));
                return {};
            case RecordType::TradeoffPoint:
                m_live.addRow(Table::Point, decodeRow<feed::TradeoffPoint>(in));
                return {};
            case RecordType::TradeoffChoice:
                m_live.addRow(Table::Choice, decodeRow<feed::TradeoffChoice>(in));
                return {};
            case RecordType::TradeoffTrace:
                m_live.addRow(Table::Trace, decodeRow<feed::TradeoffTrace>(in));
                return {};
            default: return {};
        }
    }

    Result<void> takeScalars(std::string_view payload) {
        std::vector<EventRow> rows(payload.size() / sizeof(EventRow));
        std::memcpy(rows.data(), payload.data(), rows.size() * sizeof(EventRow));
        return m_live.addEvents(rows);
    }

    Result<void> takeArray(ByteReader& in, std::string_view payload) {
        const auto row = decodeRow<ArrayRow>(in);
        const bool isInline = in.number<std::uint8_t>() != 0;
        const auto wanted = m_wanted.find(static_cast<std::uint64_t>(row.index));
        if (wanted == m_wanted.end() || wanted->second->isInline != isInline) return {};  // lost, or written again later
        const auto& info = wanted->second->info;
        if (isInline) return m_live.addArray(info, payload.substr(in.position()));
        const auto old = m_oldRows.find(info.index);
        if (m_old && old != m_oldRows.end() && old->second.count == row.count) {
            auto bytes = m_old->arrayBytes(old->second, 0, row.count);
            if (bytes) return m_live.addArray(info, *bytes);
        }
        m_lost.push_back(info);
        return {};
    }

    JournalReader& m_journal;
    LiveFile& m_live;
    std::optional<RunFile> m_old;
    std::map<std::uint64_t, ArrayRow> m_oldRows;
    std::map<std::uint64_t, const ArrayEntry*> m_wanted;
    std::vector<feed::ArrayInfo> m_lost;
};

bool agrees(const LiveFile& live, const LogModel& model) {
    for (std::size_t i = 0; i < kTableCount; ++i)
        if (live.rows(Table(i)) != model.counts[i]) return false;
    return true;
}

/// Appends to the journal and to the model; the caller puts the same rows into run.h5.
Result<void> note(JournalWriter& journal, LogModel& model, const std::string& kind, const std::string& detail,
                  Outcome outcome) {
    const Warning warning{kJournalName, 0, kind, detail, outcome};
    std::string frames;
    appendRowFrame(frames, RecordType::Warning, rowOf(warning));
    ESPALIER_CHECK_OK(journal.append(frames));
    model.warnings.push_back(warning);
    ++model.counts[std::size_t(Table::Warnings)];
    return {};
}

/// The same, once and not at every opening.
Result<void> noteOnce(JournalWriter& journal, LogModel& model, const std::string& kind, const std::string& detail,
                      Outcome outcome) {
    for (const auto& warning : model.warnings)
        if (warning.detail == detail) return {};
    return note(journal, model, kind, detail, outcome);
}

Result<std::unique_ptr<LiveFile>> rebuild(const fs::path& folder, JournalWriter& journal, LogModel& model) {
    ESPALIER_TRY(auto reader, JournalReader::open(folder / kJournalName));
    const auto temporary = folder / kRebuildName;
    ESPALIER_TRY(auto live, LiveFile::create(temporary));
    Rebuild job(reader, *live, folder / kRunFileName);
    ESPALIER_CHECK_OK(job.run(model, journal.size()));
    for (const auto& info : job.lost()) {
        std::string frames;
        appendArrayLostFrame(frames, info.index);
        ESPALIER_CHECK_OK(journal.append(frames));
        std::erase_if(model.arrays, [&](const auto& entry) { return entry.info.index == info.index; });
        --model.counts[std::size_t(Table::Arrays)];
        ESPALIER_CHECK_OK(note(journal, model, "array_lost",
                               "The array " + info.name + " of step " + std::to_string(info.step) +
                                   " could not be read from the damaged run.h5 and is gone",
                               Outcome::Skipped));
        live->addRow(Table::Warnings, rowOf(model.warnings.back()));
    }
    ESPALIER_CHECK_OK(live->commit());
    ESPALIER_CHECK_OK(journal.sync());
    ESPALIER_CHECK_OK(publishFile(temporary, folder / kRunFileName));
    return live;
}

}  // namespace

Result<void> publishFile(const fs::path& temporary, const fs::path& target) {
    ESPALIER_CHECK_OK(syncPath(temporary));
    if (::rename(temporary.c_str(), target.c_str()) != 0)
        return fail(ioError("could not be put in place", target, errno));
    return syncPath(target.parent_path());
}

Result<Recovered> recover(const fs::path& folder, JournalWriter& journal) {
    Recovered recovered;
    auto& model = recovered.model;
    model.keepsPoints = false;
    ESPALIER_TRY(auto reader, JournalReader::open(folder / kJournalName));
    std::uint64_t undecoded = 0;
    ESPALIER_TRY(const auto scan, reader.scan(kJournalHeaderBytes, [&](RecordType type, std::string_view bytes,
                                                                       std::uint64_t offset) -> Result<void> {
        if (!model.apply(type, bytes, offset)) ++undecoded;
        return {};
    }));
    std::error_code ignored;
    fs::remove(folder / kRebuildName, ignored);
    fs::remove(folder / kCompactName, ignored);
    fs::remove(folder / kMigrateName, ignored);
    if (scan.tailBytes > 0) {
        ESPALIER_CHECK_OK(journal.cutAt(scan.nextOffset));
        ESPALIER_CHECK_OK(note(journal, model, "journal_tail_cut",
                               "The last " + std::to_string(scan.tailBytes) +
                                   " bytes of the journal were incomplete and were cut off",
                               Outcome::Skipped));
    }
    if (scan.damagedBytes > 0 || undecoded > 0) {
        const auto text = std::to_string(scan.damagedBytes) + " damaged bytes of the journal from byte " +
                          std::to_string(scan.firstDamage) + " on were skipped";
        ESPALIER_CHECK_OK(noteOnce(journal, model, "journal_damaged", text, Outcome::Skipped));
    }
    if (const auto network = networkFileSystemName(fileSystemType(folder)); !network.empty()) {
        ESPALIER_CHECK_OK(noteOnce(journal, model, "network_folder",
                                   "The run is in a network folder (" + std::string(network) +
                                       "): while it lives only its journal is written, and run.h5 when it ends" +
                                       (journal.isLocked() ? "" : ". Nothing there keeps two programs from writing it at once"),
                                   Outcome::Kept));
        return recovered;
    }
    ESPALIER_CHECK_OK(backUpOlderFormat(folder));
    auto clean = LiveFile::reopen(folder / kRunFileName);
    if (clean && agrees(**clean, model)) {
        recovered.live = std::move(*clean);
    } else {
        if (clean) clean->reset();
        auto rebuilt = rebuild(folder, journal, model);
        if (rebuilt) recovered.live = std::move(*rebuilt);
        else recovered.liveError = std::move(rebuilt).error();
    }
    if (recovered.live) {
        auto started = recovered.live->startLive();
        if (!started) {
            recovered.live.reset();
            recovered.liveError = std::move(started).error();
        }
    }
    return recovered;
}

}  // namespace espalier::runlog
