#include <cmath>
#include <mutex>
#include <set>
#include <thread>

#include <QtTest>

#include <sqlite3.h>

#include "engine/catalog/catalog.h"
#include "engine/catalog/run_filter.h"
#include "engine/catalog/schema.h"

using namespace espalier;
using catalog::Catalog;
using catalog::CatalogWriter;
namespace fs = std::filesystem;

namespace {

/// A catalog of format 1 as the first program wrote it: two runs, one of them in the trash.
const char* const kFormat1File = ESPALIER_SOURCE_DIR "/tests/fixtures/catalog_format_1.sql";

QByteArray bytesOf(const fs::path& path) {
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void runScript(const fs::path& file, const char* script) {
    sqlite3* handle = nullptr;
    QCOMPARE(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
    char* message = nullptr;
    sqlite3_exec(handle, script, nullptr, nullptr, &message);
    QVERIFY2(!message, message);
    sqlite3_close(handle);
}

std::set<std::string> namesIn(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
    return names;
}

std::vector<std::string> idsOf(const Catalog& catalog, const char* filter, const char* sort = "") {
    return *catalog.runIds(catalog::compileFilter(filter, sort)->query);
}

using Ids = std::vector<std::string>;

}  // namespace

/// Catalogs of other formats: older ones are migrated with a backup, newer ones refused untouched.
class TestMigration : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_temporary = std::make_unique<QTemporaryDir>();
        m_file = fs::path(m_temporary->path().toStdString()) / "catalog.sqlite";
    }
    void migratesFormat1();
    void leavesTheOldOneWhenMigrationFails();
    void onlyOneOfTwoMigrates();
    void refusesANewerFormatAndWritesNothing();
    void doesNotReadPlantedTables();

private:
    std::unique_ptr<QTemporaryDir> m_temporary;
    fs::path m_file;
};

void TestMigration::migratesFormat1() {
    runScript(m_file, bytesOf(kFormat1File).constData());
    {
        auto catalog = std::move(*Catalog::open(m_file));
        QVERIFY(catalog->wasMigrated());
        const auto a = **catalog->run("a1"), b = **catalog->run("b2");
        QVERIFY((a.params == std::map<std::string, std::string>{{"lr", "1e-3"}, {"name", "a \"b\""}}));
        QVERIFY((a.changedParams == std::map<std::string, std::string>{{"lr", "1e-3"}}));
        QVERIFY((a.tags == Ids{"paper", "best"}));
        QCOMPARE(a.note, std::string("a note"));
        QCOMPARE(a.seed, std::int64_t(3));
        QVERIFY((a.summary.at("valid/top1") == feed::SummaryEntry{0.5, 0.75, 10, 20}));
        QVERIFY(std::isnan(a.summary.at("train/loss").last));
        QCOMPARE(a.summary.at("train/loss").best, 0.1);
        QVERIFY(b.isTrashed);
        QCOMPARE(b.parentRun, std::string("a1"));
        QVERIFY((idsOf(*catalog, "lr = 0.001") == Ids{"a1"}));
        QVERIFY((idsOf(*catalog, "lr = auto") == Ids{"b2"}));
        QVERIFY((idsOf(*catalog, "", "lr") == Ids{"a1", "b2"}));
        QVERIFY((idsOf(*catalog, "", "-valid/top1") == Ids{"b2", "a1"}));
        QVERIFY((idsOf(*catalog, "note digits") == Ids{"a1"}));
        QVERIFY((*catalog->children("a1") == Ids{"b2"}));
        QVERIFY((*catalog->paramKeys() == Ids{"lr", "name"}));
        QCOMPARE(catalog->checkpoints("a1")->size(), std::size_t(1));
        QCOMPARE(catalog->datasets(true)->front().samples, std::int64_t(1797));
        QCOMPARE((*catalog->nextUndo())->seq, std::int64_t(7));
        QCOMPARE(*catalog->findDamage(), std::string());
        // What is written from now on has the form of a catalog that was new today.
        QVERIFY(catalog->write([](CatalogWriter& writer) { return writer.removeRun("a1"); }));
        QVERIFY(idsOf(*catalog, "lr = 0.001").empty());
    }
    auto again = std::move(*Catalog::open(m_file));
    QVERIFY(!again->wasMigrated());
    const auto backup = catalog::backupFile(m_file, 1);
    QCOMPARE(backup.filename().string(), std::string("catalog.format-1.sqlite"));
    auto old = std::move(*catalog::Database::open(backup, catalog::Access::Read));
    QCOMPARE(*old->integer("PRAGMA user_version"), std::int64_t(1));
    QCOMPARE(*old->integer("SELECT count(*) FROM runs"), std::int64_t(2));
    QCOMPARE(*old->integer("SELECT count(*) FROM run_params"), std::int64_t(3));
    QCOMPARE(*old->findDamage(true), std::string());
}

void TestMigration::leavesTheOldOneWhenMigrationFails() {
    runScript(m_file, bytesOf(kFormat1File).constData());
    runScript(m_file, "CREATE TABLE series_names(x)");  // in the way of the second half of the script
    QVERIFY(!Catalog::open(m_file));
    auto old = std::move(*catalog::Database::open(m_file, catalog::Access::Read));
    QCOMPARE(*old->integer("PRAGMA user_version"), std::int64_t(1));
    QCOMPARE(*old->integer("SELECT count(*) FROM run_params"), std::int64_t(3));
    QCOMPARE(*old->integer("SELECT count(*) FROM runs WHERE params <> ''"), std::int64_t(2));
}

void TestMigration::onlyOneOfTwoMigrates() {
    runScript(m_file, bytesOf(kFormat1File).constData());
    int migrated = 0;
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            auto opened = Catalog::open(m_file);
            std::lock_guard lock(mutex);
            if (!opened) qWarning("%s %s", opened.error().sentence().c_str(), opened.error().detail.c_str());
            migrated += opened ? (*opened)->wasMigrated() : 100;
        });
    for (auto& thread : threads) thread.join();
    QCOMPARE(migrated, 1);
}

void TestMigration::refusesANewerFormatAndWritesNothing() {
    Catalog::open(m_file)->reset();
    runScript(m_file, "PRAGMA user_version = 99; PRAGMA journal_mode = DELETE;");
    const auto bytes = bytesOf(m_file);
    const auto names = namesIn(m_file.parent_path());
    const auto written = fs::last_write_time(m_file);
    const auto opened = Catalog::open(m_file);
    QVERIFY(!opened);
    QCOMPARE(int(opened.error().code), int(ErrorCode::Unsupported));
    QCOMPARE(opened.error().what, "the catalog has format 99, this program knows formats up to " + std::to_string(catalog::schemaVersion()));
    QVERIFY(bytesOf(m_file) == bytes);
    QVERIFY(namesIn(m_file.parent_path()) == names);
    QVERIFY(fs::last_write_time(m_file) == written);
}

void TestMigration::doesNotReadPlantedTables() {
    Catalog::open(m_file)->reset();
    runScript(m_file, "CREATE TRIGGER planted AFTER UPDATE ON runs BEGIN DELETE FROM tags; END");
    const auto opened = Catalog::open(m_file);
    QVERIFY(!opened);
    QCOMPARE(int(opened.error().code), int(ErrorCode::Corrupt));
    QCOMPARE(opened.error().what, std::string("the catalog holds other tables than its format says"));
}

QTEST_GUILESS_MAIN(TestMigration)
#include "tst_migration.moc"
