// Attention with dropout, forward and backward: the block's own path beside LibTorch's.
#include <benchmark/benchmark.h>

#include "engine/nn/dropout_attention.h"

using namespace espalier;

namespace {

/// Arguments: batch, tokens, heads. Head width 64, dropout 0.1, threads as OMP_NUM_THREADS says.
at::Tensor packedInput(const benchmark::State& state) {
    torch::manual_seed(1);
    return torch::randn({state.range(0), state.range(1), 3 * 64 * state.range(2)}).requires_grad_();
}

void finish(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.SetLabel(std::to_string(at::get_num_threads()) + " threads");
}

void ownPath(benchmark::State& state) {
    auto packed = packedInput(state);
    const auto gradient = torch::randn({state.range(0), state.range(1), 64 * state.range(2)});
    for (auto _ : state) {
        nn::dropoutAttention(packed, state.range(2), 0.1).backward(gradient);
        packed.mutable_grad().reset();
    }
    finish(state);
}

void libraryPath(benchmark::State& state) {
    auto packed = packedInput(state);
    const auto heads = state.range(2);
    const auto gradient = torch::randn({state.range(0), state.range(1), 64 * heads});
    for (auto _ : state) {
        const auto parts =
            packed.view({state.range(0), state.range(1), 3, heads, 64}).permute({2, 0, 3, 1, 4}).unbind(0);
        at::scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, 0.1)
            .transpose(1, 2)
            .reshape({state.range(0), state.range(1), 64 * heads})
            .backward(gradient);
        packed.mutable_grad().reset();
    }
    finish(state);
}

void shapes(benchmark::internal::Benchmark* bench) {
    bench->Args({64, 256, 4})->Args({128, 64, 2})->Unit(benchmark::kMillisecond)->UseRealTime();
}
BENCHMARK(ownPath)->Apply(shapes);
BENCHMARK(libraryPath)->Apply(shapes);

}  // namespace

BENCHMARK_MAIN();
