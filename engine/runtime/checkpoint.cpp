#include "engine/runtime/checkpoint.h"

#include <nlohmann/json.hpp>

#include "engine/api/torch.h"
#include "engine/base/files.h"
#include "engine/interop/safetensors.h"

namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

constexpr int kStateVersion = 1;
constexpr std::size_t kMaxStateBytes = 1 << 20;

std::string stem(std::int64_t step) { return "step-" + std::to_string(step); }

std::string shapeText(const at::Tensor& tensor) {
    std::string text = "[";
    for (std::int64_t i = 0; i < tensor.dim(); ++i) text += (i ? ", " : "") + std::to_string(tensor.size(i));
    return text + "]";
}

nlohmann::json stateToJson(const LoopState& s) {
    return {{"epoch", s.epoch},           {"batch", s.batch},
            {"step", s.step},             {"window_steps", s.windowSteps},
            {"window_items", s.windowItems}, {"epoch_correct", s.epochCorrect},
            {"epoch_items", s.epochItems},   {"has_best", s.hasBest},
            {"best", s.best},             {"best_step", s.bestStep},
            {"finished", s.isFinished}};
}

LoopState stateFromJson(const nlohmann::json& j) {
    LoopState s;
    s.epoch = j.at("epoch");
    s.batch = j.at("batch");
    s.step = j.at("step");
    s.windowSteps = j.at("window_steps");
    s.windowItems = j.at("window_items");
    s.epochCorrect = j.at("epoch_correct");
    s.epochItems = j.at("epoch_items");
    s.hasBest = j.at("has_best");
    s.best = j.at("best");
    s.bestStep = j.at("best_step");
    s.isFinished = j.at("finished");
    return s;
}

Result<nlohmann::json> describeFile(const fs::path& path) {
    ESPALIER_TRY(auto hash, interop::sha256OfFile(path));
    std::error_code code;
    const auto size = fs::file_size(path, code);
    if (code) return fail(ioError("cannot be read", path, code.value()));
    return nlohmann::json{{"file", path.filename().string()}, {"bytes", size}, {"sha256", hash}};
}

Result<nlohmann::json> readState(const fs::path& path) {
    ESPALIER_TRY(auto text, readFile(path, kMaxStateBytes));
    auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.is_object() || json.value("version", 0) != kStateVersion)
        return fail(ErrorCode::Corrupt, "is not a checkpoint state of this program", path.string(),
                    "Start the run again, or restore the file from a copy");
    return json;
}

Result<nn::NamedTensors> readChecked(const fs::path& folder, const nlohmann::json& entry) {
    const auto path = folder / fs::path(entry.at("file").get<std::string>()).filename();
    ESPALIER_TRY(auto hash, interop::sha256OfFile(path));
    if (hash != entry.at("sha256").get<std::string>())
        return fail(ErrorCode::Corrupt, "the checkpoint was changed or damaged since it was written", path.string(),
                    "Restore the file from a copy, or start the run again");
    return interop::readSafetensors(path);
}

// `name` becomes another name of `target`; a copy where the file system knows no hard links.
Result<void> linkAs(const fs::path& target, const fs::path& name) {
    const auto temporary = name.parent_path() / ("." + name.filename().string() + ".new");
    std::error_code code;
    fs::remove(temporary, code);
    code.clear();
    fs::create_hard_link(target, temporary, code);
    if (code) {
        code.clear();
        fs::copy_file(target, temporary, code);
    }
    if (!code) fs::rename(temporary, name, code);
    if (code) {
        const Error error = ioError("could not be written", name, code.value());
        fs::remove(temporary, code);
        return fail(error);
    }
    return {};
}

}  // namespace

Result<void> CheckpointFolder::save(const LoopState& state, const nn::NamedTensors& weights,
                                    const nn::NamedTensors& tensors) {
    std::error_code code;
    fs::create_directories(m_folder, code);
    if (code) return fail(ioError("could not be made", m_folder, code.value()));
    // The state of step n may be saved twice (stop right after an epoch's end): the second pair gets its own names.
    auto name = stem(state.step);
    for (int copy = 2; fs::exists(m_folder / (name + ".state.safetensors"), code); ++copy)
        name = stem(state.step) + "-" + std::to_string(copy);
    const auto weightsFile = m_folder / (name + ".safetensors");
    const auto tensorsFile = m_folder / (name + ".state.safetensors");
    const auto write = [&]() -> Result<void> {
        ESPALIER_CHECK_OK(interop::writeSafetensors(weightsFile, weights));
        ESPALIER_CHECK_OK(interop::writeSafetensors(tensorsFile, tensors));
        ESPALIER_TRY(auto weightsEntry, describeFile(weightsFile));
        ESPALIER_TRY(auto tensorsEntry, describeFile(tensorsFile));
        const nlohmann::json json{{"version", kStateVersion},
                                  {"weights", weightsEntry},
                                  {"tensors", tensorsEntry},
                                  {"loop", stateToJson(state)}};
        return writeFileAtomically(m_folder / "state.json", json.dump(2) + "\n");
    };
    if (auto written = write(); !written) {
        fs::remove(weightsFile, code);
        fs::remove(tensorsFile, code);
        return written;
    }
    ESPALIER_CHECK_OK(linkAs(weightsFile, lastFile()));
    // Older pairs go only now, and what a killed save left under a temporary name.
    for (const auto& entry : fs::directory_iterator(m_folder, code)) {
        const auto file = entry.path().filename().string();
        const bool isReplaced = file.rfind("step-", 0) == 0 || file.front() == '.';
        if (isReplaced && entry.path() != weightsFile && entry.path() != tensorsFile) fs::remove(entry.path(), code);
    }
    return {};
}

Result<void> CheckpointFolder::saveBest(const nn::NamedTensors& weights) {
    std::error_code code;
    fs::create_directories(m_folder, code);
    if (code) return fail(ioError("could not be made", m_folder, code.value()));
    ESPALIER_CHECK_OK(interop::writeSafetensors(bestFile(), weights));
    return {};
}

Result<std::optional<CheckpointFolder::Loaded>> CheckpointFolder::load() const {
    const auto path = m_folder / "state.json";
    std::error_code code;
    if (!fs::exists(path, code)) return std::optional<Loaded>();
    ESPALIER_TRY(auto json, readState(path));
    try {
        Loaded loaded;
        loaded.state = stateFromJson(json.at("loop"));
        ESPALIER_TRY(loaded.weights, readChecked(m_folder, json.at("weights")));
        ESPALIER_TRY(loaded.tensors, readChecked(m_folder, json.at("tensors")));
        return std::optional<Loaded>(std::move(loaded));
    } catch (const nlohmann::json::exception& error) {
        return fail(ErrorCode::Corrupt, "the checkpoint state lacks a member or has one of the wrong kind",
                    path.string(), "Restore the file from a copy, or start the run again", error.what());
    }
}

Result<std::optional<LoopState>> CheckpointFolder::peek() const {
    const auto path = m_folder / "state.json";
    std::error_code code;
    if (!fs::exists(path, code)) return std::optional<LoopState>();
    ESPALIER_TRY(auto json, readState(path));
    try {
        return std::optional<LoopState>(stateFromJson(json.at("loop")));
    } catch (const nlohmann::json::exception& error) {
        return fail(ErrorCode::Corrupt, "the checkpoint state lacks a member or has one of the wrong kind",
                    path.string(), "Restore the file from a copy, or start the run again", error.what());
    }
}

nn::NamedTensors moduleTensors(const torch::nn::Module& module) {
    nn::NamedTensors tensors;
    for (const auto& item : module.named_parameters()) tensors.add(item.key(), item.value().detach());
    for (const auto& item : module.named_buffers())
        if (item.value().defined()) tensors.add(item.key(), item.value());
    return tensors;
}

Result<void> loadIntoModule(torch::nn::Module& module, const nn::NamedTensors& from, const std::string& where) {
    const auto own = moduleTensors(module);
    constexpr const char* kRemedy = "It belongs to another architecture: choose the parameters that made it";
    for (const auto& [name, tensor] : own.tensors) {
        const auto* stored = from.find(name);
        if (!stored)
            return fail(ErrorCode::BadInput, "the weights lack the tensor " + name + " " + shapeText(tensor), where,
                        kRemedy);
        if (stored->sizes() != tensor.sizes())
            return fail(ErrorCode::BadInput,
                        "the tensor " + name + " is " + shapeText(*stored) + " in the file and " + shapeText(tensor) +
                            " in this model",
                        where, kRemedy);
    }
    for (const auto& [name, tensor] : from.tensors)
        if (!own.find(name))
            return fail(ErrorCode::BadInput,
                        "the weights hold a tensor that this model does not have: " + name + " " + shapeText(tensor),
                        where, kRemedy);
    at::NoGradGuard noGrad;
    for (const auto& [name, tensor] : own.tensors) {
        auto target = tensor;
        target.copy_(*from.find(name));
    }
    return {};
}

}  // namespace espalier::runtime
