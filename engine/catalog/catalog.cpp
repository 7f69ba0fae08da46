#include "engine/catalog/catalog.h"

#include <condition_variable>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/catalog/run_diff.h"
#include "engine/catalog/schema.h"

namespace espalier::catalog {
namespace fs = std::filesystem;
namespace {

Error damaged(const fs::path& file, std::string finding) {
    return {ErrorCode::Corrupt, "the catalog is damaged", file.string(), "Run 'espalier-cli workspace rebuild'", std::move(finding)};
}

/// Left by a background check that found damage; the next opening then looks at once.
fs::path damageMark(const fs::path& file) { return file.string() + ".damaged"; }

/// The last program that had it open died: SQLite removes the log on a proper close. (Or another one has it open now.)
bool hasLeftLog(const fs::path& file) {
    std::error_code trouble;
    const auto bytes = fs::file_size(file.string() + "-wal", trouble);
    return !trouble && bytes > 0;
}

constexpr const char* kDatasetColumns =
    "SELECT id, name, kind, format, hash, imported, summary, samples, bytes, is_trashed FROM datasets ";

DatasetRow datasetFrom(const Statement& row) {
    return {row.text(0), row.text(1), row.text(2),    row.text(3),    row.text(4),
            row.text(5), row.text(6), row.integer(7), row.integer(8), row.integer(9) != 0};
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::open(const fs::path& file, const OpenOptions& options) {
    ESPALIER_CHECK_OK(checkFormat(file));
    std::error_code trouble;
    const auto bytes = fs::file_size(file, trouble);
    const bool isAtOnce = options.check == HealthCheck::AtOnce || (!trouble && bytes <= options.smallBytes) || hasLeftLog(file) ||
                          fs::exists(damageMark(file), trouble);
    const auto access = options.isReadOnly ? Access::Read : options.isOnNetwork ? Access::WriteWithoutWal : Access::Write;
    std::unique_ptr<Catalog> catalog(new Catalog);
    ESPALIER_TRY(auto first, Database::open(file, access));
    if (isAtOnce) {
        ESPALIER_TRY(auto finding, first->findDamage(false));
        if (!finding.empty()) return fail(damaged(file, std::move(finding)));
        if (!options.isReadOnly) fs::remove(damageMark(file), trouble);
    }
    if (options.isReadOnly) {
        ESPALIER_TRY(const auto version, first->integer("PRAGMA user_version"));
        if (version != schemaVersion())
            return fail(ErrorCode::Unsupported, "the catalog has the older format " + std::to_string(version), file.string());
        catalog->m_reader = std::move(first);
        return catalog;
    }
    catalog->m_writer = std::move(first);
    ESPALIER_TRY(catalog->m_wasMigrated, prepareSchema(*catalog->m_writer));
    ESPALIER_TRY(catalog->m_reader, Database::open(file, access));
    if (!isAtOnce) catalog->checkInBackground(file, options.backgroundAfter);
    return catalog;
}

Catalog::~Catalog() = default;

void Catalog::checkInBackground(const fs::path& file, std::chrono::milliseconds after) {
    m_check = std::jthread([file, after](std::stop_token stop) {
        {
            std::mutex mutex;
            std::unique_lock lock(mutex);
            std::condition_variable_any().wait_for(lock, stop, after, [] { return false; });
        }
        if (stop.stop_requested()) return;
        auto database = Database::open(file, Access::Read);
        if (!database) return;
        // SQLite looks at its progress handler between statements' steps, and at interrupts inside a check too.
        std::stop_callback ending(stop, [&] { (*database)->interrupt(); });
        const auto finding = (*database)->findDamage(false, [&] { return stop.stop_requested(); });
        if (stop.stop_requested() || (finding && finding->empty())) return;
        if (!finding && finding.error().code != ErrorCode::Corrupt) return;
        ESPALIER_LOG(Warning, "catalog") << file.string() << ": the catalog is damaged; it is made again from the run folders when the "
                                         << "workspace is opened next (or run 'espalier-cli workspace rebuild' now)";
        (void)writeFileAtomically(damageMark(file), finding ? *finding : finding.error().detail);
    });
}

/// One read transaction around several statements.
template <class Read>
auto Catalog::snapshot(Read&& read) const -> decltype(read(std::declval<Database&>())) {
    std::lock_guard lock(m_readMutex);
    ESPALIER_CHECK_OK(m_reader->execute("BEGIN"));
    auto result = read(*m_reader);
    (void)m_reader->execute("COMMIT");
    return result;
}

Result<std::vector<feed::RunInfo>> Catalog::runs(const RunQuery& query, std::int64_t* total) const {
    return snapshot([&](Database& database) { return selectRuns(database, query, total); });
}

Result<std::vector<std::string>> Catalog::runIds(const RunQuery& query) const {
    return snapshot([&](Database& database) { return selectRunIds(database, query); });
}

Result<std::optional<feed::RunInfo>> Catalog::run(std::string_view id) const {
    return snapshot([&](Database& database) { return selectRun(database, id); });
}

Result<feed::RunDiff> Catalog::diff(const std::vector<std::string>& runIds) const {
    return snapshot([&](Database& database) { return diffRuns(database, runIds); });
}

Result<std::string> Catalog::findDamage() const {
    // A connection of its own: lists do not wait for it.
    ESPALIER_TRY(auto database, Database::open(m_reader->file(), Access::Read));
    return database->findDamage(true);
}

Result<bool> Catalog::isSearchSound() {
    if (m_writer) {
        const auto checked = write([](CatalogWriter& writer) { return writer.checkSearch(); });
        if (!checked && checked.error().code == ErrorCode::Corrupt) return false;
        ESPALIER_CHECK_OK(checked);
    }
    return snapshot([](Database& database) -> Result<bool> {
        ESPALIER_TRY(const auto missing, database.integer("SELECT COUNT(*) FROM runs WHERE num NOT IN (SELECT rowid FROM run_text)"));
        return missing == 0;
    });
}

Result<std::vector<feed::RunInfo>> Catalog::runsNamed(std::string_view text, int limit) const {
    RunQuery query;
    // A range of ids, so that both halves have an index. No id has a byte above 127.
    query.where = "r.name = ? OR (r.id >= ? AND r.id < ?)";
    query.values = {std::string(text), std::string(text), std::string(text) + '\x7f'};
    query.order = "r.is_trashed, r.created DESC, r.id DESC LIMIT ?";
    query.orderValues = {std::int64_t(limit)};
    return runs(query);
}

Result<std::vector<Catalog::Handle>> Catalog::runHandles() const {
    std::lock_guard lock(m_readMutex);
    ESPALIER_TRY(auto rows, m_reader->prepare("SELECT id, name, is_trashed FROM runs ORDER BY created DESC, id DESC"));
    std::vector<Handle> handles;
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return handles;
        handles.push_back({rows.text(0), rows.text(1), rows.integer(2) != 0});
    }
}

Result<std::vector<CheckpointRow>> Catalog::checkpoints(std::string_view runId) const {
    std::lock_guard lock(m_readMutex);
    ESPALIER_TRY(auto rows, m_reader->prepare("SELECT c.name, c.bytes, c.written FROM checkpoints c JOIN runs r ON "
                                              "r.num = c.run WHERE r.id = ? ORDER BY c.written, c.name"));
    rows.bind(runId);
    std::vector<CheckpointRow> found;
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return found;
        found.push_back({rows.text(0), rows.integer(1), rows.real(2)});
    }
}

Result<std::vector<TradeoffRow>> Catalog::tradeoff(std::string_view runId) const {
    std::lock_guard lock(m_readMutex);
    ESPALIER_TRY(auto rows, m_reader->prepare("SELECT t.point, t.bytes, t.label, t.stage, t.method, t.avg_w_bits, t.avg_a_bits, "
                                              "t.loss, t.metric, t.is_on_front FROM tradeoff_points t JOIN runs r ON r.num = t.run "
                                              "WHERE r.id = ? ORDER BY t.point"));
    rows.bind(runId);
    std::vector<TradeoffRow> found;
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return found;
        found.push_back({rows.integer(0), rows.integer(1), rows.text(2), rows.text(3), rows.text(4), rows.real(5), rows.real(6),
                         rows.real(7), rows.real(8), rows.integer(9) != 0});
    }
}

Result<std::vector<std::string>> Catalog::children(std::string_view runId) const {
    RunQuery query;
    query.where = "r.parent_run = ? AND r.parent_run <> ''";
    query.values.emplace_back(std::string(runId));
    return runIds(query);
}

Result<bool> Catalog::hasRuns() const {
    std::lock_guard lock(m_readMutex);
    ESPALIER_TRY(const auto any, m_reader->integer("SELECT EXISTS(SELECT 1 FROM runs)"));
    return any != 0;
}

Result<std::vector<std::string>> Catalog::paramKeys() const {
    std::lock_guard lock(m_readMutex);
    ESPALIER_TRY(auto rows, m_reader->prepare(
                                "SELECT name FROM param_keys ORDER BY name"));
    std::vector<std::string> keys;
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return keys;
        keys.push_back(rows.text(0));
    }
}

Result<std::vector<DatasetRow>> Catalog::datasets(bool withTrashed) const {
    std::lock_guard lock(m_readMutex);
    ESPALIER_TRY(auto rows, m_reader->prepare(std::string(kDatasetColumns) +
                                              "WHERE is_trashed = 0 OR ? ORDER BY imported DESC, id DESC"));
    rows.bind(withTrashed);
    std::vector<DatasetRow> found;
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return found;
        found.push_back(datasetFrom(rows));
    }
}

static Result<std::optional<DatasetRow>> selectDataset(Database& database, std::string_view id) {
    ESPALIER_TRY(auto rows, database.prepare(std::string(kDatasetColumns) + "WHERE id = ?"));
    rows.bind(id);
    ESPALIER_TRY(const bool hasRow, rows.step());
    if (!hasRow) return std::optional<DatasetRow>();
    return std::optional(datasetFrom(rows));
}

Result<std::optional<DatasetRow>> Catalog::dataset(std::string_view id) const {
    std::lock_guard lock(m_readMutex);
    return selectDataset(*m_reader, id);
}

Result<std::optional<DatasetRow>> CatalogWriter::dataset(std::string_view id) { return selectDataset(m_database, id); }

Result<void> Catalog::write(const std::function<Result<void>(CatalogWriter&)>& change) {
    std::lock_guard lock(m_writeMutex);
    if (!m_writer)
        return fail(ErrorCode::Io, "the workspace is open for reading only, so nothing can be changed",
                    m_reader->file().parent_path().string(), "Make room or the folder writable, then open it again");
    if (m_writer->hasMoved())
        return fail(ErrorCode::Io, "the workspace was deleted or moved away while it was open, so nothing is stored",
                    m_writer->file().parent_path().string(), "Put the folder back or open another workspace");
    ESPALIER_TRY(auto transaction, Transaction::begin(*m_writer));
    CatalogWriter writer(*m_writer);
    ESPALIER_CHECK_OK(change(writer));
    return transaction.commit();
}

std::int64_t Catalog::changeCounter() const {
    std::lock_guard lock(m_readMutex);
    // data_version changes for commits of other connections; our own writer is one.
    return m_reader->integer("PRAGMA data_version").value_or(0);
}

}  // namespace espalier::catalog
