// Escaping the Big Data Paradigm with Compact Transformers — Hassani, Walton, Shah, Abuduweili, Li, Shi, 2021.
// https://arxiv.org/abs/2104.05704, reference implementation: github SHI-Labs/Compact-Transformers.
//
// Differs from the paper in: see `deviations` in compact_transformers_card.cpp.
#include "plugins/pretrain/compact_transformers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <nlohmann/json.hpp>

#include "engine/feed/metric_names.h"

namespace espalier::recipes::compact_transformers {
namespace {

constexpr std::int64_t kSmallestInput = 16;
constexpr std::int64_t kEvaluationBatch = 256;

std::int64_t inputSide(const api::Params& params, const feed::DatasetSummary* dataset) {
    if (params.integer("image_size") > 0) return params.integer("image_size");
    if (!dataset || dataset->shape.size() != 3) return 32;
    return std::max(kSmallestInput, std::max(dataset->shape[1], dataset->shape[2]));
}

std::int64_t inputChannels(const feed::DatasetSummary* dataset) {
    return dataset && dataset->shape.size() == 3 && dataset->shape[0] == 1 ? 1 : 3;
}

Result<nn::CompactConfig> configFor(const api::Params& params, const feed::DatasetSummary* dataset) {
    return compact_transformers::configFor(params, inputSide(params, dataset), inputChannels(dataset),
                                           dataset ? std::int64_t(dataset->classes.size()) : 10);
}

data::ImagePipeline plainPipeline(const feed::DatasetSummary& dataset, const nn::CompactConfig& config) {
    data::ImagePipeline pipeline;
    pipeline.size = int(config.imageSize);
    pipeline.channels = int(config.channels);
    pipeline.mean.clear();
    pipeline.std.clear();
    for (std::int64_t c = 0; c < config.channels; ++c) {
        const auto from = std::min<std::size_t>(std::size_t(c), dataset.channelMean.empty() ? 0 : dataset.channelMean.size() - 1);
        pipeline.mean.push_back(dataset.channelMean.empty() ? 0.5f : float(dataset.channelMean[from]));
        pipeline.std.push_back(dataset.channelStd.empty() ? 0.25f : std::max(1e-3f, float(dataset.channelStd[from])));
    }
    return pipeline;
}

/// The first `limit` training rows of an order that the seed alone decides; all when 0.
std::vector<std::int64_t> trainingRows(data::ImageSource& images, std::int64_t limit, std::int64_t seed) {
    auto rows = images.rows(feed::Split::Train);
    if (limit <= 0 || limit >= std::int64_t(rows.size())) return rows;
    std::mt19937_64 random(static_cast<std::uint64_t>(seed) ^ 0x9E3779B97F4A7C15ull);
    for (std::size_t i = rows.size() - 1; i > 0; --i) std::swap(rows[i], rows[random() % (i + 1)]);
    rows.resize(std::size_t(limit));
    std::sort(rows.begin(), rows.end());
    return rows;
}

/// Where the data has no valid part, a share of the training rows is held out: every n-th of an order the seed decides.
std::vector<std::int64_t> holdOut(std::vector<std::int64_t>& rows, double share, std::int64_t seed) {
    const auto count = std::size_t(share * double(rows.size()));
    std::mt19937_64 random(static_cast<std::uint64_t>(seed) ^ 0xD1342543DE82EF95ull);
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random() % i]);
    std::vector<std::int64_t> held(rows.end() - std::ptrdiff_t(count), rows.end());
    rows.resize(rows.size() - count);
    std::sort(rows.begin(), rows.end());
    std::sort(held.begin(), held.end());
    return held;
}

std::vector<nn::ParamGroup> parameterGroups(const nn::CompactTransformer& model, const api::Params& params) {
    const auto& scope = params.text("decay_scope");
    const bool sparesVectors = scope == "no_1d" || (scope == "auto" && params.text("recipe") == "F");
    nn::ParamGroup decayed, spared;
    decayed.weightDecay = params.real("weight_decay");
    for (const auto& parameter : model.parameters())
        (sparesVectors && parameter.dim() <= 1 ? spared : decayed).params.push_back(parameter);
    std::vector<nn::ParamGroup> groups{std::move(decayed)};
    if (!spared.params.empty()) groups.push_back(std::move(spared));
    return groups;
}

class CompactTransformersRecipe : public api::Recipe {
public:
    Result<void> check(const api::Params& params, const feed::DatasetSummary* dataset) const override {
        if (dataset && dataset->kind != "images")
            return fail(ErrorCode::BadInput, "holds no images but a " + dataset->kind, dataset->name,
                        "Choose an image data set, or import the table with --image-shape");
        if (dataset && dataset->classes.empty())
            return fail(ErrorCode::BadInput, "has no labels", dataset->name, "Import it with labels, one folder a class");
        ESPALIER_TRY(const auto config, configFor(params, dataset));
        return config.check();
    }

    Result<api::Forecast> forecast(const api::Params& params, const feed::DatasetSummary* dataset) const override {
        ESPALIER_TRY(const auto config, configFor(params, dataset));
        ESPALIER_CHECK_OK(config.check());
        api::Forecast forecast;
        forecast.params = config.parameterCount();
        forecast.macsPerItem = config.macsPerImage();
        std::int64_t images = dataset ? dataset->splits[0] : 0;
        if (params.integer("train_limit") > 0) images = std::min(images, params.integer("train_limit"));
        const auto batch = params.integer("batch") * params.integer("accumulation");
        forecast.items = images * totalEpochs(params);
        forecast.steps = (images + batch - 1) / batch * totalEpochs(params);
        const auto tokens = config.tokens() + (config.hasClassToken() ? 1 : 0);
        // What a backward pass keeps: about twelve token-wide values and the attention map, a block.
        forecast.bytesActivations = 4 * params.integer("batch") * config.layers *
                                    (tokens * config.width * (10 + 2 * config.mlpRatio) + 2 * config.heads * tokens * tokens);
        forecast.modelText = std::to_string(config.layers) + " layers, " + std::to_string(config.width) + " wide, " +
                             std::to_string(config.heads) + " heads";
        return forecast;
    }

    Result<void> run(api::RunContext& context) override;
    Result<void> predict(api::PredictContext& context) override;
};

/// Everything one run holds while it trains.
struct Training {
    nn::CompactConfig config;
    std::shared_ptr<nn::CompactTransformer> model;
    data::ImagePipeline plain;
    std::unique_ptr<data::ImageBatches> train, valid, test;
    std::unique_ptr<Probes> probes;
};

Result<void> makeModel(api::RunContext& context, Training& training) {
    const auto* parent = context.parent();
    if (!parent) {
        training.model = std::make_shared<nn::CompactTransformer>(training.config);
        return {};
    }
    ESPALIER_TRY(const auto weights, interop::readSafetensors(parent->weights));
    if (training.config.positional != nn::PositionalKind::Learnable && nn::holdsLearnedPositions(weights)) {
        training.config.positional = nn::PositionalKind::Learnable;
        context.warn({parent->weights.filename().string(), 0, "learned_positions",
                      "The weights hold a learned position table: the model keeps a learnable one", Outcome::Kept});
    }
    training.model = std::make_shared<nn::CompactTransformer>(training.config);
    return training.model->loadWeights(weights, parent->weights.string(), true);
}

Result<Training> prepare(api::RunContext& context) {
    const auto& params = context.params();
    const auto& dataset = *context.dataset();
    Training training;
    ESPALIER_TRY(training.config, configFor(params, &dataset));
    ESPALIER_CHECK_OK(training.config.check());
    ESPALIER_CHECK_OK(makeModel(context, training));
    const auto device = context.toDevice(at::empty({0})).device();
    training.model->to(device);
    context.describeModel(nn::trainableParameters(*training.model), training.model->macs());
    training.plain = plainPipeline(dataset, training.config);

    auto& images = context.images();
    auto rows = trainingRows(images, params.integer("train_limit"), context.seed());
    std::vector<std::int64_t> held;
    if (images.rows(feed::Split::Valid).empty()) held = holdOut(rows, params.real("hold_out"), context.seed());
    if (rows.empty()) return fail(ErrorCode::BadInput, "has no training images", dataset.name, "Split it again with a larger train part");
    const int loaders = int(params.integer("loader_threads"));
    const bool dropsLast = params.text("recipe") == "F" && std::int64_t(rows.size()) > params.integer("batch");
    training.train = std::make_unique<data::ImageBatches>(images, feed::Split::Train, trainPipeline(params, training.plain),
                                                          params.integer("batch"), context.seed(), true, dropsLast, loaders, device);
    training.train->restrictTo(rows);
    const auto plainBatches = [&](feed::Split split) {
        return std::make_unique<data::ImageBatches>(images, split, training.plain, kEvaluationBatch, 0, false, false, loaders, device);
    };
    training.valid = plainBatches(held.empty() ? feed::Split::Valid : feed::Split::Train);
    if (!held.empty()) training.valid->restrictTo(std::move(held));
    training.test = plainBatches(feed::Split::Test);
    ESPALIER_CHECK_OK(context.stage("Probes", [&]() -> Result<void> {
        ESPALIER_TRY(training.probes, Probes::pin(context, training.plain, training.config, params.integer("probes")));
        return {};
    }));
    return training;
}

nn::EvalValues splitValues(const char* split, const Evaluation& evaluation) {
    const auto name = [&](const char* metric) { return std::string(split) + "/" + metric; };
    nn::EvalValues values{{name("loss"), evaluation.scores.loss}, {name("top1"), evaluation.scores.top1},
                          {name("top5"), evaluation.scores.top5}, {name("ece"), evaluation.scores.ece}};
    if (evaluation.poolEntropy >= 0) values.emplace_back(name("pool_entropy"), evaluation.poolEntropy);
    return values;
}

std::map<std::string, std::string> weightsMetadata(const Training& training, const feed::DatasetSummary& dataset) {
    auto metadata = training.model->metadata();
    nn::Normalization normalization;
    normalization.size = training.plain.size;
    normalization.channels = training.plain.channels;
    normalization.mean = training.plain.mean;
    normalization.std = training.plain.std;
    metadata["espalier.normalization"] = normalization.toJson();
    nlohmann::json names = nlohmann::json::array();
    for (const auto& each : dataset.classes) names.push_back(each.name);
    metadata["espalier.classes"] = names.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return metadata;
}

nn::LoopSpec loopSpec(api::RunContext& context, Training& training) {
    const auto& params = context.params();
    nn::LoopSpec spec;
    spec.model = training.model;
    spec.groups = parameterGroups(*training.model, params);
    spec.epochs = totalEpochs(params);
    spec.accumulation = params.integer("accumulation");
    spec.clipNorm = params.real("clip");
    spec.emaDecay = params.real("ema");
    spec.logEvery = params.integer("log_every");
    spec.checkpointEverySteps = params.integer("checkpoint_every");
    spec.batches = training.train.get();
    spec.learningRate = [params](std::int64_t, double epoch) { return rateOf(params, std::int64_t(std::floor(epoch))); };
    spec.bestSeries = std::string(feed::names::kValidTop1);
    spec.isBestHighest = true;
    spec.metadata = weightsMetadata(training, *context.dataset());

    const data::MixSpec mix{params.real("mixup"), params.real("cutmix"), 0.5, params.real("label_smoothing")};
    const auto mixOff = params.integer("mixup_off");
    spec.step = [&context, &training, mix, mixOff, isMarked = false](const nn::Batch& given, std::int64_t step,
                                                                     std::int64_t epoch) mutable -> Result<nn::StepOutput> {
        auto batch = given;
        const auto labels = given.targets;
        const bool isMixing = mix.isOn() && (mixOff == 0 || epoch < mixOff);
        if (mix.isOn() && !isMixing && !isMarked) {
            if (epoch == mixOff) context.mark(step, "mixup_off", "mixup off");
            isMarked = true;
        }
        // The first row of a batch differs from batch to batch, also inside an accumulation.
        if (isMixing)
            data::mixBatch(batch, mix, training.config.classes, context.seed(), epoch, batch.rowIds[0].item<std::int64_t>());
        const auto logits = training.model->forward(batch.inputs);
        nn::StepOutput output;
        output.loss = isMixing ? nn::softCrossEntropy(logits, batch.targets)
                               : nn::smoothedCrossEntropy(logits, labels, mix.smoothing);
        at::NoGradGuard noGrad;
        output.correct = logits.argmax(1).eq(labels).sum();
        output.items = batch.size();
        return output;
    };
    if (training.valid->itemsPerEpoch() > 0)
        spec.evaluate = [&context, &training](std::int64_t) -> Result<nn::EvalValues> {
            ESPALIER_TRY(const auto evaluation, evaluateSplit(context, *training.model, *training.valid, false));
            return splitValues("valid", evaluation);
        };
    const auto every = params.integer("probe_every"), last = spec.epochs - 1;
    spec.probe = [&context, &training, every, last](std::int64_t epoch, std::int64_t step) -> Result<void> {
        if (epoch % every != 0 && epoch != last) return {};
        return training.probes ? training.probes->record(context, *training.model, epoch, step) : Result<void>();
    };
    return spec;
}

Result<void> reportTest(api::RunContext& context, Training& training, std::int64_t step) {
    if (context.images().rows(feed::Split::Test).empty()) return {};
    training.model->eval();
    ESPALIER_TRY(const auto evaluation, evaluateSplit(context, *training.model, *training.test, true));
    for (const auto& [name, value] : splitValues("test", evaluation))
        if (name != "test/pool_entropy") context.scalar(name, step, value);
    const auto& scores = evaluation.scores;
    const auto classes = training.config.classes;
    context.array(feed::arrays::kConfusionTest, step, -1,
                  at::from_blob(const_cast<std::int64_t*>(scores.confusion.data()), {classes, classes}, at::kLong), feed::ArrayType::Int64);
    context.array(feed::arrays::kTestCorrect, step, -1,
                  at::from_blob(const_cast<std::uint8_t*>(scores.isCorrect.data()), {scores.items}, at::kByte), feed::ArrayType::UInt8);
    context.array("test/embeddings", step, -1, evaluation.embeddings);
    return {};
}

Result<void> CompactTransformersRecipe::run(api::RunContext& context) {
    ESPALIER_TRY(auto training, prepare(context));
    auto spec = loopSpec(context, training);
    ESPALIER_CHECK_OK(context.train(spec));
    if (context.wasStopped()) return {};
    const auto steps = (training.train->batchesPerEpoch() + spec.accumulation - 1) / spec.accumulation * spec.epochs;
    return context.stage("Test", [&] { return reportTest(context, training, steps); });
}

/// Hands wanted intermediates to the context, attention also under the short name "attn.<i>".
class PredictTaps : public nn::TapSink {
public:
    explicit PredictTaps(api::PredictContext& context) : m_context(context) {}
    bool wants(const std::string& name) const override { return m_context.wants(name) || m_context.wants(shortName(name)); }
    void take(const std::string& name, const at::Tensor& value) override {
        if (m_context.wants(name)) m_context.output(name, value);
        const auto brief = shortName(name);
        if (brief != name && m_context.wants(brief)) m_context.output(brief, value);
    }

private:
    static std::string shortName(const std::string& name) {
        const bool isMap = name.rfind("block.", 0) == 0 && name.size() > 11 && name.compare(name.size() - 5, 5, ".attn") == 0;
        return isMap ? "attn." + name.substr(6, name.size() - 11) : name;
    }
    api::PredictContext& m_context;
};

Result<nn::CompactConfig> configOfWeights(api::PredictContext& context, const at::Tensor& inputs) {
    const auto& weights = context.weights();
    if (const auto own = weights.metadata.find("espalier.architecture"); own != weights.metadata.end())
        return nn::CompactConfig::fromJson(own->second);
    // A file of the reference implementation says nothing of itself: shapes and the parameters decide.
    const auto firstOf = [&](std::initializer_list<const char*> names) -> const at::Tensor* {
        for (const auto* name : names)
            if (const auto* found = weights.find(name)) return found;
        return nullptr;
    };
    const auto* head = firstOf({"classifier.fc.weight", "head.weight"});
    const auto* tokenizer = firstOf({"tokenizer.conv_layers.0.0.weight", "tokenizer_0.weight"});
    if (!head || !tokenizer || head->dim() != 2 || tokenizer->dim() != 4)
        return fail(ErrorCode::BadInput, "holds no compact transformer: its head or tokenizer is missing", context.weightsPath(),
                    "Choose weights of a ViT-Lite, CVT or CCT");
    auto params = context.params();
    const auto side = params.integer("image_size") > 0 ? params.integer("image_size") : inputs.size(2);
    ESPALIER_TRY(auto config, compact_transformers::configFor(params, side, tokenizer->size(1), head->size(0)));
    if (nn::holdsLearnedPositions(weights)) config.positional = nn::PositionalKind::Learnable;
    return config;
}

Result<void> CompactTransformersRecipe::predict(api::PredictContext& context) {
    const auto inputs = context.inputs();
    if (inputs.dim() != 4)
        return fail(ErrorCode::BadInput, "the input has " + std::to_string(inputs.dim()) + " dimensions, images have four: B, C, H, W", "--input");
    ESPALIER_TRY(const auto config, configOfWeights(context, inputs));
    ESPALIER_CHECK_OK(config.check());
    if (inputs.size(1) != config.channels || inputs.size(2) != config.imageSize || inputs.size(3) != config.imageSize)
        return fail(ErrorCode::BadInput,
                    "the images are " + std::to_string(inputs.size(1)) + "×" + std::to_string(inputs.size(2)) + "×" +
                        std::to_string(inputs.size(3)) + ", the model takes " + std::to_string(config.channels) + "×" +
                        std::to_string(config.imageSize) + "×" + std::to_string(config.imageSize),
                    "--input", "Resize the images or name the right --image_size");
    nn::CompactTransformer model(config);
    ESPALIER_CHECK_OK(model.loadWeights(context.weights(), context.weightsPath()));
    model.eval();
    at::NoGradGuard noGrad;
    PredictTaps taps(context);
    nn::TapScope scope(&taps);
    const auto pooled = model.pool(model.encode(model.embed(inputs)));
    context.output("embeddings", pooled.summary);
    context.output("logits", model.classify(pooled));
    return {};
}

}  // namespace

Result<nn::CompactConfig> configFor(const api::Params& params, std::int64_t side, std::int64_t channels, std::int64_t classes) {
    nn::CompactConfig config;
    config.imageSize = side;
    config.channels = channels;
    config.classes = classes;
    if (params.text("variant") != "custom") {
        const auto named = nn::namedCompactConfig(params.text("variant"), config);
        if (!named) return fail(ErrorCode::BadInput, "\"" + params.text("variant") + "\" is not a known variant", "variant");
        config = *named;
    } else {
        const auto& family = params.text("family");
        config.family = family == "ViT-Lite" ? nn::CompactFamily::VitLite : family == "CVT" ? nn::CompactFamily::Cvt : nn::CompactFamily::Cct;
        config.layers = params.integer("layers");
        config.width = params.integer("width");
        config.heads = params.integer("heads");
        config.mlpRatio = params.integer("mlp_ratio");
        config.kernel = params.integer("kernel");
        config.convs = params.integer("convs");
        config.innerPlanes = params.integer("inner_planes");
    }
    const auto& positional = params.text("positional_embedding");
    config.positional = positional == "sine" ? nn::PositionalKind::Sine
                        : positional == "none" ? nn::PositionalKind::None : nn::PositionalKind::Learnable;
    config.stochasticDepth = params.real("stochastic_depth");
    config.dropout = params.real("dropout");
    config.attentionDropout = params.real("attention_dropout");
    return config;
}

std::int64_t totalEpochs(const api::Params& params) {
    return params.integer("epochs") + (params.text("recipe") == "F" ? params.integer("cooldown") : 0);
}

double rateOf(const api::Params& params, std::int64_t epoch) {
    const double lr = params.real("lr");
    if (params.text("recipe") == "F")
        return nn::cosineEpochRate(lr, params.real("min_lr"), params.real("min_lr"), epoch, params.integer("warmup"), params.integer("epochs"));
    return nn::quickRate(lr, epoch, params.integer("warmup"), params.integer("epochs"));
}

data::ImagePipeline trainPipeline(const api::Params& params, const data::ImagePipeline& plain) {
    auto pipeline = plain;
    auto kind = params.text("augment");
    const bool isFull = params.text("recipe") == "F";
    if (kind == "auto") {
        const bool isPaper = params.scale() == api::Scale::Paper;
        kind = isFull ? "randaugment" : params.text("recipe") == "Q" && isPaper ? "autoaugment" : "crop+flip";
    }
    if (kind == "none") return pipeline;
    pipeline.isAugmented = true;
    pipeline.autoAugment = kind == "autoaugment" ? "cifar10" : kind == "randaugment" ? "rand-m9-mstd0.5-inc1" : "none";
    if (isFull) pipeline.cropScaleMin = 0.8;
    else pipeline.cropPadding = std::max(1, plain.size / 8);
    const auto& flip = params.text("flip");
    pipeline.isFlipped = flip == "on" || (flip == "auto" && plain.channels == 3);
    pipeline.erasing = params.real("erasing");
    return pipeline;
}

}  // namespace espalier::recipes::compact_transformers

namespace espalier::api {

Result<void> registerCompactTransformers(RecipeRegistry& registry) {
    return registry.add(recipes::compact_transformers::card(),
                        [] { return std::make_unique<recipes::compact_transformers::CompactTransformersRecipe>(); });
}

}  // namespace espalier::api
