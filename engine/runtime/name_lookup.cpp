#include "engine/runtime/name_lookup.h"

#include <algorithm>
#include <cstdint>
#include <set>

namespace espalier::runtime {
namespace {

/// Levenshtein distance, given up as soon as it must exceed `limit`.
std::size_t editDistance(std::string_view a, std::string_view b, std::size_t limit) {
    const auto gap = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
    if (gap > limit) return limit + 1;
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        std::size_t least = row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
            diagonal = above;
            least = std::min(least, row[j]);
        }
        if (least > limit) return limit + 1;
    }
    return row[b.size()];
}

std::string joined(const std::vector<std::string>& items, const char* last) {
    std::string text;
    for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : i + 1 == items.size() ? last : ", ") + items[i];
    return text;
}

std::vector<std::size_t> where(const std::vector<NameCandidate>& candidates,
                               const std::function<bool(const NameCandidate&)>& fits) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < candidates.size(); ++i)
        if (fits(candidates[i])) found.push_back(i);
    return found;
}

}  // namespace

std::string nearestNamesText(std::string_view text, const std::vector<std::string>& names) {
    const auto limit = std::max<std::size_t>(2, text.size() / 3);
    std::set<std::pair<std::size_t, std::string>> near;
    for (const auto& name : names) {
        const bool isStart = text.size() >= 2 && name.starts_with(text);
        const auto distance = isStart ? 0 : editDistance(text, name, limit);
        if (distance <= limit && distance < std::max(text.size(), name.size())) near.emplace(distance, name);
    }
    std::vector<std::string> shown;
    for (const auto& [distance, name] : near)
        if (shown.size() < 3) shown.push_back('\'' + name + '\'');
    if (shown.empty()) return {};
    return (shown.size() == 1 ? "A similar name is " : "Similar names are ") + joined(shown, " and ");
}

Result<std::size_t> chooseByName(const char* kind, std::string_view text, const std::vector<NameCandidate>& candidates,
                                 const std::function<Result<std::vector<std::string>>()>& names) {
    if (text.empty()) return fail(ErrorCode::BadInput, std::string("no ") + kind + " was named", {}, "Give an id or a name");
    using Test = std::function<bool(const NameCandidate&)>;
    const Test sameId = [&](const auto& c) { return c.id == text; };
    const Test sameName = [&](const auto& c) { return c.name == text && !c.isTrashed; };
    const Test startOfId = [&](const auto& c) { return std::string_view(c.id).starts_with(text) && !c.isTrashed; };
    const Test inTrash = [&](const auto& c) { return c.name == text || std::string_view(c.id).starts_with(text); };
    for (const auto& test : {sameId, sameName, startOfId, inTrash}) {
        const auto found = where(candidates, test);
        if (found.size() == 1) return found.front();
        if (found.empty()) continue;
        std::vector<std::string> shown;
        for (const auto index : found) {
            const auto& c = candidates[index];
            if (shown.size() + 1 > kMaxCandidates) break;
            shown.push_back(c.id + " (" + c.name + (c.remark.empty() ? "" : ", " + c.remark) + ")");
        }
        const bool isCut = found.size() > kMaxCandidates;
        return fail(ErrorCode::BadInput,
                    std::string("names several ") + kind + "s: " + joined(shown, isCut ? ", " : " and ") +
                        (isCut ? " and more" : ""),
                    std::string(text), "Name one by its id");
    }
    ESPALIER_TRY(const auto all, names());
    auto remedy = nearestNamesText(text, all);
    if (remedy.empty()) remedy = std::string("List the ") + kind + "s to see their names";
    return fail(ErrorCode::NotFound, std::string("no ") + kind + " has this id or name", std::string(text), std::move(remedy));
}

}  // namespace espalier::runtime
