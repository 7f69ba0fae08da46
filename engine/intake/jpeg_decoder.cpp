#include "engine/intake/jpeg_decoder.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <string>
#include <vector>

#include <jpeglib.h>
#include <jerror.h>

#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

constexpr int kMaxScans = 500;  ///< real progressive files have about ten; more are made to keep a reader busy

/// libjpeg's troubles that mean changed or lost picture data. The others speak of headers that viewers pass over.
constexpr std::array kDamage{JWRN_HIT_MARKER,      JWRN_HUFF_BAD_CODE,  JWRN_EXTRANEOUS_DATA,  JWRN_MUST_RESYNC,
                             JWRN_JPEG_EOF,        JWRN_ARITH_BAD_CODE, JWRN_BOGUS_PROGRESSION};

/// The library's state and what it said. libjpeg's callbacks find it behind their first member.
struct Reader {
    jpeg_error_mgr manager{};  ///< first, so that libjpeg's pointer to it is one to the whole
    std::jmp_buf failed;
    char error[JMSG_LENGTH_MAX] = {}, damage[JMSG_LENGTH_MAX] = {};
    jpeg_decompress_struct info{};
    jpeg_progress_mgr progress{};
    std::vector<std::uint8_t> pixels;  ///< as libjpeg gives them
    std::size_t rowBytes = 0;

    Reader() = default;
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { jpeg_destroy_decompress(&info); }
};

Reader& readerOf(j_common_ptr info) { return *reinterpret_cast<Reader*>(info->err); }

[[noreturn]] void onError(j_common_ptr info) {
    Reader& reader = readerOf(info);
    info->err->format_message(info, reader.error);
    std::longjmp(reader.failed, 1);
}

void onMessage(j_common_ptr info, int level) {
    if (level >= 0) return;
    Reader& reader = readerOf(info);
    ++info->err->num_warnings;
    const bool isDamage = std::find(kDamage.begin(), kDamage.end(), info->err->msg_code) != kDamage.end();
    if (isDamage && !reader.damage[0]) info->err->format_message(info, reader.damage);
}

void onProgress(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
    Reader& reader = readerOf(info);
    std::snprintf(reader.error, sizeof reader.error, "it has more than %d scans", kMaxScans);
    std::longjmp(reader.failed, 1);
}

/// All that may jump out: nothing with a destructor lives on this stack.
bool readPixels(Reader& reader, std::string_view bytes) {
    if (setjmp(reader.failed)) return false;
    jpeg_decompress_struct& info = reader.info;
    jpeg_create_decompress(&info);
    reader.progress.progress_monitor = onProgress;
    info.progress = &reader.progress;
    jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&info, TRUE);
    info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : info.num_components == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    reader.rowBytes = std::size_t(info.output_width) * static_cast<std::size_t>(info.output_components);
    reader.pixels.resize(reader.rowBytes * info.output_height);
    while (info.output_scanline < info.output_height) {
        JSAMPROW row = reader.pixels.data() + reader.rowBytes * info.output_scanline;
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    return true;
}

/// Programs that write CMYK store it inverted, as Adobe does: 255 is no ink.
feed::Image8 colourOfInks(const Reader& reader, int width, int height) {
    feed::Image8 image{width, height, 3, {}};
    image.pixels.resize(std::size_t(3) * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    for (std::size_t i = 0; i < image.pixels.size() / 3; ++i)
        for (std::size_t c = 0; c < 3; ++c)
            image.pixels[3 * i + c] = static_cast<std::uint8_t>((reader.pixels[4 * i + c] * reader.pixels[4 * i + 3] + 127) / 255);
    return image;
}

std::string plainMessage(const char* text) { return lowerAscii(std::string_view(text).substr(0, 1)) + std::string(text).substr(text[0] ? 1 : 0); }

}  // namespace

tl::expected<feed::Image8, ImageTrouble> decodeJpeg(std::string_view bytes, ImageRemarks* remarks) {
    Reader reader;
    reader.info.err = jpeg_std_error(&reader.manager);
    reader.manager.error_exit = onError;
    reader.manager.emit_message = onMessage;
    const bool isRead = readPixels(reader, bytes);
    const int width = static_cast<int>(reader.info.output_width), height = static_cast<int>(reader.info.output_height);
    const int components = reader.info.output_components;
    if (!isRead)
        return tl::unexpected(ImageTrouble{"corrupt_image", "is damaged or of an unusual kind: the JPEG cannot be decoded (" +
                                                                plainMessage(reader.error) + ")"});
    if (reader.damage[0] && remarks)
        remarks->push_back({"damaged_image", "is damaged, and a part of it may look wrong: the JPEG decoder reports \"" +
                                                 plainMessage(reader.damage) + "\""});
    if (components == 4) return colourOfInks(reader, width, height);
    return feed::Image8{width, height, components, std::move(reader.pixels)};
}

}  // namespace espalier::intake
