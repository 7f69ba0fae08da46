#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/warning.h"

namespace espalier::feed {

enum class Split : std::uint8_t { Train = 0, Valid = 1, Test = 2 };
inline const char* splitName(Split split) noexcept {
    return split == Split::Train ? "train" : split == Split::Valid ? "valid" : "test";
}

struct ClassInfo {
    std::string name;
    std::array<std::int64_t, 3> counts{};  ///< by split
    std::int64_t total() const { return counts[0] + counts[1] + counts[2]; }
};

/// Two samples that look alike. Indices into the data set.
struct NearPair {
    std::int64_t a = 0, b = 0;
    double similarity = 0.0;  ///< 0…1, 1 = identical pixels
    bool acrossSplits = false;
};

struct HistogramBin {
    double low = 0, high = 0;
    std::int64_t count = 0;
};

/// All that the Data page, the catalog and a recipe's form need to know of a data set.
struct DatasetSummary {
    std::string id, name;
    std::string kind;    ///< "images", "table" or "arrays"
    std::string source;  ///< what the user dropped (path)
    std::string format;  ///< "image-folder", "tar", "npy", "npz", "hdf5", "idx", "cifar-bin", "csv", "generator"
    std::int64_t samples = 0;
    std::vector<ClassInfo> classes;             ///< empty when unlabelled
    std::vector<std::int64_t> shape;            ///< images: {channels, height, width} of the most common size; table: {columns}
    bool hasOneSize = true;
    std::array<std::int64_t, 3> splits{};       ///< train, valid, test
    std::string splitKind;                      ///< "folders" or "seed"
    std::int64_t splitSeed = 0;
    std::array<double, 3> splitFractions{0.8, 0.1, 0.1};
    std::string hash;                           ///< SHA-256 of content, labels and split, lower-case hex
    std::int64_t exactDuplicates = 0;           ///< samples that repeat an earlier one byte for byte (decoded)
    std::int64_t exactAcrossSplits = 0;
    std::vector<std::vector<std::int64_t>> exactGroups;  ///< at most 1,000, each ≥ 2 sample indices
    std::int64_t nearDuplicatePairs = 0;
    std::vector<NearPair> nearPairs;            ///< at most 1,000, most alike first
    std::vector<double> channelMean, channelStd;///< train split, pixel values in 0…1
    std::vector<HistogramBin> byteHistogram;    ///< stored bytes a file
    std::vector<HistogramBin> sizeHistogram;    ///< larger side in pixels
    std::vector<std::pair<std::string, std::int64_t>> sizes;  ///< "32×32" → count, most common first
    std::int64_t storedBytes = 0, decodedBytes = 0;
    std::vector<std::string> columns;           ///< table: feature names
    double importSecs = 0.0;
    std::string importedUtc;
    Warnings warnings;
};

/// One sample as the grid shows it.
struct SampleInfo {
    std::int64_t index = 0;
    std::int64_t label = -1;  ///< class index or −1
    Split split = Split::Train;
    int width = 0, height = 0, channels = 0;
    std::int64_t storedBytes = 0;
    std::string source;  ///< "cat/0013.jpg", "batch.npz[17]", "data.csv:18"
};

/// Decoded picture, row-major, interleaved, 8 bits a channel (1 = grey, 3 = RGB).
struct Image8 {
    int width = 0, height = 0, channels = 0;
    std::vector<std::uint8_t> pixels;
    bool isEmpty() const { return pixels.empty(); }
};

}  // namespace espalier::feed
