#include "engine/catalog/catalog.h"

#include <algorithm>

namespace espalier::catalog {
namespace {
constexpr int kUndoDepth = 100;
constexpr int kColors = 8;
}  // namespace

Result<std::optional<feed::RunInfo>> CatalogWriter::run(std::string_view id) { return selectRun(m_database, id); }

Result<void> CatalogWriter::setRunName(std::string_view id, const std::string& name) {
    return updateRunColumn(m_database, id, "name", name);
}

Result<void> CatalogWriter::setRunNote(std::string_view id, const std::string& note) {
    return updateRunColumn(m_database, id, "note", note);
}

Result<void> CatalogWriter::setRunTags(std::string_view id, const std::vector<std::string>& tags) {
    return updateRunTags(m_database, id, tags);
}

Result<void> CatalogWriter::setRunTrashed(std::string_view id, bool isTrashed) {
    return updateRunColumn(m_database, id, "is_trashed", std::int64_t(isTrashed));
}

Result<void> CatalogWriter::replaceCheckpoints(std::string_view id, const std::vector<CheckpointRow>& rows) {
    ESPALIER_TRY(auto clear, m_database.prepare("DELETE FROM checkpoints WHERE run = (SELECT num FROM runs WHERE id = ?)"));
    clear.bind(id);
    ESPALIER_CHECK_OK(clear.run());
    ESPALIER_TRY(auto insert,
                 m_database.prepare("INSERT INTO checkpoints SELECT num, ?, ?, ? FROM runs WHERE id = ?"));
    for (const auto& row : rows) {
        insert.bind(row.name).bind(row.bytes).bind(row.writtenSecs).bind(id);
        ESPALIER_CHECK_OK(insert.run());
    }
    return {};
}

Result<std::string> CatalogWriter::freeName(const char* sql, const std::string& wanted) {
    std::string name = wanted;
    for (int suffix = 2;; ++suffix) {
        ESPALIER_TRY(auto find, m_database.prepare(sql));
        find.bind(name);
        ESPALIER_TRY(const bool isTaken, find.step());
        if (!isTaken) return name;
        name = wanted + "-" + std::to_string(suffix);
    }
}

Result<std::string> CatalogWriter::freeRunName(const std::string& wanted) {
    return freeName("SELECT 1 FROM runs WHERE name = ?", wanted);
}

Result<std::string> CatalogWriter::freeDatasetName(const std::string& wanted) {
    return freeName("SELECT 1 FROM datasets WHERE name = ?", wanted);
}

Result<int> CatalogWriter::nextColor() {
    ESPALIER_TRY(auto rows, m_database.prepare("SELECT color FROM runs ORDER BY created DESC, id DESC LIMIT 8"));
    int uses[kColors] = {}, lastUse[kColors] = {};  // lastUse counts runs backwards from a new one
    for (int& age : lastUse) age = kColors + 1;
    for (int age = 1;; ++age) {
        ESPALIER_TRY(const bool hasRow, rows.step());
        if (!hasRow) break;
        const auto color = rows.integer(0);
        if (color < 0 || color >= kColors) continue;
        ++uses[color];
        lastUse[color] = std::min(lastUse[color], age);
    }
    int best = 0;
    for (int color = 1; color < kColors; ++color)
        if (uses[color] < uses[best] || (uses[color] == uses[best] && lastUse[color] > lastUse[best])) best = color;
    return best;
}

Result<void> CatalogWriter::putDataset(const DatasetRow& row) {
    ESPALIER_TRY(auto put, m_database.prepare(
                               "INSERT OR REPLACE INTO datasets(id, name, kind, format, hash, imported, summary, samples, "
                               "bytes, is_trashed) VALUES(?,?,?,?,?,?,?,?,?,?)"));
    put.bind(row.id).bind(row.name).bind(row.kind).bind(row.format).bind(row.hash).bind(row.imported);
    put.bind(row.summary).bind(row.samples).bind(row.bytes).bind(row.isTrashed);
    return put.run();
}

Result<void> CatalogWriter::setDatasetTrashed(std::string_view id, bool isTrashed) {
    ESPALIER_TRY(auto update, m_database.prepare("UPDATE datasets SET is_trashed = ? WHERE id = ?"));
    update.bind(isTrashed).bind(id);
    return update.run();
}

Result<void> CatalogWriter::removeDataset(std::string_view id) {
    ESPALIER_TRY(auto remove, m_database.prepare("DELETE FROM datasets WHERE id = ?"));
    remove.bind(id);
    return remove.run();
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

Result<void> CatalogWriter::clearRows() {
    return m_database.execute("DELETE FROM run_text; DELETE FROM runs; DELETE FROM datasets;");
}

}  // namespace espalier::catalog
