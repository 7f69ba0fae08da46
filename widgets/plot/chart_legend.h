#pragma once

#include <QVector>
#include <QWidget>

#include "widgets/plot/chart_line.h"
#include "widgets/plot/chart_look.h"

class QPainter;

namespace espalier::widgets {

/// One line in a legend.
struct LegendEntry {
    QString id, label, toolTip, value;
    int colorIndex = 0;
    StrokeKind stroke = StrokeKind::Solid;  ///< as the chart draws it now
    bool isVisible = true;
    double opacity = 1.0;
};

/// The only legend of a chart: line sample, name and the value at the cursor. A click hides, a double click isolates;
/// arrows, Space and Enter do the same. What does not fit is counted ("+3") and named in its tooltip.
class ChartLegend : public QWidget {
    Q_OBJECT
public:
    explicit ChartLegend(QWidget* parent = nullptr);

    void setEntries(QVector<LegendEntry> entries);
    /// Values in the order of the entries; widths never shrink, so nothing jumps while they change.
    void setValues(const QStringList& values);
    /// How the lines are drawn now, in the order of the entries.
    void setStrokes(const QVector<StrokeKind>& strokes);
    const QVector<LegendEntry>& entries() const { return m_entries; }
    QRect entryRect(int index) const;  ///< empty when it did not fit

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

    /// Right-aligned in `rect`; returns the rectangles. For the widget and for exported figures.
    static QVector<QRect> paintEntries(QPainter* painter, const QRect& rect, const QVector<LegendEntry>& entries,
                                       const QVector<int>& valueWidths, const ChartLook& look);

Q_SIGNALS:
    void toggled(const QString& id);
    void isolated(const QString& id);

protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent*) override;
    void mouseDoubleClickEvent(QMouseEvent*) override;
    void keyPressEvent(QKeyEvent*) override;
    void focusInEvent(QFocusEvent*) override;
    bool event(QEvent*) override;

private:
    int indexAt(const QPoint& position) const;

    QVector<LegendEntry> m_entries;
    QVector<int> m_valueWidths;
    int m_current = 0;
};

}  // namespace espalier::widgets
