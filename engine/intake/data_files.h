#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace espalier::intake {

/// What a file without pictures holds, by its name or its first bytes; enough to find the data among other files.
enum class DataFileKind { None, CifarBatch, CifarNames, Idx, Array, Hdf5, Table, LooseTable, Text };
DataFileKind dataFileKind(std::string_view path, std::string_view head);

/// "train-images-idx3-ubyte.gz", "t10k-labels.idx1-ubyte".
bool isIdxName(std::string_view path);
/// What stays of an idx file's name when role, rank, type and suffix are taken away: the same for pictures and labels.
std::string idxStem(std::string_view path);
bool isIdxLabelName(std::string_view path);
/// "data_batch_1.bin", "test_batch.bin", "train.bin".
bool isCifarBatchName(std::string_view path);

/// One data file of a folder or archive, by its path relative to what was dropped.
struct DataFile {
    std::string path;
    std::size_t index = 0;   ///< whatever the caller finds its file by
    std::int64_t bytes = 0;  ///< 0 when unknown
    DataFileKind kind = DataFileKind::None;
};

/// The files that make up one data set.
struct DataChoice {
    DataFileKind kind = DataFileKind::None;
    std::vector<DataFile> files;  ///< path = where the importer expects them in one folder
    bool isFolder = false;        ///< read as a folder; else the one file alone
};

/// "holds several data files, …": names the candidates.
tl::unexpected<Error> severalDataFiles(const std::vector<std::string>& candidates, const std::string& where);
/// The one data set among the files. Two that have nothing to do with each other are refused with their names.
Result<DataChoice> chooseData(std::vector<DataFile> files, const std::string& where);

}  // namespace espalier::intake
