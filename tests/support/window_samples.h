#pragma once

#include <QString>
#include <QTemporaryDir>

#include <cmath>
#include <memory>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "engine/feed/array_record.h"
#include "engine/feed/metric_names.h"
#include "engine/runlog/run_log_writer.h"
#include "engine/runtime/workspace_impl.h"

/// Runs with curves of known shape in a workspace of their own, written by the program's own log writer.
namespace espalier::tests {

struct SampleRun {
    std::string name, recipe = "70-compact-transformers", variant = "CCT-7/3x1", schedule = "F";
    std::int64_t seed = 0;
    std::int64_t steps = 6000, stepsPerEpoch = 390, logged = 6000;  ///< of the whole run, and how far it got
    double epochs = 300, loss = 1.27, top1 = 0.95, lr = 5.5e-4;
    feed::JobState state = feed::JobState::Completed;
    bool hasNaN = false, hasSpikes = false, hasAnswers = false;
};

inline double schedule(const SampleRun& run, double epoch) {
    const double total = static_cast<double>(run.steps) / static_cast<double>(run.stepsPerEpoch);
    const double warm = total / 30;
    if (epoch < warm) return 1e-5 + (run.lr - 1e-5) * epoch / warm;
    return 1e-5 + (run.lr - 1e-5) * 0.5 * (1 + std::cos(std::numbers::pi * epoch / total));
}

/// Writes the run and returns its id.
inline std::string addRun(runtime::Workspace& workspace, const SampleRun& sample) {
    namespace names = feed::names;
    const double total = static_cast<double>(sample.steps) / static_cast<double>(sample.stepsPerEpoch);
    feed::RunInfo info;
    info.name = sample.name;
    info.recipe = sample.recipe;
    info.datasetId = "d1";
    info.datasetName = "cifar10-jpeg";
    info.datasetHash = "9f3c77d2aa10a71e";
    info.device = "cpu";
    info.threads = 2;
    info.seed = sample.seed;
    info.scale = "desk";
    info.state = feed::JobState::Running;
    char rate[32];
    std::snprintf(rate, sizeof rate, "%g", sample.lr);
    info.params = {{"variant", sample.variant}, {"recipe", sample.schedule}, {"lr", rate},
                   {"epochs", std::to_string(std::llround(total))}, {"warmup", std::to_string(total / 30)},
                   {"min_lr", "1e-5"}, {"cooldown", "0"}, {"batch", "128"}, {"weight_decay", "6e-2"}};
    info.params_count = 3760000;
    auto folder = workspace.impl().createRun(info, "{}");
    if (!folder) qFatal("%s", folder.error().sentence().c_str());
    auto writer = runlog::RunLogWriter::open(*folder);
    if (!writer) qFatal("%s", writer.error().sentence().c_str());
    runlog::RunLogWriter& log = **writer;
    const auto series = [&](std::string_view name) { return log.series(name); };
    const auto loss = series(names::kTrainLoss), lr = series(names::kTrainLr), norm = series(names::kTrainGradNorm),
               epochs = series(names::kTrainEpoch), trainTop1 = series(names::kTrainTop1);
    const auto validLoss = series(names::kValidLoss), validTop1 = series(names::kValidTop1);
    std::mt19937_64 random(static_cast<std::uint64_t>(sample.seed) * 977 + 11);
    std::normal_distribution<double> normal(0, 1);
    const double start = 1.7e9;
    const auto mixupOff = static_cast<std::int64_t>(0.565 * static_cast<double>(sample.steps));
    const auto nanStep = static_cast<std::int64_t>(0.258 * static_cast<double>(sample.steps));
    double bestTop1 = 0, lastLoss = 0;
    std::int64_t bestStep = 0;
    for (std::int64_t step = 1; step <= sample.logged; ++step) {
        const double part = static_cast<double>(step) / static_cast<double>(sample.steps);
        const double epoch = static_cast<double>(step) / static_cast<double>(sample.stepsPerEpoch);
        const double wall = start + static_cast<double>(step) * 0.0435;
        const bool isMixed = step < mixupOff;
        double mean = sample.loss * (isMixed ? 1.02 : 0.46) + (isMixed ? 1.05 * std::exp(-part * 30) + 0.16 * std::exp(-part * 6) : 0.5 * std::exp(-(part - 0.565) * 200));
        if (sample.hasNaN && step > nanStep) mean += 0.55 * std::exp(-static_cast<double>(step - nanStep) / (0.008 * static_cast<double>(sample.steps)));
        double value = mean + normal(random) * (isMixed ? 0.15 : 0.03);
        if (sample.hasSpikes && random() % 4000 == 0) value += 1.5 + 0.5 * std::abs(normal(random));
        if (sample.hasNaN && step == nanStep) value = std::numeric_limits<double>::quiet_NaN();
        log.scalar(loss, step, wall, static_cast<float>(value));
        lastLoss = value;
        log.scalar(lr, step, wall, schedule(sample, epoch));
        log.scalar(norm, step, wall, static_cast<float>((isMixed ? 0.9 + 0.3 * part : 1.7) * std::exp(0.25 * normal(random)) * (random() % 500 == 0 ? 4 : 1)));
        log.scalar(epochs, step, wall, epoch);
        if (step % sample.stepsPerEpoch != 0) continue;
        const double lossNow = 0.24 + (isMixed ? 0.08 : 0) + 1.5 * std::exp(-part * 25) + 0.15 * std::exp(-part * 5) + 0.006 * normal(random);
        const double top1Now = sample.top1 * (1 - 0.55 * std::exp(-part * 30) - 0.06 * std::exp(-part * 5)) + 0.002 * normal(random);
        log.scalar(validLoss, step, wall, lossNow);
        log.scalar(validTop1, step, wall, top1Now);
        log.scalar(trainTop1, step, wall, (isMixed ? 0.76 : 1.03) * top1Now + 0.005 * normal(random));
        if (top1Now > bestTop1) {
            bestTop1 = top1Now;
            bestStep = step;
        }
        if (step / sample.stepsPerEpoch % 20 == 0) log.mark({step, wall, "checkpoint", ""});
    }
    const auto wallAt = [&](std::int64_t step) { return start + static_cast<double>(step) * 0.0435; };
    if (sample.hasNaN) {
        log.mark({nanStep, wallAt(nanStep), "nan", "NaN, skipped"});
        log.mark({sample.steps * 365 / 1000, wallAt(sample.steps * 365 / 1000), "resume", ""});
    }
    if (sample.logged > mixupOff) log.mark({mixupOff, wallAt(mixupOff), "mixup_off", ""});
    log.mark({bestStep, wallAt(bestStep), "best", ""});
    if (sample.hasAnswers) {
        const double test = sample.top1;
        feed::ArrayRecord answers;
        answers.info.name = feed::arrays::kTestCorrect;
        answers.info.step = sample.logged;
        answers.info.type = feed::ArrayType::UInt8;
        answers.info.shape = {10000};
        std::mt19937_64 items(5);  // the same items are hard for every run
        std::uniform_real_distribution<double> hard(0, 1);
        for (int i = 0; i < 10000; ++i) answers.bytes.push_back(hard(items) < test + 0.01 * (static_cast<double>(random() % 100) / 100 - 0.5));
        log.array(answers);
    }
    if (auto closed = log.close(feed::isFinal(sample.state)); !closed) qFatal("%s", closed.error().sentence().c_str());
    info.state = sample.state;
    info.startedSecs = start;
    info.endedSecs = wallAt(sample.logged);
    info.activeSecs = static_cast<double>(sample.logged) * 0.0435;
    info.summary = {{"train/loss", {lastLoss, lastLoss, sample.logged, sample.logged}},
                    {"valid/top1", {bestTop1, bestTop1, bestStep, sample.logged}},
                    {"valid/loss", {0.2361 + 0.01 * static_cast<double>(sample.seed), 0.2361, bestStep, sample.logged}}};
    if (sample.hasAnswers) {
        info.summary["test/top1"] = {sample.top1, sample.top1, sample.logged, sample.logged};
        info.summary["test/ece"] = {0.03 * (1.6 - sample.top1), 0.02, sample.logged, sample.logged};
        info.summary["test/loss"] = {1.2 - sample.top1, 1.2 - sample.top1, sample.logged, sample.logged};
    }
    if (auto updated = workspace.impl().updateRun(info); !updated) qFatal("%s", updated.error().sentence().c_str());
    return info.id;
}

}  // namespace espalier::tests
