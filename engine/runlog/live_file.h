#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "engine/runlog/h5.h"
#include "engine/runlog/log_model.h"

namespace espalier::runlog {

inline constexpr const char* kRunFileName = "run.h5";
inline constexpr const char* kVersionAttribute = "espalier_run_log";
inline constexpr std::int64_t kRunFileVersion = 2;  ///< see migration.h
inline constexpr std::size_t kArrayTypes = 4;
/// Cells of the commit counter: sequence, rows of each table, elements of each array type, spare.
inline constexpr std::size_t kCommitCells = 16;
using Commit = std::array<std::uint64_t, kCommitCells>;

const char* tableName(Table table);             ///< "events", "tradeoff/layer", …
const char* arrayDatasetName(feed::ArrayType type);  ///< "arrays/float32", …
h5::Handle eventType();
h5::Handle arrayElementType(feed::ArrayType type);
/// Data set options of the array values: chunks of about a megabyte.
h5::DatasetOptions arrayOptions(feed::ArrayType type);

/// The writing end of a live run.h5: appends, then commit() makes all of it visible to SWMR readers. After the first
/// failed call nothing in the file beyond the last commit may be trusted: drop the object. One thread.
class LiveFile {
public:
    ~LiveFile();
    static Result<std::unique_ptr<LiveFile>> create(const std::filesystem::path& path);
    /// A file that was closed in order; anything else is an error.
    static Result<std::unique_ptr<LiveFile>> reopen(const std::filesystem::path& path);

    /// From here on other processes may read, and no new objects or attributes may be made.
    Result<void> startLive();

    Result<void> addEvents(std::span<const EventRow> rows);
    void addSeries(std::string_view name);
    template <class Row>
    void addRow(Table table, const Row& row) {
        auto& stream = m_tables[std::size_t(table)];
        packRow(stream.pending, row, stream.widths, m_jobId);
        ++stream.pendingRows;
    }
    void addJob(const feed::TradeoffJob& job);
    Result<void> addArray(const feed::ArrayInfo& info, std::string_view stored);
    Result<void> commit();
    Result<void> close();
    /// Large arrays as far as they can still be read; values empty where they cannot. Also for a file whose writes or
    /// syncs have failed: what this process knows of it may be more than the disk does.
    using TakeArray = std::function<void(const feed::ArrayInfo&, const std::string& stored)>;
    void readLargeArrays(const TakeArray& take) const;

    std::uint64_t rows(Table table) const { return m_tables[std::size_t(table)].rows; }
    int descriptor() const { return h5::descriptor(m_file.get()); }

private:
    struct Stream {
        h5::Handle dataset, type;
        std::uint64_t rows = 0;
        std::vector<std::size_t> widths;
        std::string pending;
        std::uint64_t pendingRows = 0;
    };
    LiveFile() = default;
    void prepareTypes();
    Result<void> append(Stream& stream, const void* rows, std::uint64_t count);
    Result<void> noted(Result<void> result);

    h5::Handle m_file, m_commit;
    std::array<Stream, kTableCount> m_tables;
    std::array<Stream, kArrayTypes> m_arrays;
    std::uint64_t m_sequence = 0;
    bool m_isBroken = true;  ///< a write failed, or the file is not complete yet
    std::string m_jobId;
};

}  // namespace espalier::runlog
