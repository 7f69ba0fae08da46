// labels: fast gate
#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <thread>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/clock.h"
#include "engine/runlog/compaction.h"
#include "engine/runlog/run_file.h"
#include "tests/support/memory_folder.h"
#include "tests/support/run_log_samples.h"

using namespace espalier;
using namespace espalier::tests;

/// Kills, cuts, flipped bytes and a full disk: what was stored before stays readable.
class TestRunLogFaults : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        // Processes die here, not disks: in memory where that is possible.
        tests::useMemoryFolder();
    }
    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_dir->path().toStdString()) / "run";
    }

    void killedWriterLosesLittle();
    void truncatedRunFileIsRebuilt();
    void damagedJournalTail();
    void damagedJournalMiddle();
    void compactionKilled();
    void compactionFails();
    void fullDisk();
    void fullDiskThatIsFreedLosesNothing();
    void fullFileSystem();
    void folderMovedAwayAndBack();
    void folderDeleted();

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_folder;
};

void TestRunLogFaults::killedWriterLosesLittle() {
    std::mt19937 random(7);
    double worstLoss = 0;
    for (int round = 0; round < 20; ++round) {
        const auto folder = m_folder / std::to_string(round);
        const double startedAt = wallClockSecs();
        const pid_t child = ::fork();
        if (child == 0) {
            auto writer = RunLogWriter::open(folder);
            if (!writer) ::_exit(1);
            const auto id = (*writer)->series("clock");
            for (std::int64_t i = 0;; ++i) {
                (*writer)->scalar(id, i, wallClockSecs(), static_cast<double>(i) * 0.5);
                // Every other writer is so slow that batches end by time, not by size.
                if (round % 2 == 0 || i % 50 == 49) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                if (i % 20000 == 19999) (*writer)->array(makeArray(feed::ArrayType::Float16, "attn/layer1", {9, 1000}));
            }
        }
        const bool isSlow = round % 2 == 0;
        std::this_thread::sleep_for(std::chrono::microseconds((isSlow ? 250000 : 60000) + random() % 150000));
        ::kill(child, SIGKILL);
        const double killedAt = wallClockSecs();
        ::waitpid(child, nullptr, 0);
        std::size_t seen = 0;
        {
            auto reader = RunLogReader::open(folder);  // before anybody repairs it
            VERIFY_OK(reader);
            const auto columns = (*reader)->series()->empty() ? feed::SeriesColumns{} : *(*reader)->read("clock");
            seen = columns.values.size();
            for (std::size_t i = 0; i < seen; ++i) {
                QCOMPARE(columns.steps[i], std::int64_t(i));
                QCOMPARE(columns.values[i], double(i) * 0.5);
            }
            // The SWMR mirror alone: whole up to its commit counter, and never ahead of the journal.
            const auto mirror = RunFile::open(folder / "run.h5");
            VERIFY_OK(mirror);
            const auto model = mirror->liveModel();
            VERIFY_OK(model);
            QVERIFY(mirror->committedRows(Table::Events) <= seen);
            if (!model->columns.empty()) {
                QCOMPARE(model->columns[0].values.size(), std::size_t(mirror->committedRows(Table::Events)));
                for (std::size_t i = 0; i < model->columns[0].values.size(); ++i)
                    QCOMPARE(model->columns[0].values[i], double(i) * 0.5);
            }
            worstLoss = std::max(worstLoss, killedAt - (seen > 0 ? columns.wallSecs.back() : startedAt));
        }
        auto writer = RunLogWriter::open(folder);
        VERIFY_OK(writer);
        VERIFY_OK((*writer)->error());
        (*writer)->scalar((*writer)->series("clock"), std::int64_t(seen), 0, double(seen) * 0.5);
        VERIFY_OK((*writer)->close(true));
        auto reader = RunLogReader::open(folder);
        VERIFY_OK(reader);
        QCOMPARE((*reader)->read("clock")->values.size(), seen + 1);
    }
    qInfo("worst loss over 20 kills: %.3f s", worstLoss);
    QVERIFY(worstLoss <= 1.0);
}

void TestRunLogFaults::truncatedRunFileIsRebuilt() {
    for (const double part : {0.0, 0.01, 0.3, 0.7, 0.99}) {
        const auto folder = m_folder / std::to_string(part);
        {
            auto writer = RunLogWriter::open(folder);
            VERIFY_OK(writer);
            fill(**writer);
            VERIFY_OK((*writer)->close(false));
        }
        fs::resize_file(folder / "run.h5", static_cast<std::uintmax_t>(double(fs::file_size(folder / "run.h5")) * part));
        const double before = steadySecs();
        {
            auto reader = RunLogReader::open(folder);
            VERIFY_OK(reader);
            checkScalars(**reader);
            checkRest(**reader);
            VERIFY_OK((*reader)->readArray(0));
        }
        auto writer = RunLogWriter::open(folder);
        VERIFY_OK(writer);
        VERIFY_OK((*writer)->error());
        QVERIFY(steadySecs() - before < 2.0);
        VERIFY_OK((*writer)->close(true));
        auto reader = RunLogReader::open(folder);
        VERIFY_OK(reader);
        checkScalars(**reader);
        const auto arrays = (*reader)->arrays();
        VERIFY_OK(arrays);
        QVERIFY(arrays->size() == 3 || arrays->size() == 4);
        if (arrays->size() == 3) {
            const auto warnings = (*reader)->warnings();
            QCOMPARE(warnings->back().kind, std::string("array_lost"));
        }
    }
}

void TestRunLogFaults::damagedJournalTail() {
    {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        VERIFY_OK((*writer)->close(false));
    }
    {
        std::ofstream out(m_folder / "journal.esj", std::ios::app | std::ios::binary);
        out << "ESJ1" << std::string(60, '\x07');  // half a frame
    }
    const auto size = fs::file_size(m_folder / "journal.esj");
    checkAll(m_folder);
    QCOMPARE(fs::file_size(m_folder / "journal.esj"), size);  // readers change nothing
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    checkScalars(**reader);
    checkArrays(**reader);
    const auto warnings = (*reader)->warnings();
    VERIFY_OK(warnings);
    QCOMPARE(warnings->size(), std::size_t(2));
    QCOMPARE(warnings->back().kind, std::string("journal_tail_cut"));
    QVERIFY(warnings->back().detail.find("64 bytes") != std::string::npos);
}

void TestRunLogFaults::damagedJournalMiddle() {
    {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        const auto id = (*writer)->series("s");
        for (int i = 0; i < 10; ++i) {
            (*writer)->scalar(id, i, 0, i);
            VERIFY_OK((*writer)->flush());  // a frame each
        }
        VERIFY_OK((*writer)->close(false));
    }
    fs::remove(m_folder / "run.h5");
    {
        std::fstream file(m_folder / "journal.esj", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(-200, std::ios::end);  // inside one of the last scalar frames of 48 bytes
        file.put('\xA5');
    }
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    QCOMPARE((*reader)->read("s")->values.size(), std::size_t(9));
    QCOMPARE((*reader)->warnings()->front().kind, std::string("journal_damaged"));
}

void TestRunLogFaults::compactionKilled() {
    {
        auto writer = RunLogWriter::open(m_folder);
        VERIFY_OK(writer);
        fill(**writer);
        const auto id = (*writer)->series("long");
        for (int i = 0; i < 300000; ++i) (*writer)->scalar(id, i, i, i % 977);
        VERIFY_OK((*writer)->close(false));
    }
    int killed = 0;
    for (int round = 0; round < 8; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            (void)compactRunLog(m_folder);
            ::_exit(0);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2 + 9 * round));
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        killed += WIFSIGNALED(status);
        auto reader = RunLogReader::open(m_folder);
        VERIFY_OK(reader);
        QCOMPARE((*reader)->read("long")->values.size(), std::size_t(300000));
        checkArrays(**reader);
    }
    QVERIFY(killed > 0);
    VERIFY_OK(compactRunLog(m_folder));
    QCOMPARE(stateOf(m_folder), std::string("compacted"));
    VERIFY_OK(compactRunLog(m_folder));  // nothing left to do
    QVERIFY(!fs::exists(m_folder / ".run.h5.compact"));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    QCOMPARE((*reader)->read("long")->values.size(), std::size_t(300000));
    checkArrays(**reader);
}

void TestRunLogFaults::compactionFails() {
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    fill(**writer);
    VERIFY_OK((*writer)->flush());
    const auto inTheWay = m_folder / ".run.h5.compact";
    fs::create_directories(inTheWay / "something");
    VERIFY_OK((*writer)->close(true));  // nothing is lost
    QVERIFY((*writer)->compactionError());
    QVERIFY2((*writer)->compactionError()->sentence().find(inTheWay.string()) != std::string::npos,
             (*writer)->compactionError()->sentence().c_str());
    checkAll(m_folder);
    QVERIFY(!compactRunLog(m_folder));
    fs::remove_all(inTheWay);
    VERIFY_OK(compactRunLog(m_folder));
    QCOMPARE(stateOf(m_folder), std::string("compacted"));
    checkAll(m_folder);
}

void TestRunLogFaults::fullDisk() {
    const int status = inChild([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        auto writer = RunLogWriter::open(m_folder);
        if (!writer) ::_exit(1);
        const auto id = (*writer)->series("s");
        for (int i = 0; i < 1000; ++i) (*writer)->scalar(id, i, 0, i);
        if (!(*writer)->flush()) ::_exit(2);
        const rlimit limit{fs::file_size(m_folder / "run.h5") + 100000, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        for (int i = 1000; i < 200000; ++i) (*writer)->scalar(id, i, 0, i);
        const auto flushed = (*writer)->flush();
        if (flushed || flushed.error().code != ErrorCode::Io) ::_exit(3);
        if ((*writer)->close(true)) ::_exit(4);
        writer->reset();
        ::alarm(20);  // the library must not hang over its unwritten cache at exit
        ::exit(0);
    });
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0);
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    const auto columns = (*reader)->read("s");
    VERIFY_OK(columns);
    QVERIFY(columns->values.size() >= 1000);
    for (std::size_t i = 0; i < columns->values.size(); ++i) QCOMPARE(columns->values[i], double(i));
    auto writer = RunLogWriter::open(m_folder);  // space is back
    VERIFY_OK(writer);
    VERIFY_OK((*writer)->close(true));
    QCOMPARE(stateOf(m_folder), std::string("compacted"));
}

namespace {

/// Logs into a disk without room until the log says so, makes room, and checks that it is written by itself; ends the
/// process with the number of the expectation that was not met.
void logThroughAFullDisk(const fs::path& folder, const std::function<void()>& fillUp, const std::function<void()>& makeRoom) {
    auto writer = RunLogWriter::open(folder);
    if (!writer) ::_exit(1);
    const auto id = (*writer)->series("s");
    std::int64_t step = 0;
    const auto log = [&](int count) {
        for (int i = 0; i < count; ++i, ++step) (*writer)->scalar(id, step, 0, double(step) * 0.5);
    };
    log(1000);
    (*writer)->array(makeArray(feed::ArrayType::Float32, "early", {400, 1000}));  // in run.h5 alone
    if (!(*writer)->flush()) ::_exit(2);
    fillUp();
    log(50000);
    (*writer)->array(makeArray(feed::ArrayType::Float32, "late", {500, 1000}));
    const auto flushed = (*writer)->flush();
    if (flushed || flushed.error().code != ErrorCode::Io) ::_exit(3);
    if (flushed.error().what.find("No space") != std::string::npos && flushed.error().remedy.empty()) ::_exit(3);
    const auto trouble = (*writer)->trouble();
    if (!trouble || trouble->waitingBytes < 50000 * 32 + 2000000) ::_exit(4);
    log(100);
    if ((*writer)->flush()) ::_exit(5);
    makeRoom();
    for (int i = 0; i < 400 && (*writer)->trouble(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if ((*writer)->trouble() || !(*writer)->error()) ::_exit(6);
    log(1000);
    if (!(*writer)->flush()) ::_exit(7);
    if (!(*writer)->close(true)) ::_exit(8);
    auto reader = RunLogReader::open(folder);
    if (!reader) ::_exit(9);
    const auto columns = (*reader)->read("s");
    if (!columns || columns->values.size() != std::size_t(step)) ::_exit(10);
    for (std::size_t i = 0; i < columns->values.size(); ++i)
        if (columns->steps[i] != std::int64_t(i) || columns->values[i] != double(i) * 0.5) ::_exit(11);
    const auto arrays = (*reader)->arrays();
    if (!arrays || arrays->size() != 2) ::_exit(12);
    for (const auto& info : *arrays)
        if ((*reader)->readArray(info.index)->floats != makeArray(info.type, info.name, info.shape).floats) ::_exit(13);
    const auto warnings = (*reader)->warnings();
    if (!warnings || warnings->size() != 1 || warnings->front().kind != "run_file_given_up") ::_exit(14);
    if (stateOf(folder) != "compacted") ::_exit(15);
    ::_exit(0);
}

}  // namespace

void TestRunLogFaults::fullDiskThatIsFreedLosesNothing() {
    const int status = inChild([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const auto limit = [](rlim_t bytes) {
            const rlimit both{bytes, RLIM_INFINITY};
            ::setrlimit(RLIMIT_FSIZE, &both);
        };
        logThroughAFullDisk(m_folder, [&] { limit(fs::file_size(m_folder / "journal.esj") + 5000); }, [&] { limit(RLIM_INFINITY); });
    });
    QVERIFY(WIFEXITED(status));
    QCOMPARE(WEXITSTATUS(status), 0);
}

void TestRunLogFaults::fullFileSystem() {
    constexpr int kNotAllowed = 100;
    fs::create_directories(m_folder);
    const int status = inChild([&] {
        // A file system of its own, seen by this child alone.
        if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(kNotAllowed);
        (void)::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        if (::mount("none", m_folder.c_str(), "tmpfs", 0, "size=12m") != 0) ::_exit(kNotAllowed);
        const auto ballast = m_folder / "ballast";
        const auto fillUp = [&] {
            std::ofstream out(ballast, std::ios::binary);
            while (out << std::string(4096, 'b') << std::flush) {}
        };
        logThroughAFullDisk(m_folder / "run", fillUp, [&] { fs::remove(ballast); });
    });
    QVERIFY(WIFEXITED(status));
    if (WEXITSTATUS(status) == kNotAllowed) QSKIP("this user may not mount a tmpfs in a name space of its own");
    QCOMPARE(WEXITSTATUS(status), 0);
}

void TestRunLogFaults::folderMovedAwayAndBack() {
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    const auto id = (*writer)->series("s");
    std::int64_t step = 0;
    const auto log = [&] {
        for (int i = 0; i < 100; ++i, ++step) (*writer)->scalar(id, step, 0, double(step));
    };
    log();
    VERIFY_OK((*writer)->flush());
    const auto away = m_folder.parent_path() / "away";
    fs::rename(m_folder, away);
    QTRY_VERIFY_WITH_TIMEOUT((log(), (*writer)->trouble().has_value()), 5000);
    const auto sentence = (*writer)->trouble()->error.sentence();
    QVERIFY2(sentence.find("deleted, moved or unmounted") != std::string::npos, sentence.c_str());
    QVERIFY(!(*writer)->flush());
    QVERIFY(!fs::exists(m_folder));  // not made anew
    fs::rename(away, m_folder);
    VERIFY_OK((*writer)->flush());
    QVERIFY(!(*writer)->trouble());
    log();
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(m_folder);
    VERIFY_OK(reader);
    const auto columns = (*reader)->read("s");
    VERIFY_OK(columns);
    QCOMPARE(columns->values.size(), std::size_t(step));
    for (std::size_t i = 0; i < columns->values.size(); ++i) QCOMPARE(columns->values[i], double(i));
}

void TestRunLogFaults::folderDeleted() {
    auto writer = RunLogWriter::open(m_folder);
    VERIFY_OK(writer);
    const auto id = (*writer)->series("s");
    (*writer)->scalar(id, 0, 0, 1.0);
    VERIFY_OK((*writer)->flush());
    fs::remove_all(m_folder);
    (*writer)->scalar(id, 1, 0, 1.0);
    const auto closed = (*writer)->close(true);
    QVERIFY(!closed);
    QVERIFY2(closed.error().sentence().find("deleted, moved or unmounted") != std::string::npos, closed.error().sentence().c_str());
    QVERIFY(!fs::exists(m_folder));
}

QTEST_GUILESS_MAIN(TestRunLogFaults)
#include "tst_run_log_faults.moc"
