#include "widgets/controls/accent_slider.h"

#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"

namespace espalier::widgets {

AccentSlider::AccentSlider(QWidget* parent) : QSlider(Qt::Horizontal, parent) {
    setFocusPolicy(Qt::TabFocus);
    setMinimumWidth(60);
}

void AccentSlider::setMarks(const QVector<int>& values, const QStringList& words) {
    m_marks = values;
    m_words = words;
    updateGeometry();
    update();
}

QSize AccentSlider::sizeHint() const { return {92, m_marks.isEmpty() ? metrics::kControl : 34}; }

double AccentSlider::positionOf(int value) const {
    const double span = std::max(1, maximum() - minimum());
    return 6 + (value - minimum()) / span * (width() - 12);
}

int AccentSlider::valueAt(double x) const {
    const double share = std::clamp((x - 6) / std::max(1, width() - 12), 0.0, 1.0);
    return minimum() + static_cast<int>(std::lround(share * (maximum() - minimum())));
}

void AccentSlider::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    Theme& look = theme();
    const double y = m_marks.isEmpty() ? height() / 2.0 : 10;
    const double x = positionOf(value());
    paintBox(painter, QRectF(0, y - 2, width(), 4), 2, look.color(Color::Pressed));
    paintBox(painter, QRectF(0, y - 2, x, 4), 2, look.color(isEnabled() ? Color::Accent : Color::Disabled));
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text2));
    for (int i = 0; i < m_marks.size(); ++i) {
        const double at = positionOf(m_marks[i]);
        painter.fillRect(QRectF(std::floor(at), y + 7, 1, 4), look.color(Color::Axis));
        const QString word = m_words.value(i);
        const int wide = painter.fontMetrics().horizontalAdvance(word);
        const double left = std::clamp(at - wide / 2.0, 0.0, std::max(0.0, static_cast<double>(width() - wide)));
        painter.drawText(QPointF(left, y + 22), word);
    }
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(look.color(Color::Well), 1));
    painter.setBrush(look.color(isEnabled() ? Color::Text : Color::Disabled));
    painter.drawEllipse(QPointF(x, y), 6, 6);
    if (showsFocus(this)) paintFocus(painter, QRectF(0, y - 9, width(), 18), metrics::kRadius);
}

void AccentSlider::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    setSliderDown(true);
    setValue(valueAt(event->position().x()));
}

void AccentSlider::mouseMoveEvent(QMouseEvent* event) {
    if (!isSliderDown()) return;
    const int value = valueAt(event->position().x());
    if (value != this->value()) setValue(value);
    Q_EMIT sliderMoved(value);
}

void AccentSlider::mouseReleaseEvent(QMouseEvent*) { setSliderDown(false); }

}  // namespace espalier::widgets
