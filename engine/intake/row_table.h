#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "engine/base/result.h"
#include "engine/feed/dataset.h"

namespace espalier::intake {

/// Where a row's content lies.
enum class RowStorage : std::uint8_t {
    Pixels = 0,    ///< decoded, in pixels.bin
    Path = 1,      ///< the original file, decoded when asked for
    Blob = 2,      ///< encoded bytes kept in blobs.bin
    Features = 3,  ///< float32 values in features.bin
};

inline constexpr std::uint8_t kNoSplit = 0xFF;

/// One fixed-size record of rows.bin, stored little-endian exactly as it lies in memory.
struct RowRecord {
    std::uint64_t offset = 0, length = 0;  ///< bytes in the storage's file
    std::uint64_t sourceOffset = 0, pathOffset = 0;
    std::uint32_t sourceLength = 0, pathLength = 0;
    std::int32_t label = -1;
    std::uint32_t width = 0, height = 0;
    std::uint8_t channels = 0;
    std::uint8_t split = 0;
    RowStorage storage = RowStorage::Pixels;
    std::uint8_t sourceSplit = kNoSplit;  ///< the split that the source itself gave, kept when rows are dealt anew
    std::int64_t storedBytes = 0;
    std::array<double, 3> sums{}, squares{};  ///< per channel over the pixels, values 0…255
    std::array<std::uint8_t, 32> digest{};    ///< SHA-256 of size and content
};
static_assert(sizeof(RowRecord) == 144 && std::is_trivially_copyable_v<RowRecord>);

/// All rows with their texts, as rows.bin holds them.
struct RowTable {
    std::vector<RowRecord> records;
    std::string texts;

    std::string_view source(const RowRecord& record) const {
        return std::string_view(texts).substr(record.sourceOffset, record.sourceLength);
    }
    std::string_view path(const RowRecord& record) const {
        return std::string_view(texts).substr(record.pathOffset, record.pathLength);
    }
    void setSource(RowRecord& record, std::string_view text);
    void setPath(RowRecord& record, std::string_view text);
};

Result<void> writeRowTable(const std::filesystem::path& file, const RowTable& table);
/// Checks every length, offset, label and split; `classes` is the number of classes of the summary.
Result<RowTable> readRowTable(const std::filesystem::path& file, std::int64_t classes);

/// SHA-256 over class names, columns and each row's digest, label and split, as lower-case hex.
std::string contentHash(const feed::DatasetSummary& summary, const RowTable& table);

/// Fills what follows from labels and splits: class counts, split counts, mean and deviation of the train split,
/// duplicates across splits, hash.
void summarizeSplits(feed::DatasetSummary& summary, const RowTable& table);

}  // namespace espalier::intake
