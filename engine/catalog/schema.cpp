#include "engine/catalog/schema.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "engine/base/files.h"

namespace espalier::catalog {
namespace {

// One script a version; a released one is never edited, the next change is a new entry.
constexpr std::array kMigrations = {
    R"sql(
CREATE TABLE runs(
    num INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    recipe TEXT NOT NULL,
    state TEXT NOT NULL,
    state_detail TEXT NOT NULL DEFAULT '',
    dataset_id TEXT NOT NULL DEFAULT '',
    dataset_name TEXT NOT NULL DEFAULT '',
    dataset_hash TEXT NOT NULL DEFAULT '',
    parent_run TEXT NOT NULL DEFAULT '',
    device TEXT NOT NULL DEFAULT '',
    threads INTEGER NOT NULL DEFAULT 0,
    seed INTEGER NOT NULL DEFAULT 0,
    scale TEXT NOT NULL DEFAULT '',
    params TEXT NOT NULL DEFAULT '{}',
    changed_params TEXT NOT NULL DEFAULT '{}',
    note TEXT NOT NULL DEFAULT '',
    color INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL DEFAULT 0,
    started REAL NOT NULL DEFAULT 0,
    ended REAL NOT NULL DEFAULT 0,
    active REAL NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    params_count INTEGER NOT NULL DEFAULT 0,
    macs INTEGER NOT NULL DEFAULT 0,
    is_trashed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_name ON runs(name);
CREATE INDEX runs_created ON runs(created, id);
CREATE INDEX runs_parent ON runs(parent_run) WHERE parent_run <> '';
CREATE INDEX runs_live ON runs(state) WHERE state IN ('queued', 'preparing', 'running', 'paused', 'stopping');
CREATE TABLE run_params(
    run INTEGER NOT NULL REFERENCES runs(num) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    number REAL,
    PRIMARY KEY(run, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_params_key ON run_params(key);
CREATE TABLE summaries(
    run INTEGER NOT NULL REFERENCES runs(num) ON DELETE CASCADE,
    series TEXT NOT NULL,
    last REAL,
    best REAL,
    best_step INTEGER NOT NULL,
    last_step INTEGER NOT NULL,
    PRIMARY KEY(run, series)
) STRICT, WITHOUT ROWID;
CREATE INDEX summaries_best ON summaries(series, best);
CREATE TABLE tags(
    run INTEGER NOT NULL REFERENCES runs(num) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY(run, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_tag ON tags(tag, run);
CREATE TABLE checkpoints(
    run INTEGER NOT NULL REFERENCES runs(num) ON DELETE CASCADE,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    written REAL NOT NULL,
    PRIMARY KEY(run, name)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE run_text USING fts5(name, note, tags, params, tokenize = 'unicode61');
CREATE TABLE datasets(
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    samples INTEGER NOT NULL,
    hash TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    imported TEXT NOT NULL,
    summary TEXT NOT NULL,
    is_trashed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX datasets_name ON datasets(name);
CREATE TABLE edits(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,
    changes TEXT NOT NULL,
    is_undone INTEGER NOT NULL DEFAULT 0
) STRICT;
)sql",
    // 2: what a list walks becomes narrow (runs), parameters and series are stored key by key, so that a filter or sort
    // reads one short range; trade-off points join the index.
    R"sql(
DROP INDEX runs_name;
DROP INDEX runs_created;
CREATE TABLE run_details(
    run INTEGER PRIMARY KEY REFERENCES runs(num) ON DELETE CASCADE,
    params TEXT NOT NULL,
    changed_params TEXT NOT NULL
) STRICT;
INSERT INTO run_details SELECT num, params, changed_params FROM runs ORDER BY num;
ALTER TABLE runs DROP COLUMN params;
ALTER TABLE runs DROP COLUMN changed_params;
CREATE INDEX runs_name ON runs(name);
CREATE INDEX runs_list ON runs(is_trashed, created, id);
CREATE TABLE param_keys(num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO param_keys(name) SELECT DISTINCT key FROM run_params ORDER BY key;
CREATE TABLE param_values(
    key INTEGER NOT NULL,
    run INTEGER NOT NULL,
    value TEXT NOT NULL,
    sortable NUMERIC GENERATED ALWAYS AS (value) STORED,
    PRIMARY KEY(key, run)
) WITHOUT ROWID;
INSERT INTO param_values(key, run, value)
    SELECT k.num, p.run, p.value FROM run_params p JOIN param_keys k ON k.name = p.key ORDER BY k.num, p.run;
DROP TABLE run_params;
CREATE TABLE series_names(num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO series_names(name) SELECT DISTINCT series FROM summaries ORDER BY series;
CREATE TABLE series_values(
    series INTEGER NOT NULL,
    run INTEGER NOT NULL REFERENCES runs(num) ON DELETE CASCADE,
    best REAL,
    last REAL,
    best_step INTEGER NOT NULL,
    last_step INTEGER NOT NULL,
    PRIMARY KEY(series, run)
) STRICT, WITHOUT ROWID;
INSERT INTO series_values SELECT n.num, s.run, s.best, s.last, s.best_step, s.last_step
    FROM summaries s JOIN series_names n ON n.name = s.series ORDER BY n.num, s.run;
DROP TABLE summaries;
CREATE INDEX series_values_run ON series_values(run);
CREATE TABLE tradeoff_points(
    run INTEGER NOT NULL REFERENCES runs(num) ON DELETE CASCADE,
    point INTEGER NOT NULL,
    label TEXT NOT NULL,
    stage TEXT NOT NULL,
    method TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    avg_w_bits REAL,
    avg_a_bits REAL,
    loss REAL,
    metric REAL,
    is_on_front INTEGER NOT NULL,
    PRIMARY KEY(run, point)
) STRICT, WITHOUT ROWID;
)sql",
};

constexpr std::int64_t kApplicationId = 0x45535043;  // "ESPC"

Error newerFormat(std::int64_t version, const std::filesystem::path& file) {
    return {ErrorCode::Unsupported,
            "the catalog has format " + std::to_string(version) + ", this program knows formats up to " +
                std::to_string(schemaVersion()),
            file.string(), "Open this workspace with a newer Espalier", {}};
}

Result<void> runMigrations(Database& database, std::int64_t from) {
    for (auto next = from; next < schemaVersion(); ++next)
        ESPALIER_CHECK_OK(database.execute(kMigrations[static_cast<std::size_t>(next)]));
    const std::string stamp = "PRAGMA user_version = " + std::to_string(schemaVersion()) +
                              "; PRAGMA application_id = " + std::to_string(kApplicationId);
    return database.execute(stamp.c_str());
}

Result<std::string> schemaText(Database& database) {
    ESPALIER_TRY(auto rows, database.prepare("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE name "
                                             "NOT LIKE 'sqlite_stat%' ORDER BY type, name"));
    std::string text;
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return text;
        text += rows.text(0) + '\n';
    }
}

/// A file with our version but other tables (damaged, planted, or of a development build) is not read.
Result<void> compareWithOwnSchema(Database& database) {
    static const auto expected = []() -> Result<std::string> {
        ESPALIER_TRY(auto own, Database::inMemory());
        ESPALIER_CHECK_OK(runMigrations(*own, 0));
        return schemaText(*own);
    }();
    if (!expected) return fail(expected.error());
    ESPALIER_TRY(const auto found, schemaText(database));
    if (found == *expected) return {};
    return fail(ErrorCode::Corrupt, "the catalog holds other tables than its format says", database.file().string(),
                "Run 'espalier-cli workspace rebuild'");
}

/// The catalog as it was, beside it: "catalog.format-1.sqlite". An older backup of that format is replaced.
Result<void> backUp(const std::filesystem::path& file, std::int64_t version) {
    ESPALIER_TRY(auto source, Database::open(file, Access::Read));
    const auto backup = backupFile(file, version);
    const auto partial = std::filesystem::path(backup.string() + ".part");
    std::error_code trouble;
    std::filesystem::remove(partial, trouble);
    ESPALIER_CHECK_OK(source->copyTo(partial));
    if (::rename(partial.c_str(), backup.c_str()) != 0) return fail(ioError("could not be put in place", backup, errno));
    return {};
}

}  // namespace

int schemaVersion() noexcept { return static_cast<int>(kMigrations.size()); }

std::filesystem::path backupFile(const std::filesystem::path& file, std::int64_t version) {
    return file.parent_path() / (file.stem().string() + ".format-" + std::to_string(version) + file.extension().string());
}

Result<void> clearRunText(Database& database) {
    // The text of the migration, letter for letter: compareWithOwnSchema looks at it.
    return database.execute("DROP TABLE run_text; "
                            "CREATE VIRTUAL TABLE run_text USING fts5(name, note, tags, params, tokenize = 'unicode61');");
}

Result<void> checkFormat(const std::filesystem::path& file) {
    constexpr std::streamoff kUserVersionAt = 60;  // in the header of every SQLite file, big-endian
    std::ifstream stream(file, std::ios::binary);
    unsigned char bytes[4] = {};
    if (!stream.seekg(kUserVersionAt) || !stream.read(reinterpret_cast<char*>(bytes), sizeof bytes)) return {};
    const auto version = std::int64_t(bytes[0]) << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
    // A file that is not SQLite's has anything there; quick_check finds that out.
    char magic[16] = {};
    stream.seekg(0).read(magic, sizeof magic);
    if (std::string_view(magic, 15) != "SQLite format 3") return {};
    if (version > schemaVersion()) return fail(newerFormat(version, file));
    return {};
}

Result<bool> prepareSchema(Database& database) {
    ESPALIER_TRY(const auto before, database.integer("PRAGMA user_version"));
    bool isMigrated = false;
    if (before != schemaVersion()) {
        // Looked at again under the write lock: another process may have migrated in between.
        ESPALIER_TRY(auto transaction, Transaction::begin(database));
        ESPALIER_TRY(const auto version, database.integer("PRAGMA user_version"));
        if (version > schemaVersion() || version < 0) return fail(newerFormat(version, database.file()));
        if (version < schemaVersion()) {
            if (version > 0) ESPALIER_CHECK_OK(backUp(database.file(), version));
            ESPALIER_CHECK_OK(runMigrations(database, version));
            ESPALIER_CHECK_OK(transaction.commit());
            isMigrated = version > 0;
        }
    }
    ESPALIER_CHECK_OK(compareWithOwnSchema(database));
    return isMigrated;
}

}  // namespace espalier::catalog
