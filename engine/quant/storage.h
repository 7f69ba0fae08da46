#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/api/torch.h"
#include "engine/quant/uniform_quantizer.h"

namespace espalier::quant {

/// Exact bytes of one stored tensor (TRADEOFF-SCHEMA section 3).
struct StoredBytes {
    std::int64_t payload = 0, side = 0;
    std::int64_t total() const { return payload + side; }
};
StoredBytes uniformBytes(std::int64_t elements, int bits, std::int64_t channels, bool isPerChannel, bool isSymmetric);
StoredBytes floatBytes(std::int64_t elements, int bits = 32);

/// Packs unsigned codes (q − qLow, 0 … 2^b − 1) little-endian bit by bit, padded to a whole byte at the end; uint8.
at::Tensor packCodes(const at::Tensor& codes, const Grid& grid);
/// The inverse: float codes q of the given shape.
at::Tensor unpackCodes(const at::Tensor& packed, at::IntArrayRef shape, const Grid& grid);

}  // namespace espalier::quant
