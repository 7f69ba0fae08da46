#pragma once

#include <QString>
#include <QVector>
#include <QWidget>

#include <limits>
#include <vector>

#include "widgets/theme/theme.h"

class QPainter;

namespace espalier::widgets {

/// One whole model as the scatter draws it.
struct ScatterPoint {
    int id = 0;
    double cost = 0;  ///< on x, > 0: MB, ms or G operations
    double metric = 0;
    double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();  ///< bootstrap interval
    QString method, label, toolTip;
    bool isOnFront = false, isBase = false;
};

/// Size against accuracy: logarithmic cost, marks by method, bootstrap bars, the front as a staircase, the base as a
/// dashed line and the strip within 1 % of it. A few points far below would squeeze all others: they become carets at
/// the edge until showsAll(). Click, arrows or Home and End choose a point. GUI thread.
class TradeoffScatter : public QWidget {
    Q_OBJECT
public:
    explicit TradeoffScatter(QWidget* parent = nullptr);

    /// `direction` +1: more is better. The base is the point with isBase.
    void setPoints(std::vector<ScatterPoint> points, int direction, const QString& costUnit);
    const std::vector<ScatterPoint>& points() const { return m_points; }
    void setSelected(int id);  ///< −1 = none
    int selected() const { return m_selected; }
    void setMethodHidden(const QString& method, bool isHidden);
    bool isMethodHidden(const QString& method) const { return m_hidden.contains(method); }
    void setEmptyText(const QString& text);

    /// Points outside the range shown, and the value at its edge: for the badge.
    int outsideCount() const { return m_outside; }
    double edgeValue() const { return m_range[0]; }
    bool showsAll() const { return m_showsAll; }
    void setShowsAll(bool showsAll);

    QPointF positionOf(int id) const;  ///< a caret's place when the point lies outside
    QRect plotArea() const;
    /// Picture of any size in the theme's colours, for export.
    void renderTo(QPainter& painter, const QRect& area) const;

    QSize sizeHint() const override { return {520, 260}; }
    QSize minimumSizeHint() const override { return {260, 150}; }

Q_SIGNALS:
    void picked(int id);
    void rangeChanged();

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseMoveEvent(QMouseEvent*) override;
    void leaveEvent(QEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    bool event(QEvent*) override;

private:
    struct Frame;
    const ScatterPoint* find(int id) const;
    const ScatterPoint* base() const;
    bool isShown(const ScatterPoint& point) const;
    void computeRanges();
    QPointF place(const ScatterPoint& point, const QRectF& area) const;
    bool isOutside(const ScatterPoint& point) const;
    int idAt(const QPointF& position) const;
    void paint(QPainter& painter, const QRect& whole) const;
    void paintAxes(QPainter& painter, const QRectF& area) const;
    void paintBase(QPainter& painter, const QRectF& area) const;
    void paintFront(QPainter& painter, const QRectF& area) const;
    void paintMarks(QPainter& painter, const QRectF& area) const;
    void paintLabels(QPainter& painter, const QRectF& area) const;

    std::vector<ScatterPoint> m_points;
    QStringList m_hidden;
    QString m_unit, m_emptyText;
    int m_direction = 1, m_selected = -1, m_hovered = -1, m_outside = 0;
    bool m_showsAll = false;
    double m_range[2] = {0, 1}, m_costs[2] = {0.1, 10};
};

/// One method's mark, 9 px across, centred.
void paintMarker(QPainter& painter, const QPointF& center, const MethodLook& look, const QColor& hole, double size = 9);

}  // namespace espalier::widgets
