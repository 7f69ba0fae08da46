#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/nn/image_classifier.h"
#include "engine/nn/named_tensors.h"

namespace espalier::nn {

/// Keys of a weights file's metadata.
namespace metadata_keys {
inline constexpr const char* kRecipe = "espalier.recipe";
inline constexpr const char* kArchitecture = "espalier.architecture";    ///< JSON object
inline constexpr const char* kNormalization = "espalier.normalization";  ///< JSON {size, channels, mean, std}
inline constexpr const char* kClasses = "espalier.classes";              ///< JSON list of names
}  // namespace metadata_keys

/// The metadata of a file that holds this model, and back.
std::map<std::string, std::string> metadataOf(const ClassifierInfo& info);
Result<ClassifierInfo> infoFromMetadata(const std::map<std::string, std::string>& metadata, const std::string& where);

/// Parameters and buffers of a module under their own names, sharing memory.
NamedTensors namedTensors(const torch::nn::Module& module);

/// Copies tensors into a module's parameters and buffers of the same name. A missing, surplus or misshapen tensor is
/// an error that names it and says what was expected; the module is left unchanged then.
Result<void> loadTensors(torch::nn::Module& module, const NamedTensors& tensors, const std::string& where);

/// Rebuilds the model that a weights file (checkpoint, artifact) describes and fills it; eval mode, on the CPU.
Result<std::shared_ptr<ImageClassifier>> loadImageClassifier(const std::filesystem::path& path);
Result<std::shared_ptr<ImageClassifier>> imageClassifierFrom(const NamedTensors& tensors, const std::string& where);

}  // namespace espalier::nn
