#pragma once

#include <QPointF>
#include <QRectF>
#include <QString>

#include <memory>
#include <optional>
#include <vector>

#include "engine/feed/metric_point.h"
#include "widgets/plot/chart_line.h"
#include "widgets/plot/chart_look.h"

namespace espalier::widgets {

struct AxisRange {
    double low = 0, high = 1;
    double size() const { return high - low; }
    bool operator==(const AxisRange&) const = default;
};

/// A mark of a run with what is needed to place it on any x.
struct ChartEvent {
    feed::RunMark mark;
    std::shared_ptr<const RunAxis> axis;
    int colorIndex = 0;
};

/// A value to compare with, drawn across the chart: the paper's claim or a base line.
struct ChartClaim {
    double value = 0;
    QString text;  ///< "paper 0.9653"
    bool isBaseline = false;
};

/// The part of a schedule that is still to come, by step.
struct Forecast {
    std::vector<std::int64_t> steps;
    std::vector<double> values;
    int colorIndex = 0;
    std::shared_ptr<const RunAxis> axis;
};

/// How much a chart says about events: the large one all, small ones only where the line breaks.
enum class EventDetail { Full, BreaksOnly, None };

/// Everything that is drawn in one chart, apart from axes. Owned by the chart, read by its painters.
struct ChartScene {
    std::vector<std::unique_ptr<ChartLine>> lines;
    std::vector<ChartEvent> events;
    std::vector<Forecast> forecasts;
    std::optional<ChartClaim> claim;
    /// Epoch curves fall steeply at first and differ later: the chosen y range leaves the first tenth of x aside.
    bool isLateFocused = false;
    EventDetail detail = EventDetail::BreaksOnly;
    QString xUnit;      ///< above the end of the axis: "step"
    QString emptyText;  ///< in the middle while no line has points
    bool hasFocusRing = false;
    XKind xKind = XKind::Step;
    ChartLook look;

    /// Cursor of the page in x, and what this chart adds to it.
    std::optional<double> cursorKey;
    QString cursorTag;      ///< on the axis of the hovered chart only
    double tolerance = 0;   ///< x of two pixels
    QRectF rubberBand;      ///< in pixels; null = none

    double keyOf(const ChartEvent& event) const;
    double keyOf(const Forecast& forecast, std::size_t i) const;
    const ChartLine* line(const QString& id) const;
    int visibleCount() const;
    /// x from the first to the last point of all visible lines, forecasts included; nothing without points.
    std::optional<AxisRange> keyExtent() const;
};

/// The y range a chart picks by itself, and what it leaves out.
struct ValueRange {
    AxisRange range;
    std::uint64_t above = 0, below = 0;  ///< finite points of visible lines outside
    double highest = 0, lowest = 0;
    bool hasPoints = false;
};

/// Smooth lines, epoch values and the claim are always inside. Raw points are, unless a few of them (under half a
/// percent at either end) would squeeze all others: then the range ends at a round number and the rest is counted.
/// With isLateFocused the first tenth of x neither stretches the range nor is counted.
ValueRange chooseValueRange(const ChartScene& scene, const AxisRange& keys, bool isLog);
/// Counts what lies outside a given range (after a zoom).
ValueRange countOutside(const ChartScene& scene, const AxisRange& keys, const AxisRange& values);
/// A range that holds every visible point.
AxisRange wholeValueRange(const ChartScene& scene, const AxisRange& keys, bool isLog);

}  // namespace espalier::widgets
