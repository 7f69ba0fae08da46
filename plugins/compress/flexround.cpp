// FlexRound: Learnable Rounding based on Element-wise Division for Post-Training Quantization — Lee, Kim, Kwon, Lee, 2023.
// https://arxiv.org/abs/2306.00317, reference implementation: github robotseye/FlexRound_LRQ.
//
// Differs from the paper in: see `deviations` in flexround_card.cpp.
#include "plugins/compress/flexround.h"

#include "plugins/compress/flexround_job.h"

namespace espalier::recipes::flexround {
namespace {

class FlexRoundRecipe : public api::Recipe {
public:
    Result<void> check(const api::Params& params, const feed::DatasetSummary* dataset) const override {
        if (dataset && dataset->classes.empty())
            return fail(ErrorCode::BadInput, "has no labels to measure accuracy with", dataset->name, "Choose a labelled data set");
        if (const auto bits = params.integer("activation_bits"); bits > 16 && bits < 32)
            return fail(ErrorCode::BadInput, "activations of " + std::to_string(bits) + " bits are not offered", "activation_bits",
                        "Use 2 to 16, or 32 to leave them float");
        return {};
    }
    Result<api::Forecast> forecast(const api::Params& params, const feed::DatasetSummary*) const override {
        api::Forecast forecast;
        std::int64_t learned = 0;
        for (const auto& option : optionsOf(params)) learned += option.method != "rtn";
        forecast.steps = learned * params.integer("iterations");
        forecast.items = forecast.steps * params.integer("recon_batch");
        forecast.modelText = std::to_string(optionsOf(params).size()) + " points";
        return forecast;
    }
    Result<void> run(api::RunContext& context) override {
        const auto* parent = context.parent();
        if (!parent) return fail(ErrorCode::BadInput, "needs a finished run or weights to start from", "--from");
        ESPALIER_TRY(const auto weights, interop::readSafetensors(parent->weights));
        ESPALIER_TRY(auto loaded, nn::loadImageClassifier(weights, parent->weights.string()));
        return Job(context, std::move(loaded)).run();
    }
};

}  // namespace
}  // namespace espalier::recipes::flexround

namespace espalier::api {

Result<void> registerFlexRound(RecipeRegistry& registry) {
    return registry.add(recipes::flexround::card(), [] { return std::make_unique<recipes::flexround::FlexRoundRecipe>(); });
}

}  // namespace espalier::api
