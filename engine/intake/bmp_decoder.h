#pragma once

#include <string_view>

#include <tl/expected.hpp>

#include "engine/feed/dataset.h"
#include "engine/intake/image_probe.h"

namespace espalier::intake {

/// Two bytes a pixel, uncompressed: OpenCV shifts their 4 to 6 bits a channel, so that white comes out as 248.
bool isTwoByteBitmap(std::string_view bytes, const ImageProbe& probe);

/// Such a bitmap with each channel stretched to 0…255, transparency over white. Always three channels.
tl::expected<feed::Image8, ImageTrouble> decodeTwoByteBitmap(std::string_view bytes, const ImageProbe& probe);

}  // namespace espalier::intake
