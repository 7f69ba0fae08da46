#pragma once

#include <cmath>
#include <cstdlib>

#include "engine/intake/importer.h"
#include "engine/intake/names.h"

/// Takes what an importer finds and aborts when it breaks a promise of importer.h. Fuzz targets only.
class CheckingSink : public espalier::intake::RowSink {
public:
    using Meta = espalier::intake::RowMeta;
    espalier::Result<void> encodedImage(Meta, std::string, const std::filesystem::path&) override { return {}; }
    espalier::Result<void> image(Meta meta, espalier::feed::Image8 image) override {
        demand(image.pixels.size() == std::size_t(image.width) * std::size_t(image.height) * std::size_t(image.channels));
        return row(meta);
    }
    espalier::Result<void> floatImage(Meta meta, int width, int height, int channels, std::vector<float> values) override {
        demand(values.size() == std::size_t(width) * std::size_t(height) * std::size_t(channels));
        return row(meta);
    }
    espalier::Result<void> features(Meta meta, std::vector<float> values) override {
        demand(values.size() == m_columns);
        return row(meta);
    }
    void columns(std::vector<std::string> names) override { m_columns = names.size(); }
    void declareClass(const std::string&) override {}
    void warn(espalier::Warning warning) override { demand(!warning.kind.empty() && !warning.detail.empty() && warning.line >= 0); }
    void progress(std::int64_t, std::int64_t) override {}
    bool isStopped() const override { return m_rows > kMaxRows; }

    /// A refusal is one sentence in one line.
    static void checkError(const espalier::Error& error) {
        demand(!error.what.empty() && error.what.size() < 100'000);
    }
    static void demand(bool isKept) {
        if (!isKept) std::abort();
    }

private:
    static constexpr int kMaxRows = 20'000;  ///< rows without columns are cheap to claim
    espalier::Result<void> row(const Meta& meta) {
        demand(!meta.source.empty());
        ++m_rows;
        return {};
    }
    std::size_t m_columns = 0;
    int m_rows = 0;
};
