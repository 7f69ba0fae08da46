#include "engine/runtime/thread_setup.h"

#include <algorithm>

#include <malloc.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/log.h"

namespace espalier::runtime {

void lowerThreadPriority() {
    const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
    if (::setpriority(PRIO_PROCESS, thread, 5) != 0) {
        ESPALIER_LOG(Debug, "runtime") << "the engine thread keeps its priority: the system refused nice +5";
    }
    sched_param parameters{};
    if (::sched_setscheduler(static_cast<pid_t>(thread), SCHED_BATCH, &parameters) != 0) {
        ESPALIER_LOG(Debug, "runtime") << "the engine thread keeps its scheduling class";
    }
}

void keepFreedMemory() {
#ifdef __GLIBC__
    ::mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most glibc accepts
    ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
    ::mallopt(M_TOP_PAD, 64 << 20);
#endif
}

int availableCores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace espalier::runtime
