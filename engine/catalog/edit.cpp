#include "engine/catalog/edit.h"

#include <nlohmann/json.hpp>

namespace espalier::catalog {

using nlohmann::json;

std::string changesToJson(const std::vector<FieldChange>& changes) {
    json list = json::array();
    for (const auto& change : changes)
        list.push_back({{"kind", change.kind},
                        {"id", change.id},
                        {"field", change.field},
                        {"before", change.before},
                        {"after", change.after}});
    return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<FieldChange>> changesFromJson(const std::string& text) {
    try {
        std::vector<FieldChange> changes;
        for (const auto& item : json::parse(text))
            changes.push_back({item.at("kind").get<std::string>(), item.at("id").get<std::string>(),
                               item.at("field").get<std::string>(), item.at("before").get<std::string>(),
                               item.at("after").get<std::string>()});
        return changes;
    } catch (const json::exception& trouble) {
        return fail(ErrorCode::Corrupt, "an entry of the undo journal cannot be read", "catalog", {}, trouble.what());
    }
}

std::string tagsToJson(const std::vector<std::string>& tags) {
    return json(tags).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<std::string> tagsFromJson(const std::string& text) {
    std::vector<std::string> tags;
    const auto list = json::parse(text, nullptr, false);
    if (!list.is_array()) return tags;
    for (const auto& tag : list)
        if (tag.is_string()) tags.push_back(tag.get<std::string>());
    return tags;
}

}  // namespace espalier::catalog
