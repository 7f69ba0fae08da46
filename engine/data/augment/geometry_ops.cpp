#include "engine/data/augment/geometry_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace espalier::data::augment {

namespace {

constexpr double kDegrees = 3.14159265358979323846 / 180.0;

Image8 filled(const Image8& like, const Fill& fill) {
    Image8 out{like.width, like.height, like.channels, std::vector<std::uint8_t>(like.pixels.size())};
    for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = fill[like.channels == 1 ? 0 : i % 3];
    return out;
}

/// PIL steps in 16.16 fixed point; the same sums give the same pixels on edges.
Image8 affineNearest(const Image8& image, const std::array<double, 6>& m, const Fill& fill) {
    Image8 out = filled(image, fill);
    const auto fix = [](double v) { return static_cast<std::int64_t>(std::floor(v * 65536.0 + 0.5)); };
    const std::int64_t stepX = fix(m[0]), stepY = fix(m[3]), rowX = fix(m[1]), rowY = fix(m[4]);
    std::int64_t startX = fix(m[2] + m[0] * 0.5 + m[1] * 0.5), startY = fix(m[5] + m[3] * 0.5 + m[4] * 0.5);
    const int channels = image.channels;
    for (int y = 0; y < image.height; ++y, startX += rowX, startY += rowY) {
        std::int64_t atX = startX, atY = startY;
        for (int x = 0; x < image.width; ++x, atX += stepX, atY += stepY) {
            const std::int64_t fromX = atX >> 16, fromY = atY >> 16;
            if (fromX < 0 || fromX >= image.width || fromY < 0 || fromY >= image.height) continue;
            std::memcpy(&out.pixels[static_cast<std::size_t>((y * image.width + x) * channels)],
                        &image.pixels[static_cast<std::size_t>((fromY * image.width + fromX) * channels)], static_cast<std::size_t>(channels));
        }
    }
    return out;
}

double cubic(double v1, double v2, double v3, double v4, double d) {
    const double p2 = -v1 + v3, p3 = 2 * (v1 - v2) + v3 - v4, p4 = -v1 + v2 - v3 + v4;
    return v2 + d * (p2 + d * (p3 + d * p4));
}

struct Taps {
    int first = 0;
    double fraction = 0.0;
};

Taps tapsAt(double position) {
    const double shifted = position - 0.5, whole = std::floor(shifted);
    return {static_cast<int>(whole), shifted - whole};
}

void sampleBilinear(const Image8& image, double x, double y, std::uint8_t* out) {
    const Taps tx = tapsAt(x), ty = tapsAt(y);
    const int x0 = std::clamp(tx.first, 0, image.width - 1), x1 = std::clamp(tx.first + 1, 0, image.width - 1);
    const int y0 = std::clamp(ty.first, 0, image.height - 1), y1 = std::clamp(ty.first + 1, 0, image.height - 1), c = image.channels;
    const std::uint8_t *upper = &image.pixels[static_cast<std::size_t>(y0 * image.width * c)], *lower = &image.pixels[static_cast<std::size_t>(y1 * image.width * c)];
    for (int i = 0; i < c; ++i) {
        const double a = upper[x0 * c + i] + (upper[x1 * c + i] - upper[x0 * c + i]) * tx.fraction;
        const double b = lower[x0 * c + i] + (lower[x1 * c + i] - lower[x0 * c + i]) * tx.fraction;
        out[i] = static_cast<std::uint8_t>(a + (b - a) * ty.fraction);
    }
}

void sampleBicubic(const Image8& image, double x, double y, std::uint8_t* out) {
    const Taps tx = tapsAt(x), ty = tapsAt(y);
    int columns[4], rows[4];
    const int c = image.channels;
    for (int k = 0; k < 4; ++k) {
        columns[k] = std::clamp(tx.first - 1 + k, 0, image.width - 1) * c;
        rows[k] = std::clamp(ty.first - 1 + k, 0, image.height - 1) * image.width * c;
    }
    for (int i = 0; i < c; ++i) {
        double lines[4];
        for (int k = 0; k < 4; ++k) {
            const std::uint8_t* line = &image.pixels[static_cast<std::size_t>(rows[k] + i)];
            lines[k] = cubic(line[columns[0]], line[columns[1]], line[columns[2]], line[columns[3]], tx.fraction);
        }
        const double value = cubic(lines[0], lines[1], lines[2], lines[3], ty.fraction);
        out[i] = value <= 0 ? 0 : value >= 255 ? 255 : static_cast<std::uint8_t>(value);
    }
}

double filterWeight(double x, Interpolation interpolation) {
    x = std::fabs(x);
    if (interpolation == Interpolation::Bilinear) return x < 1.0 ? 1.0 - x : 0.0;
    constexpr double a = -0.5;
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

/// Weights of the source pixels behind each output pixel of one axis.
struct AxisWeights {
    int taps = 0;
    std::vector<int> first, count;
    std::vector<float> weights;
};

AxisWeights weightsFor(int from, int to, Interpolation interpolation) {
    const double scale = double(from) / to, wide = std::max(scale, 1.0);
    const double support = (interpolation == Interpolation::Bilinear ? 1.0 : 2.0) * wide;
    AxisWeights axis;
    axis.taps = static_cast<int>(std::ceil(support)) * 2 + 1;
    axis.weights.assign(static_cast<std::size_t>(axis.taps * to), 0.0f);
    for (int i = 0; i < to; ++i) {
        const double centre = (i + 0.5) * scale;
        const int low = std::max(0, static_cast<int>(centre - support + 0.5)), high = std::min(from, static_cast<int>(centre + support + 0.5));
        std::vector<double> raw;
        double sum = 0.0;
        for (int x = low; x < high; ++x) {
            raw.push_back(filterWeight((x - centre + 0.5) / wide, interpolation));
            sum += raw.back();
        }
        axis.first.push_back(low);
        axis.count.push_back(high - low);
        for (std::size_t k = 0; k < raw.size(); ++k) axis.weights[static_cast<std::size_t>(i * axis.taps) + k] = static_cast<float>(sum != 0 ? raw[k] / sum : 0);
    }
    return axis;
}

std::uint8_t rounded(float value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f)); }

Image8 resizeColumns(const Image8& image, int width, Interpolation interpolation) {
    const AxisWeights axis = weightsFor(image.width, width, interpolation);
    const int c = image.channels;
    Image8 out{width, image.height, c, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * image.height * c)};
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < width; ++x) {
            float sum[4] = {};
            const std::uint8_t* from = &image.pixels[static_cast<std::size_t>((y * image.width + axis.first[x]) * c)];
            const float* weight = &axis.weights[static_cast<std::size_t>(x * axis.taps)];
            for (int k = 0; k < axis.count[x]; ++k)
                for (int i = 0; i < c; ++i) sum[i] += weight[k] * from[k * c + i];
            for (int i = 0; i < c; ++i) out.pixels[static_cast<std::size_t>((y * width + x) * c + i)] = rounded(sum[i]);
        }
    return out;
}

Image8 resizeRows(const Image8& image, int height, Interpolation interpolation) {
    const AxisWeights axis = weightsFor(image.height, height, interpolation);
    const int stride = image.width * image.channels;
    Image8 out{image.width, height, image.channels, std::vector<std::uint8_t>(static_cast<std::size_t>(stride) * height)};
    std::vector<float> sums(static_cast<std::size_t>(stride));
    for (int y = 0; y < height; ++y) {
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (int k = 0; k < axis.count[y]; ++k) {
            const std::uint8_t* from = &image.pixels[static_cast<std::size_t>(axis.first[y] + k) * stride];
            const float weight = axis.weights[static_cast<std::size_t>(y * axis.taps + k)];
            for (int i = 0; i < stride; ++i) sums[static_cast<std::size_t>(i)] += weight * from[i];
        }
        for (int i = 0; i < stride; ++i) out.pixels[static_cast<std::size_t>(y * stride + i)] = rounded(sums[static_cast<std::size_t>(i)]);
    }
    return out;
}

}  // namespace

Image8 affine(const Image8& image, const std::array<double, 6>& m, Interpolation interpolation, const Fill& fill) {
    if (interpolation == Interpolation::Nearest) return affineNearest(image, m, fill);
    Image8 out = filled(image, fill);
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) {
            const double fromX = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2], fromY = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
            if (fromX < 0 || fromX >= image.width || fromY < 0 || fromY >= image.height) continue;
            std::uint8_t* to = &out.pixels[static_cast<std::size_t>((y * image.width + x) * image.channels)];
            interpolation == Interpolation::Bilinear ? sampleBilinear(image, fromX, fromY, to) : sampleBicubic(image, fromX, fromY, to);
        }
    return out;
}

Image8 rotate(const Image8& image, double degrees, Interpolation interpolation, const Fill& fill) {
    const double turn = std::fmod(std::fmod(degrees, 360.0) + 360.0, 360.0);
    if (turn == 0.0) return image;
    // Rounded to 15 places as PIL does, so that quarter turns are exact.
    const auto round15 = [](double v) { return std::round(v * 1e15) / 1e15; };
    const double c = round15(std::cos(-turn * kDegrees)), s = round15(std::sin(-turn * kDegrees));
    const double cx = image.width / 2.0, cy = image.height / 2.0;
    return affine(image, {c, s, -c * cx - s * cy + cx, -s, c, s * cx - c * cy + cy}, interpolation, fill);
}

void flipHorizontally(Image8& image) {
    const int c = image.channels;
    for (int y = 0; y < image.height; ++y) {
        std::uint8_t* row = &image.pixels[static_cast<std::size_t>(y * image.width * c)];
        for (int left = 0, right = image.width - 1; left < right; ++left, --right)
            for (int i = 0; i < c; ++i) std::swap(row[left * c + i], row[right * c + i]);
    }
}

Image8 padAndCrop(const Image8& image, int padding, int left, int top) {
    const int c = image.channels;
    Image8 out{image.width, image.height, c, std::vector<std::uint8_t>(image.pixels.size(), 0)};
    const int firstX = std::max(0, padding - left), lastX = std::min(image.width, image.width + padding - left);
    for (int y = 0; y < image.height; ++y) {
        const int fromY = y + top - padding;
        if (fromY < 0 || fromY >= image.height || lastX <= firstX) continue;
        std::memcpy(&out.pixels[static_cast<std::size_t>((y * image.width + firstX) * c)],
                    &image.pixels[static_cast<std::size_t>((fromY * image.width + firstX + left - padding) * c)], static_cast<std::size_t>((lastX - firstX) * c));
    }
    return out;
}

Image8 crop(const Image8& image, int left, int top, int width, int height) {
    const int c = image.channels;
    Image8 out{width, height, c, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * c)};
    for (int y = 0; y < height; ++y)
        std::memcpy(&out.pixels[static_cast<std::size_t>(y * width * c)],
                    &image.pixels[static_cast<std::size_t>(((top + y) * image.width + left) * c)], static_cast<std::size_t>(width * c));
    return out;
}

Image8 resize(const Image8& image, int width, int height, Interpolation interpolation) {
    if (image.width == width && image.height == height) return image;
    const Image8 narrow = image.width == width ? image : resizeColumns(image, width, interpolation);
    return narrow.height == height ? narrow : resizeRows(narrow, height, interpolation);
}

}  // namespace espalier::data::augment
