#pragma once

#include <QPointer>
#include <QVector>
#include <QWidget>

#include <optional>

#include "widgets/plot/chart_scene.h"
#include "widgets/plot/readout_box.h"

class QMenu;

namespace espalier::widgets {

struct Figure;

/// What a chart shows: ranges and scales of both axes.
struct ChartView {
    AxisRange x, y;
    bool operator==(const ChartView&) const = default;
};

/// A view laid over a rectangle of pixels.
struct ChartFrame {
    QRectF area;
    ChartView view;
    bool isLogX = false, isLogY = false;

    double pixelX(double value) const;
    double pixelY(double value) const;
    double valueX(double pixel) const;
    double valueY(double pixel) const;
};

/// A painted chart over two axes, for pictures that are no lines over time: box zoom with history, wheel and pan,
/// log scales, values at the cursor, menu, keys and figures. What it draws is its subclass's. GUI thread.
class PaintedChart : public QWidget {
    Q_OBJECT
public:
    explicit PaintedChart(QWidget* parent = nullptr);

    /// Title and words above an exported figure.
    void setFigureTitle(const QString& title, const QString& caption);
    QString figureTitle() const { return m_title; }
    /// The page's box for values at the cursor; shared by its charts.
    void setReadout(ReadoutBox* box) { m_readout = box; }
    void setEmptyText(const QString& text);

    bool isLogX() const { return m_isLogX; }
    bool isLogY() const { return m_isLogY; }
    void setLogX(bool isLog);
    void setLogY(bool isLog);
    /// The zoom, or all there is.
    ChartView view() const;
    bool isZoomed() const { return m_zoom.has_value(); }
    bool canGoBack() const { return !m_history.isEmpty(); }
    void zoomTo(const ChartView& view);
    void zoomBack();
    void zoomReset();  ///< can be taken back too

    QRect plotArea() const;
    ChartFrame frame() const { return frameOn(plotArea()); }
    /// Values near a place in the plot, in the order of the legend; nothing is shown when there are no rows.
    virtual ReadoutBox::Content readoutAt(const QPoint& position) const = 0;
    /// Everything it knows at full precision, with a header line.
    virtual QString csv() const = 0;
    /// Itself on paper; lives as long as this chart.
    Figure figure() const;
    void copyPicture() const;
    void fillMenu(QMenu& menu);

Q_SIGNALS:
    void viewChanged();
    void exportRequested();

protected:
    virtual bool hasData() const = 0;
    /// Ranges that show everything under the scales in force.
    virtual ChartView fullView() const = 0;
    virtual void paintPlot(QPainter& painter, const ChartFrame& frame) const = 0;
    virtual QMargins margins() const { return {46, 8, 12, 22}; }
    /// A click that dragged nothing.
    virtual void clicked(const QPoint&) {}
    /// True when the key was the subclass's.
    virtual bool handleKey(QKeyEvent*) { return false; }
    /// Entries of its own above the common ones.
    virtual void addToMenu(QMenu&) {}
    virtual QString valueTextX(double value) const;
    /// Marks in the legend of the figure.
    virtual void paintFigureLegend(QPainter&, const QRectF&) const {}
    virtual bool canLogX() const { return true; }
    virtual bool canLogY() const { return true; }

    void paintHorizontalTicks(QPainter& painter, const ChartFrame& frame, double gap) const;
    void paintVerticalTicks(QPainter& painter, const ChartFrame& frame, double gap) const;
    void paintCornerWord(QPainter& painter, const ChartFrame& frame, const QString& word) const;
    std::optional<QPoint> cursor() const { return m_cursor; }
    bool isPainting() const { return m_isOnPaper; }  ///< true while a figure is made: no hover, no selection

    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void mouseReleaseEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void wheelEvent(QWheelEvent*) override;
    void leaveEvent(QEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void contextMenuEvent(QContextMenuEvent*) override {}

private:
    enum class Gesture { None, Box, Pan };
    ChartFrame frameOn(const QRectF& area) const;
    void paintCursor(QPainter& painter) const;
    void moveCursor(const QPoint& position);
    void clearCursor();
    void zoomAround(const QPointF& pixel, double factor);
    void setZoom(std::optional<ChartView> zoom);
    void showMenu(const QPoint& globalPosition);

    QString m_title, m_caption, m_emptyText;
    QPointer<ReadoutBox> m_readout;
    std::optional<ChartView> m_zoom;
    QVector<std::optional<ChartView>> m_history;
    std::optional<QPoint> m_cursor;
    QPoint m_pressed;
    QRect m_band;
    ChartView m_panned;
    Gesture m_gesture = Gesture::None;
    bool m_hasMoved = false, m_isLogX = false, m_isLogY = false;
    bool m_isWheeling = false;  ///< one step of history for all of it, until the mouse moves
    mutable bool m_isOnPaper = false;
};

}  // namespace espalier::widgets
