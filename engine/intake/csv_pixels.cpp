#include "engine/intake/csv_pixels.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"

namespace espalier::intake {
namespace {

constexpr std::string_view kBetween = " \t[]";
constexpr int kSmallestSide = 7;

int squareSide(std::size_t values) {
    const auto side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(values))));
    return static_cast<std::size_t>(side) * static_cast<std::size_t>(side) == values ? side : 0;
}

/// The most common number of values; 0 when the column holds no lists of pixels.
std::size_t usualCount(const CsvColumn& column) {
    if (column.isNumeric() || 2 * column.pixelLists <= column.present()) return 0;
    const auto most = std::max_element(column.pixelCounts.begin(), column.pixelCounts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most->first;
}

/// Height, width and channels that so many values make; height 0 = none.
SampleLayout guessedLayout(std::size_t values) {
    SampleLayout layout;
    layout.channels = squareSide(values) > 0 ? 1 : 3;
    const int side = values % 3 && layout.channels == 3 ? 0 : squareSide(values / static_cast<std::size_t>(layout.channels));
    layout.height = layout.width = side >= kSmallestSide ? side : 0;
    return layout;
}

}  // namespace

std::optional<NumberList> lookAtNumberList(std::string_view cell) {
    if (cell.find_first_not_of("0123456789.-+eE \t[]") != std::string_view::npos) return std::nullopt;
    if (std::count(cell.begin(), cell.end(), ' ') < 3 || cell.find_first_of("0123456789") == std::string_view::npos) return std::nullopt;
    NumberList list;
    for (std::size_t at = cell.find_first_not_of(kBetween); at != std::string_view::npos;) {
        const std::size_t end = std::min(cell.find_first_of(kBetween, at), cell.size());
        double value = 0;
        const auto read = std::from_chars(cell.data() + at, cell.data() + end, value);
        list.isWhole = list.isWhole && read.ec == std::errc() && read.ptr == cell.data() + end && value >= 0 && value == std::floor(value);
        list.largest = std::max(list.largest, value);
        ++list.count;
        at = cell.find_first_not_of(kBetween, end);
    }
    return list;
}

bool readPixelList(std::string_view cell, std::size_t count, std::vector<float>& values) {
    values.clear();
    values.reserve(count);
    for (std::size_t at = cell.find_first_not_of(kBetween); at != std::string_view::npos;) {
        const std::size_t end = std::min(cell.find_first_of(kBetween, at), cell.size());
        double value = 0;
        const auto read = std::from_chars(cell.data() + at, cell.data() + end, value);
        if (read.ec != std::errc() || read.ptr != cell.data() + end || value < 0 || value > CsvColumn::kLargestPixel || value != std::floor(value) || values.size() == count)
            return false;
        values.push_back(static_cast<float>(value));
        at = cell.find_first_not_of(kBetween, end);
    }
    return values.size() == count;
}

Result<void> choosePixelColumn(CsvPlan& plan, const ImportOptions& options, const std::string& file, const std::string& where, RowSink& sink) {
    if (options.imageShape == "none") return {};
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        const std::size_t count = usualCount(plan.columns[i]);
        if (count > 0 && (!options.imageShape.empty() || guessedLayout(count).height > 0)) found.push_back(i);
    }
    if (found.size() != 1) return {};
    const CsvColumn& column = plan.columns[found[0]];
    const std::size_t count = usualCount(column);
    SampleLayout layout = guessedLayout(count);
    if (!options.imageShape.empty()) {
        ESPALIER_TRY(layout, parseImageShape(options.imageShape, static_cast<std::int64_t>(count), where));
    }
    plan.pixels = found[0];
    plan.pixelCount = count;
    // Values of 0 and 1 are no bytes: the rule for numbers stretches them.
    plan.arePixelsBytes = column.largestInLists > 1 && column.largestInLists <= 255 && layout.channels != 4;
    plan.imageHeight = static_cast<int>(layout.height);
    plan.imageWidth = static_cast<int>(layout.width);
    plan.imageChannels = static_cast<int>(layout.channels);
    if (options.imageShape.empty())
        sink.warn({file, 0, "read_as_images",
                   "the " + grouped(static_cast<std::int64_t>(count)) + " numbers in each field of column \"" + column.name + "\" were read as " +
                       (layout.channels == 1 ? "grey" : "colour") + " pictures of " + std::to_string(layout.width) + "×" + std::to_string(layout.height) +
                       (layout.channels == 1 ? "" : ", the three values of a pixel side by side"),
                   Outcome::Kept});
    return {};
}

}  // namespace espalier::intake
