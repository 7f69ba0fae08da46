#pragma once

namespace espalier {
/// Prints the broken promise with its place and aborts. For bugs only: user data never asserts.
[[noreturn]] void assertionFailed(const char* condition, const char* why, const char* file, int line) noexcept;
}  // namespace espalier

#define ESPALIER_ASSERT(condition, why) \
    ((condition) ? void(0) : ::espalier::assertionFailed(#condition, why, __FILE__, __LINE__))
