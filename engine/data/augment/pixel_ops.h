#pragma once

#include "engine/feed/dataset.h"

/// Operations on single pixels or small neighbourhoods, in place, with the rounding of the Python Imaging Library:
/// that is what published recipes were trained with.
namespace espalier::data::augment {

using feed::Image8;

void invert(Image8& image);
/// Keeps the upper `bits` of each value; 8 and more change nothing, 0 gives black.
void posterize(Image8& image, int bits);
/// Inverts values at or above the threshold.
void solarize(Image8& image, double threshold);
/// Adds to values below the threshold, up to 255.
void solarizeAdd(Image8& image, int add, int threshold = 128);
/// Stretches each channel to 0…255.
void autoContrast(Image8& image);
/// Flattens each channel's histogram.
void equalize(Image8& image);

// Blends with a degenerate picture: factor 0 = degenerate, 1 = unchanged, above 1 = further away.
void adjustColor(Image8& image, double factor);
void adjustContrast(Image8& image, double factor);
void adjustBrightness(Image8& image, double factor);
void adjustSharpness(Image8& image, double factor);

/// Luma as PIL's conversion to "L": (19595 R + 38470 G + 7471 B + 32768) >> 16.
int luma(const std::uint8_t* rgb);

}  // namespace espalier::data::augment
