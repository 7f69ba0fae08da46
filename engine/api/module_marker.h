#pragma once

#include <filesystem>
#include <string>

#include "engine/base/result.h"

namespace espalier::api {

/// Stands on disk while a module's code runs for the first time, so that the next start knows which one ended the program:
/// a crash, abort or exit() inside dlopen or registration leaves it behind. A module that did is refused until its file
/// changes. Held under a file lock, so several programs may start at once; without a writable data folder it does nothing.
class ModuleMarker {
public:
    /// Sets the mark. Fails when this very file (path, size, time of change) ended the program before.
    static Result<ModuleMarker> set(const std::filesystem::path& module, const std::filesystem::path& folder);

    ModuleMarker(ModuleMarker&& other) noexcept;
    ModuleMarker& operator=(ModuleMarker&&) = delete;
    ~ModuleMarker();  ///< takes the mark away

private:
    ModuleMarker(std::filesystem::path file, int descriptor) : m_file(std::move(file)), m_descriptor(descriptor) {}

    std::filesystem::path m_file;
    int m_descriptor = -1;
};

}  // namespace espalier::api
