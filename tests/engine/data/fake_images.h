#pragma once

#include <atomic>

#include "engine/data/image_source.h"

/// Pictures made of their row number. Tests only.
class FakeImages : public espalier::data::ImageSource {
public:
    FakeImages(int count, int side, int channels) : m_side(side), m_channels(channels) {
        m_summary.samples = count;
        for (int i = 0; i < count; ++i) m_rows[i % 5 == 4 ? 1 : 0].push_back(i);
    }
    const espalier::feed::DatasetSummary& summary() const override { return m_summary; }
    const std::vector<std::int64_t>& rows(espalier::feed::Split split) const override { return m_rows[static_cast<std::size_t>(split)]; }
    std::int64_t label(std::int64_t row) const override { return row % 10; }
    std::string sourceOf(std::int64_t row) const override { return "fake[" + std::to_string(row) + "]"; }
    espalier::Result<espalier::feed::Image8> image(std::int64_t row) const override {
        if (row == brokenRow) return espalier::fail(espalier::ErrorCode::Corrupt, "is broken", sourceOf(row));
        espalier::feed::Image8 image{m_side, m_side, m_channels, {}};
        image.pixels.resize(static_cast<std::size_t>(m_side * m_side * m_channels));
        std::uint32_t state = static_cast<std::uint32_t>(row) * 2654435761u + 12345u;
        for (auto& pixel : image.pixels) {
            state = state * 1664525u + 1013904223u;
            pixel = static_cast<std::uint8_t>(state >> 24);
        }
        return image;
    }
    std::int64_t brokenRow = -1;

private:
    int m_side, m_channels;
    espalier::feed::DatasetSummary m_summary;
    std::vector<std::int64_t> m_rows[3];
};
