#pragma once

#include <optional>
#include <vector>

#include "engine/api/recipe_card.h"
#include "engine/feed/run_info.h"

namespace espalier::runtime {

/// Floating-point operations a second in a float32 matrix product on the calling thread's threads; about 30 ms.
double measureMatmulFlops();

/// Seconds an item takes in training, from runs of the same recipe and model size on the same device, newest first.
std::optional<double> measuredSecsPerItem(const std::vector<feed::RunInfo>& runs, const std::string& recipe,
                                          const std::string& device, const api::Forecast& forecast);
/// The same by formula: three passes (forward, and backward twice as dear) of 2 operations a MAC, at the share of the
/// matrix-product rate that small networks reach.
double formulaSecsPerItem(const api::Forecast& forecast, double matmulFlops);

}  // namespace espalier::runtime
