#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier {

/// What became of the thing a Warning speaks of.
enum class Outcome { Skipped, Kept, Ignored };

inline const char* outcomeName(Outcome outcome) noexcept {
    return outcome == Outcome::Skipped ? "skipped" : outcome == Outcome::Kept ? "kept" : "ignored";
}

/// Partial trouble: the work went on. `file` is relative to what the user dropped, `line` is 1-based or 0.
struct Warning {
    std::string file;
    std::int64_t line = 0;
    std::string kind;    ///< stable snake_case word: "truncated_image", "nan_values", "empty_class", …
    std::string detail;  ///< one sentence for the user
    Outcome outcome = Outcome::Kept;
};

using Warnings = std::vector<Warning>;

}  // namespace espalier
