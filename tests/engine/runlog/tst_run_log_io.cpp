// labels: fast gate
#include <fstream>
#include <memory>
#include <random>

#include <fcntl.h>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/files.h"
#include "tests/support/io_faults/faulty_child.h"
#include "tests/support/io_faults/io_recording.h"
#include "tests/support/memory_folder.h"
#include "tests/support/run_log_samples.h"

using namespace espalier;
using namespace espalier::tests;

namespace {

constexpr int kRounds = 4, kRowsPerRound = 25;
constexpr int kReportedTrouble = 3;
const std::vector<std::int64_t> kLargeShape{300, 1000};  // 1.2 MB

double valueAt(std::int64_t i) { return 1.0 / double(1 + i); }

/// Writes down how many rows the log has promised to keep. Direct calls, so that the preload sees them in order.
void acknowledge(const fs::path& folder, int rows) {
    const int fd = ::open((folder / "acknowledged").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    const auto text = std::to_string(rows) + ' ';
    if (::pwrite(fd, text.data(), text.size(), 0) < 0) ::_exit(4);
    ::close(fd);
}

/// The child's work: four flushed batches with an array each, one of them too large for the journal, then the compaction.
/// Ends with 0 only when it was told that nothing is missing.
void logAndExit(const fs::path& folder) {
    auto writer = RunLogWriter::open(folder / "run");
    if (!writer) ::_exit(kReportedTrouble);
    const auto id = (*writer)->series("s");
    for (int round = 0; round < kRounds; ++round) {
        for (int i = 0; i < kRowsPerRound; ++i) {
            const auto row = round * kRowsPerRound + i;
            (*writer)->scalar(id, row, 0, valueAt(row));
        }
        (*writer)->array(makeArray(feed::ArrayType::Float16, "attn", {3, 50}));
        if (round == 1) (*writer)->array(makeArray(feed::ArrayType::Float32, "large", kLargeShape));
        if ((*writer)->flush()) acknowledge(folder, (round + 1) * kRowsPerRound);
    }
    const bool isWhole = (*writer)->close(true).has_value() && !(*writer)->compactionError();
    ::_exit(isWhole ? 0 : kReportedTrouble);
}

int acknowledged(const std::string& text) { return text.empty() ? 0 : std::atoi(text.c_str()); }

}  // namespace

/// A process that dies or is refused at any system call, and a machine whose power fails: what the log acknowledged
/// stays, and the log goes on afterwards. ESPALIER_ALL_FAULTS=1 tries every call instead of a sample.
class TestRunLogIo : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        if (const auto folder = qEnvironmentVariable(kChildFolderVariable); !folder.isEmpty())
            logAndExit(folder.toStdString());
        // Thousands of syncs; what counts here are the calls, not the disk below.
        tests::useMemoryFolder();
    }
    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_folder = fs::path(m_dir->path().toStdString());
    }
    void survivesEachFailingCall_data();
    void survivesEachFailingCall();
    void survivesAPowerCut();
    void networkFolder();

private:
    void checkWhole(const fs::path& folder);
    void checkAndGoOn(const fs::path& folder, int promised);
    fs::path freshFolder(const std::string& name) const {
        const auto folder = m_folder / name;
        fs::create_directories(folder);
        return folder;
    }
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_folder;
};

/// All that was logged is there.
void TestRunLogIo::checkWhole(const fs::path& folder) {
    auto reader = RunLogReader::open(folder / "run");
    VERIFY_OK(reader);
    const auto columns = (*reader)->read("s");
    VERIFY_OK(columns);
    QCOMPARE(columns->values.size(), std::size_t(kRounds * kRowsPerRound));
    const auto arrays = (*reader)->arrays();
    VERIFY_OK(arrays);
    QCOMPARE(arrays->size(), std::size_t(kRounds + 1));
    for (const auto& info : *arrays) {
        const auto array = (*reader)->readArray(info.index);
        VERIFY_OK(array);
        QCOMPARE(array->floats, makeArray(info.type, info.name, info.shape).floats);
    }
}

/// Every promised row is there before anybody repairs the log, nothing is wrong, and the log can be continued.
void TestRunLogIo::checkAndGoOn(const fs::path& folder, int promised) {
    std::size_t seen = 0;
    {
        auto reader = RunLogReader::open(folder / "run");
        if (!reader) {
            QVERIFY2(promised == 0, reader.error().sentence().c_str());
        } else if (const auto series = (*reader)->series(); series && !series->empty()) {
            const auto columns = (*reader)->read("s");
            VERIFY_OK(columns);
            seen = columns->values.size();
            for (std::size_t i = 0; i < seen; ++i) {
                QCOMPARE(columns->steps[i], std::int64_t(i));
                QCOMPARE(columns->values[i], valueAt(std::int64_t(i)));
            }
        }
        QVERIFY2(seen >= std::size_t(promised), qPrintable(QStringLiteral("%1 of %2").arg(seen).arg(promised)));
    }
    auto writer = RunLogWriter::open(folder / "run");
    VERIFY_OK(writer);
    (*writer)->scalar((*writer)->series("s"), std::int64_t(seen), 0, valueAt(std::int64_t(seen)));
    VERIFY_OK((*writer)->close(true));
    auto reader = RunLogReader::open(folder / "run");
    VERIFY_OK(reader);
    const auto columns = (*reader)->read("s");
    VERIFY_OK(columns);
    QCOMPARE(columns->values.size(), seen + 1);
    for (std::size_t i = 0; i <= seen; ++i) QCOMPARE(columns->values[i], valueAt(std::int64_t(i)));
    for (const auto& entry : fs::directory_iterator(folder / "run"))
        QVERIFY2(entry.path().filename() == "run.h5" || entry.path().filename() == "journal.esj", entry.path().c_str());
}

void TestRunLogIo::survivesEachFailingCall_data() {
    QTest::addColumn<QString>("fault");
    QTest::addColumn<bool>("isLasting");
    QTest::newRow("killed before the call") << QStringLiteral("kill") << false;
    QTest::newRow("one input/output error") << QStringLiteral("EIO") << false;
    QTest::newRow("the disk is full from there on") << QStringLiteral("ENOSPC") << true;
    QTest::newRow("a sync fails and forgets what it had") << QStringLiteral("drop") << false;
}

void TestRunLogIo::survivesEachFailingCall() {
    QFETCH(QString, fault);
    QFETCH(bool, isLasting);
    const auto whole = runFaultyChild(freshFolder("whole"), fault == QStringLiteral("drop") ? QStringLiteral("drop:0") : QStringLiteral("count"), m_folder / "count");
    QVERIFY2(whole.code == 0 && !whole.wasKilled, whole.output.constData());
    QVERIFY(whole.calls > (fault == QStringLiteral("drop") ? 10 : 30));
    const long stride = qEnvironmentVariableIsSet("ESPALIER_ALL_FAULTS") ? 1 : std::max(1L, whole.calls / 14);
    std::mt19937 random(static_cast<unsigned>(fault.size()));
    long reported = 0, tried = 0;
    for (long at = 1 + long(random() % static_cast<unsigned long>(stride)); at <= whole.calls; at += stride, ++tried) {
        const auto folder = freshFolder(std::to_string(at));
        const auto end = runFaultyChild(folder, QStringLiteral("%1:%2%3").arg(fault).arg(at).arg(isLasting ? QStringLiteral("+") : QString()), m_folder / "count");
        QVERIFY2(!end.isHung, qPrintable(QStringLiteral("hung at call %1").arg(at)));
        if (fault == QStringLiteral("kill")) QVERIFY(end.wasKilled || end.calls < at);
        else QVERIFY2(!end.wasKilled, qPrintable(QStringLiteral("call %1: %2").arg(at).arg(QString::fromUtf8(end.output))));
        reported += end.code == kReportedTrouble;
        if (!end.wasKilled && end.code == 0) checkWhole(folder);
        const auto text = readFile(folder / "acknowledged");
        checkAndGoOn(folder, acknowledged(text ? *text : std::string()));
        if (QTest::currentTestFailed()) {
            qInfo("failed at call %ld of %ld", at, whole.calls);
            return;
        }
    }
    // A disk that stays full is told; one call that fails is made good or told, and checkWhole() has seen to the former.
    if (isLasting) QVERIFY(reported > tried / 2);
    qInfo("%ld of %ld calls tried, %ld reported", tried, whole.calls, reported);
}

void TestRunLogIo::survivesAPowerCut() {
    const auto work = freshFolder("work");
    const auto whole = runFaultyChild(work, QStringLiteral("record"), m_folder / "record");
    QVERIFY2(whole.code == 0 && !whole.wasKilled, whole.output.constData());
    const auto bytes = readFile(m_folder / "record");
    VERIFY_OK(bytes);
    const auto entries = decodeIo(*bytes);
    QVERIFY(entries.size() > 30);
    std::mt19937 random(11);
    const auto promise = (work / "acknowledged").string();
    const int variants = qEnvironmentVariableIsSet("ESPALIER_ALL_FAULTS") ? 6 : 1;
    PowerCut disk;
    int promised = 0, cuts = 0;
    for (const auto& entry : entries) {
        if (entry.path == promise) promised = acknowledged(entry.data);
        else disk.apply(entry);
        for (int variant = 0; variant < variants; ++variant, ++cuts) {
            const auto folder = freshFolder("cut");
            for (const auto& [path, content] : disk.survivors(random)) {
                const auto target = folder / fs::relative(path, work);
                fs::create_directories(target.parent_path());
                std::ofstream(target, std::ios::binary) << content;
            }
            checkAndGoOn(folder, promised);
            if (QTest::currentTestFailed()) {
                qInfo("failed after entry %d of %d", int(&entry - entries.data()), int(entries.size()));
                return;
            }
            fs::remove_all(folder);
        }
    }
    QCOMPARE(promised, kRounds * kRowsPerRound);
    qInfo("%d power cuts", cuts);
}

/// On a file system of another machine run.h5 appears at the end alone, and a warning says why.
void TestRunLogIo::networkFolder() {
    const auto folder = freshFolder("network");
    const auto end = runFaultyChild(folder, QStringLiteral("network"), m_folder / "count");
    QVERIFY2(end.code == 0 && !end.wasKilled, end.output.constData());
    checkWhole(folder);
    const auto warningsOf = [&] {
        std::vector<std::string> found;
        auto reader = RunLogReader::open(folder / "run");
        const auto warnings = reader ? (*reader)->warnings() : Result<Warnings>(Warnings{});
        for (const auto& warning : *warnings)
            if (warning.kind == "network_folder") found.push_back(warning.detail);
        return found;
    };
    const auto told = warningsOf();
    QCOMPARE(told.size(), std::size_t(1));
    QVERIFY2(told[0].find("FUSE") != std::string::npos && told[0].find("two programs") != std::string::npos, told[0].c_str());
    // Opened there again it is not told again, and what it logs comes on top.
    const auto again = runFaultyChild(folder, QStringLiteral("network"), m_folder / "count");
    QVERIFY2(again.code == 0 && !again.wasKilled, again.output.constData());
    QCOMPARE(warningsOf().size(), std::size_t(1));
    auto reader = RunLogReader::open(folder / "run");
    VERIFY_OK(reader);
    QCOMPARE((*reader)->read("s")->values.size(), std::size_t(2 * kRounds * kRowsPerRound));
    QCOMPARE((*reader)->arrays()->size(), std::size_t(2 * (kRounds + 1)));
}

QTEST_GUILESS_MAIN(TestRunLogIo)
#include "tst_run_log_io.moc"
