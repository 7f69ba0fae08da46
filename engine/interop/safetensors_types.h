#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "engine/api/torch.h"

namespace espalier::interop {

/// The types that a safetensors file may hold here, with the format's own names.
struct StoredType {
    std::string_view name;
    at::ScalarType type;
    std::size_t bytes;
};
inline constexpr StoredType kStoredTypes[] = {
    {"F64", at::kDouble, 8},   {"F32", at::kFloat, 4}, {"F16", at::kHalf, 2}, {"BF16", at::kBFloat16, 2},
    {"I64", at::kLong, 8},     {"I32", at::kInt, 4},   {"I16", at::kShort, 2}, {"I8", at::kChar, 1},
    {"U8", at::kByte, 1},      {"BOOL", at::kBool, 1},
};

inline std::optional<at::ScalarType> scalarTypeFromName(std::string_view name) {
    for (const auto& stored : kStoredTypes)
        if (stored.name == name) return stored.type;
    return std::nullopt;
}
inline const StoredType* storedType(at::ScalarType type) {
    for (const auto& stored : kStoredTypes)
        if (stored.type == type) return &stored;
    return nullptr;
}
inline std::size_t elementBytes(at::ScalarType type) {
    const auto* stored = storedType(type);
    return stored ? stored->bytes : 0;
}

}  // namespace espalier::interop
