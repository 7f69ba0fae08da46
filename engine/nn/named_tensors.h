#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/torch.h"

namespace espalier::nn {

/// Tensors by name in a fixed order, with string metadata: what a safetensors file holds.
struct NamedTensors {
    std::vector<std::pair<std::string, at::Tensor>> tensors;
    std::map<std::string, std::string> metadata;

    const at::Tensor* find(const std::string& name) const {
        for (const auto& [key, value] : tensors)
            if (key == name) return &value;
        return nullptr;
    }
    void add(std::string name, at::Tensor value) { tensors.emplace_back(std::move(name), std::move(value)); }
};

}  // namespace espalier::nn
