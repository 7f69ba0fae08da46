#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/intake/csv_columns.h"

namespace espalier::intake {

/// "12 0 255 31": a whole picture, or another list, in one field.
struct NumberList {
    std::size_t count = 0;
    double largest = 0;
    bool isWhole = true;  ///< whole numbers ≥ 0 only
};
std::optional<NumberList> lookAtNumberList(std::string_view cell);

/// Whole numbers ≥ 0, exactly `count`; false when the cell is something else.
bool readPixelList(std::string_view cell, std::size_t count, std::vector<float>& values);

/// Finds the one column whose fields are square pictures, grey or with three values a pixel (plan.pixels).
Result<void> choosePixelColumn(CsvPlan& plan, const ImportOptions& options, const std::string& file, const std::string& where, RowSink& sink);

}  // namespace espalier::intake
