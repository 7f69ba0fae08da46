#include "engine/nn/model_io.h"

#include <nlohmann/json.hpp>

#include "engine/nn/compact_transformer.h"

namespace espalier::nn {

std::string Normalization::toJson() const {
    return nlohmann::json{{"size", size}, {"channels", channels}, {"mean", mean}, {"std", std}}.dump();
}

Result<Normalization> Normalization::fromJson(const std::string& text) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto broken = fail(ErrorCode::Corrupt, "the description of the model's input cannot be read", "espalier.normalization");
    try {
        Normalization n;
        json.at("size").get_to(n.size);
        json.at("channels").get_to(n.channels);
        json.at("mean").get_to(n.mean);
        json.at("std").get_to(n.std);
        if (n.size < 1 || n.size > 2048 || n.channels < 1 || n.channels > 16 || n.mean.size() != std::size_t(n.channels) ||
            n.std.size() != std::size_t(n.channels))
            return broken;
        return n;
    } catch (const nlohmann::json::exception&) {
        return broken;
    }
}

Result<LoadedClassifier> loadImageClassifier(const NamedTensors& weights, const std::string& where) {
    const auto text = [&](const char* key) {
        const auto found = weights.metadata.find(key);
        return found == weights.metadata.end() ? std::string() : found->second;
    };
    if (text("espalier.model") != "compact-transformer")
        return fail(ErrorCode::BadInput, "does not say which model it holds", where,
                    "Start from a finished run, or load the file with recipe 70 and its variant first");
    ESPALIER_TRY(const auto config, CompactConfig::fromJson(text("espalier.architecture")));
    LoadedClassifier loaded;
    ESPALIER_TRY(loaded.normalization, Normalization::fromJson(text("espalier.normalization")));
    auto model = std::make_shared<CompactTransformer>(config);
    ESPALIER_CHECK_OK(model->loadWeights(weights, where));
    model->eval();
    loaded.model = std::move(model);
    const auto names = nlohmann::json::parse(text("espalier.classes"), nullptr, false);
    if (names.is_array())
        for (const auto& name : names)
            if (name.is_string()) loaded.classNames.push_back(name.get<std::string>());
    return loaded;
}

}  // namespace espalier::nn
