#pragma once

#include <QHash>
#include <QString>
#include <QStringList>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/feed/metric_point.h"

namespace espalier::widgets {

/// All points of one series as columns in log order; only ever grows at the end. `revision` changes when earlier
/// points were replaced (a log was read), so caches over the columns know when to start again.
struct Series {
    QString run, name;
    std::vector<std::int64_t> steps;
    std::vector<double> wallSecs;
    std::vector<double> values;
    bool isMonotone = true;      ///< steps never went backwards
    std::uint64_t revision = 0;
    std::size_t size() const { return values.size(); }
    bool isEmpty() const { return values.empty(); }
};

/// Column store of every series the window knows, live or read from a log. GUI thread only; hands out pointers that
/// stay valid until the run is dropped.
class SeriesStore {
public:
    /// Null when the run has no such series (yet).
    const Series* find(const QString& run, const QString& name) const;
    Series& series(const QString& run, const QString& name);
    QStringList names(const QString& run) const;  ///< sorted
    bool hasRun(const QString& run) const { return m_runs.contains(run); }

    /// Adds points at the end; `points` are all of this series.
    static void append(Series& series, std::span<const feed::MetricPoint> points);
    /// Puts logged columns in front of what arrived live: rows logged before the first live point.
    static void mergeLogged(Series& series, feed::SeriesColumns columns);

    const std::vector<feed::RunMark>& marks(const QString& run) const;
    void addMark(const QString& run, feed::RunMark mark);
    void setMarks(const QString& run, std::vector<feed::RunMark> marks);

    void drop(const QString& run) { m_runs.remove(run); }
    std::size_t bytes() const;

private:
    struct Run {
        std::map<QString, std::unique_ptr<Series>> series;
        std::vector<feed::RunMark> marks;
    };
    QHash<QString, std::shared_ptr<Run>> m_runs;
};

}  // namespace espalier::widgets
