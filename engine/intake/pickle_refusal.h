#pragma once

#include <filesystem>
#include <string_view>

#include "engine/base/result.h"

namespace espalier::intake {

/// Whether suffix or first bytes say that this is a Python pickle: .pkl, .pt, .pth, .ckpt, .joblib, a bare pickle
/// stream, or a torch ZIP. Never unpacks anything.
bool isPickle(const std::filesystem::path& path, std::string_view head);

/// The sentence that refuses it and names a safe way.
Error pickleError(const std::filesystem::path& path);

}  // namespace espalier::intake
