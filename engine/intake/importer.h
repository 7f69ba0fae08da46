#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/warning.h"
#include "engine/feed/dataset.h"

namespace espalier::intake {

/// What the user said about the source; empty = guess.
struct ImportOptions {
    std::string format = "auto";
    std::string label;           ///< column name or 1-based number: of a CSV, or of a table beside pictures
    std::string images, labels;  ///< members of npz / HDF5
    std::string imageShape;      ///< "8x8", "32x32x3": table rows are pictures; "none": keep a table
};

/// What every row carries besides its content.
struct RowMeta {
    std::string source;                 ///< "cat/0013.jpg", "x.npz[17]", "iris.csv:18"; lossless bytes, shown as plain text
    std::optional<std::string> label;   ///< class name; nullopt = unlabelled
    std::optional<feed::Split> split;   ///< set when the source itself has splits
    std::int64_t storedBytes = 0;
};

/// Receives what an importer finds, in order. Implemented by the data set builder; fakes in tests. Not thread-safe.
class RowSink {
public:
    virtual ~RowSink() = default;
    /// A picture file's bytes; decoded by the builder's workers. `path` is where the bytes can be read again (empty:
    /// they come from an archive and must be kept).
    virtual Result<void> encodedImage(RowMeta meta, std::string bytes, const std::filesystem::path& path) = 0;
    virtual Result<void> image(RowMeta meta, feed::Image8 image) = 0;
    /// Float pictures, interleaved, any range: the builder scales all rows of a source by one common rule.
    virtual Result<void> floatImage(RowMeta meta, int width, int height, int channels, std::vector<float> values) = 0;
    virtual Result<void> features(RowMeta meta, std::vector<float> values) = 0;
    virtual void columns(std::vector<std::string> names) = 0;      ///< names of features, before the first features()
    virtual void declareClass(const std::string& name) = 0;        ///< so that empty classes and their order are known
    virtual void warn(Warning warning) = 0;
    virtual void progress(std::int64_t done, std::int64_t total) = 0;  ///< total 0 = unknown
    virtual bool isStopped() const = 0;
    /// What is done now, when that is not reading ("Unpacking, in MB"); progress() then counts that.
    virtual void stage(const char*) {}
    /// Where an importer may put large files while it reads; empty = nowhere in particular.
    virtual std::filesystem::path scratchFolder() const { return {}; }
};

/// One family of formats. Stateless; one instance serves all imports.
class Importer {
public:
    virtual ~Importer() = default;
    virtual std::string_view format() const = 0;  ///< "image-folder", "archive", "npy", "array-folder", "npz", "hdf5", "idx", "cifar", "csv"
    /// 0 = not mine, 100 = certain. `head`: first 4 KiB of a file, empty for a folder. Must not read more.
    virtual int confidence(const std::filesystem::path& path, std::string_view head) const = 0;
    /// Streams rows into the sink. The error names file, place and remedy; partial trouble goes to sink.warn().
    virtual Result<void> read(const std::filesystem::path& path, const ImportOptions& options, RowSink& sink) const = 0;
};

/// All importers in priority order (importer_registry.cpp).
const std::vector<std::unique_ptr<Importer>>& importers();
/// Sniffs suffix and head. Unknown: a sentence that names the file and lists what is accepted.
Result<const Importer*> findImporter(const std::filesystem::path& path, const ImportOptions& options);

// Factories, one a file.
std::unique_ptr<Importer> makeImageFolderImporter();
std::unique_ptr<Importer> makeArchiveImporter();
std::unique_ptr<Importer> makeNpyImporter();   ///< .npy
std::unique_ptr<Importer> makeNpzImporter();   ///< .npz
std::unique_ptr<Importer> makeArrayFolderImporter();  ///< a folder of .npy and .npz that belong together
std::unique_ptr<Importer> makeHdf5Importer();
std::unique_ptr<Importer> makeIdxImporter();   ///< MNIST files or a folder of them, also .gz
std::unique_ptr<Importer> makeCifarImporter(); ///< CIFAR-10/100 binary batches, file or folder
std::unique_ptr<Importer> makeCsvImporter();   ///< csv, tsv, txt, .gz

}  // namespace espalier::intake
