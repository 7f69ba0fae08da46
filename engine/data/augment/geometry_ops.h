#pragma once

#include <array>

#include "engine/feed/dataset.h"

/// Operations that move pixels, with the sampling rules of the Python Imaging Library.
namespace espalier::data::augment {

using feed::Image8;

enum class Interpolation { Nearest, Bilinear, Bicubic };
/// Colour for places that no source pixel covers.
using Fill = std::array<std::uint8_t, 3>;
constexpr Fill kGreyFill{128, 128, 128};

/// Output (x, y) takes the source at (m0 x + m1 y + m2, m3 x + m4 y + m5), pixel centres at one half.
Image8 affine(const Image8& image, const std::array<double, 6>& matrix, Interpolation interpolation, const Fill& fill);
/// Counter-clockwise about the middle.
Image8 rotate(const Image8& image, double degrees, Interpolation interpolation, const Fill& fill);
void flipHorizontally(Image8& image);
/// Zeros around, then a window of the original size at (left, top) of the padded picture.
Image8 padAndCrop(const Image8& image, int padding, int left, int top);
Image8 crop(const Image8& image, int left, int top, int width, int height);
/// Antialiased: the filter widens when the picture shrinks. Bicubic with a = −0.5. Nearest is not offered.
Image8 resize(const Image8& image, int width, int height, Interpolation interpolation);

}  // namespace espalier::data::augment
