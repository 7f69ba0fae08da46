#include "engine/nn/compact_transformer.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/nn/name_map.h"

namespace espalier::nn {
namespace {

constexpr double kPositionalStd = 0.2;
constexpr const char* kReferencePositional = "classifier.positional_emb";

const at::Tensor* positionTable(const NamedTensors& weights) {
    const auto* table = weights.find("positional");
    return table ? table : weights.find(kReferencePositional);
}

}  // namespace

bool holdsLearnedPositions(const NamedTensors& weights) {
    constexpr double kSineTolerance = 1e-3;  // angles of the reference are float32
    const auto* table = positionTable(weights);
    if (!table || table->dim() != 3 || table->size(0) != 1) return false;
    const auto sine = sineTable(table->size(1), table->size(2));
    return !((table->to(at::kFloat) - sine).abs().max().item<double>() < kSineTolerance);
}

std::int64_t trainableParameters(const torch::nn::Module& model) {
    std::int64_t count = 0;
    for (const auto& parameter : model.parameters())
        if (parameter.requires_grad()) count += parameter.numel();
    return count;
}

CompactTransformer::CompactTransformer(const CompactConfig& config) : m_config(config) {
    const auto& c = m_config;
    int layer = 0;
    if (c.family == CompactFamily::Cct) {
        const auto stride = std::max<std::int64_t>(1, c.kernel / 2 - 1), padding = std::max<std::int64_t>(1, c.kernel / 2);
        std::int64_t in = c.channels;
        for (std::int64_t i = 0; i < c.convs; ++i) {
            const auto out = i + 1 == c.convs ? c.width : c.innerPlanes;
            m_convs.push_back(register_module("tokenizer_" + std::to_string(i), Conv2d(in, out, c.kernel, stride, padding, false, layer++)));
            in = out;
        }
    } else {
        m_convs.push_back(register_module("tokenizer_0", Conv2d(c.channels, c.width, c.kernel, c.kernel, 0, true, layer++)));
    }
    const auto positions = c.tokens() + (c.hasClassToken() ? 1 : 0);
    if (c.hasClassToken()) m_classToken = register_parameter("class_token", at::zeros({1, 1, c.width}));
    if (c.positional == PositionalKind::Learnable)
        m_positional = register_parameter("positional", at::randn({1, positions, c.width}).mul_(kPositionalStd).clamp_(-2.0, 2.0));
    else if (c.positional == PositionalKind::Sine)
        m_positional = register_buffer("positional", sineTable(positions, c.width));
    for (std::int64_t i = 0; i < c.layers; ++i) {
        BlockOptions block;
        block.width = c.width;
        block.heads = c.heads;
        block.hidden = c.mlpRatio * c.width;
        block.dropout = c.dropout;
        block.attentionDropout = c.attentionDropout;
        block.dropPathRate = c.layers > 1 ? c.stochasticDepth * double(i) / double(c.layers - 1) : 0.0;
        block.block = int(i);
        block.firstLayer = layer;
        layer += 4;
        m_blocks.push_back(register_module("block_" + std::to_string(i), EncoderBlock(block)));
    }
    m_norm = register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({c.width})));
    if (!c.hasClassToken()) m_pool = register_module("pool", Linear(c.width, 1, true, layer++));
    m_head = register_module("head", Linear(c.width, c.classes, true, layer++));
}

at::Tensor CompactTransformer::tokenize(const at::Tensor& images) {
    // Channels last: pooling runs along the channels, and flatten + transpose below are views.
    auto x = images.contiguous(at::MemoryFormat::ChannelsLast);
    for (auto& conv : m_convs) {
        x = conv(x);
        if (m_config.family == CompactFamily::Cct) x = at::max_pool2d(x.relu_(), 3, 2, 1);
    }
    x = x.flatten(2).transpose(1, 2);
    tap("tokens", x);
    return x;
}

at::Tensor CompactTransformer::addPositions(const at::Tensor& tokens) {
    auto x = tokens;
    if (m_config.hasClassToken()) x = at::cat({m_classToken.expand({x.size(0), 1, m_config.width}), x}, 1);
    if (m_positional.defined()) x = x + m_positional;
    tap("embedded", x);
    return x;
}

at::Tensor CompactTransformer::embed(const at::Tensor& images) { return addPositions(tokenize(images)); }

at::Tensor CompactTransformer::encode(at::Tensor x) {
    for (auto& block : m_blocks) x = block(x);
    x = m_norm(x);
    tap("norm_out", x);
    return x;
}

Pooled CompactTransformer::pool(const at::Tensor& encoded) {
    Pooled pooled;
    if (m_config.hasClassToken()) {
        pooled.summary = encoded.select(1, 0);
    } else {
        pooled.weights = at::softmax(m_pool(encoded).squeeze(-1), 1);  // [B, N]
        tap("pool_weight", pooled.weights);
        pooled.summary = at::matmul(pooled.weights.unsqueeze(1), encoded).squeeze(1);
    }
    tap("pooled", pooled.summary);
    return pooled;
}

at::Tensor CompactTransformer::classify(const Pooled& pooled) { return m_head(pooled.summary); }

at::Tensor CompactTransformer::forward(const at::Tensor& images) { return classify(pool(encode(embed(images)))); }

std::vector<WeightLayer> CompactTransformer::weightLayers() {
    std::vector<WeightLayer> layers;
    auto side = m_config.imageSize;
    for (std::size_t i = 0; i < m_convs.size(); ++i) {
        const auto& conv = m_convs[i];
        const auto kernel = conv->weight.size(2);
        side = (side + 2 * conv->padding - kernel) / conv->stride + 1;
        const auto stride = conv->stride, padding = conv->padding;
        layers.push_back({conv->layer, "tokenizer." + std::to_string(i), "conv2d", 0, conv->weight, side * side * conv->weight.numel(), 1,
                          [stride, padding](const at::Tensor& x, const at::Tensor& w) { return at::conv2d(x, w, {}, stride, padding); }});
        if (m_config.family == CompactFamily::Cct) side = (side - 1) / 2 + 1;
    }
    const auto sequence = m_config.tokens() + (m_config.hasClassToken() ? 1 : 0);
    const auto product = [](const at::Tensor& x, const at::Tensor& w) { return at::linear(x, w); };
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
        auto& block = m_blocks[i];
        const auto prefix = "blocks." + std::to_string(i) + ".";
        const auto add = [&](const char* name, const Linear& linear) {
            layers.push_back({linear->layer, prefix + name, "linear", int(i) + 1, linear->weight, sequence * linear->weight.numel(), -1, product});
        };
        add("attention.qkv", block->attention->qkv);
        add("attention.projection", block->attention->projection);
        add("mlp_in", block->mlpIn);
        add("mlp_out", block->mlpOut);
    }
    const int last = int(m_blocks.size()) + 1;
    if (m_pool) layers.push_back({m_pool->layer, "pool", "linear", last, m_pool->weight, sequence * m_pool->weight.numel(), -1, product});
    layers.push_back({m_head->layer, "head", "linear", last, m_head->weight, m_head->weight.numel(), -1, product});
    return layers;
}

std::vector<Unit> CompactTransformer::units() {
    std::vector<Unit> units;
    Unit tokenizer{"tokenizer", 0, {}, -1, [this](const at::Tensor& x) { return embed(x); }};
    for (const auto& conv : m_convs) tokenizer.layers.push_back(conv->layer);
    units.push_back(std::move(tokenizer));
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
        auto block = m_blocks[i];
        const int first = block->attention->qkv->layer;
        units.push_back({"block " + std::to_string(i + 1), int(i) + 1, {first, first + 1, first + 2, first + 3}, -1,
                         [block](const at::Tensor& x) mutable { return block(x); }});
    }
    Unit head{"head", int(m_blocks.size()) + 1, {}, -1, [this](const at::Tensor& x) {
                  const auto encoded = m_norm(x);
                  tap("norm_out", encoded);
                  return classify(pool(encoded));
              }};
    if (m_pool) head.layers.push_back(m_pool->layer);
    head.layers.push_back(m_head->layer);
    units.push_back(std::move(head));
    return units;
}

std::map<std::string, std::string> CompactTransformer::metadata() const {
    return {{"espalier.model", "compact-transformer"}, {"espalier.architecture", m_config.toJson()}};
}

std::map<std::string, std::string> CompactTransformer::referenceNames() const {
    std::map<std::string, std::string> names;
    const auto both = [&](const std::string& own, const std::string& reference) {
        names[own + ".weight"] = reference + ".weight";
        names[own + ".bias"] = reference + ".bias";
    };
    for (std::size_t i = 0; i < m_convs.size(); ++i)
        both("tokenizer_" + std::to_string(i), "tokenizer.conv_layers." + std::to_string(i) + ".0");
    names["class_token"] = "classifier.class_emb";
    names["positional"] = kReferencePositional;
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
        const auto own = "block_" + std::to_string(i) + ".", reference = "classifier.blocks." + std::to_string(i) + ".";
        both(own + "attention.qkv", reference + "self_attn.qkv");
        both(own + "attention.projection", reference + "self_attn.proj");
        both(own + "norm_1", reference + "pre_norm");
        both(own + "norm_2", reference + "norm1");
        both(own + "mlp_in", reference + "linear1");
        both(own + "mlp_out", reference + "linear2");
    }
    both("norm", "classifier.norm");
    both("pool", "classifier.attention_pool");
    both("head", "classifier.fc");
    return names;
}

Result<void> CompactTransformer::loadWeights(const NamedTensors& weights, const std::string& where, bool adapts) {
    if (m_config.positional != PositionalKind::Learnable && holdsLearnedPositions(weights))
        return fail(ErrorCode::BadInput, "holds a learned position table, and this model has none", where,
                    "Choose the learnable positional embedding");
    const auto references = referenceNames();
    std::vector<WantedTensor> wanted;
    std::set<std::string> ignored;
    for (const auto& item : named_parameters()) {
        const auto reference = references.find(item.key());
        WantedTensor each{item.key(), reference == references.end() ? "" : reference->second, item.value(), false};
        if (adapts && (item.key() == "head.weight" || item.key() == "head.bias")) each.isOptional = true;
        if (adapts && item.key() == "positional") {
            // A table of another grid is resized, not copied.
            const auto* table = positionTable(weights);
            const std::int64_t extra = m_config.hasClassToken() ? 1 : 0;
            const auto side = table ? std::llround(std::sqrt(double(std::max<std::int64_t>(0, table->size(1) - extra)))) : 0;
            if (table && table->dim() == 3 && table->size(2) == m_config.width && side > 0 && side * side + extra == table->size(1) &&
                table->sizes() != item.value().sizes()) {
                at::NoGradGuard noGrad;
                item.value().detach().copy_(resizedTable(table->to(at::kFloat), extra, side, side, m_config.gridSide(), m_config.gridSide()));
                ignored.insert("positional");
                ignored.insert(references.at("positional"));
                continue;
            }
        }
        wanted.push_back(std::move(each));
    }
    // A sine table is computed; files of the reference carry one as a frozen parameter.
    if (m_config.positional == PositionalKind::Sine) {
        ignored.insert("positional");
        ignored.insert(references.at("positional"));
    }
    return loadByName(weights, wanted, ignored, where);
}

NamedTensors CompactTransformer::state() const {
    NamedTensors all;
    for (const auto& item : named_parameters()) all.add(item.key(), item.value().detach());
    all.metadata = metadata();
    return all;
}

}  // namespace espalier::nn
