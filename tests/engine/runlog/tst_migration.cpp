#include <memory>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/files.h"
#include "engine/runlog/compaction.h"
#include "engine/runlog/migration.h"
#include "engine/runlog/run_file.h"
#include "tests/support/run_log_formats.h"
#include "tests/support/run_log_samples.h"

using namespace espalier;
using namespace espalier::tests;

/// Logs of an older format: read as they are, brought to the present one with a backup, or made anew from the journal.
class TestMigration : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_dir->path().toStdString()) / "run";
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->close(true));
        m_strides = strides();
        QCOMPARE(m_strides, (std::vector<std::int64_t>{1, 0}));
        makeFormat1(m_folder / "run.h5");
        QCOMPARE(RunFile::open(m_folder / "run.h5")->version(), std::int64_t(1));
    }

    void readsAsItIs() {
        const auto before = readFile(m_folder / "run.h5");
        checkAll(m_folder);
        QVERIFY((*RunLogReader::open(m_folder))->envelope("train/loss", 0, 999, 100).has_value());
        QCOMPARE(*readFile(m_folder / "run.h5"), *before);
    }

    void migratesWithABackup() {
        const auto before = readFile(m_folder / "run.h5");
        VERIFY_OK(compactRunLog(m_folder));
        QCOMPARE(RunFile::open(m_folder / "run.h5")->version(), kRunFileVersion);
        QCOMPARE(strides(), m_strides);
        checkAll(m_folder);
        fs::rename(m_folder / "journal.esj", m_folder / "away");
        checkAll(m_folder);
        fs::rename(m_folder / "away", m_folder / "journal.esj");
        QCOMPARE(*readFile(backupPath(m_folder, 1)), *before);
        const auto after = readFile(m_folder / "run.h5");
        VERIFY_OK(compactRunLog(m_folder));  // nothing left to do
        QCOMPARE(*readFile(m_folder / "run.h5"), *after);
        QVERIFY(!fs::exists(m_folder / kMigrateName));
    }

    void continuedRunKeepsABackup() {
        const auto before = readFile(m_folder / "run.h5");
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        checkAll(m_folder);
        (*writer)->scalar(0, 1000, 1.0, 5.0);
        VERIFY_OK((*writer)->close(true));
        QCOMPARE(*readFile(backupPath(m_folder, 1)), *before);
        QCOMPARE(RunFile::open(m_folder / "run.h5")->version(), kRunFileVersion);
        QCOMPARE((*RunLogReader::open(m_folder))->read("train/loss")->values.size(), std::size_t(1001));
    }

    void aNewerOneIsNotTouched() {
        {
            auto file = h5::openFile(m_folder / "run.h5", h5::OpenMode::ReadWrite);
            VERIFY_OK(file);
            QVERIFY(H5Adelete(file->get(), kVersionAttribute) >= 0);
            VERIFY_OK(h5::writeAttribute(file->get(), kVersionAttribute, kRunFileVersion + 1));
        }
        const auto before = readFile(m_folder / "run.h5");
        for (const auto& refused : {RunLogReader::open(m_folder).error(), RunLogWriter::open(m_folder).error()}) {
            QCOMPARE(refused.code, ErrorCode::Unsupported);
            QVERIFY2(refused.sentence().find("Open it with a newer Espalier") != std::string::npos, refused.sentence().c_str());
        }
        QCOMPARE(*readFile(m_folder / "run.h5"), *before);
    }

private:
    std::vector<std::int64_t> strides() const {
        std::vector<std::int64_t> found;
        const auto run = RunFile::open(m_folder / "run.h5");
        const auto rows = readTable<SeriesRow>(run->file(), compact::kSeries);
        for (const auto& row : *rows) found.push_back(row.stride);
        return found;
    }
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_folder;
    std::vector<std::int64_t> m_strides;
};

QTEST_GUILESS_MAIN(TestMigration)
#include "tst_migration.moc"
