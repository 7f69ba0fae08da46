#include "engine/catalog/schema.h"

#include <array>

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
};

}  // namespace

int schemaVersion() noexcept { return static_cast<int>(kMigrations.size()); }

Result<void> prepareSchema(Database& database) {
    ESPALIER_TRY(const auto before, database.integer("PRAGMA user_version"));
    if (before == schemaVersion()) return {};
    // Looked at again under the write lock: another process may have migrated in between.
    ESPALIER_TRY(auto transaction, Transaction::begin(database));
    ESPALIER_TRY(const auto version, database.integer("PRAGMA user_version"));
    if (version > schemaVersion() || version < 0)
        return fail(ErrorCode::Unsupported,
                    "the catalog has format " + std::to_string(version) + ", this program knows formats up to " +
                        std::to_string(schemaVersion()),
                    database.file().string(), "Open this workspace with a newer Espalier");
    for (auto next = version; next < schemaVersion(); ++next)
        ESPALIER_CHECK_OK(database.execute(kMigrations[static_cast<std::size_t>(next)]));
    const std::string stamp = "PRAGMA user_version = " + std::to_string(schemaVersion());
    ESPALIER_CHECK_OK(database.execute(stamp.c_str()));
    return transaction.commit();
}

}  // namespace espalier::catalog
