#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/nn/embeddings.h"
#include "engine/nn/image_classifier.h"
#include "engine/nn/layers.h"
#include "engine/nn/named_tensors.h"

namespace espalier::nn {

/// ViT-Lite: class token. CVT: sequence pooling. CCT: sequence pooling and a convolutional tokenizer.
enum class CompactFamily { VitLite, Cvt, Cct };
const char* familyName(CompactFamily family);

/// Everything that fixes a compact transformer's shape (arXiv 2104.05704).
struct CompactConfig {
    CompactFamily family = CompactFamily::Cct;
    std::int64_t layers = 7, width = 256, heads = 4;
    std::int64_t mlpRatio = 2;
    std::int64_t kernel = 3;       ///< of the tokenizer's convolutions, or the patch size
    std::int64_t convs = 1;        ///< stages of the convolutional tokenizer
    std::int64_t innerPlanes = 64; ///< channels between its stages
    std::int64_t imageSize = 32, channels = 3, classes = 10;
    PositionalKind positional = PositionalKind::Learnable;
    double stochasticDepth = 0.1, dropout = 0.0, attentionDropout = 0.1;

    std::int64_t gridSide() const;    ///< tokens along a side
    std::int64_t tokens() const { return gridSide() * gridSide(); }
    bool hasClassToken() const { return family == CompactFamily::VitLite; }
    /// Where token (r, c) sits on the image: centre = jump·r + offset pixels, receptive field `field` pixels.
    double jump() const, offset() const, field() const;
    std::int64_t parameterCount() const;  ///< trainable, by formula
    std::int64_t macsPerImage() const;
    /// Error that names the numbers when they do not fit together.
    Result<void> check() const;
    std::string toJson() const;
    static Result<CompactConfig> fromJson(const std::string& text);
};

/// "CCT-7/3x1", "CVT-7/4", "ViT-Lite-7/4", "cct_desk"; nullopt when unknown. Image size, channels and classes are kept.
std::optional<CompactConfig> namedCompactConfig(const std::string& name, CompactConfig base = {});
/// All names, paper's order.
const std::vector<std::string>& compactVariantNames();

/// True when a weights file holds a trained position table. Files of the reference implementation may hold one also where
/// its user asked for "sine" or "none": its CCT and CVT constructors pass the option over (card 70, pitfalls).
bool holdsLearnedPositions(const NamedTensors& weights);

/// The model. Taps: tokens, embedded, block.<i>.{attn, attn_out, norm1_out, out}, norm_out, pool_weight, pooled.
class CompactTransformer : public ImageClassifier {
public:
    explicit CompactTransformer(const CompactConfig& config);
    at::Tensor forward(const at::Tensor& images) override;
    std::vector<WeightLayer> weightLayers() override;
    std::vector<Unit> units() override;
    std::int64_t macs() const override { return m_config.macsPerImage(); }
    std::int64_t classes() const override { return m_config.classes; }
    std::int64_t imageSize() const override { return m_config.imageSize; }
    std::int64_t channels() const override { return m_config.channels; }
    std::map<std::string, std::string> metadata() const override;

    const CompactConfig& config() const { return m_config; }
    /// Images → token sequence with class token and positions [B, N(+1), D].
    at::Tensor embed(const at::Tensor& images);
    at::Tensor tokenize(const at::Tensor& images);           ///< [B, N, D], row-major grid
    at::Tensor addPositions(const at::Tensor& tokens);
    at::Tensor encode(at::Tensor x);                          ///< blocks and final norm
    Pooled pool(const at::Tensor& encoded);                   ///< class-token models: weights undefined
    at::Tensor classify(const Pooled& pooled);
    const at::Tensor& headWeight() const { return m_head->weight; }
    const at::Tensor& headBias() const { return m_head->bias; }

    /// Own parameter name → name in the reference implementation.
    std::map<std::string, std::string> referenceNames() const;
    /// Loads weights under own or reference names. With `adapts`, another grid resizes the learnable table and another
    /// number of classes keeps the fresh head (fine-tuning, card 70 step 9); without, they are errors. A missing,
    /// surplus or misshapen tensor is named.
    Result<void> loadWeights(const NamedTensors& weights, const std::string& where, bool adapts = false);
    NamedTensors state() const;

private:
    CompactConfig m_config;
    std::vector<Conv2d> m_convs;
    std::vector<EncoderBlock> m_blocks;
    torch::nn::LayerNorm m_norm{nullptr};
    Linear m_pool{nullptr}, m_head{nullptr};
    at::Tensor m_positional, m_classToken;
};

}  // namespace espalier::nn
