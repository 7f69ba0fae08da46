// labels: fast gate
#include <fstream>
#include <memory>
#include <random>

#include <fcntl.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/api/torch.h"
#include "engine/base/files.h"
#include "engine/interop/safetensors.h"
#include "engine/runtime/checkpoint.h"
#include "tests/support/io_faults/faulty_child.h"
#include "tests/support/io_faults/io_recording.h"

using namespace espalier;
using namespace espalier::runtime;
using namespace espalier::tests;
namespace fs = std::filesystem;

namespace {

constexpr int kSaves = 4;
constexpr int kReportedTrouble = 3;

nn::NamedTensors tensorsOf(int save) {
    nn::NamedTensors tensors;
    tensors.add("weight", at::full({40, 50}, float(save)));
    return tensors;
}

LoopState stateOf(int save) {
    LoopState state;
    state.step = save;
    return state;
}

void acknowledge(const fs::path& folder, int save) {
    const int fd = ::open((folder / "acknowledged").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    const auto text = std::to_string(save) + ' ';
    if (::pwrite(fd, text.data(), text.size(), 0) < 0) ::_exit(4);
    ::close(fd);
}

void saveAndExit(const fs::path& folder) {
    at::set_num_threads(1);
    CheckpointFolder checkpoints(folder / "checkpoints");
    bool isWhole = true;
    for (int save = 1; save <= kSaves; ++save) {
        const bool isSaved = checkpoints.save(stateOf(save), tensorsOf(save), tensorsOf(save)).has_value();
        if (isSaved) acknowledge(folder, save);
        isWhole = isWhole && isSaved && checkpoints.saveBest(tensorsOf(save)).has_value();
    }
    ::_exit(isWhole ? 0 : kReportedTrouble);
}

int acknowledged(const fs::path& folder) {
    const auto text = readFile(folder / "acknowledged");
    return text ? std::atoi(text->c_str()) : 0;
}

bool holds(const nn::NamedTensors& tensors, std::int64_t save) {
    const auto* weight = tensors.find("weight");
    return weight && weight->eq(float(save)).all().item<bool>();
}

}  // namespace

/// Saving dies, is refused, or the power fails, at any system call: the last acknowledged checkpoint or a later one
/// loads, whole. ESPALIER_ALL_FAULTS=1 tries every call instead of a sample.
class TestCheckpointIo : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        if (const auto folder = qEnvironmentVariable(kChildFolderVariable); !folder.isEmpty())
            saveAndExit(folder.toStdString());
    }
    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_dir->path().toStdString());
    }
    void survivesEachFailingCall_data() {
        QTest::addColumn<QString>("fault");
        QTest::addColumn<QString>("lasting");
        QTest::newRow("killed before the call") << QStringLiteral("kill") << QString();
        QTest::newRow("one input/output error") << QStringLiteral("EIO") << QString();
        QTest::newRow("the disk is full from there on") << QStringLiteral("ENOSPC") << QStringLiteral("+");
    }
    void survivesEachFailingCall();
    void survivesAPowerCut();

private:
    void check(const fs::path& folder, int promised);
    fs::path freshFolder(const std::string& name) const {
        const auto folder = m_folder / name;
        fs::create_directories(folder);
        return folder;
    }
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_folder;
};

void TestCheckpointIo::check(const fs::path& folder, int promised) {
    CheckpointFolder checkpoints(folder / "checkpoints");
    const auto loaded = checkpoints.load();
    QVERIFY2(loaded.has_value(), loaded ? "" : loaded.error().sentence().c_str());
    QVERIFY(loaded->has_value() || promised == 0);
    if (loaded->has_value()) {
        const auto step = (*loaded)->state.step;
        QVERIFY2(step >= promised && step <= kSaves, qPrintable(QString::number(step)));
        QVERIFY(holds((*loaded)->weights, step));
        QVERIFY(holds((*loaded)->tensors, step));
    }
    if (fs::exists(checkpoints.bestFile())) {
        const auto best = interop::readSafetensors(checkpoints.bestFile());
        QVERIFY2(best.has_value(), best ? "" : best.error().sentence().c_str());
    }
    // The next save works and sweeps what the dead one left.
    const auto saved = checkpoints.save(stateOf(9), tensorsOf(9), tensorsOf(9));
    QVERIFY2(saved.has_value(), saved ? "" : saved.error().sentence().c_str());
    const auto again = checkpoints.load();
    QVERIFY(again && again->has_value());
    QCOMPARE((*again)->state.step, std::int64_t(9));
    for (const auto& entry : fs::directory_iterator(folder / "checkpoints")) {
        const auto name = entry.path().filename().string();
        QVERIFY2(name == "state.json" || name == "last.safetensors" || name == "best.safetensors" || name == "step-9.safetensors" ||
                     name == "step-9.state.safetensors",
                 name.c_str());
    }
}

void TestCheckpointIo::survivesEachFailingCall() {
    QFETCH(QString, fault);
    QFETCH(QString, lasting);
    const auto whole = runFaultyChild(freshFolder("whole"), QStringLiteral("count"), m_folder / "count");
    QVERIFY2(whole.code == 0 && !whole.wasKilled, whole.output.constData());
    QVERIFY(whole.calls > 30);
    const long stride = qEnvironmentVariableIsSet("ESPALIER_ALL_FAULTS") ? 1 : std::max(1L, whole.calls / 5);
    for (long at = 1 + fault.size() % stride; at <= whole.calls; at += stride) {
        const auto folder = freshFolder(std::to_string(at));
        const auto end = runFaultyChild(folder, QStringLiteral("%1:%2%3").arg(fault).arg(at).arg(lasting), m_folder / "count");
        QVERIFY2(!end.isHung, qPrintable(QStringLiteral("hung at call %1").arg(at)));
        if (fault == QStringLiteral("kill")) QVERIFY(end.wasKilled);
        else QVERIFY2(!end.wasKilled, qPrintable(QStringLiteral("call %1: %2").arg(at).arg(QString::fromUtf8(end.output))));
        check(folder, acknowledged(folder));
        if (QTest::currentTestFailed()) {
            qInfo("failed at call %ld of %ld", at, whole.calls);
            return;
        }
    }
}

void TestCheckpointIo::survivesAPowerCut() {
    const auto work = freshFolder("work");
    const auto whole = runFaultyChild(work, QStringLiteral("record"), m_folder / "record");
    QVERIFY2(whole.code == 0 && !whole.wasKilled, whole.output.constData());
    const auto bytes = readFile(m_folder / "record");
    QVERIFY(bytes.has_value());
    const auto entries = decodeIo(*bytes);
    QVERIFY(entries.size() > 30);
    std::mt19937 random(5);
    const auto promise = (work / "acknowledged").string();
    const int variants = qEnvironmentVariableIsSet("ESPALIER_ALL_FAULTS") ? 8 : 2;
    PowerCut disk;
    int promised = 0;
    for (const auto& entry : entries) {
        if (entry.path == promise) promised = std::atoi(entry.data.c_str());
        else disk.apply(entry);
        for (int variant = 0; variant < variants; ++variant) {
            const auto folder = freshFolder("cut");
            for (const auto& [path, content] : disk.survivors(random)) {
                const auto target = folder / fs::relative(path, work);
                fs::create_directories(target.parent_path());
                std::ofstream(target, std::ios::binary) << content;
            }
            check(folder, promised);
            if (QTest::currentTestFailed()) {
                qInfo("failed after entry %d of %d", int(&entry - entries.data()), int(entries.size()));
                return;
            }
            fs::remove_all(folder);
        }
    }
    QCOMPARE(promised, kSaves);
}

QTEST_GUILESS_MAIN(TestCheckpointIo)
#include "tst_checkpoint_io.moc"
