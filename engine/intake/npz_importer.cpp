#include "engine/intake/array_members.h"
#include "engine/intake/importer.h"
#include "engine/intake/pickle_refusal.h"
#include "engine/intake/zip_reader.h"

namespace espalier::intake {

namespace {

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

Result<std::vector<ArrayMember>> listMembers(const ZipReader& zip, const std::filesystem::path& path, RowSink& sink) {
    std::vector<ArrayMember> members;
    for (const ZipMember& entry : zip.members()) {
        if (entry.name.ends_with("data.pkl"))
            return fail(pickleError(path));
        if (!entry.name.ends_with(".npy")) {
            sink.warn({entry.name, 0, "not_an_array", "the member is not a .npy array", Outcome::Ignored});
            continue;
        }
        members.push_back(ArrayMember::describe(arrayName(entry.name), [&zip, entry] { return zip.openMember(entry); }));
    }
    return members;
}

Result<void> NpzImporter::read(const std::filesystem::path& path, const ImportOptions& options, RowSink& sink) const {
    ESPALIER_TRY(const auto zip, ZipReader::open(path));
    ESPALIER_TRY(std::vector<ArrayMember> members, listMembers(*zip, path, sink));
    ArrayMembers file(std::move(members));
    return importMembers(file, path, options, sink);
}

}  // namespace

std::unique_ptr<Importer> makeNpzImporter() { return std::make_unique<NpzImporter>(); }

}  // namespace espalier::intake
