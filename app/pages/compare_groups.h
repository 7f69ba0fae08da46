#pragma once

#include <QString>
#include <QStringList>
#include <QVector>

#include <memory>
#include <vector>

#include "engine/feed/run_info.h"
#include "widgets/plot/chart_line.h"

namespace espalier::app {

/// Runs that differ in nothing but their seed.
struct RunGroup {
    QString label;       ///< "F, 2" for two seeds, the short run name for one
    QVector<int> runs;   ///< indices into the compared runs
    int colorIndex = 0;  ///< of its first run
};

/// Groups by recipe, data set and all parameters but the seed, in order of their first run.
std::vector<RunGroup> groupRuns(const std::vector<feed::RunInfo>& runs, const QStringList& shortNames, bool isGrouped);

enum class BandKind { Seeds, Interval95, None };

/// Mean over the runs of a group at every x of the run that has most points, others by straight lines between theirs;
/// a run counts only between its first and last point. With Interval95 the band is Student's t over the seeds; over two
/// seeds, where t is 12.7 and the band would hide everything, it is their range.
std::shared_ptr<widgets::ComputedLine> groupMean(const std::vector<std::vector<std::pair<double, double>>>& curves, BandKind band);

}  // namespace espalier::app
