#include "engine/runtime/predict_inputs.h"

#include <algorithm>
#include <filesystem>

#include "engine/data/image_pipeline.h"
#include "engine/data/store_image_source.h"
#include "engine/intake/npy_reader.h"
#include "engine/intake/zip_reader.h"
#include "engine/interop/safetensors.h"
#include "engine/nn/model_io.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

class TensorInputs : public PredictInputs {
public:
    explicit TensorInputs(at::Tensor values) : m_values(std::move(values)) {}
    std::int64_t size() const override { return m_values.size(0); }
    Result<at::Tensor> rows(std::int64_t first, std::int64_t count) override {
        return m_values.slice(0, first, first + count).contiguous();
    }

private:
    at::Tensor m_values;
};

class DatasetInputs : public PredictInputs {
public:
    DatasetInputs(std::shared_ptr<intake::DatasetStore> store, const data::ImagePipeline& pipeline)
        : m_store(store), m_images(std::move(store)), m_pipeline(pipeline), m_runner(pipeline) {}
    std::int64_t size() const override { return m_store->size(); }
    Result<at::Tensor> rows(std::int64_t first, std::int64_t count) override {
        auto batch = at::empty({count, m_pipeline.channels, m_pipeline.size, m_pipeline.size}, at::kFloat);
        for (std::int64_t i = 0; i < count; ++i) {
            ESPALIER_TRY(auto picture, m_images.image(first + i));
            m_runner.run(std::move(picture), 0, 0, first + i,
                         batch.mutable_data_ptr<float>() + i * m_runner.valuesPerImage());
        }
        return batch;
    }
    nn::NamedTensors facts() const override {
        auto labels = at::empty({size()}, at::kLong), splits = at::empty({size()}, at::kLong);
        for (std::int64_t row = 0; row < size(); ++row) {
            const auto info = m_store->info(row);
            labels.mutable_data_ptr<std::int64_t>()[row] = info.label;
            splits.mutable_data_ptr<std::int64_t>()[row] = static_cast<std::int64_t>(info.split);
        }
        nn::NamedTensors facts;
        facts.add("labels", labels);
        facts.add("splits", splits);
        return facts;
    }

private:
    std::shared_ptr<intake::DatasetStore> m_store;
    data::StoreImageSource m_images;
    data::ImagePipeline m_pipeline;
    data::PipelineRunner m_runner;
};

Result<std::unique_ptr<PredictInputs>> tensorInputs(Result<at::Tensor> tensor, const std::string& where) {
    if (!tensor) return fail(std::move(tensor).error());
    if (tensor->dim() < 1 || tensor->size(0) == 0) return fail(ErrorCode::BadInput, "holds no rows", where);
    return std::unique_ptr<PredictInputs>(std::make_unique<TensorInputs>(tensor->to(at::kFloat)));
}

Result<at::Tensor> readNpyTensor(intake::ByteSource& source) {
    ESPALIER_TRY(const auto header, intake::readNpyHeader(source));
    ESPALIER_CHECK_OK(intake::checkNpyNumbers(header, source.where()));
    ESPALIER_TRY(const auto values, intake::readNpyNumbers(source, header));
    auto tensor = at::empty(header.shape, at::kFloat);
    std::transform(values.begin(), values.end(), tensor.mutable_data_ptr<float>(),
                   [](double value) { return static_cast<float>(value); });
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
    return readNpyTensor(*source);
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

Result<std::unique_ptr<PredictInputs>> datasetInputs(Workspace& workspace, const std::string& text,
                                                     const nn::NamedTensors& weights, const api::Params& params) {
    ESPALIER_TRY(const auto summary, workspace.findDataset(text));
    if (summary.kind != "images")
        return fail(ErrorCode::BadInput, "prediction needs images, and this data set holds a " + summary.kind,
                    summary.name, "Give an array file");
    data::ImagePipeline pipeline;
    if (const auto own = weights.metadata.find("espalier.normalization"); own != weights.metadata.end()) {
        ESPALIER_TRY(const auto normalization, nn::Normalization::fromJson(own->second));
        pipeline.size = normalization.size;
        pipeline.channels = normalization.channels;
        pipeline.mean = normalization.mean;
        pipeline.std = normalization.std;
    } else {
        pipeline.channels = summary.shape.size() == 3 && summary.shape[0] == 1 ? 1 : 3;
        if (summary.shape.size() == 3) pipeline.size = static_cast<int>(std::max(summary.shape[1], summary.shape[2]));
        if (params.has("image_size") && params.integer("image_size") > 0)
            pipeline.size = static_cast<int>(params.integer("image_size"));
        if (summary.channelMean.size() == static_cast<std::size_t>(pipeline.channels)) {
            pipeline.mean.assign(summary.channelMean.begin(), summary.channelMean.end());
            pipeline.std.assign(summary.channelStd.begin(), summary.channelStd.end());
        }
    }
    ESPALIER_TRY(auto store, workspace.impl().datasetStore(summary.id));
    return std::unique_ptr<PredictInputs>(std::make_unique<DatasetInputs>(std::move(store), pipeline));
}

}  // namespace

Result<std::unique_ptr<PredictInputs>> openPredictInputs(Workspace& workspace, const std::string& input,
                                                         const nn::NamedTensors& weights, const api::Params& params) {
    const fs::path path(input);
    std::error_code ignored;
    const auto extension = path.extension();
    if (extension != ".npy" && extension != ".npz" && extension != ".safetensors")
        return datasetInputs(workspace, input, weights, params);
    if (!fs::is_regular_file(path, ignored))
        return fail(ErrorCode::NotFound, "there is no such input file", input, "Check the path");
    if (extension == ".safetensors") return tensorInputs(readSafetensorsInput(path), input);
    if (extension == ".npz") return tensorInputs(readNpz(path), input);
    ESPALIER_TRY(const auto source, intake::openFileBytes(path));
    return tensorInputs(readNpyTensor(*source), input);
}

}  // namespace espalier::runtime
