#include <cstdlib>

#include "engine/interop/safetensors.h"
#include "tests/fuzz/memory_file.h"

using namespace espalier;

namespace {
void demand(bool isKept) {
    if (!isKept) std::abort();
}
}  // namespace

/// Header and tensors of a safetensors file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const MemoryFile file(data, size);
    const auto header = interop::readSafetensorsHeader(file.path());
    if (header)
        for (const auto& entry : header->entries) demand(entry.begin <= entry.end && entry.end <= header->payloadBytes && header->payloadBytes <= size);
    const auto tensors = interop::readSafetensors(file.path());
    demand(tensors.has_value() == header.has_value());
    if (!header) demand(!header.error().what.empty() && !header.error().where.empty());
    if (tensors) demand(tensors->tensors.size() == header->entries.size());
    return 0;
}
