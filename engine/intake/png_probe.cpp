#include <zlib.h>

#include "engine/intake/image_probe.h"

namespace espalier::intake {

tl::expected<ImageProbe, ImageTrouble> probePng(std::string_view bytes) {
    ImageProbe probe;
    probe.kind = ImageKind::Png;
    ByteReader reader(bytes, true);
    int colorType = 0;
    bool hasHeader = false;
    std::size_t at = 8;
    while (at + 12 <= bytes.size()) {
        const std::uint64_t length = reader.u32(at);
        const std::string_view name = bytes.substr(at + 4, 4);
        if (!hasHeader) {
            // Size first: a huge claim is told as such even when the rest is broken.
            if (name != "IHDR" || length < 13 || bytes.size() < at + 8 + 13)
                return tl::unexpected(ImageTrouble{"corrupt_image", "is a PNG without its header"});
            probe.width = reader.u32(at + 8);
            probe.height = reader.u32(at + 12);
            probe.bitDepth = reader.u8(at + 16);
            colorType = reader.u8(at + 17);
            hasHeader = true;
            if (probe.width == 0 || probe.height == 0 || probe.width > kMaxPixels / probe.height) return probe;
        }
        if (length > bytes.size() - at - 12) break;
        const auto* body = reinterpret_cast<const Bytef*>(bytes.data() + at + 4);
        if (crc32_z(crc32_z(0, nullptr, 0), body, length + 4) != reader.u32(at + 8 + length))
            return tl::unexpected(ImageTrouble{
                "corrupt_image", "is damaged: the checksum of its PNG part " + std::string(name) + " is wrong"});
        if (name == "tRNS" && colorType == 0 && length >= 2) probe.greyClear = reader.u16(at + 8);
        if (name == "eXIf") probe.orientation = exifOrientation(bytes.substr(at + 8, length));
        if (name == "IEND") return probe;
        at += 12 + length;
    }
    return tl::unexpected(ImageTrouble{
        "truncated_image", "is truncated: the PNG ends after " + std::to_string(bytes.size()) + " bytes without its end"});
}

}  // namespace espalier::intake
