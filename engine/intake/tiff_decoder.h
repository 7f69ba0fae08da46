#pragma once

#include <string_view>

#include <tl/expected.hpp>

#include "engine/feed/dataset.h"
#include "engine/intake/image_probe.h"

namespace espalier::intake {

/// Decodes the first page of a TIFF or BigTIFF, not yet turned: strips and tiles, planes together or apart, whole
/// numbers of 1 to 32 bits and floats. Up to 16 bits the type's range becomes 8 bits; wider values keep 0…255 (floats
/// 0…1 too) and are scaled by their own range else, which `remarks` then says. `probe` is what probeTiff found, its size checked.
tl::expected<feed::Image8, ImageTrouble> decodeTiff(std::string_view bytes, const ImageProbe& probe, ImageRemarks* remarks = nullptr);

}  // namespace espalier::intake
