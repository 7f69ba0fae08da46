#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/recipe.h"

namespace espalier::api {

/// All recipes of the program, in order of their number. Filled once at start, read-only afterwards.
class RecipeRegistry {
public:
    using Factory = std::function<std::unique_ptr<Recipe>()>;

    /// A second recipe of the same id or number is an error (a start-up failure, never a silent replacement).
    Result<void> add(RecipeCard card, Factory factory);
    /// Takes over the recipes of another registry, all or none, and notes where they came from.
    Result<void> addAll(RecipeRegistry other, const std::string& origin);

    const std::vector<RecipeCard>& cards() const noexcept { return m_cards; }
    /// By id, by number ("70") or by name, case aside; nullptr when unknown or ambiguous.
    const RecipeCard* find(std::string_view idOrNumberOrName) const;
    /// Error that names the nearest known recipe when there is none of this id.
    Result<std::unique_ptr<Recipe>> create(std::string_view id) const;
    /// File of the module that brought a recipe; empty for those linked in.
    const std::string& originOf(std::string_view id) const;

private:
    Result<void> checkFree(const RecipeCard& card) const;

    std::vector<RecipeCard> m_cards;
    std::vector<Factory> m_factories;
    std::map<std::string, std::string, std::less<>> m_origins;  ///< by id
};

/// Registers every linked-in recipe; generated from the plugin list at configure time.
Result<void> registerAllRecipes(RecipeRegistry& registry);

}  // namespace espalier::api
