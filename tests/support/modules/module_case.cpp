// One module a case, chosen by macro: MODULE_STAMP (left out: no stamp at all), MODULE_IDS, MODULE_THROWS, MODULE_ENDS
// (a statement that ends the program). All leave a
// mark when code of theirs runs at load time, so that a test can tell whether it did.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include <torch/version.h>

#include "engine/api/recipe_module.h"

namespace {

[[gnu::constructor]] void leaveMark() {
    const char* path = std::getenv("ESPALIER_TEST_MARK");
    if (!path) return;
    if (std::FILE* file = std::fopen(path, "w")) std::fclose(file);
}

#ifdef MODULE_STAMP
class Nothing : public espalier::api::Recipe {
public:
    espalier::Result<void> run(espalier::api::RunContext&) override { return {}; }
};

espalier::Result<void> registerAll(espalier::api::RecipeRegistry& registry) {
#ifdef MODULE_THROWS
    throw std::runtime_error("thrown on purpose");
#elif defined(MODULE_ENDS)
    MODULE_ENDS;
    return {};
#else
    for (const char* id : {MODULE_IDS}) {
        espalier::api::RecipeCard card;
        card.id = id;
        card.title = "A recipe for tests";
        card.kinds = {"pretrain"};
        ESPALIER_CHECK_OK(registry.add(card, [] { return std::make_unique<Nothing>(); }));
    }
    return {};
#endif
}
#endif

}  // namespace

#ifdef MODULE_STAMP
ESPALIER_RECIPE_MODULE_OF(MODULE_STAMP, registerAll)
#endif
