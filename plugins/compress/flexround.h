#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/api/blocks.h"
#include "engine/api/recipe.h"
#include "engine/api/recipe_registry.h"
#include "engine/api/run_context.h"

namespace espalier::recipes::flexround {

inline constexpr const char* kId = "46-flexround";

api::RecipeCard card();

/// One option: a method at a width.
struct Option {
    int index = 0;
    std::string method;
    int bits = 4;
    std::string label() const { return method + " w" + std::to_string(bits); }
};
/// Widths as given, methods inside each; one named twice counts once.
std::vector<Option> optionsOf(const api::Params& params);
/// `count` training rows in an order that the seed alone decides.
std::vector<std::int64_t> calibrationRows(data::ImageSource& images, std::int64_t count, std::int64_t seed);
quant::QuantizeSpec specFor(const api::Params& params, const Option& option, std::int64_t seed);

}  // namespace espalier::recipes::flexround
