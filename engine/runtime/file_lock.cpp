#include <cerrno>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/runtime/workspace_impl.h"

namespace espalier::runtime {

Result<FileLock> FileLock::take(const std::filesystem::path& file, double waitSecs) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return fail(ioError("cannot be locked", file, errno));
    FileLock lock(fd);
    const double until = steadySecs() + waitSecs;
    while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return fail(ioError("cannot be locked", file, errno));
        if (steadySecs() >= until) return FileLock();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return lock;
}

bool FileLock::isHeld(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    // Shared, so that two processes that look at the same time do not take each other for the owner.
    const bool isHeld = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ::close(fd);
    return isHeld;
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    return *this;
}

FileLock::~FileLock() {
    if (m_fd >= 0) ::close(m_fd);
}

}  // namespace espalier::runtime
