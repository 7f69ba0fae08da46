#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

/// Some rows of an array, row-major. Exactly one of the two vectors is filled.
struct RowBlock {
    std::int64_t first = 0, count = 0;
    std::vector<std::uint8_t> bytes;
    std::vector<double> numbers;
};

/// Rows of a numeric array, block by block and in order; a source may leave out rows that are damaged (it warns itself).
class ArraySource {
public:
    virtual ~ArraySource() = default;
    virtual const std::vector<std::int64_t>& shape() const = 0;
    virtual bool isByte() const = 0;  ///< blocks come as bytes
    /// False at the end.
    virtual Result<bool> next(RowBlock& block) = 0;
};

/// How one sample lies in an array.
struct SampleLayout {
    enum class Kind { Grey, ChannelsLast, ChannelsFirst, Table } kind = Kind::Table;
    std::int64_t width = 0, height = 0, channels = 0;  ///< as stored; 4 channels = alpha at the end
    std::int64_t columns = 0;                          ///< table
    std::int64_t values() const { return kind == Kind::Table ? columns : width * height * channels; }
};

/// Reads the layout off the shape, or off `imageShape` ("8x8", "32x32x3", "none") where given. `where` names the array.
Result<SampleLayout> layoutOf(const std::vector<std::int64_t>& shape, const std::string& imageShape, bool isByte,
                              const std::string& where);
/// "8x8", "28x28x1" → {height, width, channels}.
Result<SampleLayout> parseImageShape(const std::string& text, std::int64_t values, const std::string& where);

/// Numbers to label names: whole numbers, booleans, one-hot rows. Refuses what is not a class.
Result<std::vector<std::string>> labelsFromNumbers(const std::vector<std::int64_t>& shape,
                                                   const std::vector<double>& values, const std::string& where);
/// Declares the classes in natural order: numbers by value, else by text.
void declareSorted(const std::vector<std::string>& labels, RowSink& sink);

/// Streams arrays of one import into the sink; keeps what belongs to the whole import (columns, progress).
class ArrayDelivery {
public:
    ArrayDelivery(RowSink& sink, const ImportOptions& options, std::int64_t totalRows)
        : m_sink(sink), m_options(options), m_totalRows(totalRows) {}

    struct Part {
        std::string file;   ///< relative name that warnings and row sources show
        std::string where;  ///< full name for errors
        const std::vector<std::string>* labels = nullptr;  ///< one a row, or null
        std::optional<feed::Split> split;
        std::int64_t labelColumn = -1;  ///< table: this column is the label
    };
    Result<void> deliver(ArraySource& source, const Part& part);
    std::int64_t rowsDelivered() const { return m_done; }

private:
    struct Odd;
    Result<void> deliverRow(const SampleLayout& layout, const Part& part, const RowBlock& block, std::int64_t index);
    Result<void> deliverTableRow(const SampleLayout& layout, RowMeta meta, const Part& part, const RowBlock& block,
                                 std::int64_t index);
    Result<void> checkColumns(std::int64_t columns, const Part& part);

    RowSink& m_sink;
    const ImportOptions& m_options;
    std::int64_t m_totalRows = 0, m_done = 0, m_columns = -1;
};

}  // namespace espalier::intake
