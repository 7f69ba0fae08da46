#include "engine/data/image_batches.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

#include "engine/base/assert.h"
#include "engine/data/augment/sample_rng.h"
#include "engine/data/image_pipeline.h"

namespace espalier::data {

namespace {

constexpr std::uint64_t kOrderPurpose = 0x6f7264;
constexpr std::int64_t kBatchesAhead = 2;  ///< beyond one a thread

/// One batch in plain memory, filled by a loader thread.
struct HostBatch {
    std::vector<float> pixels;
    std::vector<std::int64_t> labels, rows;
    std::optional<Error> error;
};

}  // namespace

/// Loader threads take batch numbers in order, wait while they are too far ahead, and put finished batches into a map;
/// next() takes them out in order. `generation` tells batches of an abandoned epoch from those of the current one.
struct ImageBatches::Impl {
    ImageSource& source;
    PipelineRunner runner;
    ImagePipeline pipeline;
    std::int64_t batchSize, seed;
    bool isShuffled, dropsLast;
    int threadCount;
    at::Device device;
    std::vector<std::int64_t> rows;

    std::mutex mutex;
    std::condition_variable canLoad, hasBatch;
    std::shared_ptr<const std::vector<std::int64_t>> order;
    std::int64_t epoch = 0, nextToLoad = 0, nextToGive = 0, batches = 0, generation = 0;
    std::map<std::int64_t, HostBatch> ready;
    bool isEnding = false;
    std::vector<std::thread> threads;

    Impl(ImageSource& source_, ImagePipeline pipeline_, std::int64_t batchSize_, std::int64_t seed_, bool isShuffled_, bool dropsLast_, int threads_, at::Device device_)
        : source(source_), runner(pipeline_), pipeline(std::move(pipeline_)), batchSize(std::max<std::int64_t>(1, batchSize_)), seed(seed_),
          isShuffled(isShuffled_), dropsLast(dropsLast_), threadCount(threads_), device(device_) {}

    ~Impl() {
        {
            std::lock_guard lock(mutex);
            isEnding = true;
        }
        canLoad.notify_all();
        for (std::thread& thread : threads) thread.join();
    }

    std::int64_t batchCount() const {
        const auto count = static_cast<std::int64_t>(rows.size());
        return dropsLast ? count / batchSize : (count + batchSize - 1) / batchSize;
    }

    std::shared_ptr<const std::vector<std::int64_t>> orderOf(std::int64_t ofEpoch) const {
        auto shuffled = std::make_shared<std::vector<std::int64_t>>(rows);
        if (isShuffled) {
            SampleRng rng(seed, ofEpoch, 0, kOrderPurpose);
            for (std::size_t i = shuffled->size(); i > 1; --i)
                std::swap((*shuffled)[i - 1], (*shuffled)[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(i)))]);
        }
        return shuffled;
    }

    HostBatch load(const std::vector<std::int64_t>& from, std::int64_t ofEpoch, std::int64_t index) const {
        HostBatch batch;
        const auto first = static_cast<std::size_t>(index * batchSize), last = std::min(from.size(), first + static_cast<std::size_t>(batchSize));
        const auto values = static_cast<std::size_t>(runner.valuesPerImage());
        batch.pixels.resize((last - first) * values);
        for (std::size_t i = first; i < last; ++i) {
            const std::int64_t row = from[i];
            auto image = source.image(row);
            if (!image) {
                batch.error = std::move(image).error();
                return batch;
            }
            runner.run(std::move(*image), seed, ofEpoch, row, batch.pixels.data() + (i - first) * values);
            batch.labels.push_back(source.label(row));
            batch.rows.push_back(row);
        }
        return batch;
    }

    void loadForever() {
        std::unique_lock lock(mutex);
        for (;;) {
            canLoad.wait(lock, [&] { return isEnding || (nextToLoad < batches && nextToLoad < nextToGive + threadCount + kBatchesAhead); });
            if (isEnding) return;
            const std::int64_t index = nextToLoad++, ofEpoch = epoch, ofGeneration = generation;
            const auto from = order;
            lock.unlock();
            HostBatch batch = load(*from, ofEpoch, index);
            lock.lock();
            if (ofGeneration != generation) continue;
            ready.emplace(index, std::move(batch));
            hasBatch.notify_all();
        }
    }

    void startThreads() {
        while (static_cast<int>(threads.size()) < threadCount) threads.emplace_back([this] { loadForever(); });
    }

    Result<nn::Batch> toTensors(HostBatch host) const {
        if (host.error) return fail(std::move(*host.error));
        const auto count = static_cast<std::int64_t>(host.rows.size());
        // Copied into torch's own memory: its alignment is always the same, so sums round the same on every run.
        nn::Batch batch;
        batch.inputs = at::empty({count, pipeline.channels, pipeline.size, pipeline.size}, at::kFloat);
        std::memcpy(batch.inputs.data_ptr<float>(), host.pixels.data(), host.pixels.size() * sizeof(float));
        batch.targets = at::from_blob(host.labels.data(), {count}, at::kLong).clone();
        batch.rowIds = at::from_blob(host.rows.data(), {count}, at::kLong).clone();
        if (!device.is_cpu()) {
            batch.inputs = batch.inputs.to(device);
            batch.targets = batch.targets.to(device);
            batch.rowIds = batch.rowIds.to(device);
        }
        return batch;
    }
};

ImageBatches::ImageBatches(ImageSource& source, feed::Split split, ImagePipeline pipeline, std::int64_t batchSize, std::int64_t seed, bool isShuffled,
                           bool dropsLast, int loaderThreads, at::Device device)
    : d(std::make_unique<Impl>(source, std::move(pipeline), batchSize, seed, isShuffled, dropsLast, std::max(0, loaderThreads), device)) {
    d->rows = source.rows(split);
}

ImageBatches::~ImageBatches() = default;

std::int64_t ImageBatches::batchesPerEpoch() const { return d->batchCount(); }

std::int64_t ImageBatches::itemsPerEpoch() const {
    return d->dropsLast ? d->batchCount() * d->batchSize : static_cast<std::int64_t>(d->rows.size());
}

void ImageBatches::begin(std::int64_t epoch, std::int64_t firstBatch) {
    auto order = d->orderOf(epoch);
    {
        std::lock_guard lock(d->mutex);
        ++d->generation;
        d->ready.clear();
        d->order = std::move(order);
        d->epoch = epoch;
        d->batches = d->batchCount();
        d->nextToLoad = d->nextToGive = firstBatch;
    }
    d->startThreads();
    d->canLoad.notify_all();
}

Result<nn::Batch> ImageBatches::next() {
    ESPALIER_ASSERT(d->order, "begin() comes before next()");
    if (d->nextToGive >= d->batches) return nn::Batch{};
    if (d->threadCount == 0) return d->toTensors(d->load(*d->order, d->epoch, d->nextToGive++));
    HostBatch host;
    {
        std::unique_lock lock(d->mutex);
        d->hasBatch.wait(lock, [&] { return d->ready.count(d->nextToGive) > 0; });
        auto node = d->ready.extract(d->nextToGive);
        host = std::move(node.mapped());
        ++d->nextToGive;
    }
    d->canLoad.notify_all();
    return d->toTensors(std::move(host));
}

void ImageBatches::restrictTo(std::vector<std::int64_t> rows) { d->rows = std::move(rows); }

}  // namespace espalier::data
