#pragma once

namespace espalier::runtime {

/// Lowers the calling thread (nice +5, SCHED_BATCH) so that a window beside it stays quick. Threads that OpenMP makes
/// later from this one inherit it, so it must come before the first parallel region.
void lowerThreadPriority();
/// Cores this process may use.
int availableCores();

}  // namespace espalier::runtime
