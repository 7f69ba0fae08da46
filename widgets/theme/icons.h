#pragma once

#include <QIcon>
#include <QPixmap>
#include <QString>
#include <QStringList>

#include "widgets/theme/theme.h"

class QPainter;

namespace espalier::widgets {

/// Icon of resources/icons by name ("export", "state-running") in the colour of a role. Cached per name, colour, size
/// and pixel ratio. An unknown name gives a null pixmap and one line in the log.
QPixmap iconPixmap(const QString& name, int size, const QColor& color, qreal pixelRatio = 1.0);
inline QPixmap iconPixmap(const QString& name, int size, Color role, qreal pixelRatio = 1.0) {
    return iconPixmap(name, size, theme().color(role), pixelRatio);
}

/// QIcon whose pixmaps are drawn in the colours of the current theme at paint time: normal in `role`, checked and
/// hovered in Text, disabled in Disabled. It follows a theme switch by itself.
QIcon icon(const QString& name, Color role = Color::Text2);

void paintIcon(QPainter& painter, const QString& name, const QRect& rect, const QColor& color);

/// Names of all icons in the resources.
QStringList iconNames();

}  // namespace espalier::widgets
