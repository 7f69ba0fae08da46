#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/feed/array_record.h"
#include "engine/feed/feed_event.h"
#include "engine/feed/inbox.h"
#include "engine/feed/metric_point.h"
#include "engine/feed/run_info.h"
#include "engine/feed/tradeoff.h"
#include "engine/runlog/run_log_writer.h"

namespace espalier::runtime {

/// True when smaller is better for this series: names that end in "loss" or "ece".
bool isLowerBetter(std::string_view series);

/// Where everything that a run logs goes: journal and HDF5 through the writer, window or command line through the
/// inboxes. Points are handed over in batches: at most 512, at most about 20 ms old. Engine thread only.
class RunSinks {
public:
    RunSinks(std::string runId, feed::JobId job, std::unique_ptr<runlog::RunLogWriter> writer,
             feed::Inbox<feed::FeedEvent>& events, feed::Inbox<feed::MetricBatch>& metrics,
             std::map<std::string, feed::SummaryEntry> summary);
    ~RunSinks();

    /// A continued run goes on after `secs` even when the clock was set back since: times of a run never fall.
    void continueAfter(double secs);
    /// Seconds since the Unix epoch as this run counts them.
    double nowSecs() const;
    void scalar(std::string_view series, std::int64_t step, double value);
    void mark(std::int64_t step, std::string_view kind, std::string_view text);
    void warn(const Warning& warning);
    void array(feed::ArrayRecord record);
    void artifact(const std::string& name, const std::string& path, std::int64_t bytes);

    void tradeoffJob(const feed::TradeoffJob& job);
    void tradeoffLayer(const feed::TradeoffLayer& row);
    void tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices);
    void tradeoffTrace(const feed::TradeoffTrace& row);
    /// Rows of a continued run that are already in its log, so that a repeated stage does not append them again.
    void knowTradeoff(const feed::TradeoffTables& logged);
    const feed::TradeoffTables& loggedTradeoff() const noexcept { return m_logged; }
    bool hasTradeoff() const noexcept { return m_hasTradeoff || !m_logged.isEmpty(); }

    /// Hands over what has waited for 20 ms; call it between steps.
    void tick();
    void flushPoints();
    Result<void> flush();                ///< points, then journal and HDF5 synced
    Result<void> close(bool isFinal);
    Result<void> error() const;
    std::optional<Error> compactionError() const;  ///< of close(true); nothing is lost
    /// Why the log cannot be written at the moment. Cheap when there is no reason.
    std::optional<runlog::RunLogWriter::Trouble> logTrouble() const { return m_writer->trouble(); }

    const std::map<std::string, feed::SummaryEntry>& summary() const noexcept { return m_summary; }

private:
    struct Series {
        std::uint32_t id = 0;
        bool isLowerBetter = false;
        feed::SummaryEntry* summary = nullptr;  ///< in m_summary, once there is a point
    };
    void updateSummary(const std::string& name, Series& series, std::int64_t step, double value);
    void tradeoffGrew();

    std::string m_runId;
    double m_shiftSecs = 0.0;  ///< added to the clock
    feed::JobId m_job;
    std::unique_ptr<runlog::RunLogWriter> m_writer;
    feed::Inbox<feed::FeedEvent>& m_events;
    feed::Inbox<feed::MetricBatch>& m_metrics;
    std::map<std::string, Series, std::less<>> m_series;
    std::map<std::string, feed::SummaryEntry> m_summary;
    std::vector<feed::MetricPoint> m_waiting;
    double m_firstWaitingSecs = 0.0, m_lastTradeoffSecs = 0.0;
    bool m_hasTradeoffNews = false, m_hasTradeoff = false;
    feed::TradeoffTables m_logged;
    std::map<std::pair<std::string, int>, std::int64_t> m_lastTrace;  ///< by series and layer
};

}  // namespace espalier::runtime
