#include <algorithm>
#include <cstdlib>

#include "engine/intake/image_probe.h"

namespace espalier::intake {
namespace {

tl::unexpected<ImageTrouble> truncated(const char* kind, std::string_view bytes) {
    return tl::unexpected(ImageTrouble{"truncated_image", std::string("is truncated: the ") + kind + " ends after " +
                                                              std::to_string(bytes.size()) + " bytes"});
}

/// One entry of a TIFF directory; BigTIFF has wider fields.
struct TiffDirectory {
    ByteReader& reader;
    bool isBigTiff;
    std::uint64_t entry = 0;

    int type() { return reader.u16(entry + 2); }
    std::uint64_t count() { return isBigTiff ? reader.at(entry + 4, 8) : reader.u32(entry + 4); }
    int valueBytes() {
        switch (type()) {
            case 3: return 2;
            case 4: return 4;
            case 16: return 8;
            default: return 1;
        }
    }
    std::uint64_t value(std::uint64_t index) {
        const std::uint64_t field = entry + (isBigTiff ? 12 : 8);
        const std::uint64_t room = isBigTiff ? 8 : 4;
        const auto size = static_cast<std::uint64_t>(valueBytes());
        const std::uint64_t start = count() * size <= room ? field
                                    : isBigTiff            ? reader.at(field, 8)
                                                           : reader.u32(field);
        return reader.at(start + index * size, valueBytes());
    }
};

}  // namespace

tl::expected<ImageProbe, ImageTrouble> probeTiff(std::string_view bytes) {
    ImageProbe probe;
    probe.kind = ImageKind::Tiff;
    const bool isBigEndian = bytes.substr(0, 2) == "MM";
    ByteReader reader(bytes, isBigEndian);
    const bool isBigTiff = reader.u16(2) == 43;
    const std::uint64_t start = isBigTiff ? reader.at(8, 8) : reader.u32(4);
    const std::uint64_t entries = isBigTiff ? reader.at(start, 8) : reader.u16(start);
    if (reader.isPastEnd()) return truncated("TIFF", bytes);
    if (entries > 4096) return tl::unexpected(ImageTrouble{"corrupt_image", "is damaged: its TIFF directory is absurd"});
    TiffDirectory directory{reader, isBigTiff};
    std::uint64_t offsetsEntry = 0, countsEntry = 0;
    for (std::uint64_t i = 0; i < entries; ++i) {
        directory.entry = start + (isBigTiff ? 8 + 20 * i : 2 + 12 * i);
        switch (reader.u16(directory.entry)) {
            case 256: probe.width = static_cast<std::int64_t>(directory.value(0)); break;
            case 257: probe.height = static_cast<std::int64_t>(directory.value(0)); break;
            case 258: probe.bitDepth = static_cast<int>(directory.value(0)); break;
            case 274: {
                const auto value = directory.value(0);
                if (value >= 1 && value <= 8) probe.orientation = static_cast<int>(value);
                break;
            }
            case 338: probe.hasExtraSamples = true; break;
            case 273:
            case 324: offsetsEntry = directory.entry; break;
            case 279:
            case 325: countsEntry = directory.entry; break;
            default: break;
        }
    }
    const std::uint64_t behind = start + (isBigTiff ? 8 + 20 * entries : 2 + 12 * entries);
    const std::uint64_t nextPage = ByteReader(bytes, isBigEndian).at(behind, isBigTiff ? 8 : 4);
    probe.isCutBehind = nextPage != 0 && nextPage + 2 > bytes.size();
    if (reader.isPastEnd()) return truncated("TIFF", bytes);
    if (offsetsEntry != 0 && countsEntry != 0) {
        TiffDirectory offsets{reader, isBigTiff, offsetsEntry}, counts{reader, isBigTiff, countsEntry};
        const std::uint64_t strips = std::min(offsets.count(), counts.count());
        for (std::uint64_t i = 0; i < strips && !reader.isPastEnd(); ++i) {
            const std::uint64_t offset = offsets.value(i), count = counts.value(i);
            if (offset > bytes.size() || count > bytes.size() - offset) return truncated("TIFF", bytes);
        }
        if (reader.isPastEnd()) return truncated("TIFF", bytes);
    }
    return probe;
}

tl::expected<ImageProbe, ImageTrouble> probeWebP(std::string_view bytes) {
    ImageProbe probe;
    probe.kind = ImageKind::WebP;
    ByteReader reader(bytes);
    if (reader.u32(4) > bytes.size() - 8) return truncated("WebP", bytes);
    std::uint64_t at = 12;
    while (at + 8 <= bytes.size()) {
        const std::string_view name = bytes.substr(at, 4);
        const std::uint64_t length = reader.u32(at + 4), body = at + 8;
        if (name == "VP8X") {
            probe.isAnimated = (reader.u8(body) & 0x02) != 0;
            probe.width = static_cast<std::int64_t>(reader.at(body + 4, 3)) + 1;
            probe.height = static_cast<std::int64_t>(reader.at(body + 7, 3)) + 1;
        } else if (name == "VP8 " && probe.width == 0) {
            probe.width = reader.u16(body + 6) & 0x3FFF;
            probe.height = reader.u16(body + 8) & 0x3FFF;
        } else if (name == "VP8L" && probe.width == 0) {
            const std::uint32_t bits = reader.u32(body + 1);
            probe.width = (bits & 0x3FFF) + 1;
            probe.height = ((bits >> 14) & 0x3FFF) + 1;
        } else if (name == "EXIF" && body + length <= bytes.size()) {
            std::string_view block = bytes.substr(body, length);
            if (block.substr(0, 4) == "Exif") block.remove_prefix(std::min<std::size_t>(6, block.size()));
            probe.orientation = exifOrientation(block);
        }
        at = body + length + (length & 1);
    }
    if (reader.isPastEnd() || probe.width == 0) return truncated("WebP", bytes);
    return probe;
}

tl::expected<ImageProbe, ImageTrouble> probeBmp(std::string_view bytes) {
    ImageProbe probe;
    probe.kind = ImageKind::Bmp;
    ByteReader reader(bytes);
    const std::uint32_t pixelStart = reader.u32(10), header = reader.u32(14);
    std::uint32_t compression = 0;
    if (header == 12) {
        probe.width = reader.u16(18);
        probe.height = reader.u16(20);
        probe.bitDepth = reader.u16(24);
    } else {
        probe.width = static_cast<std::int32_t>(reader.u32(18));
        probe.height = std::abs(static_cast<std::int64_t>(static_cast<std::int32_t>(reader.u32(22))));
        probe.bitDepth = reader.u16(28);
        compression = reader.u32(30);
    }
    if (reader.isPastEnd() || pixelStart > bytes.size()) return truncated("BMP", bytes);
    const bool isPlain = compression == 0 || compression == 3;
    const bool isSane = probe.width > 0 && probe.width <= kMaxSide && probe.height <= kMaxSide && probe.width * probe.height <= kMaxPixels;
    if (isPlain && isSane) {
        const auto rowBytes = (static_cast<std::uint64_t>(probe.width) * static_cast<unsigned>(probe.bitDepth) + 31) / 32 * 4;
        if (rowBytes * static_cast<std::uint64_t>(probe.height) > bytes.size() - pixelStart) return truncated("BMP", bytes);
    }
    return probe;
}

tl::expected<ImageProbe, ImageTrouble> probeGif(std::string_view bytes) {
    ImageProbe probe;
    probe.kind = ImageKind::Gif;
    ByteReader reader(bytes);
    probe.width = reader.u16(6);
    probe.height = reader.u16(8);
    if (reader.isPastEnd() || bytes.size() < 13) return truncated("GIF", bytes);
    return probe;
}

}  // namespace espalier::intake
