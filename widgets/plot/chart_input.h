#pragma once

#include <QObject>
#include <QPoint>
#include <QRectF>

class QKeyEvent;
class QMouseEvent;
class QWheelEvent;

namespace espalier::widgets {

class LossChart;

/// Mouse and keys of one chart.
/// Drag: box zoom. Shift or right drag: pan. Wheel: zoom x at the cursor; Ctrl: y; Shift: pan. Double click or 0: all.
/// Backspace: back. Arrows, PgUp/PgDn, Home/End: cursor. + and −: zoom. L: log y, Shift+L: log x. [ and ]: smoothing. Ctrl+C: values at the cursor.
class ChartInput : public QObject {
    Q_OBJECT
public:
    explicit ChartInput(LossChart* chart);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    enum class Gesture { None, Box, Pan };
    void press(QMouseEvent* event);
    void move(QMouseEvent* event);
    void release(QMouseEvent* event);
    void wheel(QWheelEvent* event);
    bool key(QKeyEvent* event);
    void zoomAround(double pixel, double factor);
    void zoomValuesAround(double pixel, double factor);
    void pan(double pixels, double valuePixels);
    void moveCursor(double pixels);
    void zoomToBox(const QRectF& box);
    void showMenu(const QPoint& globalPosition);

    LossChart* m_chart;
    Gesture m_gesture = Gesture::None;
    QPoint m_pressed, m_last;
    bool m_hasMoved = false;
};

}  // namespace espalier::widgets
