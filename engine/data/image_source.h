#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/result.h"
#include "engine/feed/dataset.h"

namespace espalier::data {

/// Random access to the decoded images of a data set. Thread-safe; used by loader threads and the engine thread.
/// Plain header: implementations read engine/intake's DatasetStore.
class ImageSource {
public:
    virtual ~ImageSource() = default;
    virtual const feed::DatasetSummary& summary() const = 0;
    /// Sample indices of a split in data set order.
    virtual const std::vector<std::int64_t>& rows(feed::Split split) const = 0;
    virtual std::int64_t label(std::int64_t row) const = 0;
    virtual std::string sourceOf(std::int64_t row) const = 0;
    /// Decoded picture, 1 or 3 channels, upright.
    virtual Result<feed::Image8> image(std::int64_t row) const = 0;
};

}  // namespace espalier::data
