// labels: fast gate
#include <fstream>

#include <QtTest>

#include <sys/mount.h>

#include "engine/runlog/run_log_writer.h"
#include "tests/support/workspace_samples.h"

using namespace espalier;
using namespace espalier::tests;

/// What the catalog promises: it comes back from the folders, and trouble with the disk never takes reading away.
class TestWorkspaceKeeping : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_temporary = std::make_unique<QTemporaryDir>();
        m_scratch = m_temporary->path().toStdString();
        m_folder = m_scratch / "workspace";
    }
    void rebuildBringsEveryTableBack();
    void keepsTheRowOfAnUnreadableRun();
    void undoesAHundredEditsAfterARestart();
    void warnsAboutANetworkFileSystem();
    void readsAWorkspaceThatCannotBeWritten();
    void readsWithoutACatalogThatCannotBeMade();
    void staysReadableOnAFullDisk();
    void noticesThatItsFolderIsGone();
    void mendsFlippedPages();
    void cleansNamesFromFiles();

private:
    fs::path m_folder, m_scratch;
    std::unique_ptr<QTemporaryDir> m_temporary;
};

void TestWorkspaceKeeping::rebuildBringsEveryTableBack() {
    {
        const auto workspace = openAt(m_folder);
        const auto a = newRun(*workspace, "a");
        std::ofstream(fs::path(a.folder) / "checkpoints" / "best.safetensors") << "weights";
        std::ofstream(fs::path(a.folder) / "checkpoints" / "last.safetensors") << "other weights";
        endRun(*workspace, a);
        const auto b = newRun(*workspace, "b", a.id);
        auto log = std::move(*runlog::RunLogWriter::open(b.folder));
        feed::TradeoffTables tables;
        tables.job.jobId = b.id;
        tables.job.metricName = "test/top1";
        feed::TradeoffPoint point;
        point.label = "fp32";
        point.stage = "fp";
        point.bytesTotal = 400;
        point.metric = 0.98;
        point.onFront = 1;
        log->tradeoffJob(tables.job);
        log->tradeoffPoint(point, {});
        point.pointId = 1;
        point.label = "flexround w4";
        point.method = "flexround";
        point.avgWBits = 4;
        point.bytesTotal = 50;
        log->tradeoffPoint(point, {});
        QVERIFY(log->close(true));
        endRun(*workspace, b);
        QCOMPARE(workspace->impl().catalog->tradeoff(b.id)->size(), std::size_t(2));
        const auto c = newRun(*workspace, "c"), d = newRun(*workspace, "d");
        endRun(*workspace, c, feed::JobState::Failed);
        endRun(*workspace, d);
        const auto set = newDataset(*workspace, m_scratch, "small"), other = newDataset(*workspace, m_scratch, "other");
        QVERIFY(workspace->setRunTags(a.id, {"paper", "best one"}));
        QVERIFY(workspace->addTag({a.id, b.id}, "x"));
        QVERIFY(workspace->setRunNote(b.id, "note \"quoted\" ü\nsecond line"));
        QVERIFY(workspace->renameRun(b.id, "b renamed"));
        QVERIFY(workspace->trashRuns({c.id, d.id}));
        QVERIFY(workspace->restoreRun(d.id));
        QVERIFY(workspace->renameDataset(set.id, "tiny"));
        QVERIFY(workspace->trashDataset(other.id));
        QVERIFY(workspace->undo());
        QVERIFY(workspace->undo());
        QVERIFY(workspace->redo());
    }
    const auto before = dump(m_folder);
    QCOMPARE(before.at("runs").size(), std::size_t(4));
    QCOMPARE(before.at("tradeoff_points").size(), std::size_t(2));
    QCOMPARE(before.at("checkpoints").size(), std::size_t(2));
    QCOMPARE(before.at("edits").size(), std::size_t(8));
    QCOMPARE(openAt(m_folder)->rebuild()->size(), std::size_t(0));
    compareDumps(dump(m_folder), before);
    removeCatalog(m_folder);
    QCOMPARE(openAt(m_folder)->runs(true)->size(), std::size_t(4));  // made again on its own
    compareDumps(dump(m_folder), before);
    const auto workspace = openAt(m_folder);
    QVERIFY(workspace->redo());  // the journal came back too
    QCOMPARE(workspace->datasets()->size(), std::size_t(1));
}

void TestWorkspaceKeeping::keepsTheRowOfAnUnreadableRun() {
    const auto workspace = openAt(m_folder);
    const auto a = newRun(*workspace, "a"), b = newRun(*workspace, "b");
    endRun(*workspace, a);
    endRun(*workspace, b);
    QVERIFY(workspace->setRunTags(a.id, {"kept"}));
    // Root reads everything, so a child gives its rights up; everything but one run is its own.
    const pid_t child = inChild([&] {
        for (const auto& entry : fs::recursive_directory_iterator(m_scratch))
            if (::chown(entry.path().c_str(), 65534, 65534) != 0) return 77;
        if (::chown(m_scratch.c_str(), 65534, 65534) != 0 || ::chown(a.folder.c_str(), 0, 0) != 0) return 77;
        fs::permissions(a.folder, fs::perms(0000));
        if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 77;
        const auto mine = Workspace::open(m_folder);
        if (!mine) return 2;
        const auto warnings = (*mine)->rebuild();
        if (!warnings || warnings->empty()) return 3;
        const auto row = (*mine)->run(a.id);
        return row && row->name == "a" && row->tags == std::vector<std::string>{"kept"} && (*mine)->runs()->size() == 2 ? 0 : 4;
    });
    const int status = exitStatus(child);
    fs::permissions(a.folder, fs::perms(0755));
    if (status == 77) QSKIP("the user cannot be changed here, and root may read everything");
    QCOMPARE(status, 0);
}

void TestWorkspaceKeeping::undoesAHundredEditsAfterARestart() {
    std::string id, setId;
    std::vector<std::pair<std::string, std::string>> states;  // undo text, name + note + tags + trash + name of the data set
    const auto stateOf = [&](Workspace& workspace) {
        const auto run = *workspace.run(id);
        std::string text = run.name + '|' + run.note + '|' + std::to_string(run.isTrashed) + '|' + workspace.dataset(setId)->name +
                           '|' + workspace.dataset(setId)->hash;
        for (const auto& tag : run.tags) text += '|' + tag;
        return text;
    };
    {
        const auto workspace = openAt(m_folder);
        const auto run = newRun(*workspace, "first");
        endRun(*workspace, run);
        id = run.id;
        setId = newDataset(*workspace, m_scratch, "set").id;
        for (int i = 0; i < 120; ++i) {
            states.emplace_back(workspace->undoText(), stateOf(*workspace));
            const auto word = std::to_string(i);
            Result<void> done;
            switch (i % 8) {
                case 0: done = workspace->renameRun(id, "name " + word); break;
                case 1: done = workspace->setRunNote(id, "note " + word); break;
                case 2: done = workspace->addTag({id}, "tag " + word); break;
                case 3: done = workspace->trashRun(id); break;
                case 4: done = workspace->restoreRun(id); break;
                case 5: done = workspace->renameDataset(setId, "set " + word); break;
                case 6:
                    if (const auto split = workspace->resplit(setId, {0.5, 0.0, 0.5}, i)) done = {};
                    else done = fail(split.error());
                    break;
                default: done = workspace->setRunTags(id, {word}); break;
            }
            QVERIFY2(done, errorOf(done).c_str());
        }
        states.emplace_back(workspace->undoText(), stateOf(*workspace));
    }
    {
        const auto workspace = openAt(m_folder);
        for (int i = 119; i >= 60; --i) {
            QCOMPARE(*workspace->undo(), states[static_cast<std::size_t>(i) + 1].first);
            QCOMPARE(stateOf(*workspace), states[static_cast<std::size_t>(i)].second);
        }
    }
    removeCatalog(m_folder);  // even then
    {
        const auto workspace = openAt(m_folder);
        for (int i = 59; i >= 20; --i) QVERIFY(workspace->undo());
        QVERIFY(!workspace->undo());  // a hundred, not more
        QCOMPARE(stateOf(*workspace), states[20].second);
    }
    const auto workspace = openAt(m_folder);
    for (std::size_t i = 20; i < 120; ++i) {
        QVERIFY(workspace->redo());
        QCOMPARE(stateOf(*workspace), states[i + 1].second);
    }
    QVERIFY(!workspace->redo());
    QVERIFY(fs::exists(m_folder / "runs" / id / "manifest.json"));
}

void TestWorkspaceKeeping::warnsAboutANetworkFileSystem() {
    QCOMPARE(networkFileSystemName(0x6969), std::string_view("NFS"));
    QCOMPARE(networkFileSystemName(0xfe534d42), std::string_view("SMB"));
    QCOMPARE(networkFileSystemName(0x65735546), std::string_view("FUSE"));
    for (const std::int64_t local : std::initializer_list<std::int64_t>{0xEF53, 0x01021994, 0x9123683E, 0x58465342, 0x794c7630})  // ext4, tmpfs, btrfs, xfs, overlayfs
        QVERIFY(networkFileSystemName(local).empty());
    QVERIFY(fileSystemType(m_scratch) != 0);
    QCOMPARE(fileSystemType(m_scratch / "not" / "there" / "yet"), fileSystemType(m_scratch));
    const auto journalMode = [&] {
        auto database = std::move(*catalog::Database::open(m_folder / "catalog.sqlite", catalog::Access::Read));
        auto mode = std::move(*database->prepare("PRAGMA journal_mode"));
        (void)mode.step();
        return mode.text(0);
    };
    std::string id;
    {
        const auto local = openAt(m_folder, {.fileSystemType = 0xEF53});
        QVERIFY(local->notices().empty());
        id = newRun(*local, "run").id;
        QCOMPARE(journalMode(), std::string("wal"));
    }
    const auto remote = openAt(m_folder, {.fileSystemType = 0x6969});
    QCOMPARE(remote->notices().size(), std::size_t(1));
    QVERIFY(remote->notices()[0].starts_with("The workspace lies on a NFS file system:"));
    QCOMPARE(journalMode(), std::string("delete"));
    QVERIFY(remote->setRunNote(id, "written without WAL"));
    const auto second = openAt(m_folder, {.fileSystemType = 0x6969});
    QCOMPARE(second->run(id)->note, std::string("written without WAL"));
    QVERIFY(second->setRunNote(id, "by the second"));
    QCOMPARE(remote->run(id)->note, std::string("by the second"));
}

/// Runs `body` as a user who may read but not write below `folder`; 77 when that cannot be arranged.
static int asReader(const fs::path& folder, const std::function<int()>& body) {
    fs::permissions(folder.parent_path(), fs::perms(0755));
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        fs::permissions(entry.path(), fs::perms(entry.is_directory() ? 0555 : 0444));
    fs::permissions(folder, fs::perms(0555));
    const int status = exitStatus(inChild([&] {
        if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 77;
        return body();
    }));
    fs::permissions(folder, fs::perms(0755));
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        fs::permissions(entry.path(), fs::perms(entry.is_directory() ? 0755 : 0644));
    return status;
}

/// 0 when the workspace reads as it should and refuses every change with a sentence.
static int readsAndRefuses(const fs::path& folder, const std::string& id) {
    const auto opened = Workspace::open(folder);
    if (!opened) return (void)std::fprintf(stderr, "%s\n", opened.error().sentence().c_str()), 2;
    auto& workspace = **opened;
    if (!workspace.isReadOnly() || workspace.notices().size() != 1) return 3;
    if (!workspace.notices()[0].starts_with("The workspace is open for reading only, nothing is stored: ")) return 4;
    const auto run = workspace.run(id);
    if (!run || run->name != "run" || run->tags.size() != 1) return 5;
    if (workspace.queryRunIds("tag = kept")->size() != 1 || !workspace.manifestText(id)) return 6;
    for (const auto& refused : {workspace.renameRun(id, "x"), workspace.addTag({id}, "x"), workspace.trashRun(id)})
        if (refused || refused.error().what.find("reading only") == std::string::npos) return 7;
    feed::RunInfo made;
    made.name = "new";
    if (workspace.impl().createRun(made, "{}") || workspace.undo()) return 8;
    return 0;
}

void TestWorkspaceKeeping::readsAWorkspaceThatCannotBeWritten() {
    std::string id;
    {
        const auto workspace = openAt(m_folder);
        const auto run = newRun(*workspace, "run");
        endRun(*workspace, run);
        id = run.id;
        QVERIFY(workspace->addTag({id}, "kept"));
    }
    const int status = asReader(m_folder, [&] { return readsAndRefuses(m_folder, id); });
    if (status == 77) QSKIP("the user cannot be changed here, and root may write everywhere");
    QCOMPARE(status, 0);
    QCOMPARE(openAt(m_folder)->run(id)->name, std::string("run"));
}

void TestWorkspaceKeeping::readsWithoutACatalogThatCannotBeMade() {
    std::string id;
    {
        const auto workspace = openAt(m_folder);
        const auto run = newRun(*workspace, "run");
        endRun(*workspace, run);
        id = run.id;
        QVERIFY(workspace->addTag({id}, "kept"));
    }
    removeCatalog(m_folder);
    const int status = asReader(m_folder, [&] { return readsAndRefuses(m_folder, id); });
    if (status == 77) QSKIP("the user cannot be changed here, and root may write everywhere");
    QCOMPARE(status, 0);
    QVERIFY(!fs::exists(m_folder / "catalog.sqlite"));
}

void TestWorkspaceKeeping::staysReadableOnAFullDisk() {
    fs::create_directories(m_folder);
    if (::mount("espalier-test", m_folder.c_str(), "tmpfs", 0, "size=6m") != 0) QSKIP("a small file system cannot be mounted here");
    struct Unmount {
        fs::path folder;
        ~Unmount() { ::umount2(folder.c_str(), MNT_DETACH); }
    } unmount{m_folder};
    const auto fill = [&](const char* name) {
        std::ofstream filler(m_folder / name, std::ios::binary);
        const std::string block(4096, 'x');
        while (filler.write(block.data(), 4096).flush()) {
        }
    };
    std::string id;
    {
        const auto workspace = openAt(m_folder);
        const auto run = newRun(*workspace, "run");
        endRun(*workspace, run);
        id = run.id;
        QVERIFY(workspace->addTag({id}, "kept"));
        fill("filler");
        const auto refused = workspace->setRunNote(id, std::string(100000, 'n'));
        QVERIFY(!refused);
        QVERIFY2(refused.error().sentence().find("Free some space on that disk and try again") != std::string::npos,
                 refused.error().sentence().c_str());
        QCOMPARE(workspace->run(id)->note, std::string());
        QCOMPARE(workspace->queryRunIds("tag = kept")->size(), std::size_t(1));
        QVERIFY(workspace->manifestText(id));
    }
    // As after a restart of the machine: the log that could not be folded in is left, its shared memory is not.
    fs::remove(m_folder / "catalog.sqlite-shm");
    fill("filler 2");
    QCOMPARE(exitStatus(inChild([&] { return readsAndRefuses(m_folder, id); })), 0);
    fs::remove(m_folder / "filler");
    fs::remove(m_folder / "filler 2");
    const auto workspace = openAt(m_folder);
    QVERIFY(!workspace->isReadOnly());
    QVERIFY(workspace->setRunNote(id, "room again"));
    QCOMPARE(workspace->check()->size(), std::size_t(0));
}

void TestWorkspaceKeeping::noticesThatItsFolderIsGone() {
    const auto workspace = openAt(m_folder);
    const auto run = newRun(*workspace, "run");
    endRun(*workspace, run);
    fs::rename(m_folder, m_scratch / "elsewhere");
    for (const auto& refused : {workspace->renameRun(run.id, "x"), workspace->trashRun(run.id)}) {
        QVERIFY(!refused);
        QVERIFY2(refused.error().what.find("deleted or moved away") != std::string::npos, refused.error().what.c_str());
    }
    feed::RunInfo made;
    QVERIFY(!workspace->impl().createRun(made, "{}"));
    QVERIFY(!fs::exists(m_folder));  // nothing is made where it was
    fs::rename(m_scratch / "elsewhere", m_folder);
    QVERIFY(workspace->renameRun(run.id, "back"));
}

void TestWorkspaceKeeping::mendsFlippedPages() {
    {
        const auto workspace = openAt(m_folder);
        for (int i = 0; i < 12; ++i) endRun(*workspace, newRun(*workspace, "run"));
    }
    const auto before = dump(m_folder);
    const auto file = m_folder / "catalog.sqlite";
    int found = 0, tried = 0;
    for (std::size_t page = 1; page * 4096 < fs::file_size(file); page += 3, ++tried) {
        std::string bytes = *readFile(file);
        for (std::size_t at = 0; at < 4096; at += 7) bytes[page * 4096 + at] = static_cast<char>(~bytes[page * 4096 + at]);
        std::ofstream(file, std::ios::binary) << bytes;
        {
            const auto workspace = openAt(m_folder);
            for (const auto& notice : workspace->notices())
                found += notice.starts_with("The catalog was damaged; it was kept as catalog.damaged-");
        }
        compareDumps(dump(m_folder), before);  // a page that nothing uses harms nothing
    }
    QVERIFY(tried > 5);
    QVERIFY2(found > tried / 2, qPrintable(QStringLiteral("%1 of %2 found").arg(found).arg(tried)));
}

void TestWorkspaceKeeping::cleansNamesFromFiles() {
    const auto workspace = openAt(m_folder);
    const auto run = newRun(*workspace, "two\nlines\t<b>\x1b[31m");
    QCOMPARE(workspace->run(run.id)->name, std::string("two lines <b> [31m"));
    const auto longest = newRun(*workspace, std::string(199, 'a') + "ü" + std::string(100, 'b'));
    QCOMPARE(workspace->run(longest.id)->name, std::string(199, 'a'));  // not half a character
    const auto set = newDataset(*workspace, m_scratch, "a\nb");
    QCOMPARE(workspace->dataset(set.id)->name, std::string("a b"));
    QVERIFY(readFile(m_folder / "datasets" / set.id / "dataset.json")->find("\"a b\"") != std::string::npos);
    QVERIFY(workspace->rebuild());
    QCOMPARE(workspace->dataset(set.id)->name, std::string("a b"));
}

QTEST_GUILESS_MAIN(TestWorkspaceKeeping)
#include "tst_workspace_keeping.moc"
