#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/warning.h"
#include "engine/feed/job_state.h"

namespace espalier::feed {

struct SummaryEntry {
    double last = 0, best = 0;  ///< best: lowest for names that end in loss or ece, else highest
    std::int64_t bestStep = 0, lastStep = 0;
    bool operator==(const SummaryEntry&) const = default;
};

/// One row of the run table: everything that lists, filters and comparisons need.
struct RunInfo {
    std::string id, name, recipe;   ///< recipe id: "70-compact-transformers"
    JobState state = JobState::Queued;
    std::string stateDetail;        ///< the sentence of a failure
    std::string datasetId, datasetName, datasetHash;
    std::string parentRun;          ///< the run whose checkpoint it started from
    std::string device;
    int threads = 0;
    std::int64_t seed = 0;
    std::string scale;              ///< paper, desk, smoke
    std::map<std::string, std::string> params;          ///< canonical text of every parameter
    std::map<std::string, std::string> changedParams;   ///< those that differ from the scale's default
    std::map<std::string, SummaryEntry> summary;        ///< by series name
    std::vector<std::string> tags;
    std::string note;
    int colorIndex = 0;             ///< 0…7 into the run colours, for life
    double createdSecs = 0, startedSecs = 0, endedSecs = 0;
    double activeSecs = 0;          ///< time spent running, pauses left out
    std::int64_t bytesOnDisk = 0;
    std::int64_t params_count = 0, macs = 0;
    bool isTrashed = false;
    std::string folder;             ///< absolute path of runs/<id>
};

}  // namespace espalier::feed
