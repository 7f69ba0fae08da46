#pragma once

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QTimer>
#include <QVector>

#include <optional>

#include "widgets/plot/chart_scene.h"

namespace espalier::widgets {

class LossChart;
class ReadoutBox;

/// Charts of one page that share x: one zoom with its history, one cursor with its readout, one smoothing. GUI thread.
class ChartGroup : public QObject {
    Q_OBJECT
public:
    /// `page` carries the readout box, so that it may reach over neighbouring charts.
    explicit ChartGroup(QWidget* page);

    void add(LossChart* chart);
    void remove(LossChart* chart);
    const QVector<LossChart*>& charts() const { return m_charts; }

    XKind xKind() const { return m_kind; }
    void setXKind(XKind kind);  ///< forgets the zoom: steps mean nothing in epochs
    bool isLogX() const { return m_isLogX; }
    void setLogX(bool isLog);
    double smoothing() const { return m_smoothing; }
    void setSmoothing(double steps);

    // --- zoom ---
    /// Shared x; with `values` also y of that chart. Pushes the view before onto the history.
    void zoomTo(const AxisRange& keys, LossChart* chart = nullptr, std::optional<AxisRange> values = std::nullopt);
    /// The same while a wheel or a drag goes on: one step of history for all of it.
    void zoomBy(const AxisRange& keys, LossChart* chart = nullptr, std::optional<AxisRange> values = std::nullopt);
    void endGesture() { m_isInGesture = false; }
    void zoomBack();
    void zoomReset();  ///< can be taken back too
    bool canGoBack() const { return !m_history.isEmpty(); }
    bool isZoomed() const { return m_view.keys.has_value() || !m_view.values.isEmpty(); }
    /// What the charts show now: the zoom, or all points with a little room at the right.
    AxisRange keyRange() const;
    AxisRange fullKeyRange() const;
    std::optional<AxisRange> valueRange(const LossChart* chart) const;

    // --- cursor ---
    void setCursor(double key, LossChart* hovered);
    void clearCursor();
    std::optional<double> cursor() const { return m_cursor; }
    LossChart* hovered() const { return m_hovered; }
    ReadoutBox* readout() const { return m_readout; }
    /// Whole steps; epochs and times as they are.
    double snapped(double key) const;

    /// Points came in; every chart is brought up to date once, when the event loop is next idle.
    void scheduleUpdate();
    void updateNow();

    /// Seconds as h:mm:ss, epochs with one place, steps with thousands separators.
    QString keyText(double key) const;

Q_SIGNALS:
    void viewChanged();
    void historyChanged();
    void cursorChanged();
    void xKindChanged();
    void logXChanged(bool isLog);
    void smoothingChanged(double steps);
    void exportRequested(espalier::widgets::LossChart* chart);
    /// A line was hidden or isolated in a chart.
    void visibilityChanged();

private:
    struct View {
        std::optional<AxisRange> keys;
        QHash<const LossChart*, AxisRange> values;
        bool operator==(const View&) const = default;
    };
    void push();
    void apply();
    void showReadout();

    QVector<LossChart*> m_charts;
    QPointer<ReadoutBox> m_readout;
    View m_view;
    QVector<View> m_history;
    XKind m_kind = XKind::Step;
    bool m_isLogX = false, m_isInGesture = false;
    double m_smoothing = 0;
    std::optional<double> m_cursor;
    QPointer<LossChart> m_hovered;
    QTimer m_updateTimer;
};

}  // namespace espalier::widgets
