#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace espalier::feed {

/// Only what differs between some runs: parameters in the order of their keys, then seed, recipe, data and device.
struct RunDiff {
    struct Row {
        std::string key;
        std::vector<std::optional<std::string>> values;  ///< by run; empty where the run has no such parameter
    };
    std::vector<std::string> runIds;
    std::vector<Row> rows;
    std::size_t paramKeys = 0;  ///< different parameter keys of these runs, equal ones counted too
};

}  // namespace espalier::feed
