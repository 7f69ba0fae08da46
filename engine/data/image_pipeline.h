#pragma once

#include "engine/data/image_batches.h"

namespace espalier::data {

/// Turns one decoded picture into `channels × size × size` normalised floats, planar. Augments when the pipeline says
/// so; every random choice comes from (seed, epoch, row). Thread-safe: holds settings only.
class PipelineRunner {
public:
    explicit PipelineRunner(ImagePipeline pipeline);
    std::int64_t valuesPerImage() const;
    /// `out` receives valuesPerImage() values.
    void run(feed::Image8 image, std::int64_t seed, std::int64_t epoch, std::int64_t row, float* out) const;
    /// The picture before normalisation, as it would be seen.
    feed::Image8 prepare(feed::Image8 image, std::int64_t seed, std::int64_t epoch, std::int64_t row) const;

private:
    void erase(float* out, std::int64_t seed, std::int64_t epoch, std::int64_t row) const;
    ImagePipeline m_pipeline;
    std::vector<float> m_tables;  ///< [channel][byte] → normalised value
};

}  // namespace espalier::data
