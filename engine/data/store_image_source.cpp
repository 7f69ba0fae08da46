#include "engine/data/store_image_source.h"

#include <cstring>

namespace espalier::data {

Result<feed::Image8> StoreImageSource::image(std::int64_t row) const {
    const auto* pixels = m_store->mappedPixels(row);
    const auto& shape = m_store->summary().shape;  // {channels, height, width}
    if (!pixels || shape.size() != 3) return m_store->image(row);
    feed::Image8 image{static_cast<int>(shape[2]), static_cast<int>(shape[1]), static_cast<int>(shape[0]), {}};
    image.pixels.assign(pixels, pixels + shape[0] * shape[1] * shape[2]);
    return image;
}

}  // namespace espalier::data
