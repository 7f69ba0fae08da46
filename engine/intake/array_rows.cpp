#include "engine/intake/array_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include "engine/intake/byte_source.h"

namespace espalier::intake {

namespace {

bool isChannelCount(std::int64_t n) { return n == 1 || n == 3 || n == 4; }

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + ")";
}

std::int64_t squareSide(std::int64_t values) {
    const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(values))));
    return side * side == values ? side : 0;
}

Result<SampleLayout> pictureLayout(const std::vector<std::int64_t>& shape, const std::string& where) {
    SampleLayout layout;
    if (shape.size() == 3) {
        layout.kind = SampleLayout::Kind::Grey;
        layout.height = shape[1];
        layout.width = shape[2];
        layout.channels = 1;
        return layout;
    }
    const bool canBeLast = isChannelCount(shape[3]), canBeFirst = isChannelCount(shape[1]);
    if (!canBeLast && !canBeFirst)
        return fail(ErrorCode::Unsupported,
                    "has the shape " + shapeText(shape) + "; pictures need 1, 3 or 4 channels in the second or the last place",
                    where, "Store (N, height, width, channels)");
    // Both possible: the reading whose pictures are square wins, then channels last as NumPy users store them.
    const bool isFirst = canBeFirst && (!canBeLast || (shape[2] == shape[3] && shape[1] != shape[2]));
    layout.kind = isFirst ? SampleLayout::Kind::ChannelsFirst : SampleLayout::Kind::ChannelsLast;
    layout.channels = isFirst ? shape[1] : shape[3];
    layout.height = isFirst ? shape[2] : shape[1];
    layout.width = isFirst ? shape[3] : shape[2];
    return layout;
}

}  // namespace

Result<SampleLayout> parseImageShape(const std::string& text, std::int64_t values, const std::string& where) {
    std::vector<std::int64_t> sizes;
    const char* position = text.c_str();
    while (*position) {
        char* end = nullptr;
        const long long size = std::strtoll(position, &end, 10);
        if (end == position || size <= 0 || size > 100000) break;
        sizes.push_back(size);
        position = end;
        if (*position == 'x' || *position == 'X' || *position == ',') ++position;
    }
    if (*position || sizes.size() < 2 || sizes.size() > 3 || (sizes.size() == 3 && !isChannelCount(sizes[2])))
        return fail(ErrorCode::BadInput, "the image shape \"" + text + "\" cannot be understood", where,
                    "Write height x width, such as 8x8, or with channels, such as 32x32x3");
    SampleLayout layout;
    layout.height = sizes[0];
    layout.width = sizes[1];
    layout.channels = sizes.size() == 3 ? sizes[2] : 1;
    layout.kind = layout.channels == 1 ? SampleLayout::Kind::Grey : SampleLayout::Kind::ChannelsLast;
    if (layout.values() != values)
        return fail(ErrorCode::BadInput,
                    "the image shape " + text + " needs " + grouped(layout.values()) + " values a row, but rows have " +
                        grouped(values),
                    where, "Name a shape that fits, or \"none\" to keep a table");
    return layout;
}

Result<SampleLayout> layoutOf(const std::vector<std::int64_t>& shape, const std::string& imageShape, bool isByte,
                              const std::string& where) {
    if (shape.size() < 2)
        return fail(ErrorCode::Unsupported,
                    "has the shape " + shapeText(shape) + (shape.empty() ? ", a single number" : ", a plain list of numbers") +
                        "; samples need at least one column each",
                    where, "Store (N, height, width), (N, height, width, channels) or (N, columns)");
    if (shape.size() > 4)
        return fail(ErrorCode::Unsupported, "has the shape " + shapeText(shape) + "; volumes and videos are not read", where,
                    "Store (N, height, width), (N, height, width, channels) or (N, columns)");
    for (const std::int64_t size : shape)
        if (size == 0)
            return fail(ErrorCode::BadInput, "is empty: the shape " + shapeText(shape) + " holds no samples", where,
                        "Check how the file was written");
    if (shape.size() > 2) {
        ESPALIER_TRY(SampleLayout layout, pictureLayout(shape, where));
        if (layout.width > 65535 || layout.height > 65535)
            return fail(ErrorCode::Unsupported, "holds pictures larger than 65,535 pixels a side", where, "Cut them to tiles");
        return layout;
    }
    if (!imageShape.empty() && imageShape != "none") return parseImageShape(imageShape, shape[1], where);
    SampleLayout table;
    table.columns = shape[1];
    const std::int64_t side = squareSide(shape[1]);
    if (isByte && imageShape.empty() && side >= 7) {
        table.kind = SampleLayout::Kind::Grey;
        table.width = table.height = side;
        table.channels = 1;
    }
    return table;
}

static std::string shortText(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.10g", value);
    return text;
}

Result<std::vector<std::string>> labelsFromNumbers(const std::vector<std::int64_t>& shape,
                                                   const std::vector<double>& values, const std::string& where) {
    const std::int64_t rows = shape.empty() ? 0 : shape[0];
    const std::int64_t width = rows > 0 ? static_cast<std::int64_t>(values.size()) / rows : 0;
    std::vector<std::string> labels;
    labels.reserve(static_cast<std::size_t>(rows));
    for (std::int64_t row = 0; row < rows; ++row) {
        const double* cells = values.data() + row * width;
        if (width == 1) {
            if (!std::isfinite(cells[0]) || cells[0] != std::floor(cells[0]) || std::fabs(cells[0]) > 9e15)
                return fail(ErrorCode::BadInput,
                            "row " + std::to_string(row) + " has the label " + shortText(cells[0]) +
                                ", which is not a whole number: classes are wanted, not measured values",
                            where, "Store class numbers or names, or name another member as labels");
            labels.push_back(std::to_string(static_cast<std::int64_t>(cells[0])));
            continue;
        }
        std::int64_t hot = -1;
        for (std::int64_t i = 0; i < width; ++i) {
            if (cells[i] == 0.0) continue;
            if (cells[i] != 1.0 || hot >= 0) {
                hot = -2;
                break;
            }
            hot = i;
        }
        if (hot < 0)
            return fail(ErrorCode::Unsupported,
                        "has the shape " + shapeText(shape) + " and row " + std::to_string(row) +
                            " is not one-hot: exactly one class a sample is wanted",
                        where, "Store one class number a sample");
        labels.push_back(std::to_string(hot));
    }
    return labels;
}

void declareSorted(const std::vector<std::string>& labels, RowSink& sink) {
    const std::set<std::string> names(labels.begin(), labels.end());
    std::vector<std::pair<double, std::string>> order;
    bool allNumbers = true;
    for (const std::string& name : names) {
        char* end = nullptr;
        const double value = std::strtod(name.c_str(), &end);
        allNumbers = allNumbers && !name.empty() && *end == '\0' && std::isfinite(value);
        order.emplace_back(value, name);
    }
    if (allNumbers) std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [value, name] : order) sink.declareClass(name);
}

/// Counts the values that are not finite in the 32 bits they are kept in, and names the first rows.
struct ArrayDelivery::Odd {
    std::int64_t values = 0, rows = 0;
    std::string firstRows;

    void look(const double* cells, std::int64_t count, std::int64_t row) {
        std::int64_t found = 0;
        for (std::int64_t i = 0; i < count; ++i) found += !(std::fabs(cells[i]) <= std::numeric_limits<float>::max());
        if (found == 0) return;
        values += found;
        if (rows < 10) firstRows += (rows ? ", " : "") + std::to_string(row);
        if (rows == 10) firstRows += ", …";
        ++rows;
    }
    void warn(const Part& part, RowSink& sink) const {
        if (values == 0) return;
        sink.warn({part.file, 0, "nan_values",
                   grouped(values) + (values == 1 ? " value in " : " values in ") + grouped(rows) +
                       (rows == 1 ? " sample (" : " samples (") + firstRows + ") " + (values == 1 ? "is" : "are") +
                       " NaN or infinite",
                   Outcome::Kept});
    }
};

Result<void> ArrayDelivery::checkColumns(std::int64_t columns, const Part& part) {
    if (m_columns == columns) return {};
    if (m_columns >= 0)
        return fail(ErrorCode::BadInput,
                    "has " + grouped(columns) + " columns where the part before has " + grouped(m_columns), part.where,
                    "All splits need the same columns");
    m_columns = columns;
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < columns; ++i) names.push_back("column " + std::to_string(i + 1));
    m_sink.columns(std::move(names));
    return {};
}

Result<void> ArrayDelivery::deliver(ArraySource& source, const Part& part) {
    const auto& shape = source.shape();
    ESPALIER_TRY(SampleLayout layout, layoutOf(shape, part.labelColumn >= 0 ? "none" : m_options.imageShape,
                                               source.isByte() && part.labelColumn < 0, part.where));
    if (shape.size() == 2 && layout.kind != SampleLayout::Kind::Table)
        m_sink.warn({part.file, 0, "read_as_images",
                     "rows of " + grouped(shape[1]) + " values were read as pictures of " + std::to_string(layout.height) + "×" +
                         std::to_string(layout.width) + "; say image shape \"none\" to keep a table",
                     Outcome::Kept});
    if (layout.kind == SampleLayout::Kind::Table)
        ESPALIER_CHECK_OK(checkColumns(layout.columns - (part.labelColumn >= 0 ? 1 : 0), part));
    if (layout.channels == 4)
        m_sink.warn({part.file, 0, "alpha_dropped", "the fourth channel was taken as transparency and left out", Outcome::Ignored});
    Odd odd;
    RowBlock block;
    const std::int64_t values = layout.values();
    for (;;) {
        ESPALIER_TRY(const bool isMore, source.next(block));
        if (!isMore) break;
        for (std::int64_t i = 0; i < block.count; ++i) {
            if (m_sink.isStopped()) return {};
            if (!block.numbers.empty()) odd.look(block.numbers.data() + i * values, values, block.first + i);
            ESPALIER_CHECK_OK(deliverRow(layout, part, block, i));
            ++m_done;
        }
        m_sink.progress(m_done, m_totalRows);
    }
    odd.warn(part, m_sink);
    return {};
}

Result<void> ArrayDelivery::deliverRow(const SampleLayout& layout, const Part& part, const RowBlock& block,
                                       std::int64_t index) {
    const std::int64_t row = block.first + index, values = layout.values();
    RowMeta meta;
    meta.source = part.file + "[" + std::to_string(row) + "]";
    meta.split = part.split;
    if (part.labels) meta.label = (*part.labels)[static_cast<std::size_t>(row)];
    meta.storedBytes = values * (block.numbers.empty() ? 1 : 4);
    if (layout.kind == SampleLayout::Kind::Table) return deliverTableRow(layout, std::move(meta), part, block, index);

    const std::int64_t channels = layout.channels == 4 ? 3 : layout.channels, area = layout.width * layout.height;
    const bool isPlanar = layout.kind == SampleLayout::Kind::ChannelsFirst;
    const auto place = [&](auto* out, const auto* in) {
        for (std::int64_t pixel = 0; pixel < area; ++pixel)
            for (std::int64_t c = 0; c < channels; ++c)
                out[pixel * channels + c] = static_cast<std::remove_reference_t<decltype(*out)>>(
                    in[isPlanar ? c * area + pixel : pixel * layout.channels + c]);
    };
    const auto size = static_cast<std::size_t>(area * channels);
    if (block.numbers.empty()) {
        feed::Image8 image{int(layout.width), int(layout.height), int(channels), std::vector<std::uint8_t>(size)};
        place(image.pixels.data(), block.bytes.data() + index * values);
        return m_sink.image(std::move(meta), std::move(image));
    }
    std::vector<float> floats(size);
    place(floats.data(), block.numbers.data() + index * values);
    return m_sink.floatImage(std::move(meta), int(layout.width), int(layout.height), int(channels), std::move(floats));
}

Result<void> ArrayDelivery::deliverTableRow(const SampleLayout& layout, RowMeta meta, const Part& part,
                                            const RowBlock& block, std::int64_t index) {
    std::vector<float> cells;
    cells.reserve(static_cast<std::size_t>(layout.columns));
    for (std::int64_t c = 0; c < layout.columns; ++c) {
        const auto at = static_cast<std::size_t>(index * layout.columns + c);
        if (c == part.labelColumn) continue;
        cells.push_back(block.numbers.empty() ? static_cast<float>(block.bytes[at]) : static_cast<float>(block.numbers[at]));
    }
    return m_sink.features(std::move(meta), std::move(cells));
}

}  // namespace espalier::intake
