#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/array_record.h"
#include "engine/feed/metric_point.h"
#include "engine/feed/tradeoff.h"
#include "engine/runlog/journal.h"

namespace espalier::runlog {

struct RunLogOptions {
    std::uint64_t segmentBytes = kSegmentBytes;  ///< at which the journal goes on in another file
};

/// Writes one run's journal.esj and run.h5. Calls push into a bounded queue and return (a full queue blocks: nothing
/// is dropped); the logger thread inside owns both files, batches 250 ms or 4,096 rows, and fdatasyncs at least once a
/// second. Thread-safe. While the disk is full or refuses, everything stays in memory and is tried again each second:
/// trouble() says so and ends by itself. What follows a failure of run.h5 goes to the journal alone.
class RunLogWriter {
public:
    /// Creates the files, or opens those of an interrupted run (recovering from the journal) to append.
    static Result<std::unique_ptr<RunLogWriter>> open(const std::filesystem::path& runFolder,
                                                      const RunLogOptions& options = {});
    ~RunLogWriter();

    /// Id of a series; new names may appear at any time. The same name gives the same id, also after reopening.
    std::uint32_t series(std::string_view name);
    void scalar(std::uint32_t series, std::int64_t step, double wallSecs, double value);
    void mark(const feed::RunMark& mark);
    void warning(const Warning& warning);
    void array(feed::ArrayRecord record);  ///< info.index is given by the writer

    void tradeoffJob(const feed::TradeoffJob& job);  ///< a later one replaces it
    void tradeoffLayer(const feed::TradeoffLayer& row);
    void tradeoffPoint(const feed::TradeoffPoint& point, const std::vector<feed::TradeoffChoice>& choices);
    void tradeoffTrace(const feed::TradeoffTrace& row);

    /// Blocks until everything pushed so far is in both files and synced.
    Result<void> flush();
    /// Flushes and closes; `isFinal` compacts run.h5 to columns, pyramids and compressed arrays. A compaction that fails
    /// loses nothing (the log stays as it was, and compactRunLog() can do it later), so it is no error of close().
    Result<void> close(bool isFinal);
    /// Why close(true) did not compact the log.
    std::optional<Error> compactionError() const;
    /// First loss, or the present trouble.
    Result<void> error() const;
    struct Trouble {
        Error error;
        std::size_t waitingBytes = 0;
    };
    /// Why the log cannot be written at the moment; nothing is lost yet. Cheap when there is none.
    std::optional<Trouble> trouble() const;

private:
    struct Impl;
    explicit RunLogWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> d;
};

}  // namespace espalier::runlog
