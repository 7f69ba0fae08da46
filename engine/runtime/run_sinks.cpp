#include "engine/runtime/run_sinks.h"

#include <algorithm>
#include <cmath>

#include "engine/base/clock.h"
#include "engine/base/log.h"

namespace espalier::runtime {
namespace {
constexpr std::size_t kBatchPoints = 512;
constexpr double kBatchSecs = 0.020;
constexpr double kTradeoffSecs = 0.1;

bool endsWith(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}
}  // namespace

bool isLowerBetter(std::string_view series) { return endsWith(series, "loss") || endsWith(series, "ece"); }

RunSinks::RunSinks(std::string runId, feed::JobId job, std::unique_ptr<runlog::RunLogWriter> writer,
                   feed::Inbox<feed::FeedEvent>& events, feed::Inbox<feed::MetricBatch>& metrics,
                   std::map<std::string, feed::SummaryEntry> summary)
    : m_runId(std::move(runId)), m_job(job), m_writer(std::move(writer)), m_events(events), m_metrics(metrics),
      m_summary(std::move(summary)) {}

RunSinks::~RunSinks() { flushPoints(); }

double RunSinks::nowSecs() const { return runClockSecs() + m_shiftSecs; }

void RunSinks::continueAfter(double secs) { m_shiftSecs = std::max(0.0, secs - runClockSecs()); }

void RunSinks::scalar(std::string_view name, std::int64_t step, double value) {
    auto found = m_series.find(name);
    if (found == m_series.end()) {
        found = m_series.emplace(std::string(name), Series{m_writer->series(name), isLowerBetter(name)}).first;
        m_events.push(feed::SeriesAdded{m_runId, found->second.id, found->first});
    }
    auto& series = found->second;
    const double now = nowSecs();
    m_writer->scalar(series.id, step, now, value);
    updateSummary(found->first, series, step, value);
    if (m_waiting.empty()) {
        m_firstWaitingSecs = steadySecs();
        m_waiting.reserve(kBatchPoints);
    }
    m_waiting.push_back({series.id, step, now, value});
    if (m_waiting.size() >= kBatchPoints) flushPoints();
}

void RunSinks::updateSummary(const std::string& name, Series& series, std::int64_t step, double value) {
    if (!series.summary) {
        const auto [entry, isNew] = m_summary.try_emplace(name, feed::SummaryEntry{value, value, step, step});
        series.summary = &entry->second;
        if (isNew) return;
    }
    auto& summary = *series.summary;
    summary.last = value;
    summary.lastStep = step;
    const bool isBetter = series.isLowerBetter ? value < summary.best : value > summary.best;
    if (std::isfinite(value) && (isBetter || !std::isfinite(summary.best))) {
        summary.best = value;
        summary.bestStep = step;
    }
}

void RunSinks::mark(std::int64_t step, std::string_view kind, std::string_view text) {
    const feed::RunMark mark{step, nowSecs(), std::string(kind), std::string(text)};
    m_writer->mark(mark);
    flushPoints();  // a listener sees the points before the mark that speaks of them
    m_events.push(feed::RunMarked{m_runId, mark});
}

void RunSinks::warn(const Warning& warning) {
    m_writer->warning(warning);
    m_events.push(feed::RunWarned{m_runId, m_job, warning});
}

void RunSinks::array(feed::ArrayRecord record) {
    feed::ArrayStored news{m_runId, record.info.name, record.info.step, record.info.epoch};
    m_writer->array(std::move(record));
    m_events.push(std::move(news));
}

void RunSinks::artifact(const std::string& name, const std::string& path, std::int64_t bytes) {
    m_events.push(feed::ArtifactWritten{m_runId, name, path, bytes});
}

void RunSinks::knowTradeoff(const feed::TradeoffTables& logged) {
    m_logged = logged;
    for (const auto& row : logged.traces) m_lastTrace[{row.series, row.layerIx}] = row.step;
}

void RunSinks::tradeoffJob(const feed::TradeoffJob& job) {
    m_hasTradeoff = true;
    m_writer->tradeoffJob(job);
    tradeoffGrew();
}

void RunSinks::tradeoffLayer(const feed::TradeoffLayer& row) {
    const auto isSame = [&](const feed::TradeoffLayer& known) {
        return known.layerIx == row.layerIx && known.optionIx == row.optionIx && known.probeKind == row.probeKind &&
               known.method == row.method && known.wBits == row.wBits && known.aBits == row.aBits;
    };
    if (std::any_of(m_logged.layers.begin(), m_logged.layers.end(), isSame)) return;
    m_writer->tradeoffLayer(row);
    tradeoffGrew();
}

void RunSinks::tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices) {
    const auto isSame = [&](const feed::TradeoffPoint& known) { return known.pointId == point.pointId; };
    if (std::any_of(m_logged.points.begin(), m_logged.points.end(), isSame)) return;
    m_writer->tradeoffPoint(point, choices);
    m_hasTradeoffNews = true;
    m_lastTradeoffSecs = 0.0;  // a new point is shown at once
    tradeoffGrew();
}

void RunSinks::tradeoffTrace(const feed::TradeoffTrace& row) {
    const auto known = m_lastTrace.find({row.series, row.layerIx});
    if (known != m_lastTrace.end() && row.step <= known->second) return;
    m_writer->tradeoffTrace(row);
    tradeoffGrew();
}

void RunSinks::tradeoffGrew() {
    m_hasTradeoffNews = true;
    tick();
}

void RunSinks::tick() {
    const double now = steadySecs();
    if (!m_waiting.empty() && now - m_firstWaitingSecs >= kBatchSecs) flushPoints();
    if (m_hasTradeoffNews && now - m_lastTradeoffSecs >= kTradeoffSecs) {
        m_hasTradeoffNews = false;
        m_lastTradeoffSecs = now;
        m_events.push(feed::TradeoffGrew{m_runId});
    }
}

void RunSinks::flushPoints() {
    if (m_waiting.empty()) return;
    feed::MetricBatch batch{m_runId, {}};
    batch.points.swap(m_waiting);
    m_metrics.push(std::move(batch));
}

Result<void> RunSinks::flush() {
    flushPoints();
    return m_writer->flush();
}

Result<void> RunSinks::close(bool isFinal) {
    flushPoints();
    if (m_hasTradeoffNews) m_events.push(feed::TradeoffGrew{m_runId});
    m_hasTradeoffNews = false;
    return m_writer->close(isFinal);
}

std::optional<Error> RunSinks::compactionError() const { return m_writer->compactionError(); }

Result<void> RunSinks::error() const { return m_writer->error(); }

}  // namespace espalier::runtime
