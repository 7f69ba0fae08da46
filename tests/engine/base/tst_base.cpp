#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/bounded_queue.h"
#include "engine/base/clock.h"
#include "engine/base/files.h"
#include "engine/base/result.h"

using namespace espalier;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

Result<int> halfOf(int value) {
    if (value % 2) return fail(ErrorCode::BadInput, "is odd", "value", "Use an even one");
    return value / 2;
}
Result<int> quarterOf(int value) {
    ESPALIER_TRY(const int half, halfOf(value));
    ESPALIER_TRY(const int quarter, halfOf(half));
    return quarter;
}

int entriesIn(const fs::path& folder) {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
    return count;
}

}  // namespace

class TestBase : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void init() {
        m_dir = std::make_unique<QTemporaryDir>();
        m_folder = m_dir->path().toStdString();
    }

    // --- Result ---
    void tryPassesErrorsOn() {
        QCOMPARE(*quarterOf(12), 3);
        QCOMPARE(quarterOf(6).error().what, std::string("is odd"));
        QCOMPARE(quarterOf(6).error().code, ErrorCode::BadInput);
    }
    void sentences() {
        QCOMPARE(halfOf(1).error().sentence(), std::string("value: is odd. Use an even one."));
        QCOMPARE((Error{ErrorCode::Io, "stops.", "", "", ""}.sentence()), std::string("stops."));
        QCOMPARE((Error{ErrorCode::Io, "", "", "", ""}.sentence()), std::string());
        QCOMPARE((Error{ErrorCode::Io, "a.", "", "b", ""}.sentence()), std::string("a. b."));
    }
    void codeNamesAreDistinct() {
        std::set<std::string> names;
        for (int code = 0; code < 9; ++code) names.insert(errorCodeName(ErrorCode(code)));
        QCOMPARE(names.size(), std::size_t(9));
        QVERIFY(names.count("not_found") && names.count("out_of_memory"));
    }

    // --- BoundedQueue ---
    void queueKeepsOrder() {
        BoundedQueue<int> queue(3);
        QVERIFY(queue.push(1) && queue.push(2));
        QCOMPARE(queue.size(), std::size_t(2));
        QCOMPARE(queue.pop(), std::optional<int>(1));
        queue.close();
        QVERIFY(queue.isClosed());
        QVERIFY(!queue.push(3));
        QCOMPARE(queue.pop(), std::optional<int>(2));
        QCOMPARE(queue.pop(), std::nullopt);
    }
    void fullQueueBlocksUntilPopped() {
        BoundedQueue<int> queue(1);
        queue.push(1);
        std::atomic<bool> isThrough = false;
        std::thread producer([&] {
            queue.push(2);
            isThrough = true;
        });
        std::this_thread::sleep_for(30ms);
        QVERIFY(!isThrough);
        QCOMPARE(queue.pop(), std::optional<int>(1));
        producer.join();
        QCOMPARE(queue.pop(), std::optional<int>(2));
    }
    void closeWakesBothEnds() {
        BoundedQueue<int> full(1), empty(1);
        full.push(1);
        std::thread pusher([&] { QVERIFY(!full.push(2)); });
        std::thread popper([&] { QCOMPARE(empty.pop(), std::nullopt); });
        std::this_thread::sleep_for(10ms);
        full.close();
        empty.close();
        pusher.join();
        popper.join();
    }
    void popUntilGivesUp() {
        BoundedQueue<int> queue(1);
        const double before = steadySecs();
        QCOMPARE(queue.popUntil(std::chrono::steady_clock::now() + 20ms), std::nullopt);
        QVERIFY(steadySecs() - before >= 0.019);
        queue.push(4);
        QCOMPARE(queue.popUntil(std::chrono::steady_clock::now()), std::optional<int>(4));
    }
    void manyProducersManyConsumers() {
        BoundedQueue<int> queue(8);
        constexpr int kThreads = 3, kEach = 5000;
        std::atomic<long> sum = 0;
        std::vector<std::thread> producers, consumers;
        for (int t = 0; t < kThreads; ++t) {
            producers.emplace_back([&] { for (int i = 1; i <= kEach; ++i) queue.push(i); });
            consumers.emplace_back([&] { while (const auto value = queue.pop()) sum += *value; });
        }
        for (auto& thread : producers) thread.join();
        queue.close();
        for (auto& thread : consumers) thread.join();
        QCOMPARE(sum.load(), long(kThreads) * kEach * (kEach + 1) / 2);
    }

    // --- files ---
    void atomicWriteReplacesWhole() {
        const auto path = m_folder / "a.json";
        QVERIFY(writeFileAtomically(path, "first").has_value());
        QVERIFY(writeFileAtomically(path, std::string(100000, 'x')).has_value());
        QCOMPARE(readFile(path)->size(), std::size_t(100000));
        QCOMPARE(entriesIn(m_folder), 1);
        struct stat info {};
        QCOMPARE(::stat(path.c_str(), &info), 0);
        QCOMPARE(info.st_mode & 0777u, 0644u);
    }
    void failedProducerLeavesTheOldFile() {
        const auto path = m_folder / "a.json";
        QVERIFY(writeFileAtomically(path, "old").has_value());
        const auto written = writeFileAtomically(path, [](const ByteSink& sink) -> Result<void> {
            const std::string part = "half of the new";
            ESPALIER_CHECK_OK(sink(std::as_bytes(std::span(part.data(), part.size()))));
            return fail(ErrorCode::Numeric, "gave up");
        });
        QCOMPARE(written.error().code, ErrorCode::Numeric);
        QCOMPARE(*readFile(path), std::string("old"));
        QCOMPARE(entriesIn(m_folder), 1);
    }
    void fullDiskLeavesTheOldFile() {
        const auto path = m_folder / "a.json";
        QVERIFY(writeFileAtomically(path, "old").has_value());
        const pid_t child = ::fork();
        if (child == 0) {
            ::signal(SIGXFSZ, SIG_IGN);
            const rlimit limit{1000, RLIM_INFINITY};
            ::setrlimit(RLIMIT_FSIZE, &limit);
            const auto written = writeFileAtomically(path, std::string(5000, 'x'));
            ::_exit(!written && written.error().code == ErrorCode::Io ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        QCOMPARE(status, 0);
        QCOMPARE(*readFile(path), std::string("old"));
        QCOMPARE(entriesIn(m_folder), 1);
    }
    /// A reader that polls during a thousand rewrites sees whole files only.
    void readersNeverSeeAMix() {
        const auto path = m_folder / "a";
        QVERIFY(writeFileAtomically(path, std::string(20000, 'a')).has_value());
        std::atomic<bool> isDone = false;
        std::thread writer([&] {
            for (int i = 0; i < 60; ++i) (void)writeFileAtomically(path, std::string(20000, char('a' + i % 26)));
            isDone = true;
        });
        while (!isDone) {
            const auto bytes = readFile(path);
            QVERIFY(bytes.has_value());
            QCOMPARE(bytes->size(), std::size_t(20000));
            QVERIFY(bytes->find_first_not_of(bytes->front()) == std::string::npos);
        }
        writer.join();
    }
    void readingErrorsAreClear() {
        QCOMPARE(readFile(m_folder / "none").error().code, ErrorCode::NotFound);
        QVERIFY(readFile(m_folder).error().what.find("folder") != std::string::npos);
        QVERIFY(writeFileAtomically(m_folder / "ten", "0123456789").has_value());
        const auto tooLarge = readFile(m_folder / "ten", 9);
        QVERIFY(tooLarge.error().what.find("10 bytes") != std::string::npos);
        QVERIFY(tooLarge.error().where.find("ten") != std::string::npos);
        QVERIFY(readFile(m_folder / "ten", 10).has_value());
        QVERIFY(!writeFileAtomically(m_folder / "no" / "such" / "folder", "x"));
        QVERIFY(ioError("x", "y", ENOSPC).remedy.find("space") != std::string::npos);
    }
    void foldersFollowXdg() {
        ::setenv("XDG_DATA_HOME", "/somewhere/data", 1);
        ::setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
        ::setenv("HOME", "/home/u", 1);
        QCOMPARE(userDataFolder(), fs::path("/somewhere/data/espalier"));
        QCOMPARE(userCacheFolder(), fs::path("/home/u/.cache/espalier"));
    }

    // --- clock and ids ---
    void utc() {
        QCOMPARE(utcText(0), std::string("1970-01-01T00:00:00Z"));
        QCOMPARE(utcText(1795508232.9), std::string("2026-11-24T08:17:12Z"));
    }
    void steadyNeverGoesBack() {
        double last = steadySecs();
        for (int i = 0; i < 1000; ++i) {
            const double now = steadySecs();
            QVERIFY(now >= last);
            last = now;
        }
    }
    void idsAreUniqueAndSort() {
        std::set<std::string> ids;
        std::string earlier;
        for (int i = 0; i < 500; ++i) {
            earlier = makeId();
            QCOMPARE(earlier.size(), std::size_t(12));
            QVERIFY(earlier.find_first_not_of("0123456789abcdefghjkmnpqrstvwxyz") == std::string::npos);
            ids.insert(earlier);
        }
        QVERIFY(ids.size() >= 499);  // 2^25 values a tenth of a second
        std::this_thread::sleep_for(210ms);
        QVERIFY(makeId() > earlier);
    }

private:
    std::unique_ptr<QTemporaryDir> m_dir;
    fs::path m_folder;
};

QTEST_GUILESS_MAIN(TestBase)
#include "tst_base.moc"
