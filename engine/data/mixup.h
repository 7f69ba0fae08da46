#pragma once

#include "engine/api/torch.h"

namespace espalier::data {

/// Half-open box of cutmix.
struct MixBox {
    std::int64_t top = 0, bottom = 0, left = 0, right = 0;
    std::int64_t area() const { return (bottom - top) * (right - left); }
};

/// Box of about (1 − lambda) of the area around a centre, cut at the borders.
MixBox cutBox(std::int64_t height, std::int64_t width, double lambda, std::int64_t centreY, std::int64_t centreX);
/// x ← lambda·x + (1 − lambda)·reversed batch, in place.
void applyMixup(at::Tensor& inputs, double lambda);
/// Takes the box from the reversed batch, in place; returns lambda corrected to the area.
double applyCutmix(at::Tensor& inputs, const MixBox& box);

}  // namespace espalier::data
