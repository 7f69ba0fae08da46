#include "engine/catalog/run_diff.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "engine/catalog/run_rows.h"

namespace espalier::catalog {
namespace {

/// Values by key and run. Texts are kept as views into the stored JSON, which lives as long as this object.
class DiffTable {
public:
    explicit DiffTable(std::size_t runs) : m_runs(runs) { m_texts.reserve(runs); }

    void add(std::size_t run, std::string json) {
        m_texts.push_back(std::move(json));
        const auto put = [&](std::string_view key, std::string_view value) {
            auto [found, isNew] = m_rows.try_emplace(key);
            if (isNew) found->second.resize(m_runs);
            found->second[run] = value;
        };
        if (forEachPlainParam(m_texts.back(), put)) return;
        for (const auto& [key, value] : m_parsed.emplace_back(paramsFromJson(m_texts.back()))) put(key, value);
    }

    void finish(feed::RunDiff& diff) const {
        diff.paramKeys = m_rows.size();
        std::vector<const std::pair<const std::string_view, Values>*> differing;
        for (const auto& row : m_rows)
            if (std::any_of(row.second.begin(), row.second.end(), [&](const auto& value) { return value != row.second.front(); }))
                differing.push_back(&row);
        std::sort(differing.begin(), differing.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
        for (const auto* row : differing) {
            auto& made = diff.rows.emplace_back();
            made.key = row->first;
            made.values.reserve(m_runs);
            for (const auto& value : row->second)
                value ? (void)made.values.emplace_back(std::string(*value)) : (void)made.values.emplace_back();
        }
    }

private:
    using Values = std::vector<std::optional<std::string_view>>;
    std::size_t m_runs;
    std::vector<std::string> m_texts;                            // reserved: views stay valid
    std::vector<std::map<std::string, std::string>> m_parsed;    // maps keep their nodes when moved
    std::unordered_map<std::string_view, Values> m_rows;
};

}  // namespace

Result<feed::RunDiff> diffRuns(Database& database, const std::vector<std::string>& ids) {
    feed::RunDiff diff;
    diff.runIds = ids;
    DiffTable params(ids.size());
    const char* const names[] = {"seed", "recipe", "data", "device"};
    std::vector<feed::RunDiff::Row> facts;
    for (const char* name : names) facts.push_back({name, {}});
    for (std::size_t i = 0; i < ids.size(); ++i) {
        ESPALIER_TRY(auto row, database.prepare("SELECT d.params, r.seed, r.recipe, CASE r.dataset_hash WHEN '' THEN r.dataset_name "
                                                "ELSE r.dataset_hash END, r.device FROM runs r JOIN run_details d ON d.run = r.num "
                                                "WHERE r.id = ?"));
        row.bind(ids[i]);
        ESPALIER_TRY(const bool hasRow, row.step());
        if (!hasRow) return fail(ErrorCode::NotFound, "no run has this id", ids[i], "List the runs to see their ids");
        params.add(i, row.text(0));
        for (std::size_t fact = 0; fact < facts.size(); ++fact) facts[fact].values.emplace_back(row.text(static_cast<int>(fact) + 1));
    }
    params.finish(diff);
    for (auto& fact : facts)
        if (std::any_of(fact.values.begin(), fact.values.end(), [&](const auto& value) { return value != fact.values.front(); }))
            diff.rows.push_back(std::move(fact));
    return diff;
}

}  // namespace espalier::catalog
