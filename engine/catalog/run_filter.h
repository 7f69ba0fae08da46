#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/catalog/run_rows.h"

namespace espalier::catalog {

/// A filter text in SQL. Values are bound; keys come from a fixed list or are bound themselves.
struct CompiledFilter {
    RunQuery query;
    /// Keys that are neither columns nor series and were therefore taken as parameters, with their 1-based positions.
    struct ParamKey {
        std::string key;
        std::size_t position = 0;
    };
    std::vector<ParamKey> paramKeys;
};

/// Compiles `filter` (see README.md of this room) and `sort` ("key", "-key", several after commas). A mistake is one
/// sentence with the position of the character.
Result<CompiledFilter> compileFilter(std::string_view filter, std::string_view sort);

}  // namespace espalier::catalog
