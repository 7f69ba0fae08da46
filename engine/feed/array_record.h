#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::feed {

enum class ArrayType : std::uint8_t { Float32 = 0, Float16 = 1, UInt8 = 2, Int64 = 3 };

/// Name, place and shape of one array in a run log; its values are read separately.
struct ArrayInfo {
    std::uint64_t index = 0;  ///< position in the log, grows
    std::string name;         ///< see array_names.h
    std::int64_t step = 0;
    std::int64_t epoch = -1;  ///< -1 when it belongs to no epoch
    ArrayType type = ArrayType::Float32;
    std::vector<std::int64_t> shape;  ///< row-major, at most 6 dimensions
};

/// One array with its values. Float16 arrays hold float values here; the writer rounds them when storing.
struct ArrayRecord {
    ArrayInfo info;
    std::vector<float> floats;         ///< Float32 and Float16
    std::vector<std::uint8_t> bytes;   ///< UInt8
    std::vector<std::int64_t> integers;///< Int64
};

/// Names of the arrays that views look for. P probes, H heads, N tokens, K classes, h×w the token grid.
namespace arrays {
inline constexpr const char* kProbeImages = "probe/images";     ///< UInt8 [P, height, width, 3]; once, step 0
inline constexpr const char* kProbeRows = "probe/rows";         ///< Int64 [P] sample index in the data set
inline constexpr const char* kProbeLabels = "probe/labels";     ///< Int64 [P]
inline constexpr const char* kProbeGrid = "probe/grid";         ///< Float32 [6]: h, w, jump, offset, field (px), classTokens
inline constexpr const char* kProbeLogits = "probe/logits";     ///< Float32 [P, K]
inline constexpr const char* kPooling = "attn/pooling";         ///< Float32 [P, N]
inline constexpr const char* kContribution = "attn/contribution";  ///< Float32 [P, K, N], signed
inline constexpr const char* kRollout = "attn/rollout";         ///< Float32 [P, N]
inline std::string attentionLayer(int layer) { return "attn/layer" + std::to_string(layer); }  ///< Float16 [P, H, N, N], layer from 1
inline constexpr const char* kConfusionTest = "test/confusion"; ///< Int64 [K, K], rows true, columns predicted
inline constexpr const char* kConfusionValid = "valid/confusion";
inline constexpr const char* kTestCorrect = "test/correct";     ///< UInt8 [items], order of the test split
inline constexpr const char* kEmbeddings = "valid/embeddings";  ///< Float32 [items, D]
/// Weight histogram and grid of one quantized layer: "quant/hist/<layer>", "quant/grid/<point>/<layer>", …
inline std::string weightHistogram(const std::string& layer) { return "quant/hist/" + layer; }  ///< Float32 [2, bins]: edges' left end, counts; last left end is followed by implied width
inline std::string weightGrid(int point, const std::string& layer) { return "quant/grid/" + std::to_string(point) + "/" + layer; }  ///< Float32 [levels] grid values of channel 0 or the tensor
inline std::string weightShift(int point, const std::string& layer) { return "quant/shift/" + std::to_string(point) + "/" + layer; }  ///< Float32 [2, sampled]: |w|, levels from RTN
inline constexpr const char* kLayerTable = "model/layers";      ///< see Table in run_tables.h
}  // namespace arrays

}  // namespace espalier::feed
