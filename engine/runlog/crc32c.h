#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier::runlog {

/// CRC-32C (Castagnoli). `seed` is the value of the bytes before these, so pieces can be chained.
std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t seed = 0) noexcept;
/// The table version that processors without the instruction use; public so that a test compares the two.
std::uint32_t crc32cPortable(const void* data, std::size_t size, std::uint32_t seed = 0) noexcept;

}  // namespace espalier::runlog
