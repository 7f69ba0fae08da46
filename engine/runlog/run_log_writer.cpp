#include "engine/runlog/run_log_writer.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>

#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/runlog/compaction.h"
#include "engine/runlog/recovery.h"

namespace espalier::runlog {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
constexpr auto kBatchTime = 250ms;
constexpr auto kSyncTime = 1s;
constexpr std::size_t kBatchRows = 4096;
constexpr std::size_t kMaxRows = 1u << 18;          // 8 MB of waiting scalars
constexpr std::size_t kMaxItemBytes = 256u << 20;   // four attention snapshots of a 60 MB kind
constexpr std::size_t kMaxUnwritten = 64u << 20;    // kept while the disk is full

struct PointItem {
    feed::TradeoffPoint point;
    std::vector<feed::TradeoffChoice> choices;
};
using Item = std::variant<feed::RunMark, Warning, feed::ArrayRecord, feed::TradeoffJob, feed::TradeoffLayer, PointItem,
                          feed::TradeoffTrace>;

/// What producers have pushed since the logger thread last looked.
struct Pending {
    std::vector<std::pair<std::uint32_t, std::string>> newSeries;
    std::vector<EventRow> rows;
    std::vector<Item> items;
    std::size_t itemBytes = 0;

    bool isEmpty() const { return newSeries.empty() && rows.empty() && items.empty(); }
    void clear() {
        newSeries.clear();
        rows.clear();
        items.clear();
        itemBytes = 0;
    }
};

/// fdatasyncs the journal and run.h5 about once a second on a thread of its own, so that the logger never waits.
class SyncHelper {
public:
    SyncHelper(std::vector<int> descriptors, std::function<void(Error)> onError)
        : m_descriptors(std::move(descriptors)), m_onError(std::move(onError)), m_thread([this] { run(); }) {}
    ~SyncHelper() {
        {
            std::lock_guard lock(m_mutex);
            m_isStopping = true;
        }
        m_wake.notify_all();
        m_thread.join();
        for (const int fd : m_descriptors) ::close(fd);
    }
    void markDirty() { m_isDirty.store(true, std::memory_order_release); }

private:
    void run() {
        std::unique_lock lock(m_mutex);
        while (!m_wake.wait_for(lock, kSyncTime, [&] { return m_isStopping; })) {
            if (!m_isDirty.exchange(false, std::memory_order_acq_rel)) continue;
            lock.unlock();
            for (const int fd : m_descriptors)
                if (::fdatasync(fd) != 0) m_onError(ioError("the run's log could not be written to disk", {}, errno));
            lock.lock();
        }
    }
    std::vector<int> m_descriptors;
    std::function<void(Error)> m_onError;
    std::mutex m_mutex;
    std::condition_variable m_wake;
    std::atomic<bool> m_isDirty = false;
    bool m_isStopping = false;
    std::thread m_thread;
};

}  // namespace

struct RunLogWriter::Impl {
    Impl(fs::path runFolder, JournalWriter&& lockedJournal) : folder(std::move(runFolder)),
                                                              journal(std::move(lockedJournal)) {}

    // --- producers' side, under `mutex` ---
    std::mutex mutex;
    std::condition_variable wake, notFull, done;
    Pending pending;
    std::map<std::string, std::uint32_t, std::less<>> ids;
    std::vector<std::int64_t> lastSteps;
    std::uint64_t nextArray = 0;
    std::uint64_t flushWanted = 0, flushDone = 0;
    bool isStopping = false, isClosed = false;
    std::optional<Error> firstError;
    std::string lastSentence;

    // --- logger thread only ---
    const fs::path folder;
    JournalWriter journal;
    std::unique_ptr<LiveFile> live;
    std::string frames;  ///< encoded and not yet in the journal
    std::uint64_t droppedBytes = 0;

    std::unique_ptr<SyncHelper> syncHelper;
    std::thread thread;

    void keepError(Error error);
    void push(Item item, std::size_t bytes);
    void startThreads();
    void run();
    void store(Pending& batch);
    void encode(Item& item);
    void encodeArray(feed::ArrayRecord& record);
    void writeJournal();
    void onLive(const std::function<Result<void>(LiveFile&)>& act);
    void syncNow();
    Result<void> firstErrorResult();
};

void RunLogWriter::Impl::keepError(Error error) {
    std::lock_guard lock(mutex);
    if (auto sentence = error.sentence(); sentence != lastSentence) {  // a full disk fails four times a second
        ESPALIER_LOG(Error, "runlog") << sentence;
        lastSentence = std::move(sentence);
    }
    if (!firstError) firstError = std::move(error);
}

Result<void> RunLogWriter::Impl::firstErrorResult() {
    std::lock_guard lock(mutex);
    if (firstError) return fail(*firstError);
    return {};
}

void RunLogWriter::Impl::push(Item item, std::size_t bytes) {
    std::unique_lock lock(mutex);
    notFull.wait(lock, [&] { return isClosed || pending.itemBytes == 0 || pending.itemBytes + bytes <= kMaxItemBytes; });
    if (isClosed) return;
    if (auto* record = std::get_if<feed::ArrayRecord>(&item)) record->info.index = nextArray++;
    pending.itemBytes += bytes;
    pending.items.push_back(std::move(item));
    const bool isLarge = pending.itemBytes >= kMaxItemBytes / 4;
    lock.unlock();
    if (isLarge) wake.notify_one();
}

void RunLogWriter::Impl::startThreads() {
    std::vector<int> descriptors{::dup(journal.descriptor())};
    if (live)
        if (const int fd = live->descriptor(); fd >= 0) descriptors.push_back(::dup(fd));
    std::erase_if(descriptors, [](int fd) { return fd < 0; });
    syncHelper = std::make_unique<SyncHelper>(std::move(descriptors), [this](Error error) {
        error.where = folder.string();
        keepError(std::move(error));
    });
    thread = std::thread([this] { run(); });
}

void RunLogWriter::Impl::run() {
    Pending batch;
    for (;;) {
        std::uint64_t flush = 0;
        bool isLast = false;
        {
            std::unique_lock lock(mutex);
            wake.wait_for(lock, kBatchTime, [&] {
                return isStopping || flushWanted > flushDone || pending.rows.size() >= kBatchRows ||
                       pending.itemBytes >= kMaxItemBytes / 4;
            });
            std::swap(batch, pending);
            flush = flushWanted;
            isLast = isStopping;
        }
        notFull.notify_all();
        const bool isFlush = flush > flushDone;  // only this thread changes flushDone
        if (!batch.isEmpty() || !frames.empty()) store(batch);
        if (isFlush) syncNow();
        batch.clear();
        {
            std::lock_guard lock(mutex);
            flushDone = flush;
            if (isLast && pending.isEmpty()) break;
        }
        if (isFlush) done.notify_all();
    }
    done.notify_all();
}

void RunLogWriter::Impl::onLive(const std::function<Result<void>(LiveFile&)>& act) {
    if (!live) return;
    auto result = act(*live);
    if (result) return;
    // What follows a failed write in this file cannot be trusted: from here on the journal alone counts.
    auto error = std::move(result).error();
    error.where = (folder / kRunFileName).string();
    keepError(std::move(error));
    live.reset();
}

void RunLogWriter::Impl::store(Pending& batch) {
    for (const auto& [id, name] : batch.newSeries) appendSeriesFrame(frames, id, name);
    if (!batch.rows.empty()) appendScalarFrames(frames, batch.rows);
    for (const auto& [id, name] : batch.newSeries)
        onLive([&](LiveFile& file) { file.addSeries(name); return Result<void>{}; });
    // Small records reach the journal before HDF5 is touched; large arrays are announced before they are written.
    for (auto& item : batch.items) encode(item);
    writeJournal();
    onLive([&](LiveFile& file) { return file.addEvents(batch.rows); });
    onLive([](LiveFile& file) { return file.commit(); });
    if (syncHelper) syncHelper->markDirty();
}

void RunLogWriter::Impl::encode(Item& item) {
    const auto row = [&](RecordType type, Table table, const auto& value) {
        appendRowFrame(frames, type, value);
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
                appendRowFrame(frames, RecordType::TradeoffJob, value);
                onLive([&](LiveFile& file) { file.addJob(value); return Result<void>{}; });
            }
        },
        item);
}

void RunLogWriter::Impl::encodeArray(feed::ArrayRecord& record) {
    auto stored = storedBytes(record);
    if (!stored) return keepError(std::move(stored).error());
    const auto info = std::move(record.info);
    record = {};
    const bool isInline = stored->size() <= kInlineArrayBytes || (!live && stored->size() < kMaxPayloadBytes / 2);
    if (!isInline && !live)
        return keepError({ErrorCode::Io, "an array of " + std::to_string(stored->size()) + " bytes was not stored",
                          info.name, "run.h5 cannot be written", {}});
    appendArrayFrame(frames, info, isInline ? std::string_view(*stored) : std::string_view());
    if (frames.size() > (8u << 20)) writeJournal();
    onLive([&](LiveFile& file) { return file.addArray(info, *stored); });
}

void RunLogWriter::Impl::writeJournal() {
    if (frames.empty()) return;
    auto written = journal.append(frames);
    if (written) {
        frames.clear();
        return;
    }
    keepError(std::move(written).error());
    if (frames.size() > kMaxUnwritten) {  // the disk stays full: memory must not follow
        droppedBytes += frames.size();
        keepError({ErrorCode::Io, std::to_string(droppedBytes) + " bytes of the log were lost", folder.string(),
                   "Free some space on that disk", {}});
        frames.clear();
    }
}

void RunLogWriter::Impl::syncNow() {
    if (auto synced = journal.sync(); !synced) keepError(std::move(synced).error());
    if (!live) return;
    if (const int fd = live->descriptor(); fd >= 0 && ::fdatasync(fd) != 0)
        keepError(ioError("could not be written to disk", folder / kRunFileName, errno));
}

Result<std::unique_ptr<RunLogWriter>> RunLogWriter::open(const fs::path& runFolder) {
    std::error_code code;
    fs::create_directories(runFolder, code);
    if (code) return fail(ioError("cannot be created", runFolder, code.value()));
    ESPALIER_CHECK_OK(syncPath(runFolder.parent_path()));
    ESPALIER_TRY(auto journal, JournalWriter::open(runFolder / kJournalName));
    ESPALIER_TRY(auto recovered, recover(runFolder, journal));
    std::string opened;
    appendTimeFrame(opened, RecordType::Opened, wallClockSecs());
    ESPALIER_CHECK_OK(journal.append(opened));
    auto impl = std::make_unique<Impl>(runFolder, std::move(journal));
    impl->live = std::move(recovered.live);
    if (recovered.liveError) impl->keepError(*recovered.liveError);
    for (const auto& info : recovered.model.series) {
        impl->ids.emplace(info.name, info.id);
        impl->lastSteps.push_back(info.count > 0 ? info.lastStep : std::numeric_limits<std::int64_t>::min());
    }
    impl->nextArray = recovered.model.nextArray;
    impl->startThreads();
    return std::unique_ptr<RunLogWriter>(new RunLogWriter(std::move(impl)));
}

RunLogWriter::RunLogWriter(std::unique_ptr<Impl> impl) : d(std::move(impl)) {}
RunLogWriter::~RunLogWriter() { (void)close(false); }

std::uint32_t RunLogWriter::series(std::string_view name) {
    std::lock_guard lock(d->mutex);
    if (const auto found = d->ids.find(name); found != d->ids.end()) return found->second;
    const auto id = static_cast<std::uint32_t>(d->lastSteps.size());
    d->ids.emplace(name, id);
    d->lastSteps.push_back(std::numeric_limits<std::int64_t>::min());
    if (!d->isClosed) d->pending.newSeries.emplace_back(id, name);
    return id;
}

void RunLogWriter::scalar(std::uint32_t series, std::int64_t step, double wallSecs, double value) {
    bool isBatch = false;
    {
        std::unique_lock lock(d->mutex);
        if (d->pending.rows.size() >= kMaxRows)
            d->notFull.wait(lock, [&] { return d->isClosed || d->pending.rows.size() < kMaxRows; });
        if (d->isClosed || series >= d->lastSteps.size()) return;
        auto& last = d->lastSteps[series];
        d->pending.rows.push_back({series, step < last ? kStepWentBack : 0, step, wallSecs, value});
        last = step;
        isBatch = d->pending.rows.size() == kBatchRows;
    }
    if (isBatch) d->wake.notify_one();
}

void RunLogWriter::mark(const feed::RunMark& mark) { d->push(mark, sizeof(Item)); }
void RunLogWriter::warning(const Warning& warning) { d->push(warning, sizeof(Item)); }
void RunLogWriter::array(feed::ArrayRecord record) {
    const auto bytes = sizeof(Item) + record.floats.size() * sizeof(float) + record.bytes.size() +
                       record.integers.size() * sizeof(std::int64_t);
    d->push(std::move(record), bytes);
}
void RunLogWriter::tradeoffJob(const feed::TradeoffJob& job) { d->push(job, sizeof(Item)); }
void RunLogWriter::tradeoffLayer(const feed::TradeoffLayer& row) { d->push(row, sizeof(Item)); }
void RunLogWriter::tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices) {
    d->push(PointItem{point, choices}, sizeof(Item) + choices.size() * sizeof(feed::TradeoffChoice));
}
void RunLogWriter::tradeoffTrace(const feed::TradeoffTrace& row) { d->push(row, sizeof(Item)); }

Result<void> RunLogWriter::flush() {
    {
        std::unique_lock lock(d->mutex);
        if (!d->isClosed) {
            const auto wanted = ++d->flushWanted;
            d->wake.notify_one();
            d->done.wait(lock, [&] { return d->flushDone >= wanted; });
        }
    }
    return d->firstErrorResult();
}

Result<void> RunLogWriter::close(bool isFinal) {
    {
        std::lock_guard lock(d->mutex);
        if (d->isClosed) return {};
        d->isStopping = true;
    }
    d->wake.notify_one();
    d->thread.join();
    {
        std::lock_guard lock(d->mutex);
        d->isClosed = true;
    }
    d->notFull.notify_all();
    d->syncHelper.reset();
    appendTimeFrame(d->frames, RecordType::Closed, wallClockSecs());
    d->writeJournal();
    d->syncNow();
    d->onLive([](LiveFile& file) { return file.close(); });
    d->live.reset();
    if (isFinal)
        if (auto compacted = compactLocked(d->folder); !compacted) d->keepError(std::move(compacted).error());
    // The lock goes with the journal's descriptor.
    { JournalWriter released(std::move(d->journal)); }
    return d->firstErrorResult();
}

Result<void> RunLogWriter::error() const { return d->firstErrorResult(); }

}  // namespace espalier::runlog
