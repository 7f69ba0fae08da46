#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/warning.h"
#include "engine/runlog/records.h"

namespace espalier::runlog {

struct PointItem {
    feed::TradeoffPoint point;
    std::vector<feed::TradeoffChoice> choices;
};
using LogItem = std::variant<feed::RunMark, Warning, feed::ArrayRecord, feed::TradeoffJob, feed::TradeoffLayer, PointItem,
                             feed::TradeoffTrace>;

/// What producers have pushed since the logger thread last looked.
struct LogBatch {
    std::vector<std::pair<std::uint32_t, std::string>> newSeries;
    std::vector<EventRow> rows;
    std::vector<LogItem> items;
    std::size_t itemBytes = 0;

    bool isEmpty() const { return newSeries.empty() && rows.empty() && items.empty(); }
    void clear() {
        newSeries.clear();
        rows.clear();
        items.clear();
        itemBytes = 0;
    }
};

}  // namespace espalier::runlog
