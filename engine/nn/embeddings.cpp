#include "engine/nn/embeddings.h"

#include <cmath>

namespace espalier::nn {

const char* positionalName(PositionalKind kind) {
    return kind == PositionalKind::Learnable ? "learnable" : kind == PositionalKind::Sine ? "sine" : "none";
}

at::Tensor sineTable(std::int64_t positions, std::int64_t width) {
    auto table = at::empty({1, positions, width});
    auto rows = table.accessor<float, 3>();
    for (std::int64_t p = 0; p < positions; ++p)
        for (std::int64_t i = 0; i < width; ++i) {
            const double angle = double(p) / std::pow(10000.0, 2.0 * double(i / 2) / double(width));
            rows[0][p][i] = float(i % 2 == 0 ? std::sin(angle) : std::cos(angle));
        }
    return table;
}

at::Tensor resizedTable(const at::Tensor& table, std::int64_t extra, std::int64_t height, std::int64_t width,
                        std::int64_t newHeight, std::int64_t newWidth) {
    if (height == newHeight && width == newWidth) return table.clone();
    const auto depth = table.size(2);
    const auto grid = table.narrow(1, extra, height * width).transpose(1, 2).reshape({1, depth, height, width});
    const auto resized = at::upsample_bilinear2d(grid, {newHeight, newWidth}, false)
                             .reshape({1, depth, newHeight * newWidth}).transpose(1, 2);
    return extra == 0 ? resized.contiguous() : at::cat({table.narrow(1, 0, extra), resized}, 1);
}

}  // namespace espalier::nn
