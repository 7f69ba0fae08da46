#include "engine/runlog/sandbox.h"

#include <cerrno>
#include <cstddef>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace espalier::runlog {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr unsigned kArchitecture = 0;
#endif

constexpr unsigned kWritingFlags = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;

constexpr int kAllowed[] = {
    SYS_read, SYS_pread64, SYS_readv, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_close, SYS_fcntl,
    SYS_write, SYS_writev, SYS_sendto, SYS_recvfrom,  // on what is open already: the socket to the parent
    SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk,
    SYS_futex, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_clock_gettime, SYS_clock_nanosleep,
    SYS_nanosleep, SYS_gettid, SYS_getpid, SYS_getrandom, SYS_sched_yield, SYS_flock, SYS_exit, SYS_exit_group, SYS_tgkill,
#ifdef SYS_poll
    SYS_poll, SYS_stat, SYS_lstat, SYS_access,
#endif
    SYS_ppoll, SYS_faccessat,
};
constexpr std::size_t kAllowedCount = sizeof kAllowed / sizeof kAllowed[0];

}  // namespace

bool allowReadingOnly() noexcept {
    if (kArchitecture == 0) return false;
    constexpr auto jump = [](unsigned code, unsigned value, unsigned char yes, unsigned char no) {
        return sock_filter{static_cast<unsigned short>(code), yes, no, value};
    };
    constexpr auto load = [](std::size_t offset) {
        return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<unsigned>(offset)};
    };
    constexpr auto answer = [](unsigned value) { return sock_filter{BPF_RET | BPF_K, 0, 0, value}; };
    constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EPERM;
    // No allocation: this runs in a forked child.
    sock_filter program[kAllowedCount * 2 + 12];
    unsigned short size = 0;
    const auto add = [&](sock_filter line) { program[size++] = line; };
    add(load(offsetof(seccomp_data, arch)));
    add(jump(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
    add(answer(kRefuse));
    add(load(offsetof(seccomp_data, nr)));
    for (const int call : kAllowed) {
        add(jump(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
        add(answer(SECCOMP_RET_ALLOW));
    }
    // openat: only when its flags ask for reading. The flags are the third argument, its lower half comes first.
    add(jump(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0));
    add(answer(kRefuse));
    add(load(offsetof(seccomp_data, args) + 2 * sizeof(__u64)));
    add(jump(BPF_JMP | BPF_JSET | BPF_K, kWritingFlags, 0, 1));
    add(answer(kRefuse));
    add(answer(SECCOMP_RET_ALLOW));
    const sock_fprog filter{size, program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace espalier::runlog
