#include "engine/intake/label_table.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "engine/intake/csv_reader.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/member_guess.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace {

constexpr std::size_t kNamedLines = 20;
constexpr std::size_t kMaxClasses = 2000;

constexpr std::array<std::string_view, 16> kFileNames{"file",     "filename", "file_name", "filepath",   "file_path", "image",      "image_id", "imageid",
                                                      "image_name", "img",    "path",      "image_path", "picture",   "image_file", "id",       "name"};
/// The most telling first.
constexpr std::array<std::string_view, 19> kLabelNames{"label",    "labels",        "class",   "class_name", "classname", "label_name", "target",   "targets", "category",
                                                       "category_name", "y", "breed", "species",    "diagnosis", "dx", "emotion", "class_id",   "classid", "label_id"};

std::string inQuotes(const std::string& text) { return "\"" + displayText(text.size() > 80 ? text.substr(0, 80) + "…" : text) + "\""; }

struct Line {
    std::int64_t number = 0;
    std::vector<std::string> cells;
};

struct Table {
    std::vector<std::string> header;  ///< empty when there is none
    std::vector<Line> lines;
    std::size_t width = 0;
    std::size_t file = 0;
    bool namesPictures = false;  ///< by the column's name or the cells' suffix, whether or not the pictures are there
    std::string example;         ///< one of those cells
    std::optional<std::size_t> split;

    std::string nameOf(std::size_t column) const {
        return column < header.size() && !header[column].empty() ? inQuotes(header[column]) : "number " + std::to_string(column + 1);
    }
};

Table readTable(std::string_view text) {
    Table table;
    std::int64_t skipped = 0;
    const char separator = findSeparator(text, skipped);
    CsvRecords records(text, separator);
    CsvRecords::Record record;
    std::map<std::size_t, std::size_t> widths;
    while (records.next(record)) {
        if (record.hasOpenQuote) continue;
        ++widths[record.fields.size()];
        table.lines.push_back({record.line + skipped, record.fields});
    }
    std::size_t most = 0;
    for (const auto& [width, count] : widths)
        if (count >= most) most = count, table.width = width;
    return table;
}

std::size_t rankOf(const std::string& name, const std::string_view* begin, const std::string_view* end) {
    std::string plain = lowerAscii(trimmedCell(name));
    std::replace(plain.begin(), plain.end(), ' ', '_');
    return static_cast<std::size_t>(std::find(begin, end, plain) - begin);
}
bool isFileName(const std::string& name) { return rankOf(name, kFileNames.begin(), kFileNames.end()) < kFileNames.size(); }

/// The column whose cells are pictures of the source; false when there is none.
bool findFileColumn(Table& table, const PictureNames& names, const PictureNames::Place& place) {
    std::size_t bestScore = 0;
    for (std::size_t column = 0; column < table.width; ++column) {
        std::set<std::size_t> found;
        std::size_t filled = 0, pictureFiles = 0;
        for (const Line& line : table.lines) {
            if (column >= line.cells.size() || trimmedCell(line.cells[column]).empty()) continue;
            ++filled;
            pictureFiles += isImageSuffix(suffixOf(trimmedCell(line.cells[column])));
            if (const auto picture = names.find(line.cells[column], place)) found.insert(*picture);
        }
        const bool isNamed = column < table.lines[0].cells.size() && isFileName(table.lines[0].cells[column]);
        if (!table.namesPictures && 2 * pictureFiles > filled) {
            table.namesPictures = true;
            table.example = trimmedCell(table.lines.back().cells[std::min(column, table.lines.back().cells.size() - 1)]);
        }
        if (found.empty() || (!isNamed && 2 * found.size() < filled)) continue;
        // Numbers are as likely to be something else as the names of a few pictures.
        if (!isNamed && pictureFiles == 0 && 5 * found.size() < names.count()) continue;
        const std::size_t score = found.size() + (isNamed ? table.lines.size() : 0);
        if (score <= bestScore) continue;
        bestScore = score;
        table.file = column;
        table.namesPictures = table.namesPictures || isNamed;
    }
    if (bestScore == 0) return false;
    const auto& first = table.lines[0].cells;
    const std::string cell = table.file < first.size() ? trimmedCell(first[table.file]) : std::string();
    if (!names.find(cell, place) && !isImageSuffix(suffixOf(cell))) {
        for (const std::string& name : first) table.header.push_back(trimmedCell(name));
        table.lines.erase(table.lines.begin());
    }
    return !table.lines.empty();
}

void findSplitColumn(Table& table) {
    for (std::size_t column = 0; column < table.header.size() && column < table.width; ++column) {
        const std::string name = lowerAscii(table.header[column]);
        if (name != "split" && name != "subset" && name != "set" && name != "partition" && name != "data set" && name != "phase") continue;
        if (std::all_of(table.lines.begin(), table.lines.end(), [&](const Line& line) { return column < line.cells.size() && splitOfWord(trimmedCell(line.cells[column])); }))
            table.split = column;
    }
}

std::set<std::string> valuesOf(const Table& table, std::size_t column) {
    std::set<std::string> values;
    for (const Line& line : table.lines)
        if (column < line.cells.size() && !trimmedCell(line.cells[column]).empty()) values.insert(trimmedCell(line.cells[column]));
    return values;
}

/// Measured values and texts that differ in every line are no classes.
bool canBeClasses(const Table& table, std::size_t column) {
    const auto values = valuesOf(table, column);
    if (values.empty()) return false;
    bool isMeasured = true;
    for (const std::string& value : values) {
        const CsvNumber number = readCsvNumber(value, true);
        isMeasured = isMeasured && number.kind == CsvNumber::Kind::Number;
    }
    const bool hasFractions = isMeasured && std::any_of(values.begin(), values.end(), [](const std::string& value) {
        const double number = readCsvNumber(value, true).value;
        return number != static_cast<double>(static_cast<long long>(number));
    });
    if (hasFractions) return values.size() <= 10 && 4 * values.size() <= table.lines.size();
    return values.size() <= kMaxClasses && (values.size() < table.lines.size() || table.lines.size() < 20);
}

/// One column a class, with a single 1 in every line.
std::vector<std::size_t> oneHotColumns(const Table& table) {
    std::vector<std::size_t> columns;
    for (std::size_t column = 0; column < table.header.size() && column < table.width; ++column) {
        const auto values = valuesOf(table, column);
        const bool isFlag = !values.empty() && std::all_of(values.begin(), values.end(), [](const std::string& value) {
            return value == "0" || value == "1" || value == "0.0" || value == "1.0";
        });
        if (column != table.file && isFlag) columns.push_back(column);
    }
    if (columns.size() < 2) return {};
    for (const Line& line : table.lines) {
        int ones = 0;
        for (const std::size_t column : columns) ones += column < line.cells.size() && trimmedCell(line.cells[column])[0] == '1';
        if (ones != 1) return {};
    }
    return columns;
}

Result<std::size_t> namedColumn(const Table& table, const std::string& wanted, const std::string& path) {
    for (std::size_t i = 0; i < table.header.size(); ++i)
        if (table.header[i] == wanted) return i;
    for (std::size_t i = 0; i < table.header.size(); ++i)
        if (lowerAscii(table.header[i]) == lowerAscii(wanted)) return i;
    char* end = nullptr;
    const long long number = std::strtoll(wanted.c_str(), &end, 10);
    if (!wanted.empty() && *end == '\0' && number >= 1 && number <= static_cast<long long>(table.width)) return static_cast<std::size_t>(number - 1);
    const std::string near = nearestName(wanted, table.header);
    return fail(ErrorCode::NotFound, "there is no column \"" + wanted + "\"; the columns are " + listed(table.header, 20), displayText(path),
                near.empty() ? "Name one of these, or its number from 1" : "Perhaps \"" + near + "\" is meant");
}

bool isNumberColumn(const std::set<std::string>& values) {
    return std::all_of(values.begin(), values.end(), [](const std::string& value) { return readCsvNumber(value, true).kind == CsvNumber::Kind::Number; });
}

struct LabelGuess {
    std::optional<std::size_t> column;
    std::vector<std::string> rivals;  ///< other columns that would fit as well
};

/// By name; else the only column that can be classes, of texts before numbers; else the last of these.
LabelGuess guessLabelColumn(const Table& table) {
    LabelGuess guess;
    std::size_t bestRank = kLabelNames.size();
    std::vector<std::size_t> texts, numbers;
    for (std::size_t column = 0; column < table.width; ++column) {
        if (column == table.file || column == table.split || !canBeClasses(table, column)) continue;
        const std::size_t rank = column < table.header.size() ? rankOf(table.header[column], kLabelNames.begin(), kLabelNames.end()) : kLabelNames.size();
        if (rank < bestRank) guess.column = column, bestRank = rank;
        const auto values = valuesOf(table, column);
        if (values.size() >= 2 || table.width == 2) (isNumberColumn(values) ? numbers : texts).push_back(column);
    }
    const auto& fitting = texts.empty() ? numbers : texts;
    // Names that do not reach all columns name none of them for sure.
    if (guess.column || fitting.empty() || (fitting.size() > 1 && table.header.size() < table.width)) return guess;
    guess.column = fitting.back();
    for (const std::size_t column : fitting)
        if (column != *guess.column) guess.rivals.push_back(table.header[column]);
    return guess;
}

/// Lines to labels, with what is wrong about them.
class Labelling {
public:
    Labelling(const Table& table, const PictureNames& names, LabelTable& result) : m_table(table), m_names(names), m_result(result) {}

    template <class LabelOf>
    void run(LabelOf&& labelOf) {
        const PictureNames::Place place(m_result.path);
        for (const Line& line : m_table.lines) {
            if (m_table.file >= line.cells.size()) {
                warn(line, "ragged_line", "has " + std::to_string(line.cells.size()) + " fields where " + std::to_string(m_table.width) + " are usual and was left out", Outcome::Skipped);
                continue;
            }
            const std::string cell = trimmedCell(line.cells[m_table.file]);
            const auto picture = m_names.find(cell, place);
            const std::string label = labelOf(line);
            if (!picture) warn(line, "missing_file", cell.empty() ? "names no picture" : "names " + inQuotes(cell) + ", which is not among the pictures", Outcome::Skipped);
            else if (label.empty()) warn(line, "missing_label", "gives " + inQuotes(cell) + " no label", Outcome::Skipped);
            else take(line, *picture, cell, label);
        }
        for (const auto& [kind, count] : m_counts)
            if (count > kNamedLines)
                m_result.warnings.push_back({m_result.path, 0, kind, "…and " + groupedNumber(static_cast<std::int64_t>(count - kNamedLines)) + " more lines of this kind",
                                             kind == "label_conflict" ? Outcome::Kept : Outcome::Skipped});
    }

private:
    void take(const Line& line, std::size_t picture, const std::string& cell, const std::string& label) {
        TableLabel entry{normalizedName(label), std::nullopt};
        if (m_table.split) entry.split = splitOfWord(trimmedCell(line.cells[*m_table.split]));
        const auto [at, isNew] = m_result.labels.emplace(m_names.picture(picture).index, entry);
        if (!isNew && at->second.label != entry.label)
            warn(line, "label_conflict", "calls " + inQuotes(cell) + " " + inQuotes(label) + ", an earlier line " + inQuotes(at->second.label) + ": the earlier one counts", Outcome::Kept);
    }
    void warn(const Line& line, const char* kind, const std::string& what, Outcome outcome) {
        if (++m_counts[kind] <= kNamedLines) m_result.warnings.push_back({m_result.path, line.number, kind, "line " + std::to_string(line.number) + " " + what, outcome});
    }

    const Table& m_table;
    const PictureNames& m_names;
    LabelTable& m_result;
    std::map<std::string, std::size_t> m_counts;
};

/// 1 and 1.0 are one class.
std::string wholeNumber(const std::string& text) {
    const CsvNumber number = readCsvNumber(text, false);
    const bool isWhole = number.kind == CsvNumber::Kind::Number && number.hasDot && number.value == static_cast<double>(static_cast<long long>(number.value));
    return isWhole ? std::to_string(static_cast<long long>(number.value)) : text;
}

void labelByColumn(const Table& table, std::size_t column, const std::vector<std::string>& rivals, const PictureNames& names, LabelTable& result) {
    result.warnings.push_back({result.path, 0, "labels_from_table",
                               "the labels were taken from its column " + table.nameOf(column) + "; its column " + table.nameOf(table.file) + " names the pictures", Outcome::Kept});
    if (!rivals.empty())
        result.warnings.push_back({result.path, 0, "label_guessed", "column " + table.nameOf(column) + " is a guess, " + listed(rivals) + " would fit as well: name the label column", Outcome::Kept});
    Labelling(table, names, result).run([&](const Line& line) {
        const std::string text = column < line.cells.size() ? trimmedCell(line.cells[column]) : std::string();
        return text == "NA" || text == "NaN" || text == "nan" || text == "?" ? std::string() : wholeNumber(text);
    });
}

void labelByFlags(const Table& table, const std::vector<std::size_t>& columns, const PictureNames& names, LabelTable& result) {
    result.warnings.push_back({result.path, 0, "labels_from_table",
                               "the labels are the names of its " + std::to_string(columns.size()) + " columns with one 1 in every line; its column " + table.nameOf(table.file) + " names the pictures",
                               Outcome::Kept});
    Labelling(table, names, result).run([&](const Line& line) {
        for (const std::size_t column : columns)
            if (trimmedCell(line.cells[column])[0] == '1') return table.header[column];
        return std::string();
    });
}

}  // namespace

bool canBeLabelTable(std::string_view path) {
    const std::string suffix = suffixOf(path), name = lowerAscii(fileNameOf(path));
    if (name.find("submission") != std::string::npos || name.find("readme") != std::string::npos || name.find("license") != std::string::npos) return false;
    return suffix == "csv" || suffix == "tsv" || suffix == "tab" || suffix == "txt" || suffix == "psv";
}

Result<std::optional<LabelTable>> readLabelTable(const std::string& path, std::string bytes, const PictureNames& names,
                                                 const std::string& labelColumn) {
    const auto decoded = decodeText(std::move(bytes), displayText(path));
    if (!decoded) return std::nullopt;
    Table table = readTable(decoded->text);
    LabelTable result;
    result.path = path;
    if (table.lines.empty()) return std::nullopt;
    if (!findFileColumn(table, names, PictureNames::Place(path))) {
        if (!table.namesPictures) return std::nullopt;
        result.warnings.push_back({path, 0, "missing_file", "names pictures such as " + inQuotes(table.example) + ", but none of them is here: its labels were not used", Outcome::Ignored});
        return result;
    }
    if (decoded->isGuessed) result.warnings.push_back({path, 0, "encoding_guessed", "the text is not UTF-8 and was read as " + decoded->encoding, Outcome::Kept});
    findSplitColumn(table);
    if (!labelColumn.empty()) {
        ESPALIER_TRY(const std::size_t column, namedColumn(table, labelColumn, path));
        labelByColumn(table, column, {}, names, result);
        return result;
    }
    if (const auto flags = oneHotColumns(table); !flags.empty()) labelByFlags(table, flags, names, result);
    else if (const auto guess = guessLabelColumn(table); guess.column) labelByColumn(table, *guess.column, guess.rivals, names, result);
    else if (table.namesPictures)
        result.warnings.push_back({path, 0, "no_label_column", "names the pictures, but no column of it looks like classes: name the label column if there is one", Outcome::Ignored});
    return result;
}

}  // namespace espalier::intake
