#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/intake/image_layout.h"

namespace espalier::intake {

/// The pictures of a source by all the ways in which a table may name them: path, file name, either without its suffix;
/// case aside where nothing fits exactly. Holds a reference to the pictures.
class PictureNames {
public:
    explicit PictureNames(const std::vector<LayoutEntry>& pictures);

    /// Where the asking table lies: its folder (with '/') and what split its own name says.
    struct Place {
        explicit Place(std::string_view tablePath);
        std::string folder;
        std::optional<feed::Split> split;
    };
    /// Position among the pictures; empty when none or several fit.
    std::optional<std::size_t> find(std::string_view cell, const Place& place) const;
    std::size_t count() const { return m_pictures.size(); }
    const LayoutEntry& picture(std::size_t position) const { return m_pictures[position]; }

private:
    void add(const std::string& key, std::size_t picture);
    std::optional<std::size_t> one(const std::string& key, bool isExact, const Place& place) const;

    const std::vector<LayoutEntry>& m_pictures;
    std::map<std::string, std::vector<std::size_t>> m_exact, m_lower;  ///< file names alone with a '/' in front
};

/// "a/b.png" is "a/b"; names that are all suffix stay.
std::string_view withoutSuffix(std::string_view path);

}  // namespace espalier::intake
