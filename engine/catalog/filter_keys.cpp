#include "engine/catalog/filter_keys.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <limits>
#include <optional>

#include "engine/feed/job_state.h"

namespace espalier::catalog {
namespace {

enum class KeyKind { Text, Number, Date, Duration, State, Tag, Dataset, Series, Param };

struct Key {
    KeyKind kind = KeyKind::Param;
    std::string sql;  ///< expression over r, or a column of summaries
    std::string name; ///< series or parameter
};

struct ColumnKey {
    std::string_view key;
    KeyKind kind;
    const char* sql;
};

// The whitelist: what is not here is a series or a parameter, whose names are bound.
constexpr std::array kColumnKeys = {
    ColumnKey{"name", KeyKind::Text, "r.name"},
    ColumnKey{"id", KeyKind::Text, "r.id"},
    ColumnKey{"recipe", KeyKind::Text, "r.recipe"},
    ColumnKey{"state", KeyKind::State, "r.state"},
    ColumnKey{"tag", KeyKind::Tag, "t.tag"},
    ColumnKey{"tags", KeyKind::Tag, "t.tag"},
    ColumnKey{"note", KeyKind::Text, "r.note"},
    ColumnKey{"dataset", KeyKind::Dataset, "r.dataset_name"},
    ColumnKey{"parent", KeyKind::Text, "r.parent_run"},
    ColumnKey{"device", KeyKind::Text, "r.device"},
    ColumnKey{"scale", KeyKind::Text, "r.scale"},
    ColumnKey{"seed", KeyKind::Number, "r.seed"},
    ColumnKey{"threads", KeyKind::Number, "r.threads"},
    ColumnKey{"params_count", KeyKind::Number, "r.params_count"},
    ColumnKey{"macs", KeyKind::Number, "r.macs"},
    ColumnKey{"bytes", KeyKind::Number, "r.bytes"},
    ColumnKey{"time", KeyKind::Duration, "r.active"},
    ColumnKey{"created", KeyKind::Date, "r.created"},
    ColumnKey{"started", KeyKind::Date, "nullif(r.started, 0)"},
    ColumnKey{"ended", KeyKind::Date, "nullif(r.ended, 0)"},
};

constexpr std::array kSeriesSuffixes = {
    std::pair<std::string_view, const char*>{".best", "s.best"},
    std::pair<std::string_view, const char*>{".last", "s.last"},
    std::pair<std::string_view, const char*>{".best_step", "s.best_step"},
    std::pair<std::string_view, const char*>{".last_step", "s.last_step"},
};

Key keyOf(std::string_view text) {
    for (const auto& column : kColumnKeys)
        if (column.key == text) return {column.kind, column.sql, {}};
    if (text.starts_with("params.")) return {KeyKind::Param, {}, std::string(text.substr(7))};
    if (text.find('/') == std::string_view::npos) return {KeyKind::Param, {}, std::string(text)};
    for (const auto& [suffix, column] : kSeriesSuffixes) {
        if (!text.ends_with(suffix)) continue;
        return {KeyKind::Series, column, std::string(text.substr(0, text.size() - suffix.size()))};
    }
    return {KeyKind::Series, "s.best", std::string(text)};
}

std::optional<double> numberOf(std::string_view text, std::string_view* rest = nullptr) {
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc()) return std::nullopt;
    const std::string_view tail(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
    if (rest)
        *rest = tail;
    else if (!tail.empty())
        return std::nullopt;
    return value;
}

/// Seconds: "90", "90s", "5m", "2h", "3d".
std::optional<double> durationOf(std::string_view text) {
    std::string_view unit;
    const auto value = numberOf(text, &unit);
    if (!value) return std::nullopt;
    if (unit.empty() || unit == "s") return *value;
    if (unit == "m") return *value * 60;
    if (unit == "h") return *value * 3600;
    if (unit == "d") return *value * 86400;
    return std::nullopt;
}

/// Unix seconds of "2026-11-24" or "2026-11-24T08:17[:12][Z]" (UTC), or of a plain number.
std::optional<double> dateOf(const std::string& text) {
    if (const auto value = numberOf(text)) return value;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3) return std::nullopt;
    std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(used));
    if (rest.ends_with('Z')) rest.remove_suffix(1);
    if (!rest.empty()) {
        const std::string clock(rest);
        int length = 0;
        if (std::sscanf(clock.c_str(), "%*1[T ]%2d:%2d%n:%2d%n", &hour, &minute, &length, &second, &length) < 2 ||
            length != static_cast<int>(clock.size()))
            return std::nullopt;
    }
    std::tm parts{};
    parts.tm_year = year - 1900;
    parts.tm_mon = month - 1;
    parts.tm_mday = day;
    parts.tm_hour = hour;
    parts.tm_min = minute;
    parts.tm_sec = second;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    return static_cast<double>(timegm(&parts));
}

/// SQL operator; "~" has none. `op` comes from the lexer, so this is a closed list.
const char* sqlOperator(const std::string& op) {
    if (op == "=") return "=";
    if (op == "!=") return "<>";
    if (op == "<") return "<";
    if (op == "<=") return "<=";
    if (op == ">") return ">";
    return ">=";
}

/// Runs for which a row of another table fits `condition`, or for which none does: one walk over a short range instead
/// of a look-up a run.
SqlPiece runsWhere(bool isNegated, const std::string& select, std::vector<SqlValue> values, SqlPiece condition) {
    values.insert(values.end(), condition.values.begin(), condition.values.end());
    return {std::string("r.num ") + (isNegated ? "NOT IN" : "IN") + " (SELECT " + select + " AND " + condition.sql + ")",
            std::move(values)};
}

SqlPiece textSql(const std::string& expression, const std::string& op, const std::string& value) {
    if (op == "~") return {"has_text(?, " + expression + ")", {value}};
    return {expression + ' ' + sqlOperator(op) + " ?", {value}};
}

Result<SqlPiece> numberSql(const Key& key, const FilterToken& keyToken, const std::string& op, const FilterToken& value) {
    if (op == "~")
        return fail(filterMistake(keyToken.position, "\"" + keyToken.text + "\" is a number, which cannot contain a text",
                                  "Use = != < <= > >="));
    const auto number = key.kind == KeyKind::Date       ? dateOf(value.text)
                        : key.kind == KeyKind::Duration ? durationOf(value.text)
                                                        : numberOf(value.text);
    if (!number) {
        const char* remedy = key.kind == KeyKind::Date       ? "Write a date as 2026-11-24 or 2026-11-24T08:17"
                             : key.kind == KeyKind::Duration ? "Write a time as 90s, 5m, 2h or 3d"
                                                             : "Write a number, for example 0.4";
        return fail(filterMistake(value.position,
                                  "\"" + keyToken.text + "\" cannot be compared with \"" + value.text + "\"", remedy));
    }
    if (key.kind != KeyKind::Series)
        return SqlPiece{"coalesce(" + key.sql + ' ' + sqlOperator(op) + " ?, ?)", {*number, std::int64_t(op == "!=")}};
    return runsWhere(op == "!=", "run FROM series_values s WHERE s.series = (SELECT num FROM series_names WHERE name = ?)",
                     {key.name}, {key.sql + ' ' + (op == "!=" ? "=" : sqlOperator(op)) + " ?", {*number}});
}

Result<SqlPiece> stateSql(const std::string& op, const FilterToken& value) {
    if (op == "~") return textSql("r.state", op, value.text);
    if (!feed::jobStateFromName(value.text)) {
        std::string names;
        for (int i = 0; i < feed::kJobStateCount; ++i)
            names += (i ? ", " : "") + std::string(feed::jobStateName(static_cast<feed::JobState>(i)));
        return fail(filterMistake(value.position, "\"" + value.text + "\" is no state", "The states are " + names));
    }
    return textSql("r.state", op, value.text);
}

SqlPiece tagSql(const std::string& op, const std::string& value) {
    const bool isNegated = op == "!=";
    if (value.empty() && (op == "=" || isNegated))  // tag = "" finds runs without tags
        return runsWhere(!isNegated, "run FROM tags t WHERE 1", {}, {"1", {}});
    return runsWhere(isNegated, "run FROM tags t WHERE 1", {}, textSql("t.tag", isNegated ? "=" : op, value));
}

SqlPiece datasetSql(const std::string& op, const std::string& value) {
    auto byName = textSql("r.dataset_name", op, value);
    const auto byId = textSql("r.dataset_id", op, value);
    byName.sql = "(" + byName.sql + (op == "!=" ? " AND " : " OR ") + byId.sql + ")";
    byName.values.insert(byName.values.end(), byId.values.begin(), byId.values.end());
    return byName;
}

/// Parameters are texts. Against a number they are compared as numbers, so lr = 0.001 finds "1e-3"; a word is then
/// neither above nor below it, only unequal. In `sortable` numbers come before all texts, and '' is the first text.
SqlPiece paramSql(const std::string& key, const std::string& op, const std::string& value) {
    const bool isNegated = op == "!=";
    const auto number = op == "~" ? std::nullopt : numberOf(value);
    auto piece = textSql("p.value", isNegated ? "=" : op, value);
    if (number && (op == "=" || isNegated)) {
        piece = {"(p.sortable = ? OR p.value = ?)", {*number, value}};
    } else if (number) {
        piece = {std::string("p.sortable ") + sqlOperator(op) + " ? AND p.sortable < ''", {*number}};
    }
    return runsWhere(isNegated, "run FROM param_values p WHERE p.key = (SELECT num FROM param_keys WHERE name = ?)", {key},
                     std::move(piece));
}

std::string ftsPrefix(const std::string& text) {
    std::string phrase = "\"";
    for (const char c : text) phrase += c == '"' ? std::string("\"\"") : std::string(1, c);
    return phrase + "\"*";
}

}  // namespace

Result<SqlPiece> compareSql(const FilterToken& key, const std::string& op, const FilterToken& value,
                            CompiledFilter& compiled) {
    const auto known = keyOf(key.text);
    switch (known.kind) {
        case KeyKind::Text: return textSql(known.sql, op, value.text);
        case KeyKind::State: return stateSql(op, value);
        case KeyKind::Tag: return tagSql(op, value.text);
        case KeyKind::Dataset: return datasetSql(op, value.text);
        case KeyKind::Param:
            compiled.paramKeys.push_back({known.name, key.position});
            return paramSql(known.name, op, value.text);
        default: return numberSql(known, key, op, value);
    }
}

SqlPiece searchSql(const std::string& text) {
    return {"(has_text(?, r.name, r.id, r.recipe, r.dataset_name, r.note) OR r.num IN (SELECT rowid FROM run_text WHERE "
            "run_text MATCH ?))",
            {text, ftsPrefix(text)}};
}

SortTerm sortTerm(std::string_view key, bool isDescending, CompiledFilter& compiled) {
    const auto known = keyOf(key);
    switch (known.kind) {
        case KeyKind::Series:
            return {"SELECT s.run, " + known.sql + " FROM series_values s WHERE s.series = (SELECT num FROM series_names WHERE name = ?)",
                    {known.name}, isDescending};
        case KeyKind::Param:
            compiled.paramKeys.push_back({known.name, 1});
            return {"SELECT run, sortable FROM param_values WHERE key = (SELECT num FROM param_keys WHERE name = ?)", {known.name},
                    isDescending};
        case KeyKind::Tag: return {"SELECT run, group_concat(tag, ' ') FROM tags GROUP BY run", {}, isDescending};
        default: return {"SELECT r.num, " + known.sql + " FROM runs r", {}, isDescending};
    }
}

}  // namespace espalier::catalog
