#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/nn/loop_spec.h"
#include "engine/nn/named_tensors.h"

namespace espalier::runtime {

/// Where a training loop stands between two steps: with the tensors of a checkpoint, all that an exact resume needs.
struct LoopState {
    std::int64_t epoch = 0;
    std::int64_t batch = 0;        ///< next batch of the epoch
    std::int64_t step = 0;         ///< optimizer steps done
    std::int64_t windowSteps = 0;  ///< steps since the last logged point
    std::int64_t windowItems = 0;
    double epochCorrect = 0.0;
    std::int64_t epochItems = 0;
    bool hasBest = false;
    double best = 0.0;
    std::int64_t bestStep = 0;
    bool isFinished = false;
};

/// The checkpoints of one loop in one folder.
///
///     step-<n>.safetensors        weights and buffers      step-<n>.state.safetensors  moments, averages, generators
///     state.json                  names both with size and SHA-256; written last, so it always speaks of a whole pair
///     last.safetensors            hard link to the newest weights      best.safetensors    weights of the best evaluation
class CheckpointFolder {
public:
    explicit CheckpointFolder(std::filesystem::path folder) : m_folder(std::move(folder)) {}

    struct Loaded {
        LoopState state;
        nn::NamedTensors weights, tensors;
    };
    /// Every file is written under a temporary name, synced and renamed; the previous pair goes only afterwards. When
    /// anything fails the previous checkpoint is as it was.
    Result<void> save(const LoopState& state, const nn::NamedTensors& weights, const nn::NamedTensors& tensors);
    Result<void> saveBest(const nn::NamedTensors& weights);

    /// nullopt when there is none. Checks names, sizes and hashes before anything is believed.
    Result<std::optional<Loaded>> load() const;
    Result<std::optional<LoopState>> peek() const;  ///< the counters alone

    std::filesystem::path lastFile() const { return m_folder / "last.safetensors"; }
    std::filesystem::path bestFile() const { return m_folder / "best.safetensors"; }

private:
    std::filesystem::path m_folder;
};

/// Parameters, then buffers, under their module names; live tensors, not copies.
nn::NamedTensors moduleTensors(const torch::nn::Module& module);
/// Copies `from` into the module. Refuses, before anything is changed, when a tensor is missing, surplus or misshapen,
/// and names it together with both shapes.
Result<void> loadIntoModule(torch::nn::Module& module, const nn::NamedTensors& from, const std::string& where);

}  // namespace espalier::runtime
