#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "engine/intake/importer.h"

/// Collects what an importer finds. Tests only.
class FakeSink : public espalier::intake::RowSink {
public:
    using Meta = espalier::intake::RowMeta;
    struct FloatImage {
        int width, height, channels;
        std::vector<float> values;
    };
    espalier::Result<void> encodedImage(Meta meta, std::string, const std::filesystem::path&) override { return add(std::move(meta)); }
    espalier::Result<void> image(Meta meta, espalier::feed::Image8 image) override {
        images.push_back(std::move(image));
        return add(std::move(meta));
    }
    espalier::Result<void> floatImage(Meta meta, int width, int height, int channels, std::vector<float> values) override {
        floats.push_back({width, height, channels, std::move(values)});
        return add(std::move(meta));
    }
    espalier::Result<void> features(Meta meta, std::vector<float> values) override {
        tables.push_back(std::move(values));
        return add(std::move(meta));
    }
    void columns(std::vector<std::string> names) override { columnNames = std::move(names); }
    void declareClass(const std::string& name) override { declared.push_back(name); }
    void warn(espalier::Warning warning) override { warnings.push_back(std::move(warning)); }
    void progress(std::int64_t, std::int64_t) override {}
    bool isStopped() const override { return stopAfter >= 0 && static_cast<int>(metas.size()) >= stopAfter; }

    bool hasWarning(const std::string& kind) const { return find(kind) != nullptr; }
    const espalier::Warning* find(const std::string& kind) const {
        for (const auto& warning : warnings)
            if (warning.kind == kind) return &warning;
        return nullptr;
    }
    std::vector<std::int64_t> linesOf(const std::string& kind) const {
        std::vector<std::int64_t> lines;
        for (const auto& warning : warnings)
            if (warning.kind == kind) lines.push_back(warning.line);
        return lines;
    }
    int count(espalier::feed::Split split) const { return counts[static_cast<std::size_t>(split)]; }

    std::vector<Meta> metas;
    std::vector<espalier::feed::Image8> images;
    std::vector<FloatImage> floats;
    std::vector<std::vector<float>> tables;
    std::vector<std::string> columnNames, declared;
    espalier::Warnings warnings;
    std::map<std::string, int> classes;
    std::array<int, 3> counts{};
    int stopAfter = -1;

private:
    espalier::Result<void> add(Meta meta) {
        if (meta.label) ++classes[*meta.label];
        if (meta.split) ++counts[static_cast<std::size_t>(*meta.split)];
        metas.push_back(std::move(meta));
        return {};
    }
};
