#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace espalier::catalog {

/// One field of one run or data set before and after an edit. Tags are a JSON array, is_trashed is "0" or "1".
struct FieldChange {
    std::string kind;   ///< "run" or "dataset"
    std::string id;
    std::string field;  ///< "name", "tags", "note", "split", "is_trashed"
    std::string before, after;
    bool operator==(const FieldChange&) const = default;
};

/// One thing the user did, as Undo shows it: `tag 2 runs "paper"`.
struct Edit {
    std::int64_t seq = 0;  ///< given by the catalog
    std::string text;
    std::vector<FieldChange> changes;
    bool isUndone = false;
};

/// The undo journal as the text of a file, and back; what cannot be read is left out.
std::string editsToJson(const std::vector<Edit>& edits);
std::vector<Edit> editsFromJson(const std::string& text);

std::string changesToJson(const std::vector<FieldChange>& changes);
Result<std::vector<FieldChange>> changesFromJson(const std::string& text);
std::string tagsToJson(const std::vector<std::string>& tags);
std::vector<std::string> tagsFromJson(const std::string& text);

}  // namespace espalier::catalog
