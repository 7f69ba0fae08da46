#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/feed/metric_point.h"
#include "engine/feed/tradeoff.h"
#include "engine/runlog/records.h"

namespace espalier::runlog {

/// The tables of a live run.h5, in the order of the commit counter's cells.
enum class Table { Events, Series, Marks, Warnings, Arrays, Job, Layer, Point, Choice, Trace };
inline constexpr std::size_t kTableCount = 10;

/// Summary of a series with nothing in it yet.
feed::SeriesInfo emptySeries(std::uint32_t id, std::string name);
void addPoint(feed::SeriesInfo& info, std::int64_t step, double value);

struct ArrayEntry {
    feed::ArrayInfo info;
    bool isInline = false;            ///< values are in the journal at `journalOffset`
    std::uint64_t journalOffset = 0;
};

/// What the records of a journal add up to. Plain; not thread-safe.
struct LogModel {
    bool keepsPoints = true;  ///< false: summaries only, for recovery and compaction
    std::vector<feed::SeriesInfo> series;
    std::vector<feed::SeriesColumns> columns;
    std::vector<feed::RunMark> marks;
    Warnings warnings;
    std::vector<ArrayEntry> arrays;
    feed::TradeoffTables tradeoff;
    std::array<std::uint64_t, kTableCount> counts{};  ///< rows that a live run.h5 of this journal has
    std::uint64_t nextArray = 0;
    bool isClosed = false;  ///< the last session ended in order

    /// Takes one journal record; a payload that does not decode is Corrupt.
    Result<void> apply(RecordType type, std::string_view payload, std::uint64_t payloadOffset);
    void addSeries(std::uint32_t id, std::string name);
    void addEvents(std::string_view rows);
    void addTradeoffPoint(feed::TradeoffPoint point);
    void addTradeoffChoice(feed::TradeoffChoice choice);
};

}  // namespace espalier::runlog
