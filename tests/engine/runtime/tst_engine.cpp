// labels: fast gate
#include <QCoreApplication>
#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>

#include <sys/resource.h>
#include <sys/syscall.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "engine/api/torch.h"
#include "engine/runtime/engine.h"
#include "tests/support/fake_recipe.h"
#include "tests/support/memory_folder.h"
#include "tests/support/small_images.h"

using namespace espalier;
using feed::JobState;
using runtime::Engine;
using runtime::RunRequest;

namespace {

constexpr const char* kChildVariable = "ESPALIER_TEST_CHILD_WORKSPACE";

/// An engine over a workspace with the fake recipe, and all that it has said so far.
struct Bench {
    explicit Bench(const QString& folder) {
        registered = tests::FakeRecipe::addTo(registry).has_value();
        auto opened = runtime::Workspace::open(folder.toStdString());
        if (opened) workspace = *opened;
        engine = std::make_unique<Engine>(workspace, registry);
    }
    void collect() {
        for (auto& event : engine->events().drain()) {
            if (auto* changed = std::get_if<feed::JobStateChanged>(&event)) changes.push_back(*changed);
            if (auto* added = std::get_if<feed::SeriesAdded>(&event)) ids[added->runId + added->name] = added->series;
            if (auto* moved = std::get_if<feed::JobMoved>(&event)) places[moved->job] = moved->place;
            if (auto* progress = std::get_if<feed::JobProgress>(&event)) progresses.push_back(*progress);
        }
        for (auto& batch : engine->metrics().drain())
            for (const auto& point : batch.points) points[batch.runId].push_back(point);
    }
    JobState state(feed::JobId job) {
        collect();
        auto last = JobState::Queued;
        for (const auto& change : changes)
            if (change.job == job) last = change.to;
        return last;
    }
    bool waitFor(feed::JobId job, JobState wanted, int milliseconds = 20000) {
        return QTest::qWaitFor([&] { return state(job) == wanted || (feed::isFinal(state(job))); }, milliseconds) &&
               state(job) == wanted;
    }
    std::size_t count(const std::string& runId, const std::string& series) {
        collect();
        const auto id = ids.find(runId + series);
        if (id == ids.end()) return 0;
        std::size_t found = 0;
        for (const auto& point : points[runId]) found += point.series == id->second;
        return found;
    }
    RunRequest request(std::map<std::string, std::string> params, std::int64_t seed = 1) {
        RunRequest wanted;
        wanted.recipe = "900";
        wanted.params = std::move(params);
        wanted.seed = seed;
        wanted.threads = 1;
        return wanted;
    }
    /// Submits and waits for the end; the run's id.
    std::string runToEnd(const RunRequest& wanted) {
        const auto job = engine->submit(wanted);
        if (!job) return job.error().sentence();
        if (!QTest::qWaitFor([&] { return feed::isFinal(state(*job)); }, 30000)) return "it never ended";
        for (const auto& change : changes)
            if (change.job == *job) return change.runId;
        return {};
    }
    std::vector<double> logged(const std::string& runId, const std::string& series) {
        const auto columns = workspace->readSeries(runId, series);
        return columns ? columns->values : std::vector<double>{};
    }

    api::RecipeRegistry registry;
    bool registered = false;
    std::shared_ptr<runtime::Workspace> workspace;
    std::unique_ptr<Engine> engine;
    std::vector<feed::JobStateChanged> changes;
    std::vector<feed::JobProgress> progresses;
    std::map<std::string, std::uint32_t> ids;
    std::map<feed::JobId, int> places;
    std::map<std::string, std::vector<feed::MetricPoint>> points;
};

RunRequest longRun(Bench& bench) { return bench.request({{"epochs", "50"}, {"batches", "20"}, {"step_ms", "20"}}); }

}  // namespace

/// The engine thread with a recipe that does what recipes do when things go well or wrong.
class TestEngine : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        // Each run syncs dozens of small files: in memory where that is possible.
        tests::useMemoryFolder();
    }
    void runsARecipeToItsEnd();
    void logsTheSameNumbersForTheSameSeed();
    void refusesARequestThatCannotWork_data();
    void refusesARequestThatCannotWork();
    void aFailureEndsOnlyItsOwnJob_data();
    void aFailureEndsOnlyItsOwnJob();
    void pausesAtNaNWhenSomebodyWatches();
    void failsAtNaNWithoutACheckpointToGoBackTo();
    void pausesWhileTheDiskIsFull();
    void aLogThatCannotBeCompactedIsNoFailure();
    void goesOnByItselfWhenNobodyWatches();
    void stopsWithinOneStep();
    void stopsARecipeWithItsOwnLoop();
    void pausesAndResumesWithoutATrace();
    void stopsWhilePaused();
    void savesWhenAsked();
    void takesAStopRequestOfAnotherProcess();
    void keepsTheOrderOfTheQueueAsChanged();
    void stopsAWaitingJobAtOnce();
    void lowersItsPriority();
    void endsCleanlyWhileAJobRuns();
    void resumesAStoppedRunExactly();
    void resumesAfterKillExactly();
    void childTrainsUntilKilled();
    void forecastsAndEstimates();
    void exportsTheWeights();
    void importsBesideTraining();
    void importsAPathAsPartOfTheRun();
    void refusesTheWrongKindOfData();
};

void TestEngine::runsARecipeToItsEnd() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    QVERIFY(bench.registered && bench.workspace);
    const auto id = bench.runToEnd(bench.request({}));
    const auto run = bench.workspace->run(id);
    QVERIFY2(run.has_value(), id.c_str());
    QVERIFY2(run->state == JobState::Completed, run->stateDetail.c_str());
    QCOMPARE(run->name, std::string("fake-s1"));
    QCOMPARE(run->device, std::string("cpu"));
    QCOMPARE(run->threads, 1);
    QVERIFY(run->activeSecs > 0.0 && run->endedSecs >= run->startedSecs);
    QCOMPARE(bench.logged(id, "train/loss").size(), std::size_t(30));
    QCOMPARE(bench.count(id, "train/loss"), std::size_t(30));
    QCOMPARE(bench.logged(id, "valid/top1").size(), std::size_t(3));
    QCOMPARE(bench.logged(id, "test/loss").size(), std::size_t(1));
    const auto& loss = run->summary.at("train/loss");
    QCOMPARE(loss.last, bench.logged(id, "train/loss").back());
    const auto values = bench.logged(id, "valid/loss");
    QCOMPARE(run->summary.at("valid/loss").best, *std::min_element(values.begin(), values.end()));
    const auto top = bench.logged(id, "valid/top1");
    QCOMPARE(run->summary.at("valid/top1").best, *std::max_element(top.begin(), top.end()));
    const auto manifest = nlohmann::json::parse(*bench.workspace->manifestText(id));
    QCOMPARE(manifest["recipe"]["id"].get<std::string>(), std::string("900-fake"));
    QCOMPARE(manifest["params"]["epochs"].get<std::string>(), std::string("3"));
    QCOMPARE(manifest["seed"].get<int>(), 1);
    QVERIFY(!manifest["versions"]["torch"].get<std::string>().empty());
    QVERIFY(!manifest["machine"]["blas"].get<std::string>().empty());
    QVERIFY(!manifest["machine"]["cpu_capability"].get<std::string>().empty());
    std::vector<JobState> order;
    for (const auto& change : bench.changes) order.push_back(change.to);
    QCOMPARE(order, (std::vector<JobState>{JobState::Preparing, JobState::Running, JobState::Completed}));
    QTRY_VERIFY(bench.engine->isIdle());
}

void TestEngine::logsTheSameNumbersForTheSameSeed() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto a = bench.runToEnd(bench.request({}, 5)), b = bench.runToEnd(bench.request({}, 5)),
               c = bench.runToEnd(bench.request({}, 6));
    QVERIFY(!bench.logged(a, "train/loss").empty());
    QCOMPARE(bench.logged(a, "train/loss"), bench.logged(b, "train/loss"));
    QVERIFY(bench.logged(a, "train/loss") != bench.logged(c, "train/loss"));
    QVERIFY(bench.workspace->run(a)->name != bench.workspace->run(b)->name);
}

void TestEngine::refusesARequestThatCannotWork_data() {
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<QString>("key");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("device");
    QTest::addColumn<QString>("from");
    QTest::addColumn<QString>("expected");
    QTest::newRow("unknown recipe") << "nope" << "" << "" << "cpu" << "" << "there is no recipe of this name";
    QTest::newRow("unknown parameter") << "900" << "epoch" << "3" << "cpu" << "" << "epochs";
    QTest::newRow("out of range") << "900" << "epochs" << "0" << "cpu" << "" << "below the lowest value";
    QTest::newRow("refused by the recipe") << "900" << "batches" << "13" << "cpu" << "" << "bad luck";
    QTest::newRow("unknown device") << "900" << "" << "" << "tpu" << "" << "does not name a device";
    QTest::newRow("missing weights") << "900" << "" << "" << "cpu" << "gone.safetensors" << "no such weights file";
    QTest::newRow("unknown parent") << "900" << "" << "" << "cpu" << "nobody" << "nobody";
}

void TestEngine::refusesARequestThatCannotWork() {
    QFETCH(QString, recipe);
    QFETCH(QString, key);
    QFETCH(QString, value);
    QFETCH(QString, device);
    QFETCH(QString, from);
    QFETCH(QString, expected);
    QTemporaryDir dir;
    Bench bench(dir.path());
    auto request = bench.request({});
    request.recipe = recipe.toStdString();
    request.device = device.toStdString();
    request.from = from.toStdString();
    if (!key.isEmpty()) request.params[key.toStdString()] = value.toStdString();
    const auto job = bench.engine->submit(request);
    QVERIFY(!job);
    QVERIFY2(job.error().sentence().find(expected.toStdString()) != std::string::npos,
             job.error().sentence().c_str());
    QVERIFY(bench.workspace->runs()->empty());
}

void TestEngine::aFailureEndsOnlyItsOwnJob_data() {
    QTest::addColumn<QString>("trouble");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("expected");
    QTest::newRow("an error") << "error" << int(ErrorCode::BadInput) << "fails on command";
    QTest::newRow("an exception") << "throw" << int(ErrorCode::Internal) << "thrown on command";
    QTest::newRow("a torch error") << "torch" << int(ErrorCode::Torch) << "cannot be multiplied";
    QTest::newRow("no memory") << "memory" << int(ErrorCode::OutOfMemory) << "memory is used up";
    QTest::newRow("NaN loss") << "nan" << int(ErrorCode::Numeric) << "train/loss became NaN at step 6";
    QTest::newRow("infinite weights") << "weights" << int(ErrorCode::Numeric) << "weights became NaN or infinite";
}

void TestEngine::aFailureEndsOnlyItsOwnJob() {
    QFETCH(QString, trouble);
    QFETCH(int, code);
    QFETCH(QString, expected);
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto bad = bench.engine->submit(
        bench.request({{"trouble", trouble.toStdString()}, {"at_step", "5"}, {"checkpoint_every", "2"}}));
    const auto good = bench.engine->submit(bench.request({}));
    QVERIFY(bad && good);
    QVERIFY(bench.waitFor(*bad, JobState::Failed));
    QVERIFY(bench.waitFor(*good, JobState::Completed));
    std::string runId;
    for (const auto& change : bench.changes)
        if (change.job == *bad && change.to == JobState::Failed) {
            runId = change.runId;
            QCOMPARE(int(change.error.code), code);
            QVERIFY2(change.sentence.find(expected.toStdString()) != std::string::npos, change.sentence.c_str());
            QVERIFY2(change.sentence.find('\n') == std::string::npos, change.sentence.c_str());
        }
    const auto run = bench.workspace->run(runId);
    QVERIFY(run.has_value());
    QVERIFY(run->state == JobState::Failed);
    QVERIFY(run->stateDetail.find(expected.toStdString()) != std::string::npos);
    QVERIFY(std::filesystem::exists(std::filesystem::path(run->folder) / "checkpoints" / "last.safetensors"));
}

void TestEngine::pausesAtNaNWhenSomebodyWatches() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    bench.engine->setAttended(true);
    const auto job = bench.engine->submit(
        bench.request({{"trouble", "nan"}, {"at_step", "5"}, {"checkpoint_every", "2"}}));
    QVERIFY(job.has_value());
    QTRY_VERIFY(bench.state(*job) == JobState::Paused);
    const auto paused = bench.changes.back();
    QCOMPARE(int(paused.error.code), int(ErrorCode::Numeric));
    QVERIFY2(paused.sentence.find("train/loss became NaN at step 6") != std::string::npos, paused.sentence.c_str());
    const auto weights = std::filesystem::path(bench.workspace->run(paused.runId)->folder) / "checkpoints" / "last.safetensors";
    const auto written = std::filesystem::last_write_time(weights);

    // Going on means going back: the steps after the checkpoint are made again and end the same way.
    const auto seen = bench.count(paused.runId, "train/loss");
    bench.engine->resume(*job);
    QTRY_VERIFY(bench.count(paused.runId, "train/loss") > seen);
    QTRY_VERIFY(bench.state(*job) == JobState::Paused);
    QVERIFY(std::filesystem::last_write_time(weights) == written);
    bench.engine->stop(*job);
    QVERIFY(bench.waitFor(*job, JobState::Stopped));
    const auto values = bench.logged(paused.runId, "train/loss");
    QCOMPARE(std::count_if(values.begin(), values.end(), [](double v) { return std::isnan(v); }), 2);
}

void TestEngine::failsAtNaNWithoutACheckpointToGoBackTo() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    bench.engine->setAttended(true);
    const auto job = bench.engine->submit(bench.request({{"trouble", "nan"}, {"at_step", "0"}}));
    QVERIFY(job.has_value());
    QVERIFY(bench.waitFor(*job, JobState::Failed));
}

/// From now on files may not grow beyond the size that the run's journal has.
struct FullDisk {
    explicit FullDisk(const std::string& runFolder) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before);
        fillUp(runFolder);
    }
    ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before); }
    void fillUp(const std::string& runFolder) const {
        const rlimit now{std::filesystem::file_size(runFolder + "/journal.esj"), before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    void makeRoom() const { ::setrlimit(RLIMIT_FSIZE, &before); }
    rlimit before{};
};

/// Every step of the run exactly once and in order.
void verifyNoGap(Bench& bench, const std::string& runId, std::int64_t steps) {
    const auto columns = bench.workspace->readSeries(runId, "train/loss");
    QVERIFY2(columns.has_value(), columns ? "" : columns.error().sentence().c_str());
    QCOMPARE(columns->steps.size(), std::size_t(steps));
    for (std::size_t i = 0; i < columns->steps.size(); ++i) QCOMPARE(columns->steps[i], std::int64_t(i + 1));
}

void TestEngine::pausesWhileTheDiskIsFull() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    bench.engine->setAttended(true);
    const auto job = bench.engine->submit(bench.request({{"epochs", "2"}, {"batches", "50"}, {"step_ms", "10"}}));
    QVERIFY(job.has_value());
    const auto runId = bench.workspace->runs()->front().id;
    const auto folder = bench.workspace->run(runId)->folder;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 3);
    const FullDisk disk(folder);
    QTRY_VERIFY(bench.state(*job) == JobState::Paused);
    const auto paused = bench.changes.back();
    QCOMPARE(int(paused.error.code), int(ErrorCode::Io));
    for (const char* part : {"journal.esj", "could not be written", "wait in memory and nothing is lost", "press Resume"})
        QVERIFY2(paused.sentence.find(part) != std::string::npos, paused.sentence.c_str());
    // Resume without room pauses again and says so again.
    const auto said = bench.changes.size();
    bench.engine->resume(*job);
    QTRY_VERIFY(bench.state(*job) == JobState::Paused && bench.changes.size() >= said + 2);
    QVERIFY(bench.changes.back().sentence.find("wait in memory") != std::string::npos);
    disk.makeRoom();
    bench.engine->resume(*job);
    QVERIFY(bench.waitFor(*job, JobState::Completed));
    verifyNoGap(bench, runId, 100);
}

void TestEngine::aLogThatCannotBeCompactedIsNoFailure() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto job = bench.engine->submit(bench.request({{"epochs", "1"}, {"batches", "30"}, {"step_ms", "10"}}));
    QVERIFY(job.has_value());
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 3);
    const auto inTheWay = std::filesystem::path(bench.workspace->run(runId)->folder) / ".run.h5.compact";
    std::filesystem::create_directories(inTheWay / "something");
    QVERIFY(bench.waitFor(*job, JobState::Completed));
    const auto detail = bench.workspace->run(runId)->stateDetail;
    for (const char* part : {"Every point is stored", ".run.h5.compact", "workspace rebuild"})
        QVERIFY2(detail.find(part) != std::string::npos, detail.c_str());
    verifyNoGap(bench, runId, 30);
    std::filesystem::remove_all(inTheWay);
    QVERIFY(bench.workspace->rebuild()->empty());
    verifyNoGap(bench, runId, 30);
}

void TestEngine::goesOnByItselfWhenNobodyWatches() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto job = bench.engine->submit(bench.request({{"epochs", "2"}, {"batches", "30"}, {"step_ms", "10"}}));
    QVERIFY(job.has_value());
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 3);
    const FullDisk disk(bench.workspace->run(runId)->folder);
    QTRY_VERIFY(bench.state(*job) == JobState::Paused);
    QVERIFY(bench.changes.back().sentence.find("goes on by itself") != std::string::npos);
    disk.makeRoom();
    QVERIFY(bench.waitFor(*job, JobState::Completed));
    verifyNoGap(bench, runId, 60);
    // Stop gets through as well.
    const auto second = bench.engine->submit(longRun(bench));
    QVERIFY(second.has_value());
    std::string secondId;
    const auto runs = bench.workspace->runs();
    for (const auto& run : *runs)
        if (run.id != runId) secondId = run.id;
    QTRY_VERIFY(bench.count(secondId, "train/loss") >= 3);
    disk.fillUp(bench.workspace->run(secondId)->folder);
    QTRY_VERIFY(bench.state(*second) == JobState::Paused);
    bench.engine->stop(*second);
    QTRY_VERIFY(feed::isFinal(bench.state(*second)));
}

void TestEngine::stopsWithinOneStep() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto job = bench.engine->submit(longRun(bench));
    QVERIFY(job.has_value());
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 3);
    const auto before = bench.count(runId, "train/loss");
    bench.engine->stop(*job);
    QVERIFY(bench.waitFor(*job, JobState::Stopped));
    QVERIFY(bench.count(runId, "train/loss") <= before + 2);  // the step in flight, and one not yet handed over
    QVERIFY(bench.workspace->run(runId)->state == JobState::Stopped);
    bool wasStopping = false;
    for (const auto& change : bench.changes) wasStopping = wasStopping || change.to == JobState::Stopping;
    QVERIFY(wasStopping);
}

void TestEngine::stopsARecipeWithItsOwnLoop() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto job = bench.engine->submit(
        bench.request({{"own_loop", "true"}, {"batches", "1000"}, {"step_ms", "10"}}));
    QVERIFY(job.has_value());
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "valid/count") >= 30);
    const auto before = bench.count(runId, "valid/count");
    bench.engine->stop(*job);
    QVERIFY(bench.waitFor(*job, JobState::Stopped));
    QVERIFY(bench.count(runId, "valid/count") <= before + 4);
    QVERIFY(!bench.progresses.empty());
    QVERIFY(bench.progresses.size() < 40);  // ten a second, not one an item
    const auto& last = bench.progresses.back();
    QCOMPARE(last.stage, std::string("Count, item"));
    QCOMPARE(last.total, std::int64_t(1000));
    QVERIFY(last.rate > 10.0 && last.rate < 110.0);
    QVERIFY(last.secsLeft > 5.0);
}

void TestEngine::pausesAndResumesWithoutATrace() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto params = std::map<std::string, std::string>{{"epochs", "2"}, {"batches", "20"}, {"step_ms", "5"}};
    const auto job = bench.engine->submit(bench.request(params));
    QVERIFY(job.has_value());
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 2);
    bench.engine->pause(*job);
    QVERIFY(bench.waitFor(*job, JobState::Paused));
    QTest::qWait(50);
    const auto held = bench.count(runId, "train/loss");
    QTest::qWait(100);
    QCOMPARE(bench.count(runId, "train/loss"), held);
    QCOMPARE(bench.engine->secsSinceHeartbeat(), 0.0);
    bench.engine->resume(*job);
    QVERIFY(bench.waitFor(*job, JobState::Completed));
    const auto straight = bench.runToEnd(bench.request(params));
    QCOMPARE(bench.logged(runId, "train/loss"), bench.logged(straight, "train/loss"));
    const auto run = bench.workspace->run(runId);
    QVERIFY(run->endedSecs - run->startedSecs > run->activeSecs + 0.1);  // the pause is not counted
}

void TestEngine::stopsWhilePaused() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto job = bench.engine->submit(longRun(bench));
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 1);
    bench.engine->pause(*job);
    QVERIFY(bench.waitFor(*job, JobState::Paused));
    bench.engine->stop(*job);
    QVERIFY(bench.waitFor(*job, JobState::Stopped));
}

void TestEngine::savesWhenAsked() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto job = bench.engine->submit(longRun(bench));
    const auto run = bench.workspace->runs()->front();
    const auto file = std::filesystem::path(run.folder) / "checkpoints" / "last.safetensors";
    QTRY_VERIFY(bench.count(run.id, "train/loss") >= 1);
    QVERIFY(!std::filesystem::exists(file));
    bench.engine->saveNow(*job);
    QTRY_VERIFY(std::filesystem::exists(file));
    bench.engine->stop(*job);
    QVERIFY(bench.waitFor(*job, JobState::Stopped));
}

void TestEngine::takesAStopRequestOfAnotherProcess() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto job = bench.engine->submit(longRun(bench));
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 1);
    auto other = runtime::Workspace::open(dir.path().toStdString());
    QVERIFY(other.has_value());
    QVERIFY((*other)->requestStop(runId));
    QVERIFY(bench.waitFor(*job, JobState::Stopped));
}

void TestEngine::keepsTheOrderOfTheQueueAsChanged() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto first = bench.engine->submit(longRun(bench));
    QVERIFY(bench.waitFor(*first, JobState::Running));
    const std::map<std::string, std::string> brief{{"epochs", "1"}, {"batches", "2"}};
    const auto a = bench.engine->submit(bench.request(brief)), b = bench.engine->submit(bench.request(brief)),
               c = bench.engine->submit(bench.request(brief));
    bench.engine->moveInQueue(*c, 0);
    bench.engine->moveInQueue(*a, 99);
    bench.collect();
    QCOMPARE(bench.places[*c], 0);
    QCOMPARE(bench.places[*b], 1);
    QCOMPARE(bench.places[*a], 2);
    QVERIFY(!bench.engine->isIdle());
    bench.engine->stop(*first);
    QVERIFY(bench.waitFor(*a, JobState::Completed));
    std::vector<feed::JobId> started;
    for (const auto& change : bench.changes)
        if (change.to == JobState::Running) started.push_back(change.job);
    QCOMPARE(started, (std::vector<feed::JobId>{*first, *c, *b, *a}));
}

void TestEngine::stopsAWaitingJobAtOnce() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto first = bench.engine->submit(longRun(bench));
    const auto waiting = bench.engine->submit(bench.request({}));
    bench.engine->stop(*waiting);
    QCOMPARE(int(bench.state(*waiting)), int(JobState::Stopped));
    int stopped = 0;
    const auto runs = bench.workspace->runs();
    for (const auto& run : *runs) stopped += run.state == JobState::Stopped;
    QCOMPARE(stopped, 1);
    bench.engine->stop(*first);
    QVERIFY(bench.waitFor(*first, JobState::Stopped));
}

void TestEngine::lowersItsPriority() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    QVERIFY(bench.engine != nullptr);
    bool isLowered = false;
    QTRY_VERIFY(([&] {
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
            if (::getpriority(PRIO_PROCESS, static_cast<id_t>(std::stoul(entry.path().filename().string()))) == 5)
                isLowered = true;
        return isLowered;
    })());
    QCOMPARE(::getpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid))), 0);
}

void TestEngine::endsCleanlyWhileAJobRuns() {
    QTemporaryDir dir;
    {
        Bench bench(dir.path());
        QVERIFY(bench.engine->submit(longRun(bench)));
        QVERIFY(bench.engine->submit(bench.request({})));
        const auto runId = bench.workspace->runs()->back().id;
        QTRY_VERIFY(bench.count(runId, "train/loss") >= 1);
    }
    const auto again = runtime::Workspace::open(dir.path().toStdString());
    const auto stored = (*again)->runs();
    QCOMPARE(stored->size(), std::size_t(2));
    for (const auto& run : *stored) QCOMPARE(int(run.state), int(JobState::Stopped));
}

void TestEngine::resumesAStoppedRunExactly() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const std::map<std::string, std::string> params{
        {"epochs", "3"}, {"batches", "10"}, {"step_ms", "5"}, {"log_every", "4"}};
    const auto straight = bench.runToEnd(bench.request(params, 3));
    const auto job = bench.engine->submit(bench.request(params, 3));
    const auto runId = bench.workspace->runs()->front().id;
    QTRY_VERIFY(bench.count(runId, "train/loss") >= 4);
    bench.engine->stop(*job);
    QVERIFY(bench.waitFor(*job, JobState::Stopped));
    QVERIFY(bench.logged(runId, "train/loss").size() < bench.logged(straight, "train/loss").size());
    const auto rest = bench.engine->resumeRun(runId);
    QVERIFY2(rest.has_value(), rest ? "" : rest.error().sentence().c_str());
    QVERIFY(!bench.engine->resumeRun(runId));  // it is queued already
    QVERIFY(bench.waitFor(*rest, JobState::Completed));
    for (const char* series : {"train/loss", "valid/loss", "train/top1", "train/grad_norm", "test/loss"})
        QCOMPARE(bench.logged(runId, series), bench.logged(straight, series));
    bool isMarked = false;
    const auto marks = bench.workspace->marks(runId);
    for (const auto& mark : *marks) isMarked = isMarked || mark.kind == "resume";
    QVERIFY(isMarked);
    QVERIFY(!bench.engine->resumeRun(runId));  // a finished run is not continued
}

// The other process: trains until it is killed. Does nothing in an ordinary test run.
void TestEngine::childTrainsUntilKilled() {
    const auto folder = qEnvironmentVariable(kChildVariable);
    if (folder.isEmpty()) return;
    Bench bench(folder);
    auto request = bench.request({{"epochs", "4"}, {"batches", "10"}, {"step_ms", "20"}, {"checkpoint_every", "3"}}, 8);
    request.name = "killed";
    QVERIFY(bench.engine->submit(request));
    QTest::qWait(60000);
}

void TestEngine::resumesAfterKillExactly() {
    QTemporaryDir dir;
    std::string runId;
    {
        QProcess child;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QString::fromLatin1(kChildVariable), dir.path());
        child.setProcessEnvironment(environment);
        child.start(QCoreApplication::applicationFilePath(), {QStringLiteral("childTrainsUntilKilled")});
        QVERIFY(child.waitForStarted());
        std::shared_ptr<runtime::Workspace> watched;
        QTRY_VERIFY_WITH_TIMEOUT(QDir(dir.path()).exists(QStringLiteral("catalog.sqlite")), 20000);
        const auto seen = [&] {
            if (!watched)
                if (auto opened = runtime::Workspace::open(dir.path().toStdString())) watched = *opened;
            if (!watched) return false;
            const auto runs = watched->runs();
            if (!runs || runs->empty()) return false;
            runId = runs->front().id;
            const auto state = std::filesystem::path(runs->front().folder) / "checkpoints" / "state.json";
            return std::filesystem::exists(state);
        };
        QTRY_VERIFY_WITH_TIMEOUT(seen(), 20000);
        // Some steps past the checkpoint; where exactly differs from run to run, as it should.
        QTest::qWait(20 + static_cast<int>(QCoreApplication::applicationPid() % 7) * 13);
        child.kill();
        QVERIFY(child.waitForFinished());
    }
    Bench bench(dir.path());
    QCOMPARE(int(bench.workspace->run(runId)->state), int(JobState::Interrupted));
    const auto dead = bench.logged(runId, "train/loss").size();
    const auto rest = bench.engine->resumeRun(runId);
    QVERIFY2(rest.has_value(), rest ? "" : rest.error().sentence().c_str());
    QVERIFY(bench.waitFor(*rest, JobState::Completed));
    auto request = bench.request({{"epochs", "4"}, {"batches", "10"}, {"checkpoint_every", "3"}}, 8);
    const auto straight = bench.runToEnd(request);
    qInfo("the killed process had logged %zu of 40 points", dead);
    // By step: where the dead run had gone beyond its checkpoint, a step is there twice, with the same bits.
    for (const char* series : {"train/loss", "valid/loss", "train/grad_norm", "test/loss"}) {
        const auto whole = bench.workspace->readSeries(straight, series);
        const auto joined = bench.workspace->readSeries(runId, series);
        QVERIFY(whole && joined);
        std::map<std::int64_t, double> expected;
        for (std::size_t i = 0; i < whole->steps.size(); ++i) expected[whole->steps[i]] = whole->values[i];
        std::set<std::int64_t> met;
        for (std::size_t i = 0; i < joined->steps.size(); ++i) {
            QCOMPARE(joined->values[i], expected.at(joined->steps[i]));
            met.insert(joined->steps[i]);
        }
        QCOMPARE(met.size(), expected.size());
    }
}

void TestEngine::forecastsAndEstimates() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto request = bench.request({});
    const auto forecast = bench.engine->forecast(request);
    QVERIFY(forecast.has_value());
    QCOMPARE(forecast->params, std::int64_t(74));
    QCOMPARE(forecast->steps, std::int64_t(30));
    api::Forecast large;
    large.macsPerItem = 1'000'000'000;
    const double one = bench.engine->secondsEstimate(request, large);
    QVERIFY(one > 0.001 && one < 60.0);
    large.macsPerItem *= 2;
    QTest::qWait(200);  // the engine thread has measured by now
    const double two = bench.engine->secondsEstimate(request, large);
    QVERIFY(two > 0.0);
    const auto machine = bench.engine->machine();
    QVERIFY(!machine.torchVersion.empty() && !machine.blas.empty() && machine.cores > 0);
    QVERIFY(!machine.cudaText.empty());
    QVERIFY(std::filesystem::exists(std::filesystem::path(machine.libtorchFolder) / "libtorch_cpu.so"));
}

void TestEngine::exportsTheWeights() {
    QTemporaryDir dir;
    Bench bench(dir.path());
    const auto id = bench.runToEnd(bench.request({{"epochs", "1"}}));
    const auto file = std::filesystem::path(dir.path().toStdString()) / "out.safetensors";
    const auto exported = bench.engine->exportWeights(id, file);
    QVERIFY2(exported.has_value(), exported ? "" : exported.error().sentence().c_str());
    const auto best = std::filesystem::path(bench.workspace->run(id)->folder) / "checkpoints" / "best.safetensors";
    QCOMPARE(std::filesystem::file_size(file), std::filesystem::file_size(best));
    const auto point = bench.engine->exportPoint(id, 3, file);
    QVERIFY(!point);
    QVERIFY(point.error().sentence().find("no point 3") != std::string::npos);
}

void TestEngine::importsBesideTraining() {
    QTemporaryDir dir;
    const auto pictures = std::filesystem::path(dir.path().toStdString()) / "stripes";
    tests::writeSmallImageSet(pictures, 8);
    Bench bench(dir.filePath(QStringLiteral("workspace")));
    const auto training = bench.engine->submit(longRun(bench));
    QVERIFY(bench.waitFor(*training, JobState::Running));
    runtime::ImportRequest request;
    request.paths = {pictures};
    const auto import = bench.engine->submitImport(request);
    QVERIFY(import.has_value());
    QVERIFY(bench.waitFor(*import, JobState::Completed));
    QCOMPARE(int(bench.state(*training)), int(JobState::Running));
    const auto datasets = bench.workspace->datasets();
    QVERIFY(datasets && datasets->size() == 1);
    QCOMPARE(datasets->front().samples, std::int64_t(24));
    // The same content again is the same data set.
    const auto again = bench.engine->submitImport(request);
    QVERIFY(bench.waitFor(*again, JobState::Completed));
    QCOMPARE(bench.workspace->datasets()->size(), std::size_t(1));
    request.isDryRun = true;
    const auto dry = bench.engine->submitImport(request);
    QVERIFY(bench.waitFor(*dry, JobState::Completed));
    request.paths = {pictures / "missing"};
    QVERIFY(!bench.engine->submitImport(request));
    bench.engine->stop(*training);
    QVERIFY(bench.waitFor(*training, JobState::Stopped));
}

void TestEngine::importsAPathAsPartOfTheRun() {
    QTemporaryDir dir;
    const auto pictures = std::filesystem::path(dir.path().toStdString()) / "stripes";
    tests::writeSmallImageSet(pictures, 8);
    Bench bench(dir.filePath(QStringLiteral("workspace")));
    auto card = tests::FakeRecipe::card();
    card.id = "901-fake-images";
    card.accepts = {api::DatasetKind::Images};
    QVERIFY(bench.registry.add(card, [] { return std::make_unique<tests::FakeRecipe>(); }));
    auto request = bench.request({{"epochs", "1"}});
    request.recipe = "901";
    QVERIFY(!bench.engine->submit(request));  // it needs data
    request.dataset = pictures.string();
    const auto id = bench.runToEnd(request);
    const auto run = bench.workspace->run(id);
    QVERIFY2(run.has_value(), id.c_str());
    QVERIFY2(run->state == JobState::Completed, run->stateDetail.c_str());
    QCOMPARE(run->datasetName, std::string("stripes"));
    QCOMPARE(run->datasetHash.size(), std::size_t(64));
    const auto manifest = nlohmann::json::parse(*bench.workspace->manifestText(id));
    QCOMPARE(manifest["dataset"]["hash"].get<std::string>(), run->datasetHash);
    QVERIFY(bench.workspace->rebuild());
    QCOMPARE(bench.workspace->run(id)->datasetHash, run->datasetHash);
    // By name from now on, and by its first run.
    request.dataset = "stripes";
    QCOMPARE(bench.workspace->run(bench.runToEnd(request))->datasetId, run->datasetId);
}

void TestEngine::refusesTheWrongKindOfData() {
    QTemporaryDir dir;
    const auto table = std::filesystem::path(dir.path().toStdString()) / "points.csv";
    {
        std::ofstream file(table);
        file << "a,b,label\n";
        for (int i = 0; i < 30; ++i) file << i << ',' << i * 0.5 << ',' << (i % 2 ? "odd" : "even") << '\n';
    }
    Bench bench(dir.filePath(QStringLiteral("workspace")));
    auto card = tests::FakeRecipe::card();
    card.id = "901-fake-images";
    card.accepts = {api::DatasetKind::Images};
    QVERIFY(bench.registry.add(card, [] { return std::make_unique<tests::FakeRecipe>(); }));
    runtime::ImportRequest import;
    import.paths = {table};
    const auto job = bench.engine->submitImport(import);
    QVERIFY(bench.waitFor(*job, JobState::Completed));
    auto request = bench.request({});
    request.recipe = "901";
    request.dataset = bench.workspace->datasets()->front().id;
    const auto run = bench.engine->submit(request);
    QVERIFY(!run);
    QVERIFY2(run.error().sentence().find("needs images, and this data set holds a table") != std::string::npos,
             run.error().sentence().c_str());
    request.dataset = "nothing-of-this-name";
    QVERIFY(!bench.engine->submit(request));
}

QTEST_GUILESS_MAIN(TestEngine)
#include "tst_engine.moc"
