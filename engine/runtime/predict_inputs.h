#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/api/params.h"
#include "engine/api/torch.h"
#include "engine/base/result.h"
#include "engine/nn/named_tensors.h"
#include "engine/runtime/workspace.h"

namespace espalier::runtime {

/// What a model is run on, read in pieces so that a data set of any size fits.
class PredictInputs {
public:
    virtual ~PredictInputs() = default;
    virtual std::int64_t size() const = 0;
    /// Rows first … first + count, [count, …] float32.
    virtual Result<at::Tensor> rows(std::int64_t first, std::int64_t count) = 0;
    /// Facts about the rows that are written beside the outputs ("labels", "splits"); may be empty.
    virtual nn::NamedTensors facts() const { return {}; }
};

/// A .npy, .npz or .safetensors file is taken as it is; anything else names a data set, whose pictures are prepared as
/// the weights' metadata says (size, channels, normalisation), else as `params` and the data set itself say.
Result<std::unique_ptr<PredictInputs>> openPredictInputs(Workspace& workspace, const std::string& input,
                                                         const nn::NamedTensors& weights, const api::Params& params);

}  // namespace espalier::runtime
