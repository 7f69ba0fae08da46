#include <algorithm>
#include <set>

#include "engine/intake/array_members.h"
#include "engine/intake/array_paths.h"
#include "engine/intake/data_files.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/importer.h"
#include "engine/intake/names.h"
#include "engine/intake/zip_reader.h"

namespace espalier::intake {
namespace fs = std::filesystem;
namespace {

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxEntries = 5000;  ///< folders of arrays are small; others must not cost time

struct ArrayScan {
    std::vector<DataFile> files;  ///< relative paths of all data files
    bool hasPictures = false, isTooLarge = false;
    bool hasArrays() const {
        return std::any_of(files.begin(), files.end(), [](const DataFile& file) { return file.kind == DataFileKind::Array; });
    }
};

void scan(const fs::path& folder, const std::string& prefix, int depth, std::size_t& seen, ArrayScan& found) {
    std::error_code error;
    for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator(); at.increment(error)) {
        if (found.hasPictures || found.isTooLarge) return;
        const std::string name = at->path().filename().string();
        if (isSystemName(name)) continue;
        found.isTooLarge = ++seen > kMaxEntries;
        std::error_code ignored;
        if (at->is_directory(ignored) && !at->is_symlink(ignored) && depth < kMaxDepth) scan(at->path(), prefix + name + "/", depth + 1, seen, found);
        if (!at->is_regular_file(ignored)) continue;
        found.hasPictures = found.hasPictures || isImageSuffix(suffixOf(name));
        if (const auto kind = dataFileKind(name, {}); kind != DataFileKind::None) found.files.push_back({prefix + name, 0, 0, kind});
    }
}

ArrayScan scanned(const fs::path& folder) {
    ArrayScan found;
    std::size_t seen = 0;
    scan(folder, {}, 0, seen, found);
    return found;
}

/// The folders that all names have in common.
std::size_t commonPrefix(const std::vector<std::string>& names) {
    std::string common = names.front().substr(0, names.front().rfind('/') + 1);
    for (const std::string& name : names)
        while (!name.starts_with(common)) common = common.substr(0, common.rfind('/', common.size() - 2) + 1);
    return common.size();
}

/// Members of .npy and .npz files, named by file and member. The readers of the .npz files must stay.
class ArraySet {
public:
    Result<void> add(const fs::path& path, std::string name) {
        const std::string lower = lowerAscii(name);
        const std::string file = std::string(fileNameOf(name));
        if (!lower.ends_with(".npz")) {
            if (lower.ends_with(".gz")) name.resize(name.size() - 3);
            if (lowerAscii(name).ends_with(".npy")) name.resize(name.size() - 4);
            m_plain.push_back(ArrayMember::describe(name, [path] { return openFileBytes(path); }));
            m_plain.back().file = file;
            return {};
        }
        ESPALIER_TRY(auto opened, ZipReader::open(path));
        const ZipReader& zip = *m_zips.emplace_back(std::move(opened));
        name.resize(name.size() - 4);
        for (const ZipMember& entry : zip.members()) {
            if (!entry.name.ends_with(".npy")) continue;
            m_packed.push_back(ArrayMember::describe(name + "/" + arrayName(entry.name), [&zip, entry] { return zip.openMember(entry); }));
            m_packed.back().file = file + ":" + arrayName(entry.name);
        }
        return {};
    }

    /// Files beside each other that are complete make an .npz beside them a copy or another set.
    std::vector<ArrayMember> take(const ImportOptions& options, const std::string& where, RowSink& sink) {
        if (!m_packed.empty() && !m_plain.empty() && options.images.empty() && isLabelled(m_plain, options, where)) {
            for (const ArrayMember& member : m_packed)
                sink.warn({member.file, 0, "member_ignored", "was not used: the .npy files beside it make a whole data set", Outcome::Ignored});
            return std::move(m_plain);
        }
        std::move(m_packed.begin(), m_packed.end(), std::back_inserter(m_plain));
        return std::move(m_plain);
    }

private:
    static bool isLabelled(const std::vector<ArrayMember>& members, const ImportOptions& options, const std::string& where) {
        std::vector<MemberInfo> infos;
        for (const ArrayMember& member : members) infos.push_back(member.info);
        const auto plan = guessMembers(infos, options, where);
        return plan && std::all_of(plan->pairs.begin(), plan->pairs.end(), [](const MemberPair& pair) { return pair.labels.has_value(); });
    }

    std::vector<std::unique_ptr<ZipReader>> m_zips;
    std::vector<ArrayMember> m_plain, m_packed;
};

/// Unlike in one .npz, where a wrong guess stays within one data set, files beside each other may be strangers.
Result<void> checkIsOneSet(const ArrayMembers& members, const ImportOptions& options, const std::string& where) {
    if (!options.images.empty()) return {};
    ESPALIER_TRY(const MemberPlan plan, guessMembers(members.members(), options, where));
    std::vector<std::string> candidates;
    std::set<std::optional<feed::Split>> splits;
    bool isTwice = !plan.rivals.empty();
    for (const MemberPair& pair : plan.pairs) {
        candidates.push_back(members.members()[pair.images].name);
        isTwice = !splits.insert(pair.split).second || isTwice;
    }
    if (!isTwice) return {};
    candidates.insert(candidates.end(), plan.rivals.begin(), plan.rivals.end());
    auto error = severalDataFiles(candidates, where);
    error.value().remedy = "Import the pictures and labels that belong together, or name the member with images";
    return error;
}

Result<void> readSet(const std::vector<fs::path>& paths, const std::vector<std::string>& names, const fs::path& whole, const ImportOptions& options, RowSink& sink) {
    ArraySet set;
    const std::size_t cut = commonPrefix(names);
    for (std::size_t i = 0; i < paths.size() && !sink.isStopped(); ++i) ESPALIER_CHECK_OK(set.add(paths[i], names[i].substr(cut)));
    if (sink.isStopped()) return {};
    ArrayMembers members(set.take(options, whole.string(), sink));
    ESPALIER_CHECK_OK(checkIsOneSet(members, options, whole.string()));
    return importMembers(members, whole, options, sink);
}

/// Pictures and labels as files beside each other: x_train.npy, y_train.npy, …; train.npz, test.npz.
class ArrayFolderImporter final : public Importer {
public:
    std::string_view format() const override { return "array-folder"; }
    int confidence(const fs::path& path, std::string_view) const override {
        std::error_code error;
        if (!fs::is_directory(path, error)) return 0;
        const ArrayScan found = scanned(path);
        return found.hasArrays() && !found.hasPictures && !found.isTooLarge ? 60 : 0;
    }
    Result<void> read(const fs::path& path, const ImportOptions& options, RowSink& sink) const override {
        ESPALIER_TRY(const DataChoice choice, chooseData(scanned(path).files, displayText(path.string())));
        if (choice.kind != DataFileKind::Array)
            return fail(ErrorCode::BadInput, "has no arrays (.npy, .npz)", displayText(path.string()), "Name the folder that holds them");
        std::vector<fs::path> paths;
        std::vector<std::string> names;
        for (const DataFile& file : scanned(path).files) {
            if (file.kind != DataFileKind::Array) continue;
            paths.push_back(path / file.path);
            names.push_back(file.path);
        }
        if (paths.size() > 1) return readSet(paths, names, path, options, sink);
        ESPALIER_TRY(const Importer* importer, findImporter(paths.front(), {}));
        return importer->read(paths.front(), options, sink);
    }
};

}  // namespace

Result<void> readArrayPaths(const std::vector<fs::path>& paths, const ImportOptions& options, RowSink& sink) {
    std::vector<std::string> names;
    for (const fs::path& path : paths) {
        std::error_code error;
        if (!fs::is_regular_file(path, error) || dataFileKind(path.filename().string(), {}) != DataFileKind::Array)
            return fail(ErrorCode::BadInput, "is no array (.npy, .npz) as the file before it is", displayText(path.string()), "Import it alone, or the arrays without it");
        names.push_back(fs::absolute(path).lexically_normal().string());
    }
    return readSet(paths, names, fs::absolute(paths.front()).lexically_normal().parent_path(), options, sink);
}

std::unique_ptr<Importer> makeArrayFolderImporter() { return std::make_unique<ArrayFolderImporter>(); }

}  // namespace espalier::intake
