#include "engine/data/image_pipeline.h"

#include <algorithm>
#include <cmath>

#include "engine/base/assert.h"
#include "engine/data/augment/geometry_ops.h"
#include "engine/data/augment/pixel_ops.h"
#include "engine/data/augment/policies.h"
#include "engine/data/augment/sample_rng.h"

namespace espalier::data {

namespace {

constexpr std::uint64_t kAugmentPurpose = 0x617567, kErasePurpose = 0x657261;

feed::Image8 withChannels(feed::Image8 image, int channels) {
    if (image.channels == channels) return image;
    feed::Image8 out{image.width, image.height, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(image.width) * image.height * channels)};
    const std::size_t area = static_cast<std::size_t>(image.width) * image.height;
    for (std::size_t i = 0; i < area; ++i) {
        if (channels == 1) {
            const int sum = image.pixels[3 * i] + image.pixels[3 * i + 1] + image.pixels[3 * i + 2];
            out.pixels[i] = static_cast<std::uint8_t>((2 * sum + 3) / 6);
        } else {
            out.pixels[3 * i] = out.pixels[3 * i + 1] = out.pixels[3 * i + 2] = image.pixels[i];
        }
    }
    return out;
}

/// Statistics of three channels serve a grey network by their average.
float statistic(const std::vector<float>& values, std::size_t channel, int channels) {
    if (channels == 1 && values.size() == 3) return (values[0] + values[1] + values[2]) / 3.0f;
    return values[std::min(channel, values.size() - 1)];
}

/// timm fills with the data set's mean.
augment::Fill meanFill(const std::vector<float>& mean) {
    augment::Fill fill{};
    for (std::size_t c = 0; c < 3; ++c)
        fill[c] = static_cast<std::uint8_t>(std::clamp(std::lround(255.0f * mean[std::min(c, mean.size() - 1)]), 0l, 255l));
    return fill;
}

}  // namespace

PipelineRunner::PipelineRunner(ImagePipeline pipeline) : m_pipeline(std::move(pipeline)) {
    ESPALIER_ASSERT(m_pipeline.channels == 1 || m_pipeline.channels == 3, "pictures have 1 or 3 channels");
    ESPALIER_ASSERT(!m_pipeline.mean.empty() && !m_pipeline.std.empty(), "normalisation needs a mean and a deviation");
    m_tables.resize(static_cast<std::size_t>(m_pipeline.channels) * 256);
    for (std::size_t c = 0; c < static_cast<std::size_t>(m_pipeline.channels); ++c) {
        const float mean = statistic(m_pipeline.mean, c, m_pipeline.channels), deviation = statistic(m_pipeline.std, c, m_pipeline.channels);
        for (std::size_t value = 0; value < 256; ++value)
            m_tables[c * 256 + value] = (static_cast<float>(value) / 255.0f - mean) / (deviation > 0 ? deviation : 1.0f);
    }
}

std::int64_t PipelineRunner::valuesPerImage() const { return std::int64_t(m_pipeline.channels) * m_pipeline.size * m_pipeline.size; }

feed::Image8 PipelineRunner::prepare(feed::Image8 image, std::int64_t seed, std::int64_t epoch, std::int64_t row) const {
    using namespace augment;
    const ImagePipeline& p = m_pipeline;
    image = withChannels(std::move(image), p.channels);
    SampleRng rng(seed, epoch, row, kAugmentPurpose);
    if (p.isAugmented && p.cropScaleMin > 0) image = randomResizedCrop(image, p.size, p.cropScaleMin, rng);
    else image = resize(image, p.size, p.size, Interpolation::Bilinear);
    if (!p.isAugmented) return image;
    // Recipe Q augments before crop and flip, timm's recipes after.
    if (p.autoAugment == "cifar10") image = autoAugmentCifar10(std::move(image), rng);
    if (p.cropPadding > 0) {
        const int left = static_cast<int>(rng.below(2 * p.cropPadding + 1)), top = static_cast<int>(rng.below(2 * p.cropPadding + 1));
        image = padAndCrop(image, p.cropPadding, left, top);
    }
    if (p.isFlipped && rng.chance(0.5)) flipHorizontally(image);
    if (p.autoAugment == "rand-m9-mstd0.5-inc1") image = randAugment(std::move(image), meanFill(p.mean), rng);
    return image;
}

void PipelineRunner::run(feed::Image8 image, std::int64_t seed, std::int64_t epoch, std::int64_t row, float* out) const {
    image = prepare(std::move(image), seed, epoch, row);
    const auto channels = static_cast<std::size_t>(m_pipeline.channels), area = static_cast<std::size_t>(m_pipeline.size) * m_pipeline.size;
    for (std::size_t c = 0; c < channels; ++c) {
        const float* table = &m_tables[c * 256];
        for (std::size_t i = 0; i < area; ++i) out[c * area + i] = table[image.pixels[i * channels + c]];
    }
    if (m_pipeline.isAugmented && m_pipeline.erasing > 0) erase(out, seed, epoch, row);
}

/// Random erasing as timm's "pixel" mode: normal noise in a box of 2 % to a third of the area.
void PipelineRunner::erase(float* out, std::int64_t seed, std::int64_t epoch, std::int64_t row) const {
    SampleRng rng(seed, epoch, row, kErasePurpose);
    if (!rng.chance(m_pipeline.erasing)) return;
    const int size = m_pipeline.size;
    const double area = double(size) * size, logAspect = std::log(1.0 / 0.3);
    for (int tries = 0; tries < 10; ++tries) {
        const double target = rng.between(0.02, 1.0 / 3.0) * area, aspect = std::exp(rng.between(-logAspect, logAspect));
        const int height = static_cast<int>(std::nearbyint(std::sqrt(target * aspect))), width = static_cast<int>(std::nearbyint(std::sqrt(target / aspect)));
        if (width >= size || height >= size) continue;
        const int top = static_cast<int>(rng.below(size - height + 1)), left = static_cast<int>(rng.below(size - width + 1));
        for (int c = 0; c < m_pipeline.channels; ++c)
            for (int y = top; y < top + height; ++y)
                for (int x = left; x < left + width; ++x) out[(c * size + y) * size + x] = static_cast<float>(rng.normal());
        return;
    }
}

}  // namespace espalier::data
