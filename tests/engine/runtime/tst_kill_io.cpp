// labels: fast gate
#include <atomic>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <QCoreApplication>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include "engine/api/torch.h"
#include "engine/base/clock.h"
#include "engine/runtime/checkpoint.h"
#include "engine/runtime/engine.h"
#include "tests/support/fake_recipe.h"
#include "tests/support/io_faults/faulty_child.h"
#include "tests/support/memory_folder.h"
#include "tests/support/run_log_samples.h"

using namespace espalier;
using namespace espalier::tests;

namespace {

constexpr int kBigRows = 250'000;

/// What the child has logged, in memory that outlives it: a kill takes nothing away from here.
struct Progress {
    std::atomic<double> bigWall = 0, runWall = 0;
    std::atomic<std::int64_t> bigStep = -1;
    std::atomic<int> isCompacting = 0, compactions = 0;
    std::atomic<bool> isReady = false;
};

Progress* mapProgress(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || ::ftruncate(fd, sizeof(Progress)) != 0) return nullptr;
    void* const memory = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    return memory == MAP_FAILED ? nullptr : static_cast<Progress*>(memory);
}

double bigValue(std::int64_t step) { return 1.0 / double(1 + step % 1000); }

/// A log that is filled and compacted again and again: about half of the time goes to compactions.
void logAndCompact(const fs::path& folder, Progress& progress) {
    std::int64_t step = 0;
    for (;;) {
        auto writer = RunLogWriter::open(folder, {std::uint64_t(4) << 20});
        if (!writer) ::_exit(5);
        const auto id = (*writer)->series("big");
        for (int i = 0; i < kBigRows; ++i, ++step) {
            const double now = wallClockSecs();
            (*writer)->scalar(id, step, now, bigValue(step));
            progress.bigStep = step;
            progress.bigWall = now;
            if (i % 4000 == 3999) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        (*writer)->array(makeArray(feed::ArrayType::Float32, "large", {300, 1000}));
        progress.isCompacting = 1;
        if (!(*writer)->close(true) || (*writer)->compactionError()) ::_exit(6);
        progress.isCompacting = 0;
        ++progress.compactions;
    }
}

/// Trains one run after another with a checkpoint every few steps, beside logAndCompact(), until it is killed.
[[noreturn]] void workUntilKilled(const fs::path& folder) {
    at::set_num_threads(1);
    auto* const progress = new (mapProgress(folder / "progress")) Progress;
    api::RecipeRegistry registry;
    (void)FakeRecipe::addTo(registry);
    auto workspace = runtime::Workspace::open(folder / "workspace");
    if (!workspace) ::_exit(4);
    runtime::Engine engine(*workspace, registry);
    std::thread big([&] { logAndCompact(folder / "big", *progress); });
    for (std::int64_t seed = 0;; ++seed) {
        runtime::RunRequest request;
        request.recipe = "900";
        request.params = {{"epochs", "3"}, {"batches", "40"}, {"checkpoint_every", "5"}, {"step_ms", "2"}};
        request.seed = seed;
        request.threads = 1;
        if (!engine.submit(request)) ::_exit(7);
        progress->isReady = true;
        do {
            for (const auto& batch : engine.metrics().drain()) progress->runWall = batch.points.back().wallSecs;
            (void)engine.events().drain();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        } while (!engine.isIdle());
    }
}

}  // namespace

/// A process killed at any moment while it logs, saves checkpoints and compacts leaves every store readable and loses a
/// second of points at most. 100 times with ESPALIER_ALL_FAULTS=1.
class TestKill : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        if (const auto folder = qEnvironmentVariable(kChildFolderVariable); !folder.isEmpty()) workUntilKilled(folder.toStdString());
        tests::useMemoryFolder();
    }
    void losesASecondAtMost();

private:
    void checkBig(const fs::path& folder, const Progress& progress, double& loss);
    void checkWorkspace(const fs::path& folder, const Progress& progress, double& loss, bool goesOn);
    int m_runs = 0, m_checkpoints = 0;
};

void TestKill::checkBig(const fs::path& folder, const Progress& progress, double& loss) {
    std::size_t seen = 0;
    {
        auto reader = RunLogReader::open(folder);  // before anybody repairs it
        VERIFY_OK(reader);
        const auto series = (*reader)->series();
        VERIFY_OK(series);
        if (!series->empty()) {
            const auto columns = (*reader)->read("big");
            VERIFY_OK(columns);
            seen = columns->values.size();
            for (std::size_t i = 0; i < seen; ++i)
                if (columns->steps[i] != std::int64_t(i) || columns->values[i] != bigValue(std::int64_t(i))) QFAIL("a wrong point");
            if (seen > 0) loss = std::max(loss, progress.bigWall - columns->wallSecs.back());
            const auto arrays = (*reader)->arrays();
            VERIFY_OK(arrays);
            for (const auto& info : *arrays) VERIFY_OK((*reader)->readArray(info.index));
        }
    }
    auto writer = RunLogWriter::open(folder);
    VERIFY_OK(writer);
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(folder);
    VERIFY_OK(reader);
    QCOMPARE(stateOf(folder), std::string("compacted"));
    if (seen > 0) QCOMPARE((*reader)->read("big")->values.size(), seen);
}

void TestKill::checkWorkspace(const fs::path& folder, const Progress& progress, double& loss, bool goesOn) {
    auto workspace = runtime::Workspace::open(folder);
    VERIFY_OK(workspace);
    const auto findings = (*workspace)->check();
    VERIFY_OK(findings);
    QVERIFY2(findings->empty(), findings->empty() ? "" : findings->front().detail.c_str());
    const auto runs = (*workspace)->runs();
    VERIFY_OK(runs);
    double lastWall = 0;
    std::string interrupted;
    for (const auto& run : *runs) {
        ++m_runs;
        QVERIFY(run.state == feed::JobState::Completed || run.state == feed::JobState::Interrupted || run.state == feed::JobState::Queued);
        if (run.state == feed::JobState::Interrupted) interrupted = run.id;
        const runtime::CheckpointFolder checkpoints(fs::path(run.folder) / "checkpoints");
        const auto loaded = checkpoints.load();
        VERIFY_OK(loaded);
        m_checkpoints += loaded->has_value();
        auto reader = RunLogReader::open(run.folder);
        if (!reader) {
            QCOMPARE(reader.error().code, ErrorCode::NotFound);  // it had not begun
            continue;
        }
        const auto series = (*reader)->series();
        VERIFY_OK(series);
        for (const auto& info : *series) {
            const auto columns = (*reader)->read(info.name);
            VERIFY_OK(columns);
            for (std::size_t i = 1; info.name == "train/loss" && i < columns->steps.size(); ++i)
                QCOMPARE(columns->steps[i], columns->steps[i - 1] + 1);
            if (!columns->wallSecs.empty()) lastWall = std::max(lastWall, columns->wallSecs.back());
        }
    }
    if (progress.runWall > 0) loss = std::max(loss, progress.runWall - (lastWall > 0 ? lastWall : progress.runWall - 1e9));
    if (!goesOn || interrupted.empty()) return;
    api::RecipeRegistry registry;
    QVERIFY(FakeRecipe::addTo(registry));
    runtime::Engine engine(*workspace, registry);
    VERIFY_OK(engine.resumeRun(interrupted));
    QTRY_VERIFY_WITH_TIMEOUT(engine.isIdle(), 20000);
    const auto run = (*workspace)->run(interrupted);
    VERIFY_OK(run);
    QVERIFY2(run->state == feed::JobState::Completed, run->stateDetail.c_str());
    const auto columns = (*workspace)->readSeries(interrupted, "train/loss");
    VERIFY_OK(columns);
    QCOMPARE(columns->steps.back(), std::int64_t(120));
}

void TestKill::losesASecondAtMost() {
    const int rounds = qEnvironmentVariableIsSet("ESPALIER_ALL_FAULTS") ? 100 : 5;
    std::mt19937 random(17);
    double bigLoss = 0, runLoss = 0;
    int whileCompacting = 0;
    for (int round = 0; round < rounds; ++round) {
        QTemporaryDir dir;
        const fs::path folder = dir.path().toStdString();
        auto* const progress = mapProgress(folder / "progress");
        QVERIFY(progress);
        QProcess child;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QString::fromLatin1(kChildFolderVariable), dir.path());
        child.setProcessEnvironment(environment);
        child.start(QCoreApplication::applicationFilePath(), QStringList());
        QTRY_VERIFY_WITH_TIMEOUT(progress->isReady || child.state() == QProcess::NotRunning, 30000);
        QTest::qWait(int(random() % 1500));
        QCOMPARE(child.state(), QProcess::Running);
        child.kill();
        QVERIFY(child.waitForFinished());
        whileCompacting += progress->isCompacting;
        checkBig(folder / "big", *progress, bigLoss);
        if (!QTest::currentTestFailed()) checkWorkspace(folder / "workspace", *progress, runLoss, round % 5 == 0);
        if (QTest::currentTestFailed()) {
            qInfo("failed in round %d", round);
            return;
        }
        ::munmap(progress, sizeof(Progress));
    }
    qInfo("%d kills, %d of them in a compaction: %d runs and %d checkpoints whole, at most %.3f s (stream) and %.3f s (training) lost",
          rounds, whileCompacting, m_runs, m_checkpoints, bigLoss, runLoss);
    QVERIFY(bigLoss <= 1.0);
    QVERIFY(runLoss <= 1.0);
    if (rounds == 100) QVERIFY(whileCompacting >= 10 && m_checkpoints >= 50);
}

QTEST_GUILESS_MAIN(TestKill)
#include "tst_kill_io.moc"
