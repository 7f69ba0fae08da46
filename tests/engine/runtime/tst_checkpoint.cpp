// labels: fast gate
#include <QTemporaryDir>
#include <QtTest>

#include <csignal>
#include <fstream>

#include <sys/resource.h>

#include "engine/api/torch.h"
#include "engine/runtime/checkpoint.h"
#include "tests/support/fake_recipe.h"

using namespace espalier;
using namespace espalier::runtime;
namespace fs = std::filesystem;

namespace {

LoopState someState() {
    LoopState state;
    state.epoch = 2;
    state.batch = 7;
    state.step = 41;
    state.windowSteps = 3;
    state.windowItems = 24;
    state.epochCorrect = 12.0;
    state.epochItems = 30;
    state.hasBest = true;
    state.best = 0.1 + 0.2;  // not a short decimal: bits must survive
    state.bestStep = 40;
    return state;
}

nn::NamedTensors someTensors(float value) {
    nn::NamedTensors tensors;
    tensors.add("a", at::full({2, 3}, value));
    tensors.add("bytes", at::arange(5, at::kByte));
    return tensors;
}

/// Files may not grow beyond `bytes` while it lives: what a full disk looks like to write().
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &m_before);
        rlimit now{bytes, m_before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &m_before); }

private:
    rlimit m_before{};
};

}  // namespace

/// Checkpoints come back bit for bit, survive trouble while being replaced, and are refused by other models.
class TestCheckpoint : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void comesBackBitForBit();
    void isAbsentInAnEmptyFolder();
    void keepsThePreviousOneWhenTheDiskIsFull();
    void keepsOnePairAndALinkToIt();
    void namesAMissingTensor();
    void namesASurplusTensor();
    void namesAMisshapenTensorWithBothShapes();
    void changesNothingWhenRefused();
    void noticesDamage();
    void refusesAForeignStateFile();
};

void TestCheckpoint::comesBackBitForBit() {
    QTemporaryDir dir;
    CheckpointFolder folder(dir.path().toStdString());
    tests::FakeNet net;
    nn::NamedTensors state = someTensors(0.3f);
    QVERIFY(folder.save(someState(), moduleTensors(*net), state));
    const auto loaded = folder.load();
    QVERIFY(loaded && *loaded);
    const auto& found = (*loaded)->state;
    QCOMPARE(found.epoch, 2);
    QCOMPARE(found.batch, 7);
    QCOMPARE(found.step, 41);
    QCOMPARE(found.windowSteps, 3);
    QCOMPARE(found.windowItems, 24);
    QCOMPARE(found.epochItems, 30);
    QVERIFY(found.best == 0.1 + 0.2);
    QVERIFY(found.hasBest && !found.isFinished);
    tests::FakeNet other;
    QVERIFY(!at::equal(other->first->weight, net->first->weight));
    QVERIFY(loadIntoModule(*other, (*loaded)->weights, "test"));
    for (const auto& [name, tensor] : moduleTensors(*net).tensors)
        QVERIFY2(at::equal(*moduleTensors(*other).find(name), tensor), name.c_str());
    QVERIFY(at::equal(*(*loaded)->tensors.find("bytes"), at::arange(5, at::kByte)));
}

void TestCheckpoint::isAbsentInAnEmptyFolder() {
    QTemporaryDir dir;
    const auto loaded = CheckpointFolder(dir.path().toStdString()).load();
    QVERIFY(loaded.has_value());
    QVERIFY(!loaded->has_value());
}

void TestCheckpoint::keepsThePreviousOneWhenTheDiskIsFull() {
    QTemporaryDir dir;
    CheckpointFolder folder(dir.path().toStdString());
    QVERIFY(folder.save(someState(), someTensors(1.0f), someTensors(1.0f)));
    nn::NamedTensors big;
    big.add("a", at::ones({100'000}));
    auto next = someState();
    next.step = 42;
    {
        FileSizeLimit limit(64 * 1024);
        const auto saved = folder.save(next, big, someTensors(2.0f));
        QVERIFY(!saved);
        QVERIFY(saved.error().code == ErrorCode::Io);
    }
    auto loaded = folder.load();
    QVERIFY(loaded && *loaded);
    QCOMPARE((*loaded)->state.step, 41);
    QVERIFY(at::equal(*(*loaded)->weights.find("a"), at::full({2, 3}, 1.0f)));
    QVERIFY(folder.save(next, big, someTensors(2.0f)));
    loaded = folder.load();
    QVERIFY(loaded && *loaded);
    QCOMPARE((*loaded)->state.step, 42);
}

void TestCheckpoint::keepsOnePairAndALinkToIt() {
    QTemporaryDir dir;
    const fs::path path = dir.path().toStdString();
    CheckpointFolder folder(path);
    for (const std::int64_t step : {1, 2, 2, 3}) {
        auto state = someState();
        state.step = step;
        QVERIFY(folder.save(state, someTensors(static_cast<float>(step)), someTensors(0.0f)));
    }
    QVERIFY(folder.saveBest(someTensors(9.0f)));
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename().string());
    QCOMPARE(names, (std::set<std::string>{"best.safetensors", "last.safetensors", "state.json",
                                           "step-3.safetensors", "step-3.state.safetensors"}));
    QVERIFY(fs::equivalent(path / "last.safetensors", path / "step-3.safetensors"));
}

void TestCheckpoint::namesAMissingTensor() {
    tests::FakeNet net;
    auto tensors = moduleTensors(*net);
    std::erase_if(tensors.tensors, [](const auto& item) { return item.first == "last.bias"; });
    const auto loaded = loadIntoModule(*net, tensors, "weights.safetensors");
    QVERIFY(!loaded);
    QVERIFY(loaded.error().sentence().find("lack the tensor last.bias [2]") != std::string::npos);
    QCOMPARE(loaded.error().where, std::string("weights.safetensors"));
}

void TestCheckpoint::namesASurplusTensor() {
    tests::FakeNet net;
    auto tensors = moduleTensors(*net);
    tensors.add("third.weight", at::zeros({1, 2}));
    const auto loaded = loadIntoModule(*net, tensors, "w");
    QVERIFY(!loaded);
    QVERIFY(loaded.error().what.find("third.weight [1, 2]") != std::string::npos);
}

void TestCheckpoint::namesAMisshapenTensorWithBothShapes() {
    tests::FakeNet wide(6), net(4);
    const auto loaded = loadIntoModule(*net, moduleTensors(*wide), "w");
    QVERIFY(!loaded);
    QVERIFY(loaded.error().what.find("first.weight is [8, 6] in the file and [8, 4] in this model") !=
            std::string::npos);
    QVERIFY(loaded.error().remedy.find("another architecture") != std::string::npos);
}

void TestCheckpoint::changesNothingWhenRefused() {
    tests::FakeNet net, other;
    auto tensors = moduleTensors(*other);
    tensors.add("surplus", at::zeros({1}));
    const auto before = net->first->weight.detach().clone();
    QVERIFY(!loadIntoModule(*net, tensors, "w"));
    QVERIFY(at::equal(net->first->weight, before));
}

void TestCheckpoint::noticesDamage() {
    QTemporaryDir dir;
    const fs::path path = dir.path().toStdString();
    CheckpointFolder folder(path);
    QVERIFY(folder.save(someState(), someTensors(1.0f), someTensors(1.0f)));
    {
        std::fstream file(path / "step-41.state.safetensors", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(-3, std::ios::end);
        file.put('x');
    }
    const auto loaded = folder.load();
    QVERIFY(!loaded);
    QVERIFY(loaded.error().code == ErrorCode::Corrupt);
    QVERIFY(loaded.error().where.find("step-41.state.safetensors") != std::string::npos);
}

void TestCheckpoint::refusesAForeignStateFile() {
    QTemporaryDir dir;
    const fs::path path = dir.path().toStdString();
    for (const char* text : {"", "[]", "{\"version\": 99}", "{\"version\": 1}", "{\"version\": 1, \"loop\": 3}"}) {
        std::ofstream(path / "state.json") << text;
        const auto loaded = CheckpointFolder(path).load();
        QVERIFY2(!loaded && loaded.error().code == ErrorCode::Corrupt, text);
    }
}

QTEST_GUILESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
