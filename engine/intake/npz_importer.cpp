#include <algorithm>
#include <cstring>

#include "engine/intake/array_rows.h"
#include "engine/intake/importer.h"
#include "engine/intake/member_import.h"
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

/// The arrays of one .npz. Reading a member to its end checks its checksum.
class NpzMembers final : public MemberFile {
public:
    NpzMembers(const ZipReader& zip, std::vector<Member> members, std::vector<MemberInfo> infos)
        : m_zip(zip), m_members(std::move(members)), m_infos(std::move(infos)) {}
    const std::vector<MemberInfo>& members() const override { return m_infos; }

    Result<void> checkImages(std::size_t member, const std::string& where) override {
        if (!m_infos[member].trouble.empty() || !m_infos[member].isNumber) {
            ESPALIER_TRY(const OpenMember open, openMember(m_zip, m_members[member]));
            ESPALIER_CHECK_OK(checkNpyNumbers(open.header, where));
        }
        ESPALIER_CHECK_OK(layoutOf(m_infos[member].shape, "", false, where));
        return {};
    }

    Result<std::vector<std::string>> readLabels(std::size_t member, const std::string& where) override {
        ESPALIER_TRY(OpenMember open, openMember(m_zip, m_members[member]));
        if (open.header.isText()) {
            if (open.header.shape.empty() || open.header.items() != open.header.shape[0])
                return fail(ErrorCode::Unsupported, "has more than one text a sample", where, "Store one class name a sample");
            return readNpyText(*open.source, open.header);
        }
        ESPALIER_TRY(const std::vector<double> values, readNpyNumbers(*open.source, open.header));
        return labelsFromNumbers(open.header.shape, values, where);
    }

    Result<void> deliver(std::size_t member, const ArrayDelivery::Part& part, ArrayDelivery& delivery) override {
        ESPALIER_TRY(OpenMember open, openMember(m_zip, m_members[member]));
        const auto rows = npyRows(*open.source, open.header);
        return delivery.deliver(*rows, part);
    }

private:
    const ZipReader& m_zip;
    std::vector<Member> m_members;
    std::vector<MemberInfo> m_infos;
};

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
    ESPALIER_TRY(std::vector<Member> members, listMembers(*zip, path, sink, infos));
    NpzMembers file(*zip, std::move(members), std::move(infos));
    return importMembers(file, path, options, sink);
}

}  // namespace

std::unique_ptr<Importer> makeNpzImporter() { return std::make_unique<NpzImporter>(); }

}  // namespace espalier::intake
