#include <algorithm>
#include <cstring>

#include "engine/intake/array_rows.h"
#include "engine/intake/importer.h"
#include "engine/intake/member_guess.h"
#include "engine/intake/npy_reader.h"
#include "engine/intake/pickle_refusal.h"
#include "engine/intake/zip_reader.h"

namespace espalier::intake {

namespace {

struct Member {
    ZipMember zip;
    NpyHeader header;
};

/// Opened member with its header already read.
struct OpenMember {
    std::unique_ptr<ByteSource> source;
    NpyHeader header;
};

Result<OpenMember> openMember(const ZipReader& zip, const Member& member) {
    ESPALIER_TRY(auto source, zip.openMember(member.zip));
    ESPALIER_TRY(NpyHeader header, readNpyHeader(*source));
    return OpenMember{std::move(source), std::move(header)};
}

std::string memberName(const std::string& fileName) {
    return fileName.size() > 4 && fileName.compare(fileName.size() - 4, 4, ".npy") == 0 ? fileName.substr(0, fileName.size() - 4) : fileName;
}

Result<std::vector<std::string>> readLabels(const ZipReader& zip, const Member& member) {
    ESPALIER_TRY(OpenMember open, openMember(zip, member));
    if (open.header.isText()) {
        if (open.header.shape.empty() || open.header.items() != open.header.shape[0])
            return fail(ErrorCode::Unsupported, "has more than one text a sample", open.source->where(), "Store one class name a sample");
        return readNpyText(*open.source, open.header);
    }
    ESPALIER_TRY(const std::vector<double> values, readNpyNumbers(*open.source, open.header));
    return labelsFromNumbers(open.header.shape, values, open.source->where());
}

/// Class numbers become the names that another member lists for them.
void applyClassNames(const std::vector<std::string>& names, std::vector<std::string>& labels) {
    for (const std::string& label : labels)
        if (label.empty() || label.size() > 9 || label.find_first_not_of("0123456789") != std::string::npos ||
            std::stoul(label) >= names.size())
            return;
    for (std::string& label : labels) label = names[std::stoul(label)];
}

/// NumPy's archive of arrays.
class NpzImporter final : public Importer {
public:
    std::string_view format() const override { return "npz"; }
    int confidence(const std::filesystem::path& path, std::string_view head) const override {
        const bool isNamed = path.extension() == ".npz" || path.extension() == ".NPZ", isZip = head.substr(0, 2) == "PK";
        if (isNamed) return isZip ? 100 : 60;
        if (!isZip || head.size() < 30) return 0;
        const std::size_t nameBytes = static_cast<unsigned char>(head[26]);
        const std::string_view first = head.substr(30, nameBytes);
        return first.size() > 4 && first.substr(first.size() - 4) == ".npy" ? 90 : 0;
    }
    Result<void> read(const std::filesystem::path& path, const ImportOptions& options, RowSink& sink) const override;
};

Result<std::vector<Member>> listMembers(const ZipReader& zip, const std::filesystem::path& path, RowSink& sink,
                                        std::vector<MemberInfo>& infos) {
    std::vector<Member> members;
    for (const ZipMember& entry : zip.members()) {
        if (entry.name.ends_with("data.pkl"))
            return fail(pickleError(path));
        if (!entry.name.ends_with(".npy")) {
            sink.warn({entry.name, 0, "not_an_array", "the member is not a .npy array", Outcome::Ignored});
            continue;
        }
        MemberInfo info{memberName(entry.name), {}, false, false, {}};
        Member member{entry, {}};
        if (auto open = openMember(zip, member)) {
            member.header = std::move(open->header);
            info.shape = member.header.shape;
            info.isNumber = member.header.isNumber();
            info.isText = member.header.isText();
            if (!info.isNumber && !info.isText) info.trouble = checkNpyNumbers(member.header, "").error().what;
        } else {
            info.trouble = open.error().what;
        }
        infos.push_back(std::move(info));
        members.push_back(std::move(member));
    }
    return members;
}

Result<void> NpzImporter::read(const std::filesystem::path& path, const ImportOptions& options, RowSink& sink) const {
    ESPALIER_TRY(const auto zip, ZipReader::open(path));
    std::vector<MemberInfo> infos;
    ESPALIER_TRY(const std::vector<Member> members, listMembers(*zip, path, sink, infos));
    ESPALIER_TRY(const MemberPlan plan, guessMembers(infos, options, path.string()));
    const auto whereOf = [&](std::size_t i) { return path.string() + ", member " + infos[i].name; };

    std::vector<std::string> classNames;
    if (plan.classNames) {
        ESPALIER_TRY(classNames, readLabels(*zip, members[*plan.classNames]));
    }
    std::vector<std::vector<std::string>> labels(plan.pairs.size());
    std::vector<std::string> all;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < plan.pairs.size(); ++i) {
        const MemberPair& pair = plan.pairs[i];
        if (!infos[pair.images].trouble.empty() || !infos[pair.images].isNumber) {
            ESPALIER_TRY(const OpenMember open, openMember(*zip, members[pair.images]));
            ESPALIER_CHECK_OK(checkNpyNumbers(open.header, whereOf(pair.images)));
        }
        ESPALIER_CHECK_OK(layoutOf(infos[pair.images].shape, "", false, whereOf(pair.images)));
        total += infos[pair.images].shape[0];
        if (!pair.labels) continue;
        ESPALIER_TRY(labels[i], readLabels(*zip, members[*pair.labels]));
        if (static_cast<std::int64_t>(labels[i].size()) != infos[pair.images].shape[0])
            return fail(ErrorCode::BadInput,
                        "member " + infos[pair.images].name + " has " + grouped(infos[pair.images].shape[0]) + " samples, but member " +
                            infos[*pair.labels].name + " has " + grouped(static_cast<std::int64_t>(labels[i].size())) + " labels",
                        path.string(), "Store one label a sample");
        if (!classNames.empty()) applyClassNames(classNames, labels[i]);
        all.insert(all.end(), labels[i].begin(), labels[i].end());
    }
    if (classNames.empty()) declareSorted(all, sink);
    else for (const std::string& name : classNames) sink.declareClass(name);

    ArrayDelivery delivery(sink, options, total);
    for (std::size_t i = 0; i < plan.pairs.size(); ++i) {
        const MemberPair& pair = plan.pairs[i];
        ArrayDelivery::Part part;
        part.file = shownName(path) + (plan.pairs.size() > 1 ? ":" + infos[pair.images].name : "");
        part.where = whereOf(pair.images);
        part.split = pair.split;
        part.labels = pair.labels ? &labels[i] : nullptr;
        if (!pair.labels)
            sink.warn({part.file, 0, "unlabelled", "no labels were found for member " + infos[pair.images].name + "; its samples came in unlabelled", Outcome::Kept});
        ESPALIER_TRY(OpenMember open, openMember(*zip, members[pair.images]));
        const auto rows = npyRows(*open.source, open.header);
        ESPALIER_CHECK_OK(delivery.deliver(*rows, part));
    }
    for (const std::string& name : plan.ignored)
        sink.warn({shownName(path), 0, "member_ignored", "member " + name + " was not used", Outcome::Ignored});
    return {};
}

}  // namespace

std::unique_ptr<Importer> makeNpzImporter() { return std::make_unique<NpzImporter>(); }

}  // namespace espalier::intake
