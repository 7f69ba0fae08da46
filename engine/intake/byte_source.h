#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/base/result.h"

namespace espalier::intake {

/// Bytes in order, from a file, a gzip stream or a ZIP member. Used by one thread.
class ByteSource {
public:
    virtual ~ByteSource() = default;
    /// Fills up to `size` bytes; fewer than asked only at the end.
    virtual Result<std::size_t> read(void* out, std::size_t size) = 0;
    /// Bytes that read() will give in total; −1 = unknown (gzip).
    virtual std::int64_t totalBytes() const = 0;
    /// "data.npz, member x.npy": how errors name this source.
    virtual std::string where() const = 0;
};

/// A plain file, or its unpacked content when it begins with the gzip magic. Empty files are refused by name.
Result<std::unique_ptr<ByteSource>> openFileBytes(const std::filesystem::path& path);

/// All bytes, at most `maxBytes` (a longer source is refused).
Result<std::string> readAll(ByteSource& source, std::size_t maxBytes);

/// File name alone, as shown in sentences and row sources.
std::string shownName(const std::filesystem::path& path);

/// "1,234,567".
std::string grouped(std::int64_t value);

}  // namespace espalier::intake
