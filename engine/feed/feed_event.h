#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/dataset.h"
#include "engine/feed/job_state.h"
#include "engine/feed/metric_point.h"

/// What the engine tells its listeners, in order and without loss. Plain values only.
namespace espalier::feed {

struct JobAdded {
    JobId job = 0;
    std::string runId;      ///< empty for imports
    std::string datasetId;  ///< imports: known once it ends
    std::string title;      ///< "cct7-3x1-F-s1" or "Import cifar10-jpeg"
    std::string kind;       ///< "train", "quantize", "import"
    int place = 0;          ///< position in the queue, 0 = next
};
struct JobMoved {
    JobId job = 0;
    int place = 0;
};
struct JobStateChanged {
    JobId job = 0;
    std::string runId;
    JobState from = JobState::Queued, to = JobState::Queued;
    std::string sentence;  ///< why, for Failed
    Error error;           ///< the same in parts; only for Failed
};
struct JobProgress {
    JobId job = 0;
    std::string runId;
    std::string stage;  ///< "Train, epoch 3 of 10"
    std::int64_t done = 0, total = 0;
    double rate = 0;  ///< items a second
    std::string rateUnit;  ///< "img/s", "files/s"
    double secsLeft = -1;  ///< −1 unknown
};
struct SeriesAdded {
    std::string runId;
    std::uint32_t series = 0;
    std::string name;
};
struct RunMarked {
    std::string runId;
    RunMark mark;
};
struct RunWarned {
    std::string runId;  ///< empty for imports
    JobId job = 0;
    Warning warning;
};
/// New arrays (attention maps, histograms) of this name can be read from the run.
struct ArrayStored {
    std::string runId, name;
    std::int64_t step = 0, epoch = -1;
};
/// The trade-off tables of this run grew; read them again.
struct TradeoffGrew {
    std::string runId;
};
struct ArtifactWritten {
    std::string runId, name, path;
    std::int64_t bytes = 0;
};
struct DatasetReady {
    JobId job = 0;
    std::string datasetId;  ///< empty after a dry run
    std::shared_ptr<const DatasetSummary> summary;
};
/// Rows of the catalog changed (also by another process); ids may be empty = read all again.
struct CatalogChanged {
    std::vector<std::string> runIds, datasetIds;
};

using FeedEvent = std::variant<JobAdded, JobMoved, JobStateChanged, JobProgress, SeriesAdded, RunMarked, RunWarned,
                               ArrayStored, TradeoffGrew, ArtifactWritten, DatasetReady, CatalogChanged>;

}  // namespace espalier::feed
