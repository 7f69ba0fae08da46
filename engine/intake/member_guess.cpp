#include "engine/intake/member_guess.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "engine/intake/byte_source.h"
#include "engine/intake/names.h"

namespace espalier::intake {

namespace {

enum class Role { None, Images, Labels, ClassNames };

struct Reading {
    Role role = Role::None;
    std::optional<feed::Split> split;
    std::string family;  ///< what is left of the name: pairs need the same
};

const std::set<std::string> kImageWords{"x", "xs", "image", "images", "img", "imgs", "data", "pixels", "picture", "pictures",
                                        "features", "feature", "input", "inputs", "samples"};
const std::set<std::string> kLabelWords{"y", "ys", "label", "labels", "lbl", "target", "targets", "gt", "classes", "class", "cls"};
const std::set<std::string> kFillers{"set", "orig", "all", "arr", "array", "the", "dataset"};

std::optional<feed::Split> splitWord(const std::string& word) {
    if (word == "tr") return feed::Split::Train;
    if (word == "te") return feed::Split::Test;
    return splitOfWord(word);
}

std::vector<std::string> words(const std::string& name) {
    std::vector<std::string> found(1);
    for (std::size_t i = 0; i < name.size(); ++i) {
        const unsigned char c = static_cast<unsigned char>(name[i]);
        const bool isHump = std::isupper(c) && i && std::islower(static_cast<unsigned char>(name[i - 1]));
        if ((!std::isalnum(c) || isHump) && !found.back().empty()) found.emplace_back();
        if (std::isalnum(c)) found.back() += static_cast<char>(std::tolower(c));
    }
    if (found.back().empty()) found.pop_back();
    return found;
}

/// "xtrain", "trainy", "ytest": a split and a role without a border between.
bool splitGlued(const std::string& word, std::string& rest, std::optional<feed::Split>& split) {
    for (const char* part : {"training", "train", "validation", "valid", "val", "testing", "test"}) {
        const std::string text = part;
        if (word.size() <= text.size()) continue;
        if (word.compare(0, text.size(), text) == 0) rest = word.substr(text.size());
        else if (word.compare(word.size() - text.size(), text.size(), text) == 0) rest = word.substr(0, word.size() - text.size());
        else continue;
        if (!kImageWords.count(rest) && !kLabelWords.count(rest)) continue;
        split = splitWord(text);
        return true;
    }
    // "Xtr", "yte".
    const std::string end = word.size() == 3 ? word.substr(1) : "";
    if (end != "tr" && end != "te") return false;
    rest = word.substr(0, 1);
    split = splitWord(end);
    return kImageWords.count(rest) || kLabelWords.count(rest);
}

Reading readName(const std::string& name) {
    Reading reading;
    std::vector<std::string> rest;
    for (std::string word : words(name)) {
        std::string inner;
        if (const auto split = splitWord(word)) reading.split = split;
        else if (std::optional<feed::Split> glued; splitGlued(word, inner, glued)) reading.split = glued, rest.push_back(inner);
        else rest.push_back(word);
    }
    const auto has = [&](const std::set<std::string>& set) {
        return std::any_of(rest.begin(), rest.end(), [&](const std::string& word) { return set.count(word) > 0; });
    };
    const bool saysNames = has({"names", "name", "list"});
    if (saysNames && has({"class", "classes", "label", "labels", "target", "category", "categories"})) {
        reading.role = Role::ClassNames;
        return reading;
    }
    // The last word that means something decides: "image_labels" are labels, "label_images" pictures.
    for (const std::string& word : rest) {
        if (kLabelWords.count(word)) reading.role = Role::Labels;
        else if (kImageWords.count(word)) reading.role = Role::Images;
        else if (!kFillers.count(word)) reading.family += "/" + word;
    }
    if (rest.empty() && reading.split) reading.role = Role::Images;
    return reading;
}

bool canBeImages(const MemberInfo& member) { return member.shape.size() >= 2 && !member.isText; }

std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t corner = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            const bool same = std::tolower(static_cast<unsigned char>(a[i - 1])) == std::tolower(static_cast<unsigned char>(b[j - 1]));
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, corner + (same ? 0 : 1)});
            corner = above;
        }
    }
    return row[b.size()];
}

std::vector<std::string> namesOf(const std::vector<MemberInfo>& members) {
    std::vector<std::string> names;
    for (const MemberInfo& member : members) names.push_back(member.name);
    return names;
}

/// Names with what speaks against them: "meta (a structured type)", "ids (one number a row)".
std::vector<std::string> describedMembers(const std::vector<MemberInfo>& members) {
    std::vector<std::string> names;
    for (const MemberInfo& member : members) {
        const char* why = !member.trouble.empty() ? member.trouble.c_str()
                          : member.isText         ? "text"
                          : !member.isNumber      ? "a structured (compound), variable-length or other type"
                          : member.shape.empty()  ? "a single number"
                                                  : "one number a row";
        names.push_back(member.name + " (" + why + ")");
    }
    return names;
}

Result<std::size_t> memberNamed(const std::vector<MemberInfo>& members, std::string wanted, const std::string& where) {
    if (wanted.size() > 1 && wanted[0] == '/') wanted.erase(0, 1);
    for (std::size_t i = 0; i < members.size(); ++i)
        if (members[i].name == wanted || members[i].name + ".npy" == wanted) return i;
    const auto names = namesOf(members);
    const std::string near = nearestName(wanted, names);
    return fail(ErrorCode::NotFound, "has no member \"" + wanted + "\"; it has " + listed(names), where,
                near.empty() ? "Name one of these" : "Perhaps \"" + near + "\" is meant");
}

/// Labels that fit these images: by the name's family and split, else the only one-per-sample member.
std::optional<std::size_t> partner(const std::vector<MemberInfo>& members, const std::vector<Reading>& readings,
                                   std::size_t images, bool byShape) {
    std::optional<std::size_t> loose;
    int bestFit = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i == images || readings[i].role != Role::Labels || readings[i].split != readings[images].split) continue;
        // A list of class names ("classes") beside the labels has another length.
        const bool isAsLong = !members[i].shape.empty() && !members[images].shape.empty() && members[i].shape[0] == members[images].shape[0];
        const int fit = 1 + (readings[i].family == readings[images].family) + 2 * isAsLong;
        if (fit > bestFit) loose = i, bestFit = fit;
    }
    if (loose || !byShape || members[images].shape.empty()) return loose;
    std::vector<std::size_t> fitting;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto& shape = members[i].shape;
        const bool isList = shape.size() == 1 || (shape.size() == 2 && shape[1] == 1);
        if (i != images && readings[i].role == Role::None && isList && shape[0] == members[images].shape[0] &&
            (members[i].isNumber || members[i].isText))
            fitting.push_back(i);
    }
    return fitting.size() == 1 ? std::optional(fitting[0]) : std::nullopt;
}

std::optional<std::size_t> largestPictures(const std::vector<MemberInfo>& members, const std::vector<Reading>& readings) {
    std::optional<std::size_t> best;
    double bestValues = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (!canBeImages(members[i]) || readings[i].role == Role::Labels || readings[i].role == Role::ClassNames) continue;
        double values = 1;
        for (const std::int64_t size : members[i].shape) values *= static_cast<double>(size);
        if (best && values <= bestValues) continue;
        best = i;
        bestValues = values;
    }
    return best;
}

void orderSplits(MemberPlan& plan) {
    // "x" beside "x_test" is the training part.
    const bool anySplit = std::any_of(plan.pairs.begin(), plan.pairs.end(), [](const MemberPair& pair) { return pair.split.has_value(); });
    for (MemberPair& pair : plan.pairs)
        if (anySplit && !pair.split) pair.split = feed::Split::Train;
    std::stable_sort(plan.pairs.begin(), plan.pairs.end(), [](const MemberPair& a, const MemberPair& b) {
        return a.split.value_or(feed::Split::Train) < b.split.value_or(feed::Split::Train);
    });
}

/// Two families side by side ("left/images", "right/images") cannot both be the data.
void keepBestFamily(const std::vector<MemberInfo>& members, const std::vector<Reading>& readings, MemberPlan& plan) {
    std::map<std::string, double> weight;
    for (const MemberPair& pair : plan.pairs) {
        double values = pair.labels ? 1e18 : 1;
        for (const std::int64_t size : members[pair.images].shape) values *= static_cast<double>(std::max<std::int64_t>(size, 1));
        weight[readings[pair.images].family] += values;
    }
    if (weight.size() < 2) return;
    const auto best = std::max_element(weight.begin(), weight.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    std::erase_if(plan.pairs, [&](const MemberPair& pair) {
        const bool isOther = readings[pair.images].family != best->first;
        if (isOther && pair.labels) plan.rivals.push_back(members[pair.images].name);
        return isOther;
    });
    std::set<std::optional<feed::Split>> seen;
    std::erase_if(plan.pairs, [&](const MemberPair& pair) { return !seen.insert(pair.split).second; });
}

}  // namespace

std::string nearestName(const std::string& wanted, const std::vector<std::string>& names) {
    std::string best;
    // A slip in a short name leaves little of it: "-1" is not meant to be "a".
    std::size_t bestDistance = (wanted.size() <= 3 ? 1 : std::max<std::size_t>(2, wanted.size() / 3)) + 1;
    for (const std::string& name : names)
        if (const std::size_t d = distance(wanted, name); d < bestDistance) best = name, bestDistance = d;
    return best;
}

std::string listed(const std::vector<std::string>& names, std::size_t limit) {
    if (names.empty()) return "nothing";
    std::string text;
    const std::size_t shown = std::min(limit, names.size());
    for (std::size_t i = 0; i < shown; ++i) {
        if (i) text += i + 1 == names.size() ? " and " : ", ";
        text += "\"" + names[i] + "\"";
    }
    if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
    return text;
}

Result<MemberPlan> guessMembers(const std::vector<MemberInfo>& members, const ImportOptions& options, const std::string& where) {
    if (members.empty()) return fail(ErrorCode::BadInput, "holds no arrays: there is no data to read", where, "Check how the file was written");
    std::vector<Reading> readings;
    for (const MemberInfo& member : members) readings.push_back(readName(member.name));
    MemberPlan plan;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (readings[i].role == Role::ClassNames && members[i].isText) plan.classNames = i;

    if (!options.images.empty()) {
        ESPALIER_TRY(const std::size_t images, memberNamed(members, options.images, where));
        plan.pairs.push_back({images, options.labels.empty() ? partner(members, readings, images, true) : std::nullopt, std::nullopt});
    } else {
        for (std::size_t i = 0; i < members.size(); ++i)
            if (readings[i].role == Role::Images && (canBeImages(members[i]) || !members[i].trouble.empty()))
                plan.pairs.push_back({i, partner(members, readings, i, options.labels.empty()), readings[i].split});
        keepBestFamily(members, readings, plan);
        if (plan.pairs.empty())
            if (const auto images = largestPictures(members, readings)) {
                plan.pairs.push_back({*images, partner(members, readings, *images, true), std::nullopt});
                for (std::size_t i = 0; i < members.size(); ++i)
                    if (i != *images && i != plan.pairs[0].labels && canBeImages(members[i]) && readings[i].role == Role::None) plan.rivals.push_back(members[i].name);
            }
    }
    if (plan.pairs.empty())
        return fail(ErrorCode::BadInput, "has no member that looks like pictures or a table; it has " + listed(describedMembers(members)), where,
                    "Store pictures as (N, height, width, channels) numbers, or name the members with images and labels");
    if (!options.labels.empty()) {
        ESPALIER_TRY(const std::size_t labels, memberNamed(members, options.labels, where));
        if (plan.pairs.size() > 1) {
            std::erase_if(plan.pairs, [&](const MemberPair& pair) { return pair.split != readings[labels].split; });
            if (plan.pairs.empty()) return fail(ErrorCode::BadInput, "has no pictures that belong to \"" + options.labels + "\"", where, "Name the member with images too");
        }
        plan.pairs.front().labels = labels;
    }
    orderSplits(plan);
    for (std::size_t i = 0; i < members.size() && !plan.classNames; ++i) {
        const bool isUsed = std::any_of(plan.pairs.begin(), plan.pairs.end(), [&](const MemberPair& pair) { return pair.labels == i; });
        if (readings[i].role == Role::Labels && members[i].isText && members[i].shape.size() == 1 && !isUsed) plan.classNames = i;
    }
    std::set<std::size_t> used;
    if (plan.classNames) used.insert(*plan.classNames);
    for (const MemberPair& pair : plan.pairs) {
        used.insert(pair.images);
        if (pair.labels) used.insert(*pair.labels);
    }
    for (std::size_t i = 0; i < members.size(); ++i)
        if (!used.count(i)) plan.ignored.push_back(members[i].name);
    return plan;
}

}  // namespace espalier::intake
