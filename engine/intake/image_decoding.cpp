#include "engine/intake/image_decoding.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "engine/intake/bmp_decoder.h"
#include "engine/intake/gif_decoder.h"
#include "engine/intake/jpeg_decoder.h"
#include "engine/intake/tiff_decoder.h"

namespace espalier::intake {
namespace {

using Decoded = tl::expected<feed::Image8, ImageTrouble>;

tl::unexpected<ImageTrouble> undecodable(ImageKind kind) {
    return tl::unexpected(
        ImageTrouble{"corrupt_image", std::string("is damaged or of an unusual kind: the ") + imageKindName(kind) +
                                          " cannot be decoded"});
}

cv::Mat toEightBit(const cv::Mat& source) {
    if (source.depth() != CV_16U) return source;
    cv::Mat result;
    source.convertTo(result, CV_8U, 1.0 / 257.0);
    return result;
}

/// BGR(A) or grey of OpenCV to RGB or grey, transparency over white.
feed::Image8 toImage(const cv::Mat& mat, bool ignoresAlpha) {
    const int channels = mat.channels() == 1 ? 1 : 3;
    feed::Image8 image{mat.cols, mat.rows, channels, {}};
    image.pixels.resize(mat.total() * static_cast<std::size_t>(channels));
    std::uint8_t* out = image.pixels.data();
    for (int y = 0; y < mat.rows; ++y) {
        const std::uint8_t* in = mat.ptr<std::uint8_t>(y);
        if (mat.channels() == 1) {
            std::memcpy(out, in, static_cast<std::size_t>(mat.cols));
            out += mat.cols;
            continue;
        }
        for (int x = 0; x < mat.cols; ++x, in += mat.channels(), out += 3) {
            const int alpha = mat.channels() == 4 && !ignoresAlpha ? in[3] : 255;
            for (int c = 0; c < 3; ++c)
                out[c] = alpha == 255 ? in[2 - c] : overWhite(in[2 - c], alpha, false);
        }
    }
    return image;
}

bool isAllClear(const cv::Mat& mat) {
    if (mat.channels() != 4) return false;
    for (int y = 0; y < mat.rows; ++y)
        for (int x = 0; x < mat.cols; ++x)
            if (mat.ptr<std::uint8_t>(y)[4 * x + 3] != 0) return false;
    return true;
}

/// PNG stores grey with alpha as two channels; OpenCV hands out four with equal colours.
feed::Image8 greyOnly(const feed::Image8& image) {
    feed::Image8 grey{image.width, image.height, 1, {}};
    grey.pixels.resize(image.pixels.size() / 3);
    for (std::size_t i = 0; i < grey.pixels.size(); ++i) grey.pixels[i] = image.pixels[3 * i];
    return grey;
}

bool isGreyPng(std::string_view bytes) {
    const int colorType = ByteReader(bytes, true).u8(25);
    return colorType == 0 || colorType == 4;
}

/// The first frame of an animated WebP as a file of its own, with its place on the canvas.
struct WebPFrame {
    std::string file;
    int x = 0, y = 0;
};

std::optional<WebPFrame> firstWebPFrame(std::string_view bytes) {
    ByteReader reader(bytes);
    for (std::uint64_t at = 12; at + 8 <= bytes.size();) {
        const std::uint64_t length = reader.u32(at + 4);
        if (bytes.substr(at, 4) == "ANMF" && length > 16 && at + 8 + length <= bytes.size()) {
            const std::string_view body = bytes.substr(at + 8, length), chunks = body.substr(16);
            const auto put = [](std::string& out, std::uint64_t value, int count) {
                for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i));
            };
            WebPFrame frame{{}, 2 * static_cast<int>(ByteReader(body).at(0, 3)),
                            2 * static_cast<int>(ByteReader(body).at(3, 3))};
            std::string inner = "WEBP";
            if (chunks.substr(0, 4) == "ALPH") {
                inner += "VP8X";
                put(inner, 10, 4);
                put(inner, 0x10, 4);
                inner.append(body.substr(6, 6));
            }
            inner.append(chunks);
            frame.file = "RIFF";
            put(frame.file, inner.size(), 4);
            frame.file += inner;
            return frame;
        }
        at += 8 + length + (length & 1);
    }
    return std::nullopt;
}

cv::Mat decodeWithOpenCv(std::string_view bytes, int flags = cv::IMREAD_UNCHANGED) {
    const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    return cv::imdecode(buffer, flags);
}

/// OpenCV turns OS/2 bitmaps grey unless colour is asked for.
bool isOs2Bitmap(std::string_view bytes, ImageKind kind) { return kind == ImageKind::Bmp && ByteReader(bytes).u32(14) == 12; }

Decoded decodeAnimatedWebP(std::string_view bytes, const ImageProbe& probe) {
    const auto frame = firstWebPFrame(bytes);
    if (!frame) return undecodable(ImageKind::WebP);
    const cv::Mat mat = decodeWithOpenCv(frame->file);
    if (mat.empty() || mat.depth() != CV_8U || mat.channels() < 3) return undecodable(ImageKind::WebP);
    const feed::Image8 part = toImage(mat, false);
    feed::Image8 canvas{static_cast<int>(probe.width), static_cast<int>(probe.height), 3, {}};
    canvas.pixels.assign(3 * static_cast<std::size_t>(probe.width * probe.height), 255);
    for (int y = 0; y < part.height && frame->y + y < canvas.height; ++y) {
        const int columns = std::min(part.width, canvas.width - frame->x);
        if (columns <= 0) break;
        std::copy_n(part.pixels.data() + std::size_t(3) * static_cast<std::size_t>(y) * static_cast<std::size_t>(part.width),
                    3 * columns,
                    canvas.pixels.data() + 3 * (static_cast<std::size_t>(frame->y + y) * static_cast<std::size_t>(canvas.width) + static_cast<std::size_t>(frame->x)));
    }
    return canvas;
}

Decoded decodeByOpenCv(std::string_view bytes, const ImageProbe& probe) {
    const cv::Mat raw = decodeWithOpenCv(bytes, isOs2Bitmap(bytes, probe.kind) ? cv::IMREAD_COLOR : cv::IMREAD_UNCHANGED);
    if (raw.empty() || raw.dims != 2 || raw.channels() > 4 || (raw.depth() != CV_8U && raw.depth() != CV_16U)) return undecodable(probe.kind);
    if (raw.cols != probe.width || raw.rows != probe.height) return undecodable(probe.kind);
    cv::Mat mat = toEightBit(raw);
    if (mat.channels() == 2) {  // grey and alpha
        cv::Mat planes[2];
        cv::split(mat, planes);
        cv::merge(std::vector<cv::Mat>{planes[0], planes[0], planes[0], planes[1]}, mat);
    }
    if (probe.kind == ImageKind::Png && probe.greyClear && mat.channels() == 1) {
        const int depth = std::clamp(probe.bitDepth, 1, 16);
        const auto clear = static_cast<int>(*probe.greyClear);
        const cv::Mat mask = depth == 16 ? cv::Mat(raw == clear) : cv::Mat(raw == clear * 255 / ((1 << depth) - 1));
        mat.setTo(255, mask);
    }
    // 32-bit BMPs are mostly written with an unused fourth byte of zero.
    const bool ignoresAlpha = probe.kind == ImageKind::Bmp && isAllClear(mat);
    feed::Image8 image = toImage(mat, ignoresAlpha);
    if (image.channels == 3 && probe.kind == ImageKind::Png && isGreyPng(bytes)) image = greyOnly(image);
    return image;
}

Decoded decodeByKind(std::string_view bytes, const ImageProbe& probe, ImageRemarks* remarks) {
    switch (probe.kind) {
        case ImageKind::Gif: return decodeGif(bytes, remarks);
        case ImageKind::Jpeg: return decodeJpeg(bytes, remarks);
        case ImageKind::Tiff: return decodeTiff(bytes, probe, remarks);
        case ImageKind::WebP: return probe.isAnimated ? decodeAnimatedWebP(bytes, probe) : decodeByOpenCv(bytes, probe);
        case ImageKind::Bmp: return isTwoByteBitmap(bytes, probe) ? decodeTwoByteBitmap(bytes, probe) : decodeByOpenCv(bytes, probe);
        default: return decodeByOpenCv(bytes, probe);
    }
}

}  // namespace

feed::Image8 orientedImage(feed::Image8 image, int orientation) {
    if (orientation < 2 || orientation > 8) return image;
    const bool isTransposed = orientation >= 5;
    feed::Image8 result{isTransposed ? image.height : image.width, isTransposed ? image.width : image.height,
                        image.channels, std::vector<std::uint8_t>(image.pixels.size())};
    const auto channels = static_cast<std::size_t>(image.channels);
    for (int y = 0; y < result.height; ++y) {
        for (int x = 0; x < result.width; ++x) {
            // Where the upright pixel lies in the stored picture, EXIF 2.3 table of orientations.
            int sx = isTransposed ? y : x, sy = isTransposed ? x : y;
            if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) sx = image.width - 1 - sx;
            if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) sy = image.height - 1 - sy;
            const std::size_t from = (static_cast<std::size_t>(sy) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(sx)) * channels;
            const std::size_t to = (static_cast<std::size_t>(y) * static_cast<std::size_t>(result.width) + static_cast<std::size_t>(x)) * channels;
            for (std::size_t c = 0; c < channels; ++c) result.pixels[to + c] = image.pixels[from + c];
        }
    }
    return result;
}

Decoded decodeImage(std::string_view bytes, ImageRemarks* remarks) {
    const auto probe = probeImage(bytes);
    if (!probe) return tl::unexpected(probe.error());
    if (bytes.size() > (std::size_t(1) << 30))
        return tl::unexpected(ImageTrouble{"huge_image", "has more than 1 GiB"});
    try {
        Decoded image = decodeByKind(bytes, *probe, remarks);
        if (!image) return image;
        return orientedImage(std::move(*image), probe->orientation);
    } catch (const cv::Exception&) {
        return undecodable(probe->kind);
    } catch (const std::bad_alloc&) {
        return tl::unexpected(ImageTrouble{"huge_image", "needs more memory than there is"});
    }
}

}  // namespace espalier::intake
