#include "engine/api/recipe_registry.h"

#include <algorithm>
#include <cctype>

namespace espalier::api {
namespace {

bool equalsIgnoringCase(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
               return std::tolower(x) == std::tolower(y);
           });
}

std::string_view numberOf(std::string_view id) { return id.substr(0, id.find('-')); }

}  // namespace

Result<void> Recipe::check(const Params&, const feed::DatasetSummary*) const { return {}; }

Result<Forecast> Recipe::forecast(const Params&, const feed::DatasetSummary*) const { return Forecast{}; }

Result<void> Recipe::predict(PredictContext&) {
    return fail(ErrorCode::Unsupported, "this recipe has no model to predict with");
}

Result<void> RecipeRegistry::add(RecipeCard card, Factory factory) {
    for (const auto& known : m_cards)
        if (known.id == card.id || numberOf(known.id) == numberOf(card.id))
            return fail(ErrorCode::Internal, "two recipes are registered under the number of " + known.id, card.id);
    const auto place = std::lower_bound(m_cards.begin(), m_cards.end(), card,
                                        [](const RecipeCard& a, const RecipeCard& b) { return a.id < b.id; });
    m_factories.insert(m_factories.begin() + (place - m_cards.begin()), std::move(factory));
    m_cards.insert(place, std::move(card));
    return {};
}

const RecipeCard* RecipeRegistry::find(std::string_view text) const {
    for (const auto& card : m_cards)
        if (equalsIgnoringCase(card.id, text) || numberOf(card.id) == text || equalsIgnoringCase(card.name, text))
            return &card;
    return nullptr;
}

Result<std::unique_ptr<Recipe>> RecipeRegistry::create(std::string_view id) const {
    if (const auto* card = find(id)) return m_factories[static_cast<std::size_t>(card - m_cards.data())]();
    std::vector<std::string> known;
    for (const auto& card : m_cards) known.push_back(card.id);
    const auto near = nearestWord(id, known);
    return fail(ErrorCode::NotFound, "there is no recipe of this name", std::string(id),
                near.empty() ? "espalier-cli recipes lists them" : "Did you mean " + near + "?");
}

}  // namespace espalier::api
