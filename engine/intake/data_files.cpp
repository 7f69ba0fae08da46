#include "engine/intake/data_files.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "engine/intake/label_table.h"
#include "engine/intake/member_guess.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

std::string folderOf(const std::string& path) { return path.substr(0, std::min(path.rfind('/') + 1, path.size())); }

bool isOneOf(std::string_view text, std::initializer_list<std::string_view> known) {
    return std::find(known.begin(), known.end(), text) != known.end();
}

/// Texts that speak about the data instead of holding them.
bool isAboutData(const std::string& name) {
    for (const char* word : {"readme", "license", "licence", "copying", "changelog", "citation", "notice", "requirements", "about", "description", "info"})
        if (name.starts_with(word)) return true;
    return name.find("readme") != std::string::npos;
}

/// Unpackers of some systems put every file into a folder of its own name: what lies there belongs one level up.
std::string homeOf(const std::string& path) {
    std::string folder = folderOf(path);
    if (folder.empty()) return folder;
    const std::string inner = folder.substr(0, folder.size() - 1);
    return isIdxName(inner) ? folderOf(inner) : folder;
}

/// "emnist-letters-train-images" and "emnist-letters-test-images" are one family.
std::string familyOf(std::string_view path) {
    std::string text = idxStem(path);
    for (const char* part : {"training", "train", "t10k", "testing", "test", "validation", "valid", "val"})
        if (const auto at = text.find(part); at != std::string::npos) {
            text.erase(at, std::string_view(part).size());
            break;
        }
    return text;
}

/// All into one folder, as the importers of several files want them. Two of one name are two data sets.
Result<DataChoice> inOneFolder(DataFileKind kind, std::vector<DataFile> files, const std::string& where) {
    std::map<std::string, std::string> seen;
    DataChoice choice{kind, {}, true};
    for (DataFile& file : files) {
        const std::string name(fileNameOf(file.path));
        const auto [known, isNew] = seen.emplace(lowerAscii(name), file.path);
        if (!isNew && homeOf(known->second) == homeOf(file.path)) continue;
        if (!isNew) return severalDataFiles({known->second, file.path}, where);
        file.path = name;
        choice.files.push_back(std::move(file));
    }
    return choice;
}

Result<DataChoice> chooseIdx(std::vector<DataFile> files, const std::string& where) {
    std::map<std::string, std::string> families;
    std::map<std::pair<std::string, bool>, std::string> homes;
    std::vector<std::string> candidates;
    for (const DataFile& file : files) {
        const bool isLabels = isIdxLabelName(fileNameOf(file.path));
        const auto [known, isNew] = homes.emplace(std::pair(idxStem(fileNameOf(file.path)), isLabels), file.path);
        if (!isNew && homeOf(known->second) != homeOf(file.path)) return severalDataFiles({known->second, file.path}, where);
        if (!isLabels && families.emplace(familyOf(fileNameOf(file.path)), file.path).second) candidates.push_back(file.path);
    }
    if (families.size() > 1) return severalDataFiles(candidates, where);
    return inOneFolder(DataFileKind::Idx, std::move(files), where);
}

Result<DataChoice> chooseCifar(std::vector<DataFile> files, std::vector<DataFile> names, const std::string& where) {
    std::map<bool, std::string> flavours;
    for (const DataFile& file : files) flavours.emplace(fileNameOf(file.path).find("batch") == std::string_view::npos, file.path);
    if (flavours.size() > 1) return severalDataFiles({flavours[false], flavours[true]}, where);
    const std::string home = folderOf(files.front().path);
    for (DataFile& name : names)
        if (folderOf(name.path) == home) files.push_back(std::move(name));
    return inOneFolder(DataFileKind::CifarBatch, std::move(files), where);
}

Result<DataChoice> chooseSingle(DataFileKind kind, std::vector<DataFile> files, const std::string& where) {
    // Forms for answers to hand in lie beside the data of competitions.
    if (kind == DataFileKind::Table && files.size() > 1) {
        std::vector<DataFile> tables;
        std::copy_if(files.begin(), files.end(), std::back_inserter(tables), [](const DataFile& file) { return canBeLabelTable(file.path); });
        if (!tables.empty()) files = std::move(tables);
    }
    if (files.size() > 1) {
        std::vector<std::string> candidates;
        for (const DataFile& file : files) candidates.push_back(file.path);
        return severalDataFiles(candidates, where);
    }
    files.front().path = std::string(fileNameOf(files.front().path));
    return DataChoice{kind, std::move(files), false};
}

}  // namespace

bool isIdxName(std::string_view path) {
    const std::string name = lowerAscii(fileNameOf(path));
    if (isOneOf(suffixOf(name), {"zip", "7z", "tar", "tgz", "rar"}) || name.find(".tar.") != std::string::npos) return false;
    for (const char* part : {"idx1", "idx2", "idx3", "idx4"})
        if (name.find(part) != std::string::npos) return true;
    return name.ends_with("-ubyte") || name.ends_with("-ubyte.gz") || name.ends_with(".idx") || name.ends_with(".idx.gz");
}

std::string idxStem(std::string_view path) {
    std::string text = lowerAscii(fileNameOf(path));
    for (const std::string_view part : {"images", "image", "labels", "label", "ubyte", "ubytes", ".gz", "idx1", "idx2", "idx3", "idx4", ".idx"})
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part)) text.erase(at, part.size());
    std::erase_if(text, [](char c) { return c == '-' || c == '_' || c == '.'; });
    return text;
}

bool isIdxLabelName(std::string_view path) { return lowerAscii(fileNameOf(path)).find("label") != std::string::npos; }

bool isCifarBatchName(std::string_view path) {
    const std::string name = lowerAscii(fileNameOf(path));
    return name.ends_with(".bin") && (name.starts_with("data_batch") || name.starts_with("test_batch") || name == "train.bin" || name == "test.bin");
}

DataFileKind dataFileKind(std::string_view path, std::string_view head) {
    const std::string name = lowerAscii(fileNameOf(path));
    if (isCifarBatchName(name)) return DataFileKind::CifarBatch;
    if (isOneOf(name, {"batches.meta.txt", "fine_label_names.txt", "coarse_label_names.txt"})) return DataFileKind::CifarNames;
    if (isIdxName(name)) return DataFileKind::Idx;
    if (head.starts_with("\x93NUMPY")) return DataFileKind::Array;
    if (head.starts_with("\x89HDF\r\n\x1a\n")) return DataFileKind::Hdf5;
    const std::string suffix = suffixOf(name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name);
    if (isOneOf(suffix, {"npy", "npz"})) return DataFileKind::Array;
    if (isOneOf(suffix, {"h5", "hdf5", "hdf", "he5", "hd5"})) return DataFileKind::Hdf5;
    if (isOneOf(suffix, {"csv", "tsv", "tab", "psv", "ssv"})) return DataFileKind::Table;
    if (isOneOf(suffix, {"data", "dat"})) return DataFileKind::LooseTable;
    return suffix == "txt" && !isAboutData(name) ? DataFileKind::Text : DataFileKind::None;
}

tl::unexpected<Error> severalDataFiles(const std::vector<std::string>& candidates, const std::string& where) {
    std::vector<std::string> shown;
    for (const std::string& name : candidates) shown.push_back(displayText(name));
    return fail(ErrorCode::BadInput, "holds several data files, and it is not clear which is meant: " + listed(shown, 6), where,
                "Unpack it and import the one you want");
}

Result<DataChoice> chooseData(std::vector<DataFile> files, const std::string& where) {
    std::sort(files.begin(), files.end(), [](const DataFile& a, const DataFile& b) { return naturalPathLess(a.path, b.path); });
    std::map<DataFileKind, std::vector<DataFile>> byKind;
    for (DataFile& file : files) byKind[file.kind].push_back(std::move(file));
    std::vector<DataFileKind> present;
    std::vector<std::string> candidates;
    for (const auto kind : {DataFileKind::CifarBatch, DataFileKind::Idx, DataFileKind::Array, DataFileKind::Hdf5, DataFileKind::Table})
        if (byKind.count(kind)) present.push_back(kind), candidates.push_back(byKind[kind].front().path);
    if (present.size() > 1) return severalDataFiles(candidates, where);
    if (present.empty())  // names that promise less count only where nothing promises more
        for (const auto kind : {DataFileKind::LooseTable, DataFileKind::Text})
            if (present.empty() && byKind.count(kind)) present.push_back(kind);
    if (present.empty()) return DataChoice{};
    auto& found = byKind[present.front()];
    switch (present.front()) {
        case DataFileKind::CifarBatch: return chooseCifar(std::move(found), std::move(byKind[DataFileKind::CifarNames]), where);
        case DataFileKind::Idx: return chooseIdx(std::move(found), where);
        case DataFileKind::Array:
            if (found.size() > 1) return DataChoice{DataFileKind::Array, std::move(found), true};
            [[fallthrough]];
        default: return chooseSingle(present.front(), std::move(found), where);
    }
}

}  // namespace espalier::intake
