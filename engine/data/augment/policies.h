#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "engine/data/augment/geometry_ops.h"
#include "engine/data/augment/sample_rng.h"

/// Random policies made of the operations: which, how strong, how often.
namespace espalier::data::augment {

enum class Op { ShearX, ShearY, TranslateX, TranslateY, Rotate, Color, Posterize, Solarize, Contrast, Sharpness, Brightness, AutoContrast, Equalize, Invert };

/// One half of a pair of the CIFAR-10 policy: strength is an index 0…9 into the operation's range.
struct PolicyStep {
    Op op;
    double probability;
    int strength;
};
using PolicyPair = std::array<PolicyStep, 2>;

/// The 25 pairs of AutoAugment for CIFAR-10 (card 70, section 10).
const std::vector<PolicyPair>& cifar10Policy();
/// Strength 0…9 to the operation's own unit: shear 0–0.3, translate 0–150/331 of the side, degrees 0–30, 0–0.9, bits 8–4, threshold 256–0.
double policyMagnitude(Op op, int strength);
/// Recipe Q's operation, as its public training script has it: positive translation moves the picture left or up by a
/// fraction of the side, shear is bicubic, solarize runs 256→0, rotation is always positive. `sign` is ±1.
Image8 applyRecipeQ(const Image8& image, Op op, double magnitude, double sign, const Fill& fill = kGreyFill);
/// Picks one pair; each half fires with its own probability.
Image8 autoAugmentCifar10(Image8 image, SampleRng& rng);

/// The fifteen "increasing" operations of timm's RandAugment.
enum class RandOp { AutoContrast, Equalize, Invert, Rotate, Posterize, Solarize, SolarizeAdd, Color, Contrast, Brightness, Sharpness, ShearX, ShearY, TranslateX, TranslateY };
constexpr int kRandOps = 15;
/// Level 0…10 to the operation's argument; signed ones get their sign from `sign` (±1).
double randArgument(RandOp op, double level, double sign);
Image8 applyRandOp(const Image8& image, RandOp op, double argument, Interpolation interpolation, const Fill& fill);
/// Two operations, each with probability one half, level normal(9, 0.5) cut to 0…10, bilinear or bicubic by chance.
Image8 randAugment(Image8 image, const Fill& fill, SampleRng& rng);

/// Area in [scaleMin, 1] of the picture, aspect 3/4…4/3, then resized to `size` with bilinear or bicubic by chance.
Image8 randomResizedCrop(const Image8& image, int size, double scaleMin, SampleRng& rng);

}  // namespace espalier::data::augment
