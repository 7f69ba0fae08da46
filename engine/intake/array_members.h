#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/intake/member_import.h"
#include "engine/intake/npy_reader.h"

namespace espalier::intake {

/// One .npy, wherever it lies: a member of an .npz, or a file.
struct ArrayMember {
    using Open = std::function<Result<std::unique_ptr<ByteSource>>()>;
    Open open;
    NpyHeader header;
    MemberInfo info;
    std::string file = {};  ///< how row sources and warnings name it; empty = by the file that holds all

    /// Reads the header; what is wrong with it becomes info.trouble.
    static ArrayMember describe(std::string name, Open open);
};

/// "x" of "x.npy".
std::string arrayName(const std::string& fileName);

/// Arrays that are guessed about together. Reading one to its end checks its checksum where it has one.
class ArrayMembers final : public MemberFile {
public:
    explicit ArrayMembers(std::vector<ArrayMember> members);
    const std::vector<MemberInfo>& members() const override { return m_infos; }
    Result<void> checkImages(std::size_t member, const std::string& where) override;
    Result<std::vector<std::string>> readLabels(std::size_t member, const std::string& where) override;
    Result<void> deliver(std::size_t member, const ArrayDelivery::Part& part, ArrayDelivery& delivery) override;
    std::string fileOf(std::size_t member) const override { return m_members[member].file; }

private:
    std::vector<ArrayMember> m_members;
    std::vector<MemberInfo> m_infos;
};

}  // namespace espalier::intake
