#pragma once

#include <QElapsedTimer>
#include <QHash>
#include <QObject>
#include <QSet>
#include <QStringList>
#include <QTimer>

#include <cstdint>
#include <deque>
#include <memory>

#include "app/bridge/background_reads.h"
#include "app/bridge/dataset_list_model.h"
#include "app/bridge/job_list_model.h"
#include "app/bridge/run_list_model.h"
#include "engine/runtime/engine.h"
#include "widgets/data/series_store.h"

namespace espalier::app {

/// A warning with the thing it belongs to, for the warnings tab.
struct WarningRow {
    QString runId;
    feed::JobId job = 0;
    QString title;
    Warning warning;
};

/// The only QObject that speaks to the engine. The engine's inboxes wake it once a burst by a queued call; it drains
/// them at 30 Hz within 10 ms and says what changed. GUI thread.
class EngineBridge : public QObject {
    Q_OBJECT
public:
    EngineBridge(runtime::Engine& engine, std::shared_ptr<runtime::Workspace> workspace, QObject* parent = nullptr);
    ~EngineBridge() override;

    runtime::Engine& engine() const { return m_engine; }
    std::shared_ptr<runtime::Workspace> workspace() const { return m_workspace; }
    const widgets::SeriesStore& series() const { return m_series; }
    BackgroundReads& reads() { return m_reads; }
    JobListModel& jobs() { return m_jobs; }
    RunListModel& runs() { return m_runs; }           ///< all runs that are not in the trash, newest first
    DatasetListModel& datasets() { return m_datasets; }
    const std::vector<WarningRow>& warnings() const { return m_warnings; }

    /// Null when unknown. Valid until the next catalogChanged().
    const feed::RunInfo* run(const QString& id) const { return m_runs.find(id); }
    const feed::DatasetSummary* dataset(const QString& id) const { return m_datasets.find(id); }

    /// Makes sure all logged points and marks of a run are in series(); runLoaded() follows, at once when they are.
    /// Cheap to call again. A run that another process trains is read again when its catalog row changes.
    void loadRun(const QString& runId);
    bool isLoaded(const QString& runId) const { return m_loaded.contains(runId); }
    /// Reads the curve beside a run's name in the background; runs() gets it.
    void requestSpark(const QString& runId);
    /// Reads run and data set lists again in the background.
    void refreshCatalog();
    bool isCatalogRead() const { return m_isCatalogRead; }
    /// Nothing is being read and no event waits.
    bool isSettled() const;

    /// Drains everything now; for tests and at shutdown.
    void drainAll();

Q_SIGNALS:
    void pointsAppended(const QString& runId, const QString& series);
    void runLoaded(const QString& runId);  ///< series and marks of this run were (re)read
    void seriesAdded(const QString& runId, const QString& series);
    void runMarked(const QString& runId);
    void jobAdded(quint64 job);
    void jobStateChanged(quint64 job, const QString& runId);
    void jobProgress(quint64 job, const QString& runId);
    void arrayStored(const QString& runId, const QString& name, qint64 step, qint64 epoch);
    void tradeoffGrew(const QString& runId);
    void artifactWritten(const QString& runId, const QString& name, const QString& path, qint64 bytes);
    void datasetReady(quint64 job, const QString& datasetId);
    void warned(const QString& runId, quint64 job);
    /// runs() and datasets() hold new rows (from this or another process).
    void catalogChanged();
    /// Something failed in the background; one sentence, with the whole error.
    void failed(const espalier::Error& error);

private:
    struct WakeGuard;
    struct LoggedRun;

    void wake();
    void drain();
    void takeInboxes();
    void handle(const feed::FeedEvent& event);
    void appendBatch(const feed::MetricBatch& batch);
    void flushTouched();
    void previewRun(const QString& runId);
    void finishLoad(const QString& runId, LoggedRun logged);
    void setCatalog(std::vector<feed::RunInfo> runs, std::vector<feed::DatasetSummary> datasets);
    void pollOtherProcesses();

    runtime::Engine& m_engine;
    std::shared_ptr<runtime::Workspace> m_workspace;
    widgets::SeriesStore m_series;
    JobListModel m_jobs;
    RunListModel m_runs;
    DatasetListModel m_datasets;
    std::vector<WarningRow> m_warnings;
    std::deque<feed::FeedEvent> m_events;      ///< drained from the inbox, not handled yet
    std::deque<feed::MetricBatch> m_batches;
    QHash<QString, QHash<quint32, widgets::Series*>> m_seriesById;
    QSet<widgets::Series*> m_touched;
    QHash<QString, std::vector<feed::MetricPoint>> m_orphans;  ///< points whose series is not announced yet
    QSet<QString> m_loaded, m_loading, m_sparksAsked;
    QHash<QString, double> m_activeSecsAtLoad;  ///< of runs that another process may be writing
    std::shared_ptr<WakeGuard> m_guard;
    QTimer m_drainTimer, m_pollTimer;
    std::int64_t m_changeCounter = -1;
    bool m_isCatalogRead = false;
    bool m_isReadingCatalog = false, m_isCatalogStale = false;
    QElapsedTimer m_sinceCatalog;
    qint64 m_catalogReadMs = 0;  ///< how long the last read took
    BackgroundReads m_reads;  ///< last: its destructor waits for reads that touch nothing above
};

}  // namespace espalier::app
