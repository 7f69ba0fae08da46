#include <cerrno>
#include <cstdlib>

#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/catalog/schema.h"
#include "engine/runtime/workspace_impl.h"

/// How a workspace is opened: for writing, or, when its folder or disk refuses that, for reading.
namespace espalier::runtime {
namespace fs = std::filesystem;
namespace {

constexpr double kOpenWaitSecs = 60;
constexpr const char* kCatalog = "catalog.sqlite";

}  // namespace

Workspace::Impl::PrivateFolder::~PrivateFolder() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
}

void Workspace::Impl::note(std::string sentence) {
    ESPALIER_LOG(Warning, "catalog") << sentence;
    notices.push_back(std::move(sentence));
}

Result<std::unique_ptr<Workspace::Impl>> Workspace::Impl::open(const fs::path& folder, const Options& options) {
    auto impl = std::make_unique<Impl>();
    std::error_code trouble;
    impl->folder = fs::absolute(folder, trouble);
    if (trouble || folder.empty())
        return fail(ErrorCode::BadInput, "the workspace has no usable path", folder.string(), "Name a folder");
    ESPALIER_CHECK_OK(catalog::checkFormat(impl->folder / kCatalog));  // before anything is made here
    const auto type = options.fileSystemType != 0 ? options.fileSystemType : fileSystemType(impl->folder);
    const auto network = networkFileSystemName(type);
    if (!network.empty())
        impl->note("The workspace lies on a " + std::string(network) +
                   " file system: changes are slower there, and only one machine at a time may use it.");
    auto opening = impl->takeOver();
    auto opened = opening ? impl->openCatalog(!network.empty()) : Result<void>(fail(opening.error()));
    if (!opened) {
        // Whatever keeps it from being written: what is there can still be read.
        const bool isFull = opened.error().code == ErrorCode::Io || opened.error().code == ErrorCode::NotFound;
        if (!isFull || !fs::is_directory(impl->folder / "runs", trouble)) return fail(std::move(opened).error());
        ESPALIER_CHECK_OK(impl->openForReading(opened.error()));
        return impl;
    }
    // A disk that is full by now keeps these from being stored; the next opening does them.
    auto mended = impl->mendTrash();
    if (mended) mended = impl->markInterrupted().map([](int) {});
    if (!mended && mended.error().code != ErrorCode::Io) return fail(std::move(mended).error());
    if (!mended) impl->note("The workspace could not be put in order: " + mended.error().sentence());
    return impl;
}

/// Makes the folders and takes the lock under which one process at a time looks at the catalog's health, so that two do
/// not both move it aside.
Result<FileLock> Workspace::Impl::takeOver() {
    for (const char* inner : {"runs", "datasets", "trash"}) ESPALIER_CHECK_OK(makeFolder(folder / inner));
    if (::access(folder.c_str(), W_OK) != 0) return fail(ioError("the folder is read-only", folder, errno));
    return FileLock::take(folder / ".opening", kOpenWaitSecs);
}

Result<void> Workspace::Impl::openCatalog(bool isOnNetwork) {
    const auto file = folder / kCatalog;
    catalog::OpenOptions options;
    options.isOnNetwork = isOnNetwork;
    const bool isNew = !isThere(file);
    auto opened = catalog::Catalog::open(file, options);
    if (opened) {
        catalog = std::move(*opened);
        if (catalog->wasMigrated())
            note("The catalog was brought to format " + std::to_string(catalog::schemaVersion()) +
                 "; the older one was kept beside it as catalog.format-N.sqlite.");
        return isNew ? refill() : Result<void>();
    }
    if (opened.error().code != ErrorCode::Corrupt) return fail(std::move(opened).error());
    const auto aside = folder / ("catalog.damaged-" + makeId() + ".sqlite");
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
        std::error_code trouble;
        const fs::path from = file.string() + suffix;
        if (!fs::exists(fs::symlink_status(from, trouble))) continue;
        fs::rename(from, aside.string() + suffix, trouble);
        if (trouble) return fail(ioError("the damaged catalog could not be moved aside", from, trouble.value()));
    }
    std::error_code ignored;
    fs::remove(file.string() + ".damaged", ignored);
    ESPALIER_TRY(catalog, catalog::Catalog::open(file, options));
    ESPALIER_CHECK_OK(refill());
    note("The catalog was damaged; it was kept as " + aside.filename().string() +
         " and made again from the run and data set folders.");
    return {};
}

Result<void> Workspace::Impl::openForReading(const Error& reason) {
    catalog::OpenOptions options;
    options.isReadOnly = true;
    auto opened = catalog::Catalog::open(folder / kCatalog, options);
    if (!opened) {
        // No room for the log's shared memory, an older format, damage, or no catalog at all.
        ESPALIER_CHECK_OK(copyCatalog());
        opened = catalog::Catalog::open(m_private.path / kCatalog, options);
    }
    if (!opened) return fail(std::move(opened).error());
    catalog = std::move(*opened);
    note("The workspace is open for reading only, nothing is stored: " + reason.sentence());
    return {};
}

/// A catalog in a temporary folder: a copy of the one that is there, or made from the folders.
Result<void> Workspace::Impl::copyCatalog() {
    std::error_code trouble;
    auto pattern = (fs::temp_directory_path(trouble) / "espalier-reading-XXXXXX").string();
    if (trouble || !::mkdtemp(pattern.data())) return fail(ioError("no temporary folder can be made", pattern, errno));
    m_private.path = pattern;
    const auto file = m_private.path / kCatalog;
    for (const char* suffix : {"", "-wal"}) {
        const fs::path from = (folder / kCatalog).string() + suffix;
        if (isThere(from)) fs::copy_file(from, file.string() + suffix, trouble);
        if (trouble) break;
    }
    auto opened = trouble || !isThere(file) ? Result<std::unique_ptr<catalog::Catalog>>(fail(ErrorCode::Corrupt, "no copy"))
                                            : catalog::Catalog::open(file);
    if (!opened) {
        for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(file.string() + suffix, trouble);
        ESPALIER_TRY(catalog, catalog::Catalog::open(file));
        ESPALIER_CHECK_OK(refill());
    }
    catalog.reset();
    return {};
}

/// Fills a new catalog from whatever folders are there.
Result<void> Workspace::Impl::refill() {
    ESPALIER_TRY(const auto warnings, rebuild());
    for (const auto& warning : warnings) ESPALIER_LOG(Warning, "catalog") << warning.file << ": " << warning.detail;
    return {};
}

}  // namespace espalier::runtime
