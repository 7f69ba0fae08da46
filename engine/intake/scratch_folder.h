#pragma once

#include <filesystem>
#include <utility>

#include "engine/base/result.h"

namespace espalier::intake {

/// A folder for files that an import needs only while it reads. Gone with this object, whatever happens before.
class ScratchFolder {
public:
    /// Inside `parent`, or in the user's cache folder where that is empty: /tmp may be memory and small.
    static Result<ScratchFolder> make(const std::filesystem::path& parent);
    ScratchFolder(ScratchFolder&& other) noexcept : m_path(std::exchange(other.m_path, {})), m_parent(std::move(other.m_parent)) {}
    ScratchFolder& operator=(ScratchFolder&&) = delete;
    ~ScratchFolder();
    const std::filesystem::path& path() const { return m_path; }

private:
    ScratchFolder(std::filesystem::path path, std::filesystem::path parent) : m_path(std::move(path)), m_parent(std::move(parent)) {}
    std::filesystem::path m_path, m_parent;
};

}  // namespace espalier::intake
