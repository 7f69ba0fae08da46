#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

/// A named array of an .npz or HDF5 file, as far as guessing needs to know it.
struct MemberInfo {
    std::string name;                 ///< "x_train", "train/images"
    std::vector<std::int64_t> shape;
    bool isNumber = false, isText = false;
    std::string trouble;              ///< why it cannot be read; empty = it can
};

/// Which member holds pictures and which their labels. Indices into the list that was given.
struct MemberPair {
    std::size_t images = 0;
    std::optional<std::size_t> labels;
    std::optional<feed::Split> split;
};

struct MemberPlan {
    std::vector<MemberPair> pairs;              ///< train, valid, test order
    std::optional<std::size_t> classNames;      ///< member that names the classes
    std::vector<std::string> ignored;           ///< names of arrays that play no part
    std::vector<std::string> rivals;            ///< of these, what might be the pictures as well
};

/// By the user's names where given, else by the names people use (x/y, images/labels, x_train, train/images, …), else
/// by shape. `where` names the file.
Result<MemberPlan> guessMembers(const std::vector<MemberInfo>& members, const ImportOptions& options,
                                const std::string& where);

/// The entry of `names` that is spelled most like `wanted`; empty when none is near.
std::string nearestName(const std::string& wanted, const std::vector<std::string>& names);
/// "a, b and c", at most `limit` of them.
std::string listed(const std::vector<std::string>& names, std::size_t limit = 12);

}  // namespace espalier::intake
