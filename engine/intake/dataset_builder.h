#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/feed/dataset.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

struct BuildRequest {
    std::vector<std::filesystem::path> paths;  ///< what was dropped
    ImportOptions options;
    std::string id, name;                      ///< name empty = from the path
    bool useFolderSplits = true;
    std::array<double, 3> splitFractions{0.8, 0.1, 0.1};
    std::int64_t seed = 0;
    bool isDryRun = false;                     ///< reads and reports, stores nothing
    int threads = 0;                           ///< decoding workers; 0 = all cores
};

struct BuildProgress {
    std::string stage;  ///< "Reading files", "Looking for duplicates"
    std::int64_t done = 0, total = 0;
    double rate = 0;    ///< files a second
};

/// The whole import: sniff, read, decode on worker threads, inspect (classes, duplicates, statistics, hash), split,
/// and write `folder` (made by this call; removed again when it fails or is stopped). Layout: dataset.json, rows.bin,
/// pixels.bin or features.bin (see README.md of this room). Calls `progress` about ten times a second.
Result<feed::DatasetSummary> buildDataset(const BuildRequest& request, const std::filesystem::path& folder,
                                          const std::function<void(const BuildProgress&)>& progress,
                                          std::stop_token stop);

}  // namespace espalier::intake
