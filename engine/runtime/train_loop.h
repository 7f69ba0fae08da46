#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/nn/loop_spec.h"
#include "engine/runtime/checkpoint.h"
#include "engine/runtime/ema.h"
#include "engine/runtime/job.h"
#include "engine/runtime/optimizer.h"
#include "engine/runtime/run_sinks.h"

namespace espalier::runtime {

/// What surrounds a loop; everything outlives it.
struct LoopServices {
    RunSinks& sinks;
    Job& job;
    std::filesystem::path checkpoints;  ///< folder, made when first needed
    at::Device device = at::Device(at::kCPU);
    std::map<std::string, std::string> metadata;  ///< facts of the run for weights files: recipe, run id, …
    std::string itemUnit = "img/s";
    /// Called between steps: takes stop requests of other processes, keeps the catalog row fresh. May be empty.
    std::function<void()> betweenSteps;
    /// Called after each checkpoint. May be empty.
    std::function<void()> afterCheckpoint;
};

/// THE training loop: accumulation, clipping, schedule, averaging, logging, evaluation, checkpoints, pause, stop and
/// exact resume. Engine thread only. Losses stay on the device; one copy to the host every `logEvery` steps.
/// When it returns without a stop, the model holds the weights of best.safetensors.
class TrainLoop {
public:
    TrainLoop(LoopServices services, nn::LoopSpec& spec);
    ~TrainLoop();

    Result<void> run();
    bool wasStopped() const noexcept { return m_wasStopped; }
    std::int64_t step() const noexcept { return m_state.step; }

private:
    Result<void> validate() const;
    Result<void> restore();
    Result<void> trainEpoch();
    Result<bool> recover(const Error& error);  ///< false: the user stopped the run
    Result<bool> trainStep(std::int64_t batchesInEpoch);  ///< false: the source ended early
    Result<void> endEpoch();
    Result<void> evaluate();
    Result<void> afterStep();
    Result<void> logWindow();
    Result<void> checkWindow(const at::Tensor& window) const;
    Result<void> checkWeights() const;
    Result<void> save(const char* why);
    Result<void> finish();
    void keepBest(const nn::EvalValues& values);
    nn::NamedTensors weights() const;
    nn::NamedTensors stateTensors() const;
    void reportProgress();
    double fractionalEpoch() const;

    LoopServices m_services;
    nn::LoopSpec& m_spec;
    Optimizer m_optimizer;
    std::unique_ptr<Ema> m_ema;
    CheckpointFolder m_folder;
    LoopState m_state;
    at::Tensor m_window;  ///< [logEvery, 3] double on the device: loss, gradient norm, right answers of each step
    double m_lastRate = 0.0, m_lastLr = 0.0;
    double m_windowSecs = 0.0;      ///< time spent in the steps of this window
    double m_trainSecs = 0.0;       ///< and in all steps of this process
    double m_startSecs = 0.0;
    double m_lastSaveSecs = 0.0, m_saveCostSecs = 0.0;
    std::int64_t m_stepsHere = 0, m_itemsHere = 0;
    bool m_wasStopped = false, m_isSaveFailing = false;
};

}  // namespace espalier::runtime
