// Softmax regression on pixels: the smallest recipe that trains, evaluates, keeps its best weights and predicts.
// McCullagh and Nelder, Generalized Linear Models, 1989, chapter 5 (multinomial logit).
//
// Differs from the book in: fitted by AdamW on batches instead of iteratively reweighted least squares.
#include <algorithm>
#include <memory>

#include "engine/api/blocks.h"
#include "engine/api/recipe_module.h"
#include "engine/api/run_context.h"
#include "engine/feed/metric_names.h"

namespace example {
namespace {

namespace api = espalier::api;
namespace data = espalier::data;
namespace feed = espalier::feed;
namespace nn = espalier::nn;
using espalier::ErrorCode;
using espalier::fail;
using espalier::Result;

constexpr std::int64_t kEvaluationBatch = 256;

api::RecipeCard card() {
    api::RecipeCard card;
    card.id = "example-softmax";
    card.name = "ExampleSoftmax";
    card.title = "Softmax regression on pixels";
    card.year = 1989;
    card.paperLink = "McCullagh and Nelder, Generalized Linear Models, chapter 5";
    card.about = "One linear layer from pixels to classes. A starting point for a recipe of your own.";
    card.kinds = {"pretrain"};
    card.domains = {"image"};
    card.accepts = {api::DatasetKind::Images};
    card.schema = api::ParamSchema({
        api::integer("epochs", "Training", "Passes over the training data").in("epochs").range(1, 1000)
            .defaults(std::int64_t(20), std::int64_t(20), std::int64_t(2)),
        api::integer("batch", "Training", "Images a step").in("images").range(1, 4096).defaults(std::int64_t(32)),
        api::real("lr", "Training", "Learning rate").range(1e-6, 1).log().defaults(0.01),
        api::real("weight_decay", "Training", "Pull of the weights towards zero").range(0, 1).defaults(1e-4),
    });
    card.outputs = {"train/*", "valid/*", "test/*"};
    card.deviations = {"Fitted by AdamW on batches instead of iteratively reweighted least squares."};
    return card;
}

/// The side that pictures are brought to: their own, so that no pixel is made up.
struct Shape {
    std::int64_t channels = 1, side = 28, classes = 10;
    std::int64_t pixels() const { return channels * side * side; }
};

Shape shapeOf(const feed::DatasetSummary& dataset) {
    Shape shape;
    if (dataset.shape.size() == 3) {
        shape.channels = dataset.shape[0] == 1 ? 1 : 3;
        shape.side = std::max(dataset.shape[1], dataset.shape[2]);
    }
    shape.classes = static_cast<std::int64_t>(dataset.classes.size());
    return shape;
}

struct Model : torch::nn::Module {
    explicit Model(const Shape& shape) {
        linear = register_module("linear", torch::nn::Linear(shape.pixels(), shape.classes));
        torch::nn::init::zeros_(linear->weight);
        torch::nn::init::zeros_(linear->bias);
    }
    at::Tensor forward(const at::Tensor& images) { return linear(images.flatten(1)); }
    torch::nn::Linear linear{nullptr};
};

/// Mean loss and share of right answers over a split.
Result<nn::EvalValues> evaluate(Model& model, data::ImageBatches& batches, const std::string& split) {
    at::NoGradGuard noGrad;
    double loss = 0;
    std::int64_t right = 0, items = 0;
    batches.begin(0, 0);
    for (;;) {
        ESPALIER_TRY(const auto batch, batches.next());
        if (!batch.inputs.defined()) break;
        const auto logits = model.forward(batch.inputs);
        loss += nn::smoothedCrossEntropy(logits, batch.targets, 0).item<double>() * static_cast<double>(batch.size());
        right += logits.argmax(1).eq(batch.targets).sum().item<std::int64_t>();
        items += batch.size();
    }
    if (items == 0) return nn::EvalValues{};
    return nn::EvalValues{{split + "/loss", loss / static_cast<double>(items)},
                          {split + "/top1", static_cast<double>(right) / static_cast<double>(items)}};
}

class Softmax : public api::Recipe {
public:
    Result<void> check(const api::Params&, const feed::DatasetSummary* dataset) const override {
        if (dataset && (dataset->kind != "images" || dataset->classes.empty()))
            return fail(ErrorCode::BadInput, "holds no labelled images", dataset->name, "Choose an image data set with classes");
        return {};
    }

    Result<api::Forecast> forecast(const api::Params& params, const feed::DatasetSummary* dataset) const override {
        api::Forecast forecast;
        if (!dataset) return forecast;
        const auto shape = shapeOf(*dataset);
        forecast.params = (shape.pixels() + 1) * shape.classes;
        forecast.macsPerItem = shape.pixels() * shape.classes;
        forecast.items = dataset->splits[0] * params.integer("epochs");
        forecast.steps = (dataset->splits[0] + params.integer("batch") - 1) / params.integer("batch") * params.integer("epochs");
        forecast.modelText = "one linear layer";
        return forecast;
    }

    Result<void> run(api::RunContext& context) override {
        const auto& params = context.params();
        const auto shape = shapeOf(*context.dataset());
        auto model = std::make_shared<Model>(shape);
        const auto device = context.toDevice(at::empty({0})).device();
        model->to(device);
        context.describeModel((shape.pixels() + 1) * shape.classes, shape.pixels() * shape.classes);

        data::ImagePipeline pipeline;
        pipeline.size = static_cast<int>(shape.side);
        pipeline.channels = static_cast<int>(shape.channels);
        pipeline.mean.assign(static_cast<std::size_t>(shape.channels), 0.5f);
        pipeline.std.assign(static_cast<std::size_t>(shape.channels), 0.5f);
        const auto batchesOf = [&](feed::Split split, std::int64_t size, bool isShuffled) {
            return data::ImageBatches(context.images(), split, pipeline, size, context.seed(), isShuffled, false, 1, device);
        };
        auto train = batchesOf(feed::Split::Train, params.integer("batch"), true);
        auto valid = batchesOf(feed::Split::Valid, kEvaluationBatch, false);
        auto test = batchesOf(feed::Split::Test, kEvaluationBatch, false);

        nn::LoopSpec spec;
        spec.model = model;
        spec.groups = {{model->parameters(), 1.0, params.real("weight_decay")}};
        spec.learningRate = [rate = params.real("lr")](std::int64_t, double) { return rate; };
        spec.epochs = params.integer("epochs");
        spec.batches = &train;
        spec.step = [&](const nn::Batch& batch, std::int64_t, std::int64_t) -> Result<nn::StepOutput> {
            const auto logits = model->forward(batch.inputs);
            nn::StepOutput output;
            output.loss = nn::smoothedCrossEntropy(logits, batch.targets, 0);
            output.correct = logits.detach().argmax(1).eq(batch.targets).sum();
            output.items = batch.size();
            return output;
        };
        if (valid.itemsPerEpoch() > 0) spec.evaluate = [&](std::int64_t) { return evaluate(*model, valid, "valid"); };
        ESPALIER_CHECK_OK(context.train(spec));
        if (context.wasStopped()) return {};
        return context.stage("Test", [&]() -> Result<void> {
            ESPALIER_TRY(const auto values, evaluate(*model, test, "test"));
            for (const auto& [name, value] : values) context.scalar(name, train.batchesPerEpoch() * spec.epochs, value);
            return {};
        });
    }

    Result<void> predict(api::PredictContext& context) override {
        const auto* weight = context.weights().find("linear.weight");
        const auto* bias = context.weights().find("linear.bias");
        const auto inputs = context.inputs().flatten(1);
        if (!weight || !bias || weight->dim() != 2 || weight->size(1) != inputs.size(1))
            return fail(ErrorCode::BadInput, "does not fit the input: no linear layer over as many pixels", context.weightsPath());
        at::NoGradGuard noGrad;
        context.output("logits", at::linear(inputs, *weight, *bias));
        return {};
    }
};

Result<void> registerAll(api::RecipeRegistry& registry) {
    return registry.add(card(), [] { return std::make_unique<Softmax>(); });
}

}  // namespace
}  // namespace example

ESPALIER_RECIPE_MODULE(example::registerAll)
