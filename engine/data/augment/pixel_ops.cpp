#include "engine/data/augment/pixel_ops.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace espalier::data::augment {

namespace {

using Table = std::array<std::uint8_t, 256>;

void mapValues(Image8& image, const Table& table) {
    for (std::uint8_t& value : image.pixels) value = table[value];
}

void mapChannel(Image8& image, int channel, const Table& table) {
    for (std::size_t i = static_cast<std::size_t>(channel); i < image.pixels.size(); i += static_cast<std::size_t>(image.channels))
        image.pixels[i] = table[image.pixels[i]];
}

std::array<int, 256> histogram(const Image8& image, int channel) {
    std::array<int, 256> counts{};
    for (std::size_t i = static_cast<std::size_t>(channel); i < image.pixels.size(); i += static_cast<std::size_t>(image.channels))
        ++counts[image.pixels[i]];
    return counts;
}

/// a + factor·(b − a) in float32, cut to 0…255 and truncated: PIL's Image.blend.
std::uint8_t blend(int a, int b, float factor) {
    const float value = static_cast<float>(a) + factor * static_cast<float>(b - a);
    return value <= 0.0f ? 0 : value >= 255.0f ? 255 : static_cast<std::uint8_t>(value);
}

}  // namespace

int luma(const std::uint8_t* rgb) { return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16; }

void invert(Image8& image) {
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(255 - value);
}

void posterize(Image8& image, int bits) {
    if (bits >= 8) return;
    const int mask = bits <= 0 ? 0 : ~((1 << (8 - bits)) - 1);
    for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(value & mask);
}

void solarize(Image8& image, double threshold) {
    Table table;
    for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i < threshold ? i : 255 - i);
    mapValues(image, table);
}

void solarizeAdd(Image8& image, int add, int threshold) {
    Table table;
    for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i < threshold ? std::min(255, i + add) : i);
    mapValues(image, table);
}

void autoContrast(Image8& image) {
    for (int channel = 0; channel < image.channels; ++channel) {
        const auto counts = histogram(image, channel);
        int low = 0, high = 255;
        while (low < 255 && counts[static_cast<std::size_t>(low)] == 0) ++low;
        while (high > 0 && counts[static_cast<std::size_t>(high)] == 0) --high;
        if (high <= low) continue;
        const double scale = 255.0 / (high - low), offset = -low * scale;
        Table table;
        for (int i = 0; i < 256; ++i)
            table[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::clamp(static_cast<int>(i * scale + offset), 0, 255));
        mapChannel(image, channel, table);
    }
}

void equalize(Image8& image) {
    for (int channel = 0; channel < image.channels; ++channel) {
        const auto counts = histogram(image, channel);
        int filled = 0, total = 0, last = 0;
        for (const int count : counts)
            if (count) ++filled, total += count, last = count;
        const int step = (total - last) / 255;
        if (filled <= 1 || step == 0) continue;
        Table table;
        int sum = step / 2;
        for (std::size_t i = 0; i < 256; ++i) {
            table[i] = static_cast<std::uint8_t>(std::min(sum / step, 255));
            sum += counts[i];
        }
        mapChannel(image, channel, table);
    }
}

void adjustColor(Image8& image, double factor) {
    if (image.channels != 3) return;
    const float f = static_cast<float>(factor);
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
        const int grey = luma(&image.pixels[i]);
        for (std::size_t c = 0; c < 3; ++c) image.pixels[i + c] = blend(grey, image.pixels[i + c], f);
    }
}

void adjustContrast(Image8& image, double factor) {
    const auto channels = static_cast<std::size_t>(image.channels);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < image.pixels.size(); i += channels) sum += channels == 3 ? luma(&image.pixels[i]) : image.pixels[i];
    const double count = static_cast<double>(image.pixels.size() / channels);
    const int mean = static_cast<int>(static_cast<double>(sum) / count + 0.5);
    Table table;
    for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = blend(mean, i, static_cast<float>(factor));
    mapValues(image, table);
}

void adjustBrightness(Image8& image, double factor) {
    Table table;
    for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = blend(0, i, static_cast<float>(factor));
    mapValues(image, table);
}

void adjustSharpness(Image8& image, double factor) {
    const int width = image.width, height = image.height, channels = image.channels, stride = width * channels;
    const float f = static_cast<float>(factor);
    const std::vector<std::uint8_t> source = image.pixels;
    // The degenerate picture is smoothed by (1 1 1; 1 5 1; 1 1 1) / 13; its border is the original's, so nothing changes there.
    for (int y = 1; y + 1 < height; ++y)
        for (int i = y * stride + channels; i < (y + 1) * stride - channels; ++i) {
            const std::uint8_t* at = &source[static_cast<std::size_t>(i)];
            const int sum = at[-stride - channels] + at[-stride] + at[-stride + channels] + at[-channels] + 5 * at[0] + at[channels] +
                            at[stride - channels] + at[stride] + at[stride + channels];
            image.pixels[static_cast<std::size_t>(i)] = blend((2 * sum + 13) / 26, at[0], f);
        }
}

}  // namespace espalier::data::augment
