#include "engine/intake/names.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace espalier::intake {
namespace {

bool isDigit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Compares two digit runs by value and moves both positions behind them.
int compareDigits(std::string_view a, std::size_t& i, std::string_view b, std::size_t& j) noexcept {
    const auto runEnd = [](std::string_view text, std::size_t at) {
        while (at < text.size() && isDigit(text[at])) ++at;
        return at;
    };
    const std::size_t endA = runEnd(a, i), endB = runEnd(b, j);
    while (i < endA && a[i] == '0') ++i;
    while (j < endB && b[j] == '0') ++j;
    const std::string_view x = a.substr(i, endA - i), y = b.substr(j, endB - j);
    i = endA;
    j = endB;
    if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
    return x.compare(y);
}

int naturalCompare(std::string_view a, std::string_view b) noexcept {
    std::size_t i = 0, j = 0;
    while (i < a.size() && j < b.size()) {
        if (isDigit(a[i]) && isDigit(b[j])) {
            if (const int order = compareDigits(a, i, b, j); order != 0) return order;
            continue;
        }
        const auto x = static_cast<unsigned char>(a[i++]), y = static_cast<unsigned char>(b[j++]);
        if (x != y) return x < y ? -1 : 1;
    }
    if (i < a.size()) return 1;
    if (j < b.size()) return -1;
    return a.compare(b);
}

}  // namespace

bool isValidUtf8(std::string_view text) noexcept {
    const auto size = static_cast<std::int32_t>(text.size());
    std::int32_t at = 0;
    while (at < size) {
        UChar32 codePoint = 0;
        U8_NEXT(text.data(), at, size, codePoint);
        if (codePoint < 0) return false;
    }
    return true;
}

std::string displayText(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    const auto size = static_cast<std::int32_t>(text.size());
    std::int32_t at = 0;
    while (at < size) {
        const std::int32_t start = at;
        UChar32 codePoint = 0;
        U8_NEXT(text.data(), at, size, codePoint);
        if (codePoint >= 0) {
            shown.append(text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(at - start)));
            continue;
        }
        for (std::int32_t i = start; i < at; ++i) {
            const auto byte = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
            shown += "\\x";
            shown += "0123456789ABCDEF"[byte >> 4];
            shown += "0123456789ABCDEF"[byte & 15];
        }
    }
    return shown;
}

std::string normalizedName(std::string_view text) {
    const bool isAscii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
    if (isAscii || !isValidUtf8(text)) return std::string(text);
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* normalizer = icu::Normalizer2::getNFCInstance(status);
    if (U_FAILURE(status)) return std::string(text);
    const auto source = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
    const icu::UnicodeString normal = normalizer->normalize(source, status);
    if (U_FAILURE(status)) return std::string(text);
    std::string result;
    normal.toUTF8String(result);
    return result;
}

std::string lowerAscii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return lower;
}

std::string_view fileNameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string trimmedCell(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string() : std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

bool naturalLess(std::string_view a, std::string_view b) noexcept { return naturalCompare(a, b) < 0; }

bool naturalPathLess(std::string_view a, std::string_view b) noexcept {
    while (!a.empty() && !b.empty()) {
        const std::size_t cutA = std::min(a.find('/'), a.size()), cutB = std::min(b.find('/'), b.size());
        if (const int order = naturalCompare(a.substr(0, cutA), b.substr(0, cutB)); order != 0) return order < 0;
        a.remove_prefix(std::min(cutA + 1, a.size()));
        b.remove_prefix(std::min(cutB + 1, b.size()));
    }
    return a.empty() && !b.empty();
}

std::optional<feed::Split> splitFromName(std::string_view name) {
    // "train", "Train_images", "val2017", "test-set": one word says the split, the others only that it holds pictures.
    static constexpr std::array<const char*, 12> kFillers{"set", "data", "dataset", "image", "images", "img", "imgs",
                                                          "picture", "pictures", "photos", "split", "samples"};
    std::optional<feed::Split> split;
    const std::string lower = lowerAscii(name);
    for (std::size_t at = 0; at <= lower.size();) {
        const std::size_t end = std::min(lower.find_first_of("_- ", at), lower.size());
        std::string word = lower.substr(at, end - at);
        at = end + 1;
        if (const std::size_t letters = word.find_last_not_of("0123456789") + 1; word.size() == letters + 4) word.resize(letters);  // a year
        if (word.size() > 3 && word.ends_with("set")) word.resize(word.size() - 3);
        if (word.empty() || std::any_of(kFillers.begin(), kFillers.end(), [&](const char* filler) { return word == filler; })) continue;
        const auto found = splitOfWord(word);
        if (!found || split) return std::nullopt;
        split = found;
    }
    return split;
}

std::optional<feed::Split> splitOfWord(std::string_view word) {
    const std::string lower = lowerAscii(word);
    const auto isOne = [&](std::initializer_list<const char*> known) {
        return std::any_of(known.begin(), known.end(), [&](const char* each) { return lower == each; });
    };
    if (isOne({"train", "training"})) return feed::Split::Train;
    if (isOne({"val", "valid", "validation", "validate", "dev"})) return feed::Split::Valid;
    if (isOne({"test", "testing", "eval", "evaluation"})) return feed::Split::Test;
    return std::nullopt;
}

bool isSystemName(std::string_view name) {
    if (name.empty() || name.front() == '.') return true;
    const std::string lower = lowerAscii(name);
    static constexpr std::array<const char*, 14> kNames{
        "__macosx", "@eadir", "#recycle", "$recycle.bin", "system volume information", "thumbs.db", "ehthumbs.db",
        "desktop.ini", "lost+found", "__pycache__", "icon\r", "#snapshot", "picasa.ini", "@tmp"};
    return std::any_of(kNames.begin(), kNames.end(), [&](const char* known) { return lower == known; });
}

std::string suffixOf(std::string_view name) {
    const std::size_t slash = name.rfind('/');
    if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos || dot == 0 ? std::string() : lowerAscii(name.substr(dot + 1));
}

std::string groupedNumber(std::int64_t value) {
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3 + (value < 0 ? 1u : 0u);) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

}  // namespace espalier::intake
