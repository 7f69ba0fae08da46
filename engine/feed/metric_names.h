#pragma once

#include <string>
#include <string_view>

/// The only spellings of series names. A series is "split/name"; fractions stay fractions.
namespace espalier::feed::names {

inline constexpr std::string_view kTrainLoss = "train/loss";
inline constexpr std::string_view kTrainTop1 = "train/top1";
inline constexpr std::string_view kTrainLr = "train/lr";
inline constexpr std::string_view kTrainGradNorm = "train/grad_norm";
inline constexpr std::string_view kTrainItemsPerSec = "train/img_per_s";
inline constexpr std::string_view kTrainEpoch = "train/epoch";  ///< fractional epoch at each logged step
inline constexpr std::string_view kValidLoss = "valid/loss";
inline constexpr std::string_view kValidTop1 = "valid/top1";
inline constexpr std::string_view kValidTop5 = "valid/top5";
inline constexpr std::string_view kValidEce = "valid/ece";
inline constexpr std::string_view kTestLoss = "test/loss";
inline constexpr std::string_view kTestTop1 = "test/top1";
inline constexpr std::string_view kTestTop5 = "test/top5";
inline constexpr std::string_view kTestEce = "test/ece";
inline constexpr std::string_view kPoolEntropy = "valid/pool_entropy";

/// "valid/attn_entropy_l3" and "valid/attn_dist_l3h1": layers and heads are counted from 1.
inline std::string attentionEntropy(int layer) { return "valid/attn_entropy_l" + std::to_string(layer); }
inline std::string attentionDistance(int layer, int head) {
    return "valid/attn_dist_l" + std::to_string(layer) + "h" + std::to_string(head);
}

}  // namespace espalier::feed::names
