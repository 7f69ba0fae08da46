#include <QDir>
#include <QDirIterator>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

/// Every plain header of the engine compiles alone, and without torch, Qt, HDF5 or SQLite on the include path.
class TestHeaders : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void plainHeadersCompileAlone() {
        const QDir root(QStringLiteral(ESPALIER_SOURCE_DIR));
        QStringList headers;
        for (const auto* room : {"base", "feed", "metrics", "api", "intake", "catalog"}) {
            QDirIterator files(root.filePath(QStringLiteral("engine/") + QString::fromLatin1(room)), {QStringLiteral("*.h")},
                               QDir::Files);
            while (files.hasNext()) headers << root.relativeFilePath(files.next());
        }
        headers << QStringLiteral("engine/runtime/engine.h") << QStringLiteral("engine/runtime/workspace.h");
        // The run log's other headers are its own and wrap HDF5.
        for (const auto* name : {"run_log_writer", "run_log_reader", "h5_foreign"})
            headers << QStringLiteral("engine/runlog/%1.h").arg(QString::fromLatin1(name));
        // Their names say that they belong to torch or wrap a library.
        headers.removeIf([](const QString& h) {
            return h == QStringLiteral("engine/api/torch.h") || h == QStringLiteral("engine/api/blocks.h") ||
                   h.contains(QStringLiteral("catalog/sqlite"));
        });
        QVERIFY(headers.size() > 20);
        headers.sort();

        QTemporaryDir folder;
        QFile unit(folder.filePath(QStringLiteral("all.sh")));
        QVERIFY(unit.open(QIODevice::WriteOnly));
        // Two at a time; every failing header is named.
        unit.write("printf '%s\\n' \"$@\" | xargs -P 2 -I{} sh -c 'echo \"#include \\\"{}\\\"\" | \"$CXX\" -std=c++20 "
                   "-fsyntax-only -x c++ -I\"$ROOT\" -I\"$GENERATED\" - || echo \"HEADER {}\"'\n");
        unit.close();
        QProcess shell;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("CXX"), compiler());
        environment.insert(QStringLiteral("ROOT"), root.absolutePath());
        environment.insert(QStringLiteral("GENERATED"), QStringLiteral(ESPALIER_BUILD_DIR "/generated"));
        shell.setProcessEnvironment(environment);
        shell.setProcessChannelMode(QProcess::MergedChannels);
        shell.start(QStringLiteral("sh"), QStringList{unit.fileName()} + headers);
        QVERIFY(shell.waitForFinished(300000));
        const auto output = shell.readAll();
        QVERIFY2(!output.contains("HEADER "), output.constData());
        QCOMPARE(shell.exitCode(), 0);
    }

private:
    static QString compiler() {
        QFile cache(QStringLiteral(ESPALIER_BUILD_DIR "/CMakeCache.txt"));
        if (!cache.open(QIODevice::ReadOnly)) return QStringLiteral("c++");
        for (const auto& line : cache.readAll().split('\n'))
            if (line.startsWith("CMAKE_CXX_COMPILER:")) return QString::fromUtf8(line.mid(line.indexOf('=') + 1));
        return QStringLiteral("c++");
    }
};

QTEST_GUILESS_MAIN(TestHeaders)
#include "tst_headers.moc"
