#pragma once

#include <string>
#include <vector>

#include "engine/api/params.h"

namespace espalier::api {

/// The paper's own number, to hold a run against.
struct PaperClaim {
    std::string dataset;   ///< "CIFAR-10"
    std::string metric;    ///< series name it compares with: "test/top1"
    std::string label;     ///< "CIFAR-10 top-1"
    double value = 0.0;    ///< in the unit of the series (fraction)
    std::string setting;   ///< "CCT-7/3x1, 300 epochs"
    std::string source;    ///< "table 2" or "README"
};

enum class DatasetKind { Images, Table, Text };

/// Everything about a recipe that can be known without running it. Plain data: the window shows it, tests read it.
struct RecipeCard {
    std::string id;         ///< "70-compact-transformers"
    std::string name;       ///< "CompactTransformers"
    std::string title;      ///< of the paper
    int year = 0;
    std::string paperLink;  ///< "arXiv 2104.05704"
    std::string codeLink;
    std::string version = "1";
    std::string about;      ///< two or three sentences
    std::vector<std::string> kinds;    ///< first one decides the plugin folder: "pretrain", "quantize", …
    std::vector<std::string> domains;  ///< "image", "text"
    ParamSchema schema;
    std::vector<DatasetKind> accepts;
    bool needsParentRun = false;       ///< quantizers start from a finished run or weights
    std::vector<std::string> parentKinds;  ///< kinds of recipes it can start from
    std::vector<std::string> outputs;  ///< series and arrays it may write, '*' as wildcard: "valid/attn_dist_*"
    std::vector<PaperClaim> claims;
    std::vector<std::string> deviations;  ///< from the paper; may be empty
    std::string deskTime;              ///< "1:40" measured on two cores
    std::vector<std::string> conformanceExclusions;  ///< "reason: …"
};

/// What a set of parameters would cost, computed without training.
struct Forecast {
    std::int64_t params = 0;
    std::int64_t macsPerItem = 0;
    std::int64_t bytesActivations = 0;  ///< estimate for one batch
    std::int64_t steps = 0;             ///< optimizer steps of the whole run
    std::int64_t items = 0;             ///< samples seen
    std::string modelText;              ///< "7 layers, 256 wide, 4 heads"
};

}  // namespace espalier::api
