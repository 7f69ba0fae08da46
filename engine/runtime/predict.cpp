#include "engine/runtime/predict.h"

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include "engine/api/run_context.h"
#include "engine/api/torch.h"
#include "engine/base/glob.h"
#include "engine/data/store_image_source.h"
#include "engine/intake/npy_reader.h"
#include "engine/intake/zip_reader.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/run_job.h"
#include "engine/runtime/run_plan.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

class PredictContextImpl : public api::PredictContext {
public:
    PredictContextImpl(api::Params params, nn::NamedTensors weights, std::string path, at::Tensor inputs,
                       std::vector<std::string> taps)
        : m_params(std::move(params)), m_weights(std::move(weights)), m_path(std::move(path)),
          m_inputs(std::move(inputs)), m_taps(std::move(taps)) {}

    const api::Params& params() const override { return m_params; }
    const nn::NamedTensors& weights() const override { return m_weights; }
    std::string weightsPath() const override { return m_path; }
    at::Tensor inputs() const override { return m_inputs; }
    bool wants(std::string_view tap) const override {
        return std::any_of(m_taps.begin(), m_taps.end(),
                           [&](const std::string& glob) { return !glob.empty() && globMatches(glob, tap); });
    }
    void output(std::string_view name, const at::Tensor& value) override {
        m_outputs.add(std::string(name), value.detach().to(at::kCPU).contiguous());
    }
    nn::NamedTensors& outputs() { return m_outputs; }

private:
    api::Params m_params;
    nn::NamedTensors m_weights, m_outputs;
    std::string m_path;
    at::Tensor m_inputs;
    std::vector<std::string> m_taps;
};

Result<at::Tensor> readNpyTensor(intake::ByteSource& source, const std::string& where) {
    ESPALIER_TRY(const auto header, intake::readNpyHeader(source));
    ESPALIER_CHECK_OK(intake::checkNpyNumbers(header, where));
    ESPALIER_TRY(const auto values, intake::readNpyNumbers(source, header));
    auto tensor = at::empty(header.shape, at::kFloat);
    std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
    return tensor;
}

bool isInputName(std::string_view name) {
    for (const auto* known : {"input", "inputs", "images", "x", "X", "data", "arr_0"})
        if (name == known) return true;
    return false;
}

Result<at::Tensor> readNpz(const fs::path& path) {
    ESPALIER_TRY(const auto zip, intake::ZipReader::open(path));
    const auto& members = zip->members();
    const intake::ZipMember* chosen = members.size() == 1 ? &members.front() : nullptr;
    for (const auto& member : members)
        if (!chosen && isInputName(fs::path(member.name).stem().string())) chosen = &member;
    if (!chosen)
        return fail(ErrorCode::BadInput, "none of its arrays is named inputs or images", path.string(),
                    "Name the array inputs, or give a .npy file");
    ESPALIER_TRY(const auto source, zip->openMember(*chosen));
    return readNpyTensor(*source, path.string() + "[" + chosen->name + "]");
}

Result<at::Tensor> readSafetensorsInput(const fs::path& path) {
    ESPALIER_TRY(const auto file, interop::readSafetensors(path));
    const at::Tensor* chosen = file.tensors.size() == 1 ? &file.tensors.front().second : nullptr;
    for (const auto& [name, tensor] : file.tensors)
        if (!chosen && isInputName(name)) chosen = &tensor;
    if (!chosen)
        return fail(ErrorCode::BadInput, "none of its tensors is named inputs or images", path.string(),
                    "Name the tensor inputs");
    return chosen->to(at::kFloat);
}

std::vector<float> numbersIn(const nn::NamedTensors& weights, const char* key) {
    const auto found = weights.metadata.find(key);
    if (found == weights.metadata.end()) return {};
    const auto json = nlohmann::json::parse(
        found->second.find('[') == std::string::npos ? "[" + found->second + "]" : found->second, nullptr, false);
    std::vector<float> numbers;
    if (json.is_array())
        for (const auto& value : json)
            if (value.is_number()) numbers.push_back(value.get<float>());
    return numbers;
}

// All pictures of a data set in its order, [B, C, H, W], values 0…1, then normalised as the weights' metadata says.
Result<at::Tensor> readDataset(Workspace& workspace, const std::string& text, const nn::NamedTensors& weights) {
    ESPALIER_TRY(const auto summary, workspace.findDataset(text));
    if (summary.kind != "images")
        return fail(ErrorCode::BadInput, "prediction needs images, and this data set holds a " + summary.kind,
                    summary.name);
    if (!summary.hasOneSize)
        return fail(ErrorCode::BadInput, "its pictures have different sizes", summary.name,
                    "Give an array file of one size");
    ESPALIER_TRY(auto store, workspace.impl().datasetStore(summary.id));
    const data::StoreImageSource images(store);
    std::vector<at::Tensor> rows;
    for (std::int64_t row = 0; row < store->size(); ++row) {
        ESPALIER_TRY(const auto picture, images.image(row));
        auto bytes = at::empty({picture.height, picture.width, picture.channels}, at::kByte);
        std::memcpy(bytes.mutable_data_ptr<std::uint8_t>(), picture.pixels.data(), picture.pixels.size());
        rows.push_back(bytes.permute({2, 0, 1}));
    }
    if (rows.empty()) return fail(ErrorCode::BadInput, "holds no pictures", summary.name);
    auto batch = at::stack(rows).to(at::kFloat).div_(255.0);
    auto mean = numbersIn(weights, "mean"), std = numbersIn(weights, "std");
    if (!mean.empty() && mean.size() == std.size()) {
        const auto channels = static_cast<std::int64_t>(mean.size());
        if (batch.size(1) == 1 && channels == 3) batch = batch.expand({-1, 3, -1, -1}).contiguous();
        if (batch.size(1) == channels)
            batch = batch.sub(at::tensor(mean).view({1, channels, 1, 1})).div(at::tensor(std).view({1, channels, 1, 1}));
    }
    return batch;
}

Result<at::Tensor> readInput(Workspace& workspace, const std::string& input, const nn::NamedTensors& weights) {
    const fs::path path(input);
    std::error_code ignored;
    const auto extension = path.extension();
    if (extension != ".npy" && extension != ".npz" && extension != ".safetensors")
        return readDataset(workspace, input, weights);
    if (!fs::is_regular_file(path, ignored))
        return fail(ErrorCode::NotFound, "there is no such input file", input, "Check the path");
    if (extension == ".safetensors") return readSafetensorsInput(path);
    if (extension == ".npz") return readNpz(path);
    ESPALIER_TRY(const auto source, intake::openFileBytes(path));
    return readNpyTensor(*source, input);
}

Result<void> predict(Workspace& workspace, const api::RecipeRegistry& registry, const PredictRequest& request) {
    std::string recipeId = request.recipe;
    std::map<std::string, std::string> params;
    fs::path weightsPath = request.weights;
    if (!request.run.empty()) {
        ESPALIER_TRY(const auto run, workspace.findRun(request.run));
        recipeId = run.recipe;
        params = run.params;
        if (request.weights.empty()) {
            ESPALIER_TRY(weightsPath, runWeights(run));
        }
    }
    if (weightsPath.empty())
        return fail(ErrorCode::BadInput, "no weights were named", "weights", "Name a run, or a file with --weights");
    ESPALIER_TRY(const auto recipe, registry.create(recipeId));
    const auto* card = registry.find(recipeId);
    ESPALIER_TRY(auto weights, interop::readSafetensors(weightsPath));
    if (request.run.empty()) {
        ESPALIER_TRY(const auto parent, parentFromFile(weightsPath));
        if (parent.recipeId == card->id) params = parent.params;
    }
    RunRequest texts;
    texts.scale = api::Scale::Paper;
    texts.params = params;
    for (const auto& [key, value] : request.params) {
        auto plain = key;
        std::replace(plain.begin(), plain.end(), '-', '_');
        texts.params[plain] = value;
    }
    ESPALIER_TRY(auto checked, requestParams(*card, texts));
    ESPALIER_TRY(auto inputs, readInput(workspace, request.input, weights));
    PredictContextImpl context(std::move(checked), std::move(weights), weightsPath.string(), std::move(inputs),
                               request.taps);
    at::NoGradGuard noGrad;
    ESPALIER_CHECK_OK(recipe->predict(context));
    context.outputs().metadata = {{"recipe", card->id}, {"weights", weightsPath.filename().string()}};
    ESPALIER_CHECK_OK(interop::writeSafetensors(request.output, context.outputs()));
    return {};
}

}  // namespace

Result<void> predictToFile(Workspace& workspace, const api::RecipeRegistry& registry, const PredictRequest& request) {
    return runGuarded("predict", [&] { return predict(workspace, registry, request); });
}

}  // namespace espalier::runtime
