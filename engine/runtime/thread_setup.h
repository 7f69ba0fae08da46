#pragma once

namespace espalier::runtime {

/// Lowers the calling thread (nice +5, SCHED_BATCH) so that a window beside it stays quick. Threads that OpenMP makes
/// later from this one inherit it, so it must come before the first parallel region.
void lowerThreadPriority();
/// Makes the allocator keep freed blocks of activations instead of handing their pages back at every step: clearing them
/// anew took 5 % of a small model's step. Process-wide; costs at most the peak of the last step. glibc only.
void keepFreedMemory();
/// Cores this process may use.
int availableCores();

}  // namespace espalier::runtime
