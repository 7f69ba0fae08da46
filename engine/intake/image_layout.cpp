#include "engine/intake/image_layout.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/intake/image_probe.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

constexpr std::size_t kMaxNamedFiles = 20;

std::string_view firstPart(std::string_view path) { return path.substr(0, path.find('/')); }
bool hasFolder(std::string_view path) { return path.find('/') != std::string_view::npos; }
std::string_view afterFirst(std::string_view path) {
    const std::size_t cut = path.find('/');
    return cut == std::string_view::npos ? std::string_view() : path.substr(cut + 1);
}

/// Pictures below one prefix, seen as paths relative to it.
struct Tree {
    std::string_view prefix;  ///< left out at the front of every path; pictures elsewhere count as loose
    const std::vector<LayoutEntry>& pictures;

    std::string_view relative(const LayoutEntry& entry) const {
        const std::string_view path = entry.path;
        return path.substr(0, prefix.size()) == prefix ? path.substr(prefix.size()) : fileNameOf(path);
    }
    bool hasLoosePictures() const {
        return std::any_of(pictures.begin(), pictures.end(), [&](const auto& p) { return !hasFolder(relative(p)); });
    }
    std::set<std::string_view> topFolders() const {
        std::set<std::string_view> names;
        for (const LayoutEntry& entry : pictures)
            if (hasFolder(relative(entry))) names.insert(firstPart(relative(entry)));
        return names;
    }
};

/// Goes into outer folders that hold everything: "animals_v2/cat/1.jpg" starts at "cat". Stops before the last folder,
/// which is a class. A picture beside the outer folder (a preview, a cover) does not make that folder a class when
/// two or more folders lie in it.
std::string unwrappedPrefix(const std::vector<LayoutEntry>& pictures) {
    std::string prefix;
    for (;;) {
        const Tree tree{prefix, pictures};
        const auto tops = tree.topFolders();
        if (tops.size() != 1) return prefix;
        std::string deeper = prefix + std::string(*tops.begin()) + "/";
        const auto isLooseBelow = [&](const LayoutEntry& entry) {
            return entry.path.compare(0, deeper.size(), deeper) == 0 && entry.path.find('/', deeper.size()) == std::string::npos;
        };
        if (std::any_of(pictures.begin(), pictures.end(), isLooseBelow)) return prefix;
        if (tree.hasLoosePictures() && Tree{deeper, pictures}.topFolders().size() < 2) return prefix;
        prefix = std::move(deeper);
    }
}

enum class Shape { Classes, SplitsThenClasses, ClassesThenSplits };

/// "train" and "test" with class folders below are splits also when another folder ("extra", "unlabeled") lies beside
/// them; its pictures belong to no split. A class that is merely called "train" has pictures, not folders.
bool hasTrainAndTest(const Tree& tree, const std::set<std::string_view>& tops) {
    std::set<feed::Split> splits;
    for (const std::string_view top : tops)
        if (const auto split = splitFromName(top)) splits.insert(*split);
    if (splits.size() < 2 || !splits.count(feed::Split::Train)) return false;
    return std::all_of(tree.pictures.begin(), tree.pictures.end(), [&](const LayoutEntry& entry) {
        const std::string_view relative = tree.relative(entry);
        const auto split = splitFromName(firstPart(relative));
        return !hasFolder(relative) || split != feed::Split::Train || hasFolder(afterFirst(relative));
    });
}

Shape shapeOf(const Tree& tree) {
    const auto tops = tree.topFolders();
    const auto isSplit = [](std::string_view name) { return splitFromName(name).has_value(); };
    if (tops.size() >= 2 && std::all_of(tops.begin(), tops.end(), isSplit)) return Shape::SplitsThenClasses;
    if (hasTrainAndTest(tree, tops)) return Shape::SplitsThenClasses;
    bool allBelowAreSplits = !tops.empty();
    for (const LayoutEntry& entry : tree.pictures) {
        if (!hasFolder(tree.relative(entry))) continue;  // a picture beside the class folders decides nothing
        const std::string_view rest = afterFirst(tree.relative(entry));
        if (!hasFolder(rest) || !isSplit(firstPart(rest))) allBelowAreSplits = false;
    }
    return allBelowAreSplits ? Shape::ClassesThenSplits : Shape::Classes;
}

PlacedImage place(const LayoutEntry& entry, std::string_view relative, Shape shape) {
    PlacedImage image{entry.path, entry.index, std::nullopt, std::nullopt};
    if (shape == Shape::SplitsThenClasses && hasFolder(relative)) {
        image.split = splitFromName(firstPart(relative));
        if (!image.split) return image;
        relative = afterFirst(relative);
    }
    if (!hasFolder(relative)) return image;
    image.label = normalizedName(firstPart(relative));
    if (shape == Shape::ClassesThenSplits) image.split = splitFromName(firstPart(afterFirst(relative)));
    return image;
}

Warning note(std::string file, std::string kind, std::string detail, Outcome outcome) {
    return {std::move(file), 0, std::move(kind), std::move(detail), outcome};
}

/// Folders where a class would be that hold no picture. Only the outermost is named.
void warnOfEmptyFolders(ImageLayout& layout, const std::vector<std::string>& folders,
                        const std::string& prefix, Shape shape) {
    std::set<std::string_view> filled;
    for (const PlacedImage& image : layout.images)
        for (std::size_t cut = image.path.find('/'); cut != std::string::npos; cut = image.path.find('/', cut + 1))
            filled.insert(std::string_view(image.path).substr(0, cut));
    for (const std::string& folder : folders) {
        if (filled.count(folder) || folder.size() <= prefix.size() || folder.compare(0, prefix.size(), prefix) != 0) continue;
        const auto depth = std::count(folder.begin() + static_cast<std::ptrdiff_t>(prefix.size()), folder.end(), '/');
        const bool isClassPlace = depth == 0 || (depth == 1 && shape == Shape::SplitsThenClasses);
        const std::size_t cut = folder.rfind('/');
        const bool isParentFilled = cut == std::string::npos || cut < prefix.size() || filled.count(std::string_view(folder).substr(0, cut));
        if (!isClassPlace || !isParentFilled) continue;
        layout.warnings.push_back(
            note(folder, "empty_class", "the folder holds no picture, so it makes no class", Outcome::Ignored));
    }
}

void warnOfClassMismatch(ImageLayout& layout) {
    std::map<std::string, std::set<feed::Split>> splitsOf;
    std::set<feed::Split> splits;
    for (const PlacedImage& image : layout.images) {
        if (!image.split) continue;
        splits.insert(*image.split);
        if (image.label) splitsOf[*image.label].insert(*image.split);
    }
    if (splits.size() < 2) return;
    for (const auto& [name, in] : splitsOf) {
        if (in.size() == splits.size()) continue;
        std::string present, missing;
        for (const feed::Split split : splits) {
            std::string& list = in.count(split) ? present : missing;
            list += (list.empty() ? "" : " and ") + std::string(splitName(split));
        }
        layout.warnings.push_back(note(name, "class_mismatch",
                                       "the class is only in " + present + ", " + missing + " has no picture of it",
                                       Outcome::Kept));
    }
}

void warnOfOthers(ImageLayout& layout, const std::vector<std::string>& others) {
    for (std::size_t i = 0; i < others.size() && i < kMaxNamedFiles; ++i)
        layout.warnings.push_back(isForeignImageSuffix(suffixOf(others[i]))
                                      ? note(others[i], "unsupported_image", "is a picture of a kind that is not read: save it as JPEG or PNG", Outcome::Skipped)
                                      : note(others[i], "not_an_image", "is no picture and was left out", Outcome::Ignored));
    if (others.size() > kMaxNamedFiles)
        layout.warnings.push_back(note({}, "not_an_image",
                                       groupedNumber(static_cast<std::int64_t>(others.size() - kMaxNamedFiles)) +
                                           " more files are no pictures and were left out",
                                       Outcome::Ignored));
}

/// Pictures outside class folders: unlabelled when there are no classes at all, else left out, because a training
/// set in which some rows have no label cannot be used.
void handleUnlabelled(ImageLayout& layout, bool isByTable) {
    const auto isLoose = [](const PlacedImage& image) { return !image.label; };
    const auto loose = std::count_if(layout.images.begin(), layout.images.end(), isLoose);
    if (loose == 0) return;
    if (loose == static_cast<std::ptrdiff_t>(layout.images.size())) {
        layout.warnings.push_back(note({}, "unlabelled",
                                       "the pictures lie in no class folders and come in without labels; make one folder "
                                       "a class for training",
                                       Outcome::Kept));
        return;
    }
    std::size_t named = 0;
    for (const PlacedImage& image : layout.images)
        if (isLoose(image) && named++ < kMaxNamedFiles)
            layout.warnings.push_back(note(image.path, isByTable ? "no_label" : "no_class",
                                           isByTable                            ? "has no label in the table and was left out"
                                           : layout.hasSplits && !image.split ? "lies in no folder of train, valid or test and was left out"
                                                                                : "lies in no class folder and was left out",
                                           Outcome::Skipped));
    if (named > kMaxNamedFiles)
        layout.warnings.push_back(note({}, isByTable ? "no_label" : "no_class",
                                       groupedNumber(static_cast<std::int64_t>(named - kMaxNamedFiles)) +
                                           (isByTable ? " more pictures have no label in the table and were left out"
                                                      : " more pictures lie in no class folder and were left out"),
                                       Outcome::Skipped));
    std::erase_if(layout.images, isLoose);
}

/// Labels of a table in place of those of the folders.
void applyLabels(ImageLayout& layout, const std::map<std::size_t, TableLabel>& labels) {
    std::set<std::optional<feed::Split>> splits;
    for (PlacedImage& image : layout.images) {
        const auto found = labels.find(image.index);
        image.label = found == labels.end() ? std::nullopt : std::optional(found->second.label);
        if (!image.label) continue;
        if (found->second.split) image.split = found->second.split;
        splits.insert(image.split);
    }
    // A single folder of labelled pictures ("train" beside a "test" without labels) is dealt like any other.
    if (splits.size() == 1)
        for (PlacedImage& image : layout.images) image.split.reset();
    layout.hasSplits = splits.size() > 1;
}

}  // namespace

ImageLayout layOutImages(std::vector<LayoutEntry> pictures, const std::vector<std::string>& others,
                         const std::vector<std::string>& folders, const std::map<std::size_t, TableLabel>* labels) {
    ImageLayout layout;
    const std::string prefix = unwrappedPrefix(pictures);
    const Tree tree{prefix, pictures};
    const Shape shape = shapeOf(tree);
    layout.hasSplits = shape != Shape::Classes;
    std::set<std::string> classes;
    for (const LayoutEntry& entry : pictures) layout.images.push_back(place(entry, tree.relative(entry), shape));
    if (labels) applyLabels(layout, *labels);
    for (const PlacedImage& image : layout.images)
        if (image.label) classes.insert(*image.label);
    std::sort(layout.images.begin(), layout.images.end(), [](const PlacedImage& a, const PlacedImage& b) {
        if (a.split != b.split) return a.split < b.split;
        return naturalPathLess(a.path, b.path);
    });
    layout.classes.assign(classes.begin(), classes.end());
    std::sort(layout.classes.begin(), layout.classes.end(), naturalLess);
    if (!labels) warnOfEmptyFolders(layout, folders, prefix, shape);
    handleUnlabelled(layout, labels != nullptr);
    warnOfClassMismatch(layout);
    warnOfOthers(layout, others);
    return layout;
}

Error noPicturesError(const std::string& where, const std::vector<std::string>& others) {
    Error error{ErrorCode::BadInput, "holds no pictures", where,
                "Drop a folder with one sub-folder of pictures for each class", {}};
    if (others.empty()) {
        error.what = "is empty or holds only system files: there are no pictures in it";
        return error;
    }
    static constexpr std::array<const char*, 13> kData{"npz", "npy", "h5", "hdf5", "csv", "tsv", "zip", "tar", "gz", "zst", "7z", "tgz", "bin"};
    for (const std::string& other : others) {
        const std::string suffix = suffixOf(other);
        if (std::none_of(kData.begin(), kData.end(), [&](const char* known) { return suffix == known; }) &&
            !other.ends_with("-ubyte"))
            continue;
        error.what = "holds no pictures, but the data file " + displayText(other);
        error.remedy = "Drop that file itself, unpacked";
        return error;
    }
    const auto isForeign = [](const std::string& other) { return isForeignImageSuffix(suffixOf(other)); };
    if (const auto foreign = std::find_if(others.begin(), others.end(), isForeign); foreign != others.end()) {
        error.what = "holds only pictures of kinds that are not read, such as " + displayText(*foreign);
        error.remedy = "Save them as JPEG or PNG";
        return error;
    }
    error.what += others.size() == 1 ? ", only " + displayText(others.front())
                                     : " (" + groupedNumber(static_cast<std::int64_t>(others.size())) +
                                           " other files, the first is " + displayText(others.front()) + ")";
    return error;
}

Error picklesInsideError(const std::string& where, const std::string& pickle) {
    return Error{ErrorCode::Unsupported,
                 "holds Python pickles (" + displayText(pickle) + "), which can run any program and are never opened", where,
                 "Take the binary version of the data set, or save it as .npz", {}};
}

}  // namespace espalier::intake
