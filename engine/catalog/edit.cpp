#include "engine/catalog/edit.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace espalier::catalog {

using nlohmann::json;

namespace {

json listOf(const std::vector<FieldChange>& changes) {
    json list = json::array();
    for (const auto& change : changes)
        list.push_back({{"kind", change.kind},
                        {"id", change.id},
                        {"field", change.field},
                        {"before", change.before},
                        {"after", change.after}});
    return list;
}

std::vector<FieldChange> changesOf(const json& list) {
    std::vector<FieldChange> changes;
    for (const auto& item : list)
        changes.push_back({item.at("kind").get<std::string>(), item.at("id").get<std::string>(), item.at("field").get<std::string>(),
                           item.at("before").get<std::string>(), item.at("after").get<std::string>()});
    return changes;
}

}  // namespace

std::string changesToJson(const std::vector<FieldChange>& changes) {
    return listOf(changes).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::vector<FieldChange>> changesFromJson(const std::string& text) {
    try {
        return changesOf(json::parse(text));
    } catch (const json::exception& trouble) {
        return fail(ErrorCode::Corrupt, "an entry of the undo journal cannot be read", "catalog", {}, trouble.what());
    }
}

std::string editsToJson(const std::vector<Edit>& edits) {
    json list = json::array();
    for (const auto& edit : edits)
        list.push_back({{"seq", edit.seq}, {"text", edit.text}, {"is_undone", edit.isUndone}, {"changes", listOf(edit.changes)}});
    return json{{"edits", std::move(list)}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::vector<Edit> editsFromJson(const std::string& text) {
    std::vector<Edit> edits;
    const auto document = json::parse(text, nullptr, false);
    if (!document.is_object() || !document.contains("edits") || !document["edits"].is_array()) return edits;
    for (const auto& item : document["edits"]) {
        try {
            edits.push_back({item.at("seq").get<std::int64_t>(), item.at("text").get<std::string>(), changesOf(item.at("changes")),
                             item.at("is_undone").get<bool>()});
        } catch (const json::exception&) {
            continue;
        }
    }
    std::sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) { return a.seq < b.seq; });
    edits.erase(std::unique(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) { return a.seq == b.seq; }), edits.end());
    return edits;
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
