// decodeText of csv_reader.h: bytes of a text file to UTF-8.
#include <algorithm>
#include <cstring>

#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include "engine/intake/csv_reader.h"

namespace espalier::intake {

namespace {

bool isValidUtf8(const std::string& bytes) {
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    const auto* end = at + bytes.size();
    while (at < end) {
        if (*at < 0x80) {
            ++at;
            continue;
        }
        const int extra = *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : 1;
        if (*at < 0xC2 || *at > 0xF4 || end - at <= extra) return false;
        const unsigned char second = at[1];
        if ((*at == 0xE0 && second < 0xA0) || (*at == 0xED && second > 0x9F) || (*at == 0xF0 && second < 0x90) || (*at == 0xF4 && second > 0x8F))
            return false;
        for (int i = 1; i <= extra; ++i)
            if ((at[i] & 0xC0) != 0x80) return false;
        at += extra + 1;
    }
    return true;
}

/// UTF-16 without a mark: every other byte of mostly Latin text is zero.
const char* utf16WithoutMark(const std::string& bytes) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 4096) & ~std::size_t(1);
    if (size < 8) return nullptr;
    std::size_t evenZeros = 0, oddZeros = 0;
    for (std::size_t i = 0; i < size; i += 2) evenZeros += bytes[i] == 0, oddZeros += bytes[i + 1] == 0;
    const std::size_t pairs = size / 2;
    if (oddZeros * 10 > pairs * 7 && evenZeros * 50 < pairs) return "UTF-16LE";
    if (evenZeros * 10 > pairs * 7 && oddZeros * 50 < pairs) return "UTF-16BE";
    return nullptr;
}

bool looksBinary(const std::string& bytes) {
    if (bytes.find('\0') != std::string::npos) return true;
    const std::size_t size = std::min<std::size_t>(bytes.size(), 65536);
    std::size_t controls = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const auto c = static_cast<unsigned char>(bytes[i]);
        controls += (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1A) || c == 0x7F;
    }
    return controls * 200 > size;
}

/// How the bytes beyond ASCII stand: in Western text mostly alone between ASCII letters, in other scripts in a row.
struct HighBytes {
    std::size_t count = 0, inRow = 0, oddRuns = 0, low = 0;  ///< low: below 0xC0
    bool areAlone() const { return 10 * inRow < 3 * count; }
    bool arePairs() const { return inRow == count && oddRuns == 0; }
    /// Characters of two bytes each: the letters of Cyrillic and Greek lie above 0xC0, and their words are odd half the time.
    bool areEastAsian() const { return arePairs() && 10 * low > count; }
};

HighBytes lookAtHighBytes(const std::string& bytes) {
    HighBytes high;
    std::size_t run = 0;
    for (std::size_t i = 0; i <= bytes.size(); ++i) {
        const bool isHigh = i < bytes.size() && static_cast<unsigned char>(bytes[i]) >= 0x80;
        if (isHigh) {
            ++run;
            high.low += static_cast<unsigned char>(bytes[i]) < 0xC0;
            continue;
        }
        high.count += run;
        if (run > 1) high.inRow += run;
        high.oddRuns += run % 2;
        run = 0;
    }
    return high;
}

/// The detector is trusted for scripts that Windows-1252 would turn to noise; else Western text is the likely one.
std::string guessEncoding(const std::string& bytes) {
    std::string guess = "windows-1252";
    // Bytes that windows-1252 leaves free: whatever the text is, it is not that.
    const bool isNotWestern = bytes.find_first_of("\x81\x8D\x8F\x90\x9D") != std::string::npos;
    const HighBytes high = lookAtHighBytes(bytes);
    if (!isNotWestern && high.areAlone()) return guess;
    UErrorCode status = U_ZERO_ERROR;
    UCharsetDetector* detector = ucsdet_open(&status);
    if (!detector) return guess;
    ucsdet_setText(detector, bytes.data(), static_cast<int32_t>(std::min<std::size_t>(bytes.size(), 1 << 20)), &status);
    int32_t count = 0;
    const UCharsetMatch** matches = ucsdet_detectAll(detector, &count, &status);
    bool isFound = false;
    const bool isAnyTrusted = isNotWestern || high.arePairs();
    for (int32_t i = 0; U_SUCCESS(status) && i < count && !isFound; ++i) {  // best first
        const std::string name = ucsdet_getName(matches[i], &status);
        const int confidence = ucsdet_getConfidence(matches[i], &status);
        if (i > 0 && !isAnyTrusted) break;
        if (high.arePairs() && name == "Shift_JIS") continue;  // its half-width kana take any bytes
        const bool isTwoByte = name == "GB18030" || name == "EUC-JP" || name == "EUC-KR" || name == "Big5";
        if (high.areEastAsian() && !isTwoByte) continue;
        for (const char* other : {"Shift_JIS", "GB18030", "EUC-JP", "EUC-KR", "Big5", "windows-1251", "KOI8-R", "ISO-8859-5", "windows-1253", "ISO-8859-7"})
            if (name == other && (confidence >= 40 || (isAnyTrusted && confidence >= 10))) guess = name, isFound = true;
    }
    ucsdet_close(detector);
    return guess;
}

Result<std::string> convert(const std::string& bytes, const std::string& encoding, const std::string& where) {
    UErrorCode status = U_ZERO_ERROR;
    UConverter* from = ucnv_open(encoding.c_str(), &status);
    UConverter* to = ucnv_open("UTF-8", &status);
    std::string text;
    if (U_SUCCESS(status)) {
        text.reserve(bytes.size() + bytes.size() / 8);
        const char* source = bytes.data();
        const char* end = source + bytes.size();
        std::string block(1 << 16, '\0');
        UChar pivot[4096];
        UChar *pivotSource = pivot, *pivotTarget = pivot;
        bool isFirst = true;
        do {
            status = U_ZERO_ERROR;
            char* target = block.data();
            ucnv_convertEx(to, from, &target, block.data() + block.size(), &source, end, pivot, &pivotSource, &pivotTarget, pivot + 4096,
                           isFirst, true, &status);
            isFirst = false;
            text.append(block.data(), static_cast<std::size_t>(target - block.data()));
        } while (status == U_BUFFER_OVERFLOW_ERROR);
    }
    if (from) ucnv_close(from);
    if (to) ucnv_close(to);
    if (U_FAILURE(status))
        return fail(ErrorCode::BadInput, "the text cannot be read as " + encoding, where, "Save it as UTF-8", u_errorName(status));
    if (text.compare(0, 3, "\xEF\xBB\xBF") == 0) text.erase(0, 3);
    return text;
}

}  // namespace

Result<DecodedText> decodeText(std::string bytes, const std::string& where) {
    DecodedText decoded;
    const auto starts = [&](const char* mark, std::size_t size) { return bytes.size() >= size && std::memcmp(bytes.data(), mark, size) == 0; };
    if (starts("\xEF\xBB\xBF", 3)) bytes.erase(0, 3);
    else if (starts("\xFF\xFE\0\0", 4)) decoded.encoding = "UTF-32LE", bytes.erase(0, 4);
    else if (starts("\0\0\xFE\xFF", 4)) decoded.encoding = "UTF-32BE", bytes.erase(0, 4);
    else if (starts("\xFF\xFE", 2)) decoded.encoding = "UTF-16LE", bytes.erase(0, 2);
    else if (starts("\xFE\xFF", 2)) decoded.encoding = "UTF-16BE", bytes.erase(0, 2);
    else if (const char* encoding = utf16WithoutMark(bytes)) decoded.encoding = encoding, decoded.isGuessed = true;

    if (decoded.encoding.empty()) {
        if (looksBinary(bytes))
            return fail(ErrorCode::BadInput, "holds binary data, not text", where, "Export the table as text (CSV, UTF-8)");
        if (isValidUtf8(bytes)) {
            decoded.encoding = "UTF-8";
            decoded.text = std::move(bytes);
            return decoded;
        }
        decoded.encoding = guessEncoding(bytes);
        decoded.isGuessed = true;
    }
    ESPALIER_TRY(decoded.text, convert(bytes, decoded.encoding, where));
    if (looksBinary(decoded.text)) return fail(ErrorCode::BadInput, "holds binary data, not text", where, "Export the table as text (CSV, UTF-8)");
    return decoded;
}

}  // namespace espalier::intake
