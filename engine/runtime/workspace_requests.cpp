#include <system_error>

#include "engine/base/files.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {
namespace {
constexpr const char* kStopRequest = "stop.request";
}

Result<void> Workspace::requestStop(const std::string& id) {
    ESPALIER_TRY(const auto found, run(id));
    if (!feed::canStop(found.state))
        return fail(ErrorCode::BadInput, std::string("is not running: its state is ") + feed::jobStateName(found.state),
                    found.name);
    return writeFileAtomically(std::filesystem::path(found.folder) / kStopRequest, "stop\n");
}

bool Workspace::takeStopRequest(const std::filesystem::path& runFolder) {
    std::error_code ignored;
    return std::filesystem::remove(runFolder / kStopRequest, ignored);
}

}  // namespace espalier::runtime
