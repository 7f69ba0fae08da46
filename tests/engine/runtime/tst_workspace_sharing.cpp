// labels: fast gate
#include <set>
#include <thread>

#include <QtTest>

#include "tests/support/workspace_samples.h"

using namespace espalier;
using namespace espalier::tests;

/// Several windows and command lines on one workspace at the same time: nothing is lost, each sees the others.
class TestWorkspaceSharing : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_temporary = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_temporary->path().toStdString()) / "workspace";
    }
    void manyProcessesEditOneRun();
    void undoIsTakenOnceByTwoWindows();
    void seesWhatOthersChange();

private:
    fs::path m_folder;
    std::unique_ptr<QTemporaryDir> m_temporary;
};

void TestWorkspaceSharing::manyProcessesEditOneRun() {
    const auto workspace = openAt(m_folder);
    const auto run = newRun(*workspace, "shared");
    endRun(*workspace, run);
    std::vector<pid_t> children;
    for (int process = 0; process < 4; ++process)
        children.push_back(inChild([&, process] {
            const auto mine = Workspace::open(m_folder);
            if (!mine) return 2;
            for (int i = 0; i < 15; ++i) {
                if (!(*mine)->addTag({run.id}, std::to_string(process) + "-" + std::to_string(i))) return 3;
                auto own = newRun(**mine, "run");
                endRun(**mine, own);
                if (i % 3 == 0 && !(*mine)->trashRun(own.id)) return 4;
            }
            return 0;
        }));
    std::thread reader([&] {
        for (int i = 0; i < 50; ++i) {
            const auto runs = workspace->runs(true);
            if (!runs) qFatal("%s", runs.error().sentence().c_str());
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    });
    for (const auto child : children) QCOMPARE(exitStatus(child), 0);
    reader.join();
    const auto shared = *workspace->run(run.id);
    QCOMPARE(shared.tags.size(), std::size_t(60));  // no tag was lost to another process
    QVERIFY(readFile(fs::path(run.folder) / "user.json")->find("3-14") != std::string::npos);
    const auto rows = *workspace->runs(true);
    QCOMPARE(rows.size(), std::size_t(61));
    std::set<std::string> names;
    for (const auto& row : rows) names.insert(row.name);
    QCOMPARE(names.size(), std::size_t(61));
    QCOMPARE(workspace->trash()->size(), std::size_t(20));
    QCOMPARE(workspace->check()->size(), std::size_t(0));
    const auto before = dump(m_folder);
    QVERIFY(workspace->rebuild());
    compareDumps(dump(m_folder), before);
}

void TestWorkspaceSharing::undoIsTakenOnceByTwoWindows() {
    const auto first = openAt(m_folder), second = openAt(m_folder);
    const auto run = newRun(*first, "run");
    endRun(*first, run);
    for (int i = 0; i < 40; ++i) QVERIFY(first->setRunNote(run.id, std::to_string(i)));
    std::vector<std::string> taken[2];
    std::thread threads[2];
    for (int i = 0; i < 2; ++i)
        threads[i] = std::thread([&, i] {
            for (int step = 0; step < 10; ++step)
                if (const auto undone = (i ? second : first)->undo()) taken[i].push_back(*undone);
        });
    for (auto& thread : threads) thread.join();
    QCOMPARE(taken[0].size() + taken[1].size(), std::size_t(20));
    QCOMPARE(first->run(run.id)->note, std::string("19"));
    QCOMPARE(second->run(run.id)->note, std::string("19"));
}

void TestWorkspaceSharing::seesWhatOthersChange() {
    const auto workspace = openAt(m_folder);
    const auto run = newRun(*workspace, "run");
    endRun(*workspace, run);
    auto counter = workspace->changeCounter();
    const auto change = [&](const std::function<bool(Workspace&)>& edit) {
        const int status = exitStatus(inChild([&] {
            const auto theirs = Workspace::open(m_folder);
            return theirs && edit(**theirs) ? 0 : 1;
        }));
        const auto now = workspace->changeCounter();
        const bool isNoticed = now != counter;
        counter = now;
        return status == 0 && isNoticed;
    };
    QVERIFY(change([&](Workspace& theirs) { return theirs.renameRun(run.id, "theirs").has_value(); }));
    QCOMPARE(workspace->run(run.id)->name, std::string("theirs"));
    QCOMPARE(workspace->queryRunIds("name = theirs")->size(), std::size_t(1));
    QVERIFY(change([&](Workspace& theirs) { return theirs.trashRun(run.id).has_value(); }));
    QVERIFY(workspace->runs()->empty());
    QVERIFY(workspace->manifestText(run.id));  // it is looked for where it lies now
    QVERIFY(change([&](Workspace& theirs) { return theirs.undo().has_value(); }));
    QCOMPARE(workspace->runs()->size(), std::size_t(1));
}

QTEST_GUILESS_MAIN(TestWorkspaceSharing)
#include "tst_workspace_sharing.moc"
