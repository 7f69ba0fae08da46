#pragma once

#include <QColor>
#include <QImage>
#include <QRgb>

#include <array>
#include <span>

namespace espalier::widgets {

/// 256 steps of a colour map. Identical in every theme and in exported figures.
using ColorMap = std::array<QRgb, 256>;

/// viridis, for magnitudes.
const ColorMap& viridis();
/// Blue – neutral – vermilion, for signed values; always used symmetric about zero.
const ColorMap& signedMap();

/// Position 0…1 in a map; values outside are clamped, NaN is transparent.
QRgb mapColor(const ColorMap& map, double position);

/// Row-major values to a picture; low…high span the map. NaN stays transparent.
QImage mapImage(std::span<const float> values, int width, int height, double low, double high, const ColorMap& map);

/// Colour for a bit width in allocation strips: viridis steps, more bits darker.
QColor bitsColor(double bits);

}  // namespace espalier::widgets
