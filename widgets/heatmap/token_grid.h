#pragma once

#include <QPointF>
#include <QRectF>

#include <optional>
#include <span>
#include <vector>

namespace espalier::widgets {

/// Where the tokens of a model lie on its input image. Token (r, c) is centred on pixel index jump·c + offset across
/// and jump·r + offset down (offset 0 for convolutional tokenizers, (P − 1)/2 for patches of P) and sees a square of
/// `field` pixels. Plain value.
struct TokenGrid {
    int rows = 0, cols = 0;
    double jump = 1, offset = 0, field = 1;
    int classTokens = 0;  ///< in front of the image tokens in every attention map

    /// From the stored array [h, w, jump, offset, field, classTokens]; nothing when it is not one.
    static std::optional<TokenGrid> fromArray(std::span<const float> values);

    bool isValid() const { return rows > 0 && cols > 0 && jump > 0; }
    int tokens() const { return rows * cols; }
    int rowOf(int token) const { return cols > 0 ? token / cols : 0; }
    int colOf(int token) const { return cols > 0 ? token % cols : 0; }
    /// Pixel index of the centre; 2.5 lies on the border of pixels 2 and 3.
    QPointF center(int token) const { return {jump * colOf(token) + offset, jump * rowOf(token) + offset}; }
    /// The token whose centre is nearest to a pixel index.
    int tokenAt(QPointF pixel) const;
    /// What the token sees, in image coordinates where pixel 0 spans 0…1.
    QRectF fieldRect(int token) const;
    bool operator==(const TokenGrid&) const = default;
};

enum class Sampling { Nearest, Bilinear };

/// Token values (rows·cols, row-major) at every pixel of an image of width × height, drawn `scale` times as large:
/// width·scale × height·scale values. The grid is sampled at u = (pixel index − offset)/jump, clamped to its edge, so
/// for a convolutional tokenizer at u = x/jump.
std::vector<float> sampleTokens(std::span<const float> values, const TokenGrid& grid, int width, int height,
                                Sampling sampling, double scale = 1);

}  // namespace espalier::widgets
