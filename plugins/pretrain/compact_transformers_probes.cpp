#include <algorithm>
#include <map>

#include "engine/feed/array_record.h"
#include "engine/feed/metric_names.h"
#include "plugins/pretrain/compact_transformers.h"

namespace espalier::recipes::compact_transformers {
namespace {

/// Round robin over the classes in data set order: the choice depends on nothing but the data.
std::vector<std::int64_t> spreadOverClasses(data::ImageSource& images, const std::vector<std::int64_t>& rows, std::int64_t count) {
    std::map<std::int64_t, std::vector<std::int64_t>> byClass;
    for (const auto row : rows) byClass[images.label(row)].push_back(row);
    std::vector<std::int64_t> chosen;
    for (std::size_t turn = 0; std::int64_t(chosen.size()) < count; ++turn) {
        bool hasMore = false;
        for (const auto& [label, members] : byClass) {
            if (turn >= members.size() || std::int64_t(chosen.size()) >= count) continue;
            chosen.push_back(members[turn]);
            hasMore = true;
        }
        if (!hasMore) break;
    }
    return chosen;
}

class AttentionMaps : public nn::TapSink {
public:
    bool wants(const std::string& name) const override {
        return name == "norm_out" || (name.rfind("block.", 0) == 0 && name.compare(name.size() - 5, 5, ".attn") == 0);
    }
    void take(const std::string& name, const at::Tensor& value) override {
        if (name == "norm_out") encoded = value;
        else maps.push_back(value);
    }
    std::vector<at::Tensor> maps;
    at::Tensor encoded;
};

}  // namespace

Result<std::unique_ptr<Probes>> Probes::pin(api::RunContext& context, const data::ImagePipeline& plain,
                                            const nn::CompactConfig& config, std::int64_t count) {
    auto probes = std::make_unique<Probes>();
    if (count == 0) return probes;
    auto& images = context.images();
    const std::vector<std::int64_t>* rows = &images.rows(feed::Split::Test);
    if (rows->empty()) rows = &images.rows(feed::Split::Valid);
    if (rows->empty()) rows = &images.rows(feed::Split::Train);
    const auto chosen = spreadOverClasses(images, *rows, count);
    const data::PipelineRunner runner(plain);
    const auto size = std::int64_t(plain.size), channels = std::int64_t(plain.channels), probeCount = std::int64_t(chosen.size());
    auto inputs = at::empty({probeCount, channels, size, size});
    auto pictures = at::empty({probeCount, size, size, 3}, at::kByte);
    auto labels = at::empty({probeCount}, at::kLong), rowIds = at::empty({probeCount}, at::kLong);
    for (std::int64_t i = 0; i < probeCount; ++i) {
        const auto row = chosen[std::size_t(i)];
        ESPALIER_TRY(const auto image, images.image(row));
        runner.run(image, 0, 0, row, inputs[i].data_ptr<float>());
        const auto shown = runner.prepare(image, 0, 0, row);
        auto* to = pictures[i].data_ptr<std::uint8_t>();
        for (std::int64_t pixel = 0; pixel < size * size; ++pixel)
            for (int c = 0; c < 3; ++c)
                to[pixel * 3 + c] = shown.pixels[std::size_t(pixel * shown.channels + std::min(c, shown.channels - 1))];
        labels[i] = images.label(row);
        rowIds[i] = row;
    }
    probes->m_inputs = context.toDevice(inputs);
    const auto grid = at::tensor({float(config.gridSide()), float(config.gridSide()), float(config.jump()), float(config.offset()),
                                  float(config.field()), config.hasClassToken() ? 1.0f : 0.0f});
    context.array(feed::arrays::kProbeImages, 0, -1, pictures, feed::ArrayType::UInt8);
    context.array(feed::arrays::kProbeRows, 0, -1, rowIds, feed::ArrayType::Int64);
    context.array(feed::arrays::kProbeLabels, 0, -1, labels, feed::ArrayType::Int64);
    context.array(feed::arrays::kProbeGrid, 0, -1, grid);
    return probes;
}

Result<void> Probes::record(api::RunContext& context, nn::CompactTransformer& model, std::int64_t epoch, std::int64_t step) {
    if (!m_inputs.defined() || m_inputs.size(0) == 0) return {};
    at::NoGradGuard noGrad;
    AttentionMaps taps;
    at::Tensor logits;
    nn::Pooled pooled;
    {
        nn::TapScope scope(&taps);
        const auto encoded = model.encode(model.embed(m_inputs));
        pooled = model.pool(encoded);
        logits = model.classify(pooled);
    }
    const auto& config = model.config();
    for (std::size_t layer = 0; layer < taps.maps.size(); ++layer) {
        const int number = int(layer) + 1;
        const auto& map = taps.maps[layer];
        context.array(feed::arrays::attentionLayer(number), step, epoch, map, feed::ArrayType::Float16);
        context.scalar(feed::names::attentionEntropy(number), step, nn::attentionEntropy(map).mean().item<double>());
        const auto distances = nn::attentionDistance(map, config.gridSide(), config.jump(), config.hasClassToken()).cpu();
        for (std::int64_t head = 0; head < distances.numel(); ++head)
            context.scalar(feed::names::attentionDistance(number, int(head) + 1), step, distances[head].item<double>());
    }
    const auto rollout = nn::attentionRollout(taps.maps);  // [P, N, N]
    if (config.hasClassToken()) {
        context.array(feed::arrays::kRollout, step, epoch, rollout.select(1, 0).narrow(1, 1, config.tokens()));
    } else {
        context.array(feed::arrays::kRollout, step, epoch, at::matmul(pooled.weights.unsqueeze(1), rollout).squeeze(1));
        context.array(feed::arrays::kPooling, step, epoch, pooled.weights);
        context.array(feed::arrays::kContribution, step, epoch, nn::classContribution(pooled.weights, taps.encoded, model.headWeight()));
    }
    context.array(feed::arrays::kProbeLogits, step, epoch, logits);
    return {};
}

Result<Evaluation> evaluateSplit(api::RunContext& context, nn::CompactTransformer& model, nn::BatchSource& batches, bool keepsEmbeddings) {
    at::NoGradGuard noGrad;
    Evaluation evaluation;
    metrics::ClassificationMeter meter(model.classes());
    std::vector<at::Tensor> embeddings;
    double entropySum = 0;
    std::int64_t items = 0;
    batches.begin(0, 0);
    for (;;) {
        ESPALIER_TRY(const auto batch, batches.next());
        if (!batch.inputs.defined()) break;
        const auto pooled = model.pool(model.encode(model.embed(batch.inputs)));
        const auto logits = model.classify(pooled).to(at::kCPU).contiguous();
        const auto labels = batch.targets.to(at::kCPU).contiguous();
        meter.add({logits.data_ptr<float>(), std::size_t(logits.numel())}, {labels.data_ptr<std::int64_t>(), std::size_t(labels.numel())});
        if (pooled.weights.defined()) entropySum += nn::poolingEntropy(pooled.weights).item<double>() * double(batch.size());
        if (keepsEmbeddings) embeddings.push_back(pooled.summary.to(at::kCPU));
        items += batch.size();
    }
    evaluation.scores = meter.result();
    if (!model.config().hasClassToken() && items > 0) evaluation.poolEntropy = entropySum / double(items);
    if (!embeddings.empty()) evaluation.embeddings = at::cat(embeddings);
    return evaluation;
}

}  // namespace espalier::recipes::compact_transformers
