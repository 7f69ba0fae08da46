#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hdf5.h>

#include "engine/base/result.h"

/// Checked, owning wrappers of the HDF5 C library. Nothing prints; every failure is a Result with HDF5's own message.
/// HDF5 holds one lock per process during each call: keep single reads below a few megabytes.
namespace espalier::runlog::h5 {

/// Owns one HDF5 identifier of any kind and closes it.
class Handle {
public:
    Handle() = default;
    explicit Handle(hid_t id) : m_id(id) {}
    Handle(Handle&& other) noexcept : m_id(std::exchange(other.m_id, -1)) {}
    Handle& operator=(Handle&& other) noexcept {
        if (this != &other) {
            reset();
            m_id = std::exchange(other.m_id, -1);
        }
        return *this;
    }
    ~Handle() { reset(); }
    void reset() noexcept;
    /// Leaves the object open for good. For files whose writes failed: closing one tries to write its cache again,
    /// fails halfway and leaves the library with a dangling entry.
    void forget() noexcept { m_id = -1; }
    hid_t get() const { return m_id; }
    explicit operator bool() const { return m_id >= 0; }

private:
    hid_t m_id = -1;
};

/// Stops HDF5 from printing its error stack on this thread and from closing files at exit (it crashes there over one
/// that was forgotten). Cheap; called by every function here.
void quiet() noexcept;
/// The error of the HDF5 call that just failed on this thread; call it before any other HDF5 call.
Error lastError(ErrorCode code, std::string what, std::string where);
Result<Handle> own(hid_t id, const std::string& what, const std::string& where);
Result<void> check(herr_t status, const std::string& what, const std::string& where);

enum class OpenMode { Read, ReadWrite };
/// Opens for reading also a file that a live SWMR writer holds or that a killed one left behind. Metadata attempts are
/// capped, so a damaged file is an error at once and not a hang.
Result<Handle> openFile(const std::filesystem::path& path, OpenMode mode = OpenMode::Read);
Result<Handle> createFile(const std::filesystem::path& path);
bool exists(hid_t location, const std::string& name);
/// Descriptor of the open file, for fdatasync; −1 when the driver has none.
int descriptor(hid_t file);

struct DatasetOptions {
    hsize_t chunkRows = 1024;
    bool isCompressed = false;  ///< shuffle + deflate below Fletcher32
    unsigned deflateLevel = 4;
    bool isFixedSize = false;
    hsize_t rows = 0;           ///< initial, or the final size when fixed
    std::size_t cacheBytes = 4u << 20;
};
/// One-dimensional chunked data set with Fletcher32.
Result<Handle> createDataset(hid_t location, const std::string& name, hid_t type, const DatasetOptions& options);
Result<Handle> openDataset(hid_t location, const std::string& name);
Result<hsize_t> rowCount(hid_t dataset);
Result<void> setRows(hid_t dataset, hsize_t rows);
Result<void> writeRows(hid_t dataset, hid_t memoryType, hsize_t first, hsize_t count, const void* data);
/// Writes out what the library still holds of a data set. Closing one does the same and tells nobody when it fails; the
/// rows then read as zeros.
Result<void> flush(hid_t dataset);
/// A whole chunk that has been through the data set's filters already; `first` is its first row.
Result<void> writeChunk(hid_t dataset, hsize_t first, std::string_view stored);
/// Reads in pieces of about a megabyte, letting other threads in between.
Result<void> readRows(hid_t dataset, hid_t memoryType, hsize_t first, hsize_t count, void* data);

Handle fixedText(std::size_t width);  ///< UTF-8, padded with zeros
Handle halfType();                    ///< IEEE binary16

Result<void> writeAttribute(hid_t location, const std::string& name, std::int64_t value);
Result<void> writeAttribute(hid_t location, const std::string& name, const std::string& value);
Result<std::int64_t> integerAttribute(hid_t location, const std::string& name);
Result<std::string> textAttribute(hid_t location, const std::string& name);

}  // namespace espalier::runlog::h5
