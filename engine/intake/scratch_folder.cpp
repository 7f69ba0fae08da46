#include "engine/intake/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <string>

#include "engine/base/files.h"

namespace espalier::intake {
namespace fs = std::filesystem;

Result<ScratchFolder> ScratchFolder::make(const fs::path& parent) {
    const fs::path where = parent.empty() ? userCacheFolder() / "unpacked" : parent;
    std::error_code error;
    fs::create_directories(where, error);
    if (error) return fail(ioError("the folder for unpacked files cannot be made", where, error.value()));
    std::string name = (where / "unpacked.XXXXXX").string();
    if (!::mkdtemp(name.data())) return fail(ioError("the folder for unpacked files cannot be made", where, errno));
    return ScratchFolder(name, parent.empty() ? where : fs::path());
}

ScratchFolder::~ScratchFolder() {
    if (m_path.empty()) return;
    std::error_code ignored;
    fs::remove_all(m_path, ignored);
    if (!m_parent.empty()) fs::remove(m_parent, ignored);  // only when no other import has a folder there
}

}  // namespace espalier::intake
