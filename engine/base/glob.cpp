#include "engine/base/glob.h"

#include <cstddef>

namespace espalier {
namespace {

constexpr auto kNone = std::string_view::npos;

/// Index of the ']' that closes the set opened at `open`, or npos.
std::size_t closingBracket(std::string_view pattern, std::size_t open) noexcept {
    auto at = open + 1;
    if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
    if (at < pattern.size() && pattern[at] == ']') ++at;  // "[]a]" holds a bracket
    return pattern.find(']', at);
}

bool setHolds(std::string_view set, char c) noexcept {
    const bool isNegated = !set.empty() && (set[0] == '!' || set[0] == '^');
    if (isNegated) set.remove_prefix(1);
    const auto value = static_cast<unsigned char>(c);
    bool isIn = false;
    for (std::size_t i = 0; i < set.size(); ++i) {
        const auto low = static_cast<unsigned char>(set[i]);
        if (i + 2 < set.size() && set[i + 1] == '-') {
            isIn = isIn || (low <= value && value <= static_cast<unsigned char>(set[i + 2]));
            i += 2;
        } else {
            isIn = isIn || low == value;
        }
    }
    return isIn != isNegated;
}

/// Length of the pattern element at `at` when it matches `c`, else 0. '*' is not an element.
std::size_t elementMatches(std::string_view pattern, std::size_t at, char c) noexcept {
    switch (pattern[at]) {
        case '?': return 1;
        case '\\':
            if (at + 1 < pattern.size()) return pattern[at + 1] == c ? 2 : 0;
            break;
        case '[':
            if (const auto close = closingBracket(pattern, at); close != kNone)
                return setHolds(pattern.substr(at + 1, close - at - 1), c) ? close - at + 1 : 0;
            break;
        default: break;
    }
    return pattern[at] == c ? 1 : 0;
}

/// Going back to the last star only is enough for globs, so the time is at most pattern × text.
bool matchesOne(std::string_view pattern, std::string_view text) noexcept {
    std::size_t p = 0, t = 0, star = kNone, starText = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            starText = t;
            continue;
        }
        if (const auto length = p < pattern.size() ? elementMatches(pattern, p, text[t]) : 0; length > 0) {
            p += length;
            ++t;
            continue;
        }
        if (star == kNone) return false;
        p = star + 1;
        t = ++starText;
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

/// End of the alternative that starts at `from`: a comma that is neither escaped nor inside a set.
std::size_t alternativeEnd(std::string_view pattern, std::size_t from) noexcept {
    for (auto at = from; at < pattern.size(); ++at) {
        if (pattern[at] == '\\') {
            ++at;
        } else if (pattern[at] == '[') {
            if (const auto close = closingBracket(pattern, at); close != kNone) at = close;
        } else if (pattern[at] == ',') {
            return at;
        }
    }
    return pattern.size();
}

}  // namespace

bool globMatches(std::string_view pattern, std::string_view text) noexcept {
    if (pattern.empty()) return true;
    for (std::size_t from = 0; from <= pattern.size();) {
        const auto end = alternativeEnd(pattern, from);
        if (matchesOne(pattern.substr(from, end - from), text)) return true;
        from = end + 1;
    }
    return false;
}

}  // namespace espalier
