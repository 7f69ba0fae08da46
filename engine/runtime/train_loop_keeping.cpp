// What a loop keeps between processes: checkpoints, the best weights, and coming back from them.
#include <mutex>

#include "engine/api/torch.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/train_loop.h"

namespace espalier::runtime {

Result<void> TrainLoop::restore() {
    ESPALIER_TRY(auto found, m_folder.load());
    if (!found) return {};
    const auto where = m_services.checkpoints.string();
    ESPALIER_CHECK_OK(loadIntoModule(*m_spec.model, found->weights, where));
    ESPALIER_CHECK_OK(m_optimizer.load(found->tensors, where));
    if (m_ema) ESPALIER_CHECK_OK(m_ema->load(found->tensors, where));
    m_state = found->state;
    if (const auto* window = found->tensors.find("loop.window"); window && m_state.windowSteps > 0) {
        if (window->size(0) > m_window.size(0) || window->size(0) < m_state.windowSteps)
            return fail(ErrorCode::BadInput, "the checkpoint was made with another logging interval", where,
                        "Resume with the parameters of the run");
        m_window.slice(0, 0, window->size(0)).copy_(*window);
    }
    if (const auto* cpu = found->tensors.find("rng.cpu")) {
        auto generator = at::globalContext().defaultGenerator(at::Device(at::kCPU));
        std::lock_guard lock(generator.mutex());
        generator.set_state(*cpu);
    }
    if (const auto* cuda = found->tensors.find("rng.cuda"); cuda && m_services.device.is_cuda()) {
        auto generator = at::globalContext().defaultGenerator(m_services.device);
        std::lock_guard lock(generator.mutex());
        generator.set_state(*cuda);
    }
    if (!m_state.isFinished) m_services.sinks.mark(m_state.step, "resume", "");
    ESPALIER_LOG(Info, "runtime") << "Resumed at step " << m_state.step;
    return {};
}

Result<void> TrainLoop::checkWeights() const {
    at::NoGradGuard noGrad;
    std::vector<at::Tensor> params;
    for (const auto& param : m_spec.model->parameters())
        if (param.is_floating_point()) params.push_back(param);
    if (params.empty()) return {};
    const auto norms = at::stack(at::_foreach_norm(params, at::Scalar(2)));
    if (at::isfinite(norms).all().item<bool>()) return {};
    return fail(ErrorCode::Numeric,
                "the weights became NaN or infinite at or before step " + std::to_string(m_state.step),
                m_services.job.title(),
                "Lower the learning rate or turn on gradient clipping; the last good checkpoint is kept");
}

Result<bool> TrainLoop::recover(const Error& error) {
    std::error_code ignored;
    const bool hasCheckpoint = std::filesystem::exists(m_folder.lastFile(), ignored);
    if (error.code != ErrorCode::Numeric || !m_services.job.isAttended() || !hasCheckpoint) return fail(error);
    if (auto flushed = m_services.sinks.flush(); !flushed) return fail(flushed.error());
    auto cause = error;
    cause.remedy = "Resume to go back to the last good checkpoint, or stop and lower the learning rate";
    m_services.job.requestPause(std::move(cause));
    if (!m_services.job.gate()) return false;  // not saved: these weights are of no use
    m_optimizer.clearGradients();
    m_window.zero_();
    ESPALIER_CHECK_OK(restore());
    return true;
}

Result<void> TrainLoop::save(const char* why) {
    if (m_state.windowSteps > 0)
        ESPALIER_CHECK_OK(checkWindow(m_window.slice(0, 0, m_state.windowSteps).to(at::kCPU).contiguous()));
    if (auto finite = checkWeights(); !finite) {
        m_services.sinks.mark(m_state.step, "nan", "weights");
        return finite;
    }
    // What the journal holds must reach at least as far as the checkpoint.
    if (auto flushed = m_services.sinks.flush(); !flushed) {
        ESPALIER_LOG(Warning, "runtime") << "The log lags behind: " << flushed.error().sentence();
    }
    const double since = steadySecs();
    auto saved = m_folder.save(m_state, weights(), stateTensors());
    m_lastSaveSecs = steadySecs();
    m_saveCostSecs = m_lastSaveSecs - since;
    if (!saved) {
        if (m_state.isFinished) return saved;  // the result of the whole run would be lost
        if (!m_isSaveFailing)
            m_services.sinks.warn({m_folder.lastFile().filename().string(), 0, "checkpoint_failed",
                                   "The checkpoint at step " + std::to_string(m_state.step) +
                                       " was not saved, the one before it is kept: " + saved.error().sentence(),
                                   Outcome::Skipped});
        m_isSaveFailing = true;
        return {};
    }
    if (m_isSaveFailing) {
        ESPALIER_LOG(Info, "runtime") << "Checkpoints are saved again";
    }
    m_isSaveFailing = false;
    m_services.sinks.mark(m_state.step, "checkpoint", why);
    if (m_services.afterCheckpoint) m_services.afterCheckpoint();
    return {};
}

Result<void> TrainLoop::finish() {
    if (!m_state.isFinished) {
        m_state.isFinished = true;
        if (!m_state.hasBest) {
            // Nothing was measured: the last weights (averaged, where they are) count as the best.
            if (m_ema) m_ema->swapIn();
            auto saved = m_folder.saveBest(weights());
            if (m_ema) m_ema->swapOut();
            ESPALIER_CHECK_OK(saved);
        }
        ESPALIER_CHECK_OK(save("end"));
    }
    ESPALIER_TRY(const auto best, interop::readSafetensors(m_folder.bestFile()));
    ESPALIER_CHECK_OK(loadIntoModule(*m_spec.model, best, m_folder.bestFile().string()));
    m_spec.model->eval();
    return {};
}

nn::NamedTensors TrainLoop::weights() const {
    auto tensors = moduleTensors(*m_spec.model);
    tensors.metadata = m_services.metadata;
    for (const auto& [key, value] : m_spec.metadata) tensors.metadata[key] = value;
    tensors.metadata["step"] = std::to_string(m_state.step);
    tensors.metadata["epoch"] = std::to_string(m_state.epoch);
    return tensors;
}

nn::NamedTensors TrainLoop::stateTensors() const {
    nn::NamedTensors tensors;
    m_optimizer.save(tensors);
    if (m_ema) m_ema->save(tensors);
    tensors.add("loop.window", m_window.slice(0, 0, std::max<std::int64_t>(1, m_state.windowSteps)));
    const auto stateOf = [](const at::Device& device) {
        auto generator = at::globalContext().defaultGenerator(device);
        std::lock_guard lock(generator.mutex());
        return generator.get_state();
    };
    tensors.add("rng.cpu", stateOf(at::Device(at::kCPU)));
    if (m_services.device.is_cuda()) tensors.add("rng.cuda", stateOf(m_services.device));
    return tensors;
}

}  // namespace espalier::runtime
