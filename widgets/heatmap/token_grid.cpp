#include "widgets/heatmap/token_grid.h"

#include <algorithm>
#include <cmath>

#include "engine/base/assert.h"

namespace espalier::widgets {
namespace {

/// Where one line of output pixels falls into one side of the grid.
struct Step {
    int low = 0, high = 0;
    float part = 0;  ///< of `high`
};

std::vector<Step> stepsAlong(int pixels, int tokens, const TokenGrid& grid, Sampling sampling, double scale) {
    const int count = std::max(1, static_cast<int>(std::lround(pixels * scale)));
    std::vector<Step> steps(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        const double pixel = (i + 0.5) / scale - 0.5;
        const double u = std::clamp((pixel - grid.offset) / grid.jump, 0.0, tokens - 1.0);
        Step& step = steps[static_cast<std::size_t>(i)];
        if (sampling == Sampling::Nearest) {
            step.low = step.high = static_cast<int>(std::floor(u + 0.5));
            step.low = step.high = std::min(step.low, tokens - 1);
            continue;
        }
        step.low = std::min(static_cast<int>(u), tokens - 1);
        step.high = std::min(step.low + 1, tokens - 1);
        step.part = static_cast<float>(u - step.low);
    }
    return steps;
}

}  // namespace

std::optional<TokenGrid> TokenGrid::fromArray(std::span<const float> values) {
    if (values.size() < 6) return std::nullopt;
    TokenGrid grid;
    grid.rows = static_cast<int>(values[0]);
    grid.cols = static_cast<int>(values[1]);
    grid.jump = values[2];
    grid.offset = values[3];
    grid.field = values[4];
    grid.classTokens = static_cast<int>(values[5]);
    if (!grid.isValid() || grid.rows > 4096 || grid.cols > 4096 || !(grid.field > 0) || grid.classTokens < 0) return std::nullopt;
    return grid;
}

int TokenGrid::tokenAt(QPointF pixel) const {
    const auto along = [this](double position, int count) {
        return std::clamp(static_cast<int>(std::floor((position - offset) / jump + 0.5)), 0, count - 1);
    };
    return along(pixel.y(), rows) * cols + along(pixel.x(), cols);
}

QRectF TokenGrid::fieldRect(int token) const {
    const QPointF middle = center(token) + QPointF(0.5, 0.5);
    return {middle.x() - field / 2, middle.y() - field / 2, field, field};
}

std::vector<float> sampleTokens(std::span<const float> values, const TokenGrid& grid, int width, int height,
                                Sampling sampling, double scale) {
    ESPALIER_ASSERT(values.size() == static_cast<std::size_t>(grid.tokens()), "one value a token");
    const auto across = stepsAlong(width, grid.cols, grid, sampling, scale);
    const auto down = stepsAlong(height, grid.rows, grid, sampling, scale);
    std::vector<float> pixels(across.size() * down.size());
    std::size_t at = 0;
    for (const Step& y : down) {
        const float* top = values.data() + static_cast<std::size_t>(y.low) * static_cast<std::size_t>(grid.cols);
        const float* bottom = values.data() + static_cast<std::size_t>(y.high) * static_cast<std::size_t>(grid.cols);
        for (const Step& x : across) {
            const float upper = top[x.low] + x.part * (top[x.high] - top[x.low]);
            const float lower = bottom[x.low] + x.part * (bottom[x.high] - bottom[x.low]);
            pixels[at++] = upper + y.part * (lower - upper);
        }
    }
    return pixels;
}

}  // namespace espalier::widgets
