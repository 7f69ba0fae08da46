#pragma once

#include <QAbstractListModel>
#include <QString>

#include <vector>

#include "engine/feed/feed_event.h"

namespace espalier::app {

/// One job as the dock shows it.
struct JobRow {
    feed::JobId id = 0;
    QString runId, title, kind;   ///< kind: "train", "quantize", "import"
    feed::JobState state = feed::JobState::Queued;
    QString stage;                ///< "Train, epoch 3 of 10"
    QString sentence;             ///< why it failed, or why it pauses
    Error trouble;                ///< the same in parts
    double signSecs = 0;          ///< steady time of the last sign of life: a state or a progress report
    qint64 done = 0, total = 0;
    double rate = 0;
    QString rateUnit;
    double secsLeft = -1;
    int place = 0;
    double endedSecs = 0;         ///< Unix; 0 while it lives
    int warnings = 0;
};

/// Why it failed without its own name, which stands beside it.
QString reasonOf(const JobRow& job);

/// Jobs of this process: running first, then the queue by place, then ended ones, newest first. GUI thread.
class JobListModel : public QAbstractListModel {
    Q_OBJECT
public:
    enum Role { IdRole = Qt::UserRole + 1, RunRole, StateRole, ProgressRole };

    using QAbstractListModel::QAbstractListModel;

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

    const std::vector<JobRow>& rows() const { return m_rows; }
    const JobRow* find(feed::JobId id) const;
    /// The newest job of a run; null when it ran in another process or before this start.
    const JobRow* findByRun(const QString& runId) const;
    int runningCount() const;
    int queuedCount() const;
    int doneTodayCount() const;

    void add(const feed::JobAdded& event);
    void move(const feed::JobMoved& event);
    void setState(const feed::JobStateChanged& event);
    void setProgress(const feed::JobProgress& event);
    void addWarning(feed::JobId job);
    void removeEnded();

Q_SIGNALS:
    void countsChanged();

private:
    int rowOf(feed::JobId id) const;
    void sortRows();

    std::vector<JobRow> m_rows;
};

}  // namespace espalier::app
