#pragma once

#include <memory>

#include "engine/data/image_source.h"
#include "engine/intake/dataset_store.h"

namespace espalier::data {

/// The decoded pictures of an imported data set. Thread-safe as the store is.
class StoreImageSource : public ImageSource {
public:
    explicit StoreImageSource(std::shared_ptr<intake::DatasetStore> store) : m_store(std::move(store)) {}
    const feed::DatasetSummary& summary() const override { return m_store->summary(); }
    const std::vector<std::int64_t>& rows(feed::Split split) const override { return m_store->rows(split); }
    std::int64_t label(std::int64_t row) const override { return m_store->info(row).label; }
    std::string sourceOf(std::int64_t row) const override { return m_store->info(row).source; }
    Result<feed::Image8> image(std::int64_t row) const override;

private:
    std::shared_ptr<intake::DatasetStore> m_store;
};

}  // namespace espalier::data
