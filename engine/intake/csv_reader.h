#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace espalier::intake {

/// Text of a file as UTF-8 without byte order mark.
struct DecodedText {
    std::string text;
    std::string encoding;      ///< "UTF-8", "UTF-16LE", "windows-1252", …
    bool isGuessed = false;    ///< nothing in the file says so
};
/// UTF-8, UTF-16 and UTF-32 by mark or by pattern, else the encoding that fits best. Binary data are refused.
Result<DecodedText> decodeText(std::string bytes, const std::string& where);

/// Splits text into records: quotes with doubled quotes and line breaks inside, CR, LF or CRLF. Pure; holds a view.
class CsvRecords {
public:
    CsvRecords(std::string_view text, char separator) : m_text(text), m_separator(separator) {}
    struct Record {
        std::int64_t line = 0;          ///< where it starts, 1-based
        bool hasOpenQuote = false;      ///< a quote opened and never closed: the record ends with its first line
        std::int64_t quoteLine = 0;
        std::vector<std::string> fields;
        std::vector<char> isQuoted;
    };
    /// False at the end. Blank lines are skipped. Separator ' ' means runs of blanks.
    bool next(Record& record);
    void rewind() { m_at = 0, m_line = 1; }

private:
    std::size_t quotedField(std::size_t at, Record& record, std::string& field, std::int64_t& breaks) const;
    void readFields(Record& record);
    std::string_view m_text;
    char m_separator;
    std::size_t m_at = 0;
    std::int64_t m_line = 1;
};

/// Comma, semicolon, tab, bar or blank: the one that gives the most regular numbers. An Excel line "sep=;" decides and
/// is cut from `text`. `skippedLines` receives how many lines were cut.
char findSeparator(std::string_view& text, std::int64_t& skippedLines);

/// How a cell reads as a number.
struct CsvNumber {
    enum class Kind { Number, Missing, NotFinite, Text } kind = Kind::Text;
    double value = 0.0;
    bool hasDot = false;            ///< a decimal point or exponent was used
    bool hasComma = false;          ///< read with a decimal comma
    bool isThreeDigits = false;     ///< three digits follow the mark: it may be a thousands mark
};
/// `canHaveComma`: decimal commas are allowed (the separator is not a comma).
CsvNumber readCsvNumber(std::string_view cell, bool canHaveComma);

}  // namespace espalier::intake
