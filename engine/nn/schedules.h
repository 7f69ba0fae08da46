#pragma once

#include <cstdint>

namespace espalier::nn {

/// Recipe Q's rate, constant within an epoch e: e < W: lr/(W − e); afterwards ½·lr·(1 + cos(π(e − W)/(E − W))).
double quickRate(double lr, std::int64_t epoch, std::int64_t warmup, std::int64_t epochs);

/// timm's cosine by epoch: linear from `start` over `warmup` epochs, cosine over all `epochs` (warm-up epochs count),
/// then `minimum` for the cool-down.
double cosineEpochRate(double lr, double minimum, double start, std::int64_t epoch, std::int64_t warmup,
                       std::int64_t epochs);

/// Linear warm-up over `warmup` steps, then half a cosine to 0 at `steps` (0-based step).
double cosineStepRate(double lr, std::int64_t step, std::int64_t warmup, std::int64_t steps);

}  // namespace espalier::nn
