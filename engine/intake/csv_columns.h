#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/intake/csv_reader.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

/// What a first pass over the rows says of one column.
struct CsvColumn {
    std::string name;
    std::int64_t cells = 0, missing = 0, numbers = 0, notFinite = 0;
    std::int64_t dots = 0, commas = 0;      ///< cells with a decimal point, with a decimal comma
    std::int64_t lists = 0;                 ///< cells with several numbers, blanks between them
    std::int64_t pixelLists = 0;            ///< of these, those of whole numbers from 0 to kLargestPixel
    std::map<std::size_t, std::int64_t> pixelCounts;  ///< how many of them have so many numbers; at most kMaxDistinct
    double largestInLists = 0.0;
    std::int64_t sureCommas = 0;            ///< of the commas, those that cannot separate thousands
    bool needsSureComma = false;            ///< the separator is a comma: quoted "1,234" alone is no 1.234
    bool isWhole = true, isNegative = false, isCounting = true;
    double largest = 0.0, previous = 0.0;
    std::set<std::string> distinct;         ///< at most kMaxDistinct
    static constexpr std::size_t kMaxDistinct = 2000;
    static constexpr double kLargestPixel = 65535;

    void look(const std::string& cell, bool canHaveComma);
    void lookAtList(const std::string& cell);
    std::int64_t present() const { return cells - missing; }
    bool isEmpty() const { return present() == 0; }
    bool isNumeric() const {
        const std::int64_t doubtful = needsSureComma && sureCommas == 0 ? commas : 0;
        return present() > 0 && 2 * (numbers + notFinite - doubtful) > present();
    }
    /// Every cell is a whole number ≥ 0.
    bool isPixelLike() const { return missing == 0 && numbers == cells && isWhole && !isNegative; }
};

/// How the table is to be read, after the first pass.
struct CsvPlan {
    std::size_t width = 0;              ///< fields a line should have
    bool hasHeader = false;
    std::vector<CsvColumn> columns;
    std::int64_t titleLines = 0;        ///< records before the header that are no part of the table
    std::int64_t rows = 0;              ///< data rows, ragged ones left out
    std::optional<std::size_t> label, split;
    std::vector<std::size_t> features;
    std::optional<std::size_t> pixels;  ///< this column's fields hold whole pictures
    std::size_t pixelCount = 0;         ///< numbers in each of them
    bool arePixelsBytes = false;
    int imageHeight = 0, imageWidth = 0, imageChannels = 0;  ///< 0 = a table
    bool canHaveComma = false;
};

/// Reads all rows once and decides header, width, label, features and whether rows are pictures. Notes go to `sink`.
Result<CsvPlan> planCsv(CsvRecords& records, char separator, const ImportOptions& options, const std::string& file,
                        const std::string& where, RowSink& sink);

/// "train", "PublicTest", …: what a cell of a column of splits says.
std::optional<feed::Split> splitOfCell(const std::string& cell);

/// The cell as the plan's column reads it: a mark that may separate thousands is text, not a wrong number.
/// `canHaveComma`: the separator is none, or the cell stood in quotes.
CsvNumber readCell(const CsvColumn& column, const std::string& cell, bool canHaveComma);

}  // namespace espalier::intake
