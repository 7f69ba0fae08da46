#include "widgets/plot/chart_input.h"

#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/plot/qcp.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace espalier::widgets {
namespace {

constexpr int kDragStart = 4;

AxisRange rangeOfPixels(const QCPAxis* axis, double a, double b) {
    const double x = axis->pixelToCoord(a), y = axis->pixelToCoord(b);
    return {std::min(x, y), std::max(x, y)};
}

}  // namespace

ChartInput::ChartInput(LossChart* chart) : QObject(chart), m_chart(chart) {
    QCustomPlot* plot = chart->plot();
    plot->setFocusPolicy(Qt::StrongFocus);
    plot->setMouseTracking(true);
    plot->installEventFilter(this);
}

bool ChartInput::eventFilter(QObject* watched, QEvent* event) {
    if (!m_chart->group()) return QObject::eventFilter(watched, event);
    switch (event->type()) {
        case QEvent::MouseButtonPress: press(static_cast<QMouseEvent*>(event)); return true;
        case QEvent::MouseMove: move(static_cast<QMouseEvent*>(event)); return true;
        case QEvent::MouseButtonRelease: release(static_cast<QMouseEvent*>(event)); return true;
        case QEvent::MouseButtonDblClick:
            m_gesture = Gesture::None;
            m_chart->group()->zoomReset();
            return true;
        case QEvent::Wheel: wheel(static_cast<QWheelEvent*>(event)); return true;
        case QEvent::KeyPress: return key(static_cast<QKeyEvent*>(event));
        case QEvent::Leave:
            if (m_gesture == Gesture::None) m_chart->group()->clearCursor();
            break;
        case QEvent::FocusIn: {
            const auto reason = static_cast<QFocusEvent*>(event)->reason();
            m_chart->setFocusRing(reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason || reason == Qt::ShortcutFocusReason);
            break;
        }
        case QEvent::FocusOut: m_chart->setFocusRing(false); break;
        case QEvent::ContextMenu: return true;  // shown on release, after it is clear that nothing was dragged
        default: break;
    }
    return QObject::eventFilter(watched, event);
}

void ChartInput::press(QMouseEvent* event) {
    m_pressed = m_last = event->pos();
    m_hasMoved = false;
    m_chart->plot()->setFocus(Qt::MouseFocusReason);
    const bool isPan = event->button() != Qt::LeftButton || event->modifiers().testFlag(Qt::ShiftModifier);
    m_gesture = isPan ? Gesture::Pan : Gesture::Box;
}

void ChartInput::move(QMouseEvent* event) {
    ChartGroup* group = m_chart->group();
    const QRect area = m_chart->plot()->axisRect()->rect();
    if (m_gesture != Gesture::None && (event->pos() - m_pressed).manhattanLength() >= kDragStart) m_hasMoved = true;
    if (m_gesture == Gesture::Pan && m_hasMoved) {
        pan(event->pos().x() - m_last.x(), event->pos().y() - m_last.y());
    } else if (m_gesture == Gesture::Box && m_hasMoved) {
        QRectF box = QRectF(m_pressed, event->pos()).normalized() & QRectF(area);
        // Nearly flat boxes mean "this part of x".
        if (box.height() < 12) box = QRectF(box.left(), area.top(), box.width(), area.height());
        m_chart->setRubberBand(box);
    }
    m_last = event->pos();
    if (area.adjusted(-2, -8, 2, 24).contains(event->pos())) {
        group->setCursor(m_chart->plot()->xAxis->pixelToCoord(event->pos().x()), m_chart);
    } else if (m_gesture == Gesture::None) {
        group->clearCursor();
    }
}

void ChartInput::release(QMouseEvent* event) {
    const Gesture gesture = std::exchange(m_gesture, Gesture::None);
    const QRectF box = m_chart->scene().rubberBand;
    m_chart->setRubberBand({});
    m_chart->group()->endGesture();
    if (gesture == Gesture::Box && m_hasMoved) zoomToBox(box);
    if (gesture == Gesture::Pan && !m_hasMoved && event->button() == Qt::RightButton) {
        showMenu(event->globalPosition().toPoint());
    }
}

void ChartInput::zoomToBox(const QRectF& box) {
    if (box.width() < 3 || box.height() < 3) return;
    const QCustomPlot* plot = m_chart->plot();
    const AxisRange keys = rangeOfPixels(plot->xAxis, box.left(), box.right());
    const bool isWholeHeight = box.height() >= plot->axisRect()->height() - 2;
    if (isWholeHeight) return m_chart->group()->zoomTo(keys);
    m_chart->group()->zoomTo(keys, m_chart, rangeOfPixels(plot->yAxis, box.bottom(), box.top()));
}

void ChartInput::wheel(QWheelEvent* event) {
    const double clicks = event->angleDelta().y() / 120.0;
    const double sideways = event->angleDelta().x() / 120.0;
    if (event->modifiers().testFlag(Qt::ControlModifier)) {
        zoomValuesAround(event->position().y(), std::pow(0.85, clicks));
    } else if (event->modifiers().testFlag(Qt::ShiftModifier) || (clicks == 0 && sideways != 0)) {
        pan((clicks + sideways) * 60, 0);
    } else {
        zoomAround(event->position().x(), std::pow(0.8, clicks));
    }
    m_chart->group()->setCursor(m_chart->plot()->xAxis->pixelToCoord(event->position().x()), m_chart);
    event->accept();
}

void ChartInput::zoomAround(double pixel, double factor) {
    const QRect area = m_chart->plot()->axisRect()->rect();
    const double left = pixel - (pixel - area.left()) * factor;
    const double right = pixel + (area.left() + area.width() - pixel) * factor;
    const AxisRange wanted = rangeOfPixels(m_chart->plot()->xAxis, left, right);
    // Out no further than all points, in no further than doubles can tell apart.
    const AxisRange full = m_chart->group()->fullKeyRange();
    AxisRange keys{std::max(wanted.low, full.low), std::min(wanted.high, full.high)};
    if (factor > 1 && keys.low <= full.low && keys.high >= full.high) {
        if (m_chart->group()->isZoomed()) m_chart->group()->zoomBy(full);
        return;
    }
    if (keys.size() < std::max(std::abs(keys.high) * 1e-12, 1e-9)) return;
    m_chart->group()->zoomBy(keys);
}

void ChartInput::zoomValuesAround(double pixel, double factor) {
    const QRect area = m_chart->plot()->axisRect()->rect();
    const double top = pixel - (pixel - area.top()) * factor;
    const double bottom = pixel + (area.top() + area.height() - pixel) * factor;
    m_chart->group()->zoomBy(m_chart->keyRange(), m_chart, rangeOfPixels(m_chart->plot()->yAxis, bottom, top));
}

void ChartInput::pan(double pixels, double valuePixels) {
    const QCustomPlot* plot = m_chart->plot();
    const QRect area = plot->axisRect()->rect();
    const AxisRange keys = rangeOfPixels(plot->xAxis, area.left() - pixels, area.left() + area.width() - pixels);
    std::optional<AxisRange> values;
    if (valuePixels != 0 && m_chart->group()->valueRange(m_chart)) {
        values = rangeOfPixels(plot->yAxis, area.top() + area.height() - valuePixels, area.top() - valuePixels);
    }
    m_chart->group()->zoomBy(keys, m_chart, values);
}

void ChartInput::moveCursor(double pixels) {
    ChartGroup* group = m_chart->group();
    const QCustomPlot* plot = m_chart->plot();
    const QRect area = plot->axisRect()->rect();
    const double now = group->cursor() ? plot->xAxis->coordToPixel(*group->cursor()) : area.center().x();
    const double pixel = std::clamp(now + pixels, static_cast<double>(area.left()), static_cast<double>(area.right()));
    double key = plot->xAxis->pixelToCoord(pixel);
    // At least one whole step, also where a step is wider than a pixel.
    if (group->cursor() && group->snapped(key) == *group->cursor() && std::isfinite(pixels)) {
        key = *group->cursor() + (pixels > 0 ? 1 : -1);
    }
    group->setCursor(key, m_chart);
}

bool ChartInput::key(QKeyEvent* event) {
    ChartGroup* group = m_chart->group();
    const QRect area = m_chart->plot()->axisRect()->rect();
    const double stride = event->modifiers().testFlag(Qt::ShiftModifier) ? 10 : 1;
    if (event->matches(QKeySequence::Copy)) {
        QGuiApplication::clipboard()->setText(m_chart->readoutTable());
        return true;
    }
    switch (event->key()) {
        case Qt::Key_Left: moveCursor(-stride); return true;
        case Qt::Key_Right: moveCursor(stride); return true;
        case Qt::Key_PageUp: moveCursor(-area.width() / 10.0); return true;
        case Qt::Key_PageDown: moveCursor(area.width() / 10.0); return true;
        case Qt::Key_Home: moveCursor(-1e6); return true;
        case Qt::Key_End: moveCursor(1e6); return true;
        case Qt::Key_Plus:
        case Qt::Key_Equal: zoomAround(area.center().x(), 0.8); group->endGesture(); return true;
        case Qt::Key_Minus: zoomAround(area.center().x(), 1.25); group->endGesture(); return true;
        case Qt::Key_0: group->zoomReset(); return true;
        case Qt::Key_Backspace: group->zoomBack(); return true;
        case Qt::Key_L:
            if (event->modifiers().testFlag(Qt::ShiftModifier)) group->setLogX(!group->isLogX());
            else m_chart->setLogY(!m_chart->isLogY());
            return true;
        case Qt::Key_BracketLeft: group->setSmoothing(std::floor(group->smoothing() / 1.5)); return true;
        case Qt::Key_BracketRight: group->setSmoothing(std::ceil(std::max(4.0, group->smoothing() * 1.5))); return true;
        case Qt::Key_Menu: showMenu(m_chart->plot()->mapToGlobal(area.center())); return true;
        case Qt::Key_Escape:
            if (m_gesture == Gesture::None && !group->cursor()) return false;
            m_gesture = Gesture::None;
            m_chart->setRubberBand({});
            group->clearCursor();
            return true;
        default: return false;
    }
}

void ChartInput::showMenu(const QPoint& globalPosition) {
    auto* menu = new QMenu(m_chart);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    m_chart->fillMenu(*menu);
    menu->popup(globalPosition);
}

}  // namespace espalier::widgets
