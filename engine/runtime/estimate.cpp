#include "engine/runtime/estimate.h"

#include <algorithm>
#include <cmath>

#include "engine/api/torch.h"
#include "engine/base/clock.h"
#include "engine/feed/metric_names.h"

namespace espalier::runtime {
namespace {
// CCT-7/3x1 at batch 64 on two threads reaches 0.45 of the machine's matrix product rate (measured: 12.5–14 of 27 img/s).
constexpr double kReachedShare = 0.45;
constexpr double kTrainPasses = 3.0;
constexpr std::size_t kRunsLookedAt = 20;
}  // namespace

double measureMatmulFlops() {
    at::NoGradGuard noGrad;
    constexpr std::int64_t kSide = 512;
    const auto a = at::full({kSide, kSide}, 0.5f), b = at::full({kSide, kSide}, 0.25f);
    auto c = at::mm(a, b);  // warm-up: threads and packing buffers
    const double since = steadySecs();
    int rounds = 0;
    double elapsed = 0.0;
    do {
        at::mm_out(c, a, b);
        ++rounds;
        elapsed = steadySecs() - since;
    } while (elapsed < 0.03 && rounds < 1000);
    return 2.0 * kSide * kSide * kSide * rounds / std::max(elapsed, 1e-6);
}

std::optional<double> measuredSecsPerItem(const std::vector<feed::RunInfo>& runs, const std::string& recipe,
                                          const std::string& device, const api::Forecast& forecast) {
    std::vector<double> rates;
    for (const auto& run : runs) {
        if (rates.size() >= kRunsLookedAt) break;
        if (run.recipe != recipe || run.params_count != forecast.params || run.macs != forecast.macsPerItem) continue;
        const bool isCuda = run.device.rfind("cuda", 0) == 0, wantsCuda = device.rfind("cuda", 0) == 0;
        if (isCuda != wantsCuda) continue;
        const auto rate = run.summary.find(std::string(feed::names::kTrainItemsPerSec));
        if (rate != run.summary.end() && std::isfinite(rate->second.last) && rate->second.last > 0.0)
            rates.push_back(rate->second.last);
    }
    if (rates.empty()) return std::nullopt;
    std::nth_element(rates.begin(), rates.begin() + static_cast<std::ptrdiff_t>(rates.size() / 2), rates.end());
    return 1.0 / rates[rates.size() / 2];
}

double formulaSecsPerItem(const api::Forecast& forecast, double matmulFlops) {
    return kTrainPasses * 2.0 * static_cast<double>(forecast.macsPerItem) / (kReachedShare * std::max(matmulFlops, 1e6));
}

}  // namespace espalier::runtime
