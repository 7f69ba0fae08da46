#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace espalier::runtime {

inline constexpr int kMaxCandidates = 6;

/// Something that a text may mean: its id starts with the text, or it has that name.
struct NameCandidate {
    std::string id, name;
    bool isTrashed = false;
    std::string remark;  ///< shown behind the name when there are several: state or format
};

/// Index of the one candidate meant by `text`: exact id, else exact name, else start of an id; what lies in the trash
/// only counts when nothing else fits. Several: an error that lists them. None: an error with the nearest of `names`.
Result<std::size_t> chooseByName(const char* kind, std::string_view text, const std::vector<NameCandidate>& candidates,
                                 const std::function<Result<std::vector<std::string>>()>& names);

/// "Similar names are 'a', 'b' and 'c'", or an empty text when nothing is near.
std::string nearestNamesText(std::string_view text, const std::vector<std::string>& names);

}  // namespace espalier::runtime
