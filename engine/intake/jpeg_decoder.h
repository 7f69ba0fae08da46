#pragma once

#include <string_view>

#include <tl/expected.hpp>

#include "engine/feed/dataset.h"
#include "engine/intake/image_probe.h"

namespace espalier::intake {

/// Decodes a JPEG that probeJpeg found whole; not yet turned by EXIF. Grey files give one channel, CMYK and YCCK colour.
/// What the decoder repairs on its own (bits that fit no code, lost restart markers) goes to `remarks`, once a picture.
tl::expected<feed::Image8, ImageTrouble> decodeJpeg(std::string_view bytes, ImageRemarks* remarks = nullptr);

}  // namespace espalier::intake
