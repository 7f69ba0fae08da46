#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "engine/feed/dataset.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

/// The ten classes of shapes32, in label order.
const char* shapeClassName(int label);

/// Picture `index` of the endless stream of `seed`: 32×32 colour, a shape of class index % 10 in random colour, size,
/// place and turn over a textured background. A pure function of (seed, index): no state, no order.
feed::Image8 makeShape32(std::int64_t seed, std::int64_t index);

/// The data set of card 70 as an importer: path "shapes32" or "shapes32:SEED[:TRAIN[:TEST]]" with format "generator"
/// (4,000 training and 1,000 test pictures, seed 0). A file of that name on disk is left alone.
std::unique_ptr<Importer> makeShapesImporter();

}  // namespace espalier::intake
