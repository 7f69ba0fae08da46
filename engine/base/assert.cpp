#include "engine/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace espalier {

void assertionFailed(const char* condition, const char* why, const char* file, int line) noexcept {
    std::fprintf(stderr, "%s:%d: %s must hold: %s\n", file, line, condition, why);
    std::abort();
}

}  // namespace espalier
