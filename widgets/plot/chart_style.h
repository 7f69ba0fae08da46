#pragma once

#include <QMargins>
#include <QString>
#include <QVector>

#include "widgets/plot/chart_look.h"

class QCPAxis;
class QCustomPlot;

/// How every chart of the program looks: one place for fonts, grid, ticks, margins and number formats.
///
///     auto* plot = new QCustomPlot(this);
///     initChart(plot);                 // once: layers, tickers, margins, colours
///     connect(&theme(), &Theme::changed, plot, [plot] { applyChartTheme(plot); plot->replot(); });
///     useLogTicks(plot->xAxis);        // where an axis is logarithmic
namespace espalier::widgets {

/// Names of the layers, in painting order; "grid", "main" and "axes" are QCustomPlot's own.
namespace layers {
inline constexpr const char* kRaw = "espalier.raw";
inline constexpr const char* kBand = "espalier.band";
inline constexpr const char* kSmooth = "espalier.smooth";
inline constexpr const char* kEvents = "espalier.events";
inline constexpr const char* kCursor = "espalier.cursor";  ///< own buffer: replots alone
}  // namespace layers

struct ChartMargins {
    int left = 46, right = 12, top = 8, bottom = 22;
};

/// Sets layers, tickers, margins and colours of a fresh plot. Interactions are left to the caller.
void initChart(QCustomPlot* plot, const ChartMargins& margins = {});
/// Colours and fonts of the current theme; call on Theme::changed() and replot.
void applyChartTheme(QCustomPlot* plot);
/// The same with other colours: figures on paper look alike in every theme.
void applyChartLook(QCustomPlot* plot, const ChartLook& look);

/// Linear ticks at 1, 2, 5 × 10ⁿ, at least 72 px apart on x and 38 px on y (18 where there would be fewer than three).
/// initChart() sets them on both axes. They are `leastStep` apart or more where that is not 0.
void useLinearTicks(QCPAxis* axis, double leastStep = 0);
/// Logarithmic scale with ticks at 1, 3 × 10ⁿ (or 1, 2, 5 when zoomed in, or whole decades when zoomed out).
void useLogTicks(QCPAxis* axis);
/// Fixed ticks with a word each, e.g. block names.
void useTextTicks(QCPAxis* axis, const QVector<double>& positions, const QStringList& labels);

/// Tick positions for a range of `length` px with at least `gap` px between them.
QVector<double> linearTicks(double low, double high, double length, double gap);
/// linearTicks(), closer together where a short axis would show fewer than three: never under `leastGap`, or under 0.6
/// of it where there would be one alone.
QVector<double> fittingTicks(double low, double high, double length, double gap, double leastGap);
QVector<double> logTicks(double low, double high, double length, double gap);
/// Labels of one axis share their precision: "0.0 0.5 1.0", "0 20k 40k", "2e-4 4e-4", "−0.2".
QStringList tickLabels(const QVector<double>& ticks, bool isLog = false);

}  // namespace espalier::widgets
