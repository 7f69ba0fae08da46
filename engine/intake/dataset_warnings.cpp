#include "engine/intake/dataset_warnings.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

constexpr std::size_t kNamedClasses = 20;

/// "Cat" beside "cat": two classes, but rarely meant so.
void warnOfLikeNames(feed::DatasetSummary& summary) {
    std::map<std::string, std::string> seen;
    std::size_t told = 0;
    for (const auto& info : summary.classes) {
        std::string plain = lowerAscii(info.name);
        plain.erase(0, std::min(plain.find_first_not_of(' '), plain.size()));
        plain.erase(plain.find_last_not_of(' ') + 1);
        const auto [at, isNew] = seen.emplace(plain, info.name);
        if (!isNew && ++told <= kNamedClasses)
            summary.warnings.push_back({info.name, 0, "like_names",
                                        "differs from the class \"" + at->second + "\" only in case or blanks: rename one if both are the same", Outcome::Kept});
    }
}

}  // namespace

void warnOfClasses(feed::DatasetSummary& summary) {
    warnOfLikeNames(summary);
    std::size_t filled = 0, told = 0;
    for (const auto& info : summary.classes) {
        filled += info.total() > 0;
        if (info.total() == 0 && ++told <= kNamedClasses)
            summary.warnings.push_back({info.name, 0, "empty_class", "no sample of this class came in", Outcome::Kept});
    }
    if (told > kNamedClasses)
        summary.warnings.push_back({summary.source, 0, "empty_class",
                                    groupedNumber(static_cast<std::int64_t>(told - kNamedClasses)) + " more classes have no sample", Outcome::Kept});
    if (filled == 1)
        summary.warnings.push_back({summary.source, 0, "one_class", "has only one class: a classifier needs two", Outcome::Kept});
    if (summary.classes.empty()) {
        bool isNamed = false;
        for (const auto& warning : summary.warnings) isNamed = isNamed || warning.kind == "unlabelled";
        if (!isNamed)
            summary.warnings.push_back({summary.source, 0, "unlabelled", "has no labels: it can be looked at, not trained on", Outcome::Kept});
    }
}

void warnOfCopies(feed::DatasetSummary& summary, const RowTable& table) {
    const std::string what = summary.kind == "table" ? "the same values are in " : "the same picture is in ";
    std::size_t told = 0;
    for (const auto& group : summary.exactGroups) {
        std::set<int> splits, labels;
        std::string names;
        for (const auto row : group) {
            const auto& record = table.records[static_cast<std::size_t>(row)];
            splits.insert(record.split);
            if (record.label >= 0) labels.insert(record.label);
            names += (names.empty() ? "" : ", ") + displayText(table.source(record));
        }
        if (names.size() > 400) names = names.substr(0, 400) + "…";
        const std::string first(table.source(table.records[static_cast<std::size_t>(group.front())]));
        if (told >= 100) break;
        if (splits.size() > 1 && summary.splitKind == "folders") {
            summary.warnings.push_back({first, 0, "leak", what + "more than one split (a leak): " + names, Outcome::Kept});
            ++told;
        }
        if (labels.size() > 1) {
            summary.warnings.push_back({first, 0, "label_conflict", what + "more than one class: " + names, Outcome::Kept});
            ++told;
        }
    }
    if (summary.exactDuplicates > 0)
        summary.warnings.push_back({summary.source, 0, "duplicates",
                                    groupedNumber(summary.exactDuplicates) + " samples repeat an earlier one exactly", Outcome::Kept});
}

void warnOfNearLeaks(feed::DatasetSummary& summary, const RowTable& table) {
    if (summary.splitKind != "folders") return;
    std::size_t told = 0;
    for (const auto& pair : summary.nearPairs) {
        const auto &a = table.records[static_cast<std::size_t>(pair.a)], &b = table.records[static_cast<std::size_t>(pair.b)];
        if (a.split == b.split || ++told > 20) continue;
        summary.warnings.push_back({std::string(table.source(b)), 0, "near_leak",
                                    "looks like " + displayText(table.source(a)) + " of another split (a leak)", Outcome::Kept});
    }
    if (told > 20)
        summary.warnings.push_back({summary.source, 0, "near_leak",
                                    groupedNumber(static_cast<std::int64_t>(told - 20)) + " more pairs across splits look alike", Outcome::Kept});
}

}  // namespace espalier::intake
