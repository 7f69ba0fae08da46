// layOutWithTables of label_table.h: which tables count, and their labels put to the pictures.
#include <algorithm>
#include <cctype>
#include <set>

#include "engine/intake/label_table.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

const std::vector<LayoutEntry> kNoPictures;
constexpr std::size_t kMaxTables = 20;

/// A text file beside every picture (as detection sets have) is no table of all of them.
std::vector<std::string> candidates(const std::vector<std::string>& others) {
    std::vector<std::string> tables;
    std::copy_if(others.begin(), others.end(), std::back_inserter(tables), canBeLabelTable);
    if (tables.size() > kMaxTables) std::erase_if(tables, [](const std::string& path) { return suffixOf(path) == "txt"; });
    if (tables.size() > kMaxTables) tables.resize(kMaxTables);
    return tables;
}

/// "images_001", "images_002": one set of pictures in several folders rather than classes.
bool areShards(const std::vector<std::string>& classes) {
    std::set<std::string> words;
    for (std::string name : classes) {
        std::erase_if(name, [](unsigned char c) { return std::isdigit(c) != 0; });
        words.insert(std::move(name));
    }
    return words.size() == 1 && words.begin()->size() > 2;
}

/// Whether most labels of the table are the names of the folders that the pictures lie in.
bool agreesWithFolders(const LabelTable& table, const ImageLayout& layout) {
    std::size_t same = 0, known = 0;
    for (const PlacedImage& image : layout.images) {
        const auto found = table.labels.find(image.index);
        if (found == table.labels.end() || !image.label) continue;
        ++known;
        same += found->second.label == *image.label;
    }
    return known > 0 && 10 * same >= 9 * known;
}

/// "train.csv" and "test.csv" are splits when there are both and no column says otherwise.
void splitByTableNames(std::vector<LabelTable>& tables) {
    std::set<feed::Split> splits;
    std::vector<std::optional<feed::Split>> own;
    for (const LabelTable& table : tables) {
        const std::string name = std::string(fileNameOf(table.path));
        own.push_back(splitFromName(name.substr(0, name.rfind('.'))));
        if (own.back()) splits.insert(*own.back());
    }
    if (splits.size() < 2) return;
    for (std::size_t i = 0; i < tables.size(); ++i)
        for (auto& [picture, label] : tables[i].labels)
            if (!label.split) label.split = own[i];
}

}  // namespace

Result<ImageLayout> layOutWithTables(std::vector<LayoutEntry> pictures, const std::vector<std::string>& others,
                                     const std::vector<std::string>& folders, const std::string& labelColumn,
                                     const std::function<Result<std::string>(const std::string& path)>& readOther) {
    ImageLayout layout = layOutImages(pictures, others, folders);
    const bool isWanted = !labelColumn.empty();
    const bool isPossible = isWanted || layout.classes.size() <= 1 || areShards(layout.classes);
    std::vector<LabelTable> tables;
    std::set<std::string> used;
    std::optional<Error> refused;
    const auto wanted = isPossible ? candidates(others) : std::vector<std::string>();
    const PictureNames names(wanted.empty() ? kNoPictures : pictures);
    for (const std::string& other : wanted) {
        auto bytes = readOther(other);
        if (!bytes) continue;  // it stays among the files that were left out
        auto table = readLabelTable(other, std::move(*bytes), names, labelColumn);
        if (!table) refused = std::move(table).error();
        if (!table || !*table) continue;
        if ((*table)->labels.empty()) {
            layout.warnings.insert(layout.warnings.end(), (*table)->warnings.begin(), (*table)->warnings.end());
            continue;
        }
        used.insert(other);
        tables.push_back(std::move(**table));
    }
    if (tables.empty() && refused) return fail(std::move(*refused));
    if (isWanted && tables.empty())
        layout.warnings.push_back({{}, 0, "unused_option", "the label column \"" + labelColumn + "\" plays no part: no table beside the pictures names them", Outcome::Ignored});
    if (!isWanted) std::erase_if(tables, [&](const LabelTable& table) { return layout.classes.size() > 1 && agreesWithFolders(table, layout); });
    if (tables.empty()) return layout;
    splitByTableNames(tables);
    // Where two tables speak of one picture, the larger counts.
    std::stable_sort(tables.begin(), tables.end(), [](const auto& a, const auto& b) { return a.labels.size() > b.labels.size(); });
    std::map<std::size_t, TableLabel> labels;
    for (LabelTable& table : tables) labels.insert(table.labels.begin(), table.labels.end());
    std::vector<std::string> rest;
    std::copy_if(others.begin(), others.end(), std::back_inserter(rest), [&](const std::string& other) { return !used.count(other); });
    layout = layOutImages(std::move(pictures), rest, folders, &labels);
    for (LabelTable& table : tables) layout.warnings.insert(layout.warnings.end(), table.warnings.begin(), table.warnings.end());
    return layout;
}

}  // namespace espalier::intake
