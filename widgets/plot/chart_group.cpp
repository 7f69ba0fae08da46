#include "widgets/plot/chart_group.h"

#include "widgets/plot/loss_chart.h"
#include "widgets/plot/readout_box.h"
#include "widgets/theme/format.h"

#include <algorithm>
#include <cmath>

namespace espalier::widgets {
namespace {

constexpr int kHistoryDepth = 100;

}  // namespace

ChartGroup::ChartGroup(QWidget* page) : QObject(page), m_readout(new ReadoutBox(page)) {
    m_updateTimer.setSingleShot(true);
    m_updateTimer.setInterval(0);
    connect(&m_updateTimer, &QTimer::timeout, this, &ChartGroup::updateNow);
}

void ChartGroup::add(LossChart* chart) {
    m_charts.append(chart);
    chart->setGroup(this);
    connect(chart, &QObject::destroyed, this, [this, chart] {
        m_charts.removeAll(chart);
        m_view.values.remove(chart);
    });
    scheduleUpdate();
}

void ChartGroup::remove(LossChart* chart) {
    m_charts.removeAll(chart);
    m_view.values.remove(chart);
    if (m_hovered == chart) clearCursor();
}

void ChartGroup::setXKind(XKind kind) {
    if (kind == m_kind) return;
    m_kind = kind;
    m_view = {};
    m_history.clear();
    clearCursor();
    Q_EMIT xKindChanged();
    Q_EMIT historyChanged();
    updateNow();
}

void ChartGroup::setLogX(bool isLog) {
    if (isLog == m_isLogX) return;
    m_isLogX = isLog;
    Q_EMIT logXChanged(isLog);
    updateNow();
}

void ChartGroup::setSmoothing(double steps) {
    if (steps == m_smoothing) return;
    m_smoothing = steps;
    Q_EMIT smoothingChanged(steps);
    updateNow();
}

void ChartGroup::push() {
    if (!m_history.isEmpty() && m_history.last() == m_view) return;
    m_history.append(m_view);
    if (m_history.size() > kHistoryDepth) m_history.removeFirst();
}

void ChartGroup::apply() {
    Q_EMIT viewChanged();
    Q_EMIT historyChanged();
    updateNow();
}

void ChartGroup::zoomTo(const AxisRange& keys, LossChart* chart, std::optional<AxisRange> values) {
    if (!(keys.high > keys.low)) return;
    m_isInGesture = false;
    push();
    m_view.keys = keys;
    if (chart && values) m_view.values[chart] = *values;
    apply();
}

void ChartGroup::zoomBy(const AxisRange& keys, LossChart* chart, std::optional<AxisRange> values) {
    if (!(keys.high > keys.low)) return;
    if (!m_isInGesture) push();
    m_isInGesture = true;
    m_view.keys = keys;
    if (chart && values) m_view.values[chart] = *values;
    apply();
}

void ChartGroup::zoomBack() {
    if (m_history.isEmpty()) return;
    m_isInGesture = false;
    m_view = m_history.takeLast();
    apply();
}

void ChartGroup::zoomReset() {
    if (!isZoomed()) return;
    m_isInGesture = false;
    push();
    m_view = {};
    apply();
}

AxisRange ChartGroup::fullKeyRange() const {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const LossChart* chart : m_charts) {
        if (const auto extent = chart->scene().keyExtent()) {
            low = std::min(low, extent->low);
            high = std::max(high, extent->high);
        }
    }
    if (low > high) return m_isLogX ? AxisRange{1, 1000} : AxisRange{0, 1000};
    if (m_isLogX) return {std::max(low, m_kind == XKind::Epoch ? 0.01 : 1.0), std::max(high, 2.0) * 1.1};
    if (low >= 0 && low <= 0.1 * high) low = 0;
    if (!(high > low)) high = low + 1;
    return {low, high + (high - low) * 0.025};
}

AxisRange ChartGroup::keyRange() const {
    AxisRange range = m_view.keys ? *m_view.keys : fullKeyRange();
    if (m_isLogX) range.low = std::max(range.low, range.high * 1e-9);
    return range;
}

std::optional<AxisRange> ChartGroup::valueRange(const LossChart* chart) const {
    const auto at = m_view.values.constFind(chart);
    return at == m_view.values.cend() ? std::nullopt : std::optional<AxisRange>(*at);
}

double ChartGroup::snapped(double key) const { return m_kind == XKind::Step ? std::round(key) : key; }

void ChartGroup::setCursor(double key, LossChart* hovered) {
    m_cursor = snapped(key);
    m_hovered = hovered;
    Q_EMIT cursorChanged();
    for (LossChart* chart : m_charts) chart->updateCursor();
    showReadout();
}

void ChartGroup::clearCursor() {
    if (!m_cursor) return;
    m_cursor.reset();
    m_hovered.clear();
    Q_EMIT cursorChanged();
    for (LossChart* chart : m_charts) chart->updateCursor();
    showReadout();
}

void ChartGroup::showReadout() {
    if (!m_readout) return;
    if (!m_cursor || !m_hovered || !m_hovered->isVisible()) return m_readout->hide();
    const ReadoutBox::Content content = m_hovered->readoutContent();
    if (content.rows.isEmpty()) return m_readout->hide();
    const QRect area = m_hovered->plotArea();
    const int x = m_hovered->pixelOfKey(*m_cursor);
    const QPoint at = m_hovered->mapTo(m_readout->parentWidget(), QPoint(x, area.top() + 22));
    m_readout->showAt(content, at, x > area.center().x());
}

void ChartGroup::scheduleUpdate() {
    if (!m_updateTimer.isActive()) m_updateTimer.start();
}

void ChartGroup::updateNow() {
    m_updateTimer.stop();
    for (LossChart* chart : m_charts) chart->digest();
    for (LossChart* chart : m_charts) chart->updateView();
    showReadout();
}

QString ChartGroup::keyText(double key) const {
    switch (m_kind) {
        case XKind::Step: return format::count(std::llround(key));
        case XKind::Epoch: return format::fixed(key, 1);
        case XKind::Time: return format::clock(std::max(0.0, key));
    }
    return {};
}

}  // namespace espalier::widgets
