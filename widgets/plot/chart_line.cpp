#include "widgets/plot/chart_line.h"

#include <algorithm>
#include <cmath>

namespace espalier::widgets {

void RunAxis::extend(const Series& series) {
    if (series.revision != m_revision || series.size() < m_taken) {
        steps.clear();
        epochs.clear();
        m_taken = 0;
        m_revision = series.revision;
    }
    for (; m_taken < series.size(); ++m_taken) {
        const std::int64_t step = series.steps[m_taken];
        if (!std::isfinite(series.values[m_taken])) continue;
        // A resumed run logs some steps twice; the later ones hold.
        while (!steps.empty() && steps.back() >= step) {
            steps.pop_back();
            epochs.pop_back();
        }
        steps.push_back(step);
        epochs.push_back(series.values[m_taken]);
    }
}

double RunAxis::epochOf(double step) const {
    if (!hasEpochs()) return std::numeric_limits<double>::quiet_NaN();
    const auto at = std::lower_bound(steps.begin(), steps.end(), step,
                                     [](std::int64_t a, double b) { return static_cast<double>(a) < b; });
    auto i = static_cast<std::size_t>(at - steps.begin());
    i = std::clamp<std::size_t>(i, 1, steps.size() - 1);
    const auto a = static_cast<double>(steps[i - 1]), b = static_cast<double>(steps[i]);
    return epochs[i - 1] + (step - a) / (b - a) * (epochs[i] - epochs[i - 1]);
}

void ChartLine::setSpec(LineSpec spec) {
    const bool isSame = spec.series == m_spec.series && spec.computed == m_spec.computed;
    m_spec = std::move(spec);
    if (isSame) return;
    m_decimator.clear();
    m_smooth.clear();
    m_keys.clear();
}

void ChartLine::makeKeys(XKind kind) {
    if (!m_spec.series || kind != XKind::Epoch) return;
    const auto& steps = m_spec.series->steps;
    m_keys.reserve(steps.size());
    for (std::size_t i = m_keys.size(); i < steps.size(); ++i) {
        const double epoch = m_spec.axis ? m_spec.axis->epochOf(static_cast<double>(steps[i])) : 0;
        m_keys.push_back(std::isfinite(epoch) ? epoch : static_cast<double>(steps[i]));
    }
}

bool ChartLine::digest(XKind kind, double smoothing) {
    const std::uint64_t revision = m_spec.series ? m_spec.series->revision : 0;
    const std::size_t axisSize = m_spec.axis ? m_spec.axis->steps.size() : 0;
    bool isChanged = false;
    // The first epochs of a live run are extrapolated; once the table is there the keys are made again.
    const bool isAxisBorn = kind == XKind::Epoch && m_axisSize < 2 && axisSize >= 2;
    if (kind != m_kind || revision != m_revision || isAxisBorn || size() < m_decimator.size()) {
        m_decimator.clear();
        m_smooth.clear();
        m_keys.clear();
        m_kind = kind;
        m_revision = revision;
        isChanged = true;
    }
    m_axisSize = axisSize;
    const double length = m_spec.role == LineRole::Smoothed && m_spec.series ? smoothing : 0;
    if (length != m_smooth.length()) {
        m_smooth.setLength(length);
        isChanged = true;
    }
    makeKeys(kind);
    const LineColumns all = columns();
    if (all.size() != m_decimator.size() || all.size() != m_smooth.size()) {
        m_decimator.append(all);
        m_smooth.append(all, m_decimator.segments());
        isChanged = true;
    }
    return isChanged;
}

LineColumns ChartLine::columns() const {
    if (m_spec.computed) return {{}, m_spec.computed->keys, 0, m_spec.computed->values};
    if (!m_spec.series) return {};
    const Series& series = *m_spec.series;
    LineColumns view{series.steps, {}, 0, series.values};
    if (m_kind == XKind::Epoch) {
        view.keys = m_keys;
    } else if (m_kind == XKind::Time) {
        view.keys = series.wallSecs;
        view.keyOffset = m_spec.axis ? m_spec.axis->startSecs : (series.isEmpty() ? 0 : series.wallSecs.front());
    }
    return view;
}

double ChartLine::firstKey() const {
    double key = std::numeric_limits<double>::infinity();
    const LineColumns view = columns();
    for (const Segment& s : m_decimator.segments())
        if (s.first < s.last) key = std::min(key, view.key(s.first));
    return key;
}

double ChartLine::lastKey() const {
    double key = -std::numeric_limits<double>::infinity();
    const LineColumns view = columns();
    for (const Segment& s : m_decimator.segments())
        if (s.first < s.last) key = std::max(key, view.key(s.last - 1));
    return key;
}

ChartLine::Reading ChartLine::readingOf(std::size_t index) const {
    const LineColumns view = columns();
    Reading reading;
    reading.index = index;
    reading.key = view.key(index);
    reading.raw = view.values[index];
    reading.smooth = isSmoothed() ? m_smooth.value(view, index) : reading.raw;
    if (m_spec.series) {
        reading.step = m_spec.series->steps[index];
        reading.wallSecs = m_spec.series->wallSecs[index];
    }
    return reading;
}

std::optional<ChartLine::Reading> ChartLine::readingAt(double key, double tolerance) const {
    if (isEmpty() || key < firstKey() - tolerance || key > lastKey() + tolerance) return std::nullopt;
    return readingOf(m_decimator.nearest(columns(), key));
}

std::optional<ChartLine::Reading> ChartLine::lastReading() const {
    if (isEmpty()) return std::nullopt;
    return readingOf(m_decimator.size() - 1);
}

}  // namespace espalier::widgets
