#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace espalier::catalog {

/// One word, operator or bracket of a filter text.
struct FilterToken {
    enum class Kind { Word, Quoted, Operator, Open, Close, End };
    Kind kind = Kind::End;
    std::string text;          ///< word without quotes, or the operator
    std::size_t position = 1;  ///< 1-based byte in the filter
};

Result<std::vector<FilterToken>> filterTokens(std::string_view filter);

/// "filter, character 7: WHAT", the form of every mistake in a filter.
Error filterMistake(std::size_t position, std::string what, std::string remedy = {});

}  // namespace espalier::catalog
