#include "widgets/plot/tradeoff_scatter.h"

#include <QKeyEvent>
#include <QMenu>

#include <algorithm>
#include <cmath>

#include "widgets/plot/chart_export.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

constexpr double kStrip = 0.01;   ///< "within 1 % of base"
constexpr double kFocus = 0.06;   ///< losses up to this share of the base are always drawn to scale
constexpr double kSpread = 0.15;  ///< when none is worse than this, all are
constexpr double kPickRadius = 9, kSamePlace = 2.5;

}  // namespace

TradeoffScatter::TradeoffScatter(QWidget* parent) : PaintedChart(parent) {
    setAccessibleName(tr("Size against accuracy; arrows choose a point"));
    setLogX(true);
}

void TradeoffScatter::setPoints(std::vector<ScatterPoint> points, int direction, const QString& costUnit, const QString& metricName) {
    m_points = std::move(points);
    std::stable_sort(m_points.begin(), m_points.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
    m_direction = direction < 0 ? -1 : 1;
    m_unit = costUnit;
    m_metric = metricName;
    update();
    Q_EMIT viewChanged();
}

void TradeoffScatter::setSelected(int id) {
    m_selected = id;
    const ScatterPoint* point = find(id);
    setAccessibleDescription(point ? tr("%1: %2 at %3").arg(point->name, format::fixed(point->metric, 4), point->detail) : QString());
    update();
}

void TradeoffScatter::setMethodHidden(const QString& method, bool isHidden) {
    m_hidden.removeAll(method);
    if (isHidden) m_hidden << method;
    update();
    Q_EMIT viewChanged();
    Q_EMIT visibilityChanged();
}

void TradeoffScatter::isolateMethod(const QString& method) {
    QStringList others;
    for (const ScatterPoint& point : m_points)
        if (!point.isBase && point.method != method && !others.contains(point.method)) others << point.method;
    const bool isAlone = !m_hidden.contains(method) && std::all_of(others.begin(), others.end(), [this](const QString& one) { return m_hidden.contains(one); });
    m_hidden = isAlone ? QStringList() : others;
    update();
    Q_EMIT viewChanged();
    Q_EMIT visibilityChanged();
}

void TradeoffScatter::setShowsAll(bool showsAll) {
    m_showsAll = showsAll;
    zoomReset();
    update();
    Q_EMIT viewChanged();
}

const ScatterPoint* TradeoffScatter::find(int id) const {
    const auto it = std::find_if(m_points.begin(), m_points.end(), [id](const auto& point) { return point.id == id; });
    return it == m_points.end() ? nullptr : &*it;
}

const ScatterPoint* TradeoffScatter::base() const {
    const auto it = std::find_if(m_points.begin(), m_points.end(), [](const auto& point) { return point.isBase; });
    return it == m_points.end() ? nullptr : &*it;
}

bool TradeoffScatter::isShown(const ScatterPoint& point) const {
    return point.cost > 0 && std::isfinite(point.metric) && (point.isBase || !m_hidden.contains(point.method));
}

bool TradeoffScatter::hasData() const {
    return std::any_of(m_points.begin(), m_points.end(), [this](const auto& point) { return isShown(point); });
}

AxisRange TradeoffScatter::metricRange() const {
    const ScatterPoint* reference = base();
    const double zero = reference ? reference->metric : 0, unit = reference ? std::abs(reference->metric) : 1;
    double best = 1e300, worst = -1e300, focusWorst = -1e300, barWorst = -1e300;
    int inFocus = 0;
    // Losses against the base, so that both directions of a metric read alike.
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const double loss = m_direction * (zero - point.metric);
        worst = std::max(worst, loss), best = std::min(best, loss);
        if (loss > kFocus * unit) continue;
        focusWorst = std::max(focusWorst, loss);
        inFocus += !point.isBase;
        for (const double end : {point.low, point.high})
            if (std::isfinite(end)) best = std::min(best, m_direction * (zero - end)), barWorst = std::max(barWorst, m_direction * (zero - end));
    }
    const bool isFocused = reference && !m_showsAll && worst > kSpread * unit && inFocus >= 2;
    double least = isFocused ? std::max(focusWorst, 0.03 * unit) : worst;
    least = std::max(least, reference ? 1.6 * kStrip * unit : best + 1e-6);
    // The bars belong to the picture while they do not squeeze the points.
    least = std::max(least, std::min(barWorst, least + 0.6 * (least - best)));
    const double span = std::max(least - best, 1e-9);
    const double a = zero - m_direction * (least + 0.08 * span), b = zero - m_direction * (best - 0.10 * span);
    AxisRange range{std::min(a, b), std::max(a, b)};
    if (isLogY()) {
        double low = 1e300;
        for (const ScatterPoint& point : m_points)
            if (isShown(point) && point.metric > 0 && point.metric >= range.low) low = std::min(low, point.metric);
        range.low = std::max(range.low, low < 1e300 ? low * 0.98 : 1e-6);
    }
    return range;
}

ChartView TradeoffScatter::fullView() const {
    double left = 1e300, right = -1e300;
    for (const ScatterPoint& point : m_points)
        if (isShown(point)) left = std::min(left, point.cost), right = std::max(right, point.cost);
    if (left > right) return {{0.1, 10}, {0, 1}};
    const double room = std::pow(std::max(right / left, 1.05), 0.08) * 1.06, margin = 0.08 * std::max(right - left, 0.1 * right);
    const AxisRange costs = isLogX() ? AxisRange{left / room, right * room} : AxisRange{std::max(0.0, left - margin), right + margin};
    return {costs, metricRange()};
}

bool TradeoffScatter::isOutside(const ScatterPoint& point, const ChartFrame& frame) {
    return point.metric < frame.view.y.low || point.metric > frame.view.y.high;
}

int TradeoffScatter::outsideCount() const {
    const ChartFrame now = frame();
    return static_cast<int>(std::count_if(m_points.begin(), m_points.end(), [&](const auto& point) { return isShown(point) && isOutside(point, now); }));
}

QPointF TradeoffScatter::place(const ScatterPoint& point, const ChartFrame& frame) const {
    return {frame.pixelX(point.cost), std::clamp(frame.pixelY(point.metric), frame.area.top(), frame.area.bottom() - 7)};
}

QPointF TradeoffScatter::positionOf(int id) const {
    const ScatterPoint* point = find(id);
    return point ? place(*point, frame()) : QPointF();
}

std::vector<const ScatterPoint*> TradeoffScatter::pointsAt(const QPointF& position) const {
    const ChartFrame now = frame();
    std::vector<std::pair<double, const ScatterPoint*>> near;
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const QPointF away = place(point, now) - position;
        if (const double distance = std::hypot(away.x(), away.y()); distance < kPickRadius) near.emplace_back(distance, &point);
    }
    std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<const ScatterPoint*> points;
    for (const auto& [distance, point] : near) {
        const QPointF away = place(*point, now) - place(*near.front().second, now);
        if (std::hypot(away.x(), away.y()) <= kSamePlace) points.push_back(point);
    }
    return points;
}

ReadoutBox::Content TradeoffScatter::readoutAt(const QPoint& position) const {
    // Everything of one size: the methods are compared at equal bytes.
    const ChartFrame now = frame();
    const ScatterPoint* nearest = nullptr;
    double least = 24;
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        if (const double away = std::abs(now.pixelX(point.cost) - position.x()); away < least) least = away, nearest = &point;
    }
    ReadoutBox::Content content;
    if (!nearest) return content;
    content.title = nearest->detail;
    content.detail = m_metric;
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point) || std::abs(now.pixelX(point.cost) - now.pixelX(nearest->cost)) > kSamePlace) continue;
        ReadoutBox::Row row;
        row.label = point.name;
        row.raw = format::fixed(point.metric, 5);
        if (std::isfinite(point.low) && std::isfinite(point.high)) row.raw += tr("  %1 to %2").arg(format::fixed(point.low, 4), format::fixed(point.high, 4));
        row.color = point.isBase ? theme().color(Color::Text) : theme().methodLook(point.method).color;
        content.rows << row;
    }
    std::stable_sort(content.rows.begin(), content.rows.end(), [](const auto& a, const auto& b) { return a.raw > b.raw; });
    return content;
}

QString TradeoffScatter::valueTextX(double value) const { return format::significant(value, 3) + u' ' + m_unit.section(u' ', 0, 0); }

QString TradeoffScatter::csv() const {
    QString text = QStringLiteral("label,method,cost,cost_unit,%1,low,high,on_front\n").arg(csvField(m_metric.isEmpty() ? QStringLiteral("metric") : m_metric));
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const auto number = [](double value) { return std::isfinite(value) ? format::copyText(value) : QString(); };
        text += csvField(point.name) + u',' + csvField(point.method) + u',' + format::copyText(point.cost) + u',' + csvField(m_unit) + u',' +
                number(point.metric) + u',' + number(point.low) + u',' + number(point.high) + (point.isOnFront ? QStringLiteral(",1\n") : QStringLiteral(",0\n"));
    }
    return text;
}

void TradeoffScatter::clicked(const QPoint& position) {
    const auto points = pointsAt(position);
    if (points.empty()) return;
    const auto now = std::find_if(points.begin(), points.end(), [this](const auto* point) { return point->id == m_selected; });
    const auto next = now == points.end() || now + 1 == points.end() ? points.begin() : now + 1;
    setSelected((*next)->id);
    Q_EMIT picked(m_selected);
}

bool TradeoffScatter::handleKey(QKeyEvent* event) {
    std::vector<int> ids;
    for (const ScatterPoint& point : m_points)
        if (isShown(point)) ids.push_back(point.id);
    if (ids.empty()) return false;
    const auto now = std::find(ids.begin(), ids.end(), m_selected);
    auto at = now == ids.end() ? -1 : static_cast<int>(now - ids.begin());
    switch (event->key()) {
    case Qt::Key_Left: case Qt::Key_Down: --at; break;
    case Qt::Key_Right: case Qt::Key_Up: ++at; break;
    case Qt::Key_Home: at = 0; break;
    case Qt::Key_End: at = static_cast<int>(ids.size()) - 1; break;
    default: return false;
    }
    setSelected(ids[static_cast<std::size_t>(std::clamp(at, 0, static_cast<int>(ids.size()) - 1))]);
    Q_EMIT picked(m_selected);
    return true;
}

void TradeoffScatter::addToMenu(QMenu& menu) {
    QAction* all = menu.addAction(tr("Show every point to scale"), this, [this] { setShowsAll(!m_showsAll); });
    all->setCheckable(true);
    all->setChecked(m_showsAll);
}

}  // namespace espalier::widgets
