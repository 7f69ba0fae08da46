#pragma once

#include "engine/runtime/engine.h"

namespace espalier::runtime {

/// Fills a MachineReport by asking LibTorch, the loader and /proc. Some milliseconds; loads CUDA libraries on first use.
MachineReport machineReport();

}  // namespace espalier::runtime
