#include <filesystem>
#include <random>

#include <benchmark/benchmark.h>

#include "engine/catalog/catalog.h"
#include "engine/catalog/run_filter.h"
#include "engine/catalog/schema.h"

using namespace espalier;
using catalog::Catalog;
namespace fs = std::filesystem;

namespace {

constexpr int kWideRuns = 500, kWideKeys = 300;

feed::RunInfo benchRun(int i, int keys) {
    std::mt19937 random(static_cast<unsigned>(i));
    const auto pick = [&](unsigned count) { return random() % count; };
    feed::RunInfo run;
    run.id = std::to_string(100'000'000'000LL + i);
    run.name = "cct-" + std::to_string(pick(9)) + "-s" + std::to_string(i);
    run.recipe = i % 3 ? "70-compact-transformers" : "46-flexround";
    run.state = i % 17 ? feed::JobState::Completed : feed::JobState::Failed;
    if (i % 17 == 0) run.stateDetail = "train/loss became nan at step " + std::to_string(i) + ".";
    run.datasetId = "d" + std::to_string(i % 40);
    run.datasetName = "digits-" + std::to_string(i % 40);
    run.device = "cpu";
    run.scale = "desk";
    run.threads = 2;
    run.seed = i % 5;
    run.createdSecs = 1.7e9 + i;
    run.activeSecs = pick(7200);
    run.bytesOnDisk = 1'000'000 + i;
    for (int key = 0; key < keys; ++key)
        run.params["param_" + std::to_string(key)] =
            key % 3 == 0 ? "word" + std::to_string(pick(6)) : std::to_string(pick(1000)) + (key % 3 == 1 ? "" : "e-3");
    run.params["lr"] = std::to_string(1 + pick(99)) + "e-4";
    run.changedParams = {{"lr", run.params["lr"]}};
    for (const char* series : {"train/loss", "train/lr", "valid/loss", "valid/top1", "test/loss", "test/top1"}) {
        const double value = random() * 0x1p-32;
        run.summary[series] = {value, value * 0.9, std::int64_t(pick(10000)), 10000};
    }
    if (i % 4 == 0) run.tags = {i % 8 ? "paper" : "baseline", "sweep-" + std::to_string(i % 100)};
    if (i % 10 == 0) run.note = "Looked at the attention of layer " + std::to_string(i % 12) + "; the pooling drifts.";
    return run;
}

/// A catalog of `runs` runs with 24 parameters and 6 series each, the first 500 of them with 300 parameters. It is made
/// once in the working directory and kept there for the next call of the program.
fs::path catalogOf(int runs) {
    const auto file = fs::absolute("bench_catalog_v" + std::to_string(catalog::schemaVersion()) + "_" + std::to_string(runs) + ".sqlite");
    if (fs::exists(file)) return file;
    const auto partial = fs::path(file.string() + ".part");
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(partial.string() + suffix);
    {
        auto made = Catalog::open(partial).value();
        const auto written = made->write([&](catalog::CatalogWriter& writer) -> Result<void> {
            for (int i = 0; i < runs; ++i)
                ESPALIER_CHECK_OK(writer.insertRun(benchRun(i, i < kWideRuns ? kWideKeys - 1 : 23)));
            return {};
        });
        if (!written) throw std::runtime_error(written.error().sentence());
    }
    fs::rename(partial, file);
    return file;
}

/// A filter and sort as the workspace compiles it: the trash is left out.
catalog::RunQuery queryOf(const char* filter, const char* sort) {
    auto query = catalog::compileFilter(filter, sort).value().query;
    query.where = "r.is_trashed = 0 AND (" + query.where + ")";
    return query;
}

/// `check` AtOnce is what an opening after a crash costs.
void openCatalog(benchmark::State& state, catalog::HealthCheck check) {
    const auto file = catalogOf(static_cast<int>(state.range(0)));
    for (auto _ : state) {
        auto opened = Catalog::open(file, {.check = check});
        if (!opened) state.SkipWithError(opened.error().sentence().c_str());
    }
    state.counters["bytes"] = static_cast<double>(fs::file_size(file));
}
BENCHMARK_CAPTURE(openCatalog, clean, catalog::HealthCheck::Automatic)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(openCatalog, afterACrash, catalog::HealthCheck::AtOnce)->Arg(100'000)->Unit(benchmark::kMillisecond);

/// One filter and sort as the window asks for it: the ids of all that fit, in order.
void queryIds(benchmark::State& state, const char* filter, const char* sort) {
    auto opened = Catalog::open(catalogOf(static_cast<int>(state.range(0)))).value();
    std::size_t found = 0;
    for (auto _ : state) {
        const auto ids = opened->runIds(queryOf(filter, sort));
        if (!ids) state.SkipWithError(ids.error().sentence().c_str());
        else found = ids->size();
    }
    state.counters["found"] = static_cast<double>(found);
}
#define ESPALIER_BENCH_QUERY(name, filter, sort) \
    BENCHMARK_CAPTURE(queryIds, name, filter, sort)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)
ESPALIER_BENCH_QUERY(all, "", "");
ESPALIER_BENCH_QUERY(metric, "valid/top1 > 0.4", "");
ESPALIER_BENCH_QUERY(metricLast, "valid/top1.last > 0.4", "");
ESPALIER_BENCH_QUERY(metricAndTag, "valid/top1 > 0.4 and tag = paper and name ~ cct", "-valid/top1");
ESPALIER_BENCH_QUERY(param, "param_4 >= 500", "");
ESPALIER_BENCH_QUERY(paramNot, "param_3 != word2", "");
ESPALIER_BENCH_QUERY(state, "state = failed", "-created");
ESPALIER_BENCH_QUERY(word, "drifts", "");
ESPALIER_BENCH_QUERY(wordRare, "s4711", "");
ESPALIER_BENCH_QUERY(sortMetric, "", "-valid/top1");
ESPALIER_BENCH_QUERY(sortMetricLast, "", "valid/loss.last");
ESPALIER_BENCH_QUERY(sortParam, "", "lr");
ESPALIER_BENCH_QUERY(sortWordParam, "", "param_3");
ESPALIER_BENCH_QUERY(sortName, "", "name");
ESPALIER_BENCH_QUERY(sortTwo, "", "dataset,-valid/top1");
ESPALIER_BENCH_QUERY(sortTag, "", "tag");

/// A screen of the list after a filter and a sort.
void page(benchmark::State& state) {
    auto opened = Catalog::open(catalogOf(static_cast<int>(state.range(0)))).value();
    for (auto _ : state) {
        auto query = queryOf("valid/top1 > 0.2", "-valid/top1");
        query.first = state.range(0) / 4;
        query.count = 100;
        query.withParams = false;
        auto runs = opened->runs(query);
        if (!runs || runs->size() != 100) state.SkipWithError("no page");
        benchmark::DoNotOptimize(runs);
    }
}
BENCHMARK(page)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

/// 500 runs of 300 parameters, all of which differ somewhere.
void diff(benchmark::State& state) {
    auto opened = Catalog::open(catalogOf(static_cast<int>(state.range(0)))).value();
    std::vector<std::string> ids;
    for (int i = 0; i < kWideRuns; ++i) ids.push_back(benchRun(i, 0).id);
    std::size_t rows = 0;
    for (auto _ : state) {
        const auto found = opened->diff(ids);
        if (!found || found->paramKeys != kWideKeys) state.SkipWithError("not the keys that were written");
        else rows = found->rows.size();
    }
    state.counters["rows"] = static_cast<double>(rows);
}
BENCHMARK(diff)->Arg(100'000)->Unit(benchmark::kMillisecond);

void listRuns(benchmark::State& state, bool withParams) {
    auto opened = Catalog::open(catalogOf(static_cast<int>(state.range(0)))).value();
    for (auto _ : state) {
        auto query = queryOf("", "");
        query.withParams = withParams;
        auto runs = opened->runs(query);
        if (!runs) state.SkipWithError(runs.error().sentence().c_str());
        benchmark::DoNotOptimize(runs);
    }
}
BENCHMARK_CAPTURE(listRuns, whole, true)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(listRuns, withoutParams, false)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
