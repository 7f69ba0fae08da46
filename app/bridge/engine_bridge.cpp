#include "app/bridge/engine_bridge.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "engine/base/log.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using widgets::Series;
using widgets::SeriesStore;
using widgets::format::text;

namespace {

constexpr qint64 kDrainBudgetMs = 10;
constexpr int kPollMs = 1000;
constexpr std::size_t kSparkPoints = 44;
constexpr std::uint64_t kPointsWorthAPreview = 1'000'000;
constexpr int kPreviewColumns = 1400;  ///< about the pixels of a chart

std::vector<float> sparkOf(const std::vector<double>& values) {
    std::vector<float> spark;
    const std::size_t n = values.size();
    const std::size_t points = std::min(n, kSparkPoints);
    for (std::size_t i = 0; i < points; ++i)
        spark.push_back(static_cast<float>(values[points == 1 ? 0 : i * (n - 1) / (points - 1)]));
    return spark;
}

}  // namespace

/// Lets the engine thread post a wake-up without touching a bridge that is gone.
struct EngineBridge::WakeGuard {
    std::mutex mutex;
    EngineBridge* bridge = nullptr;
};

/// What one read of a run's log brings back.
struct EngineBridge::LoggedRun {
    std::vector<std::pair<QString, feed::SeriesColumns>> series;
    std::vector<feed::RunMark> marks;
    std::optional<Error> error;
};

EngineBridge::EngineBridge(runtime::Engine& engine, std::shared_ptr<runtime::Workspace> workspace, QObject* parent)
    : QObject(parent), m_engine(engine), m_workspace(std::move(workspace)), m_guard(std::make_shared<WakeGuard>()) {
    m_drainTimer.setSingleShot(true);
    m_drainTimer.setInterval(widgets::metrics::kLiveFrameMs);
    connect(&m_drainTimer, &QTimer::timeout, this, &EngineBridge::drain);
    m_pollTimer.setInterval(kPollMs);
    connect(&m_pollTimer, &QTimer::timeout, this, &EngineBridge::pollOtherProcesses);
    m_pollTimer.start();
    m_guard->bridge = this;
    const auto wakeUp = [guard = m_guard] {
        std::lock_guard lock(guard->mutex);
        if (guard->bridge) QMetaObject::invokeMethod(guard->bridge, &EngineBridge::wake, Qt::QueuedConnection);
    };
    m_engine.events().setWake(wakeUp);
    m_engine.metrics().setWake(wakeUp);
    wake();  // what was pushed before we listened
    refreshCatalog();
}

EngineBridge::~EngineBridge() {
    m_engine.events().setWake({});
    m_engine.metrics().setWake({});
    std::lock_guard lock(m_guard->mutex);
    m_guard->bridge = nullptr;
}

void EngineBridge::wake() {
    if (!m_drainTimer.isActive()) m_drainTimer.start();
}

void EngineBridge::takeInboxes() {
    // Metrics first: a series is announced before its first point, so the announcement is then in `events`.
    for (auto& batch : m_engine.metrics().drain()) m_batches.push_back(std::move(batch));
    for (auto& event : m_engine.events().drain()) m_events.push_back(std::move(event));
}

void EngineBridge::drain() {
    QElapsedTimer clock;
    clock.start();
    takeInboxes();
    while (!m_events.empty() && clock.elapsed() < kDrainBudgetMs) {
        const feed::FeedEvent event = std::move(m_events.front());
        m_events.pop_front();
        handle(event);
    }
    while (m_events.empty() && !m_batches.empty() && clock.elapsed() < kDrainBudgetMs) {
        const feed::MetricBatch batch = std::move(m_batches.front());
        m_batches.pop_front();
        appendBatch(batch);
    }
    flushTouched();
    if (!m_events.empty() || !m_batches.empty()) m_drainTimer.start();
}

void EngineBridge::drainAll() {
    takeInboxes();
    while (!m_events.empty()) {
        const feed::FeedEvent event = std::move(m_events.front());
        m_events.pop_front();
        handle(event);
    }
    for (const feed::MetricBatch& batch : std::exchange(m_batches, {})) appendBatch(batch);
    flushTouched();
}

bool EngineBridge::isSettled() const {
    return m_reads.isIdle() && !m_isReadingCatalog && m_events.empty() && m_batches.empty() && m_loading.isEmpty() && m_isCatalogRead;
}

void EngineBridge::appendBatch(const feed::MetricBatch& batch) {
    const QString run = text(batch.runId);
    auto& byId = m_seriesById[run];
    const std::span<const feed::MetricPoint> points(batch.points);
    for (std::size_t first = 0; first < points.size();) {
        std::size_t last = first + 1;
        while (last < points.size() && points[last].series == points[first].series) ++last;
        const auto span = points.subspan(first, last - first);
        if (Series* series = byId.value(points[first].series)) {
            SeriesStore::append(*series, span);
            m_touched.insert(series);
        } else {
            auto& orphans = m_orphans[run];
            orphans.insert(orphans.end(), span.begin(), span.end());
        }
        first = last;
    }
}

void EngineBridge::flushTouched() {
    for (Series* series : std::exchange(m_touched, {})) {
        if (series->name == m_runs.valueSeries() && !series->isEmpty()) {
            m_runs.setLiveValue(series->run, series->values.back());
            m_runs.setSpark(series->run, sparkOf(series->values));
        }
        Q_EMIT pointsAppended(series->run, series->name);
    }
}

void EngineBridge::handle(const feed::FeedEvent& event) {
    struct Visitor {
        EngineBridge& b;
        void operator()(const feed::JobAdded& e) {
            b.m_jobs.add(e);
            if (!e.runId.empty()) b.refreshCatalog();
            Q_EMIT b.jobAdded(e.job);
        }
        void operator()(const feed::JobMoved& e) { b.m_jobs.move(e); }
        void operator()(const feed::JobStateChanged& e) {
            b.m_jobs.setState(e);
            if (!e.runId.empty()) b.m_runs.setState(text(e.runId), e.to, text(e.sentence));
            if (feed::isFinal(e.to)) b.refreshCatalog();
            Q_EMIT b.jobStateChanged(e.job, text(e.runId));
        }
        void operator()(const feed::JobProgress& e) {
            b.m_jobs.setProgress(e);
            Q_EMIT b.jobProgress(e.job, text(e.runId));
        }
        void operator()(const feed::SeriesAdded& e) {
            const QString run = text(e.runId), name = text(e.name);
            Series& series = b.m_series.series(run, name);
            b.m_seriesById[run].insert(e.series, &series);
            auto& orphans = b.m_orphans[run];
            const auto own = std::stable_partition(orphans.begin(), orphans.end(),
                                                   [&](const auto& p) { return p.series != e.series; });
            SeriesStore::append(series, {own, orphans.end()});
            if (own != orphans.end()) b.m_touched.insert(&series);
            orphans.erase(own, orphans.end());
            Q_EMIT b.seriesAdded(run, name);
        }
        void operator()(const feed::RunMarked& e) {
            b.m_series.addMark(text(e.runId), e.mark);
            Q_EMIT b.runMarked(text(e.runId));
        }
        void operator()(const feed::RunWarned& e) {
            const JobRow* job = b.m_jobs.find(e.job);
            b.m_warnings.push_back({text(e.runId), e.job, job ? job->title : QString(), e.warning});
            b.m_jobs.addWarning(e.job);
            Q_EMIT b.warned(text(e.runId), e.job);
        }
        void operator()(const feed::ArrayStored& e) { Q_EMIT b.arrayStored(text(e.runId), text(e.name), e.step, e.epoch); }
        void operator()(const feed::TradeoffGrew& e) { Q_EMIT b.tradeoffGrew(text(e.runId)); }
        void operator()(const feed::ArtifactWritten& e) {
            Q_EMIT b.artifactWritten(text(e.runId), text(e.name), text(e.path), e.bytes);
        }
        void operator()(const feed::DatasetReady& e) {
            b.refreshCatalog();
            Q_EMIT b.datasetReady(e.job, text(e.datasetId));
        }
        void operator()(const feed::CatalogChanged&) { b.refreshCatalog(); }
    };
    std::visit(Visitor{*this}, event);
}

void EngineBridge::refreshCatalog() {
    // One read at a time: a burst of changes ends in one more read, not in a queue of them.
    if (m_isReadingCatalog) {
        m_isCatalogStale = true;
        return;
    }
    m_isReadingCatalog = true;
    struct Catalog {
        Result<std::vector<feed::RunInfo>> runs;
        Result<std::vector<feed::DatasetSummary>> datasets;
        std::int64_t counter = 0;
        qint64 readMs = 0;
    };
    m_reads.run(
        this, QStringLiteral("catalog"),
        [workspace = m_workspace] {
            QElapsedTimer clock;
            clock.start();
            const std::int64_t counter = workspace->changeCounter();
            Catalog catalog{workspace->runs(), workspace->datasets(), counter};
            catalog.readMs = clock.elapsed();
            return catalog;
        },
        [this](Catalog catalog) {
            m_isReadingCatalog = false;
            m_changeCounter = catalog.counter;
            m_catalogReadMs = catalog.readMs;
            m_sinceCatalog.start();
            for (const Error* error : {catalog.runs ? nullptr : &catalog.runs.error(),
                                       catalog.datasets ? nullptr : &catalog.datasets.error()})
                if (error) Q_EMIT failed(*error);
            if (catalog.runs && catalog.datasets) setCatalog(std::move(*catalog.runs), std::move(*catalog.datasets));
            if (std::exchange(m_isCatalogStale, false)) refreshCatalog();
        });
}

void EngineBridge::setCatalog(std::vector<feed::RunInfo> runs, std::vector<feed::DatasetSummary> datasets) {
    m_runs.setRuns(std::move(runs));
    m_datasets.setDatasets(std::move(datasets));
    m_isCatalogRead = true;
    // A run that another process trains: its row moved on, so its log grew.
    for (auto it = m_activeSecsAtLoad.begin(); it != m_activeSecsAtLoad.end(); ++it) {
        const feed::RunInfo* info = run(it.key());
        if (!info || m_jobs.findByRun(it.key()) || info->activeSecs == it.value()) continue;
        it.value() = info->activeSecs;
        m_loaded.remove(it.key());
        m_runs.dropSpark(it.key());
        m_sparksAsked.remove(it.key());
    }
    Q_EMIT catalogChanged();
}

void EngineBridge::pollOtherProcesses() {
    if (!m_reads.isIdle(this)) return;
    // A large catalog is read less often: at most a tenth of the time goes into it.
    if (m_sinceCatalog.isValid() && m_sinceCatalog.elapsed() < 10 * m_catalogReadMs) return;
    m_reads.run(
        this, QStringLiteral("counter"), [workspace = m_workspace] { return workspace->changeCounter(); },
        [this](std::int64_t counter) {
            if (counter != m_changeCounter) refreshCatalog();
        });
}

void EngineBridge::loadRun(const QString& runId) {
    if (runId.isEmpty() || m_loading.contains(runId)) return;
    if (m_loaded.contains(runId)) {
        QMetaObject::invokeMethod(this, [this, runId] { Q_EMIT runLoaded(runId); }, Qt::QueuedConnection);
        return;
    }
    m_loading.insert(runId);
    previewRun(runId);
    m_reads.run(
        this, QStringLiteral("load/") + runId,
        [workspace = m_workspace, id = runId.toStdString()] {
            LoggedRun logged;
            auto list = workspace->series(id);
            if (!list) {
                logged.error = std::move(list).error();
                return logged;
            }
            for (const feed::SeriesInfo& info : *list) {
                auto columns = workspace->readSeries(id, info.name);
                if (columns)
                    logged.series.emplace_back(text(info.name), std::move(*columns));
                else
                    logged.error = std::move(columns).error();
            }
            if (auto marks = workspace->marks(id)) logged.marks = std::move(*marks);
            return logged;
        },
        [this, runId](LoggedRun logged) { finishLoad(runId, std::move(logged)); });
}

// Reading every point of a long run takes seconds; its pyramid gives the same picture at once.
void EngineBridge::previewRun(const QString& runId) {
    m_reads.run(
        this, QStringLiteral("preview/") + runId,
        [workspace = m_workspace, id = runId.toStdString()] {
            LoggedRun logged;
            const auto list = workspace->series(id);
            if (!list) return logged;
            std::uint64_t points = 0;
            for (const feed::SeriesInfo& info : *list) points += info.count;
            if (points < kPointsWorthAPreview) return logged;
            for (const feed::SeriesInfo& info : *list)
                if (auto columns = workspace->previewSeries(id, info, kPreviewColumns))
                    logged.series.emplace_back(text(info.name), std::move(*columns));
            return logged;
        },
        [this, runId](LoggedRun logged) {
            if (logged.series.empty() || m_loaded.contains(runId) || m_seriesById.contains(runId)) return;
            for (auto& [name, columns] : logged.series) {
                Series& series = m_series.series(runId, name);
                if (series.steps.empty()) SeriesStore::mergeLogged(series, std::move(columns));
            }
            Q_EMIT runLoaded(runId);
        });
}

void EngineBridge::finishLoad(const QString& runId, LoggedRun logged) {
    m_loading.remove(runId);
    const bool isLiveHere = m_seriesById.contains(runId);
    for (auto& [name, columns] : logged.series) {
        Series& series = m_series.series(runId, name);
        if (!isLiveHere) {
            series.steps.clear();
            series.wallSecs.clear();
            series.values.clear();
        }
        SeriesStore::mergeLogged(series, std::move(columns));
    }
    if (!isLiveHere || logged.marks.size() > m_series.marks(runId).size()) m_series.setMarks(runId, std::move(logged.marks));
    const feed::RunInfo* info = run(runId);
    if (info && !feed::isFinal(info->state)) m_activeSecsAtLoad.insert(runId, info->activeSecs);
    // A run that has not started has no log: that is no failure.
    const bool hasNoLogYet = info && (info->state == feed::JobState::Queued || info->state == feed::JobState::Preparing);
    if (logged.error && !isLiveHere && !hasNoLogYet) Q_EMIT failed(*logged.error);
    m_loaded.insert(runId);
    Q_EMIT runLoaded(runId);
}

void EngineBridge::requestSpark(const QString& runId) {
    if (m_runs.hasSpark(runId) || m_sparksAsked.contains(runId)) return;
    m_sparksAsked.insert(runId);
    const QString series = m_runs.valueSeries();
    m_reads.run(
        this, QStringLiteral("spark/") + runId,
        [workspace = m_workspace, id = runId.toStdString(), name = series.toStdString()]() -> std::vector<float> {
            auto columns = workspace->readSeries(id, name);
            return columns ? sparkOf(columns->values) : std::vector<float>{};
        },
        [this, runId, series](std::vector<float> spark) {
            if (series == m_runs.valueSeries()) m_runs.setSpark(runId, std::move(spark));
        });
}

}  // namespace espalier::app
