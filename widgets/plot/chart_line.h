#pragma once

#include <QString>

#include <memory>
#include <optional>
#include <vector>

#include "widgets/data/decimation.h"
#include "widgets/data/series_store.h"
#include "widgets/data/smoothing.h"

namespace espalier::widgets {

/// What x counts. Time is seconds since the run's first point.
enum class XKind { Step, Epoch, Time };

/// Translates a run's steps into epochs and wall time. Epochs come from the run's own train/epoch series.
struct RunAxis {
    std::vector<std::int64_t> steps;  ///< ascending
    std::vector<double> epochs;
    double startSecs = 0;

    /// Takes in points of train/epoch that came since the last call; cheap when there are none.
    void extend(const Series& epochs);
    bool hasEpochs() const { return steps.size() > 1; }
    /// Between logged steps by straight lines, beyond them along the last one; NaN when the run logs no epochs.
    double epochOf(double step) const;

private:
    std::size_t m_taken = 0;
    std::uint64_t m_revision = 0;
};

/// How a line is drawn.
enum class LineRole {
    Smoothed,  ///< smooth line over the raw envelope (train loss, gradient norm)
    Valid,     ///< dashed where points are dense, else solid with dots
    Plain,     ///< solid, every point (learning rate, top-1 by epoch)
    Mean,      ///< mean of a group, 2 px, with its band
    Seed,      ///< one run of a group, 1 px at 40 %
};

/// How a line comes out at the present width: valid lines are dashed while their points stand close, else they have a
/// dot a point.
enum class StrokeKind { Solid, Dashed, Dotted };

/// Values made by a page instead of read from a log, e.g. the mean over seeds with an interval.
struct ComputedLine {
    std::vector<double> keys, values, low, high;
};

/// One line as a page asks for it.
struct LineSpec {
    QString id;       ///< unique in its chart and stable: "run/series"
    QString run;      ///< lines of one run are isolated together
    QString label;    ///< legend: "s1 train"
    QString toolTip;  ///< whole run name
    int colorIndex = 0;
    LineRole role = LineRole::Plain;
    bool isFocused = true;
    bool isInLegend = true;
    double opacity = 1.0;
    const Series* series = nullptr;  ///< of the store; must outlive the chart's use of it
    std::shared_ptr<const ComputedLine> computed;
    std::shared_ptr<const RunAxis> axis;
};

/// A line with what is derived from its points. GUI thread, except digest(), which may run for several lines at once.
class ChartLine {
public:
    explicit ChartLine(LineSpec spec) : m_spec(std::move(spec)) {}
    const LineSpec& spec() const { return m_spec; }
    /// Takes a new look for the same points; caches stay when the points do.
    void setSpec(LineSpec spec);

    /// Takes in new points; starts again when earlier ones changed, or x or smoothing did. True when anything changed.
    bool digest(XKind kind, double smoothing);
    LineColumns columns() const;
    const Decimator& decimator() const { return m_decimator; }
    const SmoothLine& smooth() const { return m_smooth; }
    std::size_t size() const { return columns().size(); }
    bool isEmpty() const { return m_decimator.size() == 0; }
    bool isSmoothed() const { return m_spec.role == LineRole::Smoothed && m_smooth.isOn(); }
    double firstKey() const;
    double lastKey() const;

    bool isVisible() const { return m_isVisible; }
    void setVisible(bool isVisible) { m_isVisible = isVisible; }

    /// Value under the cursor: the point nearest in x; nothing beyond the ends of the line.
    struct Reading {
        std::size_t index = 0;
        std::int64_t step = -1;  ///< −1 for computed lines
        double key = 0, smooth = 0, raw = 0, wallSecs = 0;
    };
    std::optional<Reading> readingAt(double key, double tolerance) const;
    std::optional<Reading> lastReading() const;

private:
    Reading readingOf(std::size_t index) const;
    void makeKeys(XKind kind);

    LineSpec m_spec;
    Decimator m_decimator;
    SmoothLine m_smooth;
    std::vector<double> m_keys;  ///< epochs only
    std::size_t m_axisSize = 0;  ///< of the epoch table the keys were made with
    std::uint64_t m_revision = 0;
    XKind m_kind = XKind::Step;
    bool m_isVisible = true;
};

}  // namespace espalier::widgets
