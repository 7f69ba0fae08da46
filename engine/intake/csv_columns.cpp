#include "engine/intake/csv_columns.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>

#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"
#include "engine/intake/csv_pixels.h"
#include "engine/intake/image_probe.h"
#include "engine/intake/member_guess.h"
#include "engine/intake/names.h"

namespace espalier::intake {

namespace {

constexpr int kSmallestGuessedSide = 7;
constexpr double kLargestWhole = 9007199254740992.0;  ///< 2^53: above it a double skips whole numbers

int squareSide(std::size_t values) {
    const auto side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(values))));
    return static_cast<std::size_t>(side) * static_cast<std::size_t>(side) == values ? side : 0;
}

/// "pixel0", "px_1", "pixel_0_7", "x12", "1x1", "17".
bool isPixelName(const std::string& name) {
    const std::string text = lowerAscii(trimmedCell(name));
    std::size_t letters = 0;
    while (letters < text.size() && std::isalpha(static_cast<unsigned char>(text[letters]))) ++letters;
    const std::string word = text.substr(0, letters);
    static const std::set<std::string> kWords{"", "pixel", "pixels", "pix", "px", "p", "x", "v", "c", "col", "column", "f", "feature", "att", "attr", "attribute", "input", "dim"};
    if (!kWords.count(word)) return false;
    bool hasDigit = false;
    for (std::size_t i = letters; i < text.size(); ++i) {
        const char c = text[i];
        hasDigit = hasDigit || std::isdigit(static_cast<unsigned char>(c));
        if (!std::isdigit(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != ' ' && c != 'x' && c != '.') return false;
    }
    return hasDigit;
}

bool isLabelName(const std::string& name) {
    static const std::set<std::string> kNames{"label", "labels", "class", "target", "y", "category", "class_label", "classlabel", "emotion", "emotions"};
    return kNames.count(lowerAscii(trimmedCell(name))) > 0;
}

/// Counts of fields by line: the usual width of data lines, and the first record.
struct Widths {
    std::size_t usual = 0;
    CsvRecords::Record first;      ///< the header, or the first row
    std::int64_t records = 0;
    std::int64_t titleLines = 0;   ///< records before `first`
};

constexpr std::int64_t kMaxTitleLines = 20;

/// "My table", "# written by x": lines with fewer fields than the table, and one more than a name less (row names).
bool isTitle(const CsvRecords::Record& record, std::size_t usual) {
    if (usual < 2 || record.hasOpenQuote) return false;
    if (record.fields.size() == 1 && usual > 2) return true;
    return record.fields.size() + 1 < usual && !record.fields[0].empty() && record.fields[0][0] == '#';
}

Widths measureWidths(CsvRecords& records) {
    Widths widths;
    std::map<std::size_t, std::int64_t> counts;
    CsvRecords::Record record;
    records.rewind();
    while (records.next(record)) {
        if (widths.records++ == 0) {
            widths.first = record;
            continue;
        }
        if (!record.hasOpenQuote) ++counts[record.fields.size()];
    }
    records.rewind();
    std::int64_t most = 0;
    for (const auto& [width, count] : counts)
        if (count >= most) most = count, widths.usual = width;
    // The header's width wins where many data lines have it too.
    const auto same = counts.find(widths.first.fields.size());
    if (most >= 3 && isTitle(widths.first, widths.usual) && (same == counts.end() || 2 * same->second < most)) {
        while (widths.titleLines < kMaxTitleLines && records.next(record) && isTitle(record, widths.usual)) ++widths.titleLines;
        widths.first = record;
        records.rewind();
        return widths;
    }
    if (widths.usual == 0 || (same != counts.end() && 2 * same->second >= most)) widths.usual = widths.first.fields.size();
    return widths;
}

/// Fields beyond the width are fine when they are empty: a separator at the line's end.
bool fitsWidth(const std::vector<std::string>& fields, std::size_t width) {
    if (fields.size() < width) return false;
    return std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(width), fields.end(), [](const std::string& field) { return trimmedCell(field).empty(); });
}

bool isHeader(const std::vector<std::string>& first, const std::vector<CsvColumn>& columns, const ImportOptions& options, bool canHaveComma) {
    bool isSequence = first.size() >= 3, hasText = false, allText = true;
    std::set<std::string> seen;
    for (std::size_t i = 0; i < first.size() && i < columns.size(); ++i) {
        const std::string cell = trimmedCell(first[i]);
        const CsvNumber number = readCsvNumber(cell, canHaveComma);
        const bool isNumber = number.kind == CsvNumber::Kind::Number;
        if (!options.label.empty() && cell == options.label && !isNumber) return true;
        const bool isOther = columns[i].isNumeric() || (columns[i].lists > 0 && 2 * columns[i].lists > columns[i].present() && !lookAtNumberList(cell));
        if (isOther && !isNumber && number.kind == CsvNumber::Kind::Text) hasText = true;
        allText = allText && number.kind == CsvNumber::Kind::Text && !columns[i].distinct.count(cell) && seen.insert(cell).second;
        isSequence = isSequence && isNumber && number.value == static_cast<double>(i) + (trimmedCell(first[0]) == "1" ? 1 : 0);
    }
    if (hasText || isSequence) return true;
    const bool anyNumbers = std::any_of(columns.begin(), columns.end(), [](const CsvColumn& column) { return column.isNumeric(); });
    return !anyNumbers && allText;
}

Result<std::size_t> namedColumn(const CsvPlan& plan, const std::string& wanted, const std::string& where) {
    std::vector<std::string> names;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        if (plan.columns[i].name == wanted) found.push_back(i);
        names.push_back(plan.columns[i].name);
    }
    if (found.size() == 1) return found[0];
    if (found.size() > 1)
        return fail(ErrorCode::BadInput, "two or more columns are called \"" + wanted + "\" (columns " + std::to_string(found[0] + 1) + " and " +
                        std::to_string(found[1] + 1) + ")", where, "Name the label by its column number instead");
    for (std::size_t i = 0; i < names.size(); ++i)
        if (lowerAscii(names[i]) == lowerAscii(wanted)) return i;
    char* end = nullptr;
    const long long number = std::strtoll(wanted.c_str(), &end, 10);
    if (!wanted.empty() && *end == '\0' && number >= 1 && number <= static_cast<long long>(names.size())) return static_cast<std::size_t>(number - 1);
    const std::string near = nearestName(wanted, names);
    return fail(ErrorCode::NotFound, "there is no column \"" + wanted + "\"; the columns are " + listed(names, 20), where,
                near.empty() ? "Name one of these, or its number from 1" : "Perhaps \"" + near + "\" is meant");
}

/// Measured values and identifiers are no classes.
bool canBeLabel(const CsvColumn& column, std::int64_t rows) {
    const auto distinct = static_cast<std::int64_t>(column.distinct.size());
    if (column.isEmpty()) return false;
    if (distinct >= rows && rows >= 20) return false;
    if (column.isNumeric() && !column.isWhole) return distinct <= 10 && 4 * distinct <= rows;
    return distinct <= 1000 || 2 * distinct <= rows;
}

/// pjreddie's MNIST and its kin have no header and the label in front, empty pixels at the end.
bool isLabelInFront(const CsvPlan& plan) {
    const CsvColumn &first = plan.columns.front(), &last = plan.columns.back();
    return squareSide(plan.columns.size() - 1) >= kSmallestGuessedSide && first.isPixelLike() && first.distinct.size() >= 2 &&
           first.distinct.size() <= 100 && last.isPixelLike() && last.distinct.size() < 2;
}

Result<void> chooseLabel(CsvPlan& plan, const ImportOptions& options, const std::string& file, const std::string& where, RowSink& sink) {
    const auto note = [&](const char* kind, const std::string& text) { sink.warn({file, 0, kind, text, Outcome::Kept}); };
    if (!options.label.empty()) {
        ESPALIER_TRY(plan.label, namedColumn(plan, options.label, where));
        const CsvColumn& column = plan.columns[*plan.label];
        if (plan.label == plan.pixels) return fail(ErrorCode::BadInput, "the label column \"" + column.name + "\" holds the pictures", where, "Name another column");
        if (column.isEmpty()) return fail(ErrorCode::BadInput, "the label column \"" + column.name + "\" is empty", where, "Name another column");
        if (!canBeLabel(column, plan.rows) || (column.isNumeric() && !column.isWhole && 2 * static_cast<std::int64_t>(column.distinct.size()) > plan.rows))
            note("doubtful_label", "column \"" + column.name + "\" has " + grouped(static_cast<std::int64_t>(column.distinct.size())) +
                                       " different values in " + grouped(plan.rows) + " rows: these are measured values or identifiers rather than classes");
        return {};
    }
    std::size_t last = plan.columns.size();
    const auto isNoLabel = [&](std::size_t i) { return plan.columns[i].isEmpty() || i == plan.pixels || lowerAscii(plan.columns[i].name) == "usage"; };
    while (last > 0 && isNoLabel(last - 1)) --last;
    if (last == 0) return {};
    --last;
    if (plan.hasHeader && !isLabelName(plan.columns[last].name)) {
        std::vector<std::size_t> named;
        for (std::size_t i = 0; i < plan.columns.size(); ++i)
            if (isLabelName(plan.columns[i].name) && canBeLabel(plan.columns[i], plan.rows)) named.push_back(i);
        if (named.size() == 1) {
            plan.label = named[0];
            note("label_guessed", "column \"" + plan.columns[named[0]].name + "\" was taken as the label because of its name");
            return {};
        }
    }
    if (isLabelInFront(plan)) {
        plan.label = 0;
        note("label_guessed", "the first column was taken as the label: the others look like pixels");
        return {};
    }
    if (plan.split && *plan.split == last && last > 0) --last;
    if (canBeLabel(plan.columns[last], plan.rows)) plan.label = last;
    else note("unlabelled", "the last column, \"" + plan.columns[last].name + "\", holds measured values or a different text in every row, no classes; the rows came in unlabelled: name the label column if there is one");
    return {};
}

bool isIndexColumn(const CsvColumn& column) {
    const std::string name = lowerAscii(trimmedCell(column.name));
    const bool isNamed = name.empty() || name == "unnamed: 0" || name == "id" || name == "index" || name == "row";
    return isNamed && column.isPixelLike() && column.isCounting && column.cells > 1;
}

void chooseFeatures(CsvPlan& plan, const std::string& file, RowSink& sink) {
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        const CsvColumn& column = plan.columns[i];
        if (i == plan.label || i == plan.split || i == plan.pixels) continue;
        const std::string shown = "column " + std::to_string(i + 1) + (column.name.empty() ? "" : " (\"" + column.name + "\")");
        if (column.isEmpty()) sink.warn({file, 0, "empty_column", shown + " is empty and was left out", Outcome::Ignored});
        else if (plan.pixels) sink.warn({file, 0, "column_ignored", shown + " was left out: the rows are the pictures of another column", Outcome::Ignored});
        else if (!column.isNumeric() && 2 * column.lists > column.present())
            sink.warn({file, 0, "list_column", shown + " holds several numbers in one field and was left out: give every number a column of its own", Outcome::Ignored});
        else if (!column.isNumeric()) sink.warn({file, 0, "text_column", shown + " holds text, not numbers, and was left out", Outcome::Ignored});
        else if (plan.hasHeader && i == 0 && isIndexColumn(column)) sink.warn({file, 0, "index_column", shown + " only counts the rows and was left out", Outcome::Ignored});
        else plan.features.push_back(i);
    }
}

Result<void> choosePictures(CsvPlan& plan, const ImportOptions& options, const std::string& file, const std::string& where, RowSink& sink) {
    if (options.imageShape == "none" || plan.pixels) return {};
    if (!options.imageShape.empty()) {
        ESPALIER_TRY(const SampleLayout layout, parseImageShape(options.imageShape, static_cast<std::int64_t>(plan.features.size()), where));
        plan.imageHeight = static_cast<int>(layout.height);
        plan.imageWidth = static_cast<int>(layout.width);
        plan.imageChannels = static_cast<int>(layout.channels);
        return {};
    }
    const int side = squareSide(plan.features.size());
    const bool arePixels = side >= kSmallestGuessedSide && std::all_of(plan.features.begin(), plan.features.end(), [&](std::size_t i) {
        return plan.columns[i].isPixelLike() && plan.columns[i].largest <= 65535 && (!plan.hasHeader || isPixelName(plan.columns[i].name));
    });
    if (!arePixels) return {};
    plan.imageHeight = plan.imageWidth = side;
    plan.imageChannels = 1;
    sink.warn({file, 0, "read_as_images",
               "rows of " + std::to_string(plan.features.size()) + " whole numbers were read as grey pictures of " + std::to_string(side) + "×" +
                   std::to_string(side) + "; say image shape \"none\" to keep a table",
               Outcome::Kept});
    return {};
}

/// A table without numbers; a list of picture files is told as such.
Error noFeatures(const CsvPlan& plan, const std::string& where) {
    for (const CsvColumn& column : plan.columns) {
        const auto isPicture = [](const std::string& cell) { return isImageSuffix(suffixOf(cell)); };
        if (column.distinct.empty() || !std::all_of(column.distinct.begin(), column.distinct.end(), isPicture)) continue;
        return Error{ErrorCode::Unsupported,
                     "has no feature column with numbers; column \"" + column.name + "\" names picture files, and paths in a table are not followed", where,
                     "Import the folder in which the table and the pictures lie: its labels are then put to them", {}};
    }
    for (const CsvColumn& column : plan.columns)
        if (2 * column.lists > column.present() && column.lists > 0)
            return Error{ErrorCode::Unsupported, "has no feature column with numbers; column \"" + column.name + "\" holds several numbers in one field", where,
                         "Give every number a column of its own", {}};
    return Error{ErrorCode::BadInput, "has no feature column with numbers: the other columns hold text or nothing", where,
                 "Only tables of numbers can be read", {}};
}

/// Names beyond the fields of the lines cannot be matched to columns.
bool fitsHeader(const std::vector<std::string>& header, std::size_t width) {
    return header.size() <= width || fitsWidth(header, width);
}

void nameColumns(CsvPlan& plan, const CsvRecords::Record& first) {
    std::vector<std::string> header;
    if (plan.hasHeader) {
        header = first.fields;
        if (!header.empty() && header[0].size() > 1 && header[0][0] == '#') header[0] = header[0].substr(1);
        // A table written with row names has one name less than columns.
        if (header.size() + 1 == plan.width) header.insert(header.begin(), "");
    }
    for (std::size_t i = 0; i < plan.columns.size(); ++i)
        plan.columns[i].name = i < header.size() ? trimmedCell(header[i]) : plan.hasHeader ? "" : "column " + std::to_string(i + 1);
}

void findSplitColumn(CsvPlan& plan) {
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        const CsvColumn& column = plan.columns[i];
        const std::string name = lowerAscii(column.name);
        if (name != "split" && name != "subset" && name != "set" && name != "partition" && name != "usage") continue;
        if (column.missing == 0 && column.cells > 0 &&
            std::all_of(column.distinct.begin(), column.distinct.end(), [](const std::string& word) { return splitOfCell(word).has_value(); }))
            plan.split = i;
    }
}

}  // namespace

void CsvColumn::look(const std::string& cell, bool canHaveComma) {
    ++cells;
    const CsvNumber number = readCsvNumber(cell, canHaveComma);
    if (number.kind == CsvNumber::Kind::Missing) {
        ++missing;
        isCounting = false;
        return;
    }
    if (distinct.size() < kMaxDistinct) distinct.insert(trimmedCell(cell));
    sureCommas += number.hasComma && !number.isThreeDigits;
    if (number.kind == CsvNumber::Kind::NotFinite) ++notFinite;
    if (number.kind == CsvNumber::Kind::Text) lookAtList(cell);
    if (number.kind != CsvNumber::Kind::Number) {
        isCounting = isWhole = false;
        return;
    }
    isCounting = isCounting && (numbers == 0 ? number.value == 0 || number.value == 1 : number.value == previous + 1);
    previous = number.value;
    ++numbers;
    dots += number.hasDot;
    commas += number.hasComma;
    isWhole = isWhole && number.value == std::floor(number.value) && std::fabs(number.value) <= kLargestWhole;
    isNegative = isNegative || number.value < 0;
    largest = std::max(largest, number.value);
}

void CsvColumn::lookAtList(const std::string& cell) {
    const auto list = lookAtNumberList(cell);
    if (!list) return;
    ++lists;
    if (!list->isWhole || list->largest > kLargestPixel) return;
    ++pixelLists;
    if (pixelCounts.size() < kMaxDistinct || pixelCounts.count(list->count)) ++pixelCounts[list->count];
    largestInLists = std::max(largestInLists, list->largest);
}

std::optional<feed::Split> splitOfCell(const std::string& cell) {
    const std::string word = lowerAscii(trimmedCell(cell));
    // Competitions score the public part while they run and the private part at their end.
    if (word == "publictest" || word == "public_test") return feed::Split::Valid;
    if (word == "privatetest" || word == "private_test") return feed::Split::Test;
    return splitOfWord(word);
}

CsvNumber readCell(const CsvColumn& column, const std::string& cell, bool canHaveComma) {
    CsvNumber number = readCsvNumber(cell, canHaveComma);
    if (number.kind != CsvNumber::Kind::Number || !number.isThreeDigits) return number;
    // "1,234" beside 5.6, or "1.234" beside 5,6: a thousands mark as likely as a decimal one.
    const bool isDoubtful = (number.hasComma && (column.dots > 0 || (column.needsSureComma && column.sureCommas == 0))) || (!number.hasComma && number.hasDot && column.commas > 0);
    if (isDoubtful) number.kind = CsvNumber::Kind::Text;
    return number;
}

Result<CsvPlan> planCsv(CsvRecords& records, char separator, const ImportOptions& options, const std::string& file,
                        const std::string& where, RowSink& sink) {
    CsvPlan plan;
    plan.canHaveComma = separator != ',';
    const Widths widths = measureWidths(records);
    if (widths.records == 0) return fail(ErrorCode::BadInput, "the file is empty: there is no data in it", where, "Check how it was written");
    plan.width = widths.usual;
    plan.columns.resize(plan.width);
    for (CsvColumn& column : plan.columns) column.needsSureComma = separator == ',';

    CsvRecords::Record record;
    plan.titleLines = widths.titleLines;
    for (std::int64_t i = 0; i <= plan.titleLines; ++i) records.next(record);
    while (records.next(record)) {
        if (record.hasOpenQuote || !fitsWidth(record.fields, plan.width)) continue;
        ++plan.rows;
        for (std::size_t i = 0; i < plan.width; ++i) plan.columns[i].look(record.fields[i], plan.canHaveComma || record.isQuoted[i]);
        if (plan.rows % 4096 == 0 && sink.isStopped()) return plan;
    }
    records.rewind();
    plan.hasHeader = isHeader(widths.first.fields, plan.columns, options, plan.canHaveComma);
    if (plan.rows == 0) {
        const bool isText = std::all_of(widths.first.fields.begin(), widths.first.fields.end(), [&](const std::string& cell) {
            return readCsvNumber(cell, plan.canHaveComma).kind == CsvNumber::Kind::Text;
        });
        if (isText) return fail(ErrorCode::BadInput, "has only a header line: there are no rows of data", where, "Check how it was written");
    }
    if (!plan.hasHeader && !widths.first.hasOpenQuote && fitsWidth(widths.first.fields, plan.width)) {
        ++plan.rows;
        for (std::size_t i = 0; i < plan.width; ++i) {
            CsvColumn& column = plan.columns[i];
            column.look(widths.first.fields[i], plan.canHaveComma || widths.first.isQuoted[i]);
            column.isCounting = false;
        }
    }
    if (plan.hasHeader && !fitsHeader(widths.first.fields, plan.width))
        return fail(ErrorCode::BadInput, "line " + std::to_string(widths.first.line) + " names " + std::to_string(widths.first.fields.size()) +
                        " columns, but the lines below have " + std::to_string(plan.width) + " fields", where, "Give every column one name, and every line one field a column");
    nameColumns(plan, widths.first);
    if (plan.width < 2)
        return fail(ErrorCode::BadInput, "has only one column (\"" + plan.columns[0].name + "\"); a label and at least one feature are wanted", where,
                    "Use comma, semicolon, tab or bar between columns");
    findSplitColumn(plan);
    ESPALIER_CHECK_OK(choosePixelColumn(plan, options, file, where, sink));
    ESPALIER_CHECK_OK(chooseLabel(plan, options, file, where, sink));
    chooseFeatures(plan, file, sink);
    if (plan.features.empty() && !plan.pixels) return fail(noFeatures(plan, where));
    ESPALIER_CHECK_OK(choosePictures(plan, options, file, where, sink));
    return plan;
}

}  // namespace espalier::intake
