#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace espalier {

/// Whole file as bytes. Refuses more than `maxBytes` with a sentence that names the file and both sizes.
Result<std::string> readFile(const std::filesystem::path& path, std::size_t maxBytes = std::size_t(1) << 30);

/// Writes beside the target, fsyncs file and folder, renames: readers see the old bytes or the new ones, never a mix.
/// The file is left as it was when anything fails (full disk, read-only folder).
Result<void> writeFileAtomically(const std::filesystem::path& path, std::string_view bytes);

/// The same for content that is produced piece by piece: `produce` gets a sink that it calls with each piece.
using ByteSink = std::function<Result<void>(std::span<const std::byte>)>;
Result<void> writeFileAtomically(const std::filesystem::path& path,
                                 const std::function<Result<void>(const ByteSink&)>& produce);

/// fsyncs a file, or a folder (which makes the names in it durable).
Result<void> syncPath(const std::filesystem::path& path);

/// Error of the failed system call `errno` with a remedy where one is known ("free some space", …).
Error ioError(const std::string& what, const std::filesystem::path& path, int errorNumber);

/// `f_type` of statfs for the file system that holds `path` (or its nearest parent that exists); 0 when unknown.
std::int64_t fileSystemType(const std::filesystem::path& path);
/// "NFS", "SMB", "FUSE", … for types whose locks and shared memory cannot be trusted between machines, else empty.
std::string_view networkFileSystemName(std::int64_t type) noexcept;

/// Folder of the user's own data and caches, XDG rules: ".../espalier".
std::filesystem::path userDataFolder();
std::filesystem::path userCacheFolder();

}  // namespace espalier
