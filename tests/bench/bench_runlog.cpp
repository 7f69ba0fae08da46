#include <chrono>
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include "engine/runlog/run_log_reader.h"
#include "engine/runlog/run_log_writer.h"

using namespace espalier;
using namespace espalier::runlog;
namespace fs = std::filesystem;

namespace {

/// A folder under the working directory: the temporary one may be in memory and flatter the figures.
class Folder {
public:
    Folder() {
        char name[] = "bench_runlog_XXXXXX";
        path = fs::absolute(::mkdtemp(name));
    }
    ~Folder() { fs::remove_all(path); }
    fs::path path;
};

/// Sustained: from the first call to the last byte synced.
void sustainedAppend(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    const int seriesCount = static_cast<int>(state.range(1));
    for (auto _ : state) {
        Folder folder;
        auto writer = RunLogWriter::open(folder.path / "run").value();
        std::vector<std::uint32_t> ids;
        for (int i = 0; i < seriesCount; ++i) ids.push_back(writer->series("s" + std::to_string(i)));
        const auto start = std::chrono::steady_clock::now();
        for (std::int64_t i = 0; i < count; ++i)
            writer->scalar(ids[static_cast<std::size_t>(i % seriesCount)], i, 1.0, 2.0);
        if (!writer->flush()) state.SkipWithError("flush failed");
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        (void)writer->close(false);
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(sustainedAppend)->Args({4'000'000, 1})->Args({4'000'000, 100})->UseManualTime()->Iterations(3)->Unit(
    benchmark::kMillisecond);

/// What one call costs the training thread while the logger keeps up: bursts with pauses.
void producerCost(benchmark::State& state) {
    Folder folder;
    auto writer = RunLogWriter::open(folder.path / "run").value();
    const auto id = writer->series("train/loss");
    std::int64_t step = 0;
    for (auto _ : state) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 2000; ++i) writer->scalar(id, step++, 1.0, 2.0);
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    state.SetItemsProcessed(state.iterations() * 2000);
}
BENCHMARK(producerCost)->UseManualTime()->Iterations(500);

void compaction(benchmark::State& state) {
    const std::int64_t count = state.range(0);
    for (auto _ : state) {
        Folder folder;
        auto writer = RunLogWriter::open(folder.path / "run").value();
        const auto id = writer->series("s");
        for (std::int64_t i = 0; i < count; ++i)
            writer->scalar(id, i, 1e9 + double(i) * 0.01, 1.0 / double(1 + i));
        (void)writer->flush();
        const auto start = std::chrono::steady_clock::now();
        if (!writer->close(true)) state.SkipWithError("close failed");
        state.SetIterationTime(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        state.counters["bytes_per_point"] = double(fs::file_size(folder.path / "run" / "run.h5")) / double(count);
    }
    state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(compaction)->Arg(4'000'000)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

/// Open a finished run of 100 series and answer one 1,400-pixel plot.
void openToPlot(benchmark::State& state) {
    Folder folder;
    const std::int64_t perSeries = state.range(0);
    {
        auto writer = RunLogWriter::open(folder.path / "run").value();
        std::vector<std::uint32_t> ids;
        for (int s = 0; s < 100; ++s) ids.push_back(writer->series("s" + std::to_string(s)));
        for (std::int64_t i = 0; i < perSeries; ++i)
            for (const auto id : ids) writer->scalar(id, i, double(i), double((i * 7919 + id) % 1000));
        if (!writer->close(state.range(1) != 0)) state.SkipWithError("close failed");
    }
    for (auto _ : state) {
        auto reader = RunLogReader::open(folder.path / "run").value();
        for (int s = 0; s < 100; ++s)
            benchmark::DoNotOptimize(state.range(2) ? reader->overview("s" + std::to_string(s), 0, perSeries - 1, 1400).has_value()
                                                    : reader->envelope("s" + std::to_string(s), 0, perSeries - 1, 1400).has_value());
    }
}
BENCHMARK(openToPlot)->Args({40'000, 1, 0})->Args({40'000, 0, 0})->Args({400'000, 1, 0})->Args({400'000, 1, 1})->Iterations(2)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
