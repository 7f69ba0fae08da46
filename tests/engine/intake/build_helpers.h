#pragma once

#include <QTemporaryDir>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/intake/dataset_builder.h"
#include "engine/intake/dataset_store.h"

/// Builds data sets into a scratch folder and looks at what came out.
struct Builder {
    QTemporaryDir scratch;
    int count = 0;

    ~Builder() {  // Qt cannot remove names that are no text
        std::error_code ignored;
        std::filesystem::remove_all(scratch.path().toStdString(), ignored);
    }

    std::filesystem::path root() const { return std::filesystem::path(scratch.path().toStdString()) / "in"; }
    std::filesystem::path stored() const { return std::filesystem::path(scratch.path().toStdString()) / "out" / std::to_string(count); }

    espalier::Result<espalier::feed::DatasetSummary> build(espalier::intake::BuildRequest request, std::stop_token stop = {}) {
        ++count;
        if (request.paths.empty()) request.paths = {root()};
        return espalier::intake::buildDataset(request, stored(), {}, stop);
    }
    std::shared_ptr<espalier::intake::DatasetStore> open() const {
        auto store = espalier::intake::DatasetStore::open(stored());
        return store ? *store : nullptr;
    }
};

inline std::map<std::string, std::int64_t> countsOf(const espalier::feed::DatasetSummary& summary) {
    std::map<std::string, std::int64_t> counts;
    for (const auto& info : summary.classes) counts[info.name] = info.total();
    return counts;
}

inline const espalier::Warning* warningOf(const espalier::feed::DatasetSummary& summary, const std::string& kind) {
    for (const auto& warning : summary.warnings)
        if (warning.kind == kind) return &warning;
    return nullptr;
}

inline std::vector<std::string> sourcesOf(const espalier::intake::DatasetStore& store) {
    std::vector<std::string> sources;
    for (std::int64_t row = 0; row < store.size(); ++row) sources.push_back(store.info(row).source);
    return sources;
}
