#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/dataset.h"

namespace espalier::intake {

/// One file of a folder or archive, by its path relative to what was dropped ("train/cat/1.jpg").
struct LayoutEntry {
    std::string path;
    std::size_t index = 0;  ///< whatever the caller finds its file by
};

/// One picture with what its place says about it.
struct PlacedImage {
    std::string path;
    std::size_t index = 0;
    std::optional<std::string> label;
    std::optional<feed::Split> split;
};

/// What a table beside the pictures says of one of them.
struct TableLabel {
    std::string label;
    std::optional<feed::Split> split;
};

/// The pictures of a source in data set order, and its classes in natural order.
struct ImageLayout {
    std::vector<PlacedImage> images;
    std::vector<std::string> classes;
    Warnings warnings;  ///< empty class folders, classes that differ between splits, ignored files, …
    bool hasSplits = false;
};

/// Reads classes and splits from the folders: CLASS/…, SPLIT/CLASS/… or CLASS/SPLIT/…, with outer folders unwrapped.
/// `pictures` are files whose suffix promises a picture, `others` the rest, `folders` all folders (also empty ones);
/// system files must be left out before. `labels` (by LayoutEntry::index) takes the place of class folders. Shared by
/// image folders and archives.
ImageLayout layOutImages(std::vector<LayoutEntry> pictures, const std::vector<std::string>& others,
                         const std::vector<std::string>& folders, const std::map<std::size_t, TableLabel>* labels = nullptr);

/// Sentence about a folder or archive without pictures: names what is inside and what to do.
Error noPicturesError(const std::string& where, const std::vector<std::string>& others);

/// Sentence about a folder or archive of Python pickles; `pickle` is one of them.
Error picklesInsideError(const std::string& where, const std::string& pickle);

}  // namespace espalier::intake
