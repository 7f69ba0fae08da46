#include "engine/runtime/predict.h"

#include <algorithm>

#include "engine/api/run_context.h"
#include "engine/api/torch.h"
#include "engine/base/glob.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/predict_inputs.h"
#include "engine/runtime/run_job.h"
#include "engine/runtime/run_plan.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

// Rows a pass: attention maps of one pass are what memory has to hold.
constexpr std::int64_t kRowsAtOnce = 128;

class PredictContextImpl : public api::PredictContext {
public:
    PredictContextImpl(const api::Params& params, const nn::NamedTensors& weights, std::string path,
                       const std::vector<std::string>& taps)
        : m_params(params), m_weights(weights), m_path(std::move(path)), m_taps(taps) {}

    const api::Params& params() const override { return m_params; }
    const nn::NamedTensors& weights() const override { return m_weights; }
    std::string weightsPath() const override { return m_path; }
    at::Tensor inputs() const override { return m_inputs; }
    bool wants(std::string_view tap) const override {
        return std::any_of(m_taps.begin(), m_taps.end(),
                           [&](const std::string& glob) { return !glob.empty() && globMatches(glob, tap); });
    }
    void output(std::string_view name, const at::Tensor& value) override {
        m_parts[std::string(name)].push_back(value.detach().to(at::kCPU).contiguous());
        if (std::find(m_order.begin(), m_order.end(), name) == m_order.end()) m_order.emplace_back(name);
    }

    void give(at::Tensor inputs) { m_inputs = std::move(inputs); }
    /// Pieces that have a row for each input row are joined; of anything else (a position table) the first one stands.
    nn::NamedTensors joined(std::int64_t rows) const {
        nn::NamedTensors outputs;
        for (const auto& name : m_order) {
            const auto& parts = m_parts.at(name);
            std::int64_t total = 0;
            for (const auto& part : parts) total += part.dim() > 0 ? part.size(0) : 0;
            outputs.add(name, total == rows && parts.size() > 1 ? at::cat(parts) : parts.front());
        }
        return outputs;
    }

private:
    const api::Params& m_params;
    const nn::NamedTensors& m_weights;
    std::string m_path;
    const std::vector<std::string>& m_taps;
    at::Tensor m_inputs;
    std::vector<std::string> m_order;
    std::map<std::string, std::vector<at::Tensor>> m_parts;
};

/// Whose weights, with which parameters.
struct Chosen {
    const api::RecipeCard* card = nullptr;
    fs::path weights;
    std::map<std::string, std::string> params;
};

Result<Chosen> choose(Workspace& workspace, const api::RecipeRegistry& registry, const PredictRequest& request) {
    Chosen chosen;
    std::string recipeId = request.recipe;
    chosen.weights = request.weights;
    if (!request.run.empty()) {
        ESPALIER_TRY(const auto run, workspace.findRun(request.run));
        recipeId = run.recipe;
        chosen.params = run.params;
        if (request.weights.empty()) {
            ESPALIER_TRY(chosen.weights, runWeights(run));
        }
    }
    if (chosen.weights.empty())
        return fail(ErrorCode::BadInput, "no weights were named", "weights", "Name a run, or a file with --weights");
    chosen.card = registry.find(recipeId);
    if (!chosen.card) {
        auto missing = registry.create(recipeId);
        return fail(missing ? Error{ErrorCode::NotFound, "there is no recipe of this name", recipeId, {}, {}}
                            : missing.error());
    }
    if (request.run.empty()) {
        ESPALIER_TRY(const auto parent, parentFromFile(chosen.weights));
        if (parent.recipeId == chosen.card->id) chosen.params = parent.params;
    }
    for (const auto& [key, value] : request.params) {
        auto plain = key;
        std::replace(plain.begin(), plain.end(), '-', '_');
        chosen.params[plain] = value;
    }
    return chosen;
}

Result<void> predict(Workspace& workspace, const api::RecipeRegistry& registry, const PredictRequest& request) {
    ESPALIER_TRY(const auto chosen, choose(workspace, registry, request));
    RunRequest texts;
    texts.scale = api::Scale::Paper;
    texts.params = chosen.params;
    ESPALIER_TRY(const auto params, requestParams(*chosen.card, texts));
    ESPALIER_TRY(const auto weights, interop::readSafetensors(chosen.weights));
    ESPALIER_TRY(const auto recipe, registry.create(chosen.card->id));
    ESPALIER_TRY(const auto inputs, openPredictInputs(workspace, request.input, weights, params));
    PredictContextImpl context(params, weights, chosen.weights.string(), request.taps);
    at::NoGradGuard noGrad;
    for (std::int64_t first = 0; first < inputs->size(); first += kRowsAtOnce) {
        ESPALIER_TRY(auto rows, inputs->rows(first, std::min(kRowsAtOnce, inputs->size() - first)));
        context.give(std::move(rows));
        ESPALIER_CHECK_OK(recipe->predict(context));
    }
    auto outputs = context.joined(inputs->size());
    const auto facts = inputs->facts();
    for (const auto& [name, tensor] : facts.tensors) outputs.add(name, tensor);
    outputs.metadata = {{"recipe", chosen.card->id}, {"weights", chosen.weights.filename().string()}};
    ESPALIER_TRY(const auto bytes, interop::writeSafetensors(request.output, outputs));
    (void)bytes;
    return {};
}

}  // namespace

Result<void> predictToFile(Workspace& workspace, const api::RecipeRegistry& registry, const PredictRequest& request) {
    return runGuarded("predict", [&] { return predict(workspace, registry, request); });
}

}  // namespace espalier::runtime
