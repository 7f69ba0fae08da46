#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/intake/image_layout.h"
#include "engine/intake/picture_names.h"

namespace espalier::intake {

/// What a table of pictures and their classes ("labels.csv") says of the pictures it lies beside.
struct LabelTable {
    std::string path;                            ///< as in the list of other files
    std::map<std::size_t, TableLabel> labels;    ///< by LayoutEntry::index
    Warnings warnings;                           ///< missing files, missing labels, contradictions, what was guessed
};

/// By the name alone: a text table, and no list of answers to hand in ("sample_submission.csv").
bool canBeLabelTable(std::string_view path);

/// Finds the column that names pictures (by path, file name, or file name without suffix) and the one that names
/// classes; `labelColumn` names the latter. Empty when the text is no such table; an error when the column that the user
/// named is not there. Line numbers count from 1.
Result<std::optional<LabelTable>> readLabelTable(const std::string& path, std::string bytes, const PictureNames& names,
                                                 const std::string& labelColumn);

/// Layout of a source with pictures: by its folders, or by the tables among `others` where the folders make no classes
/// or the user named a label column. `readOther` gives a table's bytes.
Result<ImageLayout> layOutWithTables(std::vector<LayoutEntry> pictures, const std::vector<std::string>& others,
                                     const std::vector<std::string>& folders, const std::string& labelColumn,
                                     const std::function<Result<std::string>(const std::string& path)>& readOther);

}  // namespace espalier::intake
