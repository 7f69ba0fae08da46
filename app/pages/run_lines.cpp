#include "app/pages/run_lines.h"

#include "engine/api/recipe_registry.h"
#include "engine/feed/metric_names.h"
#include "widgets/theme/format.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace espalier::app {

using widgets::Series;
namespace format = widgets::format;
namespace names = feed::names;

namespace {

constexpr int kManyEpochs = 30;

QString text(std::string_view view) { return QString::fromUtf8(view.data(), static_cast<qsizetype>(view.size())); }

// "CIFAR-10" and "cifar10-jpeg" mean the same data.
QString plainName(const QString& name) {
    QString plain;
    for (const QChar c : name.toLower())
        if (c.isLetterOrNumber()) plain += c;
    return plain;
}

std::optional<double> numberOf(const std::map<std::string, std::string>& params, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        const auto at = params.find(key);
        if (at == params.end()) continue;
        bool isNumber = false;
        const double value = format::text(at->second).toDouble(&isNumber);
        if (isNumber) return value;
    }
    return std::nullopt;
}

// Linear warm-up, cosine to the lowest rate, then that rate (cool-down). Implementations differ in where the cosine
// starts and in the ends of both parts; which holds is found by comparing with the logged points.
struct WarmCosine {
    double peak = 0, floor = 0, start = 0, warmUp = 0, epochs = 0;
    bool isCosineAfterWarmUp = false;
    double at(double epoch) const {
        if (epoch < warmUp) return start + (peak - start) * epoch / warmUp;
        if (epoch >= epochs) return floor;
        const double from = isCosineAfterWarmUp ? warmUp : 0;
        return floor + (peak - floor) * 0.5 * (1 + std::cos(std::numbers::pi * (epoch - from) / (epochs - from)));
    }
};

std::vector<WarmCosine> candidates(const std::map<std::string, std::string>& params) {
    const auto peak = numberOf(params, {"lr", "learning_rate"});
    const auto epochs = numberOf(params, {"epochs"});
    std::vector<WarmCosine> found;
    if (!peak || !epochs || *epochs <= 0) return found;
    const double low = numberOf(params, {"min_lr"}).value_or(0);
    const double warmUp = numberOf(params, {"warmup", "warmup_epochs"}).value_or(0);
    for (const double floor : {low, 0.0})
        for (const double start : {low, 0.0})
            for (const bool isAfter : {false, true}) found.push_back({*peak, floor, start, warmUp, *epochs, isAfter});
    return found;
}

}  // namespace

const Series* RunLines::series(const QString& run, std::string_view name) const {
    const Series* found = m_context.bridge->series().find(run, text(name));
    return found && !found->isEmpty() ? found : nullptr;
}

std::shared_ptr<const widgets::RunAxis> RunLines::axis(const QString& run) {
    auto& axis = m_axes[run];
    if (!axis) axis = std::make_shared<widgets::RunAxis>();
    if (axis->startSecs == 0) {
        const feed::RunInfo* info = m_context.bridge->run(run);
        for (const auto name : {names::kTrainLoss, names::kTrainLr, names::kValidLoss}) {
            if (const Series* first = series(run, name)) {
                axis->startSecs = first->wallSecs.front();
                break;
            }
        }
        // The first logged point comes a step after the start.
        if (info && info->startedSecs > 0 && axis->startSecs > info->startedSecs) axis->startSecs = info->startedSecs;
    }
    if (const Series* epochs = series(run, names::kTrainEpoch)) axis->extend(*epochs);
    return axis;
}

std::optional<widgets::LineSpec> RunLines::line(const QString& run, std::string_view name, widgets::LineRole role,
                                                const QString& label) {
    const Series* found = series(run, name);
    if (!found) return std::nullopt;
    const feed::RunInfo* info = m_context.bridge->run(run);
    widgets::LineSpec spec;
    spec.id = run + u'/' + text(name);
    spec.run = run;
    spec.label = label;
    spec.toolTip = info ? format::text(info->name) : run;
    spec.colorIndex = info ? info->colorIndex : 0;
    spec.role = role;
    spec.series = found;
    spec.axis = axis(run);
    return spec;
}

std::vector<widgets::ChartEvent> RunLines::events(const QString& run) {
    std::vector<widgets::ChartEvent> events;
    const auto& marks = m_context.bridge->series().marks(run);
    const auto runAxis = axis(run);
    const auto epochs = std::count_if(marks.begin(), marks.end(), [](const auto& m) { return m.kind == "epoch"; });
    const feed::RunMark* best = nullptr;
    const feed::RunInfo* info = m_context.bridge->run(run);
    const int color = info ? info->colorIndex : 0;
    for (const feed::RunMark& mark : marks) {
        if (mark.kind == "best") {
            best = &mark;
        } else if (mark.kind != "epoch" || epochs <= kManyEpochs) {
            events.push_back({mark, runAxis, color});
        }
    }
    if (best) events.push_back({*best, runAxis, color});
    return events;
}

std::optional<widgets::Forecast> RunLines::learningRateToCome(const QString& run) {
    const feed::RunInfo* info = m_context.bridge->run(run);
    const Series* rate = series(run, names::kTrainLr);
    const auto runAxis = axis(run);
    if (!info || feed::isFinal(info->state) || !rate || rate->size() < 8 || !runAxis->hasEpochs()) return std::nullopt;
    const std::vector<WarmCosine> rules = candidates(info->params);
    const auto follows = [&](const WarmCosine& rule) {
        for (std::size_t i = 0; i < rate->size(); i += std::max<std::size_t>(1, rate->size() / 50)) {
            const double epoch = runAxis->epochOf(static_cast<double>(rate->steps[i]));
            if (!(std::abs(rule.at(epoch) - rate->values[i]) <= 0.01 * rule.peak)) return false;
        }
        return true;
    };
    const auto rule = std::find_if(rules.begin(), rules.end(), follows);
    if (rule == rules.end()) return std::nullopt;
    const double now = runAxis->epochOf(static_cast<double>(rate->steps.back()));
    const double end = rule->epochs + numberOf(info->params, {"cooldown", "cooldown_epochs"}).value_or(0);
    if (!(end > now)) return std::nullopt;
    const auto a = static_cast<double>(runAxis->steps.front()), b = static_cast<double>(runAxis->steps.back());
    const double perEpoch = (b - a) / std::max(1e-9, runAxis->epochs.back() - runAxis->epochs.front());
    widgets::Forecast forecast;
    forecast.colorIndex = info->colorIndex;
    forecast.axis = runAxis;
    constexpr int kPoints = 200;
    for (int i = 0; i <= kPoints; ++i) {
        const double epoch = now + (end - now) * i / kPoints;
        forecast.steps.push_back(rate->steps.back() + std::llround((epoch - now) * perEpoch));
        forecast.values.push_back(i == 0 ? rate->values.back() : rule->at(epoch));
    }
    return forecast;
}

std::optional<widgets::ChartClaim> RunLines::claim(const QString& run, const QString& metric) const {
    const feed::RunInfo* info = m_context.bridge->run(run);
    if (!info || !m_context.registry) return std::nullopt;
    const api::RecipeCard* card = nullptr;
    for (const api::RecipeCard& candidate : m_context.registry->cards())
        if (candidate.id == info->recipe) card = &candidate;
    if (!card) return std::nullopt;
    const QString data = plainName(format::text(info->datasetName));
    for (const api::PaperClaim& claim : card->claims) {
        const QString wanted = plainName(format::text(claim.dataset));
        if (wanted.isEmpty() || !data.startsWith(wanted) || !format::text(claim.metric).endsWith(metric)) continue;
        // "cifar100" starts with "cifar10" but is other data.
        if (data.size() > wanted.size() && data[wanted.size()].isDigit()) continue;
        return widgets::ChartClaim{claim.value, QStringLiteral("paper ") + QString::number(claim.value, 'f', 4)};
    }
    return std::nullopt;
}

std::int64_t RunLines::lastStep(const QString& run) const {
    std::int64_t last = 0;
    for (const QString& name : m_context.bridge->series().names(run)) {
        const Series* one = m_context.bridge->series().find(run, name);
        if (one && !one->isEmpty()) last = std::max(last, one->steps.back());
    }
    return last;
}

}  // namespace espalier::app
