#include "engine/intake/picture_names.h"

#include <algorithm>

#include "engine/intake/names.h"

namespace espalier::intake {


std::string_view withoutSuffix(std::string_view path) {
    const std::size_t dot = path.rfind('.'), slash = path.rfind('/');
    const bool isInName = dot != std::string_view::npos && dot > 0 && (slash == std::string_view::npos || dot > slash + 1);
    return isInName ? path.substr(0, dot) : path;
}

PictureNames::Place::Place(std::string_view tablePath) : split(splitFromName(withoutSuffix(fileNameOf(tablePath)))) {
    const std::size_t slash = tablePath.rfind('/');
    if (slash != std::string_view::npos) folder = normalizedName(tablePath.substr(0, slash + 1));
}

PictureNames::PictureNames(const std::vector<LayoutEntry>& pictures) : m_pictures(pictures) {
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const std::string path = normalizedName(pictures[i].path);
        add(path, i);
        add(std::string(withoutSuffix(path)), i);
        add(std::string("/").append(fileNameOf(path)), i);
        add(std::string("/").append(withoutSuffix(fileNameOf(path))), i);
    }
}

void PictureNames::add(const std::string& key, std::size_t picture) {
    for (auto* list : {&m_exact[key], &m_lower[lowerAscii(key)]})
        if (list->empty() || list->back() != picture) list->push_back(picture);
}

std::optional<std::size_t> PictureNames::find(std::string_view cell, const Place& place) const {
    std::string name = normalizedName(trimmedCell(cell));
    std::replace(name.begin(), name.end(), '\\', '/');
    while (name.rfind("./", 0) == 0) name.erase(0, 2);
    if (name.empty()) return std::nullopt;
    const std::string file = "/" + std::string(fileNameOf(name));
    for (const std::string& key : {name, place.folder + name, file})
        for (const bool isExact : {true, false})
            if (const auto found = one(key, isExact, place)) return found;
    return std::nullopt;
}

std::optional<std::size_t> PictureNames::one(const std::string& key, bool isExact, const Place& place) const {
    const auto& map = isExact ? m_exact : m_lower;
    const auto found = map.find(isExact ? key : lowerAscii(key));
    if (found == map.end()) return std::nullopt;
    if (found->second.size() == 1) return found->second.front();
    // "train.csv" means the pictures of the folder "train".
    std::optional<std::size_t> own;
    for (const std::size_t picture : found->second) {
        const std::string_view path = m_pictures[picture].path;
        const std::size_t slash = path.rfind('/');
        if (!place.split || slash == std::string_view::npos || splitFromName(fileNameOf(path.substr(0, slash))) != place.split) continue;
        if (own) return std::nullopt;
        own = picture;
    }
    return own;
}

}  // namespace espalier::intake
