#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace espalier::intake {

enum class ImageKind { Unknown, Jpeg, Png, Gif, Bmp, Tiff, WebP };

/// What is wrong with one picture: a Warning's kind and sentence without the file.
struct ImageTrouble {
    std::string kind;
    std::string detail;
};

/// What a picture that came in all the same has wrong.
using ImageRemarks = std::vector<ImageTrouble>;

/// What a picture's own header says, read without decoding and checked for whole delivery.
struct ImageProbe {
    ImageKind kind = ImageKind::Unknown;
    std::int64_t width = 0, height = 0;
    int orientation = 1;                    ///< EXIF, 1…8
    bool isAnimated = false;                ///< WebP with frames
    bool isCutBehind = false;               ///< TIFF: the first page is whole, the next lies beyond the file's end
    bool hasExtraSamples = false;           ///< TIFF: says what its channels beyond the colours are
    std::optional<std::uint32_t> greyClear; ///< PNG: the grey value that is transparent, in the file's own depth
    int bitDepth = 8;
};

inline constexpr std::int64_t kMaxPixels = std::int64_t(1) << 27;  ///< 134 million: four times a phone's picture
inline constexpr std::int64_t kMaxSide = 1 << 20;

/// By content alone.
ImageKind sniffImage(std::string_view head) noexcept;
const char* imageKindName(ImageKind kind) noexcept;
/// Suffixes that promise a picture, lower case without the dot.
bool isImageSuffix(std::string_view suffix) noexcept;
/// Pictures of kinds that are not read: HEIC, SVG, raw camera files, ….
bool isForeignImageSuffix(std::string_view suffix) noexcept;
/// What bytes that are no picture look like: "is empty (0 bytes)", "is a web page", "is a Git LFS pointer", ….
ImageTrouble describeNonImage(std::string_view bytes);

/// Reads the header and checks that the file is whole, without decoding.
tl::expected<ImageProbe, ImageTrouble> probeImage(std::string_view bytes);

// One a format.
tl::expected<ImageProbe, ImageTrouble> probeJpeg(std::string_view bytes);
tl::expected<ImageProbe, ImageTrouble> probePng(std::string_view bytes);
tl::expected<ImageProbe, ImageTrouble> probeTiff(std::string_view bytes);
tl::expected<ImageProbe, ImageTrouble> probeWebP(std::string_view bytes);
tl::expected<ImageProbe, ImageTrouble> probeBmp(std::string_view bytes);
tl::expected<ImageProbe, ImageTrouble> probeGif(std::string_view bytes);

/// Orientation (1…8) out of an EXIF block that starts at its byte-order mark; 1 when it says none.
int exifOrientation(std::string_view block) noexcept;

/// Bounds-checked reading of numbers of either byte order; reads beyond the end give 0 and set isPastEnd.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes, bool isBigEndian = false) : m_bytes(bytes), m_isBig(isBigEndian) {}
    std::uint64_t at(std::uint64_t offset, int count) noexcept {
        if (offset > m_bytes.size() || m_bytes.size() - offset < static_cast<std::size_t>(count)) {
            m_isPastEnd = true;
            return 0;
        }
        std::uint64_t value = 0;
        for (int i = 0; i < count; ++i) {
            const auto byte = static_cast<unsigned char>(m_bytes[offset + static_cast<std::uint64_t>(i)]);
            value |= std::uint64_t(byte) << (8 * (m_isBig ? count - 1 - i : i));
        }
        return value;
    }
    std::uint16_t u16(std::uint64_t offset) noexcept { return static_cast<std::uint16_t>(at(offset, 2)); }
    std::uint32_t u32(std::uint64_t offset) noexcept { return static_cast<std::uint32_t>(at(offset, 4)); }
    std::uint8_t u8(std::uint64_t offset) noexcept { return static_cast<std::uint8_t>(at(offset, 1)); }
    bool isPastEnd() const noexcept { return m_isPastEnd; }

private:
    std::string_view m_bytes;
    bool m_isBig;
    bool m_isPastEnd = false;
};

}  // namespace espalier::intake
