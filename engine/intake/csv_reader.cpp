#include "engine/intake/csv_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>

namespace espalier::intake {

namespace {

bool isBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && isBlank(text.front())) text.remove_prefix(1);
    while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
    return text;
}

/// Spreadsheets and web pages put blanks that do not break beside numbers.
std::string_view withoutHardBlanks(std::string_view text) {
    for (bool isChanged = true; isChanged;) {
        isChanged = false;
        for (const std::string_view blank : {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x87", " ", "\t"}) {
            if (text.starts_with(blank)) text.remove_prefix(blank.size()), isChanged = true;
            if (text.ends_with(blank)) text.remove_suffix(blank.size()), isChanged = true;
        }
    }
    return text;
}

bool isDigit(char c) { return c >= '0' && c <= '9'; }

bool equalsNoCase(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
               return std::tolower(x) == std::tolower(y);
           });
}

bool isMissing(std::string_view cell) {
    for (const char* word : {"", "na", "n/a", "nan", "null", "none", "nil", "?", "-", "--", "#n/a", "#na", "<na>", "missing", "\\n", ".", "-nan"})
        if (equalsNoCase(cell, word)) return true;
    return false;
}

/// digits [mark digits] [e sign digits]; false when something else stands there.
bool scanNumber(std::string_view text, char mark, CsvNumber& number) {
    std::size_t at = 0, digits = 0, afterMark = 0;
    while (at < text.size() && isDigit(text[at])) ++at, ++digits;
    bool hasMark = false;
    if (at < text.size() && text[at] == mark) {
        hasMark = true;
        ++at;
        while (at < text.size() && isDigit(text[at])) ++at, ++afterMark;
    }
    if (digits + afterMark == 0) return false;
    bool hasExponent = false;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (at == text.size() || !isDigit(text[at])) return false;
        while (at < text.size() && isDigit(text[at])) ++at;
        hasExponent = true;
    }
    if (at != text.size()) return false;
    number.hasDot = mark == '.' && (hasMark || hasExponent);
    number.hasComma = mark == ',' && hasMark;
    number.isThreeDigits = hasMark && afterMark == 3 && digits >= 1 && digits <= 3 && !hasExponent && text[0] != '0';
    return true;
}

struct SeparatorScore {
    double quality = 0.0;
    std::size_t columns = 0;
};

SeparatorScore scoreSeparator(std::string_view text, char separator) {
    CsvRecords records(text, separator);
    CsvRecords::Record record;
    std::map<std::size_t, int> counts;
    int rows = 0, numbers = 0, cells = 0;
    while (rows < 60 && records.next(record)) {
        ++rows;
        ++counts[record.fields.size()];
        for (const std::string& field : record.fields) {
            ++cells;
            const auto kind = readCsvNumber(field, separator != ',').kind;
            numbers += kind != CsvNumber::Kind::Text;
        }
    }
    SeparatorScore score;
    int best = 0;
    for (const auto& [columns, count] : counts)
        if (count > best || (count == best && columns > score.columns)) best = count, score.columns = columns;
    if (rows == 0 || score.columns < 2) return {};
    score.quality = double(best) / rows * (1.0 + double(numbers) / std::max(cells, 1));
    return score;
}

}  // namespace

std::size_t CsvRecords::quotedField(std::size_t at, Record& record, std::string& field, std::int64_t& breaks) const {
    const std::size_t open = at++;
    while (at < m_text.size()) {
        const char c = m_text[at];
        if (c == '"') {
            if (at + 1 < m_text.size() && m_text[at + 1] == '"') {
                field += '"';
                at += 2;
                continue;
            }
            // A field over several lines that goes on after its quote met the opening quote of a later field.
            const char after = at + 1 < m_text.size() ? m_text[at + 1] : '\n';
            if (breaks > 0 && after != m_separator && after != '\n' && after != '\r' && !isBlank(after)) break;
            return at + 1;
        }
        if (c == '\n' || (c == '\r' && !(at + 1 < m_text.size() && m_text[at + 1] == '\n'))) ++breaks;
        field += c;
        ++at;
    }
    record.hasOpenQuote = true;
    record.quoteLine = m_line;
    field.clear();
    breaks = 0;
    // Only the line with the quote is lost: what follows is read as records again.
    at = open;
    while (at < m_text.size() && m_text[at] != '\n' && m_text[at] != '\r') field += m_text[at++];
    return at;
}

void CsvRecords::readFields(Record& record) {
    const bool isRuns = m_separator == ' ';
    const auto isEnd = [&](std::size_t at) { return at >= m_text.size() || m_text[at] == '\n' || m_text[at] == '\r'; };
    std::int64_t line = m_line;
    std::size_t count = 0;
    for (;;) {
        if (isRuns)
            while (!isEnd(m_at) && isBlank(m_text[m_at])) ++m_at;
        if (isRuns && isEnd(m_at) && count > 0) break;
        if (record.fields.size() <= count) record.fields.emplace_back(), record.isQuoted.push_back(0);
        std::string& field = record.fields[count];
        field.clear();
        record.isQuoted[count] = 0;
        std::size_t start = m_at;
        while (!isEnd(start) && m_text[start] == ' ' && !isRuns) ++start;
        if (!isEnd(start) && m_text[start] == '"') {
            std::int64_t breaks = 0;
            m_line = line;
            m_at = quotedField(start, record, field, breaks);
            record.isQuoted[count] = 1;
            line += breaks;
            std::size_t after = m_at;
            while (!isEnd(after) && m_text[after] == ' ') ++after;
            if (isEnd(after) || m_text[after] == m_separator) m_at = after;
        }
        while (!isEnd(m_at) && m_text[m_at] != m_separator && !(isRuns && m_text[m_at] == '\t')) field += m_text[m_at++];
        ++count;
        if (isEnd(m_at)) break;
        ++m_at;
    }
    record.fields.resize(count);
    record.isQuoted.resize(count);
    m_line = line;
    if (m_at < m_text.size()) {
        m_at += m_text[m_at] == '\r' && m_at + 1 < m_text.size() && m_text[m_at + 1] == '\n' ? 2 : 1;
        ++m_line;
    }
}

bool CsvRecords::next(Record& record) {
    while (m_at < m_text.size()) {
        record.line = m_line;
        record.hasOpenQuote = false;
        readFields(record);
        const bool isEmpty = record.fields.size() == 1 && !record.isQuoted[0] && trimmed(record.fields[0]).empty();
        if (!isEmpty) return true;
    }
    return false;
}

char findSeparator(std::string_view& text, std::int64_t& skippedLines) {
    skippedLines = 0;
    if (text.size() > 5 && equalsNoCase(text.substr(0, 4), "sep=") && (text[5] == '\n' || text[5] == '\r')) {
        const char separator = text[4];
        const std::size_t end = text.find_first_not_of("\r\n", 5);
        text.remove_prefix(std::min(end, text.size()));
        skippedLines = 1;
        return separator;
    }
    char best = ',';
    SeparatorScore bestScore;
    for (const char separator : {',', ';', '\t', '|'}) {
        const SeparatorScore score = scoreSeparator(text, separator);
        const bool isBetter = score.quality > bestScore.quality + 1e-9 ||
                              (std::fabs(score.quality - bestScore.quality) <= 1e-9 && score.columns > bestScore.columns);
        if (score.columns >= 2 && isBetter) best = separator, bestScore = score;
    }
    if (bestScore.columns < 2 && scoreSeparator(text, ' ').quality > 0.9) return ' ';
    return best;
}

CsvNumber readCsvNumber(std::string_view cell, bool canHaveComma) {
    CsvNumber number;
    cell = withoutHardBlanks(trimmed(cell));
    if (isMissing(cell)) {
        number.kind = CsvNumber::Kind::Missing;
        return number;
    }
    std::string_view body = cell;
    if (body[0] == '+' || body[0] == '-') body.remove_prefix(1);
    if (equalsNoCase(body, "inf") || equalsNoCase(body, "infinity")) {
        number.kind = CsvNumber::Kind::NotFinite;
        return number;
    }
    const bool isDot = scanNumber(body, '.', number);
    if (!isDot && !(canHaveComma && scanNumber(body, ',', number))) return number;
    std::string plain(body);
    if (!isDot) std::replace(plain.begin(), plain.end(), ',', '.');
    const auto result = std::from_chars(plain.data(), plain.data() + plain.size(), number.value);
    if (result.ec == std::errc::result_out_of_range) {
        // Too small is zero to every precision that is kept; too large is not a number here.
        const auto exponent = plain.find_first_of("eE");
        const bool isTiny = exponent != std::string::npos && exponent + 1 < plain.size() && plain[exponent + 1] == '-';
        number.value = 0.0;
        number.kind = isTiny ? CsvNumber::Kind::Number : CsvNumber::Kind::NotFinite;
        return number;
    }
    if (result.ec != std::errc() || result.ptr != plain.data() + plain.size()) return CsvNumber{};
    if (cell[0] == '-') number.value = -number.value;
    number.kind = std::fabs(number.value) > 3.4e38 ? CsvNumber::Kind::NotFinite : CsvNumber::Kind::Number;
    return number;
}

}  // namespace espalier::intake
