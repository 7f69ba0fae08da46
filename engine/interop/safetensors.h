#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/nn/named_tensors.h"

namespace espalier::interop {

/// One tensor as the header of a safetensors file describes it. Offsets count from the start of the payload.
struct SafetensorsEntry {
    std::string name;
    at::ScalarType type = at::kFloat;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0, end = 0;
};

/// A checked header: every range lies inside the payload, none overlaps, nothing is left over.
struct SafetensorsHeader {
    std::vector<SafetensorsEntry> entries;  ///< in the order of the header's text
    std::map<std::string, std::string> metadata;
    std::uint64_t payloadBytes = 0;
};

/// Checks header text against the size of the payload that follows it. Trusts nothing; `where` names the file.
Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json, std::uint64_t payloadBytes,
                                                 const std::string& where);
/// The header alone: names, shapes and metadata of a file of any size, at the cost of its header.
Result<SafetensorsHeader> readSafetensorsHeader(const std::filesystem::path& path);

/// All tensors of a file in header order, each with its own memory on the CPU and the type it was stored with.
Result<nn::NamedTensors> readSafetensors(const std::filesystem::path& path);

/// Writes atomically; wider types come first in the payload so that every tensor is aligned. Returns payload bytes.
Result<std::int64_t> writeSafetensors(const std::filesystem::path& path, const nn::NamedTensors& tensors);

/// Payload bytes that writeSafetensors() would produce.
std::int64_t safetensorsPayloadBytes(const nn::NamedTensors& tensors);

/// SHA-256 of a file's bytes as lower-case hex.
Result<std::string> sha256OfFile(const std::filesystem::path& path);

}  // namespace espalier::interop
