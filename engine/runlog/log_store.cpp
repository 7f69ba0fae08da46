#include "engine/runlog/log_store.h"

#include <cerrno>
#include <set>
#include <type_traits>

#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/log.h"

namespace espalier::runlog {
namespace {

constexpr std::size_t kMaxWaiting = 640u << 20;  // kept while the disk is full: two full batches of arrays and some
constexpr double kRetrySecs = 1.0, kPlaceCheckSecs = 1.0;
constexpr std::size_t kMaxFrames = 8u << 20;     // written at once: memory need not hold more
constexpr std::size_t kMaxKeptArrays = 256u << 20;
constexpr std::size_t kFrameRoom = 4096;         // an array's frame beside its values

bool fitsJournal(std::size_t bytes) { return bytes <= kMaxPayloadBytes - kFrameRoom; }

}  // namespace

LogStore::LogStore(std::filesystem::path folder, JournalWriter&& journal, std::unique_ptr<LiveFile> live,
                   std::function<void(Error)> onLoss)
    : m_folder(std::move(folder)), m_journal(std::move(journal)), m_live(std::move(live)), m_onLoss(std::move(onLoss)) {
    m_watchedOpening = m_journal.opening();
    m_helper.watch(SyncHelper::kJournal, m_journal.descriptor());
    m_helper.watch(SyncHelper::kRunFile, m_live ? m_live->descriptor() : -1);
}

bool LogStore::hasWork() {
    takeSyncState();
    return m_journal.hasWork() && (!m_trouble || steadySecs() >= m_nextTry);
}

/// What the helper has found out since: frees what is on disk, and gives up a descriptor that failed.
void LogStore::takeSyncState() {
    const auto journal = m_helper.state(SyncHelper::kJournal);
    m_journal.durableUpTo(journal.durable);
    if (journal.error != 0) m_journal.distrust();
    if (!m_live) return;
    const auto run = m_helper.state(SyncHelper::kRunFile);
    if (run.error != 0) giveUpLive(ioError("could not be written to disk", m_folder / kRunFileName, run.error), true);
    else forgetArrays(run.durable);
}

void LogStore::forgetArrays(std::uint64_t upTo) {
    while (!m_arrays.empty() && m_arrays.front().number <= upTo) {
        m_arrayBytes -= m_arrays.front().stored.size();
        m_arrays.pop_front();
    }
}

void LogStore::onLive(const std::function<Result<void>(LiveFile&)>& act) {
    if (!m_live) return;
    if (auto result = act(*m_live); !result) {
        auto error = std::move(result).error();
        error.where = (m_folder / kRunFileName).string();
        giveUpLive(std::move(error), false);
    }
}

/// What follows a failed write or sync in run.h5 cannot be trusted: from here on the journal alone counts, and the large
/// arrays that were only in that file go into it. A failed write leaves what was synced before as it is; a failed sync
/// may have taken the file's structure with it, so everything large moves, as far as it can still be read.
void LogStore::giveUpLive(Error error, bool isSyncFailure) {
    ESPALIER_LOG(Error, "runlog") << error.sentence();
    const auto live = std::move(m_live);
    m_helper.watch(SyncHelper::kRunFile, -1);
    std::set<std::uint64_t> moved;
    for (const auto& array : m_arrays) {
        moveToJournal(array.info, array.stored);
        moved.insert(array.info.index);
    }
    forgetArrays(UINT64_MAX);
    if (isSyncFailure)
        live->readLargeArrays([&](const feed::ArrayInfo& info, const std::string& stored) {
            if (moved.insert(info.index).second) moveToJournal(info, stored);
        });
    appendRowFrame(m_journal.waiting(), RecordType::Warning,
                   rowOf(Warning{kRunFileName, 0, "run_file_given_up",
                                 error.sentence() + " The log goes on in the journal alone; run.h5 is made anew from it",
                                 Outcome::Kept}));
}

/// `stored` empty: the values are lost.
void LogStore::moveToJournal(const feed::ArrayInfo& info, const std::string& stored) {
    appendArrayLostFrame(m_journal.waiting(), info.index);
    if (!stored.empty()) keepInJournal(info, stored);
    else appendRowFrame(m_journal.waiting(), RecordType::Warning,
                        rowOf(Warning{kRunFileName, 0, "array_lost",
                                      "The array " + info.name + " of step " + std::to_string(info.step) +
                                          " could not be read from the damaged run.h5 and is gone",
                                      Outcome::Skipped}));
    if (m_journal.waiting().size() > kMaxFrames) writeJournal();
}

void LogStore::keepInJournal(const feed::ArrayInfo& info, const std::string& stored) {
    if (fitsJournal(stored.size())) return appendArrayFrame(m_journal.waiting(), info, stored);
    m_onLoss({ErrorCode::Io, "an array of " + std::to_string(stored.size()) + " bytes was not stored", info.name,
              "Free some space on that disk", "run.h5 cannot be written"});
}

void LogStore::store(LogBatch& batch) {
    takeSyncState();
    ++m_number;
    auto& frames = m_journal.waiting();
    for (const auto& [id, name] : batch.newSeries) appendSeriesFrame(frames, id, name);
    if (!batch.rows.empty()) appendScalarFrames(frames, batch.rows);
    for (const auto& [id, name] : batch.newSeries)
        onLive([&](LiveFile& file) { file.addSeries(name); return Result<void>{}; });
    // Small records reach the journal before HDF5 is touched; large arrays are announced before they are written.
    for (auto& item : batch.items) encode(item);
    writeJournal();
    onLive([&](LiveFile& file) { return file.addEvents(batch.rows); });
    onLive([](LiveFile& file) { return file.commit(); });
    if (m_journal.hasWork()) writeJournal();  // run.h5 was given up just now
    m_helper.written(m_number);
    if (m_arrayBytes > kMaxKeptArrays) sync();
}

void LogStore::encode(LogItem& item) {
    const auto row = [&](RecordType type, Table table, const auto& value) {
        appendRowFrame(m_journal.waiting(), type, value);
        onLive([&](LiveFile& file) { file.addRow(table, value); return Result<void>{}; });
    };
    std::visit(
        [&](auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, feed::RunMark>) row(RecordType::Mark, Table::Marks, value);
            else if constexpr (std::is_same_v<T, Warning>) row(RecordType::Warning, Table::Warnings, rowOf(value));
            else if constexpr (std::is_same_v<T, feed::ArrayRecord>) encodeArray(value);
            else if constexpr (std::is_same_v<T, feed::TradeoffLayer>)
                row(RecordType::TradeoffLayer, Table::Layer, value);
            else if constexpr (std::is_same_v<T, feed::TradeoffTrace>)
                row(RecordType::TradeoffTrace, Table::Trace, value);
            else if constexpr (std::is_same_v<T, PointItem>) {
                row(RecordType::TradeoffPoint, Table::Point, value.point);
                for (const auto& choice : value.choices) row(RecordType::TradeoffChoice, Table::Choice, choice);
            } else {
                appendRowFrame(m_journal.waiting(), RecordType::TradeoffJob, value);
                onLive([&](LiveFile& file) { file.addJob(value); return Result<void>{}; });
            }
        },
        item);
}

void LogStore::encodeArray(feed::ArrayRecord& record) {
    auto stored = storedBytes(record);
    if (!stored) return m_onLoss(std::move(stored).error());
    auto info = std::move(record.info);
    record = {};
    if (stored->size() > kInlineArrayBytes && !m_live) return keepInJournal(info, *stored);
    const bool isInline = stored->size() <= kInlineArrayBytes;
    appendArrayFrame(m_journal.waiting(), info, isInline ? std::string_view(*stored) : std::string_view());
    if (m_journal.waiting().size() > kMaxFrames) writeJournal();
    if (isInline) return onLive([&](LiveFile& file) { return file.addArray(info, *stored); });
    // Kept first: when the write fails, this one too must go into the journal.
    m_arrayBytes += stored->size();
    m_arrays.push_back({std::move(info), std::move(*stored), m_number});
    onLive([this](LiveFile& file) { return file.addArray(m_arrays.back().info, m_arrays.back().stored); });
}

void LogStore::writeJournal() {
    Result<void> written;
    if (const double now = steadySecs(); now >= m_nextPlaceCheck) {
        written = m_journal.checkPlace();
        if (written) m_nextPlaceCheck = now + kPlaceCheckSecs;
    }
    if (written) written = m_journal.write(m_number);
    if (m_journal.opening() != m_watchedOpening) {
        m_watchedOpening = m_journal.opening();
        m_helper.watch(SyncHelper::kJournal, m_journal.descriptor());
    }
    if (written) {
        if (m_trouble) {
            ESPALIER_LOG(Info, "runlog") << m_folder.string() << ": the journal is written again";
        }
        m_trouble.reset();
        m_lastSentence.clear();
        return;
    }
    m_trouble = std::move(written).error();
    m_nextTry = steadySecs() + kRetrySecs;
    if (auto sentence = m_trouble->sentence(); sentence != m_lastSentence) {  // it fails four times a second
        ESPALIER_LOG(Error, "runlog") << sentence;
        m_lastSentence = std::move(sentence);
    }
    if (m_journal.waiting().size() <= kMaxWaiting) return;
    m_droppedBytes += m_journal.waiting().size();  // memory must not follow
    m_journal.waiting().clear();
    m_onLoss({ErrorCode::Io, std::to_string(m_droppedBytes) + " bytes of the log were lost", m_folder.string(),
              "Free some space on that disk", {}});
}

void LogStore::sync() {
    if (m_live) {
        if (const int fd = m_live->descriptor(); fd >= 0 && ::fdatasync(fd) != 0)
            giveUpLive(ioError("could not be written to disk", m_folder / kRunFileName, errno), true);
        else forgetArrays(m_number);
    }
    if (m_journal.hasWork()) writeJournal();
    if (m_trouble || m_journal.sync()) return;
    writeJournal();  // opens it anew, writes again what may be missing and syncs that
}

void LogStore::close() {
    appendTimeFrame(m_journal.waiting(), RecordType::Closed, runClockSecs());
    m_nextPlaceCheck = 0;
    sync();
    onLive([](LiveFile& file) { return file.close(); });
    m_helper.watch(SyncHelper::kRunFile, -1);
    if (m_live)
        if (auto synced = syncPath(m_folder / kRunFileName); !synced) giveUpLive(std::move(synced).error(), true);
    m_live.reset();
    if (m_journal.hasWork()) sync();
    m_helper.watch(SyncHelper::kJournal, -1);
    if (!m_trouble) return;
    auto lost = *m_trouble;
    lost.what += "; " + std::to_string(m_journal.waiting().size()) + " bytes of the log are lost";
    m_onLoss(std::move(lost));
}

}  // namespace espalier::runlog
