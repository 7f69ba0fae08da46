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

/// "70" of "70-compact-transformers"; empty where an id begins with no number.
std::string_view numberOf(std::string_view id) {
    const auto number = id.substr(0, id.find('-'));
    return std::all_of(number.begin(), number.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) ? number : "";
}

}  // namespace

Result<void> Recipe::check(const Params&, const feed::DatasetSummary*) const { return {}; }

Result<Forecast> Recipe::forecast(const Params&, const feed::DatasetSummary*) const { return Forecast{}; }

Result<void> Recipe::predict(PredictContext&) {
    return fail(ErrorCode::Unsupported, "this recipe has no model to predict with");
}

Result<void> RecipeRegistry::checkFree(const RecipeCard& card) const {
    for (const auto& known : m_cards)
        if (known.id == card.id || (!numberOf(card.id).empty() && numberOf(known.id) == numberOf(card.id)))
            return fail(ErrorCode::Internal, "two recipes are registered under the number of " + known.id, card.id);
    return {};
}

Result<void> RecipeRegistry::add(RecipeCard card, Factory factory) {
    ESPALIER_CHECK_OK(checkFree(card));
    const auto place = std::lower_bound(m_cards.begin(), m_cards.end(), card,
                                        [](const RecipeCard& a, const RecipeCard& b) { return a.id < b.id; });
    m_factories.insert(m_factories.begin() + (place - m_cards.begin()), std::move(factory));
    m_cards.insert(place, std::move(card));
    return {};
}

Result<void> RecipeRegistry::addAll(RecipeRegistry other, const std::string& origin) {
    for (const auto& card : other.m_cards) ESPALIER_CHECK_OK(checkFree(card));
    for (std::size_t i = 0; i < other.m_cards.size(); ++i) {
        m_origins[other.m_cards[i].id] = origin;
        ESPALIER_CHECK_OK(add(std::move(other.m_cards[i]), std::move(other.m_factories[i])));
    }
    return {};
}

const std::string& RecipeRegistry::originOf(std::string_view id) const {
    static const std::string kLinkedIn;
    const auto found = m_origins.find(id);
    return found == m_origins.end() ? kLinkedIn : found->second;
}

const RecipeCard* RecipeRegistry::find(std::string_view text) const {
    for (const auto& card : m_cards)
        if (equalsIgnoringCase(card.id, text) || (!text.empty() && numberOf(card.id) == text) || equalsIgnoringCase(card.name, text))
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
