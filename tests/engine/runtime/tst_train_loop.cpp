#include <QTemporaryDir>
#include <QtTest>

#include <cmath>
#include <csignal>

#include <sys/resource.h>

#include "engine/api/torch.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/train_loop.h"
#include "tests/support/fake_recipe.h"

using namespace espalier;
using namespace espalier::runtime;
namespace fs = std::filesystem;

namespace {

/// A job, sinks and a run folder for one loop.
struct Rig {
    explicit Rig(fs::path at = {}) {
        if (at.empty()) at = dir.path().toStdString();
        folder = at;
        job.apply(feed::JobEventKind::Start);
        job.apply(feed::JobEventKind::Ready);
        sinks = std::make_unique<RunSinks>("run", 1, std::move(*runlog::RunLogWriter::open(folder)), events, metrics,
                                           std::map<std::string, feed::SummaryEntry>{});
    }
    LoopServices services() {
        return {*sinks, job, folder / "checkpoints", at::Device(at::kCPU), {{"recipe", "test"}}, "img/s", {}, {}};
    }
    /// All points of a series handed over so far, in order.
    std::vector<feed::MetricPoint> points(const std::string& series) {
        sinks->flushPoints();
        for (auto& event : events.drain()) {
            if (auto* added = std::get_if<feed::SeriesAdded>(&event)) ids[added->name] = added->series;
            if (auto* mark = std::get_if<feed::RunMarked>(&event)) marks.push_back(mark->mark);
            if (auto* warned = std::get_if<feed::RunWarned>(&event)) warnings.push_back(warned->warning);
        }
        for (auto& batch : metrics.drain())
            for (const auto& point : batch.points) all.push_back(point);
        std::vector<feed::MetricPoint> found;
        for (const auto& point : all)
            if (ids.count(series) && point.series == ids[series]) found.push_back(point);
        return found;
    }
    std::vector<double> values(const std::string& series) {
        std::vector<double> found;
        for (const auto& point : points(series)) found.push_back(point.value);
        return found;
    }

    QTemporaryDir dir;
    fs::path folder;
    feed::Inbox<feed::FeedEvent> events;
    feed::Inbox<feed::MetricBatch> metrics;
    Job job{1, "run", "test run", "train", events};
    std::unique_ptr<RunSinks> sinks;
    std::map<std::string, std::uint32_t> ids;
    std::vector<feed::MetricPoint> all;
    std::vector<feed::RunMark> marks;
    Warnings warnings;
};

/// y = w·x with w = 0 at the start and mean squared error: gradients can be written down.
struct LineImpl : torch::nn::Module {
    LineImpl() { w = register_parameter("w", at::zeros({4})); }
    at::Tensor w;
};
TORCH_MODULE(Line);

nn::LoopSpec lineSpec(Line& line, tests::FakeBatches& batches) {
    nn::LoopSpec spec;
    spec.model = line.ptr();
    spec.groups = {{line->parameters(), 1.0, 0.0}};
    spec.optimizer.kind = nn::OptimizerSpec::Kind::Sgd;
    spec.optimizer.momentum = 0.0;
    spec.learningRate = [](std::int64_t, double) { return 0.1; };
    spec.batches = &batches;
    spec.step = [line](const nn::Batch& batch, std::int64_t, std::int64_t) mutable -> Result<nn::StepOutput> {
        nn::StepOutput output;
        output.loss = (batch.inputs.matmul(line->w) - batch.inputs.sum(1)).pow(2).mean();
        output.items = batch.size();
        return output;
    };
    return spec;
}

nn::LoopSpec netSpec(tests::FakeNet& net, tests::FakeBatches& batches) {
    nn::LoopSpec spec;
    spec.model = net.ptr();
    spec.groups = {{net->parameters(), 1.0, 0.01}};
    spec.learningRate = [](std::int64_t step, double) { return step < 5 ? 0.01 : 0.005; };
    spec.batches = &batches;
    spec.emaDecay = 0.8;
    spec.epochs = 3;
    spec.step = [net](const nn::Batch& batch, std::int64_t, std::int64_t) mutable -> Result<nn::StepOutput> {
        const auto logits = net->forward(batch.inputs);
        nn::StepOutput output;
        output.loss = torch::nn::functional::cross_entropy(logits, batch.targets);
        output.correct = (logits.argmax(1) == batch.targets).sum();
        output.items = batch.size();
        return output;
    };
    spec.evaluate = [net](std::int64_t) mutable -> Result<nn::EvalValues> {
        return nn::EvalValues{{"valid/loss", net->forward(at::ones({2, 4})).square().sum().item<double>()}};
    };
    return spec;
}

}  // namespace

/// The one training loop on models small enough to check by hand.
class TestTrainLoop : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { at::set_num_threads(1); }
    void stepsDownTheGradient();
    void accumulationEqualsABiggerBatch();
    void unevenGroupsWeighByItems();
    void clipsAndLogsTheNormBeforeClipping();
    void asksTheScheduleForEachStep();
    void marksADropOfTheRate();
    void epochCheckpointsTakeLittleTime();
    void logsMeansOverTheWindow();
    void averagedWeightsFollowTheFormula();
    void evaluatesWithAveragedWeightsAndTrainsOn();
    void keepsTheBestAndEndsWithIt();
    void failsAtTheStepThatBecameNaN();
    void refusesWeightsThatAreNoNumbers();
    void resumesBitForBit_data();
    void resumesBitForBit();
    void returnsAtOnceWhenFinished();
    void goesOnWhenACheckpointCannotBeWritten();
    void refusesACheckpointOfAnotherModel();
    void refusesAParameterInNoGroup();
};

void TestTrainLoop::stepsDownTheGradient() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(1, 1, 16);
    auto spec = lineSpec(line, batches);
    QVERIFY(TrainLoop(rig.services(), spec).run());
    tests::FakeBatches same(1, 1, 16);
    same.begin(0, 0);
    const auto x = same.next()->inputs;
    const auto gradient = -(x * x.sum(1, true)).mean(0) * 2.0;
    QVERIFY(at::allclose(line->w.detach(), gradient * -0.1, 1e-5, 1e-6));
    QCOMPARE(rig.values("train/loss").size(), std::size_t(1));
    QVERIFY(std::abs(rig.values("train/loss")[0] - x.sum(1).pow(2).mean().item<double>()) < 1e-5);
    QVERIFY(std::abs(rig.values("train/grad_norm")[0] - gradient.norm().item<double>()) < 1e-4);
}

void TestTrainLoop::accumulationEqualsABiggerBatch() {
    // Four batches of 8 in groups of 2 against two batches of 16 made of the same rows.
    class Joined : public nn::BatchSource {
    public:
        std::int64_t batchesPerEpoch() const override { return 2; }
        std::int64_t itemsPerEpoch() const override { return 32; }
        void begin(std::int64_t epoch, std::int64_t first) override { m_small.begin(epoch, 2 * first); }
        Result<nn::Batch> next() override {
            ESPALIER_TRY(auto a, m_small.next());
            if (!a.inputs.defined()) return a;
            ESPALIER_TRY(auto b, m_small.next());
            a.inputs = at::cat({a.inputs, b.inputs});
            a.targets = at::cat({a.targets, b.targets});
            return a;
        }
        tests::FakeBatches m_small{3, 4, 8};
    };
    Rig a, b;
    Line accumulated, joined;
    tests::FakeBatches small(3, 4, 8);
    Joined big;
    auto spec = lineSpec(accumulated, small);
    spec.accumulation = 2;
    QVERIFY(TrainLoop(a.services(), spec).run());
    auto other = lineSpec(joined, small);
    other.batches = &big;
    QVERIFY(TrainLoop(b.services(), other).run());
    QVERIFY(at::allclose(accumulated->w, joined->w, 1e-5, 1e-6));
    QCOMPARE(a.values("train/loss").size(), std::size_t(2));
    for (std::size_t i = 0; i < 2; ++i)
        QVERIFY(std::abs(a.values("train/loss")[i] - b.values("train/loss")[i]) < 1e-5);
}

void TestTrainLoop::unevenGroupsWeighByItems() {
    // Batches of 6, 2 and 4 in one group: the mean over 12 rows.
    class Uneven : public nn::BatchSource {
    public:
        std::int64_t batchesPerEpoch() const override { return 3; }
        std::int64_t itemsPerEpoch() const override { return 12; }
        void begin(std::int64_t, std::int64_t first) override { m_next = first; }
        Result<nn::Batch> next() override {
            static constexpr std::int64_t kStarts[] = {0, 6, 8, 12};
            nn::Batch batch;
            if (m_next >= 3) return batch;
            batch.inputs = m_rows.slice(0, kStarts[m_next], kStarts[m_next + 1]);
            ++m_next;
            return batch;
        }
        at::Tensor m_rows = at::sin(at::arange(48, at::kFloat)).reshape({12, 4});
        std::int64_t m_next = 0;
    };
    Rig rig;
    Line line;
    Uneven uneven;
    tests::FakeBatches unused(1, 1, 1);
    auto spec = lineSpec(line, unused);
    spec.batches = &uneven;
    spec.accumulation = 3;
    QVERIFY(TrainLoop(rig.services(), spec).run());
    const auto& x = uneven.m_rows;
    QVERIFY(at::allclose(line->w.detach(), (x * x.sum(1, true)).mean(0) * 0.2, 1e-5, 1e-6));
    QVERIFY(std::abs(rig.values("train/loss")[0] - x.sum(1).pow(2).mean().item<double>()) < 1e-5);
}

void TestTrainLoop::clipsAndLogsTheNormBeforeClipping() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(1, 1, 16);
    auto spec = lineSpec(line, batches);
    spec.clipNorm = 0.5;
    QVERIFY(TrainLoop(rig.services(), spec).run());
    QVERIFY(std::abs(line->w.norm().item<double>() - 0.05) < 1e-6);  // rate 0.1 × norm 0.5
    QVERIFY(rig.values("train/grad_norm")[0] > 1.0);
}

void TestTrainLoop::asksTheScheduleForEachStep() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(1, 4, 4);
    auto spec = lineSpec(line, batches);
    spec.epochs = 2;
    spec.accumulation = 2;
    std::vector<std::pair<std::int64_t, double>> asked;
    spec.learningRate = [&](std::int64_t step, double epoch) {
        asked.emplace_back(step, epoch);
        return 0.001 * static_cast<double>(step + 1);
    };
    QVERIFY(TrainLoop(rig.services(), spec).run());
    QCOMPARE(asked, (std::vector<std::pair<std::int64_t, double>>{{0, 0.0}, {1, 0.5}, {2, 1.0}, {3, 1.5}}));
    QCOMPARE(rig.values("train/lr"), (std::vector<double>{0.001, 0.002, 0.003, 0.004}));
    QCOMPARE(rig.values("train/epoch"), (std::vector<double>{0.5, 1.0, 1.5, 2.0}));
}

void TestTrainLoop::marksADropOfTheRate() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(1, 6, 4);
    auto spec = lineSpec(line, batches);
    spec.learningRate = [](std::int64_t step, double) { return step < 4 ? 0.1 - 0.01 * double(step) : 0.001; };
    QVERIFY(TrainLoop(rig.services(), spec).run());
    rig.points("train/loss");
    std::vector<std::pair<std::int64_t, std::string>> marks;
    for (const auto& mark : rig.marks)
        if (mark.kind == "lr") marks.emplace_back(mark.step, mark.text);
    QCOMPARE(marks, (std::vector<std::pair<std::int64_t, std::string>>{{4, "0.001"}}));
}

void TestTrainLoop::epochCheckpointsTakeLittleTime() {
    // A hundred epochs of a few microseconds: the first epoch end is saved, the rest waits for its turn; the end is.
    Rig rig;
    Line line;
    tests::FakeBatches batches(1, 1, 4);
    auto spec = lineSpec(line, batches);
    spec.epochs = 100;
    QVERIFY(TrainLoop(rig.services(), spec).run());
    rig.points("train/loss");
    std::vector<std::int64_t> saved;
    for (const auto& mark : rig.marks)
        if (mark.kind == "checkpoint") saved.push_back(mark.step);
    QVERIFY(saved.size() >= 2 && saved.size() < 20);
    QCOMPARE(saved.front(), std::int64_t(1));
    QCOMPARE(saved.back(), std::int64_t(100));
}

void TestTrainLoop::logsMeansOverTheWindow() {
    Rig every, third;
    Line a, b;
    tests::FakeBatches batches(5, 7, 4);
    auto one = lineSpec(a, batches);
    QVERIFY(TrainLoop(every.services(), one).run());
    auto three = lineSpec(b, batches);
    three.logEvery = 3;
    QVERIFY(TrainLoop(third.services(), three).run());
    const auto losses = every.values("train/loss");
    const auto means = third.values("train/loss");
    QCOMPARE(losses.size(), std::size_t(7));
    QCOMPARE(means.size(), std::size_t(3));  // steps 3, 6 and, as the epoch ends there, 7
    QVERIFY(std::abs(means[0] - (losses[0] + losses[1] + losses[2]) / 3) < 1e-12);
    QVERIFY(means[2] == losses[6]);
    QCOMPARE(third.points("train/loss")[2].step, 7);
}

void TestTrainLoop::averagedWeightsFollowTheFormula() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(2, 3, 4);
    auto spec = lineSpec(line, batches);
    spec.emaDecay = 0.75;
    at::Tensor expected = at::zeros({4});
    std::vector<at::Tensor> seen;
    auto step = spec.step;
    spec.step = [&](const nn::Batch& batch, std::int64_t n, std::int64_t epoch) {
        if (n > 0) expected = expected * 0.75 + line->w.detach() * 0.25;
        return step(batch, n, epoch);
    };
    spec.evaluate = [&](std::int64_t) -> Result<nn::EvalValues> {
        seen.push_back(line->w.detach().clone());
        return nn::EvalValues{{"valid/loss", 1.0}};
    };
    QVERIFY(TrainLoop(rig.services(), spec).run());
    const auto last = interop::readSafetensors(rig.folder / "checkpoints" / "last.safetensors");
    QVERIFY(last.has_value());
    expected = expected * 0.75 + *last->find("w") * 0.25;
    QCOMPARE(seen.size(), std::size_t(1));
    QVERIFY(at::allclose(seen[0], expected, 1e-6, 1e-7));
    QVERIFY(at::equal(line->w.detach(), seen[0]));  // the model ends with the best weights
}

void TestTrainLoop::evaluatesWithAveragedWeightsAndTrainsOn() {
    // The trained weights must come back after each evaluation: a run that never evaluates takes the same path.
    Rig a, b;
    torch::manual_seed(4);
    tests::FakeNet one;
    torch::manual_seed(4);
    tests::FakeNet two;
    tests::FakeBatches batches(4, 5, 4);
    auto with = netSpec(one, batches);
    auto without = netSpec(two, batches);
    without.evaluate = nullptr;
    torch::manual_seed(9);
    QVERIFY(TrainLoop(a.services(), with).run());
    torch::manual_seed(9);
    QVERIFY(TrainLoop(b.services(), without).run());
    QCOMPARE(a.values("train/loss"), b.values("train/loss"));
    QCOMPARE(a.values("train/loss").size(), std::size_t(15));
}

void TestTrainLoop::keepsTheBestAndEndsWithIt() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(2, 2, 4);
    auto spec = lineSpec(line, batches);
    spec.epochs = 4;
    spec.bestSeries = "valid/top1";
    spec.isBestHighest = true;
    const double scores[] = {0.2, 0.7, 0.7, 0.5};
    at::Tensor best;
    spec.evaluate = [&](std::int64_t epoch) -> Result<nn::EvalValues> {
        if (epoch == 1) best = line->w.detach().clone();
        return nn::EvalValues{{"valid/top1", scores[epoch]}};
    };
    QVERIFY(TrainLoop(rig.services(), spec).run());
    QVERIFY(at::equal(line->w.detach(), best));
    const auto stored = interop::readSafetensors(rig.folder / "checkpoints" / "best.safetensors");
    QVERIFY(stored && at::equal(*stored->find("w"), best));
    QCOMPARE(stored->metadata.at("step"), std::string("4"));
    QCOMPARE(rig.values("valid/top1"), (std::vector<double>{0.2, 0.7, 0.7, 0.5}));
    std::vector<std::int64_t> marked;
    for (const auto& mark : rig.marks)
        if (mark.kind == "best") marked.push_back(mark.step);
    QCOMPARE(marked, (std::vector<std::int64_t>{2, 4}));
}

void TestTrainLoop::failsAtTheStepThatBecameNaN() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(2, 10, 4);
    auto spec = lineSpec(line, batches);
    spec.logEvery = 5;
    spec.checkpointEverySteps = 5;
    auto step = spec.step;
    spec.step = [&](const nn::Batch& batch, std::int64_t n, std::int64_t epoch) {
        auto output = step(batch, n, epoch);
        if (n == 6) output->loss = output->loss / 0.0 * 0.0;
        return output;
    };
    const auto result = TrainLoop(rig.services(), spec).run();
    QVERIFY(!result);
    QVERIFY(result.error().code == ErrorCode::Numeric);
    QCOMPARE(result.error().what, std::string("train/loss became NaN at step 7"));
    QVERIFY(std::isnan(rig.values("train/loss").back()));
    QCOMPARE(rig.points("train/loss").back().step, 7);
    const auto state = CheckpointFolder(rig.folder / "checkpoints").peek();
    QVERIFY(state && *state);
    QCOMPARE((*state)->step, 5);
}

void TestTrainLoop::refusesWeightsThatAreNoNumbers() {
    Rig rig;
    Line line;
    tests::FakeBatches batches(2, 4, 4);
    auto spec = lineSpec(line, batches);
    spec.epochs = 2;
    // Infinite in the very last step of the epoch: no loss has seen it when the checkpoint is due.
    spec.learningRate = [](std::int64_t step, double) { return step == 3 ? 1e38 * 1e3 : 0.1; };
    const auto result = TrainLoop(rig.services(), spec).run();
    QVERIFY(!result);
    QVERIFY(result.error().code == ErrorCode::Numeric);
    QVERIFY(result.error().what.find("step 4") != std::string::npos);
    const auto state = CheckpointFolder(rig.folder / "checkpoints").peek();
    QVERIFY(state && !*state);
}

void TestTrainLoop::resumesBitForBit_data() {
    QTest::addColumn<int>("stopAt");
    QTest::addColumn<int>("accumulation");
    QTest::newRow("in the middle of an epoch and a window") << 4 << 1;
    QTest::newRow("between two epochs") << 7 << 1;
    QTest::newRow("with accumulation") << 5 << 2;
    QTest::newRow("before the first step") << 0 << 1;
}

void TestTrainLoop::resumesBitForBit() {
    QFETCH(int, stopAt);
    QFETCH(int, accumulation);
    const auto make = [&](tests::FakeNet& net, tests::FakeBatches& batches) {
        auto spec = netSpec(net, batches);
        spec.logEvery = 3;
        spec.accumulation = accumulation;
        spec.clipNorm = 0.7;
        return spec;
    };
    tests::FakeBatches batches(11, 7, 6);
    torch::manual_seed(1);
    tests::FakeNet straight;
    Rig whole;
    auto spec = make(straight, batches);
    QVERIFY(TrainLoop(whole.services(), spec).run());

    torch::manual_seed(1);
    tests::FakeNet first;
    Rig one;
    auto broken = make(first, batches);
    auto step = broken.step;
    broken.step = [&](const nn::Batch& batch, std::int64_t n, std::int64_t epoch) {
        if (n + 1 == stopAt) one.job.requestStop();
        return step(batch, n, epoch);
    };
    if (stopAt == 0) one.job.requestStop();
    {
        TrainLoop loop(one.services(), broken);
        QVERIFY(loop.run());
        QVERIFY(loop.wasStopped());
        QCOMPARE(loop.step(), std::int64_t(stopAt));
    }
    QVERIFY(one.sinks->close(false));

    torch::manual_seed(77);  // another generator state and other weights: all must come from the checkpoint
    tests::FakeNet second;
    Rig two(one.folder);
    auto rest = make(second, batches);
    QVERIFY(TrainLoop(two.services(), rest).run());

    for (const char* series : {"train/loss", "train/lr", "train/grad_norm", "train/top1", "valid/loss", "train/epoch"}) {
        auto joined = one.values(series);
        for (const double value : two.values(series)) joined.push_back(value);
        QCOMPARE(joined, whole.values(series));
    }
    for (const auto& [name, tensor] : moduleTensors(*straight).tensors)
        QVERIFY2(at::equal(tensor, *moduleTensors(*second).find(name)), name.c_str());
}

void TestTrainLoop::returnsAtOnceWhenFinished() {
    Rig one;
    Line line;
    tests::FakeBatches batches(2, 3, 4);
    auto spec = lineSpec(line, batches);
    QVERIFY(TrainLoop(one.services(), spec).run());
    QVERIFY(one.sinks->close(false));
    Rig two(one.folder);
    Line other;
    auto again = lineSpec(other, batches);
    again.step = [](const nn::Batch&, std::int64_t, std::int64_t) -> Result<nn::StepOutput> {
        return fail(ErrorCode::Internal, "must not be called");
    };
    QVERIFY(TrainLoop(two.services(), again).run());
    QVERIFY(at::equal(other->w, line->w));
    QVERIFY(two.values("train/loss").empty());
}

void TestTrainLoop::goesOnWhenACheckpointCannotBeWritten() {
    std::signal(SIGXFSZ, SIG_IGN);
    Rig rig;
    struct Wide : torch::nn::Module {
        Wide() { w = register_parameter("w", at::zeros({2'000'000})); }
        at::Tensor w;
    };
    auto wide = std::make_shared<Wide>();
    tests::FakeBatches batches(1, 6, 2);
    nn::LoopSpec spec;
    spec.model = wide;
    spec.groups = {{wide->parameters(), 1.0, 0.0}};
    spec.learningRate = [](std::int64_t, double) { return 0.1; };
    spec.batches = &batches;
    spec.checkpointEverySteps = 1;
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    spec.step = [&](const nn::Batch&, std::int64_t n, std::int64_t) -> Result<nn::StepOutput> {
        // Room for 8 MB files in steps 1, 2 and from 5 on, not between.
        const rlimit now{n >= 2 && n < 4 ? 4'000'000 : before.rlim_cur, before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
        nn::StepOutput output;
        output.loss = wide->w.slice(0, 0, 10).sum() + 1.0;
        output.items = 2;
        return output;
    };
    const auto result = TrainLoop(rig.services(), spec).run();
    ::setrlimit(RLIMIT_FSIZE, &before);
    QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
    rig.points("train/loss");
    QCOMPARE(rig.warnings.size(), std::size_t(1));
    QCOMPARE(rig.warnings[0].kind, std::string("checkpoint_failed"));
    QVERIFY(rig.warnings[0].detail.find("step 3") != std::string::npos);
    std::vector<std::int64_t> saved;
    for (const auto& mark : rig.marks)
        if (mark.kind == "checkpoint") saved.push_back(mark.step);
    QCOMPARE(saved, (std::vector<std::int64_t>{1, 2, 5, 6, 6}));
}

void TestTrainLoop::refusesACheckpointOfAnotherModel() {
    Rig one;
    Line line;
    tests::FakeBatches batches(2, 3, 4);
    auto spec = lineSpec(line, batches);
    QVERIFY(TrainLoop(one.services(), spec).run());
    QVERIFY(one.sinks->close(false));
    Rig two(one.folder);
    tests::FakeNet net;
    auto other = netSpec(net, batches);
    const auto result = TrainLoop(two.services(), other).run();
    QVERIFY(!result);
    QVERIFY(result.error().code == ErrorCode::BadInput);
    QVERIFY(result.error().sentence().find("first.weight [8, 4]") != std::string::npos);
}

void TestTrainLoop::refusesAParameterInNoGroup() {
    Rig rig;
    tests::FakeNet net;
    tests::FakeBatches batches(2, 3, 4);
    auto spec = netSpec(net, batches);
    spec.groups.front().params.pop_back();
    const auto result = TrainLoop(rig.services(), spec).run();
    QVERIFY(!result);
    QVERIFY(result.error().what.find("last.bias") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestTrainLoop)
#include "tst_train_loop.moc"
