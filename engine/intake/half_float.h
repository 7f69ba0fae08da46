#pragma once

#include <cmath>
#include <cstdint>

namespace espalier::intake {

/// A 16-bit float (IEEE 754 binary16) by its bits.
inline double halfToDouble(std::uint16_t half) {
    const int exponent = (half >> 10) & 31, fraction = half & 1023;
    const double value = exponent == 31 ? (fraction ? NAN : INFINITY)
                         : exponent == 0 ? std::ldexp(fraction, -24)
                                         : std::ldexp(1024 + fraction, exponent - 25);
    return half & 0x8000 ? -value : value;
}

}  // namespace espalier::intake
