#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/intake/array_rows.h"
#include "engine/intake/byte_source.h"

namespace espalier::intake {

/// What the header of a .npy says.
struct NpyHeader {
    enum class Kind { Bool, Signed, Unsigned, Float, Bytes, Unicode, Object, Other } kind = Kind::Other;
    std::string descr;             ///< as written: "<f4", "|O"
    bool isSwapped = false;        ///< byte order differs from this machine's
    bool isFortran = false;
    std::int64_t itemBytes = 0;
    std::vector<std::int64_t> shape;
    std::int64_t headerBytes = 0;  ///< data start here

    bool isNumber() const { return kind <= Kind::Float; }
    bool isText() const { return kind == Kind::Bytes || kind == Kind::Unicode; }
    std::int64_t items() const;
};

/// Reads the header (versions 1 to 3) and checks its claim against the size of the source before anything is allocated.
Result<NpyHeader> readNpyHeader(ByteSource& source);

/// Refuses object, structured, complex and date arrays with a sentence that names the array.
Result<void> checkNpyNumbers(const NpyHeader& header, const std::string& where);

/// Rows of a numeric array whose header was just read from `source`. `source` must outlive the result.
std::unique_ptr<ArraySource> npyRows(ByteSource& source, NpyHeader header);

/// The whole array as numbers, or as text (UTF-8), in row-major order.
Result<std::vector<double>> readNpyNumbers(ByteSource& source, const NpyHeader& header);
Result<std::vector<std::string>> readNpyText(ByteSource& source, const NpyHeader& header);

}  // namespace espalier::intake
