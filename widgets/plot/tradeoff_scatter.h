#pragma once

#include <QString>
#include <QStringList>

#include <limits>
#include <vector>

#include "widgets/plot/painted_chart.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {

/// One whole model as the scatter draws it.
struct ScatterPoint {
    int id = 0;
    double cost = 0;  ///< on x, > 0: MB, ms or G operations
    double metric = 0;
    double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();  ///< bootstrap interval
    QString method, label;  ///< "w4"; the method is added where the mark alone does not say it
    QString name, detail;   ///< whole, for the readout: "flexround w4", "41.0 KB"
    bool isOnFront = false, isBase = false;
};

/// Size against accuracy: logarithmic cost, marks by method, bootstrap bars, the front as a staircase, the base as a
/// dashed line and the strip within 1 % of it. A few points far below would squeeze all others: they become carets at
/// the edge until showsAll(). Click, arrows or Home and End choose a point; a second click at points that coincide
/// goes to the next of them. GUI thread.
class TradeoffScatter : public PaintedChart {
    Q_OBJECT
public:
    explicit TradeoffScatter(QWidget* parent = nullptr);

    /// `direction` +1: more is better. The base is the point with isBase.
    void setPoints(std::vector<ScatterPoint> points, int direction, const QString& costUnit, const QString& metricName = {});
    const std::vector<ScatterPoint>& points() const { return m_points; }
    void setSelected(int id);  ///< −1 = none
    int selected() const { return m_selected; }
    void setMethodHidden(const QString& method, bool isHidden);
    bool isMethodHidden(const QString& method) const { return m_hidden.contains(method); }
    /// Shows this method alone; once more: all again.
    void isolateMethod(const QString& method);

    /// Points outside the range shown, and the value at its edge: for the badge.
    int outsideCount() const;
    double edgeValue() const { return view().y.low; }
    bool showsAll() const { return m_showsAll; }
    void setShowsAll(bool showsAll);

    QPointF positionOf(int id) const;  ///< a caret's place when the point lies outside
    ReadoutBox::Content readoutAt(const QPoint& position) const override;
    QString csv() const override;

    QSize sizeHint() const override { return {520, 260}; }
    QSize minimumSizeHint() const override { return {260, 150}; }

Q_SIGNALS:
    void picked(int id);
    void visibilityChanged();

protected:
    bool hasData() const override;
    ChartView fullView() const override;
    void paintPlot(QPainter& painter, const ChartFrame& frame) const override;
    void clicked(const QPoint& position) override;
    bool handleKey(QKeyEvent* event) override;
    void addToMenu(QMenu& menu) override;
    QString valueTextX(double value) const override;
    void paintFigureLegend(QPainter& painter, const QRectF& header) const override;

private:
    const ScatterPoint* find(int id) const;
    const ScatterPoint* base() const;
    bool isShown(const ScatterPoint& point) const;
    AxisRange metricRange() const;
    QPointF place(const ScatterPoint& point, const ChartFrame& frame) const;
    static bool isOutside(const ScatterPoint& point, const ChartFrame& frame);
    /// Points whose marks lie on each other, nearest to the position first.
    std::vector<const ScatterPoint*> pointsAt(const QPointF& position) const;
    QString labelOf(const ScatterPoint& point, const std::vector<const ScatterPoint*>& coincident) const;
    void paintBase(QPainter& painter, const ChartFrame& frame) const;
    void paintFront(QPainter& painter, const ChartFrame& frame) const;
    void paintMarks(QPainter& painter, const ChartFrame& frame) const;
    void paintLabels(QPainter& painter, const ChartFrame& frame) const;

    std::vector<ScatterPoint> m_points;
    QStringList m_hidden;
    QString m_unit, m_metric;
    int m_direction = 1, m_selected = -1;
    bool m_showsAll = false;
};

/// One method's mark, 9 px across, centred.
void paintMarker(QPainter& painter, const QPointF& center, const MethodLook& look, const QColor& hole, double size = 9);

}  // namespace espalier::widgets
