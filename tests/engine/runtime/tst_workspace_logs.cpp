#include <QtTest>

#include "engine/base/files.h"
#include "engine/runlog/migration.h"
#include "tests/support/run_log_formats.h"
#include "tests/support/workspace_samples.h"

using namespace espalier;
using namespace espalier::tests;

/// Run folders that another version of the program, or a killed one, left behind.
class TestWorkspaceLogs : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_temporary = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_temporary->path().toStdString()) / "workspace";
    }

    void migratesAnOlderLogWhenItIsOpened() {
        const auto workspace = openAt(m_folder);
        const auto info = loggedRun(*workspace, /*isCompacted=*/true);
        makeFormat1(fs::path(info.folder) / "run.h5");
        const auto before = readFile(fs::path(info.folder) / "run.h5");
        QVERIFY(workspace->series(info.id));
        QCOMPARE(RunFile::open(fs::path(info.folder) / "run.h5")->version(), kRunFileVersion);
        QCOMPARE(*readFile(backupPath(info.folder, 1)), *before);
        checkAll(info.folder);
    }

    void aRunInTheTrashIsOnlyRead() {
        const auto workspace = openAt(m_folder);
        const auto info = loggedRun(*workspace, true);
        VERIFY_OK(workspace->trashRun(info.id));
        const auto place = m_folder / "trash" / ("run-" + info.id);
        makeFormat1(place / "run.h5");
        VERIFY_OK(workspace->rebuild());
        QCOMPARE(RunFile::open(place / "run.h5")->version(), std::int64_t(1));
    }

    void rebuildFinishesAKilledCompaction() {
        const auto workspace = openAt(m_folder);
        const auto info = loggedRun(*workspace, /*isCompacted=*/false);
        QVERIFY(!RunFile::open(fs::path(info.folder) / "run.h5")->isCompacted());
        const auto warnings = workspace->rebuild();
        VERIFY_OK(warnings);
        QCOMPARE(warnings->size(), std::size_t(0));
        QVERIFY(RunFile::open(fs::path(info.folder) / "run.h5")->isCompacted());
        checkAll(info.folder);
    }

    void rebuildLeavesALogOfANewerProgramAlone() {
        const auto workspace = openAt(m_folder);
        const auto info = loggedRun(*workspace, true);
        const auto file = fs::path(info.folder) / "run.h5";
        {
            auto opened = h5::openFile(file, h5::OpenMode::ReadWrite);
            VERIFY_OK(opened);
            QVERIFY(H5Adelete(opened->get(), kVersionAttribute) >= 0);
            VERIFY_OK(h5::writeAttribute(opened->get(), kVersionAttribute, kRunFileVersion + 1));
        }
        const auto before = readFile(file);
        const auto warnings = workspace->rebuild();
        VERIFY_OK(warnings);
        QCOMPARE(warnings->size(), std::size_t(1));
        QCOMPARE(warnings->front().kind, std::string("unfinished_log"));
        QVERIFY(warnings->front().detail.find("Open it with a newer Espalier") != std::string::npos);
        QCOMPARE(*readFile(file), *before);
    }

    void refusesAManifestOfANewerProgram() {
        const auto workspace = openAt(m_folder);
        const auto info = newRun(*workspace, "from tomorrow");
        const auto file = fs::path(info.folder) / "manifest.json";
        auto text = *readFile(file);
        const std::string ours = "\"format_version\": 1";
        const auto at = text.find(ours);
        if (at != std::string::npos) text.erase(at, ours.size() + 1);  // a manifest without one is of format 1
        VERIFY_OK(workspace->manifestText(info.id));
        const auto put = [&](const std::string& version) {
            auto changed = text;
            changed.insert(changed.find('{') + 1, "\"format_version\": " + version + ",");
            VERIFY_OK(writeFileAtomically(file, changed));
        };
        put("2");
        const auto refused = workspace->manifestText(info.id);
        QVERIFY(!refused);
        QCOMPARE(refused.error().code, ErrorCode::Unsupported);
        QVERIFY2(refused.error().sentence().find("has manifest format 2, this program knows up to 1") != std::string::npos,
                 refused.error().sentence().c_str());
        const auto warnings = workspace->check();
        VERIFY_OK(warnings);
        QCOMPARE(warnings->size(), std::size_t(1));
        QVERIFY(warnings->front().detail.find("newer Espalier") != std::string::npos);
        put("\"two\"");
        QCOMPARE(workspace->manifestText(info.id).error().code, ErrorCode::Corrupt);
        put("1");
        VERIFY_OK(workspace->manifestText(info.id));
        QCOMPARE(workspace->check()->size(), std::size_t(0));
    }

private:
    static feed::RunInfo loggedRun(Workspace& workspace, bool isCompacted) {
        auto info = newRun(workspace, "logged");
        auto writer = RunLogWriter::open(info.folder);
        fill(**writer);
        (void)(*writer)->close(isCompacted);
        endRun(workspace, info);
        return info;
    }

    std::unique_ptr<QTemporaryDir> m_temporary;
    fs::path m_folder;
};

QTEST_GUILESS_MAIN(TestWorkspaceLogs)
#include "tst_workspace_logs.moc"
