#include "engine/intake/bmp_decoder.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/intake/image_decoding.h"

namespace espalier::intake {
namespace {

constexpr std::uint32_t kBitFields = 3;

/// Where a channel's bits lie in a pixel.
struct Channel {
    std::uint32_t mask = 0;
    int value(std::uint32_t pixel) const {
        if (mask == 0) return 0;
        const int shift = std::countr_zero(mask);
        const std::uint32_t most = mask >> shift, stored = (pixel & mask) >> shift;
        return static_cast<int>((stored * 255 + most / 2) / most);
    }
    /// Bits in a row.
    bool isSane() const { return mask <= 0xFFFF && (mask == 0 || std::has_single_bit((mask >> std::countr_zero(mask)) + 1)); }
};

/// Red, green, blue, alpha.
std::array<Channel, 4> channelsOf(std::string_view bytes) {
    ByteReader reader(bytes);
    if (reader.u32(30) != kBitFields) return {Channel{0x7C00}, Channel{0x03E0}, Channel{0x001F}, Channel{0}};
    const bool hasAlpha = reader.u32(14) >= 56;
    return {Channel{reader.u32(54)}, Channel{reader.u32(58)}, Channel{reader.u32(62)}, Channel{hasAlpha ? reader.u32(66) : 0}};
}

}  // namespace

bool isTwoByteBitmap(std::string_view bytes, const ImageProbe& probe) {
    ByteReader reader(bytes);
    const std::uint32_t compression = reader.u32(30);
    return probe.kind == ImageKind::Bmp && probe.bitDepth == 16 && reader.u32(14) >= 40 && (compression == 0 || compression == kBitFields);
}

tl::expected<feed::Image8, ImageTrouble> decodeTwoByteBitmap(std::string_view bytes, const ImageProbe& probe) {
    const auto channels = channelsOf(bytes);
    if (!std::all_of(channels.begin(), channels.end(), [](const Channel& channel) { return channel.isSane(); }) || probe.height == 0)
        return tl::unexpected(ImageTrouble{"corrupt_image", "is damaged: the BMP says that the bits of a colour lie apart"});
    ByteReader reader(bytes);
    const std::uint64_t start = reader.u32(10), rowBytes = (static_cast<std::uint64_t>(probe.width) * 2 + 3) / 4 * 4;
    const bool isTopDown = static_cast<std::int32_t>(reader.u32(22)) < 0;
    feed::Image8 image{static_cast<int>(probe.width), static_cast<int>(probe.height), 3, {}};
    image.pixels.resize(static_cast<std::size_t>(3 * probe.width * probe.height));
    std::vector<std::uint8_t> alphas;
    for (std::int64_t y = 0; y < probe.height; ++y) {
        const std::uint64_t row = start + rowBytes * static_cast<std::uint64_t>(isTopDown ? y : probe.height - 1 - y);
        for (std::int64_t x = 0; x < probe.width; ++x) {
            const std::uint32_t pixel = reader.u16(row + 2 * static_cast<std::uint64_t>(x));
            std::uint8_t* out = &image.pixels[static_cast<std::size_t>(3 * (y * probe.width + x))];
            for (std::size_t c = 0; c < 3; ++c) out[c] = static_cast<std::uint8_t>(channels[c].value(pixel));
            if (channels[3].mask != 0) alphas.push_back(static_cast<std::uint8_t>(channels[3].value(pixel)));
        }
    }
    if (reader.isPastEnd()) return tl::unexpected(ImageTrouble{"truncated_image", "is truncated: the BMP ends before its last row"});
    // An alpha of zero everywhere is one that nobody wrote.
    if (std::all_of(alphas.begin(), alphas.end(), [](std::uint8_t alpha) { return alpha == 0; })) return image;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = overWhite(image.pixels[i], alphas[i / 3], false);
    return image;
}

}  // namespace espalier::intake
