#include <cstring>

#include "engine/intake/image_probe.h"

namespace espalier::intake {
namespace {

constexpr std::uint8_t kStartOfScan = 0xDA, kEndOfImage = 0xD9, kApp1 = 0xE1;

bool isFrameHeader(std::uint8_t marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Position of the next marker after entropy-coded data (stuffed zeros and restart markers belong to the data).
std::size_t skipScan(std::string_view bytes, std::size_t at) {
    while (at + 1 < bytes.size()) {
        const void* found = std::memchr(bytes.data() + at, 0xFF, bytes.size() - at - 1);
        if (!found) return bytes.size();
        at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        const auto next = static_cast<std::uint8_t>(bytes[at + 1]);
        if (next == 0xFF) {
            ++at;
        } else if (next == 0 || (next >= 0xD0 && next <= 0xD7)) {
            at += 2;
        } else {
            return at;
        }
    }
    return bytes.size();
}

ImageTrouble cut(std::string_view bytes) {
    return {"truncated_image", "is truncated: the JPEG ends after " + std::to_string(bytes.size()) +
                                   " bytes without its end marker"};
}

}  // namespace

tl::expected<ImageProbe, ImageTrouble> probeJpeg(std::string_view bytes) {
    ImageProbe probe;
    probe.kind = ImageKind::Jpeg;
    bool hasFrame = false, hasScan = false;
    ByteReader reader(bytes, true);
    std::size_t at = 2;
    while (at + 1 < bytes.size()) {
        if (static_cast<std::uint8_t>(bytes[at]) != 0xFF) {  // stray bytes between segments: readers skip them
            ++at;
            continue;
        }
        const auto marker = static_cast<std::uint8_t>(bytes[at + 1]);
        if (marker == 0xFF) {
            ++at;
            continue;
        }
        if (marker == 0 || marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {
            at += 2;
            continue;
        }
        if (marker == kEndOfImage) {
            if (!hasFrame || !hasScan)
                return tl::unexpected(ImageTrouble{"corrupt_image", "is a JPEG without picture data"});
            return probe;
        }
        const std::size_t length = reader.u16(at + 2);
        if (reader.isPastEnd() || length < 2 || at + 2 + length > bytes.size()) break;
        const std::string_view body = bytes.substr(at + 4, length - 2);
        if (isFrameHeader(marker) && body.size() >= 6) {
            probe.height = reader.u16(at + 5);
            probe.width = reader.u16(at + 7);
            hasFrame = true;
        } else if (marker == kApp1 && body.size() > 14 && body.substr(0, 4) == "Exif") {
            probe.orientation = exifOrientation(body.substr(6));
        }
        at += 2 + length;
        if (marker == kStartOfScan) {
            hasScan = true;
            at = skipScan(bytes, at);
        }
    }
    return tl::unexpected(cut(bytes));
}

}  // namespace espalier::intake
