// One training step of a compact transformer without loader and optimizer: forward, loss, backward.
#include <benchmark/benchmark.h>

#include "engine/nn/compact_transformer.h"
#include "engine/nn/losses.h"

using namespace espalier;

namespace {

void trainingStep(benchmark::State& state, const char* name, std::int64_t batch) {
    torch::manual_seed(1);
    nn::CompactTransformer model(*nn::namedCompactConfig(name));
    model.train();
    const auto images = torch::randn({batch, 3, 32, 32});
    const auto labels = torch::randint(0, 10, {batch}, torch::kLong);
    for (auto _ : state) {
        nn::smoothedCrossEntropy(model.forward(images), labels, 0.1).backward();
        model.zero_grad();
    }
    state.SetItemsProcessed(state.iterations() * batch);
    state.SetLabel(std::to_string(at::get_num_threads()) + " threads");
}
BENCHMARK_CAPTURE(trainingStep, cct7, "CCT-7/3x1", 64)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(trainingStep, cct2, "CCT-2/3x2", 128)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
