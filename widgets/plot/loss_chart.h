#pragma once

#include <QPointer>
#include <QWidget>

#include <memory>
#include <vector>

#include "widgets/plot/chart_scene.h"
#include "widgets/plot/readout_box.h"

class QCustomPlot;
class QMenu;
class QPainter;

namespace espalier::widgets {

class Badge;
class ChartGroup;
class ChartHeader;
class ChartInput;
class ChartLegend;

/// One chart of lines over steps, epochs or time: header with title, outlier badge and legend over QCustomPlot's axes
/// with our own raster layers. Shares x, zoom and cursor with its group. It draws every point it is given: nothing is
/// averaged away, and values that are not finite break the line and are marked. GUI thread.
class LossChart : public QWidget {
    Q_OBJECT
public:
    explicit LossChart(const QString& title, const QString& caption = {}, QWidget* parent = nullptr);
    ~LossChart() override;

    QString title() const { return m_title; }
    QString caption() const { return m_caption; }
    void setTitle(const QString& title);
    void setCaption(const QString& caption);
    /// For curves by epoch: the chosen y range is that of the later nine tenths.
    void setLateFocused(bool isLateFocused);
    /// Room at the left for axis labels: 46 px, 38 in small charts.
    void setLeftMargin(int px);  ///< at least; grows where the numbers of y need more
    /// What is said when there is nothing to draw ("no top-1 in this run").
    void setEmptyText(const QString& text);

    /// Replaces the lines; those whose id and series stay keep their caches and whether they are shown.
    void setLines(std::vector<LineSpec> lines);
    void setEvents(std::vector<ChartEvent> events, EventDetail detail);
    void setForecasts(std::vector<Forecast> forecasts);
    void setClaim(std::optional<ChartClaim> claim);
    void setLogY(bool isLog);
    bool isLogY() const { return m_isLogY; }

    /// Takes in points that the series gained; call the group's scheduleUpdate() afterwards (or updateNow()).
    void digest();
    /// Ranges, badge, legend and picture from what is known now.
    void updateView();
    void updateCursor();

    const ChartScene& scene() const { return m_scene; }
    ChartLegend* legend() const { return m_legend; }
    Badge* badge() const { return m_badge; }
    QCustomPlot* plot() const { return m_plot; }
    ChartGroup* group() const;
    void setGroup(ChartGroup* group);

    // --- geometry, in this widget's pixels ---
    QRect plotArea() const;
    int pixelOfKey(double key) const;
    double keyOfPixel(int x) const;
    AxisRange keyRange() const;
    AxisRange valueRange() const;

    void setLineVisible(const QString& id, bool isVisible);
    bool isLineVisible(const QString& id) const;
    void toggleLine(const QString& id);
    /// Shows the lines of this run alone; once more: all again.
    void isolateLine(const QString& id);
    /// Goes from the chosen range to one that holds every point, and back.
    void setShowsAll(bool showsAll);

    ReadoutBox::Content readoutContent() const;
    void fillMenu(QMenu& menu);
    void copyPicture();
    /// Every shown point at full precision, nothing decimated.
    QString csv() const;
    /// Values at the cursor at full precision, tab-separated: what Ctrl+C copies.
    QString readoutTable() const;
    /// Header and chart into a rectangle of `size` with paper colours; text stays text.
    void renderTo(QPainter& painter, const QSize& size, bool isVector);

Q_SIGNALS:
    void logYChanged(bool isLog);

protected:
    void paintEvent(QPaintEvent*) override;
    void changeEvent(QEvent*) override;
    void resizeEvent(QResizeEvent*) override;

private:
    friend class ChartInput;
    void applyLook();
    void refreshLegend();
    void refreshBadge(const ValueRange& values);
    QStringList legendValues() const;
    void setRubberBand(const QRectF& band);
    void setFocusRing(bool isShown);
    void replot();
    void fitLeftMargin();
    QVector<StrokeKind> legendStrokes(double width) const;

    QString m_title, m_caption;
    ChartScene m_scene;
    QCustomPlot* m_plot;
    ChartHeader* m_header;
    ChartLegend* m_legend;
    Badge* m_badge;
    std::unique_ptr<ChartInput> m_input;
    QPointer<ChartGroup> m_group;
    QString m_isolated;  ///< run shown alone
    bool m_isLogY = false, m_showsAll = false, m_isDirty = true;
    bool m_hasWholeTicks = false;
};

/// "1.289", "0.0184", "2.95e-4": as legends and badges write values.
QString readingText(double value);
/// One digit more than axes and legends can show: "1.47771", "0.32717". All digits go to the clipboard and files.
QString readoutText(double value);

}  // namespace espalier::widgets
