#include "engine/runlog/migration.h"

#include <array>

#include "engine/base/files.h"
#include "engine/runlog/compact_layout.h"
#include "engine/runlog/compact_series.h"
#include "engine/runlog/recovery.h"
#include "engine/runlog/run_file.h"

namespace espalier::runlog {
namespace fs = std::filesystem;
namespace {

/// Distance of a series' steps, 0 when it is not the same throughout.
Result<std::int64_t> strideOf(DatasetCache& file, const SeriesRow& row) {
    constexpr std::uint64_t kBlock = 1u << 20;
    const auto start = static_cast<std::uint64_t>(row.offset), count = static_cast<std::uint64_t>(row.count);
    if (count < 2) return static_cast<std::int64_t>(count);
    std::vector<std::int64_t> steps;
    std::int64_t stride = 0;
    // Blocks overlap by one step, so that the distance across their border counts too.
    for (std::uint64_t first = 0; first + 1 < count; first += kBlock - 1) {
        const Range rows{start + first, start + std::min(count, first + kBlock)};
        ESPALIER_CHECK_OK(file.read(compact::kSteps, {&rows, 1}, steps));
        if (first == 0 && (__builtin_sub_overflow(steps[1], steps[0], &stride) || stride <= 0)) return 0;
        for (std::size_t i = 1; i < steps.size(); ++i)
            if (std::int64_t gap = 0; __builtin_sub_overflow(steps[i], steps[i - 1], &gap) || gap != stride) return 0;
    }
    return stride;
}

Result<void> addStride(hid_t file) {
    ESPALIER_TRY(auto rows, readTable<SeriesRow>(file, compact::kSeries));
    {
        DatasetCache columns(file);
        for (auto& row : rows) {
            ESPALIER_TRY(row.stride, strideOf(columns, row));
        }
    }
    h5::quiet();
    ESPALIER_CHECK_OK(h5::check(H5Ldelete(file, compact::kSeries, H5P_DEFAULT), "the old table cannot be removed", kRunFileName));
    return writeTable(file, compact::kSeries, rows, {});
}

/// kSteps[n − 1] makes format n + 1 of format n.
using Step = Result<void> (*)(hid_t file);
constexpr std::array<Step, 1> kSteps{addStride};
static_assert(kSteps.size() + 1 == kRunFileVersion);

Result<void> rewrite(const fs::path& copy, std::int64_t from) {
    ESPALIER_TRY(auto file, h5::openFile(copy, h5::OpenMode::ReadWrite));
    for (auto version = from; version < kRunFileVersion; ++version)
        ESPALIER_CHECK_OK(kSteps[static_cast<std::size_t>(version - 1)](file.get()));
    ESPALIER_CHECK_OK(h5::check(H5Adelete(file.get(), kVersionAttribute), "the old version cannot be removed", kRunFileName));
    ESPALIER_CHECK_OK(h5::writeAttribute(file.get(), kVersionAttribute, kRunFileVersion));
    return h5::check(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "could not be written", copy.string());
}

}  // namespace

fs::path backupPath(const fs::path& folder, std::int64_t version) {
    return folder / ("run.format-" + std::to_string(version) + ".h5");
}

Result<void> backUpOlderFormat(const fs::path& folder) {
    const auto run = RunFile::open(folder / kRunFileName);
    if (!run && run.error().code == ErrorCode::Unsupported) return fail(run.error());
    if (!run || run->version() >= kRunFileVersion) return {};
    const auto backup = backupPath(folder, run->version());
    std::error_code code;
    if (fs::exists(backup, code)) return {};
    fs::create_hard_link(folder / kRunFileName, backup, code);
    if (code) fs::copy_file(folder / kRunFileName, backup, code);
    if (code) return fail(ioError("the log of the older format cannot be kept", backup, code.value()));
    return syncPath(folder);
}

Result<void> migrateRunFile(const fs::path& folder) {
    std::int64_t version = 0;
    {
        ESPALIER_TRY(const auto run, RunFile::open(folder / kRunFileName));
        version = run.version();
        if (version >= kRunFileVersion || version < 1 || !run.isCompacted()) return {};
    }
    ESPALIER_CHECK_OK(backUpOlderFormat(folder));
    const auto copy = folder / kMigrateName;
    std::error_code code;
    fs::copy_file(folder / kRunFileName, copy, fs::copy_options::overwrite_existing, code);
    if (code) return fail(ioError("cannot be copied", copy, code.value()));
    auto migrated = rewrite(copy, version);
    if (migrated) migrated = publishFile(copy, folder / kRunFileName);
    if (!migrated) fs::remove(copy, code);
    return migrated;
}

}  // namespace espalier::runlog
