#include "engine/runlog/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace espalier::runlog {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78u;  // reflected 0x1EDC6F41

constexpr std::array<std::uint32_t, 256> makeTable() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1u) ? kPolynomial : 0u);
        table[i] = value;
    }
    return table;
}
constexpr auto kTable = makeTable();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32cFast(const void* data, std::size_t size,
                                                           std::uint32_t seed) noexcept {
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::uint64_t value = ~seed;
    for (; size >= 8; size -= 8, bytes += 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes, 8);
        value = _mm_crc32_u64(value, word);
    }
    auto rest = static_cast<std::uint32_t>(value);
    for (; size > 0; --size, ++bytes) rest = _mm_crc32_u8(rest, *bytes);
    return ~rest;
}
#endif

}  // namespace

std::uint32_t crc32cPortable(const void* data, std::size_t size, std::uint32_t seed) noexcept {
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::uint32_t value = ~seed;
    for (std::size_t i = 0; i < size; ++i) value = kTable[(value ^ bytes[i]) & 0xFFu] ^ (value >> 8);
    return ~value;
}

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t seed) noexcept {
#if defined(__x86_64__)
    static const bool hasInstruction = __builtin_cpu_supports("sse4.2");
    if (hasInstruction) return crc32cFast(data, size, seed);
#endif
    return crc32cPortable(data, size, seed);
}

}  // namespace espalier::runlog
