#pragma once

#include <filesystem>
#include <string>

#include <QCoreApplication>
#include <QFile>
#include <QProcess>

/// Starts this test program again as a child whose file system misbehaves (io_faults.cpp).
namespace espalier::tests {

inline constexpr const char* kChildFolderVariable = "ESPALIER_TEST_CHILD_FOLDER";

struct ChildEnd {
    bool wasKilled = false;
    bool isHung = false;
    int code = 0;
    long calls = 0;  ///< system calls that were counted (not for "record")
    QByteArray output;
};

/// `work` is the folder the child works in, `fault` as in io_faults.cpp; `file` takes the recording or the count.
inline ChildEnd runFaultyChild(const std::filesystem::path& work, const QString& fault, const std::filesystem::path& file,
                               int milliseconds = 20000) {
    QProcess child;
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QString::fromLatin1(kChildFolderVariable), QString::fromStdString(work.string()));
    environment.insert(QStringLiteral("LD_PRELOAD"), QStringLiteral(ESPALIER_IO_FAULTS));
    environment.insert(QStringLiteral("ESPALIER_FAULT_DIR"), QString::fromStdString(work.string()));
    environment.insert(QStringLiteral("ESPALIER_FAULT"), fault);
    environment.insert(QStringLiteral("ESPALIER_FAULT_FILE"), QString::fromStdString(file.string()));
    child.setProcessEnvironment(environment);
    child.setProcessChannelMode(QProcess::MergedChannels);
    child.start(QCoreApplication::applicationFilePath(), QStringList());
    ChildEnd end;
    if (!child.waitForFinished(milliseconds)) {
        end.isHung = true;
        child.kill();
        child.waitForFinished();
    }
    end.wasKilled = child.exitStatus() == QProcess::CrashExit;
    end.code = child.exitCode();
    end.output = child.readAll();
    QFile count(QString::fromStdString(file.string()));
    if (fault != QStringLiteral("record") && count.open(QIODevice::ReadOnly)) end.calls = count.readAll().toLong();
    return end;
}

}  // namespace espalier::tests
