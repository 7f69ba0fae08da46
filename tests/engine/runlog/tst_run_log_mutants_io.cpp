// labels: fast gate
#include <csignal>
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "tests/support/run_log_samples.h"

using namespace espalier;
using namespace espalier::tests;

namespace {

constexpr int kSeries = 3;
constexpr std::int64_t kPoints = 6000;

double valueAt(int series, std::int64_t step) { return double(series + 1) * 1000.0 + 1.0 / double(1 + step); }

void write(const fs::path& folder, bool isFinal) {
    auto writer = RunLogWriter::open(folder);
    if (!writer) return;
    for (int s = 0; s < kSeries; ++s) {
        const auto id = (*writer)->series("s" + std::to_string(s));
        for (std::int64_t i = 0; i < kPoints; ++i) (*writer)->scalar(id, i, 0, valueAt(s, i));
    }
    fill(**writer);
    (void)(*writer)->close(isFinal);
}

std::string mutated(std::string bytes, std::mt19937& random) {
    const auto anywhere = [&] { return random() % bytes.size(); };
    // Half of the changes go to the beginning, where the structure is denser.
    const auto somewhere = [&] { return random() % 2 ? anywhere() : random() % std::min<std::size_t>(bytes.size(), 6000); };
    switch (random() % 6) {
        case 0: bytes[somewhere()] ^= char(1 << random() % 8); break;
        case 1:
            for (int i = 0; i < 20; ++i) bytes[somewhere()] = char(random());
            break;
        case 2: {
            const auto at = anywhere() & ~std::size_t(4095);
            std::fill_n(bytes.begin() + long(at), std::min<std::size_t>(4096, bytes.size() - at), '\0');
            break;
        }
        case 3: bytes.resize(anywhere()); break;
        case 4: {
            const auto from = anywhere(), to = anywhere(), size = std::min<std::size_t>(1 + random() % 512, bytes.size() - std::max(from, to));
            bytes.replace(to, size, bytes.substr(from, size));
            break;
        }
        default: {
            const std::uint64_t lies[] = {0, ~0ull, 0x7fffffffffffffffull, 0xffffffffull, 1};
            const auto lie = lies[random() % 5];
            const auto at = somewhere();
            std::memcpy(&bytes[at], &lie, std::min<std::size_t>(sizeof lie, bytes.size() - at));
        }
    }
    return bytes;
}

enum Outcome : int { kFine = 0, kRefused = 1, kWrongValue = 2 };

/// Everything a page would ask of a log. Values that come back must be those that were written.
int readAll(const fs::path& folder) {
    auto reader = RunLogReader::open(folder);
    if (!reader) return kRefused;
    bool isRefused = false;
    const auto series = (*reader)->series();
    if (!series) return kRefused;
    for (int s = 0; s < kSeries; ++s) {
        const auto name = "s" + std::to_string(s);
        const auto columns = (*reader)->read(name);
        isRefused = isRefused || !columns;
        if (columns)
            for (std::size_t i = 0; i < columns->values.size(); ++i) {
                const auto step = columns->steps[i];
                if (step < 0 || step >= kPoints || columns->values[i] != valueAt(s, step)) return kWrongValue;
            }
        const auto envelope = (*reader)->envelope(name, 0, kPoints - 1, 100);
        isRefused = isRefused || !envelope;
        if (envelope)
            for (const auto& column : *envelope)
                if (column.count > 0 && (column.min < valueAt(s, kPoints) || column.max > valueAt(s, 0))) return kWrongValue;
        (void)(*reader)->overview(name, 0, kPoints - 1, 50);
    }
    const auto arrays = (*reader)->arrays();
    if (arrays)
        for (const auto& info : *arrays) (void)(*reader)->readArray(info.index);
    isRefused = isRefused || !(*reader)->marks() || !(*reader)->warnings() || !(*reader)->tradeoff() || !arrays;
    return isRefused ? kRefused : kFine;
}

}  // namespace

/// Damaged run.h5 files and journals: nothing crashes, hangs or comes back wrong. 10,000 of them with
/// ESPALIER_ALL_FAULTS=1, a sample otherwise.
class TestRunLogMutants : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void readsOrRefuses_data() {
        QTest::addColumn<bool>("isFinal");
        QTest::addColumn<bool>("isJournal");
        QTest::newRow("compacted run.h5") << true << false;
        QTest::newRow("live run.h5 without a journal") << false << false;
        QTest::newRow("journal") << false << true;
    }
    void readsOrRefuses();
    void writerGoesOnBesideAStoppedReader();
};

void TestRunLogMutants::readsOrRefuses() {
    QFETCH(bool, isFinal);
    QFETCH(bool, isJournal);
    QTemporaryDir dir;
    const fs::path base = dir.path().toStdString();
    write(base / "good", isFinal);
    const char* const name = isJournal ? "journal.esj" : "run.h5";
    const auto good = readFile(base / "good" / name);
    VERIFY_OK(good);
    // What is tested stands alone: with the journal beside it a damaged run.h5 is not needed at all.
    const auto folder = base / "bad";
    fs::create_directories(folder);
    std::ofstream(folder / name, std::ios::binary) << *good;
    QCOMPARE(readAll(folder), int(kFine));

    const bool isWhole = qEnvironmentVariableIsSet("ESPALIER_ALL_FAULTS");
    const int rounds = isWhole ? 3400 : 120;
    // The bar is a second. The sample also runs beside other tests, where a process may wait long for its turn.
    const double maxWallSecs = isWhole ? 1 : 5, maxCpuSecs = 1;
    std::map<int, int> outcomes;
    int hangs = 0, crashes = 0;
    double slowest = 0;
    for (int round = 0; round < rounds; ++round) {
        std::mt19937 random(static_cast<unsigned>(round) * 3 + isJournal + 7);
        std::ofstream(folder / name, std::ios::binary | std::ios::trunc) << mutated(*good, random);
        const double since = steadySecs();
        const pid_t child = ::fork();
        if (child == 0) {
            if (!qEnvironmentVariableIsSet("ESPALIER_TEST_VERBOSE")) (void)::freopen("/dev/null", "w", stderr);
            ::_exit(readAll(folder));
        }
        int status = 0;
        struct rusage usage {};
        while (::wait4(child, &status, WNOHANG, &usage) == 0) {
            if (steadySecs() - since > 10) ::kill(child, SIGKILL);
            ::poll(nullptr, 0, 1);
        }
        const auto secs = [](const timeval& time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); };
        const double wallSecs = steadySecs() - since;
        hangs += wallSecs > maxWallSecs || secs(usage.ru_utime) + secs(usage.ru_stime) > maxCpuSecs;
        slowest = std::max(slowest, wallSecs);
        if (WIFEXITED(status)) ++outcomes[WEXITSTATUS(status)];
        else ++crashes;
        if (!WIFEXITED(status) || WEXITSTATUS(status) == kWrongValue)
            qInfo("round %d: %s", round, WIFEXITED(status) ? "wrong value" : qPrintable(QStringLiteral("signal %1").arg(WTERMSIG(status))));
    }
    qInfo("%d files: %d read, %d refused in part or whole, %d wrong, %d crashes, %d hangs, slowest %.3f s", rounds, outcomes[kFine],
          outcomes[kRefused], outcomes[kWrongValue], crashes, hangs, slowest);
    QCOMPARE(crashes, 0);
    QCOMPARE(hangs, 0);
    QCOMPARE(outcomes[kWrongValue], 0);
    QVERIFY(outcomes[kRefused] + outcomes[kFine] == rounds);
    if (!isJournal) QVERIFY(outcomes[kRefused] > rounds / 20);  // the changes do hit something
}

void TestRunLogMutants::writerGoesOnBesideAStoppedReader() {
    QTemporaryDir dir;
    const fs::path folder = fs::path(dir.path().toStdString()) / "run";
    auto writer = RunLogWriter::open(folder);
    VERIFY_OK(writer);
    const auto id = (*writer)->series("s");
    for (std::int64_t i = 0; i < 200000; ++i) (*writer)->scalar(id, i, 0, double(i));
    VERIFY_OK((*writer)->flush());
    std::mt19937 random(3);
    for (int round = 0; round < 5; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            for (;;)
                if (auto reader = RunLogReader::open(folder)) (void)(*reader)->read("s");
        }
        ::poll(nullptr, 0, 20 + int(random() % 30));
        ::kill(child, SIGSTOP);
        const double since = steadySecs();
        for (std::int64_t i = 0; i < 20000; ++i) (*writer)->scalar(id, 200000 + round * 20000 + i, 0, 1.0);
        const auto flushed = (*writer)->flush();
        const double secs = steadySecs() - since;
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        VERIFY_OK(flushed);
        QVERIFY2(secs < 5.0, qPrintable(QString::number(secs)));
    }
    VERIFY_OK((*writer)->close(true));
    const auto reader = RunLogReader::open(folder);
    VERIFY_OK(reader);
    QCOMPARE((*reader)->read("s")->values.size(), std::size_t(300000));
}

QTEST_GUILESS_MAIN(TestRunLogMutants)
#include "tst_run_log_mutants_io.moc"
