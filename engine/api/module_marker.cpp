#include "engine/api/module_marker.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace espalier::api {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLongest = 8192;  // bytes of a mark: one path and two numbers

std::string identityOf(const fs::path& module) {
    struct stat info {};
    if (::stat(module.c_str(), &info) != 0) return {};
    return std::to_string(info.st_size) + ' ' + std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) + ' ' +
           module.string();
}

std::string contentOf(int descriptor) {
    std::array<char, kLongest> bytes;
    const auto got = ::pread(descriptor, bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

}  // namespace

Result<ModuleMarker> ModuleMarker::set(const fs::path& module, const fs::path& folder) {
    std::error_code error;
    const auto path = fs::weakly_canonical(module, error);
    const auto identity = identityOf(path);
    fs::create_directories(folder, error);
    const auto file = folder / (std::to_string(fs::hash_value(path)) + ".loading");
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return ModuleMarker(file, -1);
    ModuleMarker marker(file, descriptor);
    if (::flock(descriptor, LOCK_EX) != 0) return marker;
    if (const auto left = contentOf(descriptor); !left.empty() && left == identity) {
        ::close(std::exchange(marker.m_descriptor, -1));  // the mark stays
        return fail(ErrorCode::Unsupported, "the recipe module ended the program when it was loaded last", module.string(),
                    "Build it again (a changed file is tried anew), or delete " + file.string() + " to try this one");
    }
    // Not synced: after a power cut no module shall be blamed.
    if (::ftruncate(descriptor, 0) == 0) (void)!::pwrite(descriptor, identity.data(), identity.size(), 0);
    return marker;
}

ModuleMarker::ModuleMarker(ModuleMarker&& other) noexcept
    : m_file(std::move(other.m_file)), m_descriptor(std::exchange(other.m_descriptor, -1)) {}

ModuleMarker::~ModuleMarker() {
    if (m_descriptor < 0) return;
    // Emptied before the name goes: who waits for the lock on this file finds no blame in it.
    (void)!::ftruncate(m_descriptor, 0);
    ::unlink(m_file.c_str());
    ::close(m_descriptor);
}

}  // namespace espalier::api
