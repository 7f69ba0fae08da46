#include <QDir>
#include <QtTest>

#include "tests/app/cli/cli_runner.h"

/// import and datasets as scripts use them: exit codes, JSON, and a workspace that a refusal leaves as it was.
class TestCliImport : public QObject {
    Q_OBJECT
    CliRunner m_cli;

    QString write(const char* name, const QByteArray& bytes) {
        const QString path = m_cli.file(name);
        QDir().mkpath(QFileInfo(path).path());
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) qFatal("cannot write %s", name);
        return path;
    }
    QString table(const char* name = "t.csv") { return write(name, "a,b,kind\n1,2,x\n3,4,y\n5,,x\n7,8,y\n9,1,x\n2,2,y\n"); }
    QStringList storedIds() {
        QStringList ids;
        for (const auto& each : m_cli("--json datasets").json()[QStringLiteral("datasets")].toArray()) ids << each.toObject()[QStringLiteral("id")].toString();
        return ids;
    }
    QStringList foldersOnDisk() { return QDir(m_cli.workspace() + QStringLiteral("/datasets")).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot); }
    CliRunner::Outcome import(const QStringList& words) { return m_cli.run(QStringList{QStringLiteral("--json"), QStringLiteral("import")} + words); }

private Q_SLOTS:
    void answersInTheDocumentedShape() {
        const auto outcome = import({table(), QStringLiteral("--name"), QStringLiteral("numbers")});
        QVERIFY2(outcome.code == 0, outcome.err.constData());
        const auto data = outcome.json()[QStringLiteral("dataset")].toObject();
        QCOMPARE(data[QStringLiteral("name")].toString(), QStringLiteral("numbers"));
        QCOMPARE(data[QStringLiteral("kind")].toString(), QStringLiteral("table"));
        QCOMPARE(data[QStringLiteral("samples")].toInt(), 6);
        QCOMPARE(data[QStringLiteral("classes")].toArray().size(), 2);
        QCOMPARE(data[QStringLiteral("classes")].toArray()[0].toObject()[QStringLiteral("count")].toInt(), 3);
        for (const char* key : {"id", "shape", "splits", "hash", "duplicates"}) QVERIFY2(data.contains(QLatin1String(key)), key);
        const auto warnings = outcome.json()[QStringLiteral("warnings")].toArray();
        QVERIFY(!warnings.isEmpty());
        const auto missing = warnings[0].toObject();
        QCOMPARE(missing[QStringLiteral("file")].toString(), QStringLiteral("t.csv"));
        QCOMPARE(missing[QStringLiteral("line")].toInt(), 4);
        QCOMPARE(missing[QStringLiteral("kind")].toString(), QStringLiteral("missing_value"));
        QVERIFY(missing[QStringLiteral("detail")].toString().contains(QStringLiteral("\"b\"")));
    }

    void refusalsLeaveTheWorkspaceAsItWas_data() {
        QTest::addColumn<QStringList>("words");
        QTest::addColumn<int>("code");
        QTest::addColumn<QStringList>("named");
        const auto row = [](const char* name, const QStringList& words, int code, const QStringList& named) { QTest::newRow(name) << words << code << named; };
        const auto s = [](const char* text) { return QString::fromLatin1(text); };
        row("missing path", {m_cli.file("nowhere")}, 1, {s("nowhere"), s("no such file")});
        row("second path missing", {table(), m_cli.file("nowhere")}, 1, {s("nowhere")});
        row("unknown label", {table(), s("--label"), s("kin")}, 1, {s("\"kin\""), s("\"kind\"")});
        row("damaged", {write("x.npy", "\x93NUMPY\1")}, 1, {s("x.npy")});
        row("unknown format", {table(), s("--format"), s("jpeg2000")}, 2, {s("jpeg2000"), s("--format")});
        row("fractions beyond one", {table(), s("--split"), s("0.5,0.5,0.5")}, 2, {s("--split"), s("1.5")});
        row("two fractions", {table(), s("--split"), s("0.8,0.2")}, 2, {s("three fractions")});
        row("no fractions", {table(), s("--split"), s("lots")}, 2, {s("--split")});
        row("negative fraction", {table(), s("--split"), s("1.2,-0.1,-0.1")}, 2, {s("\"1.2\"")});
        row("nothing to train on", {table(), s("--split"), s("0,0.5,0.5")}, 2, {s("train part")});
        row("seed is no number", {table(), s("--seed"), s("abc")}, 2, {s("abc")});
        row("unknown flag", {table(), s("--labelz"), s("kind")}, 2, {s("labelz")});
        row("no path", {}, 2, {s("PATH")});
    }
    void refusalsLeaveTheWorkspaceAsItWas() {
        QFETCH(QStringList, words);
        QFETCH(int, code);
        QFETCH(QStringList, named);
        const auto ids = storedIds(), folders = foldersOnDisk();
        const auto outcome = import(words);
        QCOMPARE(outcome.code, code);
        const auto error = outcome.json()[QStringLiteral("error")].toObject();
        for (const char* key : {"code", "what", "where", "remedy"}) QVERIFY2(error.contains(QLatin1String(key)), outcome.out.constData());
        const QString sentence = error[QStringLiteral("what")].toString() + u' ' + error[QStringLiteral("where")].toString() + u' ' + error[QStringLiteral("remedy")].toString();
        for (const QString& word : named) QVERIFY2(sentence.contains(word), qPrintable(word + QStringLiteral(" is not in: ") + sentence));
        QCOMPARE(outcome.err.trimmed().count('\n'), 0);
        QCOMPARE(storedIds(), ids);
        QCOMPARE(foldersOnDisk(), folders);
    }

    void dryRunStoresNothing() {
        const auto ids = storedIds(), folders = foldersOnDisk();
        const auto outcome = import({write("dry.csv", "a,y\n1,p\n2,q\n3,p\n"), QStringLiteral("--dry-run")});
        QCOMPARE(outcome.code, 0);
        QCOMPARE(outcome.json()[QStringLiteral("dataset")].toObject()[QStringLiteral("samples")].toInt(), 3);
        QCOMPARE(storedIds(), ids);
        QCOMPARE(foldersOnDisk(), folders);
    }

    void theSameDataAgainIsTheSameDataSetWithItsOwnWarnings() {
        const auto first = import({write("first.csv", "a,b,y\n10,20,p\n30,40,q\n50,60,p\n")});
        QCOMPARE(first.code, 0);
        const auto count = storedIds().size();
        const auto again = import({write("second.csv", "a,b,y\n10,20,p\n30,40,q\n1,2\n50,60,p\n")});
        QCOMPARE(again.code, 0);
        QCOMPARE(again.json()[QStringLiteral("dataset")].toObject()[QStringLiteral("id")].toString(),
                 first.json()[QStringLiteral("dataset")].toObject()[QStringLiteral("id")].toString());
        QCOMPARE(storedIds().size(), count);
        QStringList kinds;
        for (const auto& each : again.json()[QStringLiteral("warnings")].toArray()) kinds << each.toObject()[QStringLiteral("kind")].toString();
        QVERIFY(kinds.contains(QStringLiteral("ragged_line")) && kinds.contains(QStringLiteral("already_imported")));
    }

    void listsAndFindsDataSets() {
        QCOMPARE(m_cli("--json datasets numbers").json()[QStringLiteral("dataset")].toObject()[QStringLiteral("samples")].toInt(), 6);
        const auto unknown = m_cli("--json datasets nothing-of-that-name");
        QCOMPARE(unknown.code, 1);
        QVERIFY(unknown.json()[QStringLiteral("error")].toObject()[QStringLiteral("what")].toString().contains(QStringLiteral("nothing-of-that-name")) ||
                unknown.json()[QStringLiteral("error")].toObject()[QStringLiteral("where")].toString().contains(QStringLiteral("nothing-of-that-name")));
    }
};

QTEST_GUILESS_MAIN(TestCliImport)
#include "tst_cli_import.moc"
