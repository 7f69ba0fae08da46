#pragma once

#include <filesystem>
#include <vector>

#include "engine/intake/importer.h"

namespace espalier::intake {

/// Several dropped pictures and folders as one data set: folders dropped side by side are classes (or splits), a table
/// among them may hold the labels.
Result<void> readImagePaths(const std::vector<std::filesystem::path>& paths, const ImportOptions& options, RowSink& sink);

}  // namespace espalier::intake
