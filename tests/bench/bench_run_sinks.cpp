#include <chrono>
#include <filesystem>

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include "engine/runtime/run_sinks.h"

using namespace espalier;
namespace fs = std::filesystem;

namespace {

/// What one scalar costs the training thread on its whole way: name, time, summary, batch for the window, run log.
void scalarThroughTheSinks(benchmark::State& state) {
    char name[] = "bench_run_sinks_XXXXXX";
    const auto folder = fs::absolute(::mkdtemp(name));
    {
        feed::Inbox<feed::FeedEvent> events;
        feed::Inbox<feed::MetricBatch> metrics;
        runtime::RunSinks sinks("run", 1, runlog::RunLogWriter::open(folder).value(), events, metrics, {});
        std::vector<std::string> names;
        for (int i = 0; i < state.range(0); ++i) names.push_back("layers/" + std::to_string(i) + "/norm");
        std::int64_t step = 0;
        for (auto _ : state) {
            ++step;
            for (const auto& series : names) sinks.scalar(series, step, 1.0 / double(step));
            if (step % 64 == 0) benchmark::DoNotOptimize(metrics.drain());
        }
        state.SetItemsProcessed(state.iterations() * state.range(0));
        if (!sinks.flush()) state.SkipWithError("flush failed");
        (void)sinks.close(false);
    }
    fs::remove_all(folder);
}
BENCHMARK(scalarThroughTheSinks)->Arg(1)->Arg(100);

}  // namespace

BENCHMARK_MAIN();
