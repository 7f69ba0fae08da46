#include <cmath>
#include <fstream>
#include <limits>

#include <sqlite3.h>

#include <QtTest>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/intake/dataset_builder.h"
#include "engine/intake/dataset_store.h"
#include "engine/runlog/run_log_writer.h"
#include "engine/runtime/workspace.h"
#include "engine/runtime/workspace_impl.h"

using namespace espalier;
using runtime::Workspace;
namespace fs = std::filesystem;

namespace {

std::shared_ptr<Workspace> openAt(const fs::path& folder) {
    auto opened = Workspace::open(folder);
    if (!opened) qFatal("%s", opened.error().sentence().c_str());
    return *opened;
}

feed::RunInfo newRun(Workspace& workspace, const std::string& name, feed::JobState state = feed::JobState::Completed) {
    feed::RunInfo run;
    run.name = name;
    run.recipe = "70-compact-transformers";
    run.scale = "desk";
    run.params = {{"lr", "0.001"}, {"variant", "cct2"}};
    const auto made = workspace.impl().createRun(run, R"({"recipe": "70-compact-transformers"})");
    if (!made) qFatal("%s", made.error().sentence().c_str());
    run.state = state;
    run.summary["valid/top1"] = {0.5, 0.75, 10, 20};
    run.activeSecs = 12.5;
    if (const auto updated = workspace.impl().updateRun(run); !updated) qFatal("%s", updated.error().sentence().c_str());
    return *workspace.run(run.id);
}

/// A table of four rows, imported by the real importer.
feed::DatasetSummary newDataset(Workspace& workspace, const fs::path& scratch, const std::string& name) {
    const auto csv = scratch / "small.csv";
    std::ofstream(csv) << "a,b,label\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,1,x\n2,2,y\n";
    intake::BuildRequest request;
    request.paths = {csv};
    const auto place = *workspace.impl().createDatasetFolder();
    request.id = place.filename().string();
    request.name = name;
    request.threads = 1;
    const auto built = intake::buildDataset(request, place, [](const auto&) {}, {});
    if (!built) qFatal("%s", built.error().sentence().c_str());
    const auto added = workspace.impl().addDataset(*built);
    if (!added) qFatal("%s", added.error().sentence().c_str());
    return *added;
}

std::string errorOf(const auto& result) { return result ? std::string("no error") : result.error().sentence(); }

int exitStatus(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void compareRows(const std::vector<feed::RunInfo>& actual, const std::vector<feed::RunInfo>& expected) {
    QCOMPARE(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const auto &a = actual[i], &b = expected[i];
        QCOMPARE(a.id, b.id);
        QCOMPARE(a.name, b.name);
        QCOMPARE(a.recipe, b.recipe);
        QCOMPARE(int(a.state), int(b.state));
        QCOMPARE(a.stateDetail, b.stateDetail);
        QCOMPARE(a.note, b.note);
        QCOMPARE(a.folder, b.folder);
        QCOMPARE(a.createdSecs, b.createdSecs);
        QCOMPARE(a.activeSecs, b.activeSecs);
        QCOMPARE(a.colorIndex, b.colorIndex);
        QCOMPARE(a.isTrashed, b.isTrashed);
        QVERIFY(a.tags == b.tags);
        QVERIFY(a.params == b.params);
        QVERIFY(a.summary == b.summary);
    }
}

}  // namespace

class TestWorkspace : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init();
    void picksTheDefaultFolder();
    void createsARunFolder();
    void givesFreeNamesAndColors();
    void findsRunsByIdStartAndName();
    void explainsAnUnknownName();
    void filtersAndExplainsUnknownKeys();
    void undoesAndRedoesEverything();
    void undoSurvivesARestart();
    void trashesRestoresAndEmpties();
    void refusesToTrashALiveRun();
    void marksRunsOfDeadProcesses();
    void onlyOneProcessWorksOnARun();
    void rebuildGivesTheSameRows();
    void checkNamesWhatIsWrong();
    void checkLooksIntoTheSearchIndex();
    void mendsAHalfDoneMoveToTheTrash();
    void staysWholeWhenKilledInTheMiddle();
    void survivesADamagedCatalog();
    void explainsAnUnusableFolder();
    void followsAndExportsMetrics();
    void keepsDataSets();
    void tellsListeners();

private:
    fs::path m_folder, m_scratch;
    std::unique_ptr<QTemporaryDir> m_temporary;
};

void TestWorkspace::init() {
    m_temporary = std::make_unique<QTemporaryDir>();
    m_scratch = m_temporary->path().toStdString();
    m_folder = m_scratch / "workspace";
}

void TestWorkspace::picksTheDefaultFolder() {
    qputenv("ESPALIER_WORKSPACE", "/named/by/variable");
    QCOMPARE(Workspace::defaultFolder("/named/by/flag"), fs::path("/named/by/flag"));
    QCOMPARE(Workspace::defaultFolder(), fs::path("/named/by/variable"));
    qunsetenv("ESPALIER_WORKSPACE");
    QCOMPARE(Workspace::defaultFolder(), userDataFolder() / "workspace");
}

void TestWorkspace::createsARunFolder() {
    const auto workspace = openAt(m_folder);
    const auto run = newRun(*workspace, "first");
    QCOMPARE(run.id.size(), std::size_t(12));
    QCOMPARE(run.folder, (fs::absolute(m_folder) / "runs" / run.id).string());
    for (const char* inner : {"manifest.json", "state.json", "user.json", "checkpoints", "artifacts"})
        QVERIFY2(fs::exists(fs::path(run.folder) / inner), inner);
    const auto manifest = workspace->manifestText(run.id);
    QVERIFY(manifest);
    QVERIFY(manifest->find("\"variant\": \"cct2\"") != std::string::npos);
    QVERIFY(run.bytesOnDisk > 200);
    QCOMPARE(run.summary.at("valid/top1").best, 0.75);
    feed::RunInfo bad;
    QVERIFY(!workspace->impl().createRun(bad, "not json"));
    QCOMPARE(workspace->runs()->size(), std::size_t(1));
    QCOMPARE(std::distance(fs::directory_iterator(m_folder / "runs"), {}), 1);
}

void TestWorkspace::givesFreeNamesAndColors() {
    const auto workspace = openAt(m_folder);
    QCOMPARE(newRun(*workspace, "cct").name, std::string("cct"));
    QCOMPARE(newRun(*workspace, "cct").name, std::string("cct-2"));
    const auto unnamed = newRun(*workspace, "");
    QCOMPARE(unnamed.name, std::string("compact-transformers-s0"));
    QCOMPARE(unnamed.colorIndex, 2);
    QCOMPARE(workspace->runs()->front().id, unnamed.id);
}

void TestWorkspace::findsRunsByIdStartAndName() {
    const auto workspace = openAt(m_folder);
    const auto a = newRun(*workspace, "a run"), b = newRun(*workspace, "b run");
    QCOMPARE(workspace->findRun(a.id)->id, a.id);
    QCOMPARE(workspace->findRun("b run")->id, b.id);
    std::size_t length = 1;
    while (a.id.compare(0, length, b.id, 0, length) == 0) ++length;
    QCOMPARE(workspace->findRun(a.id.substr(0, length))->id, a.id);
    const auto shared = workspace->findRun(a.id.substr(0, length - 1));
    QVERIFY(!shared);
    QVERIFY(shared.error().what.find(a.id + " (a run, completed)") != std::string::npos);
    QVERIFY(shared.error().what.find(b.id + " (b run, completed)") != std::string::npos);
    QVERIFY(workspace->renameRun(b.id, "a run"));
    const auto twice = workspace->findRun("a run");
    QVERIFY(!twice);
    QCOMPARE(twice.error().remedy, std::string("Name one by its id"));
    QVERIFY(workspace->trashRun(b.id));
    QCOMPARE(workspace->findRun("a run")->id, a.id);  // the trash does not count while another fits
    QVERIFY(workspace->findRun(b.id)->isTrashed);
}

void TestWorkspace::explainsAnUnknownName() {
    const auto workspace = openAt(m_folder);
    newRun(*workspace, "cct7-F-s1");
    newRun(*workspace, "cct7-F-s2");
    newRun(*workspace, "elsewhere");
    QCOMPARE(errorOf(workspace->findRun("cct7-F-s3")),
             std::string("cct7-F-s3: no run has this id or name. Similar names are 'cct7-F-s1' and 'cct7-F-s2'."));
    QCOMPARE(errorOf(workspace->findRun("qqqqqqqq")),
             std::string("qqqqqqqq: no run has this id or name. List the runs to see their names."));
    QVERIFY(!workspace->findRun(""));
}

void TestWorkspace::filtersAndExplainsUnknownKeys() {
    const auto workspace = openAt(m_folder);
    const auto a = newRun(*workspace, "alpha");
    newRun(*workspace, "beta", feed::JobState::Failed);
    const auto found = workspace->queryRuns("valid/top1 > 0.7 and state = completed", "-name");
    QVERIFY(found);
    QCOMPARE(found->size(), std::size_t(1));
    QCOMPARE(found->front().id, a.id);
    QCOMPARE(found->front().folder, a.folder);
    QCOMPARE(workspace->queryRunIds("", "name")->front(), a.id);
    QCOMPARE(errorOf(workspace->queryRuns("varient = cct2")),
             std::string("filter, character 1: no run has a parameter or column \"varient\". A similar name is 'variant'."));
}

void TestWorkspace::undoesAndRedoesEverything() {
    const auto workspace = openAt(m_folder);
    const auto a = newRun(*workspace, "a"), b = newRun(*workspace, "b");
    QCOMPARE(workspace->undoText(), std::string());
    QCOMPARE(errorOf(workspace->undo()), m_folder.string() + ": there is nothing to undo.");
    std::vector<std::vector<feed::RunInfo>> history;
    std::vector<std::string> texts;
    const auto remember = [&](const Result<void>& done) {
        QVERIFY2(done, errorOf(done).c_str());
        history.push_back(*workspace->runs(true));
        texts.push_back(workspace->undoText());
    };
    remember({});
    remember(workspace->renameRun(a.id, "renamed"));
    remember(workspace->addTag({a.id, b.id}, "paper"));
    remember(workspace->setRunTags(a.id, {"x", "y", "x"}));
    remember(workspace->setRunNote(b.id, "a note\nof two lines"));
    remember(workspace->trashRuns({a.id, b.id}));
    remember(workspace->restoreRun(a.id));
    remember(workspace->removeTag({a.id, b.id}, "x"));
    QCOMPARE(texts[1], std::string("rename \"a\" to \"renamed\""));
    QCOMPARE(texts[2], std::string("tag 2 runs \"paper\""));
    QCOMPARE(texts[4], std::string("change the note of \"b\""));
    QCOMPARE(texts[5], std::string("delete 2 runs"));
    QCOMPARE(texts[6], std::string("restore \"renamed\""));
    QCOMPARE(texts[7], std::string("remove tag \"x\" from 1 run"));
    QVERIFY(history[3].back().tags == (std::vector<std::string>{"x", "y"}));
    for (std::size_t i = history.size() - 1; i > 0; --i) {
        QCOMPARE(*workspace->undo(), texts[i]);
        compareRows(*workspace->runs(true), history[i - 1]);
    }
    QVERIFY(!workspace->undo());
    for (std::size_t i = 1; i < history.size(); ++i) {
        QCOMPARE(workspace->redoText(), texts[i]);
        QCOMPARE(*workspace->redo(), texts[i]);
        compareRows(*workspace->runs(true), history[i]);
    }
    QVERIFY(!workspace->redo());
    QVERIFY(!workspace->renameRun(a.id, "  "));
    QVERIFY(!workspace->renameRun(a.id, "two\nlines"));
}

void TestWorkspace::undoSurvivesARestart() {
    std::string id;
    {
        const auto workspace = openAt(m_folder);
        id = newRun(*workspace, "before").id;
        QVERIFY(workspace->renameRun(id, "after"));
    }
    const auto workspace = openAt(m_folder);
    QCOMPARE(workspace->undoText(), std::string("rename \"before\" to \"after\""));
    QVERIFY(workspace->undo());
    QCOMPARE(workspace->run(id)->name, std::string("before"));
}

void TestWorkspace::trashesRestoresAndEmpties() {
    const auto workspace = openAt(m_folder);
    const auto a = newRun(*workspace, "a"), b = newRun(*workspace, "b");
    std::ofstream(fs::path(a.folder) / "artifacts" / "big.bin") << std::string(100000, 'x');
    QVERIFY(workspace->trashRun(a.id));
    QVERIFY(!fs::exists(a.folder));
    QVERIFY(fs::exists(m_folder / "trash" / ("run-" + a.id) / "manifest.json"));
    QCOMPARE(workspace->runs()->size(), std::size_t(1));
    QCOMPARE(workspace->runs(true)->size(), std::size_t(2));
    QVERIFY(workspace->manifestText(a.id));
    const auto entries = *workspace->trash();
    QCOMPARE(entries.size(), std::size_t(1));
    QCOMPARE(entries[0].kind, std::string("run"));
    QCOMPARE(entries[0].name, std::string("a"));
    QVERIFY(entries[0].bytes >= 100000);
    QVERIFY(workspace->restoreRun(a.id));
    QVERIFY(fs::exists(a.folder));
    QVERIFY(workspace->trashRun(a.id));
    QVERIFY(workspace->renameRun(b.id, "bb"));
    QVERIFY(*workspace->emptyTrash() >= 100000);
    QVERIFY(!fs::exists(m_folder / "trash" / ("run-" + a.id)));
    QVERIFY(!workspace->run(a.id));
    QCOMPARE(workspace->undoText(), std::string("rename \"b\" to \"bb\""));
    QVERIFY(workspace->undo());
    QVERIFY(!workspace->undo());  // the edits of the erased run went with it
    QCOMPARE(*workspace->emptyTrash(), std::int64_t(0));
}

void TestWorkspace::refusesToTrashALiveRun() {
    const auto workspace = openAt(m_folder);
    const auto run = newRun(*workspace, "busy", feed::JobState::Running);
    const auto idle = newRun(*workspace, "idle");
    QCOMPARE(errorOf(workspace->trashRun(run.id)), std::string("busy: is still running. Stop the run first."));
    QVERIFY(!workspace->trashRuns({idle.id, run.id}));
    QVERIFY(!workspace->run(idle.id)->isTrashed);
    QVERIFY(fs::exists(idle.folder));  // moved back when the second was refused
    const auto other = openAt(m_folder);
    QVERIFY(!other->trashRun(run.id));
    auto ended = run;
    ended.state = feed::JobState::Stopped;
    QVERIFY(workspace->impl().updateRun(ended));
    QVERIFY(other->trashRun(run.id));
}

void TestWorkspace::marksRunsOfDeadProcesses() {
    const auto workspace = openAt(m_folder);
    const auto mine = newRun(*workspace, "mine", feed::JobState::Running);
    int pipes[2];
    QCOMPARE(::pipe(pipes), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto theirs = openAt(m_folder);
        newRun(*theirs, "theirs", feed::JobState::Running);
        (void)!::write(pipes[1], "+", 1);
        for (;;) ::pause();
    }
    char byte = 0;
    QCOMPARE(::read(pipes[0], &byte, 1), ssize_t(1));
    {
        const auto third = openAt(m_folder);
        QCOMPARE(int(third->findRun("theirs")->state), int(feed::JobState::Running));
        QCOMPARE(*third->noticeDeadRuns(), 0);
    }
    ::kill(child, SIGKILL);
    exitStatus(child);
    QCOMPARE(*workspace->noticeDeadRuns(), 1);
    const auto dead = *workspace->findRun("theirs");
    QCOMPARE(int(dead.state), int(feed::JobState::Interrupted));
    QVERIFY(readFile(fs::path(dead.folder) / "state.json")->find("\"interrupted\"") != std::string::npos);
    QCOMPARE(int(workspace->run(mine.id)->state), int(feed::JobState::Running));
    QVERIFY(workspace->impl().lockRun(dead.id));  // it can be continued here
    ::close(pipes[0]);
    ::close(pipes[1]);
}

void TestWorkspace::onlyOneProcessWorksOnARun() {
    const auto workspace = openAt(m_folder), other = openAt(m_folder);
    const auto run = newRun(*workspace, "shared");
    QVERIFY(workspace->impl().lockRun(run.id));
    QVERIFY(workspace->impl().lockRun(run.id));
    QVERIFY(other->impl().isRunLive(run.id));
    QCOMPARE(errorOf(other->impl().lockRun(run.id)),
             run.id + ": another process is working on this run. Wait for it or stop it there.");
    workspace->impl().unlockRun(run.id);
    QVERIFY(!other->impl().isRunLive(run.id));
    QVERIFY(other->impl().lockRun(run.id));
}

void TestWorkspace::rebuildGivesTheSameRows() {
    auto workspace = openAt(m_folder);
    const auto a = newRun(*workspace, "a"), b = newRun(*workspace, "b", feed::JobState::Failed), c = newRun(*workspace, "c");
    QVERIFY(workspace->setRunTags(a.id, {"paper", "best"}));
    QVERIFY(workspace->setRunNote(b.id, "note \"quoted\" ü"));
    QVERIFY(workspace->renameRun(b.id, "b renamed"));
    QVERIFY(workspace->trashRun(c.id));
    const auto set = newDataset(*workspace, m_scratch, "small");
    const auto before = *workspace->runs(true);
    QVERIFY(workspace->rebuild());
    compareRows(*workspace->runs(true), before);
    workspace.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(m_folder / (std::string("catalog.sqlite") + suffix));
    workspace = openAt(m_folder);
    compareRows(*workspace->runs(true), before);  // a missing catalog is made again on its own
    QCOMPARE(workspace->rebuild()->size(), std::size_t(0));
    compareRows(*workspace->runs(true), before);
    QCOMPARE(workspace->queryRuns("tag = best and paper")->size(), std::size_t(1));
    QCOMPARE(workspace->datasets()->front().hash, set.hash);
    QCOMPARE(workspace->check()->size(), std::size_t(0));
}

void TestWorkspace::checkNamesWhatIsWrong() {
    const auto workspace = openAt(m_folder);
    const auto gone = newRun(*workspace, "gone"), broken = newRun(*workspace, "broken"), good = newRun(*workspace, "good");
    QCOMPARE(workspace->check()->size(), std::size_t(0));
    fs::remove_all(gone.folder);
    std::ofstream(fs::path(broken.folder) / "manifest.json") << "{\"run\": [";
    fs::create_directories(m_folder / "runs" / "stray");
    std::map<std::string, std::string> kinds;
    const auto warnings = *workspace->check();
    for (const auto& warning : warnings) kinds[warning.file + " " + warning.kind] = warning.detail;
    QCOMPARE(kinds.size(), std::size_t(4));
    QVERIFY(kinds.contains("runs/" + gone.id + " row_without_folder"));
    QVERIFY(kinds.contains("runs/" + broken.id + " unreadable_manifest"));
    QVERIFY(kinds.contains("runs/stray unreadable_manifest"));
    QVERIFY(kinds.contains("runs/stray folder_without_row"));
    const auto rebuilt = *workspace->rebuild();
    QCOMPARE(rebuilt.size(), std::size_t(2));
    QCOMPARE(workspace->runs()->size(), std::size_t(1));
    QCOMPARE(workspace->runs()->front().id, good.id);
    QVERIFY(fs::exists(fs::path(broken.folder) / "state.json"));  // nothing is deleted
}

void TestWorkspace::checkLooksIntoTheSearchIndex() {
    for (const char* harm : {"DELETE FROM run_text_data WHERE id > 10", "DELETE FROM run_text"}) {
        const auto folder = m_folder / std::to_string(std::hash<std::string>()(harm));
        {
            const auto workspace = openAt(folder);
            newRun(*workspace, "findable");
            QCOMPARE(workspace->check()->size(), std::size_t(0));
        }
        sqlite3* handle = nullptr;
        QCOMPARE(sqlite3_open((folder / "catalog.sqlite").c_str(), &handle), SQLITE_OK);
        QCOMPARE(sqlite3_exec(handle, harm, nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(handle);
        const auto workspace = openAt(folder);
        const auto warnings = *workspace->check();
        QCOMPARE(warnings.size(), std::size_t(1));
        QCOMPARE(warnings.front().kind, std::string("damaged_search"));
        QVERIFY(workspace->rebuild());
        QCOMPARE(workspace->check()->size(), std::size_t(0));
    }
}

void TestWorkspace::mendsAHalfDoneMoveToTheTrash() {
    std::string moved, kept;
    {
        const auto workspace = openAt(m_folder);
        const auto a = newRun(*workspace, "a"), b = newRun(*workspace, "b");
        moved = a.id;
        kept = b.id;
        QVERIFY(workspace->trashRun(kept));
        fs::rename(a.folder, m_folder / "trash" / ("run-" + moved));
        fs::rename(m_folder / "trash" / ("run-" + kept), b.folder);
    }
    const auto workspace = openAt(m_folder);
    QVERIFY(workspace->run(moved)->isTrashed);
    QVERIFY(!workspace->run(kept)->isTrashed);
    QVERIFY(workspace->restoreRun(moved));
    QCOMPARE(workspace->check()->size(), std::size_t(0));
}

void TestWorkspace::staysWholeWhenKilledInTheMiddle() {
    openAt(m_folder);
    for (int round = 0; round < 20; ++round) {
        int pipes[2];
        QCOMPARE(::pipe(pipes), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            const auto workspace = openAt(m_folder);
            for (int i = 0;; ++i) {
                const auto run = newRun(*workspace, "r");
                (void)workspace->addTag({run.id}, "t");
                (void)workspace->trashRun(run.id);
                if (i % 2) (void)workspace->undo();
                if (i == 0) (void)!::write(pipes[1], "+", 1);
            }
        }
        char byte = 0;
        QCOMPARE(::read(pipes[0], &byte, 1), ssize_t(1));
        ::usleep(static_cast<useconds_t>(round * 1300));
        ::kill(child, SIGKILL);
        exitStatus(child);
        ::close(pipes[0]);
        ::close(pipes[1]);
        const auto workspace = openAt(m_folder);
        const auto warnings = *workspace->check();
        for (const auto& warning : warnings)
            QVERIFY2(warning.kind == "folder_without_row", (warning.file + " " + warning.kind + " " + warning.detail).c_str());
        const auto rows = *workspace->runs(true);
        QVERIFY(!rows.empty());
        for (const auto& row : rows) {
            QVERIFY(fs::exists(fs::path(row.folder) / "manifest.json"));
            QVERIFY(feed::isFinal(row.state));
        }
    }
    const auto workspace = openAt(m_folder);
    const auto folders = std::distance(fs::directory_iterator(m_folder / "trash"), {});
    QVERIFY(folders > 0);
    QVERIFY(workspace->rebuild());
    QCOMPARE(workspace->check()->size(), std::size_t(0));
    QVERIFY(*workspace->emptyTrash() > 0);
    QCOMPARE(std::distance(fs::directory_iterator(m_folder / "trash"), {}), 0);
}

void TestWorkspace::survivesADamagedCatalog() {
    std::vector<feed::RunInfo> before;
    {
        const auto workspace = openAt(m_folder);
        newRun(*workspace, "a");
        newRun(*workspace, "b");
        before = *workspace->runs();
    }
    fs::remove(m_folder / "catalog.sqlite-wal");
    std::ofstream(m_folder / "catalog.sqlite") << std::string(9000, 'x');
    const auto workspace = openAt(m_folder);
    compareRows(*workspace->runs(), before);
    bool isKept = false;
    for (const auto& entry : fs::directory_iterator(m_folder))
        isKept = isKept || entry.path().filename().string().starts_with("catalog.damaged-");
    QVERIFY(isKept);
}

void TestWorkspace::explainsAnUnusableFolder() {
    std::ofstream(m_scratch / "file") << "x";
    const auto inTheWay = Workspace::open(m_scratch / "file" / "workspace");
    QVERIFY(!inTheWay);
    QVERIFY(inTheWay.error().what.starts_with("the folder cannot be created"));
    QVERIFY(!Workspace::open(m_scratch / "file"));
    QVERIFY(!Workspace::open(fs::path()));
}

void TestWorkspace::followsAndExportsMetrics() {
    const auto workspace = openAt(m_folder);
    const auto run = newRun(*workspace, "logged", feed::JobState::Running);
    auto writer = std::move(*runlog::RunLogWriter::open(run.folder));
    const auto loss = writer->series("train/loss"), top1 = writer->series("valid/top1");
    writer->scalar(loss, 1, 100.5, 0.1);
    writer->scalar(loss, 2, 101.25, std::numeric_limits<double>::quiet_NaN());
    QVERIFY(writer->flush());
    QCOMPARE(workspace->readSeries(run.id, "train/loss")->values.size(), std::size_t(2));
    writer->scalar(loss, 3, 102, -std::numeric_limits<double>::infinity());
    writer->scalar(top1, 3, 102, 1.0 / 3.0);
    QVERIFY(writer->flush());
    QCOMPARE(workspace->readSeries(run.id, "train/loss")->values.size(), std::size_t(3));  // the open reader grew
    QVERIFY(writer->close(true));
    QCOMPARE(workspace->series(run.id)->size(), std::size_t(2));
    const auto csv = m_scratch / "m.csv";
    QVERIFY(workspace->exportMetricsCsv(run.id, "", csv));
    QCOMPARE(*readFile(csv), std::string("series,step,wall_secs,value\n"
                                         "train/loss,1,100.5,0.1\n"
                                         "train/loss,2,101.25,nan\n"
                                         "train/loss,3,102,-inf\n"
                                         "valid/top1,3,102,0.3333333333333333\n"));
    QVERIFY(workspace->exportMetricsCsv(run.id, "valid/*", csv));
    QCOMPARE(*readFile(csv), std::string("series,step,wall_secs,value\nvalid/top1,3,102,0.3333333333333333\n"));
    auto ended = run;
    ended.state = feed::JobState::Completed;
    QVERIFY(workspace->impl().updateRun(ended));
    QVERIFY(workspace->trashRun(run.id));
    QCOMPARE(workspace->readSeries(run.id, "valid/top1")->values.size(), std::size_t(1));
}

void TestWorkspace::keepsDataSets() {
    const auto workspace = openAt(m_folder);
    const auto first = newDataset(*workspace, m_scratch, "small"), second = newDataset(*workspace, m_scratch, "small");
    QCOMPARE(second.name, std::string("small-2"));
    QCOMPARE(first.samples, std::int64_t(6));
    QCOMPARE(workspace->datasets()->size(), std::size_t(2));
    QCOMPARE(workspace->findDataset("small-2")->id, second.id);
    QCOMPARE(errorOf(workspace->findDataset("smal")),
             std::string("smal: no data set has this id or name. Similar names are 'small' and 'small-2'."));
    QCOMPARE(workspace->samples(first.id, 1, 3)->size(), std::size_t(3));
    QCOMPARE(workspace->samples(first.id, 4, 30)->size(), std::size_t(2));
    const auto ofClass = *workspace->samples(first.id, 1, -1, 1);
    QCOMPARE(ofClass.size(), std::size_t(2));
    for (const auto& sample : ofClass) QCOMPARE(sample.label, std::int64_t(1));
    QVERIFY(workspace->renameDataset(first.id, "tiny"));
    QVERIFY(readFile(m_folder / "datasets" / first.id / "dataset.json")->find("\"tiny\"") != std::string::npos);
    QVERIFY(workspace->undo());
    QCOMPARE(workspace->dataset(first.id)->name, std::string("small"));
    const auto split = workspace->resplit(first.id, {0.5, 0.0, 0.5}, 9);
    QVERIFY2(split, errorOf(split).c_str());
    QVERIFY(split->hash != first.hash);
    QCOMPARE(workspace->dataset(first.id)->hash, split->hash);
    QCOMPARE(workspace->dataset(first.id)->splitSeed, std::int64_t(9));
    QVERIFY(workspace->trashDataset(first.id));
    QCOMPARE(workspace->datasets()->size(), std::size_t(1));
    QVERIFY(workspace->restoreDataset(first.id));
    QVERIFY(workspace->samples(first.id, 0, 1));
}

void TestWorkspace::tellsListeners() {
    const auto workspace = openAt(m_folder);
    std::vector<std::string> heard;
    const int token = workspace->impl().addListener([&](const feed::CatalogChanged& change) {
        for (const auto& id : change.runIds) heard.push_back(id);
    });
    const auto before = workspace->changeCounter();
    const auto run = newRun(*workspace, "loud");
    QVERIFY(workspace->changeCounter() != before);
    QVERIFY(heard == (std::vector<std::string>{run.id, run.id}));
    workspace->impl().removeListener(token);
    QVERIFY(workspace->setRunNote(run.id, "quiet"));
    QCOMPARE(heard.size(), std::size_t(2));
}

QTEST_GUILESS_MAIN(TestWorkspace)
#include "tst_workspace.moc"
