#include "widgets/heatmap/color_bar.h"

#include <QPainter>

#include <algorithm>

#include "widgets/heatmap/heat_image.h"

namespace espalier::widgets {

ColorBar::ColorBar(QSize size, QWidget* parent) : QWidget(parent) { setFixedSize(size); }

void ColorBar::setSigned(bool isSigned) {
    m_isSigned = isSigned;
    update();
}

void ColorBar::setUnsignedColors(std::function<QColor(double)> colors) {
    m_colors = std::move(colors);
    update();
}

void ColorBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    if (m_isSigned || !m_colors) return paintColorBar(painter, rect(), m_isSigned);
    for (int x = 0; x < width(); ++x) painter.fillRect(x, 0, 1, height(), m_colors(x / std::max(1.0, double(width() - 1))));
}

}  // namespace espalier::widgets
