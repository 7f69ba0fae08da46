// labels: fast gate
#include "tests/app/cli/cli_runner.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTest>

/// Recipe modules as the command line meets them: real shared libraries, built beside this test.
class TestCliModules : public QObject {
    Q_OBJECT

    static QString moduleFile(const char* name) {
        return QStringLiteral(ESPALIER_BUILD_DIR "/tests/modules/%1/%1.so").arg(QString::fromLatin1(name));
    }

    CliRunner::Outcome recipes(const QString& plugins) {
        qputenv("ESPALIER_PLUGINS", plugins.toUtf8());
        return m_cli("--json recipes");
    }

    static QStringList ids(const CliRunner::Outcome& outcome) {
        QStringList found;
        for (const auto& each : outcome.json()[QStringLiteral("recipes")].toArray())
            found << each.toObject()[QStringLiteral("id")].toString();
        return found;
    }

private Q_SLOTS:
    void init() {
        // The user's own plugins folder is not part of a test.
        qputenv("XDG_DATA_HOME", m_cli.folder().toUtf8());
        m_mark = m_cli.file("mark");
        QFile::remove(m_mark);
        qputenv("ESPALIER_TEST_MARK", m_mark.toUtf8());
    }

    void loadsAModuleAndNamesItsFile() {
        const auto file = moduleFile("right_stamp");
        const auto outcome = recipes(QFileInfo(file).path());
        QVERIFY2(outcome.code == 0 && outcome.err.isEmpty(), outcome.err.constData());
        QVERIFY(ids(outcome).contains(QStringLiteral("right-stamp")));
        for (const auto& each : outcome.json()[QStringLiteral("recipes")].toArray()) {
            const auto card = each.toObject();
            const bool isOurs = card[QStringLiteral("id")].toString() == QStringLiteral("right-stamp");
            QCOMPARE(card[QStringLiteral("origin")].toString(), isOurs ? file : QStringLiteral("built in"));
        }
        QVERIFY2(QFile::exists(m_mark), "a module that is loaded runs its constructors: the mark works");
        QVERIFY(m_cli("recipes").out.contains(file.toUtf8()));
    }

    void refusesBeforeAnyOfItsCodeRuns_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QByteArray>("says");
        QFile text(m_cli.file("text.so"));
        QVERIFY(text.open(QIODevice::WriteOnly) && text.write("#!/bin/sh\necho a recipe\n") > 0);
        text.close();
        QVERIFY(QFile::copy(moduleFile("right_stamp"), m_cli.file("cut.so")));
        QFile cut(m_cli.file("cut.so"));
        QVERIFY(cut.resize(100));
        QTest::newRow("other headers") << moduleFile("other_headers") << QByteArray("was built for \"headers 000000000000, LibTorch");
        QTest::newRow("other LibTorch") << moduleFile("other_torch") << QByteArray(", LibTorch 1.13.1\" and this program is");
        QTest::newRow("no stamp") << moduleFile("no_stamp") << QByteArray("carries no Espalier stamp");
        QTest::newRow("text") << text.fileName() << QByteArray("is not a shared library");
        QTest::newRow("cut off") << cut.fileName() << QByteArray("is damaged");
        QTest::newRow("missing") << m_cli.file("nowhere.so") << QByteArray("there is no such recipe module");
    }
    void refusesBeforeAnyOfItsCodeRuns() {
        QFETCH(QString, file);
        QFETCH(QByteArray, says);
        const auto outcome = recipes(file);
        QCOMPARE(outcome.code, 0);
        QCOMPARE(outcome.err.count('\n'), 1);
        QVERIFY2(outcome.err.startsWith("warning: " + file.toUtf8()) && outcome.err.contains(says), outcome.err.constData());
        QVERIFY(ids(outcome).contains(QStringLiteral("70-compact-transformers")));
        QVERIFY(!QFile::exists(m_mark));
        const auto module = outcome.json()[QStringLiteral("modules")].toArray().first().toObject();
        QCOMPARE(module[QStringLiteral("file")].toString(), file);
        QVERIFY(module[QStringLiteral("error")].isObject());
    }

    void takesAllRecipesOfAModuleOrNone() {
        const auto outcome = recipes(moduleFile("taken_number"));
        QCOMPARE(outcome.code, 0);
        QVERIFY2(outcome.err.contains("70-compact-transformers"), outcome.err.constData());
        QVERIFY(!ids(outcome).contains(QStringLiteral("free-id")));
    }

    void goesOnWhenRegistrationThrows() {
        const auto outcome = recipes(moduleFile("throws") + u':' + moduleFile("right_stamp"));
        QCOMPARE(outcome.code, 0);
        QVERIFY2(outcome.err.contains("thrown on purpose"), outcome.err.constData());
        QVERIFY(ids(outcome).contains(QStringLiteral("right-stamp")));
    }

    void namesTheModuleThatEndedTheProgram_data() {
        QTest::addColumn<QByteArray>("module");
        QTest::newRow("abort") << QByteArray("aborts");
        QTest::newRow("exit") << QByteArray("exits");
    }
    // Fault 40: the first start dies, every later one goes on without it, a changed file is tried anew.
    void namesTheModuleThatEndedTheProgram() {
        QFETCH(QByteArray, module);
        const auto copy = m_cli.file((module + ".so").constData());
        QVERIFY(QFile::copy(moduleFile(module), copy));
        const auto both = moduleFile("right_stamp") + u':' + copy;
        const auto first = recipes(both);
        QVERIFY(first.code != 0 || first.out.isEmpty());
        for (int i = 0; i < 2; ++i) {
            const auto next = recipes(both);
            QVERIFY2(next.code == 0, next.err.constData());
            QCOMPARE(next.err.count('\n'), 1);
            QVERIFY2(next.err.contains(copy.toUtf8()) && next.err.contains("ended the program"), next.err.constData());
            QVERIFY(ids(next).contains(QStringLiteral("right-stamp")));
        }
        QFile file(copy);
        QVERIFY(file.open(QIODevice::Append) && file.write("changed") > 0);
        file.close();
        const auto again = recipes(both);
        QVERIFY(again.code != 0 || again.out.isEmpty());
        QVERIFY(QFile::remove(copy));
        QVERIFY(QFile::copy(moduleFile("right_stamp"), copy));
        QCOMPARE(recipes(copy).code, 0);
        QCOMPARE(QDir(m_cli.file("espalier/loading")).entryList({QStringLiteral("*.loading")}).size(), 0);
        QVERIFY(QFile::remove(copy));
    }

    void findsModulesInTheUsersPluginsFolder() {
        const QDir plugins(m_cli.file("espalier/plugins"));
        QVERIFY(plugins.mkpath(QStringLiteral(".")));
        QVERIFY(QFile::copy(moduleFile("right_stamp"), plugins.filePath(QStringLiteral("mine.so"))));
        const auto outcome = recipes({});
        QVERIFY(ids(outcome).contains(QStringLiteral("right-stamp")));
        QVERIFY(QFile::remove(plugins.filePath(QStringLiteral("mine.so"))));
    }

    void trainsAndPredictsWithTheTemplate() {
        qputenv("ESPALIER_PLUGINS", moduleFile("example_softmax").toUtf8());
        QCOMPARE(m_cli("import shapes32:0:96:24 --format generator --name shapes").code, 0);
        const auto trained = m_cli("--json run example-softmax --data shapes --scale smoke --name soft --threads 1");
        QVERIFY2(trained.code == 0, trained.err.constData());
        const auto end = trained.lines().last();
        QCOMPARE(end[QStringLiteral("state")].toString(), QStringLiteral("completed"));
        QVERIFY(end[QStringLiteral("summary")].toObject().contains(QStringLiteral("test/top1")));
        const auto predicted = m_cli.run({QStringLiteral("predict"), QStringLiteral("soft"), QStringLiteral("--input"),
                                          QStringLiteral("shapes"), QStringLiteral("--output"), m_cli.file("out.safetensors")});
        QVERIFY2(predicted.code == 0, predicted.err.constData());
        QVERIFY(QFileInfo(m_cli.file("out.safetensors")).size() > 120 * 10 * 4);
    }

private:
    CliRunner m_cli;
    QString m_mark;
};

QTEST_GUILESS_MAIN(TestCliModules)
#include "tst_cli_modules.moc"
