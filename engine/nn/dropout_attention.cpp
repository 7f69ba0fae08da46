#include "engine/nn/dropout_attention.h"

#include <bit>
#include <cmath>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

// The BLAS inside LibTorch's wheel under the name that it exports and that no other library of the process has
// (cblas_sgemm and sgemm_ would be found in whatever BLAS OpenCV brought along). A LibTorch without it leaves this null.
extern "C" __attribute__((weak)) void SGEMM(const char* transA, const char* transB, const int* m, const int* n,
                                            const int* k, const float* alpha, const float* a, const int* lda,
                                            const float* b, const int* ldb, const float* beta, float* c,
                                            const int* ldc);

// Vector code for the machine at hand; the loader picks the version.
#if defined(__x86_64__) && defined(__linux__)
#define ESPALIER_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ESPALIER_VECTORISED
#endif

namespace espalier::nn {
namespace {

constexpr char kPlain = 'N', kTransposed = 'T';

struct Mask {
    std::uint32_t seedLow = 0, seedHigh = 0, threshold = 0;  ///< kept when hash ≥ threshold
    float keptScale = 1.0f;
    Mask(std::uint64_t seed, double dropout)
        : seedLow(static_cast<std::uint32_t>(seed)), seedHigh(static_cast<std::uint32_t>(seed >> 32)),
          threshold(static_cast<std::uint32_t>(dropout * 4294967296.0)),
          keptScale(static_cast<float>(1.0 / (1.0 - dropout))) {}
};

/// Bijective 32-bit mixer (multiply and xor-shift): neighbouring counters give unrelated values.
inline std::uint32_t mixed(std::uint32_t x) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    return x ^ (x >> 16);
}
inline std::uint32_t rowKey(const Mask& mask, std::uint32_t block, std::uint32_t row) {
    return mixed(mixed(mask.seedLow ^ block * 0x9e3779b9U) ^ mask.seedHigh ^ row * 0x85ebca6bU);
}
inline float keptFactor(const Mask& mask, std::uint32_t key, std::uint32_t column) {
    return mixed(key ^ (column * 0x9e3779b9U)) >= mask.threshold ? mask.keptScale : 0.0f;
}

/// eˣ for x ≤ 0: 2ⁿ times a degree-6 polynomial on [−½ ln 2, ½ ln 2]; relative error below 3e-7. Rounding by the
/// addition of 1.5 · 2²³ leaves n in the low bits, so nothing here needs more than the plainest vector unit.
inline float expNegative(float x) {
    constexpr float kRound = 12582912.0f;
    x = x < -87.0f ? -87.0f : x;
    const float shifted = x * 1.44269504088896341f + kRound;
    const float n = shifted - kRound;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) << 23) + 0x3f800000U);
}

constexpr std::int64_t kLanes = 16;  ///< separate sums let the compiler use vectors without reordering by itself

/// Row of scores → softmax with dropout in place; returns log Σ e^score.
ESPALIER_VECTORISED float softmaxRow(float* row, std::int64_t count, const Mask& mask, std::uint32_t key) {
    const std::int64_t whole = count / kLanes * kLanes;
    float tops[kLanes], sums[kLanes] = {};
    for (float& top : tops) top = row[0];
    for (std::int64_t j = 0; j < whole; j += kLanes)
        for (std::int64_t l = 0; l < kLanes; ++l) tops[l] = row[j + l] > tops[l] ? row[j + l] : tops[l];
    float top = tops[0];
    for (const float value : tops) top = value > top ? value : top;
    for (std::int64_t j = whole; j < count; ++j) top = row[j] > top ? row[j] : top;

    for (std::int64_t j = 0; j < count; ++j) row[j] = expNegative(row[j] - top);
    for (std::int64_t j = 0; j < whole; j += kLanes)
        for (std::int64_t l = 0; l < kLanes; ++l) sums[l] += row[j + l];
    float sum = 0.0f;
    for (const float value : sums) sum += value;
    for (std::int64_t j = whole; j < count; ++j) sum += row[j];

    const float inverse = 1.0f / sum;
    for (std::int64_t j = 0; j < count; ++j)
        row[j] *= inverse * keptFactor(mask, key, static_cast<std::uint32_t>(j));
    return top + std::log(sum);
}

/// Scores → P with dropout in `row` (for dV) and, from the gradient of the dropped map, the gradient of the scores:
/// dS = P ∘ (mask · dP − rowDot), rowDot = Σ_j dP_j (dropped P)_j = dO · O.
ESPALIER_VECTORISED void backwardRow(float* row, float* gradient, std::int64_t count, float logSum, float rowDot,
                                     const Mask& mask, std::uint32_t key) {
    for (std::int64_t j = 0; j < count; ++j) {
        const float factor = keptFactor(mask, key, static_cast<std::uint32_t>(j));
        const float share = expNegative(row[j] - logSum);
        gradient[j] = share * (gradient[j] * factor - rowDot);
        row[j] = share * factor;
    }
}

struct Sizes {
    std::int64_t batch, tokens, heads, head;
    std::int64_t width() const { return heads * head; }
    std::int64_t stride() const { return 3 * width(); }
};

/// C = alpha · op(A) op(B), row-major. BLAS counts by columns, so it is asked for Cᵀ = op(B)ᵀ op(A)ᵀ.
void multiply(char transA, char transB, std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
              std::int64_t lda, const float* b, std::int64_t ldb, float* c, std::int64_t ldc) {
    const int rows = static_cast<int>(m), columns = static_cast<int>(n), inner = static_cast<int>(k);
    const int strideA = static_cast<int>(lda), strideB = static_cast<int>(ldb), strideC = static_cast<int>(ldc);
    const float zero = 0.0f;
    SGEMM(&transB, &transA, &columns, &rows, &inner, &alpha, b, &strideB, a, &strideA, &zero, c, &strideC);
}

void forwardBlock(const Sizes& s, const float* q, float* out, float* logSums, float* scores, const Mask& mask,
                  std::uint32_t block) {
    const std::int64_t n = s.tokens, d = s.head;
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    multiply(kPlain, kTransposed, n, n, d, scale, q, s.stride(), q + s.width(), s.stride(), scores, n);
    for (std::int64_t i = 0; i < n; ++i)
        logSums[i] = softmaxRow(scores + i * n, n, mask, rowKey(mask, block, static_cast<std::uint32_t>(i)));
    multiply(kPlain, kPlain, n, d, n, 1.0f, scores, n, q + 2 * s.width(), s.stride(), out, s.width());
}

struct BackwardBlock {
    const float *q, *out, *gradOut, *logSums;
    float* gradQ;
    float *scores, *gradScores;  ///< scratch, n × n each
};

void backwardBlock(const Sizes& s, const BackwardBlock& b, const Mask& mask, std::uint32_t block) {
    const std::int64_t n = s.tokens, d = s.head, w = s.width();
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    multiply(kPlain, kTransposed, n, n, d, scale, b.q, s.stride(), b.q + w, s.stride(), b.scores, n);
    multiply(kPlain, kTransposed, n, n, d, 1.0f, b.gradOut, w, b.q + 2 * w, s.stride(), b.gradScores, n);
    for (std::int64_t i = 0; i < n; ++i) {
        float rowDot = 0.0f;
        for (std::int64_t c = 0; c < d; ++c) rowDot += b.gradOut[i * w + c] * b.out[i * w + c];
        backwardRow(b.scores + i * n, b.gradScores + i * n, n, b.logSums[i], rowDot, mask,
                    rowKey(mask, block, static_cast<std::uint32_t>(i)));
    }
    multiply(kTransposed, kPlain, n, d, n, 1.0f, b.scores, n, b.gradOut, w, b.gradQ + 2 * w, s.stride());
    multiply(kPlain, kPlain, n, d, n, scale, b.gradScores, n, b.q + w, s.stride(), b.gradQ, s.stride());
    multiply(kTransposed, kPlain, n, d, n, scale, b.gradScores, n, b.q, s.stride(), b.gradQ + w, s.stride());
}

Sizes sizesOf(const at::Tensor& packed, std::int64_t heads) {
    return {packed.size(0), packed.size(1), heads, packed.size(2) / 3 / heads};
}

class DropoutAttention : public torch::autograd::Function<DropoutAttention> {
public:
    static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, std::int64_t heads,
                              double dropout, std::int64_t seed) {
        const at::Tensor packed = input.contiguous();
        const Sizes s = sizesOf(packed, heads);
        at::Tensor out = at::empty({s.batch, s.tokens, s.width()}, packed.options());
        at::Tensor logSums = at::empty({s.batch, s.heads, s.tokens}, packed.options());
        const auto* q = packed.const_data_ptr<float>();
        auto *o = out.data_ptr<float>(), *l = logSums.data_ptr<float>();
        const Mask mask(static_cast<std::uint64_t>(seed), dropout);
        at::parallel_for(0, s.batch * s.heads, 1, [&](std::int64_t from, std::int64_t to) {
            std::vector<float> scores(static_cast<std::size_t>(s.tokens * s.tokens));
            for (std::int64_t i = from; i < to; ++i) {
                const std::int64_t row = i / s.heads * s.tokens, column = i % s.heads * s.head;
                forwardBlock(s, q + row * s.stride() + column, o + row * s.width() + column, l + i * s.tokens,
                             scores.data(), mask, static_cast<std::uint32_t>(i));
            }
        });
        context->save_for_backward({packed, out, logSums});
        context->saved_data["heads"] = heads;
        context->saved_data["dropout"] = dropout;
        context->saved_data["seed"] = seed;
        return out;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::variable_list gradients) {
        const auto saved = context->get_saved_variables();
        const Sizes s = sizesOf(saved[0], context->saved_data["heads"].toInt());
        const Mask mask(static_cast<std::uint64_t>(context->saved_data["seed"].toInt()),
                        context->saved_data["dropout"].toDouble());
        const at::Tensor gradOut = gradients[0].contiguous();
        at::Tensor gradPacked = at::empty_like(saved[0]);
        const float *q = saved[0].const_data_ptr<float>(), *o = saved[1].const_data_ptr<float>(),
                    *l = saved[2].const_data_ptr<float>(), *g = gradOut.const_data_ptr<float>();
        float* gq = gradPacked.data_ptr<float>();
        at::parallel_for(0, s.batch * s.heads, 1, [&](std::int64_t from, std::int64_t to) {
            const auto area = static_cast<std::size_t>(s.tokens * s.tokens);
            std::vector<float> scratch(2 * area);
            for (std::int64_t i = from; i < to; ++i) {
                const std::int64_t row = i / s.heads * s.tokens, column = i % s.heads * s.head;
                const std::int64_t wide = row * s.stride() + column, narrow = row * s.width() + column;
                backwardBlock(s, {q + wide, o + narrow, g + narrow, l + i * s.tokens, gq + wide, scratch.data(),
                                  scratch.data() + area},
                              mask, static_cast<std::uint32_t>(i));
            }
        });
        return {gradPacked, at::Tensor(), at::Tensor(), at::Tensor()};
    }
};

}  // namespace

bool canUseDropoutAttention(const at::Tensor& packed, std::int64_t heads, double dropout) {
    return dropout > 0.0 && dropout < 1.0 && SGEMM != nullptr && at::GradMode::is_enabled() &&
           packed.requires_grad() && packed.device().is_cpu() && packed.scalar_type() == at::kFloat &&
           packed.dim() == 3 && packed.size(2) % (3 * heads) == 0 && packed.size(1) <= 4096;
}

at::Tensor dropoutAttentionSeeded(const at::Tensor& packed, std::int64_t heads, double dropout, std::uint64_t seed) {
    return DropoutAttention::apply(packed, heads, dropout, static_cast<std::int64_t>(seed));
}

at::Tensor dropoutAttention(const at::Tensor& packed, std::int64_t heads, double dropout) {
    auto generator = at::detail::getDefaultCPUGenerator();
    std::uint64_t seed = 0;
    {
        const std::lock_guard lock(generator.mutex());
        seed = generator.get<at::CPUGeneratorImpl>()->random64();
    }
    return dropoutAttentionSeeded(packed, heads, dropout, seed);
}

at::Tensor attentionDropoutMask(std::uint64_t seed, std::int64_t batch, std::int64_t heads, std::int64_t tokens,
                                double dropout) {
    at::Tensor kept = at::empty({batch, heads, tokens, tokens}, at::kFloat);
    auto* values = kept.data_ptr<float>();
    const Mask mask(seed, dropout);
    for (std::int64_t block = 0; block < batch * heads; ++block)
        for (std::int64_t row = 0; row < tokens; ++row) {
            const auto key = rowKey(mask, static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(row));
            for (std::int64_t column = 0; column < tokens; ++column)
                *values++ = keptFactor(mask, key, static_cast<std::uint32_t>(column)) > 0.0f ? 1.0f : 0.0f;
        }
    return kept;
}

}  // namespace espalier::nn
