#include "widgets/plot/chart_scene.h"

#include <algorithm>
#include <cmath>

namespace espalier::widgets {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kSamples = 2000;

struct Bounds {
    double low = kInfinity, high = -kInfinity;
    void add(double v) {
        if (!std::isfinite(v)) return;
        low = std::min(low, v);
        high = std::max(high, v);
    }
    bool isEmpty() const { return low > high; }
};

bool isUsable(double v, bool isLog) { return std::isfinite(v) && (!isLog || v > 0); }

template <class Visit>
void forPointsInView(const ChartLine& line, const AxisRange& keys, const Visit& visit) {
    const LineColumns view = line.columns();
    for (const Segment& segment : line.decimator().segments()) {
        if (segment.first == segment.last) continue;
        const std::size_t a = Decimator::lowerBound(view, segment, keys.low, segment.first);
        const std::size_t b = Decimator::lowerBound(view, segment, std::nextafter(keys.high, kInfinity), a);
        if (a < b) visit(view, a, b);
    }
}

// What must be seen: every point of plain lines, the smooth curve of smoothed ones.
void addMustSee(const ChartLine& line, const AxisRange& keys, bool isLog, Bounds& bounds, std::vector<double>& raw) {
    forPointsInView(line, keys, [&](const LineColumns& view, std::size_t a, std::size_t b) {
        const std::size_t stride = std::max<std::size_t>(1, (b - a) / kSamples);
        const bool isSmoothed = line.isSmoothed();
        if (!isSmoothed && (line.spec().role != LineRole::Smoothed || b - a <= 200)) {
            const Extent extent = line.decimator().pyramid().extent(view.values, a, b);
            if (!extent.isEmpty() && (!isLog || extent.min > 0)) {
                bounds.add(extent.min);
                bounds.add(extent.max);
                return;
            }
        }
        // One point of each stride, at a place that scatters, so that a regular pattern is not seen twice as often.
        std::size_t scatter = 12345;
        for (std::size_t from = a; from < b; from += stride) {
            scatter = scatter * 1103515245 + 12345;
            const std::size_t i = std::min(b - 1, from + (scatter >> 16) % stride);
            const double v = view.values[i];
            if (isUsable(v, isLog)) raw.push_back(v);
            if (isSmoothed && isUsable(line.smooth().value(view, i), isLog)) bounds.add(line.smooth().value(view, i));
        }
        if (const auto& computed = line.spec().computed; computed && !computed->low.empty()) {
            for (std::size_t i = a; i < b; ++i) {
                if (isUsable(computed->low[i], isLog)) bounds.add(computed->low[i]);
                if (isUsable(computed->high[i], isLog)) bounds.add(computed->high[i]);
            }
        }
    });
}

double roundOut(double v, double unit, bool isUp) { return (isUp ? std::ceil(v / unit - 1e-9) : std::floor(v / unit + 1e-9)) * unit; }

// A unit that makes the end of the range a number of two figures: 2.6, not 2.5871.
double endUnit(double span) {
    const double decade = std::pow(10.0, std::floor(std::log10(span)));
    return span / decade >= 5 ? decade / 5 : span / decade >= 2 ? decade / 10 : decade / 20;
}

AxisRange padded(double low, double high, bool isLog) {
    if (isLog) {
        if (!(high > low)) return {low / 2, low * 2};
        const double factor = std::pow(high / low, 0.03);
        return {low / factor, high * factor};
    }
    if (!(high > low)) {
        const double pad = high == 0 ? 1 : std::abs(high) * 0.1;
        return {low - pad, high + pad};
    }
    const double unit = endUnit(high - low), pad = (high - low) * 0.02;
    AxisRange range{roundOut(low - pad, unit, false), roundOut(high + pad, unit, true)};
    // Losses and rates start at zero when they come near it; nothing dips below zero that has no negative value.
    if (low >= 0 && (range.low < 0 || low < 0.3 * high)) range.low = 0;
    return range;
}

}  // namespace

double ChartScene::keyOf(const ChartEvent& event) const {
    if (xKind == XKind::Time) return event.mark.wallSecs - (event.axis ? event.axis->startSecs : 0);
    const auto step = static_cast<double>(event.mark.step);
    if (xKind == XKind::Epoch && event.axis && event.axis->hasEpochs()) return event.axis->epochOf(step);
    return step;
}

double ChartScene::keyOf(const Forecast& forecast, std::size_t i) const {
    const auto step = static_cast<double>(forecast.steps[i]);
    if (xKind == XKind::Epoch && forecast.axis && forecast.axis->hasEpochs()) return forecast.axis->epochOf(step);
    return step;
}

const ChartLine* ChartScene::line(const QString& id) const {
    for (const auto& line : lines)
        if (line->spec().id == id) return line.get();
    return nullptr;
}

int ChartScene::visibleCount() const {
    return static_cast<int>(std::count_if(lines.begin(), lines.end(), [](const auto& line) { return line->isVisible(); }));
}

std::optional<AxisRange> ChartScene::keyExtent() const {
    Bounds bounds;
    for (const auto& line : lines) {
        if (!line->isVisible() || line->isEmpty()) continue;
        bounds.add(line->firstKey());
        bounds.add(line->lastKey());
    }
    if (bounds.isEmpty()) return std::nullopt;
    if (xKind != XKind::Time) {
        for (const Forecast& forecast : forecasts)
            if (!forecast.steps.empty()) bounds.add(keyOf(forecast, forecast.steps.size() - 1));
    }
    return AxisRange{bounds.low, bounds.high};
}

AxisRange wholeValueRange(const ChartScene& scene, const AxisRange& keys, bool isLog) {
    Bounds bounds;
    for (const auto& line : scene.lines) {
        if (!line->isVisible() || line->isEmpty()) continue;
        forPointsInView(*line, keys, [&](const LineColumns& view, std::size_t a, std::size_t b) {
            const Extent extent = line->decimator().pyramid().extent(view.values, a, b);
            if (extent.isEmpty()) return;
            if (extent.max > 0 || !isLog) bounds.add(extent.max);
            if (extent.min > 0 || !isLog) {
                bounds.add(extent.min);
                return;
            }
            for (std::size_t i = a; i < b; ++i)
                if (isUsable(view.values[i], true)) bounds.add(view.values[i]);
        });
    }
    if (scene.claim && isUsable(scene.claim->value, isLog)) bounds.add(scene.claim->value);
    if (bounds.isEmpty()) return isLog ? AxisRange{0.1, 10} : AxisRange{0, 1};
    return padded(bounds.low, bounds.high, isLog);
}

ValueRange countOutside(const ChartScene& scene, const AxisRange& keys, const AxisRange& values) {
    ValueRange result;
    result.range = values;
    Bounds all;
    for (const auto& line : scene.lines) {
        if (!line->isVisible() || line->isEmpty()) continue;
        forPointsInView(*line, keys, [&](const LineColumns& view, std::size_t a, std::size_t b) {
            const auto& pyramid = line->decimator().pyramid();
            const Extent extent = pyramid.extent(view.values, a, b);
            if (extent.isEmpty()) return;
            all.add(extent.min);
            all.add(extent.max);
            if (extent.max > values.high) result.above += pyramid.countAbove(view.values, a, b, values.high);
            if (extent.min < values.low) {
                const std::uint64_t finite = b - a - extent.nonFinite;
                const double below = std::nextafter(values.low, -kInfinity);
                result.below += finite - pyramid.countAbove(view.values, a, b, below);
            }
        });
    }
    result.hasPoints = !all.isEmpty();
    if (result.hasPoints) {
        result.highest = all.high;
        result.lowest = all.low;
    }
    return result;
}

ValueRange chooseValueRange(const ChartScene& scene, const AxisRange& view, bool isLog) {
    Bounds bounds;
    AxisRange keys = view;
    if (const auto whole = scene.keyExtent(); scene.isLateFocused && whole) {
        const double early = whole->low + 0.1 * whole->size();
        if (early < view.high) keys.low = std::max(view.low, early);
    }
    for (const auto& line : scene.lines) {
        if (!line->isVisible() || line->isEmpty()) continue;
        std::vector<double> raw;
        addMustSee(*line, keys, isLog, bounds, raw);
        if (raw.empty()) continue;
        const auto cut = static_cast<std::ptrdiff_t>(raw.size() / 200);
        std::nth_element(raw.begin(), raw.begin() + cut, raw.end());
        bounds.add(raw[static_cast<std::size_t>(cut)]);
        const auto top = static_cast<std::ptrdiff_t>(raw.size()) - 1 - cut;
        std::nth_element(raw.begin(), raw.begin() + top, raw.end());
        bounds.add(raw[static_cast<std::size_t>(top)]);
    }
    for (const Forecast& forecast : scene.forecasts)
        for (const double v : forecast.values)
            if (isUsable(v, isLog)) bounds.add(v);
    if (scene.claim && isUsable(scene.claim->value, isLog)) {
        bounds.add(scene.claim->value);
        // Room for its label above the line.
        if (!isLog && !bounds.isEmpty()) bounds.add(scene.claim->value + 0.09 * (bounds.high - bounds.low));
    }
    const AxisRange whole = wholeValueRange(scene, keys, isLog);
    if (bounds.isEmpty()) return countOutside(scene, keys, whole);
    AxisRange range = padded(bounds.low, bounds.high, isLog);
    // Leaving points out must pay: only when all of them would need a quarter more room at that end; a logarithmic
    // axis has room for decades.
    const double limit = isLog ? 3.0 : 1.25;
    const auto size = [&](double low, double high) { return isLog ? std::log(high / low) : high - low; };
    const double own = size(range.low, range.high);
    if (size(range.low, std::max(range.high, whole.high)) < limit * own) range.high = std::max(range.high, whole.high);
    if (size(std::min(range.low, whole.low), range.high) < limit * own) range.low = std::min(range.low, whole.low);
    return countOutside(scene, keys, range);
}

}  // namespace espalier::widgets
