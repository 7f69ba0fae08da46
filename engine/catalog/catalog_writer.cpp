#include "engine/catalog/catalog.h"

#include <algorithm>

#include "engine/catalog/schema.h"

namespace espalier::catalog {
namespace {
constexpr int kColors = 8;
}  // namespace

Result<std::optional<feed::RunInfo>> CatalogWriter::run(std::string_view id) { return selectRun(m_database, id); }

Result<void> CatalogWriter::setRunName(std::string_view id, const std::string& name) {
    return updateRunName(m_database, id, name);
}

Result<void> CatalogWriter::setRunNote(std::string_view id, const std::string& note) {
    return updateRunNote(m_database, id, note);
}

Result<void> CatalogWriter::setRunTags(std::string_view id, const std::vector<std::string>& tags) {
    return updateRunTags(m_database, id, tags);
}

Result<void> CatalogWriter::setRunTrashed(std::string_view id, bool isTrashed) {
    return updateRunTrashed(m_database, id, isTrashed);
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

Result<void> CatalogWriter::replaceTradeoff(std::string_view id, const std::vector<TradeoffRow>& rows) {
    ESPALIER_TRY(const auto num, runNumber(m_database, id));
    ESPALIER_TRY(auto clear, m_database.prepare("DELETE FROM tradeoff_points WHERE run = ?"));
    clear.bind(num);
    ESPALIER_CHECK_OK(clear.run());
    ESPALIER_TRY(auto insert, m_database.prepare("INSERT OR REPLACE INTO tradeoff_points(run, point, label, stage, method, bytes, "
                                                 "avg_w_bits, avg_a_bits, loss, metric, is_on_front) VALUES(?,?,?,?,?,?,?,?,?,?,?)"));
    for (const auto& row : rows) {
        insert.bind(num).bind(row.point).bind(row.label).bind(row.stage).bind(row.method).bind(row.bytes);
        insert.bind(row.avgWBits).bind(row.avgABits).bind(row.loss).bind(row.metric).bind(row.isOnFront);
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

Result<void> CatalogWriter::clearRows() {
    ESPALIER_CHECK_OK(clearRunText(m_database));
    // Whole tables first: emptying runs would otherwise look for the children of each run.
    return m_database.execute("DELETE FROM param_values; DELETE FROM series_values; DELETE FROM tags; DELETE FROM checkpoints; "
                              "DELETE FROM tradeoff_points; DELETE FROM run_details; DELETE FROM runs; DELETE FROM param_keys; "
                              "DELETE FROM series_names; DELETE FROM datasets;");
}

}  // namespace espalier::catalog
