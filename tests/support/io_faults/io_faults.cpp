// Preloaded into a child process (LD_PRELOAD): counts the system calls that change files under one folder, and makes the
// Nth of them fail, kill the process, or be recorded.
//   ESPALIER_FAULT_DIR   only files under this folder count
//   ESPALIER_FAULT       "kill:N", "EIO:N", "ENOSPC:N"; with "+" after N that one and all later ones, with "-M" those up
//                        to the Mth; "drop:N": the Nth sync fails and takes what was not yet synced with it; "record"; "network": statfs tells of a
//                        FUSE file system, and there are no locks
//                        "clock": the wall clock is set every quarter of a second: an hour back, ten years ahead, right
//                        again; "clock:SECS": it is wrong by so much all the time
//   ESPALIER_FAULT_FILE  "record" writes here: see io_recording.h; otherwise the number of calls seen, at exit
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/io_faults/io_recording.h"

namespace {

using espalier::tests::IoOp;

template <class F>
F* realFunction(const char* name) {
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

using WriteFunction = ssize_t(int, const void*, size_t);

class Plan {
public:
    Plan() {
        const char* folder = std::getenv("ESPALIER_FAULT_DIR");
        const char* fault = std::getenv("ESPALIER_FAULT");
        const char* file = std::getenv("ESPALIER_FAULT_FILE");
        if (!folder || !fault) return;
        m_folder = folder;
        const std::string text = fault;
        const auto colon = text.find(':');
        m_kind = text.substr(0, colon);
        if (colon != std::string::npos) m_at = std::strtoull(text.c_str() + colon + 1, nullptr, 10);
        m_until = m_at;
        if (m_kind == "clock") {
            m_clockError = colon == std::string::npos ? 0 : std::strtoll(text.c_str() + colon + 1, nullptr, 10);
            m_at = m_until = 0;
        }
        if (text.back() == '+') m_until = UINT64_MAX;
        if (const auto dash = text.find('-'); dash != std::string::npos) m_until = std::strtoull(text.c_str() + dash + 1, nullptr, 10);
        if (file) m_file = ::open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }

    bool setsClock() const { return m_kind == "clock"; }
    /// Seconds by which the wall clock is wrong, `passed` seconds after the start.
    std::int64_t clockError(double passed) const {
        constexpr std::int64_t kErrors[] = {0, -3600, 10 * 31557600};
        return m_clockError != 0 ? m_clockError : kErrors[static_cast<std::uint64_t>(passed * 4) % std::size(kErrors)];
    }
    bool isNetwork() const { return m_kind == "network"; }
    bool covers(const std::string& path) const {
        return !m_folder.empty() && path.rfind(m_folder, 0) == 0 && (path.size() == m_folder.size() || path[m_folder.size()] == '/');
    }

    /// Before each call; nonzero is the errno to fail with.
    int next(bool isSync = false) {
        if (m_kind == "drop" && !isSync) return 0;
        const auto number = ++m_count;
        if (m_kind != "record" && m_file >= 0) {
            const auto text = std::to_string(number);
            (void)::pwrite(m_file, text.data(), text.size(), 0);
        }
        if (m_at == 0 || number < m_at || number > m_until) return 0;
        if (m_kind == "kill") ::kill(::getpid(), SIGKILL);
        return m_kind == "EIO" || m_kind == "drop" ? EIO : m_kind == "ENOSPC" ? ENOSPC : 0;
    }

    /// What a sync of a file still has to make durable.
    void noteWrite(const std::string& path, off_t offset, ssize_t size) { m_unsynced[path].emplace_back(offset, size); }
    void noteRename(const std::string& from, const std::string& to) {
        m_unsynced[to] = std::move(m_unsynced[from]);
        m_unsynced.erase(from);
    }
    void noteSync(const std::string& path) { m_unsynced.erase(path); }
    /// A disk that could not take the pages, and a system that then forgot them: zeros come back.
    void drop(int fd, const std::string& path) {
        if (m_kind != "drop") return;
        static auto* const real = realFunction<ssize_t(int, const void*, size_t, off_t)>("pwrite");
        struct stat info {};
        if (::fstat(fd, &info) != 0) return;
        for (const auto& [offset, size] : m_unsynced[path]) {
            const auto end = std::min<off_t>(offset + size, info.st_size);
            const std::string zeros(static_cast<std::size_t>(std::max<off_t>(end - offset, 0)), '\0');
            (void)real(fd, zeros.data(), zeros.size(), offset);
        }
        m_unsynced.erase(path);
    }

    void record(IoOp op, const std::string& path, const std::string& other, std::uint64_t offset, const void* data,
                std::uint64_t size) {
        if (m_kind != "record" || m_file < 0) return;
        const auto entry = espalier::tests::encodeIo(op, path, other, offset, {static_cast<const char*>(data), data ? size : 0});
        static auto* const real = realFunction<WriteFunction>("write");
        (void)real(m_file, entry.data(), entry.size());
    }

    std::recursive_mutex mutex;

private:
    std::string m_folder, m_kind;
    std::uint64_t m_at = 0, m_until = 0, m_count = 0;
    std::map<std::string, std::vector<std::pair<off_t, ssize_t>>> m_unsynced;
    std::int64_t m_clockError = 0;
    int m_file = -1;
};

Plan& plan() {
    static Plan* const instance = new Plan;  // outlives destructors that still write
    return *instance;
}

std::string pathOf(int fd) {
    char buffer[4096];
    const auto size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), buffer, sizeof buffer);
    return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

/// Runs `call` under the plan; `after` gets its result when it succeeded.
template <class R, class Call, class After>
R guarded(const std::string& path, Call call, After after) {
    auto& p = plan();
    if (!p.covers(path)) return call();
    std::lock_guard lock(p.mutex);
    if (const int error = p.next()) {
        errno = error;
        return R(-1);
    }
    const R result = call();
    if (result >= 0) after(result);
    return result;
}

ssize_t writeAt(const char* name, int fd, const void* data, size_t size, off_t offset) {
    using F = ssize_t(int, const void*, size_t, off_t);
    auto* const real = realFunction<F>(name);
    const auto path = pathOf(fd);
    return guarded<ssize_t>(path, [&] { return real(fd, data, size, offset); }, [&](ssize_t written) {
        plan().noteWrite(path, offset, written);
        plan().record(IoOp::Write, path, {}, static_cast<std::uint64_t>(offset), data, static_cast<std::uint64_t>(written));
    });
}

int sync(const char* name, int fd) {
    auto* const real = realFunction<int(int)>(name);
    const auto path = pathOf(fd);
    auto& p = plan();
    if (!p.covers(path)) return real(fd);
    std::lock_guard lock(p.mutex);
    if (const int error = p.next(true)) {
        p.drop(fd, path);
        errno = error;
        return -1;
    }
    const int result = real(fd);
    if (result != 0) return result;
    p.noteSync(path);
    p.record(IoOp::Sync, path, {}, 0, nullptr, 0);
    return result;
}

int cut(const char* name, int fd, off_t size) {
    auto* const real = realFunction<int(int, off_t)>(name);
    const auto path = pathOf(fd);
    return guarded<int>(path, [&] { return real(fd, size); },
                        [&](int) { plan().record(IoOp::Cut, path, {}, static_cast<std::uint64_t>(size), nullptr, 0); });
}

int twoPaths(const char* name, IoOp op, const char* from, const char* to) {
    auto* const real = realFunction<int(const char*, const char*)>(name);
    return guarded<int>(to, [&] { return real(from, to); }, [&](int) {
        if (op == IoOp::Rename) plan().noteRename(from, to);
        plan().record(op, from, to, 0, nullptr, 0);
    });
}

int onePath(const char* name, const char* path) {
    auto* const real = realFunction<int(const char*)>(name);
    return guarded<int>(path, [&] { return real(path); },
                        [&](int) { plan().record(IoOp::Remove, path, {}, 0, nullptr, 0); });
}

}  // namespace

/// Seconds to add to the wall clock now.
std::int64_t clockErrorNow() {
    static auto* const real = realFunction<int(clockid_t, timespec*)>("clock_gettime");
    static const double begin = [] {
        timespec now{};
        real(CLOCK_MONOTONIC, &now);
        return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
    }();
    timespec now{};
    real(CLOCK_MONOTONIC, &now);
    return plan().clockError(double(now.tv_sec) + 1e-9 * double(now.tv_nsec) - begin);
}

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) {
    static auto* const real = realFunction<int(clockid_t, timespec*)>("clock_gettime");
    const int result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && plan().setsClock()) time->tv_sec += clockErrorNow();
    return result;
}

int gettimeofday(timeval* time, void* zone) {
    static auto* const real = realFunction<int(timeval*, void*)>("gettimeofday");
    const int result = real(time, zone);
    if (result == 0 && plan().setsClock()) time->tv_sec += clockErrorNow();
    return result;
}

time_t time(time_t* into) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}

ssize_t write(int fd, const void* data, size_t size) {
    static auto* const real = realFunction<WriteFunction>("write");
    const auto path = pathOf(fd);
    if (!plan().covers(path)) return real(fd, data, size);
    struct stat info {};
    const bool isAtEnd = (::fcntl(fd, F_GETFL) & O_APPEND) != 0 && ::fstat(fd, &info) == 0;
    const auto offset = isAtEnd ? info.st_size : ::lseek(fd, 0, SEEK_CUR);
    return guarded<ssize_t>(path, [&] { return real(fd, data, size); }, [&](ssize_t written) {
        plan().noteWrite(path, offset, written);
        plan().record(IoOp::Write, path, {}, static_cast<std::uint64_t>(offset), data, static_cast<std::uint64_t>(written));
    });
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) { return writeAt("pwrite", fd, data, size, offset); }
ssize_t pwrite64(int fd, const void* data, size_t size, off_t offset) { return writeAt("pwrite64", fd, data, size, offset); }
int fsync(int fd) { return sync("fsync", fd); }
int fdatasync(int fd) { return sync("fdatasync", fd); }
int ftruncate(int fd, off_t size) noexcept { return cut("ftruncate", fd, size); }
int ftruncate64(int fd, off_t size) noexcept { return cut("ftruncate64", fd, size); }
int rename(const char* from, const char* to) noexcept { return twoPaths("rename", IoOp::Rename, from, to); }
int link(const char* from, const char* to) noexcept { return twoPaths("link", IoOp::Link, from, to); }
int unlink(const char* path) noexcept { return onePath("unlink", path); }
int remove(const char* path) noexcept { return onePath("remove", path); }
int statfs(const char* path, struct statfs* info) noexcept {
    static auto* const real = realFunction<int(const char*, struct statfs*)>("statfs");
    const int result = real(path, info);
    if (result == 0 && plan().isNetwork() && plan().covers(path)) info->f_type = 0x65735546;
    return result;
}
int flock(int fd, int operation) noexcept {
    static auto* const real = realFunction<int(int, int)>("flock");
    if (!plan().isNetwork() || !plan().covers(pathOf(fd))) return real(fd, operation);
    errno = ENOLCK;
    return -1;
}

}  // extern "C"
