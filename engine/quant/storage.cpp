#include "engine/quant/storage.h"

namespace espalier::quant {

StoredBytes uniformBytes(std::int64_t elements, int bits, std::int64_t channels, bool isPerChannel, bool isSymmetric) {
    const std::int64_t grids = isPerChannel ? channels : 1;
    return {(elements * bits + 7) / 8, grids * (isSymmetric ? 4 : 8)};
}

StoredBytes floatBytes(std::int64_t elements, int bits) { return {elements * bits / 8, 0}; }

at::Tensor packCodes(const at::Tensor& codes, const Grid& grid) {
    const auto levels = (codes - grid.qLow()).to(at::kCPU).to(at::kByte).contiguous().flatten();
    const auto count = levels.numel();
    auto packed = at::zeros({(count * grid.bits + 7) / 8}, at::kByte);
    const auto* from = levels.data_ptr<std::uint8_t>();
    auto* to = packed.data_ptr<std::uint8_t>();
    for (std::int64_t i = 0, bit = 0; i < count; ++i, bit += grid.bits) {
        const unsigned value = unsigned(from[i]) << (bit & 7);
        to[bit >> 3] = static_cast<std::uint8_t>(to[bit >> 3] | (value & 255));
        if (value > 255) to[(bit >> 3) + 1] = static_cast<std::uint8_t>(to[(bit >> 3) + 1] | (value >> 8));
    }
    return packed;
}

at::Tensor unpackCodes(const at::Tensor& packed, at::IntArrayRef shape, const Grid& grid) {
    auto levels = at::empty(shape, at::kFloat);
    const auto count = levels.numel();
    const auto bytes = packed.contiguous();
    const auto* from = bytes.data_ptr<std::uint8_t>();
    auto* to = levels.data_ptr<float>();
    const unsigned mask = (1u << grid.bits) - 1;
    for (std::int64_t i = 0, bit = 0; i < count; ++i, bit += grid.bits) {
        unsigned window = from[bit >> 3];
        if ((bit & 7) + grid.bits > 8) window |= unsigned(from[(bit >> 3) + 1]) << 8;
        to[i] = float((window >> (bit & 7)) & mask);
    }
    return levels + grid.qLow().to(at::kCPU);
}

}  // namespace espalier::quant
