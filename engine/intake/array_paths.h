#pragma once

#include <filesystem>
#include <vector>

#include "engine/base/result.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

/// Several .npy and .npz files that were dropped together: one data set, guessed by their names.
Result<void> readArrayPaths(const std::vector<std::filesystem::path>& paths, const ImportOptions& options, RowSink& sink);

}  // namespace espalier::intake
