#include "app/shell/dock_grip.h"

#include <QPainter>

#include "widgets/theme/theme.h"

namespace espalier::app {

DockGrip::DockGrip(const QString& name, QWidget* parent) : QWidget(parent) {
    setAccessibleName(tr("Move %1").arg(name));
    setToolTip(tr("Drag to move %1, double click to float it").arg(name));
}

void DockGrip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), widgets::theme().color(widgets::Color::Panel));
    if (!underMouse()) return;
    for (int i = -2; i <= 2; ++i)
        painter.fillRect(QRect(width() / 2 + i * 6 - 1, height() / 2 - 1, 2, 2), widgets::theme().color(widgets::Color::Text3));
}

}  // namespace espalier::app
