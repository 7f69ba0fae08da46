// The picture of the trade-off scatter; what it shows and how it answers is in tradeoff_scatter.cpp.
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

#include "widgets/plot/chart_look.h"
#include "widgets/plot/tradeoff_scatter.h"

namespace espalier::widgets {
namespace {

constexpr double kStrip = 0.01, kSamePlace = 2.5;
constexpr int kRight = 12, kTop = 8;

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

void TradeoffScatter::paintPlot(QPainter& painter, const ChartFrame& frame) const {
    paintVerticalTicks(painter, frame, 38);
    paintHorizontalTicks(painter, frame, 60);
    paintCornerWord(painter, frame, m_unit);
    painter.save();
    painter.setClipRect(frame.area.adjusted(0, -kTop, kRight, 1));
    paintBase(painter, frame);
    paintFront(painter, frame);
    paintMarks(painter, frame);
    painter.restore();
    paintLabels(painter, frame);
}

void TradeoffScatter::paintBase(QPainter& painter, const ChartFrame& frame) const {
    const ScatterPoint* reference = base();
    if (!reference) return;
    const Theme& look = theme();
    const QRectF& area = frame.area;
    const double strip = reference->metric - m_direction * kStrip * std::abs(reference->metric);
    const double y = std::round(frame.pixelY(reference->metric)), edge = std::clamp(frame.pixelY(strip), area.top(), area.bottom());
    painter.fillRect(QRectF(QPointF(area.left(), std::min(y, edge)), QPointF(area.right(), std::max(y, edge))), look.color(Color::Band));
    QPen pen = look.line(Color::Text2);
    setDash(pen, {5, 3});
    painter.setPen(pen);
    painter.drawLine(QPointF(area.left(), y + 0.5), QPointF(area.right(), y + 0.5));
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text3));
    // Inside the strip where the unit stands below it.
    const bool isLow = area.bottom() - edge < 38;
    QRectF line(area.left(), edge + ((m_direction > 0) != isLow ? 1 : -17), area.width() - 2, 16);
    const QString words = tr("within 1 % of base");
    const double wide = painter.fontMetrics().horizontalAdvance(words);
    // Left of a bar that would run through the words.
    for (auto point = m_points.rbegin(); point != m_points.rend(); ++point) {
        if (!isShown(*point) || !std::isfinite(point->low) || !std::isfinite(point->high) || isOutside(*point, frame)) continue;
        const double x = frame.pixelX(point->cost);
        const bool isThrough = frame.pixelY(point->high) < line.bottom() && frame.pixelY(point->low) > line.top();
        if (isThrough && x > line.right() - wide - 4 && x < line.right() + 4 && x - wide > area.left() + 8) line.setRight(x - 6);
    }
    painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, words);
}

void TradeoffScatter::paintFront(QPainter& painter, const ChartFrame& frame) const {
    const QRectF& area = frame.area;
    QPainterPath path;
    bool hasStarted = false;
    double y = 0;
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point) || !point.isOnFront) continue;
        const QPointF at(frame.pixelX(point.cost), frame.pixelY(point.metric));
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

void TradeoffScatter::paintMarks(QPainter& painter, const ChartFrame& frame) const {
    const Theme& look = theme();
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point) || isOutside(point, frame) || !std::isfinite(point.low) || !std::isfinite(point.high)) continue;
        const double x = std::round(place(point, frame).x());
        painter.fillRect(QRectF(QPointF(x, frame.pixelY(point.high)), QPointF(x + 1, frame.pixelY(point.low))), markColor(point));
    }
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const QPointF at = place(point, frame) + QPointF(0.5, 0.5);
        if (at.x() < frame.area.left() - 1 || at.x() > frame.area.right() + 1) continue;
        if (isOutside(point, frame)) {
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setPen(Qt::NoPen);
            painter.setBrush(markColor(point));
            painter.drawPolygon(QPolygonF({at + QPointF(-4, -2), at + QPointF(4, -2), at + QPointF(0, 4)}));
        } else {
            MethodLook mark = look.methodLook(point.method);
            if (point.isBase) mark = {look.color(Color::Text), Marker::Disc, {}};
            const QPointF away = cursor() ? at - QPointF(*cursor()) : QPointF(99, 0);
            paintMarker(painter, at, mark, look.color(Color::Well), std::hypot(away.x(), away.y()) < 9 ? 11 : 9);
        }
        if (point.id != m_selected || isPainting()) continue;
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(look.color(Color::Focus), 2));
        painter.drawEllipse(at, 9, 9);
    }
    painter.setRenderHint(QPainter::Antialiasing, false);
}

QString TradeoffScatter::labelOf(const ScatterPoint& point, const std::vector<const ScatterPoint*>& coincident) const {
    if (point.isBase) return point.label;
    const auto methodOf = [](const ScatterPoint* one) { return theme().methodLook(one->method).label; };
    const bool isOneWidth = std::all_of(coincident.begin(), coincident.end(), [&](const auto* one) { return one->label == point.label; });
    QStringList words;
    for (const ScatterPoint* one : coincident) words << (isOneWidth ? methodOf(one) : one->label + u' ' + methodOf(one));
    // A mark alone on the front says its method by its shape.
    if (coincident.size() == 1 && point.isOnFront) return point.label;
    return isOneWidth ? point.label + u' ' + words.join(QStringLiteral(", ")) : words.join(QStringLiteral(", "));
}

void TradeoffScatter::paintLabels(QPainter& painter, const ChartFrame& frame) const {
    const Theme& look = theme();
    const QRectF& area = frame.area;
    painter.setFont(look.font(Type::Caption));
    const QFontMetrics fm = painter.fontMetrics();
    std::vector<QRectF> taken, lines;  // labels of lesser points keep off lines too
    std::vector<const ScatterPoint*> order;
    for (const ScatterPoint& point : m_points) {
        if (!isShown(point)) continue;
        const double r = point.id == m_selected ? 9.5 : 5.5;
        const QPointF at = place(point, frame);
        taken.emplace_back(at - QPointF(r, r), QSizeF(2 * r, 2 * r));
        if (point.isBase) lines.emplace_back(area.left(), frame.pixelY(point.metric) - 1, area.width(), 3);
        if (std::isfinite(point.low) && std::isfinite(point.high) && !isOutside(point, frame))
            lines.emplace_back(at.x() - 1, frame.pixelY(point.high), 3, frame.pixelY(point.low) - frame.pixelY(point.high));
        if (!point.label.isEmpty() && at.x() >= area.left() - 1 && at.x() <= area.right() + 1) order.push_back(&point);
    }
    // The chosen one, then the base, then the front keep their labels; the others where there is room.
    const auto rank = [this](const ScatterPoint* point) { return point->id == m_selected ? 0 : point->isBase ? 1 : point->isOnFront ? 2 : 3; };
    std::stable_sort(order.begin(), order.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
    std::vector<const ScatterPoint*> labelled;
    for (const ScatterPoint* point : order) {
        if (std::find(labelled.begin(), labelled.end(), point) != labelled.end()) continue;
        const QPointF at = place(*point, frame);
        std::vector<const ScatterPoint*> coincident;
        for (const ScatterPoint* one : order)
            if (!one->isBase && std::hypot(place(*one, frame).x() - at.x(), place(*one, frame).y() - at.y()) <= kSamePlace) coincident.push_back(one);
        labelled.insert(labelled.end(), coincident.begin(), coincident.end());
        const QString label = labelOf(*point, coincident);
        const double wide = fm.horizontalAdvance(label) + 2, r = point->id == m_selected ? 11 : 7;
        // Above the end of its own bar while that is near.
        const double end = std::isfinite(point->high) && !isOutside(*point, frame) ? frame.pixelY(point->high) : at.y();
        const double above = end < at.y() - r && end > at.y() - 40 ? end - 2 : at.y() - r;
        const QRectF places[] = {{at.x() - wide / 2, above - 15, wide, 14}, {at.x() - wide - r, at.y() - 16, wide, 14},
                                 {at.x() + r, at.y() - 7, wide, 14},             {at.x() - wide - r, at.y() - 7, wide, 14},
                                 {at.x() + r, at.y() + 3, wide, 14},             {at.x() - wide / 2, at.y() + r + 1, wide, 14},
                                 {at.x() - 4, above - 15, wide, 14},             {at.x() + 4 - wide, above - 15, wide, 14}};
        // A long bar would run through a label above its mark.
        const bool hasLongBar = end <= at.y() - 40;
        const int first = hasLongBar ? (point->isBase ? 1 : 4) : point->isOnFront || point->isBase || isOutside(*point, frame) ? 0 : 2;
        for (int i = 0; i < 8; ++i) {
            QRectF box = places[(first + i) % 8];
            if (point->isBase && box.right() > area.right() + kRight) box.moveRight(area.right() + kRight);
            if (!area.adjusted(-4, -kTop, kRight, 0).contains(box)) continue;
            if (std::any_of(taken.begin(), taken.end(), [&](const QRectF& other) { return other.intersects(box); })) continue;
            const bool isLesser = rank(point) == 3;
            if (isLesser && std::any_of(lines.begin(), lines.end(), [&](const QRectF& other) { return other.intersects(box); })) continue;
            painter.setPen(look.color(point->id == m_selected && !isPainting() ? Color::Text : Color::Text2));
            painter.drawText(box, Qt::AlignCenter, label);
            taken.push_back(box);
            break;
        }
    }
}

void TradeoffScatter::paintFigureLegend(QPainter& painter, const QRectF& header) const {
    QStringList methods;
    for (const ScatterPoint& point : m_points)
        if (isShown(point) && !point.isBase && !methods.contains(point.method)) methods << point.method;
    painter.setFont(theme().font(Type::Body));
    double right = header.right();
    for (auto method = methods.rbegin(); method != methods.rend(); ++method) {
        const MethodLook look = theme().methodLook(*method);
        const double wide = painter.fontMetrics().horizontalAdvance(look.label);
        painter.setPen(theme().color(Color::Text2));
        painter.drawText(QRectF(right - wide, header.top(), wide + 1, header.height()), Qt::AlignLeft | Qt::AlignVCenter, look.label);
        paintMarker(painter, QPointF(right - wide - 11, header.center().y() + 1), look, theme().color(Color::Well));
        right -= wide + 30;
    }
}

}  // namespace espalier::widgets
