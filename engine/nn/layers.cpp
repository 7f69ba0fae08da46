#include "engine/nn/layers.h"

#include <cmath>

#include "engine/nn/dropout_attention.h"
#include "engine/nn/taps.h"

namespace espalier::nn {
namespace {

constexpr double kLinearStd = 0.02;

/// Normal with tails cut at two absolute units, as the usual initialiser does; for small std a plain normal.
void truncatedNormal(at::Tensor& tensor, double std) {
    at::NoGradGuard noGrad;
    tensor.normal_(0.0, std).clamp_(-2.0, 2.0);
}

}  // namespace

LinearImpl::LinearImpl(std::int64_t in, std::int64_t out, bool hasBias, int layerNumber) : layer(layerNumber) {
    auto values = at::empty({out, in});
    truncatedNormal(values, kLinearStd);
    weight = register_parameter("weight", values);
    if (hasBias) bias = register_parameter("bias", at::zeros({out}));
}

at::Tensor LinearImpl::forward(const at::Tensor& x) {
    if (auto* hooks = currentLayerHooks(); hooks && layer >= 0)
        return at::linear(hooks->input(layer, x), hooks->weight(layer, weight), bias);
    return at::linear(x, weight, bias);
}

Conv2dImpl::Conv2dImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t strideOf,
                       std::int64_t paddingOf, bool hasBias, int layerNumber)
    : stride(strideOf), padding(paddingOf), layer(layerNumber) {
    // Kaiming normal, fan_in, gain √2.
    const double std = std::sqrt(2.0 / double(in * kernel * kernel));
    weight = register_parameter("weight", at::randn({out, in, kernel, kernel}) * std);
    if (hasBias) bias = register_parameter("bias", at::zeros({out}));
}

at::Tensor Conv2dImpl::forward(const at::Tensor& x) {
    if (auto* hooks = currentLayerHooks(); hooks && layer >= 0)
        return at::conv2d(hooks->input(layer, x), hooks->weight(layer, weight), bias, stride, padding);
    return at::conv2d(x, weight, bias, stride, padding);
}

at::Tensor dropPath(const at::Tensor& branch, double rate, bool isTraining) {
    if (!isTraining || rate <= 0.0) return branch;
    std::vector<std::int64_t> shape(static_cast<std::size_t>(branch.dim()), 1);
    shape[0] = branch.size(0);
    auto keep = at::empty(shape, branch.options()).bernoulli_(1.0 - rate).div_(1.0 - rate);
    return branch * keep;
}

MultiHeadAttentionImpl::MultiHeadAttentionImpl(std::int64_t width, std::int64_t heads, double attentionDropout,
                                               double projectionDropout, int block, int firstLayer)
    : m_heads(heads), m_attentionDropout(attentionDropout), m_projectionDropout(projectionDropout),
      m_attentionTap("block." + std::to_string(block) + ".attn"),
      m_outTap("block." + std::to_string(block) + ".attn_out") {
    qkv = register_module("qkv", Linear(width, 3 * width, false, firstLayer));
    projection = register_module("projection", Linear(width, width, true, firstLayer + 1));
}

at::Tensor MultiHeadAttentionImpl::forward(const at::Tensor& x) {
    const auto batch = x.size(0), tokens = x.size(1), width = x.size(2);
    const auto packed = qkv(x);  // [B, N, 3D]
    // Three views [B, H, N, d]; no copy.
    const auto parts = packed.view({batch, tokens, 3, m_heads, width / m_heads}).permute({2, 0, 3, 1, 4}).unbind(0);
    at::Tensor mixed;  // [B, H, N, d], or [B, N, D] from the path for training on the CPU
    const bool isTapped = wantsTap(m_attentionTap);
    const bool isBlocked = !isTapped && is_training() && canUseDropoutAttention(packed, m_heads, m_attentionDropout);
    if (isBlocked) {
        mixed = dropoutAttention(packed, m_heads, m_attentionDropout);
    } else if (isTapped) {
        const double scale = 1.0 / std::sqrt(double(width / m_heads));
        const auto weights = at::softmax(at::matmul(parts[0] * scale, parts[1].transpose(-2, -1)), -1);
        tap(m_attentionTap, weights);
        mixed = at::matmul(at::dropout(weights, m_attentionDropout, is_training()), parts[2]);
    } else {
        mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], {}, is_training() ? m_attentionDropout : 0.0);
    }
    auto out = projection(isBlocked ? mixed : mixed.transpose(1, 2).reshape({batch, tokens, width}));
    if (m_projectionDropout > 0.0) out = at::dropout(out, m_projectionDropout, is_training());
    tap(m_outTap, out);
    return out;
}

EncoderBlockImpl::EncoderBlockImpl(const BlockOptions& options) : m_options(options) {
    const auto& o = m_options;
    norm1 = register_module("norm_1", torch::nn::LayerNorm(torch::nn::LayerNormOptions({o.width})));
    attention = register_module("attention", MultiHeadAttention(o.width, o.heads, o.attentionDropout, o.dropout, o.block, o.firstLayer));
    norm2 = register_module("norm_2", torch::nn::LayerNorm(torch::nn::LayerNormOptions({o.width})));
    mlpIn = register_module("mlp_in", Linear(o.width, o.hidden, true, o.firstLayer + 2));
    mlpOut = register_module("mlp_out", Linear(o.hidden, o.width, true, o.firstLayer + 3));
}

at::Tensor EncoderBlockImpl::mlp(const at::Tensor& x) {
    auto hidden = at::gelu(mlpIn(x));
    if (m_options.dropout > 0.0) hidden = at::dropout(hidden, m_options.dropout, is_training());
    auto out = mlpOut(hidden);
    if (m_options.dropout > 0.0) out = at::dropout(out, m_options.dropout, is_training());
    return out;
}

at::Tensor EncoderBlockImpl::forward(const at::Tensor& x) {
    const auto prefix = "block." + std::to_string(m_options.block);
    const double rate = m_options.dropPathRate;
    at::Tensor out;
    switch (m_options.normStyle) {
        case NormStyle::Compact: {
            const auto sum = x + dropPath(attention(norm1(x)), rate, is_training());
            const auto n = norm2(sum);
            tap(prefix + ".norm1_out", n);
            out = n + dropPath(mlp(n), rate, is_training());
            break;
        }
        case NormStyle::PreNorm: {
            const auto sum = x + dropPath(attention(norm1(x)), rate, is_training());
            out = sum + dropPath(mlp(norm2(sum)), rate, is_training());
            break;
        }
        case NormStyle::PostNorm: {
            const auto n = norm1(x + dropPath(attention(x), rate, is_training()));
            out = norm2(n + dropPath(mlp(n), rate, is_training()));
            break;
        }
    }
    tap(prefix + ".out", out);
    return out;
}

}  // namespace espalier::nn
