#include "plugins/compress/flexround.h"

#include <algorithm>
#include <random>

namespace espalier::recipes::flexround {

using api::boolean;
using api::choice;
using api::choiceList;
using api::integer;
using api::integerList;
using api::real;
using std::string;

namespace {

std::int64_t whole(std::int64_t value) { return value; }
std::vector<std::int64_t> widths(std::initializer_list<std::int64_t> values) { return values; }
std::vector<string> words(std::initializer_list<string> values) { return values; }

api::ParamSchema schema() {
    return api::ParamSchema({
        choiceList("methods", "Quantizer", "One point a method and width", {"rtn", "adaround", "adaquant", "flexround"})
            .defaults(words({"rtn", "adaround", "flexround"}), words({"rtn", "adaround", "flexround"}), words({"rtn", "flexround"})),
        integerList("bits", "Quantizer", "Widths of the weights").in("bits").range(2, 8)
            .defaults(widths({4, 3, 2}), widths({8, 4, 3}), widths({4})),
        choice("granularity", "Quantizer", "One grid for the tensor, or one an output channel", {"tensor", "channel"})
            .defaults(string("tensor"), string("channel"), string("channel")),
        boolean("symmetric", "Quantizer", "No zero point").defaults(false),
        choice("grid", "Quantizer", "How the starting grid is laid", {"search", "minmax"})
            .hints({"shrink factors and zero points, least |error|^2.4", "range of the weights"}).defaults(string("search")),
        integer("activation_bits", "Quantizer", "Width of activations; 32 leaves them float").in("bits").range(2, 32).defaults(whole(32)),
        choice("unit", "Reconstruction", "What is reconstructed at a time", {"layer", "block"}).defaults(string("block"), string("layer"), string("layer")),
        choice("setting", "Reconstruction", "Input of a unit: quantized (B) or mixed with float (Q)", {"Q", "B"}).defaults(string("Q")),
        integer("iterations", "Reconstruction", "Steps a unit").range(1, 100000).defaults(whole(5000), whole(800), whole(20)),
        integer("recon_batch", "Reconstruction", "Images a step").range(1, 4096).defaults(whole(32), whole(32), whole(16)),
        real("lr", "Reconstruction", "FlexRound's Adam rate, cosine to 0").range(1e-6, 1e-1).log().defaults(2e-3),
        real("adaround_lr", "Reconstruction", "AdaRound's Adam rate").range(1e-6, 1).log().defaults(1e-2).advanced(),
        real("adaround_lambda", "Reconstruction", "Weight of AdaRound's regulariser").range(0, 100).defaults(1e-2).advanced(),
        boolean("keep_best", "Reconstruction", "Keep the best iterate on the calibration set, else the last").defaults(true).advanced(),
        boolean("learn_s1", "Reconstruction", "FlexRound learns the grid size").defaults(true).advanced(),
        boolean("learn_s2", "Reconstruction", "FlexRound learns a divisor a weight").defaults(true).advanced(),
        boolean("learn_s3", "Reconstruction", "FlexRound learns a divisor an output channel").defaults(true).advanced(),
        boolean("learn_s4", "Reconstruction", "FlexRound learns a divisor an input channel (convolutions)").defaults(true).advanced(),
        integer("calibration", "Data", "Training images to calibrate on").range(1, 100000).defaults(whole(1024), whole(256), whole(32)),
        choice("split", "Data", "What the points are measured on", {"test", "valid"}).defaults(string("test")),
        boolean("sensitivity", "Data", "Also measure each layer alone at each width, on the calibration images").defaults(true),
    });
}

}  // namespace

api::RecipeCard card() {
    api::RecipeCard card;
    card.id = kId;
    card.name = "FlexRound";
    card.title = "FlexRound: Learnable Rounding based on Element-wise Division for Post-Training Quantization";
    card.year = 2023;
    card.paperLink = "arXiv 2306.00317";
    card.codeLink = "github robotseye/FlexRound_LRQ";
    card.about =
        "Quantizes a finished model from a few hundred calibration images. Every weight is divided by its own learned "
        "scale before rounding, so large weights can move several levels. Round-to-nearest, AdaRound and AdaQuant stand beside it.";
    card.kinds = {"quantize"};
    card.domains = {"image"};
    card.schema = schema();
    card.accepts = {api::DatasetKind::Images};
    card.needsParentRun = true;
    card.parentKinds = {"pretrain", "finetune"};
    card.outputs = {"recon/*", "quant/*", "tradeoff/*", "test/top1", "test/loss", "valid/top1", "valid/loss"};
    card.deviations = {
        "the best iterate on the calibration set is kept, layer by layer even that of each output channel, for which the "
        "grid size of a tensor is learned during the first tenth of the steps only; the reference keeps the last one (keep_best off)",
        "s1 is s1_init times exp(l1), so the start is round-to-nearest bit for bit",
        "the symmetric scale search scores candidates with their own step; the reference scores them with step 1",
        "above 4 bits the search tries the zero points near the balanced one only"};
    card.deskTime = "1:10";
    return card;
}

std::vector<Option> optionsOf(const api::Params& params) {
    std::vector<Option> options;
    const auto isKnown = [&](const std::string& method, std::int64_t bits) {
        return std::any_of(options.begin(), options.end(), [&](const Option& each) { return each.method == method && each.bits == bits; });
    };
    for (const auto bits : params.integers("bits"))
        for (const auto& method : params.texts("methods"))
            if (!isKnown(method, bits)) options.push_back({int(options.size()), method, int(bits)});
    return options;
}

std::vector<std::int64_t> calibrationRows(data::ImageSource& images, std::int64_t count, std::int64_t seed) {
    auto rows = images.rows(feed::Split::Train);
    std::mt19937_64 random(static_cast<std::uint64_t>(seed) + 0x5851F42D4C957F2Dull);
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random() % i]);
    if (std::int64_t(rows.size()) > count) rows.resize(std::size_t(count));
    return rows;
}

quant::QuantizeSpec specFor(const api::Params& params, const Option& option, std::int64_t seed) {
    quant::QuantizeSpec spec;
    spec.method = option.method;
    spec.grid = {option.bits, params.text("granularity") == "channel", params.boolean("symmetric"), params.text("grid") == "search"};
    spec.activationBits = int(params.integer("activation_bits"));
    spec.isByBlock = params.text("unit") == "block";
    spec.reconstruction.iterations = params.integer("iterations");
    spec.reconstruction.batch = params.integer("recon_batch");
    spec.reconstruction.learningRate = params.real("lr");
    spec.reconstruction.keepsBest = params.boolean("keep_best");
    spec.reconstruction.mixProbability = params.text("setting") == "Q" ? 0.5 : 1.0;
    spec.reconstruction.seed = seed * 1000003 + option.index;
    spec.adaRoundRate = params.real("adaround_lr");
    spec.adaRoundLambda = params.real("adaround_lambda");
    spec.factors = {params.boolean("learn_s1"), params.boolean("learn_s2"), params.boolean("learn_s3"), params.boolean("learn_s4")};
    return spec;
}

}  // namespace espalier::recipes::flexround
