#include "engine/nn/name_map.h"

#include <algorithm>

namespace espalier::nn {

std::string shapeText(at::IntArrayRef shape) {
    std::string text;
    for (const auto size : shape) text += (text.empty() ? "" : "×") + std::to_string(size);
    return text.empty() ? "scalar" : text;
}

Result<void> loadByName(const NamedTensors& weights, const std::vector<WantedTensor>& wanted,
                        const std::set<std::string>& ignored, const std::string& where) {
    const std::string remedy = "Choose weights of this architecture, or the variant that the weights were made with";
    const bool isForeign = std::any_of(wanted.begin(), wanted.end(), [&](const auto& each) {
        return !each.foreignName.empty() && each.foreignName != each.name && weights.find(each.foreignName);
    });
    std::set<std::string> used;
    std::vector<std::pair<at::Tensor, at::Tensor>> copies;
    for (const auto& each : wanted) {
        const auto& name = isForeign ? each.foreignName : each.name;
        const auto* found = weights.find(name);
        used.insert(name);
        if (!found) {
            if (each.isOptional) continue;
            return fail(ErrorCode::BadInput, "the tensor " + name + " is missing", where, remedy);
        }
        if (found->sizes() != each.target.sizes()) {
            if (each.isOptional) continue;
            return fail(ErrorCode::BadInput,
                        "the tensor " + name + " is " + shapeText(found->sizes()) + ", this model needs " +
                            shapeText(each.target.sizes()),
                        where, remedy);
        }
        copies.emplace_back(each.target, *found);
    }
    for (const auto& [name, tensor] : weights.tensors)
        if (!used.count(name) && !ignored.count(name))
            return fail(ErrorCode::BadInput, "the tensor " + name + " has no place in this model", where, remedy);
    at::NoGradGuard noGrad;
    for (auto& [target, source] : copies) target.copy_(source.to(target.scalar_type()));
    return {};
}

}  // namespace espalier::nn
