#include "engine/intake/tiff_decoder.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <tiffio.h>

#include "engine/intake/half_float.h"
#include "engine/intake/image_decoding.h"

namespace espalier::intake {
namespace {

constexpr std::int64_t kMaxBlockBytes = std::int64_t(1) << 30;
constexpr std::size_t kMaxWideValues = std::size_t(1) << 28;

/// The file's bytes and libtiff's first complaint.
struct Memory {
    std::string_view bytes;
    toff_t at = 0;
    std::string error;
};

Memory& memoryOf(thandle_t handle) { return *static_cast<Memory*>(handle); }

tmsize_t readMemory(thandle_t handle, void* out, tmsize_t size) {
    Memory& memory = memoryOf(handle);
    if (memory.at >= memory.bytes.size() || size <= 0) return 0;
    const auto count = std::min<std::size_t>(static_cast<std::size_t>(size), memory.bytes.size() - memory.at);
    std::memcpy(out, memory.bytes.data() + memory.at, count);
    memory.at += count;
    return static_cast<tmsize_t>(count);
}

tmsize_t refuseWriting(thandle_t, void*, tmsize_t) { return 0; }

toff_t seekMemory(thandle_t handle, toff_t offset, int from) {
    Memory& memory = memoryOf(handle);
    memory.at = offset + (from == SEEK_CUR ? memory.at : from == SEEK_END ? memory.bytes.size() : 0);
    return memory.at;
}

int closeMemory(thandle_t) { return 0; }
toff_t sizeOfMemory(thandle_t handle) { return memoryOf(handle).bytes.size(); }
int mapMemory(thandle_t, void**, toff_t*) { return 0; }
void unmapMemory(thandle_t, void*, toff_t) {}

__attribute__((format(printf, 4, 0))) int onError(TIFF*, void* user, const char*, const char* format, std::va_list values) {
    char text[512];
    std::vsnprintf(text, sizeof text, format, values);
    auto& memory = *static_cast<Memory*>(user);
    if (memory.error.empty()) memory.error = text;
    return 1;
}
int onWarning(TIFF*, void*, const char*, const char*, std::va_list) { return 1; }

struct TiffCloser {
    void operator()(TIFF* file) const { TIFFClose(file); }
};
using TiffPointer = std::unique_ptr<TIFF, TiffCloser>;

TiffPointer openTiff(Memory& memory) {
    TIFFOpenOptions* options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, kMaxBlockBytes);
    TIFFOpenOptionsSetErrorHandlerExtR(options, onError, &memory);
    TIFFOpenOptionsSetWarningHandlerExtR(options, onWarning, &memory);
    TiffPointer file(TIFFClientOpenExt("picture", "rm", &memory, readMemory, refuseWriting, seekMemory, closeMemory, sizeOfMemory,
                                       mapMemory, unmapMemory, options));
    TIFFOpenOptionsFree(options);
    return file;
}

enum class Alpha { None, Straight, Premultiplied };

/// How the samples lie in the file.
struct Layout {
    std::uint32_t width = 0, height = 0;
    std::uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, photometric = PHOTOMETRIC_MINISBLACK;
    std::uint16_t planar = PLANARCONFIG_CONTIG, compression = COMPRESSION_NONE;
    std::uint16_t colours = 1;
    Alpha alpha = Alpha::None;
    bool isAlphaGuessed = false;  ///< a fourth channel of which the file says nothing

    bool isFloat() const { return format == SAMPLEFORMAT_IEEEFP; }
    /// Values whose type alone says how to make 8 bits of them.
    bool isNarrow() const { return bits <= 16 && (format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID); }
    std::uint16_t used() const { return static_cast<std::uint16_t>(colours + (alpha != Alpha::None ? 1 : 0)); }
    std::size_t pixels() const { return std::size_t(width) * height; }
};

/// libtiff makes up the kinds of channels that the file does not tell (`hasExtras`).
Layout layoutOf(TIFF* file, bool hasExtras) {
    Layout layout;
    TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &layout.width);
    TIFFGetField(file, TIFFTAG_IMAGELENGTH, &layout.height);
    TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &layout.bits);
    TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
    TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLEFORMAT, &layout.format);
    TIFFGetFieldDefaulted(file, TIFFTAG_PLANARCONFIG, &layout.planar);
    TIFFGetFieldDefaulted(file, TIFFTAG_COMPRESSION, &layout.compression);
    if (!TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &layout.photometric))
        layout.photometric = layout.samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    // Colour that calls itself grey: some programs for microscopes write that.
    const bool isColour = layout.photometric == PHOTOMETRIC_RGB || layout.samples == 3 || layout.samples == 4;
    layout.colours = isColour ? 3 : 1;
    std::uint16_t extras = 0, *kinds = nullptr;
    TIFFGetFieldDefaulted(file, TIFFTAG_EXTRASAMPLES, &extras, &kinds);
    if (layout.samples <= layout.colours) return layout;
    layout.isAlphaGuessed = extras == 0 || !hasExtras;
    if (layout.isAlphaGuessed) layout.alpha = layout.samples == layout.colours + 1 ? Alpha::Straight : Alpha::None;
    else if (kinds[0] == EXTRASAMPLE_ASSOCALPHA) layout.alpha = Alpha::Premultiplied;
    else if (kinds[0] == EXTRASAMPLE_UNASSALPHA) layout.alpha = Alpha::Straight;
    return layout;
}

bool isPlain(const Layout& layout) {
    return layout.photometric <= PHOTOMETRIC_RGB && layout.compression != COMPRESSION_OJPEG;
}

/// Empty when the samples can be read.
std::string layoutTrouble(const Layout& layout) {
    if (layout.format == SAMPLEFORMAT_COMPLEXINT || layout.format == SAMPLEFORMAT_COMPLEXIEEEFP)
        return "holds complex numbers, which are no picture: save it as 8 or 16 bits";
    const bool isKnown = layout.isFloat() ? layout.bits == 16 || layout.bits == 32 || layout.bits == 64
                                          : (layout.bits >= 1 && layout.bits <= 32) || layout.bits == 64;
    if (!isKnown) return "has " + std::to_string(layout.bits) + " bits a channel, which are not read: save it as 8 or 16 bits";
    if (layout.samples < layout.colours || (layout.photometric != PHOTOMETRIC_RGB && layout.samples > 4))
        return "has " + std::to_string(layout.samples) + " channels; grey or colour, with or without transparency, is read: keep three of them";
    return {};
}

/// The `index`-th value of a row as libtiff hands it out: host byte order, odd widths packed from the highest bit down.
double valueAt(const std::uint8_t* row, std::size_t index, const Layout& layout) {
    const auto load = [&](auto value) {
        std::memcpy(&value, row + index * sizeof value, sizeof value);
        return value;
    };
    if (layout.isFloat())
        return layout.bits == 16 ? halfToDouble(load(std::uint16_t())) : layout.bits == 32 ? load(0.0f) : load(0.0);
    const bool isSigned = layout.format == SAMPLEFORMAT_INT;
    switch (layout.bits) {
        case 8: return isSigned ? static_cast<double>(load(std::int8_t())) : load(std::uint8_t());
        case 16: return isSigned ? static_cast<double>(load(std::int16_t())) : load(std::uint16_t());
        case 32: return isSigned ? static_cast<double>(load(std::int32_t())) : load(std::uint32_t());
        case 64: return isSigned ? static_cast<double>(load(std::int64_t())) : static_cast<double>(load(std::uint64_t()));
        default: break;
    }
    std::uint64_t value = 0;
    for (std::size_t bit = index * layout.bits, end = bit + layout.bits; bit < end; ++bit)
        value = value << 1 | ((row[bit / 8] >> (7 - bit % 8)) & 1u);
    const std::uint64_t sign = std::uint64_t(1) << (layout.bits - 1);
    return isSigned && (value & sign) ? static_cast<double>(value) - 2.0 * static_cast<double>(sign) : static_cast<double>(value);
}

/// The used samples of all pixels, interleaved: 8 bits at once where the type says how, else as numbers.
struct Samples {
    std::vector<std::uint8_t> narrow;
    std::vector<float> wide;
};

class PlainReader {
public:
    PlainReader(TIFF* file, const Layout& layout) : m_file(file), m_layout(layout), m_largest(std::ldexp(1.0, layout.bits) - 1) {}

    bool read(Samples& samples) {
        const std::size_t values = m_layout.pixels() * m_layout.used();
        if (m_layout.isNarrow()) samples.narrow.resize(values);
        else samples.wide.resize(values);
        const bool isApart = m_layout.planar == PLANARCONFIG_SEPARATE;
        for (std::uint16_t plane = 0; plane < (isApart ? m_layout.used() : 1); ++plane)
            if (!(TIFFIsTiled(m_file) ? readTiles(plane, samples) : readStrips(plane, samples))) return false;
        return true;
    }

private:
    bool resizeBlock(tmsize_t size) {
        if (size <= 0 || size > kMaxBlockBytes) return false;
        m_block.assign(static_cast<std::size_t>(size), 0);
        return true;
    }
    bool readStrips(std::uint16_t plane, Samples& samples) {
        std::uint32_t rowsAStrip = m_layout.height;
        TIFFGetFieldDefaulted(m_file, TIFFTAG_ROWSPERSTRIP, &rowsAStrip);
        rowsAStrip = std::clamp<std::uint32_t>(rowsAStrip, 1, m_layout.height);
        const tmsize_t rowBytes = TIFFScanlineSize(m_file);
        if (rowBytes <= 0 || !resizeBlock(TIFFStripSize(m_file))) return false;
        for (std::uint32_t y = 0; y < m_layout.height; y += rowsAStrip) {
            const std::uint32_t rows = std::min(rowsAStrip, m_layout.height - y);
            const tmsize_t wanted = rowBytes * static_cast<tmsize_t>(rows);
            if (TIFFReadEncodedStrip(m_file, TIFFComputeStrip(m_file, y, plane), m_block.data(), static_cast<tmsize_t>(m_block.size())) < wanted)
                return false;
            for (std::uint32_t row = 0; row < rows; ++row)
                takeRow(m_block.data() + rowBytes * row, y + row, 0, m_layout.width, plane, samples);
        }
        return true;
    }
    bool readTiles(std::uint16_t plane, Samples& samples) {
        std::uint32_t tileWidth = 0, tileHeight = 0;
        TIFFGetField(m_file, TIFFTAG_TILEWIDTH, &tileWidth);
        TIFFGetField(m_file, TIFFTAG_TILELENGTH, &tileHeight);
        const tmsize_t rowBytes = TIFFTileRowSize(m_file), size = TIFFTileSize(m_file);
        if (tileWidth == 0 || tileHeight == 0 || rowBytes <= 0 || size / rowBytes < static_cast<tmsize_t>(tileHeight) || !resizeBlock(size)) return false;
        for (std::uint64_t y = 0; y < m_layout.height; y += tileHeight) {
            for (std::uint64_t x = 0; x < m_layout.width; x += tileWidth) {
                const auto left = static_cast<std::uint32_t>(x), top = static_cast<std::uint32_t>(y);
                if (TIFFReadEncodedTile(m_file, TIFFComputeTile(m_file, left, top, 0, plane), m_block.data(), size) < size) return false;
                for (std::uint32_t row = 0; row < std::min(tileHeight, m_layout.height - top); ++row)
                    takeRow(m_block.data() + rowBytes * row, top + row, left, std::min(tileWidth, m_layout.width - left), plane, samples);
            }
        }
        return true;
    }
    void takeRow(const std::uint8_t* row, std::uint32_t y, std::uint32_t left, std::uint32_t columns, std::uint16_t plane, Samples& samples) {
        const bool isApart = m_layout.planar == PLANARCONFIG_SEPARATE;
        const std::size_t used = m_layout.used(), stride = isApart ? 1 : m_layout.samples;
        if (m_layout.isNarrow() && m_layout.bits == 8 && stride == used) {  // by far the most usual
            std::memcpy(samples.narrow.data() + (std::size_t(y) * m_layout.width + left) * used, row, columns * used);
            return;
        }
        const std::size_t first = isApart ? plane : 0, last = isApart ? plane + std::size_t(1) : used;
        for (std::size_t x = 0; x < columns; ++x) {
            const std::size_t out = (std::size_t(y) * m_layout.width + left + x) * used;
            for (std::size_t c = first; c < last; ++c) {
                const double value = valueAt(row, isApart ? x : x * stride + c, m_layout);
                if (m_layout.isNarrow()) samples.narrow[out + c] = static_cast<std::uint8_t>(value * 255.0 / m_largest + 0.5);
                else samples.wide[out + c] = static_cast<float>(value);
            }
        }
    }

    TIFF* m_file;
    const Layout& m_layout;
    double m_largest;
    std::vector<std::uint8_t> m_block;
};

struct Scale {
    float offset = 0, factor = 1;
    bool isOwnRange = false;
    float low = 0, high = 0;
};

/// One rule for the channels [first, last) of all pixels.
Scale scaleOf(const std::vector<float>& values, std::size_t used, std::size_t first, std::size_t last, bool isFloat) {
    Scale scale;
    scale.low = std::numeric_limits<float>::max();
    scale.high = std::numeric_limits<float>::lowest();
    for (std::size_t i = 0; i < values.size(); i += used)
        for (std::size_t c = first; c < last; ++c)
            if (std::isfinite(values[i + c])) scale.low = std::min(scale.low, values[i + c]), scale.high = std::max(scale.high, values[i + c]);
    if (scale.low > scale.high) return scale;
    if (isFloat && scale.low >= 0 && scale.high <= 1) {
        scale.factor = 255;
    } else if (scale.low < 0 || scale.high > 255) {
        scale.isOwnRange = true;
        scale.offset = std::min(0.0f, scale.low);
        scale.factor = 255.0f / std::max(1e-30f, scale.high - scale.offset);
    }
    return scale;
}

std::string shortText(float value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g", static_cast<double>(value));
    return text;
}

void narrowValues(Samples& samples, const Layout& layout, ImageRemarks* remarks) {
    const std::size_t used = layout.used(), colours = layout.colours;
    const Scale colour = scaleOf(samples.wide, used, 0, colours, layout.isFloat());
    const Scale alpha = scaleOf(samples.wide, used, colours, used, layout.isFloat());
    samples.narrow.resize(samples.wide.size());
    std::size_t bad = 0;
    for (std::size_t i = 0; i < samples.wide.size(); ++i) {
        const Scale& scale = i % used < colours ? colour : alpha;
        const bool isFinite = std::isfinite(samples.wide[i]);
        bad += !isFinite;
        const float value = isFinite ? (samples.wide[i] - scale.offset) * scale.factor : 0.0f;
        samples.narrow[i] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0f, 255.0f));
    }
    if (!remarks) return;
    if (colour.isOwnRange)
        remarks->push_back({"scaled_values", "its values from " + shortText(colour.low) + " to " + shortText(colour.high) + " were scaled to 8 bits (0 to 255) by their own range"});
    if (bad > 0) remarks->push_back({"nan_values", std::to_string(bad) + (bad == 1 ? " value is" : " values are") + " NaN or infinite and became black"});
}

feed::Image8 pictureOf(Samples& samples, const Layout& layout) {
    const std::size_t used = layout.used(), colours = layout.colours;
    feed::Image8 image{static_cast<int>(layout.width), static_cast<int>(layout.height), static_cast<int>(colours), {}};
    if (layout.photometric == PHOTOMETRIC_MINISWHITE)
        for (std::size_t i = 0; i < samples.narrow.size(); ++i)
            if (i % used < colours) samples.narrow[i] = static_cast<std::uint8_t>(255 - samples.narrow[i]);
    if (layout.alpha == Alpha::None) {
        image.pixels = std::move(samples.narrow);
        return image;
    }
    bool isAllClear = layout.isAlphaGuessed;  // an unused fourth channel rather than an invisible picture
    for (std::size_t i = colours; i < samples.narrow.size() && isAllClear; i += used) isAllClear = samples.narrow[i] == 0;
    image.pixels.reserve(layout.pixels() * colours);
    for (std::size_t i = 0; i < samples.narrow.size(); i += used) {
        const std::uint8_t alpha = isAllClear ? 255 : samples.narrow[i + colours];
        for (std::size_t c = 0; c < colours; ++c)
            image.pixels.push_back(overWhite(samples.narrow[i + c], alpha, layout.alpha == Alpha::Premultiplied));
    }
    return image;
}

/// Palettes, CMYK, YCbCr, Lab and the like by libtiff's own conversion.
bool readConverted(TIFF* file, feed::Image8& image, std::string& error) {
    char reason[1024] = {};
    TIFFRGBAImage converter{};
    if (!TIFFRGBAImageOK(file, reason) || !TIFFRGBAImageBegin(&converter, file, 1, reason)) {
        error = reason;
        return false;
    }
    converter.req_orientation = converter.orientation;  // turned later, like every picture
    std::vector<std::uint32_t> raster(std::size_t(converter.width) * converter.height);
    const bool isRead = TIFFRGBAImageGet(&converter, raster.data(), converter.width, converter.height) != 0;
    image = {static_cast<int>(converter.width), static_cast<int>(converter.height), 3, {}};
    TIFFRGBAImageEnd(&converter);
    image.pixels.reserve(3 * raster.size());
    for (const std::uint32_t pixel : raster) {
        const int alpha = static_cast<int>(TIFFGetA(pixel));
        for (const std::uint32_t value : {TIFFGetR(pixel), TIFFGetG(pixel), TIFFGetB(pixel)})
            image.pixels.push_back(overWhite(static_cast<int>(value), alpha, true));
    }
    return isRead;
}

tl::unexpected<ImageTrouble> undecodable(const std::string& reason) {
    return tl::unexpected(ImageTrouble{"corrupt_image", "is damaged or of an unusual kind: the TIFF cannot be decoded" + (reason.empty() ? "" : " (" + reason + ")")});
}

}  // namespace

tl::expected<feed::Image8, ImageTrouble> decodeTiff(std::string_view bytes, const ImageProbe& probe, ImageRemarks* remarks) {
    Memory memory{bytes, 0, {}};
    const TiffPointer file = openTiff(memory);
    if (!file) return undecodable(memory.error);
    const Layout layout = layoutOf(file.get(), probe.hasExtraSamples);
    if (probe.isCutBehind && remarks)
        remarks->push_back({"truncated_image", "is truncated: the TIFF ends after " + std::to_string(bytes.size()) + " bytes; its first page is whole and was kept"});
    memory.error.clear();  // what it says of other tags than those used here harms nothing
    if (layout.width == 0 || layout.height == 0 || layout.pixels() > static_cast<std::size_t>(kMaxPixels)) return undecodable(memory.error);
    if (!isPlain(layout)) {
        feed::Image8 image;
        if (!readConverted(file.get(), image, memory.error) || !memory.error.empty()) return undecodable(memory.error);
        return image;
    }
    if (const std::string trouble = layoutTrouble(layout); !trouble.empty()) return tl::unexpected(ImageTrouble{"unsupported_image", trouble});
    if (!layout.isNarrow() && layout.pixels() * layout.used() > kMaxWideValues)
        return tl::unexpected(ImageTrouble{"huge_image", "holds more than 268,435,456 values wider than 16 bits: save it as 8 or 16 bits"});
    Samples samples;
    if (!PlainReader(file.get(), layout).read(samples) || !memory.error.empty()) return undecodable(memory.error);
    if (!layout.isNarrow()) narrowValues(samples, layout, remarks);
    return pictureOf(samples, layout);
}

}  // namespace espalier::intake
