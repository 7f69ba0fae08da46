#include "engine/nn/schedules.h"

#include <algorithm>
#include <cmath>

namespace espalier::nn {
namespace {
constexpr double kPi = 3.14159265358979323846;
}

double quickRate(double lr, std::int64_t epoch, std::int64_t warmup, std::int64_t epochs) {
    if (epoch < warmup) return lr / double(warmup - epoch);
    if (epochs <= warmup) return lr;
    return 0.5 * lr * (1.0 + std::cos(kPi * double(epoch - warmup) / double(epochs - warmup)));
}

double cosineEpochRate(double lr, double minimum, double start, std::int64_t epoch, std::int64_t warmup,
                       std::int64_t epochs) {
    if (epoch < warmup) return start + (lr - start) * double(epoch) / double(warmup);
    if (epoch >= epochs) return minimum;
    return minimum + 0.5 * (lr - minimum) * (1.0 + std::cos(kPi * double(epoch) / double(epochs)));
}

double cosineStepRate(double lr, std::int64_t step, std::int64_t warmup, std::int64_t steps) {
    if (step < warmup) return lr * double(step) / double(std::max<std::int64_t>(1, warmup));
    const double share = double(step - warmup) / double(std::max<std::int64_t>(1, steps - warmup));
    return lr * std::max(0.0, 0.5 * (1.0 + std::cos(kPi * share)));
}

}  // namespace espalier::nn
