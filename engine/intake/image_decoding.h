#pragma once

#include <algorithm>
#include <string_view>

#include <tl/expected.hpp>

#include "engine/feed/dataset.h"
#include "engine/intake/image_probe.h"

namespace espalier::intake {

/// Decodes one picture file as a photo viewer shows it: upright by EXIF, 8 bits a channel (16-bit values are scaled),
/// transparency over white, CMYK as colour, first frame or page. One channel only where the file itself is grey.
/// Thread-safe. Refuses what is cut, damaged or claims too much, with the reason; `remarks` receives what was repaired
/// or scaled on the way.
tl::expected<feed::Image8, ImageTrouble> decodeImage(std::string_view bytes, ImageRemarks* remarks = nullptr);

/// One value of a transparent pixel on a white ground; `value` has been multiplied by alpha or not.
inline std::uint8_t overWhite(int value, int alpha, bool isPremultiplied) {
    const int ground = 255 * (255 - alpha);
    return static_cast<std::uint8_t>(std::min(255, ((isPremultiplied ? value * 255 : value * alpha) + ground + 127) / 255));
}

/// Upright version of a picture stored with this EXIF orientation.
feed::Image8 orientedImage(feed::Image8 image, int orientation);

}  // namespace espalier::intake
