#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/api/api_stamp.h"
#include "engine/api/recipe_registry.h"

/// What a module and the program that loads it must agree on: the headers both were compiled against, and LibTorch.
/// ESPALIER_API_STAMP is a digest of those headers, made by the build; TORCH_VERSION comes from engine/api/torch.h.
#define ESPALIER_MODULE_STAMP "headers " ESPALIER_API_STAMP ", LibTorch " TORCH_VERSION

namespace espalier::api {

inline constexpr std::string_view kModuleNoteName = "Espalier";
inline constexpr std::uint32_t kModuleNoteType = 1;
inline constexpr std::size_t kModuleStampBytes = 64;
/// The function that the program calls once the stamp has been read from the file and agrees.
inline constexpr const char* kModuleEntry = "espalierRegisterRecipes";

/// ELF note of a recipe module: readable without running any of its code, and kept by strip.
struct ModuleNote {
    std::uint32_t nameBytes = kModuleNoteName.size() + 1;
    std::uint32_t textBytes = kModuleStampBytes;
    std::uint32_t type = kModuleNoteType;
    char name[12] = {};
    char text[kModuleStampBytes] = {};
};
static_assert(sizeof(ModuleNote) == 12 + 12 + kModuleStampBytes, "a note has no padding between its fields");

constexpr ModuleNote moduleNote(std::string_view stamp) {
    ModuleNote note;
    for (std::size_t i = 0; i < kModuleNoteName.size(); ++i) note.name[i] = kModuleNoteName[i];
    for (std::size_t i = 0; i < stamp.size() && i + 1 < kModuleStampBytes; ++i) note.text[i] = stamp[i];
    return note;
}

}  // namespace espalier::api

/// Once in a module, outside every namespace: ESPALIER_RECIPE_MODULE(mine::registerAll) with a function
/// `Result<void> registerAll(RecipeRegistry&)`. Include engine/api/blocks.h (or torch.h) before.
#define ESPALIER_RECIPE_MODULE(registerRecipes) ESPALIER_RECIPE_MODULE_OF(ESPALIER_MODULE_STAMP, registerRecipes)
#define ESPALIER_RECIPE_MODULE_OF(stamp, registerRecipes)                                                   \
    namespace {                                                                                             \
    [[gnu::used, gnu::section(".note.espalier")]] alignas(4) constexpr ::espalier::api::ModuleNote          \
        kEspalierModuleNote = ::espalier::api::moduleNote(stamp);                                           \
    }                                                                                                       \
    extern "C" [[gnu::visibility("default")]] void espalierRegisterRecipes(                                 \
        ::espalier::api::RecipeRegistry& registry, ::espalier::Result<void>& outcome) {                     \
        outcome = registerRecipes(registry);                                                                \
    }
