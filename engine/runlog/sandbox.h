#pragma once

namespace espalier::runlog {

/// From here on this process (one thread) can use memory, read files and write to what it has open, and nothing else:
/// it starts no program, opens nothing for writing and reaches no network; other system calls fail with EPERM. Cannot be
/// undone. False where the kernel has no seccomp filters: the resource limits of the child hold all the same.
/// Safe after fork.
bool allowReadingOnly() noexcept;

}  // namespace espalier::runlog
