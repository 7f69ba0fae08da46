#pragma once

#include <filesystem>
#include <string>

#include "engine/base/result.h"

namespace espalier::api {

/// The stamp that a recipe module carries as an ELF note, read from the file as bytes: nothing of it is loaded or run.
/// Every length in the file is checked. Error: no shared library for this machine, damaged, or no note of ours.
Result<std::string> readModuleStamp(const std::filesystem::path& file);

}  // namespace espalier::api
