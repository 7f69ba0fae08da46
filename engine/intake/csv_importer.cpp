#include <algorithm>
#include <cctype>
#include <limits>
#include <map>

#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"
#include "engine/intake/csv_columns.h"
#include "engine/intake/csv_pixels.h"
#include "engine/intake/csv_reader.h"
#include "engine/intake/importer.h"
#include "engine/intake/names.h"

namespace espalier::intake {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxBytes = std::size_t(4) << 30;
constexpr int kMaxWarningsAKind = 1000;

std::string lowerName(const fs::path& path) {
    std::string text = path.filename().string();
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    if (text.ends_with(".gz")) text.resize(text.size() - 3);
    return text;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t");
    return first == std::string::npos ? std::string() : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string quoted(const std::string& cell) {
    return "\"" + (cell.size() > 40 ? cell.substr(0, 40) + "…" : cell) + "\"";
}

/// Second pass: rows to the sink, troubles to warnings with their line.
class CsvRows {
public:
    CsvRows(const CsvPlan& plan, std::string file, std::int64_t lineOffset, RowSink& sink)
        : m_plan(plan), m_file(std::move(file)), m_lineOffset(lineOffset), m_sink(sink) {}

    Result<void> deliver(CsvRecords& records) {
        CsvRecords::Record record;
        bool isFirst = m_plan.hasHeader;
        for (std::int64_t count = 0; records.next(record); ++count) {
            if (m_sink.isStopped()) return {};
            if (count < m_plan.titleLines) {
                const std::int64_t line = record.line + m_lineOffset;
                warn(line, "title_line", "line " + std::to_string(line) + " stands before the table and was left out", Outcome::Ignored);
                continue;
            }
            if (isFirst) {
                isFirst = false;
                continue;
            }
            ESPALIER_CHECK_OK(deliverRecord(record));
            if (count % 1000 == 0) m_sink.progress(m_rows, m_plan.rows);
        }
        for (const auto& [kind, count] : m_hidden)
            m_sink.warn({m_file, 0, kind, "…and " + grouped(count) + " more of this kind", Outcome::Kept});
        return {};
    }
    std::int64_t rows() const { return m_rows; }

private:
    void warn(std::int64_t line, const char* kind, std::string detail, Outcome outcome) {
        int& count = m_counts[kind];
        if (++count > kMaxWarningsAKind) {
            ++m_hidden[kind];
            return;
        }
        m_sink.warn({m_file, line, kind, std::move(detail), outcome});
    }

    Result<void> deliverRecord(const CsvRecords::Record& record) {
        const std::int64_t line = record.line + m_lineOffset;
        if (record.hasOpenQuote) {
            warn(record.quoteLine + m_lineOffset, "open_quote", "line " + std::to_string(record.quoteLine + m_lineOffset) + " has a quote that opens and never closes", Outcome::Skipped);
            return {};
        }
        if (!fits(record.fields)) {
            warn(line, "ragged_line",
                 "line " + std::to_string(line) + " has " + std::to_string(record.fields.size()) + " fields where " + std::to_string(m_plan.width) + " are usual",
                 Outcome::Skipped);
            return {};
        }
        std::vector<float> values;
        if (m_plan.pixels) return deliverPicture(record, line);
        values.reserve(m_plan.features.size());
        for (const std::size_t i : m_plan.features) {
            const CsvColumn& column = m_plan.columns[i];
            const CsvNumber number = readCell(column, record.fields[i], m_plan.canHaveComma || record.isQuoted[i]);
            if (number.kind == CsvNumber::Kind::Text || number.kind == CsvNumber::Kind::NotFinite) {
                warn(line, number.kind == CsvNumber::Kind::Text ? "not_a_number" : "not_finite",
                     "line " + std::to_string(line) + ", column " + quoted(column.name) + ": " + quoted(record.fields[i]) + " is not a " +
                         (number.kind == CsvNumber::Kind::Text ? "number" : "finite number"),
                     Outcome::Skipped);
                return {};
            }
            if (number.kind == CsvNumber::Kind::Missing)
                warn(line, "missing_value", "line " + std::to_string(line) + ", column " + quoted(column.name) + ": the value is missing and was marked as NaN", Outcome::Kept);
            values.push_back(number.kind == CsvNumber::Kind::Missing ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(number.value));
        }
        return deliverValues(record, line, std::move(values));
    }

    Result<void> deliverPicture(const CsvRecords::Record& record, std::int64_t line) {
        std::vector<float> values;
        const std::string& cell = record.fields[*m_plan.pixels];
        if (readPixelList(cell, m_plan.pixelCount, values)) return deliverValues(record, line, std::move(values));
        const auto list = lookAtNumberList(cell);
        warn(line, "bad_pixels",
             "line " + std::to_string(line) + ", column " + quoted(m_plan.columns[*m_plan.pixels].name) + ": " +
                 (list && list->count != m_plan.pixelCount
                      ? grouped(static_cast<std::int64_t>(list->count)) + " numbers where " + grouped(static_cast<std::int64_t>(m_plan.pixelCount)) + " are usual"
                      : quoted(cell) + " is no list of pixels"),
             Outcome::Skipped);
        return {};
    }

    Result<void> deliverValues(const CsvRecords::Record& record, std::int64_t line, std::vector<float> values) {
        RowMeta meta;
        meta.source = m_file + ":" + std::to_string(line);
        for (const std::string& field : record.fields) meta.storedBytes += static_cast<std::int64_t>(field.size()) + 1;
        if (m_plan.label) meta.label = labelOf(record, line);
        if (m_plan.split) meta.split = splitOfCell(record.fields[*m_plan.split]);
        ++m_rows;
        if (m_plan.imageChannels == 0) return m_sink.features(std::move(meta), std::move(values));
        if (m_plan.arePixelsBytes) {
            feed::Image8 image{m_plan.imageWidth, m_plan.imageHeight, m_plan.imageChannels, {}};
            for (const float value : values) image.pixels.push_back(static_cast<std::uint8_t>(value));
            return m_sink.image(std::move(meta), std::move(image));
        }
        if (m_plan.imageChannels == 4) {  // transparency is left out
            std::vector<float> colours;
            for (std::size_t i = 0; i < values.size(); ++i)
                if (i % 4 != 3) colours.push_back(values[i]);
            return m_sink.floatImage(std::move(meta), m_plan.imageWidth, m_plan.imageHeight, 3, std::move(colours));
        }
        return m_sink.floatImage(std::move(meta), m_plan.imageWidth, m_plan.imageHeight, m_plan.imageChannels, std::move(values));
    }

    std::optional<std::string> labelOf(const CsvRecords::Record& record, std::int64_t line) {
        const CsvColumn& column = m_plan.columns[*m_plan.label];
        const std::string text = trimmed(record.fields[*m_plan.label]);
        const CsvNumber number = readCsvNumber(text, m_plan.canHaveComma);
        if (number.kind == CsvNumber::Kind::Missing && (column.isNumeric() || text.empty() || text == "NA" || text == "NaN" || text == "?")) {
            warn(line, "missing_label", "line " + std::to_string(line) + " has no label; the row came in unlabelled", Outcome::Kept);
            return std::nullopt;
        }
        // 1 and 1.0 are one class.
        if (column.numbers == column.present() && column.isWhole && number.kind == CsvNumber::Kind::Number)
            return std::to_string(static_cast<std::int64_t>(number.value));
        return text;
    }

    bool fits(const std::vector<std::string>& fields) const {
        if (fields.size() < m_plan.width) return false;
        return std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(m_plan.width), fields.end(), [](const std::string& field) {
            return field.find_first_not_of(" \t") == std::string::npos;
        });
    }

    const CsvPlan& m_plan;
    std::string m_file;
    std::int64_t m_lineOffset;
    RowSink& m_sink;
    std::int64_t m_rows = 0;
    std::map<std::string, int> m_counts;
    std::map<std::string, std::int64_t> m_hidden;
};

/// "2 1:0.5 7:1": every word of the first lines but the first is a pair of index and value.
bool isSparseText(std::string_view text) {
    std::size_t pairs = 0;
    for (int lines = 0; lines < 5 && !text.empty(); ++lines) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        std::size_t words = 0;
        for (std::size_t at = line.find_first_not_of(" \t\r"); at != std::string_view::npos;) {
            const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
            const std::string_view word = line.substr(at, end - at);
            const std::size_t digits = word.find_first_not_of("0123456789");
            const bool isPair = digits != 0 && digits != std::string_view::npos && word[digits] == ':' && digits + 1 < word.size();
            if (words++ > 0 && !isPair) return false;
            pairs += words > 1;
            at = line.find_first_not_of(" \t\r", end);
        }
    }
    return pairs > 0;
}

/// Text of another kind under a table's name.
Result<void> checkIsTable(std::string_view text, const std::string& where) {
    const auto first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
    if (first == std::string_view::npos) return fail(ErrorCode::BadInput, "the file is empty: there is no data in it", where, "Check how it was written");
    const char open = text[first], close = text[last];
    const char* kind = (open == '{' && close == '}') || (open == '[' && close == ']') ? "JSON"
                       : open == '<' && close == '>'                                  ? "XML or HTML"
                       : lowerAscii(text.substr(first, 9)) == "@relation"             ? "an ARFF file"
                                                                                      : nullptr;
    if (!kind && isSparseText(text)) kind = "a LIBSVM file (index:value pairs)";
    if (!kind) return {};
    return fail(ErrorCode::Unsupported, std::string("is ") + kind + ", not a table of lines and columns", where, "Export it as CSV");
}

/// Tables of text: any usual separator, encoding and line ending; the last or a named column is the label.
class CsvImporter final : public Importer {
public:
    std::string_view format() const override { return "csv"; }
    int confidence(const fs::path& path, std::string_view head) const override {
        std::error_code error;
        if (fs::is_directory(path, error)) return 0;
        const std::string name = lowerName(path);
        for (const char* suffix : {".csv", ".tsv", ".tab", ".psv", ".ssv"})
            if (name.ends_with(suffix)) return 80;
        const bool isText = head.find('\0') == std::string_view::npos;
        if (name.ends_with(".txt") || name.ends_with(".data") || name.ends_with(".dat")) return isText ? 60 : 20;
        return 0;
    }
    Result<void> read(const fs::path& path, const ImportOptions& options, RowSink& sink) const override {
        ESPALIER_TRY(auto source, openFileBytes(path));
        ESPALIER_TRY(std::string bytes, readAll(*source, kMaxBytes));
        ESPALIER_TRY(const DecodedText decoded, decodeText(std::move(bytes), path.string()));
        const std::string file = shownName(path);
        if (decoded.isGuessed)
            sink.warn({file, 0, "encoding_guessed", "the text is not UTF-8 and was read as " + decoded.encoding, Outcome::Kept});
        std::string_view text = decoded.text;
        while (!text.empty() && text.back() == '\x1A') text.remove_suffix(1);  // the end mark of DOS
        ESPALIER_CHECK_OK(checkIsTable(text, path.string()));
        std::int64_t skippedLines = 0;
        const char separator = findSeparator(text, skippedLines);
        CsvRecords records(text, separator);
        ESPALIER_TRY(const CsvPlan plan, planCsv(records, separator, options, file, path.string(), sink));
        if (sink.isStopped()) return {};
        if (plan.label) declareLabels(plan.columns[*plan.label], sink);
        if (plan.imageChannels == 0) {
            std::vector<std::string> names;
            for (const std::size_t i : plan.features) names.push_back(plan.columns[i].name);
            sink.columns(std::move(names));
        }
        CsvRows rows(plan, file, skippedLines, sink);
        ESPALIER_CHECK_OK(rows.deliver(records));
        if (rows.rows() == 0 && !sink.isStopped())
            return fail(ErrorCode::BadInput, "no row can be used: there is no data left after the lines that do not fit", path.string(),
                        "Check separator and decimal mark");
        return {};
    }

private:
    /// Whole numbers are classes in their order; names come as they are met.
    static void declareLabels(const CsvColumn& column, RowSink& sink) {
        if (column.numbers != column.present() || !column.isWhole || column.distinct.size() >= CsvColumn::kMaxDistinct) return;
        std::vector<std::string> labels;
        for (const std::string& text : column.distinct)
            labels.push_back(std::to_string(static_cast<std::int64_t>(readCsvNumber(text, false).value)));
        declareSorted(labels, sink);
    }
};

}  // namespace

std::unique_ptr<Importer> makeCsvImporter() { return std::make_unique<CsvImporter>(); }

}  // namespace espalier::intake
