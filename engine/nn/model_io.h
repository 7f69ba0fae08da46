#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/nn/image_classifier.h"
#include "engine/nn/named_tensors.h"

namespace espalier::nn {

/// How pictures become this model's input; travels in the weights file.
struct Normalization {
    int size = 32, channels = 3;
    std::vector<float> mean, std;
    std::string toJson() const;
    static Result<Normalization> fromJson(const std::string& text);
};

/// A model with what is needed to feed it and to name its outputs.
struct LoadedClassifier {
    std::shared_ptr<ImageClassifier> model;
    Normalization normalization;
    std::vector<std::string> classNames;
};

/// Builds the model that the metadata describes ("espalier.architecture", "espalier.normalization",
/// "espalier.classes") and loads its weights. A file without them: a sentence that says which recipe can read it.
Result<LoadedClassifier> loadImageClassifier(const NamedTensors& weights, const std::string& where);

}  // namespace espalier::nn
