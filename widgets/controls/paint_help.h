#pragma once

#include <QPainter>
#include <QPainterPath>
#include <QWidget>

#include "widgets/theme/metrics.h"
#include "widgets/theme/theme.h"

/// Drawing shared by the painted controls.
namespace espalier::widgets {

/// Rounded box with a crisp border of one device-independent pixel inside `rect`; an invalid border is left out.
inline void paintBox(QPainter& painter, const QRectF& rect, qreal radius, const QColor& fill, const QColor& border = {}) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(border.isValid() ? QPen(border, 1) : QPen(Qt::NoPen));
    painter.setBrush(fill.isValid() ? QBrush(fill) : QBrush(Qt::NoBrush));
    const QRectF inner = border.isValid() ? rect.adjusted(0.5, 0.5, -0.5, -0.5) : rect;
    painter.drawRoundedRect(inner, radius, radius);
    painter.restore();
}

/// Focus ring of 2 px along the inside of `rect`.
inline void paintFocus(QPainter& painter, const QRectF& rect, qreal radius) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme().color(Color::Focus), 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius);
    painter.restore();
}

/// True when the focus came by keyboard or stays: painted controls always show it.
inline bool showsFocus(const QWidget* widget) { return widget->hasFocus() && widget->isActiveWindow(); }

}  // namespace espalier::widgets
