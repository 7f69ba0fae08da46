#include "engine/data/augment/policies.h"

#include <algorithm>
#include <cmath>

#include "engine/data/augment/pixel_ops.h"

namespace espalier::data::augment {

namespace {

constexpr double kRandLevel = 9.0, kRandSpread = 0.5, kLevelRange = 10.0;
constexpr int kRandLayers = 2, kCropTries = 10;

Image8 shearX(const Image8& image, double by, Interpolation how, const Fill& fill) { return affine(image, {1, by, 0, 0, 1, 0}, how, fill); }
Image8 shearY(const Image8& image, double by, Interpolation how, const Fill& fill) { return affine(image, {1, 0, 0, by, 1, 0}, how, fill); }
Image8 shift(const Image8& image, double x, double y, Interpolation how, const Fill& fill) { return affine(image, {1, 0, x, 0, 1, y}, how, fill); }

}  // namespace

const std::vector<PolicyPair>& cifar10Policy() {
    using enum Op;
    static const std::vector<PolicyPair> kPairs{
        {{{Invert, 0.1, 7}, {Contrast, 0.2, 6}}},     {{{Rotate, 0.7, 2}, {TranslateX, 0.3, 9}}},
        {{{Sharpness, 0.8, 1}, {Sharpness, 0.9, 3}}}, {{{ShearY, 0.5, 8}, {TranslateY, 0.7, 9}}},
        {{{AutoContrast, 0.5, 8}, {Equalize, 0.9, 2}}}, {{{ShearY, 0.2, 7}, {Posterize, 0.3, 7}}},
        {{{Color, 0.4, 3}, {Brightness, 0.6, 7}}},    {{{Sharpness, 0.3, 9}, {Brightness, 0.7, 9}}},
        {{{Equalize, 0.6, 5}, {Equalize, 0.5, 1}}},   {{{Contrast, 0.6, 7}, {Sharpness, 0.6, 5}}},
        {{{Color, 0.7, 7}, {TranslateX, 0.5, 8}}},    {{{Equalize, 0.3, 7}, {AutoContrast, 0.4, 8}}},
        {{{TranslateY, 0.4, 3}, {Sharpness, 0.2, 6}}}, {{{Brightness, 0.9, 6}, {Color, 0.2, 8}}},
        {{{Solarize, 0.5, 2}, {Invert, 0.0, 3}}},     {{{Equalize, 0.2, 0}, {AutoContrast, 0.6, 0}}},
        {{{Equalize, 0.2, 8}, {Equalize, 0.6, 4}}},   {{{Color, 0.9, 9}, {Equalize, 0.6, 6}}},
        {{{AutoContrast, 0.8, 4}, {Solarize, 0.2, 8}}}, {{{Brightness, 0.1, 3}, {Color, 0.7, 0}}},
        {{{Solarize, 0.4, 5}, {AutoContrast, 0.9, 3}}}, {{{TranslateY, 0.9, 9}, {TranslateY, 0.7, 9}}},
        {{{AutoContrast, 0.9, 2}, {Solarize, 0.8, 3}}}, {{{Equalize, 0.8, 8}, {Invert, 0.1, 3}}},
        {{{TranslateY, 0.7, 9}, {AutoContrast, 0.9, 1}}}};
    return kPairs;
}

double policyMagnitude(Op op, int strength) {
    const double t = strength / 9.0;
    switch (op) {
        case Op::ShearX: case Op::ShearY: return 0.3 * t;
        case Op::TranslateX: case Op::TranslateY: return 150.0 / 331.0 * t;
        case Op::Rotate: return 30.0 * t;
        case Op::Color: case Op::Contrast: case Op::Sharpness: case Op::Brightness: return 0.9 * t;
        case Op::Posterize: return std::nearbyint(8.0 - 4.0 * t);
        case Op::Solarize: return 256.0 - 256.0 * t;
        default: return 0.0;
    }
}

Image8 applyRecipeQ(const Image8& image, Op op, double magnitude, double sign, const Fill& fill) {
    Image8 out;
    switch (op) {
        case Op::ShearX: return shearX(image, magnitude * sign, Interpolation::Bicubic, fill);
        case Op::ShearY: return shearY(image, magnitude * sign, Interpolation::Bicubic, fill);
        case Op::TranslateX: return shift(image, magnitude * image.width * sign, 0, Interpolation::Nearest, fill);
        case Op::TranslateY: return shift(image, 0, magnitude * image.height * sign, Interpolation::Nearest, fill);
        case Op::Rotate: return rotate(image, magnitude, Interpolation::Nearest, fill);
        default: break;
    }
    out = image;
    switch (op) {
        case Op::Color: adjustColor(out, 1 + magnitude * sign); break;
        case Op::Contrast: adjustContrast(out, 1 + magnitude * sign); break;
        case Op::Sharpness: adjustSharpness(out, 1 + magnitude * sign); break;
        case Op::Brightness: adjustBrightness(out, 1 + magnitude * sign); break;
        case Op::Posterize: posterize(out, static_cast<int>(magnitude)); break;
        case Op::Solarize: solarize(out, magnitude); break;
        case Op::AutoContrast: autoContrast(out); break;
        case Op::Equalize: equalize(out); break;
        default: invert(out); break;
    }
    return out;
}

Image8 autoAugmentCifar10(Image8 image, SampleRng& rng) {
    const auto& pairs = cifar10Policy();
    for (const PolicyStep& step : pairs[static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(pairs.size())))]) {
        const bool fires = rng.chance(step.probability);
        const double sign = rng.chance(0.5) ? 1.0 : -1.0;
        if (fires) image = applyRecipeQ(image, step.op, policyMagnitude(step.op, step.strength), sign);
    }
    return image;
}

double randArgument(RandOp op, double level, double sign) {
    const double t = level / kLevelRange;
    switch (op) {
        case RandOp::Rotate: return 30.0 * t * sign;
        case RandOp::Posterize: return 4 - static_cast<int>(t * 4);
        case RandOp::Solarize: return 256 - std::min(256, static_cast<int>(t * 256));
        case RandOp::SolarizeAdd: return std::min(128, static_cast<int>(t * 110));
        case RandOp::Color: case RandOp::Contrast: case RandOp::Brightness: case RandOp::Sharpness: return std::max(0.1, 1.0 + 0.9 * t * sign);
        case RandOp::ShearX: case RandOp::ShearY: return 0.3 * t * sign;
        case RandOp::TranslateX: case RandOp::TranslateY: return 0.45 * t * sign;
        default: return 0.0;
    }
}

Image8 applyRandOp(const Image8& image, RandOp op, double argument, Interpolation interpolation, const Fill& fill) {
    switch (op) {
        case RandOp::Rotate: return rotate(image, argument, interpolation, fill);
        case RandOp::ShearX: return shearX(image, argument, interpolation, fill);
        case RandOp::ShearY: return shearY(image, argument, interpolation, fill);
        case RandOp::TranslateX: return shift(image, argument * image.width, 0, interpolation, fill);
        case RandOp::TranslateY: return shift(image, 0, argument * image.height, interpolation, fill);
        default: break;
    }
    Image8 out = image;
    switch (op) {
        case RandOp::AutoContrast: autoContrast(out); break;
        case RandOp::Equalize: equalize(out); break;
        case RandOp::Invert: invert(out); break;
        case RandOp::Posterize: posterize(out, static_cast<int>(argument)); break;
        case RandOp::Solarize: solarize(out, argument); break;
        case RandOp::SolarizeAdd: solarizeAdd(out, static_cast<int>(argument)); break;
        case RandOp::Color: adjustColor(out, argument); break;
        case RandOp::Contrast: adjustContrast(out, argument); break;
        case RandOp::Brightness: adjustBrightness(out, argument); break;
        default: adjustSharpness(out, argument); break;
    }
    return out;
}

Image8 randAugment(Image8 image, const Fill& fill, SampleRng& rng) {
    RandOp ops[kRandLayers];
    for (RandOp& op : ops) op = static_cast<RandOp>(rng.below(kRandOps));
    for (const RandOp op : ops) {
        const bool fires = rng.chance(0.5);
        const double level = std::clamp(kRandLevel + kRandSpread * rng.normal(), 0.0, kLevelRange), sign = rng.chance(0.5) ? 1.0 : -1.0;
        const Interpolation interpolation = rng.chance(0.5) ? Interpolation::Bilinear : Interpolation::Bicubic;
        if (fires) image = applyRandOp(image, op, randArgument(op, level, sign), interpolation, fill);
    }
    return image;
}

Image8 randomResizedCrop(const Image8& image, int size, double scaleMin, SampleRng& rng) {
    const Interpolation interpolation = rng.chance(0.5) ? Interpolation::Bilinear : Interpolation::Bicubic;
    const double area = double(image.width) * image.height, logAspect = std::log(4.0 / 3.0);
    for (int tries = 0; tries < kCropTries; ++tries) {
        const double target = area * rng.between(scaleMin, 1.0), aspect = std::exp(rng.between(-logAspect, logAspect));
        const int width = static_cast<int>(std::nearbyint(std::sqrt(target * aspect))), height = static_cast<int>(std::nearbyint(std::sqrt(target / aspect)));
        if (width < 1 || height < 1 || width > image.width || height > image.height) continue;
        const int top = static_cast<int>(rng.below(image.height - height + 1)), left = static_cast<int>(rng.below(image.width - width + 1));
        return resize(crop(image, left, top, width, height), size, size, interpolation);
    }
    const double aspect = std::clamp(double(image.width) / image.height, 3.0 / 4.0, 4.0 / 3.0);
    const int width = std::min(image.width, static_cast<int>(std::nearbyint(image.height * aspect)));
    const int height = std::min(image.height, static_cast<int>(std::nearbyint(image.width / aspect)));
    return resize(crop(image, (image.width - width) / 2, (image.height - height) / 2, width, height), size, size, interpolation);
}

}  // namespace espalier::data::augment
