#include "engine/catalog/catalog.h"

#include "engine/catalog/schema.h"

namespace espalier::catalog {
namespace {

Result<void> quickCheck(Database& database) {
    ESPALIER_TRY(auto check, database.prepare("PRAGMA quick_check(1)"));
    ESPALIER_TRY(const bool hasRow, check.step());
    if (hasRow && check.view(0) == "ok") return {};
    return fail(ErrorCode::Corrupt, "the catalog is damaged", database.file().string(),
                "Run 'espalier-cli workspace rebuild'", hasRow ? check.text(0) : "");
}

constexpr const char* kDatasetColumns =
    "SELECT id, name, kind, format, hash, imported, summary, samples, bytes, is_trashed FROM datasets ";

DatasetRow datasetFrom(const Statement& row) {
    return {row.text(0), row.text(1), row.text(2),    row.text(3),    row.text(4),
            row.text(5), row.text(6), row.integer(7), row.integer(8), row.integer(9) != 0};
}

}  // namespace

Result<std::unique_ptr<Catalog>> Catalog::open(const std::filesystem::path& file) {
    ESPALIER_TRY(auto writer, Database::open(file));
    ESPALIER_CHECK_OK(quickCheck(*writer));
    ESPALIER_CHECK_OK(prepareSchema(*writer));
    ESPALIER_TRY(auto reader, Database::open(file));
    return std::unique_ptr<Catalog>(new Catalog(std::move(reader), std::move(writer)));
}

Result<std::vector<feed::RunInfo>> Catalog::runs(const RunQuery& query) const {
    std::lock_guard lock(m_readMutex);
    return selectRuns(*m_reader, query);
}

Result<std::vector<std::string>> Catalog::runIds(const RunQuery& query) const {
    std::lock_guard lock(m_readMutex);
    return selectRunIds(*m_reader, query);
}

Result<std::optional<feed::RunInfo>> Catalog::run(std::string_view id) const {
    std::lock_guard lock(m_readMutex);
    return selectRun(*m_reader, id);
}

Result<std::vector<feed::RunInfo>> Catalog::runsNamed(std::string_view text, int limit) const {
    RunQuery query;
    query.where = "r.name = ? OR substr(r.id, 1, ?) = ?";
    query.values = {std::string(text), std::int64_t(text.size()), std::string(text)};
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
    // One index seek a distinct key; DISTINCT would walk every row.
    ESPALIER_TRY(auto rows, m_reader->prepare(
                                "WITH RECURSIVE keys(key) AS (SELECT min(key) FROM run_params UNION ALL SELECT (SELECT "
                                "min(p.key) FROM run_params p WHERE p.key > keys.key) FROM keys WHERE key IS NOT NULL) "
                                "SELECT key FROM keys WHERE key IS NOT NULL"));
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

Result<std::optional<Edit>> Catalog::edit(const char* sql) const {
    std::lock_guard lock(m_readMutex);
    ESPALIER_TRY(auto rows, m_reader->prepare(sql));
    ESPALIER_TRY(const bool hasRow, rows.step());
    if (!hasRow) return std::optional<Edit>();
    ESPALIER_TRY(auto changes, changesFromJson(rows.text(2)));
    return std::optional(Edit{rows.integer(0), rows.text(1), std::move(changes)});
}

Result<std::optional<Edit>> Catalog::nextUndo() const {
    return edit("SELECT seq, text, changes FROM edits WHERE is_undone = 0 ORDER BY seq DESC LIMIT 1");
}

Result<std::optional<Edit>> Catalog::nextRedo() const {
    return edit("SELECT seq, text, changes FROM edits WHERE is_undone = 1 ORDER BY seq LIMIT 1");
}

Result<void> Catalog::write(const std::function<Result<void>(CatalogWriter&)>& change) {
    std::lock_guard lock(m_writeMutex);
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
