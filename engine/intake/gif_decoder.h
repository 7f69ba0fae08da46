#pragma once

#include <string_view>

#include <tl/expected.hpp>

#include "engine/feed/dataset.h"
#include "engine/intake/image_probe.h"

namespace espalier::intake {

/// First frame of a GIF on its canvas, transparent and uncovered pixels white. The canvas size must be checked before
/// (probeImage does). Always three channels. A file cut behind its first frame is a remark.
tl::expected<feed::Image8, ImageTrouble> decodeGif(std::string_view bytes, ImageRemarks* remarks = nullptr);

}  // namespace espalier::intake
