#pragma once

#include <string_view>

namespace espalier {

/// Shell-like match of a whole name: `*` any run of characters ('/' and '.' too), `?` one character, `[a-z]` and
/// `[!a-z]` one of a set, `\` takes the next character as it is. An unclosed '[' stands for itself. Commas separate
/// alternatives: "train/*,valid/top1". An empty pattern matches everything.
bool globMatches(std::string_view pattern, std::string_view text) noexcept;

}  // namespace espalier
