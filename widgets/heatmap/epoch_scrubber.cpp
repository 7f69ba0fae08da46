#include "widgets/heatmap/epoch_scrubber.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/plot/chart_style.h"

namespace espalier::widgets {
namespace {

constexpr int kEdge = 8, kGroove = 15, kHandle = 10;

}  // namespace

EpochScrubber::EpochScrubber(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setFixedHeight(40);
    setAccessibleName(tr("Snapshot of training; left and right move, Shift moves the compared one"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void EpochScrubber::setSnapshots(QVector<double> positions, double last) {
    m_positions = std::move(positions);
    m_last = std::max(last, m_positions.isEmpty() ? 1.0 : m_positions.last());
    if (m_last <= 0) m_last = 1;
    setCurrent(m_current);
    setCompared(m_compared);
}

void EpochScrubber::setCurrent(int index) {
    m_current = m_positions.isEmpty() ? -1 : std::clamp(index, 0, static_cast<int>(m_positions.size()) - 1);
    update();
}

void EpochScrubber::setCompared(int index) {
    m_compared = index < m_positions.size() ? index : -1;
    update();
}

void EpochScrubber::setMarks(QVector<Mark> marks) {
    m_marks = std::move(marks);
    update();
}

double EpochScrubber::pixelOfPosition(double position) const { return kEdge + std::clamp(position / m_last, 0.0, 1.0) * (width() - 2 * kEdge); }
double EpochScrubber::pixelOf(int index) const { return pixelOfPosition(m_positions.value(index)); }

int EpochScrubber::nearest(double x) const {
    int best = -1;
    for (int i = 0; i < m_positions.size(); ++i)
        if (best < 0 || std::abs(pixelOf(i) - x) < std::abs(pixelOf(best) - x)) best = i;
    return best;
}

void EpochScrubber::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    const double right = width() - kEdge;
    painter.fillRect(QRectF(kEdge, kGroove - 1.5, right - kEdge, 3), look.color(Color::Pressed));
    if (m_positions.isEmpty()) return;
    painter.fillRect(QRectF(kEdge, kGroove - 1.5, pixelOf(m_current) - kEdge, 3), look.color(Color::Text3));
    double lastTick = -10;
    for (int i = 0; i < m_positions.size(); ++i) {
        const double x = std::round(pixelOf(i));
        if (x - lastTick < 2) continue;  // denser than two pixels is a solid line
        painter.fillRect(QRectF(x, kGroove + 5, 1, 3), look.color(Color::Axis));
        lastTick = x;
    }
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text3));
    const QVector<double> ticks = linearTicks(0, m_last, right - kEdge, 70);
    const QStringList labels = tickLabels(ticks);
    for (int i = 0; i < ticks.size(); ++i) {
        const double x = pixelOfPosition(ticks[i]);
        const int wide = painter.fontMetrics().horizontalAdvance(labels[i]);
        painter.drawText(QPointF(std::clamp(x - wide / 2.0, 0.0, double(width() - wide)), 36), labels[i]);
    }
    double wordEnd = -10;
    const auto word = [&](double x, const QString& text, Color role) {
        const int wide = painter.fontMetrics().horizontalAdvance(text);
        const double left = std::clamp(x - wide / 2.0, 0.0, double(width() - wide));
        if (left < wordEnd + 4) return;
        painter.setPen(look.color(role));
        painter.drawText(QPointF(left, 8), text);
        wordEnd = left + wide;
    };
    if (m_compared >= 0 && m_compared != m_current) word(pixelOf(m_compared), tr("compared"), Color::Text2);
    for (const Mark& mark : m_marks) {
        const double x = std::round(pixelOfPosition(mark.position));
        painter.fillRect(QRectF(x, kGroove - 7, 1, 5), look.color(mark.isBad ? Color::Error : Color::Text2));
    }
    painter.setRenderHint(QPainter::Antialiasing);
    if (m_compared >= 0 && m_compared != m_current) {
        painter.setPen(QPen(look.color(Color::Text), 1.75));
        painter.setBrush(look.color(Color::Panel));
        painter.drawEllipse(QPointF(pixelOf(m_compared), kGroove), kHandle / 2.0 - 0.5, kHandle / 2.0 - 0.5);
    }
    painter.setPen(Qt::NoPen);
    painter.setBrush(look.color(Color::Text));
    painter.drawEllipse(QPointF(pixelOf(m_current), kGroove), kHandle / 2.0, kHandle / 2.0);
    if (showsFocus(this)) {
        painter.setBrush(Qt::NoBrush);
        painter.setPen(QPen(look.color(Color::Focus), 2));
        painter.drawEllipse(QPointF(pixelOf(m_current), kGroove), kHandle / 2.0 + 2, kHandle / 2.0 + 2);
    }
}

void EpochScrubber::move(int index, bool isCompared) {
    if (m_positions.isEmpty()) return;
    index = std::clamp(index, 0, static_cast<int>(m_positions.size()) - 1);
    if (isCompared) {
        if (index == m_compared) return;
        setCompared(index);
        Q_EMIT comparedChanged(index);
    } else {
        if (index == m_current) return;
        setCurrent(index);
        Q_EMIT currentChanged(index);
    }
}

void EpochScrubber::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || m_positions.isEmpty()) return;
    const double x = event->position().x();
    const bool isOnRing = m_compared >= 0 && std::abs(pixelOf(m_compared) - x) < 7 && std::abs(pixelOf(m_compared) - x) < std::abs(pixelOf(m_current) - x);
    m_isDraggingCompared = isOnRing || event->modifiers() & Qt::ShiftModifier;
    m_hasMoved = !isOnRing;
    if (!isOnRing) move(nearest(x), m_isDraggingCompared);
}

void EpochScrubber::mouseMoveEvent(QMouseEvent* event) {
    if (!(event->buttons() & Qt::LeftButton)) return;
    m_hasMoved = m_hasMoved || nearest(event->position().x()) != m_compared;
    move(nearest(event->position().x()), m_isDraggingCompared);
}

void EpochScrubber::mouseReleaseEvent(QMouseEvent* event) {
    // A click on the ring that drags nothing goes to its snapshot, as a click anywhere else does.
    if (m_isDraggingCompared && !m_hasMoved) move(nearest(event->position().x()), false);
    m_isDraggingCompared = false;
}

void EpochScrubber::keyPressEvent(QKeyEvent* event) {
    const bool isCompared = event->modifiers() & Qt::ShiftModifier;
    const int from = isCompared && m_compared >= 0 ? m_compared : m_current;
    const int page = std::max(1, static_cast<int>(m_positions.size()) / 10);
    switch (event->key()) {
    case Qt::Key_Left: case Qt::Key_Down: return move(from - 1, isCompared);
    case Qt::Key_Right: case Qt::Key_Up: return move(from + 1, isCompared);
    case Qt::Key_PageUp: return move(from + page, isCompared);
    case Qt::Key_PageDown: return move(from - page, isCompared);
    case Qt::Key_Home: return move(0, isCompared);
    case Qt::Key_End: return move(static_cast<int>(m_positions.size()) - 1, isCompared);
    default: QWidget::keyPressEvent(event);
    }
}

bool EpochScrubber::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        for (const Mark& mark : m_marks)
            if (std::abs(pixelOfPosition(mark.position) - help->pos().x()) < 4) {
                QToolTip::showText(help->globalPos(), mark.word, this);
                return true;
            }
        QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

}  // namespace espalier::widgets
