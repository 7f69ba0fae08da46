#pragma once

#include <cstdint>
#include <string>

#include "engine/api/torch.h"

namespace espalier::nn {

/// y = x·Wᵀ + b, W [out, in]. Initialised truncated normal std 0.02, bias 0. `layer` is its number among the model's
/// quantizable layers (−1: not one).
class LinearImpl : public torch::nn::Module {
public:
    LinearImpl(std::int64_t in, std::int64_t out, bool hasBias, int layer = -1);
    at::Tensor forward(const at::Tensor& x);
    at::Tensor weight, bias;
    int layer;
};
TORCH_MODULE(Linear);

/// 2-d convolution, W [out, in, k, k].
class Conv2dImpl : public torch::nn::Module {
public:
    Conv2dImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
               bool hasBias, int layer = -1);
    at::Tensor forward(const at::Tensor& x);
    at::Tensor weight, bias;
    std::int64_t stride, padding;
    int layer;
};
TORCH_MODULE(Conv2d);

/// Stochastic depth: drops a whole branch per sample with probability `rate` while training and divides what is kept
/// by 1 − rate; the identity at evaluation.
at::Tensor dropPath(const at::Tensor& branch, double rate, bool isTraining);

/// Multi-head self-attention, A = softmax(q·kᵀ/√d), dropout on A, concat, projection. qkv without bias.
/// x [B, N, D] → [B, N, D]. Taps "block.<i>.attn" ([B, H, N, N] before dropout) and "block.<i>.attn_out".
class MultiHeadAttentionImpl : public torch::nn::Module {
public:
    MultiHeadAttentionImpl(std::int64_t width, std::int64_t heads, double attentionDropout, double projectionDropout,
                           int block, int firstLayer);
    at::Tensor forward(const at::Tensor& x);
    Linear qkv{nullptr}, projection{nullptr};

private:
    std::int64_t m_heads;
    double m_attentionDropout, m_projectionDropout;
    std::string m_attentionTap, m_outTap;
};
TORCH_MODULE(MultiHeadAttention);

/// Where norms and residuals sit. Compact (card 70 step 5): the second residual is taken around the normalised sum.
enum class NormStyle { Compact, PreNorm, PostNorm };

struct BlockOptions {
    std::int64_t width = 256, heads = 4, hidden = 512;
    double dropout = 0.0, attentionDropout = 0.1, dropPathRate = 0.0;
    NormStyle normStyle = NormStyle::Compact;
    int block = 0;       ///< for tap names
    int firstLayer = 0;  ///< number of its first quantizable layer (qkv, projection, mlp_in, mlp_out)
};

/// Transformer encoder block. x [B, N, D] → [B, N, D].
class EncoderBlockImpl : public torch::nn::Module {
public:
    explicit EncoderBlockImpl(const BlockOptions& options);
    at::Tensor forward(const at::Tensor& x);
    MultiHeadAttention attention{nullptr};
    torch::nn::LayerNorm norm1{nullptr}, norm2{nullptr};
    Linear mlpIn{nullptr}, mlpOut{nullptr};

private:
    at::Tensor mlp(const at::Tensor& x);
    BlockOptions m_options;
};
TORCH_MODULE(EncoderBlock);

}  // namespace espalier::nn
