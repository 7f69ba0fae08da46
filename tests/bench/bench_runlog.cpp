#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

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

/// A loss as trainings make it: falling, with noise, float32 at its origin.
class NoisyLoss {
public:
    double next(double progress) {
        m_state = m_state * 6364136223846793005ull + 1442695040888963407ull;
        return static_cast<double>(static_cast<float>(2.0 / (1.0 + 9.0 * progress) * (1.0 + 0.3 * double(m_state >> 40) / double(1 << 24))));
    }

private:
    std::uint64_t m_state = 1;
};

/// Takes a file's pages out of memory, as far as the system listens.
void coolDown(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
}

constexpr int kPixels = 1400;
enum Kind { kEnvelope, kOverview };

/// Open a finished run and answer one 1,400-pixel plot of all its series.
void openToPlot(benchmark::State& state) {
    Folder folder;
    const std::int64_t seriesCount = state.range(0), perSeries = state.range(1);
    const bool isCompacted = state.range(2) != 0, hasGaps = state.range(4) != 0;
    {
        auto writer = RunLogWriter::open(folder.path / "run").value();
        std::vector<std::uint32_t> ids;
        std::vector<NoisyLoss> losses(static_cast<std::size_t>(seriesCount));
        for (int s = 0; s < seriesCount; ++s) ids.push_back(writer->series("s" + std::to_string(s)));
        for (std::int64_t i = 0; i < perSeries; ++i)
            for (std::size_t s = 0; s < ids.size(); ++s)
                writer->scalar(ids[s], hasGaps ? i * 10 + i / 390 : i, 1.7e9 + double(i) * 0.0123, losses[s].next(double(i) / double(perSeries)));
        if (!writer->close(isCompacted)) state.SkipWithError("close failed");
    }
    const auto last = hasGaps ? perSeries * 10 + perSeries / 390 : perSeries - 1;
    for (auto _ : state) {
        if (state.range(5) != 0) {
            state.PauseTiming();
            coolDown(folder.path / "run" / "run.h5");
            state.ResumeTiming();
        }
        auto reader = RunLogReader::open(folder.path / "run").value();
        for (int s = 0; s < seriesCount; ++s) {
            const auto name = "s" + std::to_string(s);
            const bool isThere = state.range(3) == kOverview ? reader->overview(name, 0, last, kPixels).has_value()
                                                             : reader->envelope(name, 0, last, kPixels).has_value();
            if (!isThere) state.SkipWithError("no answer");
        }
    }
    state.counters["bytes_per_point"] = double(fs::file_size(folder.path / "run" / "run.h5")) / double(seriesCount * perSeries);
}
BENCHMARK(openToPlot)
    ->ArgNames({"series", "points", "compacted", "overview", "gaps", "cold"})
    ->Args({100, 40'000, 1, kEnvelope, 0, 0})
    ->Args({100, 40'000, 0, kEnvelope, 0, 0})
    ->Args({100, 400'000, 1, kEnvelope, 0, 0})
    ->Args({100, 400'000, 1, kEnvelope, 1, 0})
    ->Args({100, 400'000, 1, kOverview, 0, 0})
    ->Args({100, 400'000, 1, kEnvelope, 0, 1})
    ->Args({1, 100'000'000, 1, kEnvelope, 0, 0})
    ->Args({1, 100'000'000, 1, kEnvelope, 0, 1})
    ->Args({1, 100'000'000, 1, kOverview, 0, 0})
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

/// How much longer a training step takes with one scalar in it. Steps of about a millisecond of arithmetic; with and
/// without logging in turns, so that the machine's moods meet both.
void stepsWithAScalar(benchmark::State& state) {
    Folder folder;
    auto writer = RunLogWriter::open(folder.path / "run").value();
    const auto id = writer->series("train/loss");
    std::vector<float> weights(32'768, 1.0f);
    const auto step = [&] {
        for (int round = 0; round < 60; ++round)
            for (auto& weight : weights) weight = weight * 0.9999f + 1e-4f;
        benchmark::DoNotOptimize(weights.data());
    };
    double plain = 1e9, logged = 1e9;  // the best of all turns: other programs only ever add
    std::int64_t count = 0;
    const auto timed = [&](bool isLogged) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 100; ++i) {
            step();
            if (isLogged) writer->scalar(id, count++, 1.0, double(weights[0]));
        }
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    timed(true);
    for (auto _ : state) {
        plain = std::min(plain, timed(false));
        logged = std::min(logged, timed(true));
    }
    state.counters["step_us"] = plain / 100 * 1e6;
    state.counters["slowdown_percent"] = (logged / plain - 1.0) * 100.0;
}
BENCHMARK(stepsWithAScalar)->Iterations(40)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
