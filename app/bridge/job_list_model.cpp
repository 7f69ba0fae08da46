#include "app/bridge/job_list_model.h"

#include <QDateTime>

#include <algorithm>

#include "engine/base/clock.h"

namespace espalier::app {

namespace {

// Running jobs first, then the queue, then what ended.
int rankOf(feed::JobState state) {
    if (feed::isFinal(state)) return 2;
    return state == feed::JobState::Queued ? 1 : 0;
}

bool comesBefore(const JobRow& a, const JobRow& b) {
    const int rankA = rankOf(a.state), rankB = rankOf(b.state);
    if (rankA != rankB) return rankA < rankB;
    if (rankA == 1 && a.place != b.place) return a.place < b.place;
    if (rankA == 2) return a.endedSecs > b.endedSecs;
    return a.id < b.id;
}

}  // namespace

QString reasonOf(const JobRow& job) {
    const QString name = job.title + QStringLiteral(": ");
    if (!job.sentence.startsWith(name) || job.sentence.size() == name.size()) return job.sentence;
    QString reason = job.sentence.mid(name.size());
    reason[0] = reason[0].toUpper();
    return reason;
}

int JobListModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : static_cast<int>(m_rows.size()); }

QVariant JobListModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const JobRow& row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
        case Qt::DisplayRole: return row.title;
        case Qt::ToolTipRole: return row.sentence.isEmpty() ? row.stage : row.sentence;
        case IdRole: return QVariant::fromValue<qulonglong>(row.id);
        case RunRole: return row.runId;
        case StateRole: return static_cast<int>(row.state);
        case ProgressRole: return row.total > 0 ? static_cast<double>(row.done) / static_cast<double>(row.total) : -1.0;
        default: return {};
    }
}

int JobListModel::rowOf(feed::JobId id) const {
    for (std::size_t i = 0; i < m_rows.size(); ++i)
        if (m_rows[i].id == id) return static_cast<int>(i);
    return -1;
}

const JobRow* JobListModel::find(feed::JobId id) const {
    const int row = rowOf(id);
    return row < 0 ? nullptr : &m_rows[static_cast<std::size_t>(row)];
}

const JobRow* JobListModel::findByRun(const QString& runId) const {
    const JobRow* newest = nullptr;
    for (const JobRow& row : m_rows)
        if (row.runId == runId && (!newest || row.id > newest->id)) newest = &row;
    return newest;
}

int JobListModel::runningCount() const {
    return static_cast<int>(std::count_if(m_rows.begin(), m_rows.end(), [](const JobRow& r) { return rankOf(r.state) == 0; }));
}
int JobListModel::queuedCount() const {
    return static_cast<int>(std::count_if(m_rows.begin(), m_rows.end(), [](const JobRow& r) { return rankOf(r.state) == 1; }));
}
int JobListModel::doneTodayCount() const {
    const QDate today = QDate::currentDate();
    return static_cast<int>(std::count_if(m_rows.begin(), m_rows.end(), [&](const JobRow& r) {
        return r.state == feed::JobState::Completed &&
               QDateTime::fromSecsSinceEpoch(static_cast<qint64>(r.endedSecs)).date() == today;
    }));
}

void JobListModel::sortRows() {
    if (std::is_sorted(m_rows.begin(), m_rows.end(), comesBefore)) return;
    Q_EMIT layoutAboutToBeChanged();
    const QModelIndexList before = persistentIndexList();
    std::vector<feed::JobId> ids;
    for (const QModelIndex& index : before) ids.push_back(m_rows[static_cast<std::size_t>(index.row())].id);
    std::stable_sort(m_rows.begin(), m_rows.end(), comesBefore);
    QModelIndexList after;
    for (std::size_t i = 0; i < ids.size(); ++i) after << index(rowOf(ids[i]));
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged();
}

void JobListModel::add(const feed::JobAdded& event) {
    if (rowOf(event.job) >= 0) return;
    const int at = static_cast<int>(m_rows.size());
    beginInsertRows({}, at, at);
    JobRow row;
    row.id = event.job;
    row.runId = QString::fromStdString(event.runId);
    row.title = QString::fromStdString(event.title);
    row.kind = QString::fromStdString(event.kind);
    row.place = event.place;
    m_rows.push_back(std::move(row));
    endInsertRows();
    sortRows();
    Q_EMIT countsChanged();
}

void JobListModel::move(const feed::JobMoved& event) {
    const int row = rowOf(event.job);
    if (row < 0) return;
    m_rows[static_cast<std::size_t>(row)].place = event.place;
    Q_EMIT dataChanged(index(row), index(row));
    sortRows();
}

void JobListModel::setState(const feed::JobStateChanged& event) {
    const int row = rowOf(event.job);
    if (row < 0) return;
    JobRow& job = m_rows[static_cast<std::size_t>(row)];
    job.state = event.to;
    job.sentence = QString::fromStdString(event.sentence);
    job.trouble = event.error;
    job.signSecs = steadySecs();
    if (!event.runId.empty()) job.runId = QString::fromStdString(event.runId);
    if (feed::isFinal(event.to)) {
        job.endedSecs = wallClockSecs();
        job.secsLeft = -1;
    }
    Q_EMIT dataChanged(index(row), index(row));
    sortRows();
    Q_EMIT countsChanged();
}

void JobListModel::setProgress(const feed::JobProgress& event) {
    const int row = rowOf(event.job);
    if (row < 0) return;
    JobRow& job = m_rows[static_cast<std::size_t>(row)];
    job.stage = QString::fromStdString(event.stage);
    job.done = event.done;
    job.total = event.total;
    job.rate = event.rate;
    job.rateUnit = QString::fromStdString(event.rateUnit);
    job.secsLeft = event.secsLeft;
    job.signSecs = steadySecs();
    Q_EMIT dataChanged(index(row), index(row));
}

void JobListModel::addWarning(feed::JobId id) {
    const int row = rowOf(id);
    if (row < 0) return;
    ++m_rows[static_cast<std::size_t>(row)].warnings;
    Q_EMIT dataChanged(index(row), index(row));
}

void JobListModel::removeEnded() {
    for (int row = static_cast<int>(m_rows.size()) - 1; row >= 0; --row) {
        if (!feed::isFinal(m_rows[static_cast<std::size_t>(row)].state)) continue;
        beginRemoveRows({}, row, row);
        m_rows.erase(m_rows.begin() + row);
        endRemoveRows();
    }
    Q_EMIT countsChanged();
}

}  // namespace espalier::app
