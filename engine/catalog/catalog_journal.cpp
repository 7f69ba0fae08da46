#include "engine/catalog/catalog.h"

/// The undo journal: at most a hundred edits, those undone last.
namespace espalier::catalog {
namespace {

constexpr int kUndoDepth = 100;
constexpr const char* kNextUndo = "SELECT seq, text, changes, is_undone FROM edits WHERE is_undone = 0 ORDER BY seq DESC LIMIT 1";
constexpr const char* kNextRedo = "SELECT seq, text, changes, is_undone FROM edits WHERE is_undone = 1 ORDER BY seq LIMIT 1";
constexpr const char* kAll = "SELECT seq, text, changes, is_undone FROM edits ORDER BY seq";

Result<std::vector<Edit>> selectEdits(Database& database, const char* sql) {
    std::vector<Edit> edits;
    ESPALIER_TRY(auto rows, database.prepare(sql));
    for (;;) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) return edits;
        ESPALIER_TRY(auto changes, changesFromJson(rows.text(2)));
        edits.push_back({rows.integer(0), rows.text(1), std::move(changes), rows.integer(3) != 0});
    }
}

Result<std::optional<Edit>> selectEdit(Database& database, const char* sql) {
    ESPALIER_TRY(auto edits, selectEdits(database, sql));
    if (edits.empty()) return std::optional<Edit>();
    return std::optional(std::move(edits.front()));
}

}  // namespace

Result<std::optional<Edit>> Catalog::nextUndo() const {
    std::lock_guard lock(m_readMutex);
    return selectEdit(*m_reader, kNextUndo);
}

Result<std::optional<Edit>> Catalog::nextRedo() const {
    std::lock_guard lock(m_readMutex);
    return selectEdit(*m_reader, kNextRedo);
}

Result<std::optional<Edit>> CatalogWriter::nextUndo() { return selectEdit(m_database, kNextUndo); }
Result<std::optional<Edit>> CatalogWriter::nextRedo() { return selectEdit(m_database, kNextRedo); }
Result<std::vector<Edit>> CatalogWriter::edits() { return selectEdits(m_database, kAll); }

Result<void> CatalogWriter::replaceEdits(const std::vector<Edit>& edits) {
    ESPALIER_CHECK_OK(m_database.execute("DELETE FROM edits"));
    ESPALIER_TRY(auto insert, m_database.prepare("INSERT INTO edits(seq, text, changes, is_undone) VALUES(?, ?, ?, ?)"));
    for (const auto& edit : edits) {
        insert.bind(edit.seq).bind(edit.text).bind(changesToJson(edit.changes)).bind(edit.isUndone);
        ESPALIER_CHECK_OK(insert.run());
    }
    return {};
}

Result<void> CatalogWriter::recordEdit(const Edit& edit) {
    ESPALIER_CHECK_OK(m_database.execute("DELETE FROM edits WHERE is_undone = 1"));
    ESPALIER_TRY(auto insert, m_database.prepare("INSERT INTO edits(text, changes) VALUES(?, ?)"));
    insert.bind(edit.text).bind(changesToJson(edit.changes));
    ESPALIER_CHECK_OK(insert.run());
    ESPALIER_TRY(auto trim, m_database.prepare(
                                "DELETE FROM edits WHERE seq NOT IN (SELECT seq FROM edits ORDER BY seq DESC LIMIT ?)"));
    trim.bind(kUndoDepth);
    return trim.run();
}

Result<void> CatalogWriter::markUndone(std::int64_t seq, bool isUndone) {
    ESPALIER_TRY(auto update, m_database.prepare("UPDATE edits SET is_undone = ? WHERE seq = ?"));
    update.bind(isUndone).bind(seq);
    return update.run();
}

Result<void> CatalogWriter::forgetEditsOf(const std::string& kind, const std::string& id) {
    std::vector<Edit> touched;
    {
        ESPALIER_TRY(auto rows, m_database.prepare("SELECT seq, text, changes FROM edits WHERE instr(changes, ?) > 0"));
        rows.bind(id);
        for (;;) {
            ESPALIER_TRY(const bool hasRow, rows.step());
            if (!hasRow) break;
            ESPALIER_TRY(auto changes, changesFromJson(rows.text(2)));
            touched.push_back({rows.integer(0), rows.text(1), std::move(changes)});
        }
    }
    for (auto& edit : touched) {
        std::erase_if(edit.changes, [&](const auto& change) { return change.kind == kind && change.id == id; });
        ESPALIER_TRY(auto change, m_database.prepare(edit.changes.empty() ? "DELETE FROM edits WHERE seq = ?2 AND ?1 = '[]'"
                                                                          : "UPDATE edits SET changes = ?1 WHERE seq = ?2"));
        change.bind(changesToJson(edit.changes)).bind(edit.seq);
        ESPALIER_CHECK_OK(change.run());
    }
    return {};
}

}  // namespace espalier::catalog
