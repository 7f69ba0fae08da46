#include "engine/intake/gif_decoder.h"

#include <array>
#include <string>
#include <vector>

namespace espalier::intake {
namespace {

constexpr int kMaxCodes = 4096;

tl::unexpected<ImageTrouble> truncated() {
    return tl::unexpected(ImageTrouble{"truncated_image", "is truncated: the GIF ends within its first frame"});
}
tl::unexpected<ImageTrouble> corrupt(const char* how) {
    return tl::unexpected(ImageTrouble{"corrupt_image", std::string("is damaged: ") + how});
}

/// Concatenates the sub-blocks that start at `at`, which moves behind their terminator. False when they do not end.
bool readSubBlocks(std::string_view bytes, std::size_t& at, std::string& data) {
    while (at < bytes.size()) {
        const auto length = static_cast<std::uint8_t>(bytes[at++]);
        if (length == 0) return true;
        if (bytes.size() - at < length) return false;
        data.append(bytes.substr(at, length));
        at += length;
    }
    return false;
}

/// Variable-width LZW, least significant bit first. Returns false on a code that cannot occur. `indices` stops growing
/// at `wanted`, so no input can make it larger.
bool decompress(std::string_view data, int minBits, std::size_t wanted, std::vector<std::uint8_t>& indices) {
    const int clear = 1 << minBits, end = clear + 1;
    std::array<std::uint16_t, kMaxCodes> prefix{};
    std::array<std::uint8_t, kMaxCodes> suffix{}, stack{};
    for (int i = 0; i < clear; ++i) suffix[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
    int width = minBits + 1, next = clear + 2, previous = -1;
    std::uint8_t first = 0;
    std::uint32_t bits = 0;
    int held = 0;
    for (std::size_t at = 0; indices.size() < wanted;) {
        while (held < width) {
            if (at >= data.size()) return true;  // short: the caller sees it by the count
            bits |= std::uint32_t(static_cast<std::uint8_t>(data[at++])) << held;
            held += 8;
        }
        const int code = static_cast<int>(bits & ((1u << width) - 1));
        bits >>= width;
        held -= width;
        if (code == clear) {
            width = minBits + 1;
            next = clear + 2;
            previous = -1;
            continue;
        }
        if (code == end) return true;
        if (previous < 0) {
            if (code > end || code >= clear) return false;
            first = static_cast<std::uint8_t>(code);
            indices.push_back(first);
            previous = code;
            continue;
        }
        if (code > next) return false;
        std::size_t depth = 0;
        int walk = code;
        if (code == next) {
            stack[depth++] = first;
            walk = previous;
        }
        while (walk >= clear) {
            if (depth + 1 >= stack.size() || walk >= next) return false;
            stack[depth++] = suffix[static_cast<std::size_t>(walk)];
            walk = prefix[static_cast<std::size_t>(walk)];
        }
        first = static_cast<std::uint8_t>(walk);
        stack[depth++] = first;
        while (depth > 0 && indices.size() < wanted) indices.push_back(stack[--depth]);
        if (next < kMaxCodes) {
            prefix[static_cast<std::size_t>(next)] = static_cast<std::uint16_t>(previous);
            suffix[static_cast<std::size_t>(next)] = first;
            ++next;
            if (next == (1 << width) && width < 12) ++width;
        }
        previous = code;
    }
    return true;
}

/// Row of the picture that the i-th stored row belongs to.
std::vector<int> rowOrder(int height, bool isInterlaced) {
    std::vector<int> rows;
    if (!isInterlaced) {
        for (int y = 0; y < height; ++y) rows.push_back(y);
        return rows;
    }
    static constexpr int kStart[]{0, 4, 2, 1}, kStep[]{8, 8, 4, 2};
    for (int pass = 0; pass < 4; ++pass)
        for (int y = kStart[pass]; y < height; y += kStep[pass]) rows.push_back(y);
    return rows;
}

/// Whether the parts from `at` on lead to the end mark; what follows it does not matter.
bool reachesEnd(std::string_view bytes, std::size_t at) {
    std::string ignored;
    while (at < bytes.size()) {
        const auto block = static_cast<std::uint8_t>(bytes[at++]);
        if (block != 0x21 && block != 0x2C) return true;  // the end mark, or bytes that viewers take for it
        if (block == 0x21) {
            ++at;
        } else {
            const int flags = ByteReader(bytes).u8(at + 8);
            at += 10 + (flags & 0x80 ? std::size_t(3) << ((flags & 7) + 1) : 0);
        }
        ignored.clear();
        if (!readSubBlocks(bytes, at, ignored)) return false;
    }
    return false;
}

}  // namespace

tl::expected<feed::Image8, ImageTrouble> decodeGif(std::string_view bytes, ImageRemarks* remarks) {
    ByteReader reader(bytes);
    const int canvasWidth = reader.u16(6), canvasHeight = reader.u16(8), flags = reader.u8(10);
    std::size_t at = 13;
    std::string_view palette;
    if (flags & 0x80) {
        palette = bytes.substr(std::min(at, bytes.size()), std::size_t(3) << ((flags & 7) + 1));
        at += std::size_t(3) << ((flags & 7) + 1);
    }
    int clearIndex = -1;
    while (at < bytes.size()) {
        const auto block = static_cast<std::uint8_t>(bytes[at++]);
        if (block == 0x3B) return corrupt("the GIF has no frame");
        if (block == 0x21) {
            const int label = reader.u8(at++);
            std::string data;
            if (!readSubBlocks(bytes, at, data)) return truncated();
            if (label == 0xF9 && data.size() >= 4)
                clearIndex = (data[0] & 1) ? static_cast<std::uint8_t>(data[3]) : -1;
            continue;
        }
        if (block != 0x2C) return corrupt("the GIF has a part of unknown kind");
        const int left = reader.u16(at), top = reader.u16(at + 2), width = reader.u16(at + 4),
                  height = reader.u16(at + 6), frameFlags = reader.u8(at + 8);
        at += 9;
        if (frameFlags & 0x80) {
            palette = bytes.substr(std::min(at, bytes.size()), std::size_t(3) << ((frameFlags & 7) + 1));
            at += std::size_t(3) << ((frameFlags & 7) + 1);
        }
        const int minBits = reader.u8(at++);
        if (reader.isPastEnd()) return truncated();
        if (palette.empty()) return corrupt("the GIF has no palette");
        if (minBits < 1 || minBits > 11) return corrupt("the GIF's code size is impossible");
        if (width == 0 || height == 0) return corrupt("the GIF's first frame has no pixels");
        if (std::int64_t(width) * height > kMaxPixels) return corrupt("the GIF's first frame claims too many pixels");
        std::string data;
        const bool isWhole = readSubBlocks(bytes, at, data);
        std::vector<std::uint8_t> indices;
        const std::size_t wanted = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
        // A code of 12 bits stands for at most 4,096 pixels: what the data cannot fill is not set aside.
        if (wanted / kMaxCodes > data.size()) return truncated();
        indices.reserve(wanted);
        if (!decompress(data, minBits, wanted, indices)) return corrupt("the GIF's codes make no sense");
        if (!isWhole || indices.size() < wanted) return truncated();
        if (remarks && !reachesEnd(bytes, at))
            remarks->push_back({"truncated_image", "is truncated: the GIF ends after " + std::to_string(bytes.size()) + " bytes; its first frame is whole and was kept"});
        feed::Image8 image{canvasWidth, canvasHeight, 3, {}};
        image.pixels.assign(std::size_t(3) * static_cast<std::size_t>(canvasWidth) * static_cast<std::size_t>(canvasHeight), 255);
        const std::vector<int> rows = rowOrder(height, (frameFlags & 0x40) != 0);
        for (int i = 0; i < height; ++i) {
            const int y = top + rows[static_cast<std::size_t>(i)];
            if (y >= canvasHeight) continue;
            for (int x = 0; x < width && left + x < canvasWidth; ++x) {
                const int index = indices[static_cast<std::size_t>(i) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
                const std::size_t color = 3 * static_cast<std::size_t>(index);
                if (index == clearIndex || color + 2 >= palette.size()) continue;
                std::uint8_t* pixel = image.pixels.data() +
                                      3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(canvasWidth) + static_cast<std::size_t>(left + x));
                for (std::size_t c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(palette[color + c]);
            }
        }
        return image;
    }
    return truncated();
}

}  // namespace espalier::intake
