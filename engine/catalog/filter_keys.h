#pragma once

#include <string>
#include <string_view>

#include "engine/catalog/filter_lexer.h"
#include "engine/catalog/run_filter.h"

namespace espalier::catalog {

/// A piece of SQL with the values for its question marks, in order.
struct SqlPiece {
    std::string sql;
    std::vector<SqlValue> values;
};

/// `key op value` as SQL that is 0 or 1, never NULL. A run without the series or parameter fits != only.
Result<SqlPiece> compareSql(const FilterToken& key, const std::string& op, const FilterToken& value,
                            CompiledFilter& compiled);
/// Text that must stand somewhere in name, id, recipe, data set, note, tags or parameters.
SqlPiece searchSql(const std::string& text);
SortTerm sortTerm(std::string_view key, bool isDescending, CompiledFilter& compiled);

}  // namespace espalier::catalog
