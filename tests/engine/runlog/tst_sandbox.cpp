// labels: fast gate
#include <QTemporaryDir>
#include <QtTest>

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/runlog/sandbox.h"

using namespace espalier::runlog;

/// What the child that reads foreign HDF5 files may still do after it has locked itself in.
class TestSandbox : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void allowsReadingAndRefusesTheRest_data() {
        QTest::addColumn<int>("deed");
        QTest::addColumn<bool>("isAllowed");
        QTest::newRow("reads a file") << 0 << true;
        QTest::newRow("uses memory") << 1 << true;
        QTest::newRow("writes to what is open") << 2 << true;
        QTest::newRow("creates a file") << 3 << false;
        QTest::newRow("opens a file for writing") << 4 << false;
        QTest::newRow("opens a socket") << 5 << false;
        QTest::newRow("starts a program") << 6 << false;
        QTest::newRow("forks") << 7 << false;
        QTest::newRow("removes a file") << 8 << false;
        QTest::newRow("kills its parent") << 9 << false;
    }
    void allowsReadingAndRefusesTheRest();
};

namespace {

bool succeeds(int deed, const char* existing, const char* fresh, int pipe) {
    switch (deed) {
        case 0: {
            const int fd = ::open(existing, O_RDONLY);
            char byte = 0;
            return fd >= 0 && ::read(fd, &byte, 1) == 1;
        }
        case 1: {
            char* const block = new char[50 << 20];
            for (int i = 0; i < 50 << 20; i += 4096) block[i] = 1;
            const bool isKept = block[4096] == 1;
            delete[] block;
            return isKept;
        }
        case 2: return ::write(pipe, "x", 1) == 1;
        case 3: return ::open(fresh, O_WRONLY | O_CREAT, 0644) >= 0;
        case 4: return ::open(existing, O_RDWR) >= 0;
        case 5: return ::socket(AF_INET, SOCK_STREAM, 0) >= 0;
        case 6: return ::execl("/bin/true", "true", nullptr) == 0 || errno != EPERM;
        case 7: return ::fork() >= 0;
        case 8: return ::unlink(existing) == 0;
        default: return ::kill(::getppid(), 0) == 0;
    }
}

}  // namespace

void TestSandbox::allowsReadingAndRefusesTheRest() {
    QFETCH(int, deed);
    QFETCH(bool, isAllowed);
    QTemporaryDir dir;
    const auto existing = dir.filePath(QStringLiteral("file")).toStdString(), fresh = dir.filePath(QStringLiteral("new")).toStdString();
    QFile file(QString::fromStdString(existing));
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write("abc") == 3);
    file.close();
    int ends[2];
    QCOMPARE(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        if (!allowReadingOnly()) ::_exit(9);
        ::_exit(succeeds(deed, existing.c_str(), fresh.c_str(), ends[1]) ? 1 : 2);
    }
    int status = 0;
    QCOMPARE(::waitpid(child, &status, 0), child);
    ::close(ends[0]);
    ::close(ends[1]);
    QVERIFY(WIFEXITED(status));
    if (WEXITSTATUS(status) == 9) QSKIP("this kernel has no seccomp filters");
    QCOMPARE(WEXITSTATUS(status), isAllowed ? 1 : 2);
    QVERIFY(QFile::exists(QString::fromStdString(existing)));
    QVERIFY(!QFile::exists(QString::fromStdString(fresh)));
}

QTEST_GUILESS_MAIN(TestSandbox)
#include "tst_sandbox.moc"
