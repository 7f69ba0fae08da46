#include "engine/runtime/run_context_impl.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "engine/base/assert.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/device.h"
#include "engine/runtime/log_gate.h"
#include "engine/runtime/train_loop.h"

namespace espalier::runtime {
namespace fs = std::filesystem;

feed::ArrayRecord arrayRecord(std::string_view name, std::int64_t step, std::int64_t epoch, const at::Tensor& values,
                              feed::ArrayType type) {
    at::NoGradGuard noGrad;
    feed::ArrayRecord record;
    record.info.name = std::string(name);
    record.info.step = step;
    record.info.epoch = epoch;
    record.info.type = type;
    record.info.shape = values.sizes().vec();
    const auto host = [&](at::ScalarType wanted) {
        return values.detach().to(at::TensorOptions(at::kCPU).dtype(wanted)).contiguous();
    };
    switch (type) {
        case feed::ArrayType::Float32:
        case feed::ArrayType::Float16: {
            const auto flat = host(at::kFloat);
            record.floats.assign(flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
            break;
        }
        case feed::ArrayType::UInt8: {
            const auto flat = host(at::kByte);
            record.bytes.assign(flat.const_data_ptr<std::uint8_t>(),
                                flat.const_data_ptr<std::uint8_t>() + flat.numel());
            break;
        }
        case feed::ArrayType::Int64: {
            const auto flat = host(at::kLong);
            record.integers.assign(flat.const_data_ptr<std::int64_t>(),
                                   flat.const_data_ptr<std::int64_t>() + flat.numel());
            break;
        }
    }
    return record;
}

data::ImageSource& RunContextImpl::images() {
    ESPALIER_ASSERT(m_work.images, "a recipe asks for images only when its card accepts them");
    return *m_work.images;
}

at::Tensor RunContextImpl::toDevice(const at::Tensor& tensor) const { return tensor.to(m_work.device); }

std::string RunContextImpl::deviceName() const { return deviceText(m_work.device); }

std::map<std::string, std::string> RunContextImpl::weightsMetadata() const {
    const auto& info = m_work.info;
    std::map<std::string, std::string> facts{{"format", "pt"},
                                             {"recipe", info.recipe},
                                             {"recipe_version", m_work.recipeVersion},
                                             {"run", info.id},
                                             {"run_name", info.name},
                                             {"seed", std::to_string(info.seed)},
                                             {"params", nlohmann::json(info.params).dump()}};
    if (m_work.dataset) {
        facts["dataset"] = m_work.dataset->name;
        facts["dataset_hash"] = m_work.dataset->hash;
        if (!m_work.dataset->classes.empty()) facts["classes"] = std::to_string(m_work.dataset->classes.size());
    }
    return facts;
}

Result<void> RunContextImpl::train(nn::LoopSpec& spec) {
    // The first loop owns checkpoints/; recipes with more than one get a folder each, so every loop resumes by itself.
    auto folder = fs::path(m_work.info.folder) / "checkpoints";
    if (m_loops > 0) folder /= "loop" + std::to_string(m_loops);
    ++m_loops;
    LoopServices services{m_work.sinks, m_work.job, folder, m_work.device, weightsMetadata(), "img/s",
                          m_work.betweenSteps, m_work.store};
    TrainLoop loop(std::move(services), spec);
    auto result = loop.run();
    m_lastStep = std::max(m_lastStep, loop.step());
    return result;
}

Result<void> RunContextImpl::stage(std::string_view name, const std::function<Result<void>()>& body) {
    if (!keepGoing()) return {};
    m_stage = std::string(name);
    m_progressText.clear();
    m_work.sinks.mark(m_lastStep, "stage", name);
    m_work.job.progress(m_stage, 0, 0, 0.0, "", -1.0);
    return body();
}

void RunContextImpl::progress(std::string_view text, std::int64_t done, std::int64_t total) {
    const double now = steadySecs();
    if (m_progressText != text || done < m_progressFirst || m_progressSince == 0.0) {
        m_progressText = std::string(text);
        m_progressSince = now;
        m_progressFirst = done;
    }
    const double elapsed = now - m_progressSince;
    const double rate = elapsed > 0.0 ? static_cast<double>(done - m_progressFirst) / elapsed : 0.0;
    const double left = rate > 0.0 && total > done ? static_cast<double>(total - done) / rate : -1.0;
    const auto label = m_stage.empty() ? m_progressText : text.empty() ? m_stage : m_stage + ", " + m_progressText;
    m_work.job.progress(label, done, total, rate, "steps/s", left);
    m_work.sinks.tick();
}

void RunContextImpl::scalar(std::string_view series, std::int64_t step, double value) {
    m_lastStep = std::max(m_lastStep, step);
    m_work.sinks.scalar(series, step, value);
    m_work.sinks.tick();
}

void RunContextImpl::mark(std::int64_t step, std::string_view kind, std::string_view text) {
    m_work.sinks.mark(step, kind, text);
}

void RunContextImpl::array(std::string_view name, std::int64_t step, std::int64_t epoch, const at::Tensor& values,
                           feed::ArrayType type) {
    m_work.sinks.array(arrayRecord(name, step, epoch, values, type));
}

void RunContextImpl::tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices) {
    m_work.sinks.tradeoffPoint(point, choices);
}

Result<api::RunContext::Artifact> RunContextImpl::artifact(std::string_view name, const nn::NamedTensors& tensors) {
    const auto folder = fs::path(m_work.info.folder) / "artifacts";
    if (name.empty() || name.find('/') != std::string_view::npos || name.front() == '.')
        return fail(ErrorCode::Internal, "an artifact's name must be a plain file name", std::string(name));
    std::error_code code;
    fs::create_directories(folder, code);
    Artifact artifact{folder / (std::string(name) + ".safetensors"), 0};
    auto stored = tensors;
    for (const auto& [key, value] : weightsMetadata()) stored.metadata.try_emplace(key, value);
    ESPALIER_TRY(artifact.payloadBytes, interop::writeSafetensors(artifact.path, stored));
    m_work.sinks.artifact(std::string(name), artifact.path.string(), artifact.payloadBytes);
    return artifact;
}

bool RunContextImpl::keepGoing() {
    if (m_work.betweenSteps) m_work.betweenSteps();
    m_work.sinks.tick();
    return gateWithLog(m_work.sinks, m_work.job);
}

void RunContextImpl::log(std::string_view text) {
    ESPALIER_LOG(Info, "recipe") << m_work.info.name << ": " << text;
}

void RunContextImpl::describeModel(std::int64_t params, std::int64_t macsPerItem) {
    m_work.info.params_count = params;
    m_work.info.macs = macsPerItem;
    if (m_work.store) m_work.store();
}

}  // namespace espalier::runtime
