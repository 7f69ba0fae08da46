#include "widgets/plot/tradeoff_scatter.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/plot/chart_look.h"
#include "widgets/plot/chart_style.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

constexpr int kLeft = 46, kRight = 12, kTop = 8, kBottom = 22;
constexpr double kStrip = 0.01;    ///< "within 1 % of base"
constexpr double kFocus = 0.06;    ///< losses up to this share of the base are always drawn to scale
constexpr double kSpread = 0.15;   ///< when none is worse than this, all are
constexpr int kPickRadius = 9;

QColor markColor(const ScatterPoint& point) { return point.isBase ? theme().color(Color::Text) : theme().methodLook(point.method).color; }

}  // namespace

void paintMarker(QPainter& painter, const QPointF& center, const MethodLook& look, const QColor& hole, double size) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const double r = size / 2;
    painter.setPen(Qt::NoPen);
    painter.setBrush(look.color);
    switch (look.marker) {
    case Marker::Ring:
        painter.setBrush(hole);
        painter.setPen(QPen(look.color, 1.75));
        painter.drawEllipse(center, r - 1, r - 1);
        break;
    case Marker::Square: painter.drawRect(QRectF(center.x() - r + 0.75, center.y() - r + 0.75, size - 1.5, size - 1.5)); break;
    case Marker::Diamond: painter.drawPolygon(QPolygonF({center + QPointF(0, -r - 0.5), center + QPointF(r + 0.5, 0), center + QPointF(0, r + 0.5), center + QPointF(-r - 0.5, 0)})); break;
    case Marker::Triangle: painter.drawPolygon(QPolygonF({center + QPointF(0, -r - 0.5), center + QPointF(r + 0.5, r), center + QPointF(-r - 0.5, r)})); break;
    case Marker::Disc: painter.drawEllipse(center, r - 0.25, r - 0.25); break;
    }
    painter.restore();
}

TradeoffScatter::TradeoffScatter(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    setAccessibleName(tr("Size against accuracy; arrows choose a point"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void TradeoffScatter::setPoints(std::vector<ScatterPoint> points, int direction, const QString& costUnit) {
    m_points = std::move(points);
    std::stable_sort(m_points.begin(), m_points.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
    m_direction = direction < 0 ? -1 : 1;
    m_unit = costUnit;
    computeRanges();
    update();
}

void TradeoffScatter::setSelected(int id) {
    m_selected = id;
    const ScatterPoint* point = find(id);
    setAccessibleDescription(point ? point->toolTip : QString());
    update();
}

void TradeoffScatter::setMethodHidden(const QString& method, bool isHidden) {
    m_hidden.removeAll(method);
    if (isHidden) m_hidden << method;
    computeRanges();
    update();
}

void TradeoffScatter::setEmptyText(const QString& text) {
    m_emptyText = text;
    update();
}

void TradeoffScatter::setShowsAll(bool showsAll) {
    m_showsAll = showsAll;
    computeRanges();
    update();
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

void TradeoffScatter::computeRanges() {
    const ScatterPoint* reference = base();
    const double zero = reference ? reference->metric : 0, unit = reference ? std::abs(reference->metric) : 1;
    double best = 1e300, worst = -1e300, focusWorst = -1e300, left = 1e300, right = -1e300;
    int inFocus = 0, count = 0;
    // Losses against the base, so that both directions of a metric read alike.
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const double loss = m_direction * (zero - point.metric);
        left = std::min(left, point.cost), right = std::max(right, point.cost);
        worst = std::max(worst, loss), best = std::min(best, loss);
        if (loss <= kFocus * unit) {
            focusWorst = std::max(focusWorst, loss);
            inFocus += !point.isBase;
        }
        for (const double end : {point.low, point.high})
            if (std::isfinite(end) && loss <= kFocus * unit) best = std::min(best, m_direction * (zero - end));
        ++count;
    }
    if (count == 0) {
        m_range[0] = 0, m_range[1] = 1, m_costs[0] = 0.1, m_costs[1] = 10, m_outside = 0;
        Q_EMIT rangeChanged();
        return;
    }
    const bool isFocused = reference && !m_showsAll && worst > kSpread * unit && inFocus >= 2;
    double least = isFocused ? std::max(focusWorst, 0.03 * unit) : worst;
    least = std::max(least, reference ? 1.6 * kStrip * unit : best + 1e-6);
    const double span = std::max(least - best, 1e-9);
    double a = zero - m_direction * (least + 0.08 * span), b = zero - m_direction * (best - 0.10 * span);
    m_range[0] = std::min(a, b), m_range[1] = std::max(a, b);
    const double room = std::pow(std::max(right / left, 1.05), 0.08) * 1.06;
    m_costs[0] = left / room, m_costs[1] = right * room;
    m_outside = static_cast<int>(std::count_if(m_points.begin(), m_points.end(), [this](const auto& point) { return isShown(point) && isOutside(point); }));
    Q_EMIT rangeChanged();
}

bool TradeoffScatter::isOutside(const ScatterPoint& point) const { return point.metric < m_range[0] || point.metric > m_range[1]; }

QRect TradeoffScatter::plotArea() const { return rect().adjusted(kLeft, kTop, -kRight, -kBottom); }

QPointF TradeoffScatter::place(const ScatterPoint& point, const QRectF& area) const {
    const double x = area.left() + std::log(point.cost / m_costs[0]) / std::log(m_costs[1] / m_costs[0]) * area.width();
    const double y = area.bottom() - (point.metric - m_range[0]) / (m_range[1] - m_range[0]) * area.height();
    return {x, std::clamp(y, area.top(), area.bottom() - 7)};
}

QPointF TradeoffScatter::positionOf(int id) const {
    const ScatterPoint* point = find(id);
    return point ? place(*point, plotArea()) : QPointF();
}

void TradeoffScatter::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paint(painter, rect());
    if (showsFocus(this)) paintFocus(painter, rect(), metrics::kRadius);
}

void TradeoffScatter::renderTo(QPainter& painter, const QRect& area) const {
    painter.fillRect(area, theme().color(Color::Well));
    paint(painter, area);
}

void TradeoffScatter::paint(QPainter& painter, const QRect& whole) const {
    const QRectF area = QRectF(whole).adjusted(kLeft, kTop, -kRight, -kBottom);
    if (std::none_of(m_points.begin(), m_points.end(), [this](const auto& point) { return isShown(point); })) {
        painter.setFont(theme().font(Type::Body));
        painter.setPen(theme().color(Color::Text3));
        painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap, m_emptyText);
        return;
    }
    paintAxes(painter, area);
    painter.save();
    painter.setClipRect(area.adjusted(0, -kTop, kRight, 1));
    paintBase(painter, area);
    paintFront(painter, area);
    paintMarks(painter, area);
    painter.restore();
    paintLabels(painter, area);
}

void TradeoffScatter::paintAxes(QPainter& painter, const QRectF& area) const {
    const Theme& look = theme();
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setFont(look.font(Type::Caption));
    const QFontMetrics fm = painter.fontMetrics();
    const QVector<double> rows = linearTicks(m_range[0], m_range[1], area.height(), 38);
    const QStringList rowTexts = tickLabels(rows);
    for (int i = 0; i < rows.size(); ++i) {
        const double y = std::round(area.bottom() - (rows[i] - m_range[0]) / (m_range[1] - m_range[0]) * area.height());
        if (y < area.top() || y > area.bottom()) continue;
        painter.fillRect(QRectF(area.left(), y, area.width(), 1), look.color(Color::Grid));
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(area.left() - kLeft, y - 8, kLeft - 8, 16), Qt::AlignRight | Qt::AlignVCenter, rowTexts[i]);
    }
    painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), look.color(Color::Axis));
    QVector<double> columns = logTicks(m_costs[0], m_costs[1], area.width(), 60);
    if (columns.size() < 3) columns = linearTicks(m_costs[0], m_costs[1], area.width(), 90);
    QStringList columnTexts;
    for (const double tick : columns) columnTexts << (tick >= 0.001 && tick < 1e5 ? QString::number(tick, 'g', 6) : format::axis(tick));
    double end = -1e9;
    for (int i = 0; i < columns.size(); ++i) {
        const double x = std::round(area.left() + std::log(columns[i] / m_costs[0]) / std::log(m_costs[1] / m_costs[0]) * area.width());
        if (x < area.left() - 1 || x > area.right() + 1) continue;
        painter.fillRect(QRectF(x, area.bottom(), 1, 4), look.color(Color::Axis));
        const int wide = fm.horizontalAdvance(columnTexts[i]);
        if (x - wide / 2.0 < end + 8) continue;
        painter.setPen(look.color(Color::Text3));
        painter.drawText(QRectF(x - wide / 2.0 - 1, area.bottom() + 5, wide + 2, 16), Qt::AlignCenter, columnTexts[i]);
        end = x + wide / 2.0;
    }
    painter.setPen(look.color(Color::Text3));
    painter.drawText(QRectF(area.left(), area.bottom() - 18, area.width(), 16), Qt::AlignRight | Qt::AlignVCenter, m_unit);
}

void TradeoffScatter::paintBase(QPainter& painter, const QRectF& area) const {
    const ScatterPoint* reference = base();
    if (!reference) return;
    const Theme& look = theme();
    const auto yOf = [&](double metric) { return area.bottom() - (metric - m_range[0]) / (m_range[1] - m_range[0]) * area.height(); };
    const double strip = reference->metric - m_direction * kStrip * std::abs(reference->metric);
    const double y = std::round(yOf(reference->metric)), edge = std::clamp(yOf(strip), area.top(), area.bottom());
    painter.fillRect(QRectF(QPointF(area.left(), std::min(y, edge)), QPointF(area.right(), std::max(y, edge))), look.color(Color::Band));
    QPen pen = look.line(Color::Text2);
    setDash(pen, {5, 3});
    painter.setPen(pen);
    painter.drawLine(QPointF(area.left(), y + 0.5), QPointF(area.right(), y + 0.5));
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text3));
    const QRectF line(area.left(), edge + (m_direction > 0 ? 1 : -17), area.width() - 2, 16);
    painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, tr("within 1 % of base"));
}

void TradeoffScatter::paintFront(QPainter& painter, const QRectF& area) const {
    QPainterPath path;
    bool hasStarted = false;
    double y = 0;
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point) || !(point.isOnFront)) continue;
        const QPointF at(place(point, area).x(), area.bottom() - (point.metric - m_range[0]) / (m_range[1] - m_range[0]) * area.height());
        if (!hasStarted) path.moveTo(at.x(), m_direction > 0 ? area.bottom() : area.top());
        else path.lineTo(at.x(), y);
        path.lineTo(at);
        y = at.y();
        hasStarted = true;
    }
    if (!hasStarted) return;
    path.lineTo(area.right(), y);
    painter.setPen(theme().line(Color::Text));
    painter.setBrush(Qt::NoBrush);
    painter.drawPath(path.translated(0.5, 0.5));
}

void TradeoffScatter::paintMarks(QPainter& painter, const QRectF& area) const {
    const Theme& look = theme();
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point) || isOutside(point) || !std::isfinite(point.low) || !std::isfinite(point.high)) continue;
        const double x = std::round(place(point, area).x());
        const auto yOf = [&](double metric) { return area.bottom() - (metric - m_range[0]) / (m_range[1] - m_range[0]) * area.height(); };
        painter.fillRect(QRectF(QPointF(x, yOf(point.high)), QPointF(x + 1, yOf(point.low))), markColor(point));
    }
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const QPointF at = place(point, area) + QPointF(0.5, 0.5);
        if (isOutside(point)) {
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(Qt::NoPen);
            painter.setBrush(markColor(point));
            painter.drawPolygon(QPolygonF({at + QPointF(-4, -2), at + QPointF(4, -2), at + QPointF(0, 4)}));
        } else {
            MethodLook mark = look.methodLook(point.method);
            if (point.isBase) mark = {look.color(Color::Text), Marker::Disc, {}};
            paintMarker(painter, at, mark, look.color(Color::Well), point.id == m_hovered ? 11 : 9);
        }
        if (point.id != m_selected) continue;
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(look.color(Color::Focus), 2));
        painter.drawEllipse(at, 9, 9);
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
}

void TradeoffScatter::paintLabels(QPainter& painter, const QRectF& area) const {
    const Theme& look = theme();
    painter.setFont(look.font(Type::Caption));
    const QFontMetrics fm = painter.fontMetrics();
    std::vector<QRectF> taken;
    for (const ScatterPoint& point : m_points)
        if (isShown(point)) {
            const double r = point.id == m_selected ? 9.5 : 5.5;
            taken.emplace_back(place(point, area) - QPointF(r, r), QSizeF(2 * r, 2 * r));
        }
    const auto yOf = [&](double metric) { return area.bottom() - (metric - m_range[0]) / (m_range[1] - m_range[0]) * area.height(); };
    std::vector<QRectF> lines;  // what labels of lesser points keep off
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        if (point.isBase) lines.emplace_back(area.left(), yOf(point.metric) - 1, area.width(), 3);
        if (std::isfinite(point.low) && std::isfinite(point.high) && !isOutside(point))
            lines.emplace_back(place(point, area).x() - 1, yOf(point.high), 3, yOf(point.low) - yOf(point.high));
    }
    std::vector<const ScatterPoint*> order;
    for (const ScatterPoint& point : m_points)
        if (isShown(point) && !point.label.isEmpty()) order.push_back(&point);
    // The chosen one, then the base, then the front keep their labels; the others where there is room.
    const auto rank = [this](const ScatterPoint* point) { return point->id == m_selected ? 0 : point->isBase ? 1 : point->isOnFront ? 2 : 3; };
    std::stable_sort(order.begin(), order.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
    for (const ScatterPoint* point : order) {
        const QPointF at = place(*point, area);
        const double wide = fm.horizontalAdvance(point->label) + 2, r = point->id == m_selected ? 11 : 7;
        // Above the end of its own bar while that is near.
        const double end = std::isfinite(point->high) && !isOutside(*point) ? yOf(point->high) : at.y();
        const double above = end < at.y() - r && end > at.y() - 40 ? end - 2 : at.y() - r;
        const QRectF places[] = {{at.x() - wide / 2, above - 15, wide, 14}, {at.x() - wide - r, at.y() - 16, wide, 14},
                                 {at.x() + r, at.y() - 7, wide, 14},             {at.x() - wide - r, at.y() - 7, wide, 14},
                                 {at.x() + r, at.y() + 3, wide, 14},             {at.x() - wide / 2, at.y() + r + 1, wide, 14}};
        // A long bar would run through a label above its mark.
        const bool hasLongBar = end <= at.y() - 40;
        const int first = hasLongBar ? (point->isBase ? 1 : 4) : point->isOnFront || point->isBase || isOutside(*point) ? 0 : 2;
        for (int i = 0; i < 6; ++i) {
            QRectF box = places[(first + i) % 6];
            if (point->isBase && box.right() > area.right() + kRight) box.moveRight(area.right() + kRight);
            if (!area.adjusted(-4, -kTop, kRight, 0).contains(box)) continue;
            if (std::any_of(taken.begin(), taken.end(), [&](const QRectF& other) { return other.intersects(box); })) continue;
            const bool isLesser = rank(point) == 3;
            if (isLesser && std::any_of(lines.begin(), lines.end(), [&](const QRectF& other) { return other.intersects(box); })) continue;
            painter.setPen(look.color(point->id == m_selected ? Color::Text : Color::Text2));
            painter.drawText(box, Qt::AlignCenter, point->label);
            taken.push_back(box);
            break;
        }
    }
}

int TradeoffScatter::idAt(const QPointF& position) const {
    int best = -1;
    double least = kPickRadius;
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const QPointF away = place(point, plotArea()) - position;
        const double distance = std::hypot(away.x(), away.y());
        if (distance < least) least = distance, best = point.id;
    }
    return best;
}

void TradeoffScatter::mousePressEvent(QMouseEvent* event) {
    const int id = idAt(event->position());
    if (event->button() != Qt::LeftButton || id < 0) return;
    setSelected(id);
    Q_EMIT picked(id);
}

void TradeoffScatter::mouseMoveEvent(QMouseEvent* event) {
    const int id = idAt(event->position());
    setCursor(id >= 0 ? Qt::PointingHandCursor : Qt::ArrowCursor);
    if (id == m_hovered) return;
    m_hovered = id;
    update();
}

void TradeoffScatter::leaveEvent(QEvent*) {
    m_hovered = -1;
    update();
}

void TradeoffScatter::keyPressEvent(QKeyEvent* event) {
    std::vector<int> ids;
    for (const ScatterPoint& point : m_points)
        if (isShown(point)) ids.push_back(point.id);
    if (ids.empty()) return QWidget::keyPressEvent(event);
    const auto now = std::find(ids.begin(), ids.end(), m_selected);
    auto at = now == ids.end() ? -1 : static_cast<int>(now - ids.begin());
    switch (event->key()) {
    case Qt::Key_Left: case Qt::Key_Down: --at; break;
    case Qt::Key_Right: case Qt::Key_Up: ++at; break;
    case Qt::Key_Home: at = 0; break;
    case Qt::Key_End: at = static_cast<int>(ids.size()) - 1; break;
    default: return QWidget::keyPressEvent(event);
    }
    setSelected(ids[static_cast<std::size_t>(std::clamp(at, 0, static_cast<int>(ids.size()) - 1))]);
    Q_EMIT picked(m_selected);
}

bool TradeoffScatter::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const ScatterPoint* point = find(idAt(help->pos()));
        if (point) QToolTip::showText(help->globalPos(), point->toolTip, this);
        else QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

}  // namespace espalier::widgets
