#pragma once

#include <array>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/bounded_queue.h"
#include "engine/intake/dataset_builder.h"
#include "engine/intake/fingerprint.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/importer.h"
#include "engine/intake/row_table.h"

namespace espalier::intake {

/// Closes a C file; a failed close is told by RowCollector::finish, not here.
struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePointer = std::unique_ptr<std::FILE, FileCloser>;

/// The builder's sink: decodes on worker threads, keeps the importer's order, and writes pixels, kept bytes and
/// features into the staging folder. The RowSink side is called by one thread; memory in flight is bounded.
class RowCollector : public RowSink {
public:
    struct Setup {
        std::filesystem::path staging;  ///< empty = dry run, nothing is written
        int threads = 0;
        std::stop_token stop;
        std::function<void(std::int64_t done, std::int64_t total)> progress;
        std::function<void(const char* name)> stage = {};
        std::uint64_t maxPixelBytes = 2'000'000'000;
        std::uint64_t maxRows = 20'000'000, maxPictures = 10'000'000;  ///< 200 bytes of memory a row of numbers, 1,000 a picture
    };
    explicit RowCollector(Setup setup);
    ~RowCollector() override;

    Result<void> encodedImage(RowMeta meta, std::string bytes, const std::filesystem::path& path) override;
    Result<void> image(RowMeta meta, feed::Image8 image) override;
    Result<void> floatImage(RowMeta meta, int width, int height, int channels, std::vector<float> values) override;
    Result<void> features(RowMeta meta, std::vector<float> values) override;
    void columns(std::vector<std::string> names) override;
    void declareClass(const std::string& name) override;
    void warn(Warning warning) override { m_warnings.push_back(std::move(warning)); }
    void progress(std::int64_t done, std::int64_t total) override;
    bool isStopped() const override { return m_setup.stop.stop_requested(); }
    void stage(const char* name) override {
        if (m_setup.stage) m_setup.stage(name);
    }
    std::filesystem::path scratchFolder() const override { return m_setup.staging; }

    /// Scales the float pictures, waits for the workers and closes the files. Call once; the fields below are then
    /// complete.
    Result<void> finish();

    /// What came in, valid after finish().
    struct Rows {
        RowTable table;                       ///< label = index into labelNames
        std::vector<Fingerprint> prints;      ///< of the pictures that can be compared
        std::vector<std::int64_t> printRows;  ///< the row of each print
        std::vector<std::string> labelNames;  ///< in order of first appearance
        std::vector<std::string> declared;
        std::vector<std::string> columns;
        Warnings warnings;
        std::size_t failedImages = 0;
        bool isTable = false;
    };
    Rows takeRows();

private:
    struct Job;
    struct Finished;
    struct FloatRow {
        RowMeta meta;
        int width, height, channels;
    };

    Result<void> push(Job job);
    void work();
    static Finished process(Job job);
    void commit(std::uint64_t sequence, Finished row);
    void writeLocked(Finished& row);
    void noteRemarkLocked(const std::string& source, ImageTrouble remark);
    void store(RowRecord& record, Finished& row);
    void appendLocked(FilePointer& file, const char* name, const void* data, std::size_t size);
    int labelId(const std::optional<std::string>& label);
    Result<void> spoolFloats(const std::vector<float>& values);
    Result<void> scaleFloats();
    void noteNonFinite(std::size_t row, std::size_t count);
    void warnOfNonFinite();
    void setFailureLocked(Error error);
    Result<void> failure();
    Result<void> checkNext(bool isTable);

    Setup m_setup;
    std::optional<bool> m_isTable;
    std::vector<std::jthread> m_workers;
    BoundedQueue<std::shared_ptr<Job>> m_queue{1024};
    std::uint64_t m_nextSequence = 0, m_taken = 0;

    std::mutex m_mutex;  ///< guards everything down to the blank line
    std::condition_variable_any m_changed;
    std::map<std::uint64_t, Finished> m_ready;
    std::uint64_t m_nextWrite = 0;
    std::int64_t m_bytesInFlight = 0;  ///< encoded or given, from push to write
    std::int64_t m_bytesReady = 0;     ///< decoded, waiting for an earlier row
    std::optional<Error> m_failure;
    Rows m_rows;
    std::map<std::string, int> m_labelIds;
    FilePointer m_pixels, m_blobs;
    std::uint64_t m_pixelBytes = 0, m_blobBytes = 0;
    Warnings m_decodeWarnings;
    std::size_t m_scaledImages = 0;

    FilePointer m_features;  ///< touched by the importer's thread only, as all below
    std::uint64_t m_featureBytes = 0;
    Warnings m_warnings;
    FilePointer m_floats;
    std::vector<FloatRow> m_floatRows;
    float m_floatMin = 0, m_floatMax = 0;
    bool m_hasFloatRange = false;
    std::size_t m_nonFiniteValues = 0;
    std::vector<std::size_t> m_nonFiniteRows;
};

}  // namespace espalier::intake
