#pragma once

#include <filesystem>

#include "engine/base/result.h"
#include "engine/intake/archive_listing.h"
#include "engine/intake/data_files.h"
#include "engine/intake/importer.h"

namespace espalier::intake {

/// Unpacks the chosen files of an archive into a scratch folder and imports them as if they had been given unpacked.
Result<void> importArchiveData(const std::filesystem::path& path, const DataChoice& choice, const ImportOptions& options, RowSink& sink);

}  // namespace espalier::intake
