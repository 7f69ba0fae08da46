#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/nn/named_tensors.h"

namespace espalier::nn {

/// One tensor that a model wants from a weights file.
struct WantedTensor {
    std::string name;          ///< own name
    std::string foreignName;   ///< name in the reference implementation; may be empty
    at::Tensor target;         ///< copied into
    bool isOptional = false;   ///< keeps its value when the file lacks it or has another shape
};

/// Copies a file's tensors into their targets, under own or foreign names (all of one kind). The error names the first
/// missing, surplus or misshapen tensor with both shapes and says what the file is probably for. `ignored`: names that
/// may be there and are passed over.
Result<void> loadByName(const NamedTensors& weights, const std::vector<WantedTensor>& wanted,
                        const std::set<std::string>& ignored, const std::string& where);

std::string shapeText(at::IntArrayRef shape);  ///< "3×32×32"

}  // namespace espalier::nn
