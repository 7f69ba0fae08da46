#pragma once

#include <QImage>

#include <span>

#include "widgets/heatmap/token_grid.h"

class QPainter;
class QRect;

namespace espalier::widgets {

/// Range and kind of a map's values. Signed ranges are symmetric about zero.
struct HeatRange {
    double low = 0, high = 1;
    bool isSigned = false;

    /// From the values' own least and greatest; signed: ± the greatest amount.
    static HeatRange of(std::span<const float> values, bool isSigned = false);
    void include(const HeatRange& other);
    double position(double value) const { return high > low ? (value - low) / (high - low) : 0.5 * isSigned; }
    bool operator==(const HeatRange&) const = default;
};

/// Token values as an opaque picture of the image's size times `scale`.
QImage heatImage(std::span<const float> values, const TokenGrid& grid, QSize image, const HeatRange& range,
                 Sampling sampling, double scale = 1);

/// The image, enlarged `scale` times without smoothing, under the map. The map's alpha is `opacity` times a share that
/// rises with the weight (with its amount for signed maps), so the image stays readable where little is attended.
QImage overlayImage(const QImage& image, std::span<const float> values, const TokenGrid& grid, const HeatRange& range,
                    Sampling sampling, double opacity, double scale = 1);

/// Horizontal bar of a colour map in a rectangle.
void paintColorBar(QPainter& painter, const QRect& rect, bool isSigned);

/// "0.0349", "−0.23": values of maps, as many places as so many figures of `scale` (or of the value) need; signed ones
/// get by with two.
QString heatText(double value, bool isSigned = false, double scale = 0, int figures = 3);

}  // namespace espalier::widgets
