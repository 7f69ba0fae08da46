#include "engine/runlog/run_log_writer.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/runlog/compaction.h"
#include "engine/runlog/log_store.h"
#include "engine/runlog/recovery.h"

namespace espalier::runlog {
namespace fs = std::filesystem;
namespace {

using namespace std::chrono_literals;
constexpr auto kBatchTime = 250ms;
constexpr std::size_t kBatchRows = 4096;
constexpr std::size_t kMaxRows = 1u << 18;          // 8 MB of waiting scalars
constexpr std::size_t kMaxItemBytes = 256u << 20;   // four attention snapshots of a 60 MB kind

}  // namespace

struct RunLogWriter::Impl {
    Impl(fs::path runFolder, JournalWriter&& journal, std::unique_ptr<LiveFile> live)
        : folder(std::move(runFolder)),
          files(folder, std::move(journal), std::move(live), [this](Error error) { keepError(std::move(error)); }) {}

    // --- producers' side, under `mutex` ---
    std::mutex mutex;
    std::condition_variable wake, notFull, done;
    LogBatch pending;
    std::map<std::string, std::uint32_t, std::less<>> ids;
    std::vector<std::int64_t> lastSteps;
    std::uint64_t nextArray = 0;
    std::uint64_t flushWanted = 0, flushDone = 0;
    bool isStopping = false, isClosed = false;
    std::optional<Error> firstError;  ///< something is lost
    std::optional<Trouble> trouble;
    std::atomic<bool> hasTrouble = false;

    std::optional<Error> compactionError;  ///< of the thread that closes

    // --- logger thread only ---
    const fs::path folder;
    LogStore files;
    std::thread thread;

    void keepError(Error error);
    void push(LogItem item, std::size_t bytes);
    void run();
    void publishTrouble();
    Result<void> currentError();
};

void RunLogWriter::Impl::keepError(Error error) {
    std::lock_guard lock(mutex);
    ESPALIER_LOG(Error, "runlog") << error.sentence();
    if (!firstError) firstError = std::move(error);
}

Result<void> RunLogWriter::Impl::currentError() {
    std::lock_guard lock(mutex);
    if (firstError) return fail(*firstError);
    if (trouble) return fail(trouble->error);
    return {};
}

void RunLogWriter::Impl::push(LogItem item, std::size_t bytes) {
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

void RunLogWriter::Impl::run() {
    LogBatch batch;
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
        if (!batch.isEmpty() || isFlush || files.hasWork()) files.store(batch);
        if (isFlush) files.sync();
        batch.clear();
        publishTrouble();
        {
            std::lock_guard lock(mutex);
            flushDone = flush;
            if (isLast && pending.isEmpty()) break;
        }
        if (isFlush) done.notify_all();
    }
    done.notify_all();
}

void RunLogWriter::Impl::publishTrouble() {
    std::lock_guard lock(mutex);
    if (files.trouble()) trouble = Trouble{*files.trouble(), files.waitingBytes()};
    else trouble.reset();
    hasTrouble.store(trouble.has_value(), std::memory_order_release);
}

Result<std::unique_ptr<RunLogWriter>> RunLogWriter::open(const fs::path& runFolder,
                                                          const RunLogOptions& options) {
    std::error_code code;
    fs::create_directories(runFolder, code);
    if (code) return fail(ioError("cannot be created", runFolder, code.value()));
    ESPALIER_CHECK_OK(syncPath(runFolder.parent_path()));
    ESPALIER_TRY(auto journal, JournalWriter::open(runFolder / kJournalName, options.segmentBytes));
    ESPALIER_TRY(auto recovered, recover(runFolder, journal));
    std::string opened;
    appendTimeFrame(opened, RecordType::Opened, runClockSecs());
    ESPALIER_CHECK_OK(journal.append(opened));
    ESPALIER_CHECK_OK(journal.sync());
    auto impl = std::make_unique<Impl>(runFolder, std::move(journal), std::move(recovered.live));
    if (recovered.liveError) {
        ESPALIER_LOG(Warning, "runlog") << "Only the journal is written: " << recovered.liveError->sentence();
    }
    for (const auto& info : recovered.model.series) {
        impl->ids.emplace(info.name, info.id);
        impl->lastSteps.push_back(info.count > 0 ? info.lastStep : std::numeric_limits<std::int64_t>::min());
    }
    impl->nextArray = recovered.model.nextArray;
    impl->thread = std::thread([impl = impl.get()] { impl->run(); });
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

void RunLogWriter::mark(const feed::RunMark& mark) { d->push(mark, sizeof(LogItem)); }
void RunLogWriter::warning(const Warning& warning) { d->push(warning, sizeof(LogItem)); }
void RunLogWriter::array(feed::ArrayRecord record) {
    const auto bytes = sizeof(LogItem) + record.floats.size() * sizeof(float) + record.bytes.size() +
                       record.integers.size() * sizeof(std::int64_t);
    d->push(std::move(record), bytes);
}
void RunLogWriter::tradeoffJob(const feed::TradeoffJob& job) { d->push(job, sizeof(LogItem)); }
void RunLogWriter::tradeoffLayer(const feed::TradeoffLayer& row) { d->push(row, sizeof(LogItem)); }
void RunLogWriter::tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices) {
    d->push(PointItem{point, choices}, sizeof(LogItem) + choices.size() * sizeof(feed::TradeoffChoice));
}
void RunLogWriter::tradeoffTrace(const feed::TradeoffTrace& row) { d->push(row, sizeof(LogItem)); }

Result<void> RunLogWriter::flush() {
    {
        std::unique_lock lock(d->mutex);
        if (!d->isClosed) {
            const auto wanted = ++d->flushWanted;
            d->wake.notify_one();
            d->done.wait(lock, [&] { return d->flushDone >= wanted; });
        }
    }
    return d->currentError();
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
    d->files.close();
    d->publishTrouble();
    if (isFinal && !d->hasTrouble)
        if (auto compacted = compactLocked(d->folder); !compacted) {
            ESPALIER_LOG(Warning, "runlog") << "The log was not compacted: " << compacted.error().sentence();
            d->compactionError = std::move(compacted).error();
        }
    d->files.release();
    return d->currentError();
}

std::optional<Error> RunLogWriter::compactionError() const { return d->compactionError; }

Result<void> RunLogWriter::error() const { return d->currentError(); }

std::optional<RunLogWriter::Trouble> RunLogWriter::trouble() const {
    if (!d->hasTrouble.load(std::memory_order_acquire)) return std::nullopt;
    std::lock_guard lock(d->mutex);
    return d->trouble;
}

}  // namespace espalier::runlog
