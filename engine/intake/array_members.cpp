#include "engine/intake/array_members.h"

namespace espalier::intake {
namespace {

/// Opened member with its header already read.
struct OpenMember {
    std::unique_ptr<ByteSource> source;
    NpyHeader header;
};

Result<OpenMember> openMember(const ArrayMember& member) {
    ESPALIER_TRY(auto source, member.open());
    ESPALIER_TRY(NpyHeader header, readNpyHeader(*source));
    return OpenMember{std::move(source), std::move(header)};
}

}  // namespace

std::string arrayName(const std::string& fileName) { return fileName.size() > 4 && fileName.ends_with(".npy") ? fileName.substr(0, fileName.size() - 4) : fileName; }

ArrayMember ArrayMember::describe(std::string name, Open open) {
    ArrayMember member{std::move(open), {}, {std::move(name), {}, false, false, {}}};
    if (auto opened = openMember(member)) {
        member.header = std::move(opened->header);
        member.info.shape = member.header.shape;
        member.info.isNumber = member.header.isNumber();
        member.info.isText = member.header.isText();
        if (!member.info.isNumber && !member.info.isText) member.info.trouble = checkNpyNumbers(member.header, "").error().what;
    } else {
        member.info.trouble = opened.error().what;
    }
    return member;
}

ArrayMembers::ArrayMembers(std::vector<ArrayMember> members) : m_members(std::move(members)) {
    for (const ArrayMember& member : m_members) m_infos.push_back(member.info);
}

Result<void> ArrayMembers::checkImages(std::size_t member, const std::string& where) {
    if (!m_infos[member].trouble.empty() || !m_infos[member].isNumber) {
        ESPALIER_TRY(const OpenMember open, openMember(m_members[member]));
        ESPALIER_CHECK_OK(checkNpyNumbers(open.header, where));
    }
    ESPALIER_CHECK_OK(layoutOf(m_infos[member].shape, "", false, where));
    return {};
}

Result<std::vector<std::string>> ArrayMembers::readLabels(std::size_t member, const std::string& where) {
    ESPALIER_TRY(OpenMember open, openMember(m_members[member]));
    if (open.header.isText()) {
        if (open.header.shape.empty() || open.header.items() != open.header.shape[0])
            return fail(ErrorCode::Unsupported, "has more than one text a sample", where, "Store one class name a sample");
        return readNpyText(*open.source, open.header);
    }
    ESPALIER_TRY(const std::vector<double> values, readNpyNumbers(*open.source, open.header));
    return labelsFromNumbers(open.header.shape, values, where);
}

Result<void> ArrayMembers::deliver(std::size_t member, const ArrayDelivery::Part& part, ArrayDelivery& delivery) {
    ESPALIER_TRY(OpenMember open, openMember(m_members[member]));
    const auto rows = npyRows(*open.source, open.header);
    return delivery.deliver(*rows, part);
}

}  // namespace espalier::intake
