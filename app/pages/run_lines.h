#pragma once

#include <QHash>
#include <QString>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "app/bridge/app_context.h"
#include "widgets/plot/chart_scene.h"

namespace espalier::app {

/// Makes the lines, marks and schedules of runs from the bridge's series, for every page that draws them. Keeps one
/// epoch table a run. GUI thread.
class RunLines {
public:
    explicit RunLines(AppContext& context) : m_context(context) {}

    /// Steps to epochs and seconds of this run, brought up to date; the same object every time.
    std::shared_ptr<const widgets::RunAxis> axis(const QString& run);
    /// Null when the run has no such series (yet).
    const widgets::Series* series(const QString& run, std::string_view name) const;

    /// A line of one series; nothing when the run has none.
    std::optional<widgets::LineSpec> line(const QString& run, std::string_view name, widgets::LineRole role,
                                          const QString& label);
    /// Marks worth a tick: the best checkpoint once, epochs only while they are few.
    std::vector<widgets::ChartEvent> events(const QString& run);
    /// The learning rate still to come, when the run's parameters describe a warm-up and cosine that the points logged
    /// so far follow to 1 %; otherwise nothing is guessed.
    std::optional<widgets::Forecast> learningRateToCome(const QString& run);
    /// The paper's number for this recipe, data set and kind of metric ("top1").
    std::optional<widgets::ChartClaim> claim(const QString& run, const QString& metric) const;
    /// Last step that any series of the run has; 0 when it has none.
    std::int64_t lastStep(const QString& run) const;

private:
    AppContext& m_context;
    QHash<QString, std::shared_ptr<widgets::RunAxis>> m_axes;
};

}  // namespace espalier::app
