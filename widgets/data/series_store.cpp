#include "widgets/data/series_store.h"

#include <algorithm>

namespace espalier::widgets {

const Series* SeriesStore::find(const QString& run, const QString& name) const {
    const auto it = m_runs.constFind(run);
    if (it == m_runs.constEnd()) return nullptr;
    const auto found = (*it)->series.find(name);
    return found == (*it)->series.end() ? nullptr : found->second.get();
}

Series& SeriesStore::series(const QString& run, const QString& name) {
    auto& holder = m_runs[run];
    if (!holder) holder = std::make_shared<Run>();
    auto& one = holder->series[name];
    if (!one) {
        one = std::make_unique<Series>();
        one->run = run;
        one->name = name;
    }
    return *one;
}

QStringList SeriesStore::names(const QString& run) const {
    QStringList names;
    if (const auto it = m_runs.constFind(run); it != m_runs.constEnd())
        for (const auto& entry : (*it)->series) names << entry.first;
    return names;
}

void SeriesStore::append(Series& series, std::span<const feed::MetricPoint> points) {
    for (const feed::MetricPoint& point : points) {
        if (!series.steps.empty() && point.step < series.steps.back()) series.isMonotone = false;
        series.steps.push_back(point.step);
        series.wallSecs.push_back(point.wallSecs);
        series.values.push_back(point.value);
    }
}

void SeriesStore::mergeLogged(Series& series, feed::SeriesColumns columns) {
    // The log may already hold points that also came live; the first live time parts the two.
    std::size_t keep = columns.values.size();
    if (!series.isEmpty()) {
        const double firstLive = series.wallSecs.front();
        keep = 0;
        while (keep < columns.values.size() && columns.wallSecs[keep] < firstLive) ++keep;
    }
    columns.steps.resize(keep);
    columns.wallSecs.resize(keep);
    columns.values.resize(keep);
    columns.steps.insert(columns.steps.end(), series.steps.begin(), series.steps.end());
    columns.wallSecs.insert(columns.wallSecs.end(), series.wallSecs.begin(), series.wallSecs.end());
    columns.values.insert(columns.values.end(), series.values.begin(), series.values.end());
    series.steps = std::move(columns.steps);
    series.wallSecs = std::move(columns.wallSecs);
    series.values = std::move(columns.values);
    series.isMonotone = std::is_sorted(series.steps.begin(), series.steps.end());
    ++series.revision;
}

const std::vector<feed::RunMark>& SeriesStore::marks(const QString& run) const {
    static const std::vector<feed::RunMark> none;
    const auto it = m_runs.constFind(run);
    return it == m_runs.constEnd() ? none : (*it)->marks;
}

void SeriesStore::addMark(const QString& run, feed::RunMark mark) {
    auto& holder = m_runs[run];
    if (!holder) holder = std::make_shared<Run>();
    holder->marks.push_back(std::move(mark));
}

void SeriesStore::setMarks(const QString& run, std::vector<feed::RunMark> marks) {
    auto& holder = m_runs[run];
    if (!holder) holder = std::make_shared<Run>();
    holder->marks = std::move(marks);
}

std::size_t SeriesStore::bytes() const {
    std::size_t total = 0;
    for (const auto& run : m_runs)
        for (const auto& entry : run->series) total += entry.second->values.capacity() * 24;
    return total;
}

}  // namespace espalier::widgets
