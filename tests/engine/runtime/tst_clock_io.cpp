// labels: fast gate
#include <cmath>
#include <memory>

#include <unistd.h>

#include <QCoreApplication>
#include <QTemporaryDir>
#include <QtTest>

#include "engine/api/torch.h"
#include "engine/base/clock.h"
#include "engine/runtime/engine.h"
#include "tests/support/fake_recipe.h"
#include "tests/support/io_faults/faulty_child.h"

using namespace espalier;
using namespace espalier::tests;
namespace fs = std::filesystem;

namespace {

constexpr const char* kTaskVariable = "ESPALIER_TEST_CHILD_TASK";
constexpr double kTenYearsSecs = 10 * 31557600.0;

/// "train": a run of 200 steps to its end. "stop": one that is stopped at step 30. "resume": that one to its end.
/// Exit code: 0, or 8 when the clock never jumped though it should have.
[[noreturn]] void work(const fs::path& folder, const QByteArray& task) {
    at::set_num_threads(1);
    api::RecipeRegistry registry;
    (void)FakeRecipe::addTo(registry);
    auto workspace = runtime::Workspace::open(folder / "workspace");
    if (!workspace) ::_exit(4);
    runtime::Engine engine(*workspace, registry);
    feed::JobId job = 0;
    if (task == "resume") {
        const auto resumed = engine.resumeRun((*workspace)->findRun("stopped")->id);
        if (!resumed) ::_exit(5);
    } else {
        runtime::RunRequest request;
        request.recipe = "900";
        request.name = task == "stop" ? "stopped" : "whole";
        request.params = {{"epochs", "5"}, {"batches", "40"}, {"checkpoint_every", "10"}, {"step_ms", "5"}};
        request.threads = 1;
        const auto submitted = engine.submit(request);
        if (!submitted) ::_exit(6);
        job = *submitted;
    }
    double largest = 0, before = wallClockSecs();
    while (!engine.isIdle()) {
        const double now = wallClockSecs();
        largest = std::max(largest, std::abs(now - before));
        before = now;
        for (const auto& batch : engine.metrics().drain())
            if (task == "stop" && batch.points.back().step >= 30) engine.stop(job);
        (void)engine.events().drain();
        QThread::msleep(2);
    }
    ::_exit(task == "train" && largest < 3000 ? 8 : 0);
}

}  // namespace

/// Fault 45: the clock is set while a run trains, and between its two halves. Order, durations and times stay sane.
class TestClock : public QObject {
    Q_OBJECT

    ChildEnd child(const fs::path& folder, const char* task, const QString& fault) {
        qputenv(kTaskVariable, task);
        fs::create_directories(folder);
        return runFaultyChild(folder, fault, folder.parent_path() / "count");
    }

private Q_SLOTS:
    void initTestCase() {
        if (const auto folder = qEnvironmentVariable(kChildFolderVariable); !folder.isEmpty()) work(folder.toStdString(), qgetenv(kTaskVariable));
    }

    void survivesAClockThatIsSet() {
        QTemporaryDir dir;
        const fs::path folder = fs::path(dir.path().toStdString()) / "work";
        QElapsedTimer timer;
        timer.start();
        const auto end = child(folder, "train", QStringLiteral("clock"));
        const double took = double(timer.elapsed()) / 1000;
        QVERIFY2(end.code == 0 && !end.wasKilled && !end.isHung, end.output.constData());
        checkRun(folder, "whole", took);
    }

    void goesOnAfterTheClockWasSetBack() {
        QTemporaryDir dir;
        const fs::path folder = fs::path(dir.path().toStdString()) / "work";
        const auto first = child(folder, "stop", QStringLiteral("clock:%1").arg(qint64(kTenYearsSecs)));
        QVERIFY2(first.code == 0 && !first.wasKilled && !first.isHung, first.output.constData());
        const auto second = child(folder, "resume", QStringLiteral("clock:-3600"));
        QVERIFY2(second.code == 0 && !second.wasKilled && !second.isHung, second.output.constData());
        checkRun(folder, "stopped", 60);
    }

private:
    void checkRun(const fs::path& folder, const char* name, double mostSecs) {
        auto workspace = runtime::Workspace::open(folder / "workspace");
        QVERIFY(workspace);
        const auto run = (*workspace)->findRun(name);
        QVERIFY(run);
        QVERIFY2(run->state == feed::JobState::Completed, run->stateDetail.c_str());
        QVERIFY2(run->activeSecs > 0.5 && run->activeSecs < mostSecs, qPrintable(QString::number(run->activeSecs)));
        QVERIFY(run->startedSecs <= run->endedSecs && run->endedSecs - run->startedSecs < mostSecs);
        const auto columns = (*workspace)->readSeries(run->id, "train/loss");
        QVERIFY(columns);
        QCOMPARE(columns->steps.size(), std::size_t(200));
        for (std::size_t i = 0; i < columns->steps.size(); ++i) {
            QCOMPARE(columns->steps[i], std::int64_t(i + 1));
            QVERIFY(i == 0 || columns->wallSecs[i] >= columns->wallSecs[i - 1]);
        }
        QVERIFY(columns->wallSecs.front() >= run->startedSecs && columns->wallSecs.back() <= run->endedSecs);
        QVERIFY((*workspace)->check()->empty());
    }
};

QTEST_GUILESS_MAIN(TestClock)
#include "tst_clock_io.moc"
