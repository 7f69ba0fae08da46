#include "engine/runlog/h5.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace espalier::runlog::h5 {
namespace {

constexpr unsigned kMetadataAttempts = 15;  // each try waits twice as long; 100, HDF5's default, is minutes

struct Messages {
    std::string outer, inner;
};

herr_t collectMessage(unsigned n, const H5E_error2_t* entry, void* data) {
    auto& messages = *static_cast<Messages*>(data);
    const std::string text = entry->desc ? entry->desc : "";
    if (n == 0) messages.outer = text;
    if (!text.empty()) messages.inner = text;
    return 0;
}

Result<Handle> accessList(bool forReading) {
    ESPALIER_TRY(auto list, own(H5Pcreate(H5P_FILE_ACCESS), "no property list", "HDF5"));
    H5Pset_libver_bounds(list.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    // The journal's own lock keeps two writers apart; HDF5's would keep readers out of live files and fails on
    // network folders without flock.
    H5Pset_file_locking(list.get(), false, true);
    if (forReading) H5Pset_metadata_read_attempts(list.get(), kMetadataAttempts);
    return list;
}

}  // namespace

void Handle::reset() noexcept {
    if (m_id < 0) return;
    quiet();
    const hid_t id = std::exchange(m_id, -1);
    switch (H5Iget_type(id)) {
        case H5I_FILE: H5Fclose(id); break;
        case H5I_GROUP: H5Gclose(id); break;
        case H5I_DATASET: H5Dclose(id); break;
        case H5I_DATATYPE: H5Tclose(id); break;
        case H5I_DATASPACE: H5Sclose(id); break;
        case H5I_ATTR: H5Aclose(id); break;
        case H5I_GENPROP_LST: H5Pclose(id); break;
        default: H5Idec_ref(id); break;
    }
}

void quiet() noexcept {
    static const bool isExitOff = H5dont_atexit() >= 0;  // counts only before the library's first use
    (void)isExitOff;
    thread_local const bool isDone = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
    (void)isDone;
}

Error lastError(ErrorCode code, std::string what, std::string where) {
    Messages messages;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, collectMessage, &messages);
    H5Eclear2(H5E_DEFAULT);
    Error error{code, std::move(what), std::move(where), {}, messages.inner};
    // A failed system call comes as a line full of buffer addresses; only the system's own words are for the user.
    constexpr std::string_view kSystemText = "error message = '";
    auto shown = messages.inner.empty() ? messages.outer : messages.inner;
    if (const auto found = shown.find(kSystemText); found != std::string::npos) {
        const auto start = found + kSystemText.size();
        shown = shown.substr(start, shown.find('\'', start) - start);
    }
    if (!shown.empty()) error.what += " (HDF5: " + shown + ")";
    if (shown == "No space left on device" || shown == "File too large" || shown == "Disk quota exceeded") {
        error.code = ErrorCode::Io;
        error.remedy = "Free some space on that disk and try again";
    }
    return error;
}

Result<Handle> own(hid_t id, const std::string& what, const std::string& where) {
    if (id < 0) return fail(lastError(ErrorCode::Corrupt, what, where));
    return Handle(id);
}

Result<void> check(herr_t status, const std::string& what, const std::string& where) {
    if (status < 0) return fail(lastError(ErrorCode::Io, what, where));
    return {};
}

Result<Handle> openFile(const std::filesystem::path& path, OpenMode mode) {
    quiet();
    std::error_code code;
    if (!std::filesystem::exists(path, code)) return fail(ErrorCode::NotFound, "is not there", path.string());
    ESPALIER_TRY(auto list, accessList(mode == OpenMode::Read));
    if (mode == OpenMode::ReadWrite)
        return own(H5Fopen(path.c_str(), H5F_ACC_RDWR, list.get()), "cannot be opened for writing", path.string());
    const hid_t plain = H5Fopen(path.c_str(), H5F_ACC_RDONLY, list.get());
    if (plain >= 0) return Handle(plain);
    return own(H5Fopen(path.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, list.get()), "cannot be opened",
               path.string());
}

Result<Handle> createFile(const std::filesystem::path& path) {
    quiet();
    ESPALIER_TRY(auto list, accessList(false));
    auto file = own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, list.get()), "cannot be created",
                    path.string());
    if (!file) file.error().code = ErrorCode::Io;
    return file;
}

bool exists(hid_t location, const std::string& name) {
    quiet();
    return H5Lexists(location, name.c_str(), H5P_DEFAULT) > 0;
}

int descriptor(hid_t file) {
    quiet();
    void* handle = nullptr;
    if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0 || !handle) return -1;
    return *static_cast<int*>(handle);
}

Result<Handle> createDataset(hid_t location, const std::string& name, hid_t type, const DatasetOptions& options) {
    quiet();
    const bool isFixed = options.isFixedSize && options.rows > 0;
    const hsize_t maximum = isFixed ? options.rows : H5S_UNLIMITED;
    ESPALIER_TRY(auto space, own(H5Screate_simple(1, &options.rows, &maximum), "no data space", name));
    ESPALIER_TRY(auto creation, own(H5Pcreate(H5P_DATASET_CREATE), "no property list", name));
    hsize_t chunk = std::max<hsize_t>(options.chunkRows, 1);
    if (isFixed) chunk = std::min(chunk, options.rows);
    ESPALIER_CHECK_OK(check(H5Pset_chunk(creation.get(), 1, &chunk), "chunk size refused", name));
    if (options.isCompressed) {
        H5Pset_shuffle(creation.get());
        H5Pset_deflate(creation.get(), options.deflateLevel);
    }
    H5Pset_fletcher32(creation.get());
    ESPALIER_TRY(auto access, own(H5Pcreate(H5P_DATASET_ACCESS), "no property list", name));
    H5Pset_chunk_cache(access.get(), 521, options.cacheBytes, 1.0);
    ESPALIER_TRY(auto links, own(H5Pcreate(H5P_LINK_CREATE), "no property list", name));
    H5Pset_create_intermediate_group(links.get(), 1);
    return own(H5Dcreate2(location, name.c_str(), type, space.get(), links.get(), creation.get(), access.get()),
               "data set cannot be created", name);
}

Result<Handle> openDataset(hid_t location, const std::string& name) {
    quiet();
    return own(H5Dopen2(location, name.c_str(), H5P_DEFAULT), "data set cannot be opened", name);
}

Result<hsize_t> rowCount(hid_t dataset) {
    quiet();
    ESPALIER_TRY(auto space, own(H5Dget_space(dataset), "no data space", "HDF5"));
    hsize_t rows = 0;
    if (H5Sget_simple_extent_ndims(space.get()) != 1 || H5Sget_simple_extent_dims(space.get(), &rows, nullptr) != 1)
        return fail(ErrorCode::Corrupt, "a data set has not one dimension", "run.h5");
    return rows;
}

Result<void> setRows(hid_t dataset, hsize_t rows) {
    quiet();
    return check(H5Dset_extent(dataset, &rows), "data set cannot grow", "run.h5");
}

namespace {
template <class Call>
Result<void> withSlab(hid_t dataset, hsize_t first, hsize_t count, const char* what, Call&& call) {
    ESPALIER_TRY(auto space, own(H5Dget_space(dataset), "no data space", "run.h5"));
    ESPALIER_TRY(auto memory, own(H5Screate_simple(1, &count, nullptr), "no data space", "run.h5"));
    ESPALIER_CHECK_OK(check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &first, nullptr, &count, nullptr),
                            what, "run.h5"));
    return check(call(memory.get(), space.get()), what, "run.h5");
}
}  // namespace

Result<void> writeRows(hid_t dataset, hid_t memoryType, hsize_t first, hsize_t count, const void* data) {
    quiet();
    if (count == 0) return {};
    return withSlab(dataset, first, count, "rows cannot be written", [&](hid_t memory, hid_t space) {
        return H5Dwrite(dataset, memoryType, memory, space, H5P_DEFAULT, data);
    });
}

Result<void> flush(hid_t dataset) {
    quiet();
    return check(H5Dflush(dataset), "rows cannot be written", "run.h5");
}

Result<void> writeChunk(hid_t dataset, hsize_t first, std::string_view stored) {
    quiet();
    return check(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &first, stored.size(), stored.data()), "rows cannot be written", "run.h5");
}

Result<void> readRows(hid_t dataset, hid_t memoryType, hsize_t first, hsize_t count, void* data) {
    quiet();
    const std::size_t rowBytes = std::max<std::size_t>(H5Tget_size(memoryType), 1);
    const hsize_t slice = std::max<hsize_t>(1, (1u << 20) / rowBytes);
    auto* out = static_cast<char*>(data);
    for (hsize_t done = 0; done < count; done += slice) {
        const hsize_t rows = std::min(slice, count - done);
        auto piece = withSlab(dataset, first + done, rows, "rows cannot be read", [&](hid_t memory, hid_t space) {
            return H5Dread(dataset, memoryType, memory, space, H5P_DEFAULT, out + done * rowBytes);
        });
        if (!piece) {
            piece.error().code = ErrorCode::Corrupt;
            return piece;
        }
    }
    return {};
}

Handle fixedText(std::size_t width) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, std::max<std::size_t>(width, 1));
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return Handle(type);
}

Handle halfType() {
    const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, 15, 10, 5, 0, 10);
    H5Tset_precision(type, 16);
    H5Tset_ebias(type, 15);
    H5Tset_size(type, 2);
    return Handle(type);
}

Result<void> writeAttribute(hid_t location, const std::string& name, std::int64_t value) {
    quiet();
    ESPALIER_TRY(auto space, own(H5Screate(H5S_SCALAR), "no data space", name));
    ESPALIER_TRY(auto attribute, own(H5Acreate2(location, name.c_str(), H5T_STD_I64LE, space.get(), H5P_DEFAULT,
                                                H5P_DEFAULT), "attribute cannot be created", name));
    return check(H5Awrite(attribute.get(), H5T_NATIVE_INT64, &value), "attribute cannot be written", name);
}

Result<void> writeAttribute(hid_t location, const std::string& name, const std::string& value) {
    quiet();
    const auto type = fixedText(value.size());
    ESPALIER_TRY(auto space, own(H5Screate(H5S_SCALAR), "no data space", name));
    ESPALIER_TRY(auto attribute, own(H5Acreate2(location, name.c_str(), type.get(), space.get(), H5P_DEFAULT,
                                                H5P_DEFAULT), "attribute cannot be created", name));
    return check(H5Awrite(attribute.get(), type.get(), value.data()), "attribute cannot be written", name);
}

Result<std::int64_t> integerAttribute(hid_t location, const std::string& name) {
    quiet();
    ESPALIER_TRY(auto attribute, own(H5Aopen(location, name.c_str(), H5P_DEFAULT), "attribute is missing", name));
    std::int64_t value = 0;
    ESPALIER_CHECK_OK(check(H5Aread(attribute.get(), H5T_NATIVE_INT64, &value), "attribute cannot be read", name));
    return value;
}

Result<std::string> textAttribute(hid_t location, const std::string& name) {
    quiet();
    ESPALIER_TRY(auto attribute, own(H5Aopen(location, name.c_str(), H5P_DEFAULT), "attribute is missing", name));
    ESPALIER_TRY(auto type, own(H5Aget_type(attribute.get()), "attribute has no type", name));
    const std::size_t size = H5Tget_size(type.get());
    if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) > 0 || size > 4096)
        return fail(ErrorCode::Corrupt, "attribute is not a short text", name);
    std::string value(size, '\0');
    ESPALIER_CHECK_OK(check(H5Aread(attribute.get(), type.get(), value.data()), "attribute cannot be read", name));
    value.resize(std::strlen(value.c_str()));
    return value;
}

}  // namespace espalier::runlog::h5
