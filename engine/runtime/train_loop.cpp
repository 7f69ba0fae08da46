#include "engine/runtime/train_loop.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unordered_set>

#include "engine/api/torch.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/feed/metric_names.h"
#include "engine/runtime/log_gate.h"

namespace espalier::runtime {
namespace {

enum Column { kLoss = 0, kNorm = 1, kCorrect = 2, kColumns = 3 };

// Checkpoints at epoch ends may take this share of the time at most: epochs can be shorter than a sync of the disk.
constexpr double kCheckpointShare = 0.02;

std::string rateText(double rate) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.3g", rate);
    return buffer;
}

std::int64_t dividedUp(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

TrainLoop::TrainLoop(LoopServices services, nn::LoopSpec& spec)
    : m_services(std::move(services)), m_spec(spec), m_optimizer(spec.optimizer, spec.groups),
      m_folder(m_services.checkpoints) {
    m_spec.accumulation = std::max<std::int64_t>(1, m_spec.accumulation);
    m_spec.logEvery = std::max<std::int64_t>(1, m_spec.logEvery);
    if (spec.model && spec.emaDecay > 0.0) m_ema = std::make_unique<Ema>(*spec.model, spec.emaDecay);
    m_window = at::zeros({m_spec.logEvery, kColumns}, at::TensorOptions(at::kDouble).device(m_services.device));
}

TrainLoop::~TrainLoop() {
    if (m_ema) m_ema->swapOut();
}

Result<void> TrainLoop::validate() const {
    const auto broken = [](std::string what) { return fail(ErrorCode::Internal, std::move(what), "training loop"); };
    if (!m_spec.model || !m_spec.batches || !m_spec.step || !m_spec.learningRate)
        return broken("the recipe gave no model, batches, step or learning rate");
    std::unordered_set<const void*> grouped;
    for (const auto& group : m_spec.groups)
        for (const auto& param : group.params)
            if (!grouped.insert(param.unsafeGetTensorImpl()).second)
                return broken("the recipe put a parameter into two groups");
    for (const auto& item : m_spec.model->named_parameters())
        if (item.value().requires_grad() && !grouped.count(item.value().unsafeGetTensorImpl()))
            return broken("the recipe put the parameter " + item.key() + " into no group");
    if (m_spec.batches->batchesPerEpoch() <= 0)
        return fail(ErrorCode::BadInput, "there is no whole batch of training data", "batch_size",
                    "Lower the batch size or add data");
    return {};
}

Result<void> TrainLoop::run() {
    ESPALIER_CHECK_OK(validate());
    ESPALIER_CHECK_OK(restore());
    m_startSecs = steadySecs();
    m_spec.model->train();
    m_optimizer.clearGradients();
    while (!m_state.isFinished && m_state.epoch < m_spec.epochs) {
        if (auto trained = trainEpoch(); !trained) {
            ESPALIER_TRY(const bool goesOn, recover(trained.error()));
            m_wasStopped = m_wasStopped || !goesOn;
        }
        if (m_wasStopped) return {};
    }
    return finish();
}

double TrainLoop::fractionalEpoch() const {
    return static_cast<double>(m_state.epoch) +
           static_cast<double>(m_state.batch) / static_cast<double>(m_spec.batches->batchesPerEpoch());
}

Result<void> TrainLoop::trainEpoch() {
    const auto batchesInEpoch = m_spec.batches->batchesPerEpoch();
    if (m_state.batch < batchesInEpoch) m_spec.batches->begin(m_state.epoch, m_state.batch);
    while (m_state.batch < batchesInEpoch) {
        if (m_services.betweenSteps) m_services.betweenSteps();
        m_services.sinks.tick();
        if (!gateWithLog(m_services.sinks, m_services.job)) {
            m_wasStopped = true;
            return save("stop");
        }
        if (m_services.job.takeSaveRequest()) ESPALIER_CHECK_OK(save("asked for"));
        const double since = steadySecs();
        ESPALIER_TRY(const bool hasStepped, trainStep(batchesInEpoch));
        if (!hasStepped) break;
        const double secs = steadySecs() - since;
        m_windowSecs += secs;
        m_trainSecs += secs;
        ESPALIER_CHECK_OK(afterStep());
    }
    return endEpoch();
}

Result<bool> TrainLoop::trainStep(std::int64_t batchesInEpoch) {
    // The mean over a group of batches equals one bigger batch: each counts by its items. Losses are weighed as if all
    // were as big as the first; the gradients are corrected once when they were not.
    const auto inGroup = std::min(m_spec.accumulation, batchesInEpoch - m_state.batch);
    const double before = m_lastLr;
    m_lastLr = m_spec.learningRate(m_state.step, fractionalEpoch());
    // A drop worth a tick; the small steps of a smooth schedule are not.
    if (before > 0.0 && m_lastLr <= 0.5 * before) m_services.sinks.mark(m_state.step, "lr", rateText(m_lastLr));
    at::Tensor loss, correct;
    std::int64_t items = 0, firstItems = 0;
    for (std::int64_t i = 0; i < inGroup; ++i) {
        ESPALIER_TRY(const auto batch, m_spec.batches->next());
        if (!batch.inputs.defined()) {
            m_state.batch = batchesInEpoch;
            break;
        }
        ESPALIER_TRY(auto output, m_spec.step(batch, m_state.step, m_state.epoch));
        const auto size = output.items > 0 ? output.items : batch.size();
        if (i == 0) firstItems = std::max<std::int64_t>(1, size);
        const double weight = static_cast<double>(size) / static_cast<double>(firstItems * inGroup);
        if (inGroup == 1)
            output.loss.backward();
        else
            (output.loss * weight).backward();
        const auto share = inGroup == 1 ? output.loss.detach() : output.loss.detach() * weight;
        loss = loss.defined() ? loss + share : share;
        if (output.correct.defined()) correct = correct.defined() ? correct + output.correct : output.correct;
        items += size;
        ++m_state.batch;
        m_services.job.beat();
    }
    if (items == 0) return false;
    const auto gradients = m_optimizer.gradients();
    if (const auto expected = firstItems * inGroup; items != expected) {
        const double factor = static_cast<double>(expected) / static_cast<double>(items);
        at::_foreach_mul_(gradients, at::Scalar(factor));
        loss = loss * factor;
    }
    auto row = m_window[m_state.windowSteps];
    const bool isLogged = m_state.windowSteps + 1 == m_spec.logEvery || m_state.batch >= batchesInEpoch;
    if (m_spec.clipNorm > 0.0 || isLogged) {
        const auto norm = gradientNorm(gradients);
        if (m_spec.clipNorm > 0.0) clipGradients(gradients, norm, m_spec.clipNorm);
        row[kNorm].copy_(norm);
    }
    m_optimizer.step(m_lastLr);
    m_optimizer.clearGradients();
    if (m_ema) m_ema->update();
    row[kLoss].copy_(loss.detach());
    if (correct.defined())
        row[kCorrect].copy_(correct.detach());
    else
        row[kCorrect].fill_(-1.0);
    ++m_state.step;
    ++m_state.windowSteps;
    ++m_stepsHere;
    m_state.windowItems += items;
    m_itemsHere += items;
    return true;
}

Result<void> TrainLoop::afterStep() {
    if (m_state.windowSteps >= m_spec.logEvery) ESPALIER_CHECK_OK(logWindow());
    const auto every = m_spec.checkpointEverySteps;
    if (every > 0 && m_state.step % every == 0) ESPALIER_CHECK_OK(save("regular"));
    reportProgress();
    return {};
}

Result<void> TrainLoop::checkWindow(const at::Tensor& window) const {
    const auto values = window.accessor<double, 2>();
    for (std::int64_t i = 0; i < window.size(0); ++i) {
        if (std::isfinite(values[i][kLoss])) continue;
        const auto step = m_state.step - window.size(0) + i + 1;
        m_services.sinks.scalar(feed::names::kTrainLoss, step, values[i][kLoss]);
        m_services.sinks.mark(step, "nan", "train/loss");
        return fail(ErrorCode::Numeric,
                    std::string("train/loss became ") + (std::isnan(values[i][kLoss]) ? "NaN" : "infinite") +
                        " at step " + std::to_string(step),
                    m_services.job.title(), "Lower the learning rate or turn on gradient clipping; the last good "
                                            "checkpoint is kept");
    }
    return {};
}

Result<void> TrainLoop::logWindow() {
    if (m_state.windowSteps == 0) return {};
    const auto window = m_window.slice(0, 0, m_state.windowSteps).to(at::kCPU).contiguous();
    ESPALIER_CHECK_OK(checkWindow(window));
    const auto values = window.accessor<double, 2>();
    double loss = 0.0, correct = 0.0;
    bool hasCorrect = true;
    for (std::int64_t i = 0; i < m_state.windowSteps; ++i) {
        loss += values[i][kLoss];
        correct += values[i][kCorrect];
        hasCorrect = hasCorrect && values[i][kCorrect] >= 0.0;
    }
    if (hasCorrect) {
        m_state.epochCorrect += correct;
        m_state.epochItems += m_state.windowItems;
    }
    if (m_windowSecs > 0.0) m_lastRate = static_cast<double>(m_state.windowItems) / m_windowSecs;
    namespace names = feed::names;
    auto& sinks = m_services.sinks;
    const auto step = m_state.step;
    sinks.scalar(names::kTrainLoss, step, loss / static_cast<double>(m_state.windowSteps));
    sinks.scalar(names::kTrainLr, step, m_lastLr);
    sinks.scalar(names::kTrainGradNorm, step, values[m_state.windowSteps - 1][kNorm]);
    sinks.scalar(names::kTrainItemsPerSec, step, m_lastRate);
    sinks.scalar(names::kTrainEpoch, step, fractionalEpoch());
    m_state.windowSteps = 0;
    m_state.windowItems = 0;
    m_windowSecs = 0.0;
    return {};
}

Result<void> TrainLoop::endEpoch() {
    ESPALIER_CHECK_OK(logWindow());
    const bool isLast = m_state.epoch + 1 >= m_spec.epochs;
    const auto every = std::max<std::int64_t>(1, m_spec.evaluateEveryEpochs);
    if (isLast || (m_state.epoch + 1) % every == 0) {
        ESPALIER_CHECK_OK(evaluate());
        if (m_wasStopped) return save("stop");
    }
    if (m_state.epochItems > 0)
        m_services.sinks.scalar(feed::names::kTrainTop1, m_state.step,
                                m_state.epochCorrect / static_cast<double>(m_state.epochItems));
    m_services.sinks.mark(m_state.step, "epoch", std::to_string(m_state.epoch + 1));
    ++m_state.epoch;
    m_state.batch = 0;
    m_state.epochCorrect = 0.0;
    m_state.epochItems = 0;
    m_services.sinks.flushPoints();
    const bool isDue = steadySecs() - m_lastSaveSecs >= m_saveCostSecs / kCheckpointShare;
    return isLast || !isDue ? Result<void>() : save("epoch");
}

Result<void> TrainLoop::evaluate() {
    at::NoGradGuard noGrad;
    m_spec.model->eval();
    if (m_ema) m_ema->swapIn();
    const auto back = [this] {
        if (m_ema) m_ema->swapOut();
        m_spec.model->train();
    };
    nn::EvalValues values;
    if (m_spec.evaluate) {
        auto result = m_spec.evaluate(m_state.epoch);
        if (!result) {
            back();
            return fail(std::move(result).error());
        }
        values = std::move(*result);
    }
    // A stop may have cut the evaluation short: its values are dropped and it runs again on resume.
    if (!m_services.job.gate()) {
        back();
        m_wasStopped = true;
        return {};
    }
    for (const auto& [series, value] : values) {
        m_services.sinks.scalar(series, m_state.step, value);
        if (!std::isfinite(value)) m_services.sinks.mark(m_state.step, "nan", series);
    }
    keepBest(values);
    Result<void> probed;
    if (m_spec.probe) probed = m_spec.probe(m_state.epoch, m_state.step);
    back();
    return probed;
}

void TrainLoop::keepBest(const nn::EvalValues& values) {
    for (const auto& [series, value] : values) {
        if (series != m_spec.bestSeries || !std::isfinite(value)) continue;
        const bool isBetter = m_spec.isBestHighest ? value > m_state.best : value < m_state.best;
        if (m_state.hasBest && !isBetter) return;
        if (auto saved = m_folder.saveBest(weights()); !saved) {
            m_services.sinks.warn({m_folder.bestFile().filename().string(), 0, "checkpoint_failed",
                                   "The best weights could not be saved: " + saved.error().sentence(),
                                   Outcome::Skipped});
            return;
        }
        m_state.hasBest = true;
        m_state.best = value;
        m_state.bestStep = m_state.step;
        m_services.sinks.mark(m_state.step, "best", series);
        return;
    }
}

void TrainLoop::reportProgress() {
    const auto stepsInEpoch = dividedUp(m_spec.batches->batchesPerEpoch(), m_spec.accumulation);
    const auto total = stepsInEpoch * m_spec.epochs;
    // Time left counts evaluations and checkpoints too; the rate is that of the steps alone.
    const double elapsed = steadySecs() - m_startSecs - m_services.job.pausedSecs();
    const double left = m_stepsHere > 0 ? elapsed / static_cast<double>(m_stepsHere) *
                                              static_cast<double>(std::max<std::int64_t>(0, total - m_state.step))
                                        : -1.0;
    const double rate = m_trainSecs > 0.0 ? static_cast<double>(m_itemsHere) / m_trainSecs : 0.0;
    const auto epoch = std::min(m_state.epoch + 1, m_spec.epochs);
    m_services.job.progress("Train, epoch " + std::to_string(epoch) + " of " + std::to_string(m_spec.epochs),
                            m_state.step, total, m_lastRate > 0.0 ? m_lastRate : rate, m_services.itemUnit, left);
}

}  // namespace espalier::runtime
