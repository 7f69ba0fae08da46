// Mouse, wheel and keys of painted charts.
#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

#include "widgets/plot/painted_chart.h"

namespace espalier::widgets {
namespace {

constexpr int kDragStart = 4, kLeastBox = 6, kFlat = 12;

}  // namespace

void PaintedChart::mousePressEvent(QMouseEvent* event) {
    m_pressed = event->pos();
    m_hasMoved = false;
    m_panned = view();
    const bool isPan = event->button() != Qt::LeftButton || event->modifiers().testFlag(Qt::ShiftModifier);
    m_gesture = isPan ? Gesture::Pan : Gesture::Box;
}

void PaintedChart::mouseMoveEvent(QMouseEvent* event) {
    const QRect area = plotArea();
    m_isWheeling = false;
    if (m_gesture != Gesture::None && !m_hasMoved && (event->pos() - m_pressed).manhattanLength() >= kDragStart) {
        m_hasMoved = true;
        if (m_gesture == Gesture::Pan && hasData()) m_history.append(m_zoom);
    }
    if (m_gesture == Gesture::Box && m_hasMoved) {
        m_band = QRect(m_pressed, event->pos()).normalized() & area;
        // A nearly flat box means "this part of x".
        if (m_band.height() < kFlat) m_band = QRect(m_band.left(), area.top(), m_band.width(), area.height());
        update();
    } else if (m_gesture == Gesture::Pan && m_hasMoved && hasData()) {
        const QPoint by = event->pos() - m_pressed;
        const ChartFrame from{area, m_panned, m_isLogX, m_isLogY};
        setZoom(ChartView{{from.valueX(area.left() - by.x()), from.valueX(area.left() + area.width() - by.x())},
                       {from.valueY(QRectF(area).bottom() - by.y()), from.valueY(area.top() - by.y())}});
    }
    if (m_gesture == Gesture::None && area.adjusted(-2, -8, 2, 2).contains(event->pos())) moveCursor(event->pos());
    else clearCursor();
}

void PaintedChart::mouseReleaseEvent(QMouseEvent* event) {
    const Gesture gesture = std::exchange(m_gesture, Gesture::None);
    const QRect band = std::exchange(m_band, QRect());
    if (gesture == Gesture::Box && m_hasMoved && band.width() >= kLeastBox && band.height() >= kLeastBox && hasData()) {
        const ChartFrame now = frame();
        zoomTo({{now.valueX(band.left()), now.valueX(band.right() + 1)}, {now.valueY(band.bottom() + 1), now.valueY(band.top())}});
    } else if (!m_hasMoved && event->button() == Qt::LeftButton) {
        clicked(event->pos());
    } else if (!m_hasMoved && event->button() == Qt::RightButton) {
        showMenu(event->globalPosition().toPoint());
    }
    update();
}

void PaintedChart::mouseDoubleClickEvent(QMouseEvent*) {
    m_gesture = Gesture::None;
    m_hasMoved = true;  // the release that follows is no click
    zoomReset();
}

void PaintedChart::zoomAround(const QPointF& pixel, double factor) {
    if (!hasData()) return;
    const ChartFrame now = frame();
    const QRectF& area = now.area;
    const double left = pixel.x() - (pixel.x() - area.left()) * factor, right = pixel.x() + (area.right() - pixel.x()) * factor;
    const double top = pixel.y() - (pixel.y() - area.top()) * factor, bottom = pixel.y() + (area.bottom() - pixel.y()) * factor;
    const ChartView wanted{{now.valueX(left), now.valueX(right)}, {now.valueY(bottom), now.valueY(top)}}, full = fullView();
    const bool isAll = wanted.x.low <= full.x.low && wanted.x.high >= full.x.high && wanted.y.low <= full.y.low && wanted.y.high >= full.y.high;
    if (factor > 1 && isAll) return zoomReset();
    if (!m_isWheeling) return zoomTo(wanted);
    if (wanted.x.size() > 1e-9 * std::abs(full.x.high) && wanted.y.size() > 0) setZoom(wanted);
}

void PaintedChart::wheelEvent(QWheelEvent* event) {
    zoomAround(event->position(), std::pow(0.8, event->angleDelta().y() / 120.0));
    m_isWheeling = isZoomed();
    event->accept();
}

void PaintedChart::moveCursor(const QPoint& position) {
    m_cursor = position;
    update();
    if (!m_readout) return;
    const ReadoutBox::Content content = hasData() ? readoutAt(position) : ReadoutBox::Content();
    if (content.rows.isEmpty()) return m_readout->hide();
    QWidget* page = m_readout->parentWidget();
    m_readout->showAt(content, mapTo(page, QPoint(position.x(), plotArea().top() + 8)), position.x() > width() / 2);
}

void PaintedChart::clearCursor() {
    if (m_readout) m_readout->hide();
    if (!m_cursor) return;
    m_cursor.reset();
    update();
}

void PaintedChart::leaveEvent(QEvent*) { clearCursor(); }

void PaintedChart::keyPressEvent(QKeyEvent* event) {
    if (handleKey(event)) return;
    const QRect area = plotArea();
    if (event->matches(QKeySequence::Copy)) {
        QString text;
        for (const auto& row : readoutAt(m_cursor.value_or(area.center())).rows) text += row.label + u'\t' + row.raw + u'\n';
        return QApplication::clipboard()->setText(text);
    }
    const auto step = [&](int pixels) {
        const QPoint now = m_cursor.value_or(area.center());
        moveCursor({std::clamp(now.x() + pixels, area.left(), area.right()), now.y()});
    };
    const int stride = event->modifiers().testFlag(Qt::ShiftModifier) ? 10 : 1;
    switch (event->key()) {
    case Qt::Key_Left: return step(-stride);
    case Qt::Key_Right: return step(stride);
    case Qt::Key_Home: return step(-area.width());
    case Qt::Key_End: return step(area.width());
    case Qt::Key_Plus: case Qt::Key_Equal: m_isWheeling = false; return zoomAround(QRectF(area).center(), 0.8);
    case Qt::Key_Minus: m_isWheeling = false; return zoomAround(QRectF(area).center(), 1.25);
    case Qt::Key_0: return zoomReset();
    case Qt::Key_Backspace: return zoomBack();
    case Qt::Key_L:
        if (event->modifiers().testFlag(Qt::ShiftModifier)) return canLogX() ? setLogX(!m_isLogX) : void();
        return canLogY() ? setLogY(!m_isLogY) : void();
    case Qt::Key_Menu: return showMenu(mapToGlobal(area.center()));
    case Qt::Key_Escape:
        if (m_cursor || m_gesture != Gesture::None) {
            m_gesture = Gesture::None;
            m_band = {};
            return clearCursor();
        }
        break;
    default: break;
    }
    QWidget::keyPressEvent(event);
}

}  // namespace espalier::widgets
