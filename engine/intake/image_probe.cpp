#include "engine/intake/image_probe.h"

#include <algorithm>
#include <array>

#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

bool startsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

/// The first bytes as a reader would type them: printable ASCII stays, the rest becomes "\x..".
std::string shownStart(std::string_view bytes) {
    std::string shown;
    for (const char c : bytes.substr(0, 4)) {
        if (c >= 0x20 && c < 0x7F) {
            shown += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        shown += "\\x";
        shown += "0123456789ABCDEF"[byte >> 4];
        shown += "0123456789ABCDEF"[byte & 15];
    }
    return shown;
}

}  // namespace

ImageKind sniffImage(std::string_view head) noexcept {
    using namespace std::string_view_literals;
    if (startsWith(head, "\xFF\xD8\xFF"sv)) return ImageKind::Jpeg;
    if (startsWith(head, "\x89PNG\r\n\x1A\n"sv)) return ImageKind::Png;
    if (startsWith(head, "GIF87a") || startsWith(head, "GIF89a")) return ImageKind::Gif;
    if (startsWith(head, "II*\0"sv) || startsWith(head, "MM\0*"sv) || startsWith(head, "II+\0"sv) ||
        startsWith(head, "MM\0+"sv))
        return ImageKind::Tiff;
    if (startsWith(head, "RIFF") && head.size() >= 12 && head.substr(8, 4) == "WEBP") return ImageKind::WebP;
    // "BM" alone is too common a beginning: the info header's size must be one that exists.
    if (startsWith(head, "BM") && head.size() >= 18) {
        const std::uint32_t header = ByteReader(head).u32(14);
        if (header == 12 || header == 16 || (header >= 40 && header <= 124)) return ImageKind::Bmp;
    }
    return ImageKind::Unknown;
}

const char* imageKindName(ImageKind kind) noexcept {
    switch (kind) {
        case ImageKind::Jpeg: return "JPEG";
        case ImageKind::Png: return "PNG";
        case ImageKind::Gif: return "GIF";
        case ImageKind::Bmp: return "BMP";
        case ImageKind::Tiff: return "TIFF";
        case ImageKind::WebP: return "WebP";
        case ImageKind::Unknown: break;
    }
    return "picture";
}

bool isImageSuffix(std::string_view suffix) noexcept {
    static constexpr std::array<std::string_view, 15> kSuffixes{"jpg", "jpeg", "jpe",  "jfif", "jif",  "png", "apng", "bmp",
                                                                "dib", "gif",  "tif", "tiff", "webp", "pjpeg", "pjp"};
    return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
}

bool isForeignImageSuffix(std::string_view suffix) noexcept {
    static constexpr std::array<std::string_view, 22> kSuffixes{"heic", "heif", "avif", "jxl", "jp2", "j2k", "svg", "psd", "ico", "tga", "pcx",
                                                                "ppm",  "pgm",  "pbm",  "pnm", "cr2", "nef", "arw", "dng", "raf", "exr", "hdr"};
    return std::find(kSuffixes.begin(), kSuffixes.end(), suffix) != kSuffixes.end();
}

ImageTrouble describeNonImage(std::string_view bytes) {
    using namespace std::string_view_literals;
    if (bytes.empty()) return {"empty_file", "is empty (0 bytes)"};
    if (startsWith(bytes, "version https://git-lfs"))
        return {"lfs_pointer", "is a Git LFS pointer, not the picture itself: run \"git lfs pull\""};
    std::string_view text = bytes.substr(0, 256);
    if (startsWith(text, "\xEF\xBB\xBF"sv)) text.remove_prefix(3);
    while (!text.empty() && (text.front() == ' ' || text.front() == '\n' || text.front() == '\r' || text.front() == '\t'))
        text.remove_prefix(1);
    const std::string lower = lowerAscii(text.substr(0, 32));
    if (startsWith(lower, "<!doctype html") || startsWith(lower, "<html") || startsWith(lower, "<head") ||
        startsWith(lower, "<!doctype"))
        return {"not_an_image", "is a web page (it begins with \"" + std::string(text.substr(0, 9)) +
                                    "\"), not a picture: its download failed"};
    if (startsWith(lower, "<?xml") || startsWith(lower, "<svg"))
        return {"not_an_image", "is XML or SVG, which is not read: save it as PNG"};
    if (bytes.size() >= 12 && bytes.substr(4, 4) == "ftyp")
        return {"unsupported_image", "is HEIC, AVIF or a video, which is not read: save it as JPEG or PNG"};
    if (startsWith(bytes, "%PDF")) return {"unsupported_image", "is a PDF, which is not read: save it as PNG"};
    if (startsWith(bytes, "8BPS")) return {"unsupported_image", "is a Photoshop file, which is not read: save it as PNG"};
    if (startsWith(bytes, "\0\0\0\x0CjP  "sv) || startsWith(bytes, "\xFF\x4F\xFF\x51"sv))
        return {"unsupported_image", "is JPEG 2000, which is not read: save it as JPEG or PNG"};
    if (bytes[0] == 'P' && bytes.size() > 2 && bytes[1] >= '1' && bytes[1] <= '7' && (bytes[2] == '\n' || bytes[2] == ' ' || bytes[2] == '\r'))
        return {"unsupported_image", "is a PPM, PGM or PAM picture, which is not read: save it as PNG"};
    if (startsWith(bytes, "\0\0\1\0"sv)) return {"unsupported_image", "is an icon file, which is not read: save it as PNG"};
    if (startsWith(bytes, "\xFF\x0A"sv) || startsWith(bytes, "\0\0\0\x0CJXL "sv))
        return {"unsupported_image", "is JPEG XL, which is not read: save it as JPEG or PNG"};
    if (std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(bytes.size(), 4096)),
                    [](char c) { return c == 0; }))
        return {"not_an_image", "holds only zero bytes, as a failed copy leaves behind"};
    if (bytes.size() < 12)
        return {"truncated_image", "ends after " + std::to_string(bytes.size()) + " bytes"};
    return {"not_an_image", "is no picture that can be read (it begins with \"" + shownStart(bytes) + "\")"};
}

tl::expected<ImageProbe, ImageTrouble> probeImage(std::string_view bytes) {
    const auto probe = [&]() -> tl::expected<ImageProbe, ImageTrouble> {
        switch (sniffImage(bytes)) {
            case ImageKind::Jpeg: return probeJpeg(bytes);
            case ImageKind::Png: return probePng(bytes);
            case ImageKind::Gif: return probeGif(bytes);
            case ImageKind::Bmp: return probeBmp(bytes);
            case ImageKind::Tiff: return probeTiff(bytes);
            case ImageKind::WebP: return probeWebP(bytes);
            case ImageKind::Unknown: break;
        }
        return tl::unexpected(describeNonImage(bytes));
    }();
    if (!probe) return probe;
    const std::string size = std::to_string(probe->width) + " x " + std::to_string(probe->height);
    if (probe->width <= 0 || probe->height <= 0)
        return tl::unexpected(ImageTrouble{"bad_image_size", "claims a size of " + size + " pixels"});
    if (probe->width > kMaxSide || probe->height > kMaxSide || probe->width * probe->height > kMaxPixels)
        return tl::unexpected(ImageTrouble{
            "huge_image", "claims " + size + " pixels, more than the " + groupedNumber(kMaxPixels) + " that are read"});
    return probe;
}

int exifOrientation(std::string_view block) noexcept {
    if (block.size() < 8) return 1;
    const bool isBig = block.substr(0, 2) == "MM";
    if (!isBig && block.substr(0, 2) != "II") return 1;
    ByteReader reader(block, isBig);
    if (reader.u16(2) != 42) return 1;
    const std::uint64_t directory = reader.u32(4);
    const int entries = reader.u16(directory);
    for (int i = 0; i < entries && !reader.isPastEnd(); ++i) {
        const std::uint64_t entry = directory + 2 + 12 * static_cast<std::uint64_t>(i);
        if (reader.u16(entry) != 0x0112) continue;
        const std::uint64_t value = reader.u16(entry + 2) == 4 ? reader.u32(entry + 8) : reader.u16(entry + 8);
        return value >= 1 && value <= 8 && !reader.isPastEnd() ? static_cast<int>(value) : 1;
    }
    return 1;
}

}  // namespace espalier::intake
