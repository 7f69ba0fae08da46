#pragma once

#include <chrono>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>

#include "engine/api/blocks.h"
#include "engine/api/recipe_registry.h"
#include "engine/api/run_context.h"
#include "engine/feed/metric_names.h"

namespace espalier::tests {

/// Batches of random vectors; a pure function of (seed, epoch, batch).
class FakeBatches : public nn::BatchSource {
public:
    FakeBatches(std::int64_t seed, std::int64_t batches, std::int64_t batchSize, std::int64_t width = 4)
        : m_seed(seed), m_batches(batches), m_batchSize(batchSize), m_width(width) {}
    std::int64_t batchesPerEpoch() const override { return m_batches; }
    std::int64_t itemsPerEpoch() const override { return m_batches * m_batchSize; }
    void begin(std::int64_t epoch, std::int64_t firstBatch) override {
        m_epoch = epoch;
        m_next = firstBatch;
    }
    Result<nn::Batch> next() override {
        nn::Batch batch;
        if (m_next >= m_batches) return batch;
        auto generator = at::make_generator<at::CPUGeneratorImpl>(
            static_cast<std::uint64_t>(m_seed * 1'000'003 + m_epoch * 1'009 + m_next));
        batch.inputs = at::randn({m_batchSize, m_width}, generator);
        batch.targets = (batch.inputs.sum(1) > 0).to(at::kLong);
        batch.rowIds = at::arange(m_next * m_batchSize, (m_next + 1) * m_batchSize, at::kLong);
        ++m_next;
        return batch;
    }

private:
    std::int64_t m_seed, m_batches, m_batchSize, m_width, m_epoch = 0, m_next = 0;
};

/// Two layers with dropout between them, so that a resumed run shows whether the generator came back.
struct FakeNetImpl : torch::nn::Module {
    explicit FakeNetImpl(std::int64_t width = 4) {
        first = register_module("first", torch::nn::Linear(width, 8));
        norm = register_module("norm", torch::nn::BatchNorm1d(8));
        drop = register_module("drop", torch::nn::Dropout(0.3));
        last = register_module("last", torch::nn::Linear(8, 2));
    }
    at::Tensor forward(const at::Tensor& x) { return last(drop(norm(at::relu(first(x))))); }
    torch::nn::Linear first{nullptr}, last{nullptr};
    torch::nn::BatchNorm1d norm{nullptr};
    torch::nn::Dropout drop{nullptr};
};
TORCH_MODULE(FakeNet);

/// A recipe that does on command what recipes do when things go wrong.
class FakeRecipe : public api::Recipe {
public:
    static api::RecipeCard card() {
        using namespace api;
        RecipeCard card;
        card.id = "900-fake";
        card.name = "Fake";
        card.title = "A recipe for tests";
        card.kinds = {"pretrain"};
        card.domains = {"image"};
        card.outputs = {"train/*", "valid/*", "test/*"};
        card.schema = ParamSchema({
            integer("epochs", "Training", "Passes").range(1, 1000).defaults(std::int64_t(3)),
            integer("batches", "Training", "Batches an epoch").range(1, 100000).defaults(std::int64_t(10)),
            integer("batch_size", "Training", "Items a batch").range(1, 1000).defaults(std::int64_t(8)),
            integer("accumulation", "Training", "Batches a step").range(1, 64).defaults(std::int64_t(1)),
            integer("log_every", "Training", "Steps a point").range(1, 1000).defaults(std::int64_t(1)),
            integer("checkpoint_every", "Training", "Steps a checkpoint").range(0, 1000).defaults(std::int64_t(0)),
            real("ema", "Training", "Decay").range(0, 1).defaults(0.9),
            integer("step_ms", "Trouble", "Sleep in each step").range(0, 10000).defaults(std::int64_t(0)),
            integer("at_step", "Trouble", "Where trouble starts").range(-1, 100000).defaults(std::int64_t(-1)),
            choice("trouble", "Trouble", "What happens there",
                   {"none", "error", "throw", "torch", "memory", "nan", "weights"})
                .defaults(std::string("none")),
            boolean("own_loop", "Trouble", "Counts in a loop of its own").defaults(false),
        });
        return card;
    }
    static Result<void> addTo(api::RecipeRegistry& registry) {
        return registry.add(card(), [] { return std::make_unique<FakeRecipe>(); });
    }

    Result<void> check(const api::Params& params, const feed::DatasetSummary*) const override {
        if (params.integer("batches") == 13)
            return fail(ErrorCode::BadInput, "13 batches are bad luck", "batches", "Use another number");
        return {};
    }
    Result<api::Forecast> forecast(const api::Params& params, const feed::DatasetSummary*) const override {
        api::Forecast forecast;
        forecast.params = 4 * 8 + 8 + 16 + 8 * 2 + 2;
        forecast.macsPerItem = 4 * 8 + 8 * 2;
        forecast.steps = params.integer("epochs") * params.integer("batches");
        forecast.items = forecast.steps * params.integer("batch_size");
        return forecast;
    }

    Result<void> run(api::RunContext& context) override {
        if (context.params().boolean("own_loop")) return ownLoop(context);
        FakeNet net;
        FakeBatches batches(context.seed(), context.params().integer("batches"),
                            context.params().integer("batch_size"));
        auto spec = loop(context, net, batches);
        ESPALIER_CHECK_OK(context.stage("Train", [&] { return context.train(spec); }));
        if (context.wasStopped()) return {};
        return context.stage("Test", [&]() -> Result<void> {
            at::NoGradGuard noGrad;
            context.scalar(feed::names::kTestLoss, context.params().integer("epochs"),
                           net->forward(at::ones({3, 4})).sum().item<double>());
            return {};
        });
    }

private:
    static void trouble(const api::Params& params, FakeNet& net, nn::StepOutput& output) {
        const auto& kind = params.text("trouble");
        if (kind == "throw") throw std::runtime_error("thrown on command");
        if (kind == "torch") at::ones({2, 3}).mm(at::ones({2, 3}));
        if (kind == "memory") throw std::bad_alloc();
        if (kind == "nan") output.loss = output.loss * std::numeric_limits<double>::quiet_NaN();
        if (kind == "weights") {
            at::NoGradGuard noGrad;
            net->last->bias.fill_(std::numeric_limits<float>::infinity());
        }
    }

    static nn::LoopSpec loop(api::RunContext& context, FakeNet& net, FakeBatches& batches) {
        const auto& params = context.params();
        nn::LoopSpec spec;
        spec.model = net.ptr();
        spec.groups = {{net->parameters(), 1.0, 0.01}};
        spec.learningRate = [](std::int64_t step, double) { return 0.01 / (1.0 + 0.01 * static_cast<double>(step)); };
        spec.epochs = params.integer("epochs");
        spec.accumulation = params.integer("accumulation");
        spec.logEvery = params.integer("log_every");
        spec.checkpointEverySteps = params.integer("checkpoint_every");
        spec.emaDecay = params.real("ema");
        spec.clipNorm = 1.0;
        spec.batches = &batches;
        spec.metadata = {{"architecture", "fake"}};
        spec.step = [&context, net](const nn::Batch& batch, std::int64_t step,
                                    std::int64_t) mutable -> Result<nn::StepOutput> {
            const auto& params = context.params();
            if (params.integer("step_ms") > 0)
                std::this_thread::sleep_for(std::chrono::milliseconds(params.integer("step_ms")));
            const auto logits = net->forward(batch.inputs);
            nn::StepOutput output;
            output.loss = torch::nn::functional::cross_entropy(logits, batch.targets);
            output.correct = (logits.argmax(1) == batch.targets).sum();
            output.items = batch.size();
            if (step == params.integer("at_step")) {
                if (params.text("trouble") == "error")
                    return fail(ErrorCode::BadInput, "the fake recipe fails on command", "at_step");
                trouble(params, net, output);
            }
            return output;
        };
        spec.evaluate = [&context, net](std::int64_t) mutable -> Result<nn::EvalValues> {
            auto generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(context.seed()));
            const auto inputs = at::randn({64, 4}, generator);
            const auto targets = (inputs.sum(1) > 0).to(at::kLong);
            const auto logits = net->forward(inputs);
            return nn::EvalValues{
                {"valid/loss", torch::nn::functional::cross_entropy(logits, targets).item<double>()},
                {"valid/top1", (logits.argmax(1) == targets).to(at::kFloat).mean().item<double>()}};
        };
        return spec;
    }

    static Result<void> ownLoop(api::RunContext& context) {
        return context.stage("Count", [&]() -> Result<void> {
            const auto total = context.params().integer("batches");
            for (std::int64_t i = 0; i < total; ++i) {
                if (!context.keepGoing()) return {};
                if (context.params().integer("step_ms") > 0)
                    std::this_thread::sleep_for(std::chrono::milliseconds(context.params().integer("step_ms")));
                context.scalar("valid/count", i, static_cast<double>(i));
                context.progress("item", i + 1, total);
            }
            return {};
        });
    }
};

}  // namespace espalier::tests
