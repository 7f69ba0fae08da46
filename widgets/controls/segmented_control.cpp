#include "widgets/controls/segmented_control.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>

#include <algorithm>

#include "widgets/controls/paint_help.h"

namespace espalier::widgets {

SegmentedControl::SegmentedControl(const QStringList& labels, QWidget* parent) : QWidget(parent) {
    setLabels(labels);
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void SegmentedControl::setLabels(const QStringList& labels) {
    m_labels = labels;
    m_enabled = QVector<bool>(labels.size(), true);
    m_tips = QStringList();
    m_tips.resize(labels.size());
    m_current = std::clamp<int>(m_current, 0, std::max<int>(0, static_cast<int>(labels.size()) - 1));
    updateGeometry();
    update();
}

void SegmentedControl::setCurrentIndex(int index) {
    if (index == m_current || index < 0 || index >= m_labels.size()) return;
    m_current = index;
    setAccessibleDescription(currentText());
    update();
    Q_EMIT currentChanged(index);
}

void SegmentedControl::setSegmentEnabled(int index, bool isEnabled) {
    if (index < 0 || index >= m_enabled.size()) return;
    m_enabled[index] = isEnabled;
    update();
}

void SegmentedControl::setSegmentToolTip(int index, const QString& text) {
    if (index >= 0 && index < m_tips.size()) m_tips[index] = text;
}

int SegmentedControl::segmentWidth(int index) const {
    const QFontMetrics strong(theme().font(Type::BodyStrong));
    return std::max(26, strong.horizontalAdvance(m_labels[index]) + 20);
}

QRect SegmentedControl::segmentRect(int index) const {
    int x = 0;
    for (int i = 0; i < index; ++i) x += segmentWidth(i);
    return {x, 0, segmentWidth(index), height()};
}

QSize SegmentedControl::sizeHint() const {
    int width = 0;
    for (int i = 0; i < m_labels.size(); ++i) width += segmentWidth(i);
    return {width, theme().scaled(metrics::kControl)};
}

int SegmentedControl::segmentAt(const QPoint& position) const {
    for (int i = 0; i < m_labels.size(); ++i)
        if (segmentRect(i).contains(position)) return i;
    return -1;
}

void SegmentedControl::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    Theme& look = theme();
    const QRectF box(0, 0, sizeHint().width(), height());
    paintBox(painter, box, metrics::kRadius, look.color(Color::Raised), look.color(isEnabled() ? Color::Border : Color::Line));
    QPainterPath clip;
    clip.addRoundedRect(box.adjusted(1, 1, -1, -1), metrics::kRadius - 1, metrics::kRadius - 1);
    for (int i = 0; i < m_labels.size(); ++i) {
        const QRect segment = segmentRect(i);
        const bool isCurrent = i == m_current;
        const bool isUsable = isEnabled() && m_enabled[i];
        painter.save();
        painter.setClipPath(clip);
        if (isCurrent)
            painter.fillRect(segment, look.color(Color::Pressed));
        else if (i == m_hovered && isUsable)
            painter.fillRect(segment, look.color(Color::Hover));
        painter.restore();
        if (i > 0) painter.fillRect(QRect(segment.x(), 1, 1, height() - 2), look.color(Color::Border));
        painter.setFont(look.font(isCurrent ? Type::BodyStrong : Type::Body));
        painter.setPen(look.color(!isUsable ? Color::Disabled : isCurrent ? Color::Text : Color::Text2));
        painter.drawText(segment, Qt::AlignCenter, m_labels[i]);
    }
    if (showsFocus(this)) paintFocus(painter, box, metrics::kRadius);
}

void SegmentedControl::mousePressEvent(QMouseEvent* event) {
    const int index = segmentAt(event->position().toPoint());
    if (event->button() == Qt::LeftButton && index >= 0 && m_enabled[index]) setCurrentIndex(index);
}

void SegmentedControl::mouseMoveEvent(QMouseEvent* event) {
    const int index = segmentAt(event->position().toPoint());
    if (index == m_hovered) return;
    m_hovered = index;
    update();
}

void SegmentedControl::leaveEvent(QEvent*) {
    m_hovered = -1;
    update();
}

void SegmentedControl::keyPressEvent(QKeyEvent* event) {
    const bool isMirrored = layoutDirection() == Qt::RightToLeft;
    int step = 0;
    int index = m_current;
    switch (event->key()) {
        case Qt::Key_Left: step = isMirrored ? 1 : -1; break;
        case Qt::Key_Right: step = isMirrored ? -1 : 1; break;
        case Qt::Key_Home: index = -1; step = 1; break;
        case Qt::Key_End: index = static_cast<int>(m_labels.size()); step = -1; break;
        default: QWidget::keyPressEvent(event); return;
    }
    do index += step;
    while (index >= 0 && index < m_labels.size() && !m_enabled[index]);
    setCurrentIndex(index);
}

bool SegmentedControl::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const int index = segmentAt(help->pos());
        const QString tip = m_tips.value(index);
        if (tip.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), tip, this, segmentRect(index));
        return true;
    }
    return QWidget::event(event);
}

}  // namespace espalier::widgets
