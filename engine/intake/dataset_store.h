#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "engine/base/result.h"
#include "engine/feed/dataset.h"

namespace espalier::intake {

/// Read access to an imported data set's folder. Thread-safe, memory-mapped where the rows are stored decoded.
class DatasetStore {
public:
    static Result<std::shared_ptr<DatasetStore>> open(const std::filesystem::path& folder);
    ~DatasetStore();

    const feed::DatasetSummary& summary() const;
    std::int64_t size() const;
    feed::SampleInfo info(std::int64_t row) const;
    Result<feed::Image8> image(std::int64_t row) const;
    /// Table rows: one value a column.
    Result<std::vector<float>> features(std::int64_t row) const;
    const std::vector<std::int64_t>& rows(feed::Split split) const;
    /// Pointer to the decoded bytes of a row when all rows have one size and are mapped, else nullptr.
    const std::uint8_t* mappedPixels(std::int64_t row) const;

private:
    struct Impl;
    explicit DatasetStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> d;
};

/// Deals the rows to train, valid and test: stratified by class, a pure function of (labels, fractions, seed).
std::vector<feed::Split> splitRows(const std::vector<std::int64_t>& labels, const std::array<double, 3>& fractions,
                                   std::int64_t seed);

/// A sentence when the fractions are not three shares that sum to 1 with something to train on.
Result<void> checkFractions(const std::array<double, 3>& fractions);

/// Rewrites split and hash of a stored data set; everything else stays.
Result<feed::DatasetSummary> resplitDataset(const std::filesystem::path& folder, const std::array<double, 3>& fractions,
                                            std::int64_t seed);

/// dataset.json to and from the summary.
std::string summaryToJson(const feed::DatasetSummary& summary);
Result<feed::DatasetSummary> summaryFromJson(const std::string& text, const std::string& where);

}  // namespace espalier::intake
