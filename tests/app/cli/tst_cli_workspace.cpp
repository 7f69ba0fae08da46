#include <QtTest>

#include "tests/app/cli/cli_runner.h"

/// The verbs that keep a workspace in order, on runs made by hand: no training, several processes at once.
class TestCliWorkspace : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void rebuildsFromFoldersAlone();
    void listsPartOfTheRuns();
    void comparesOnlyWhatDiffers();
    void manyProcessesTagOneRun();
    void undoesAndRedoes();
    void deletesAndRestoresWithSizes();
    void mendsADamagedCatalog();

private:
    void makeRun(const QString& id, const QString& name, double lr);
    QJsonObject run(const QString& id) const {
        const auto listed = m_cli.run({QStringLiteral("--json"), QStringLiteral("list"), QStringLiteral("--filter"), QStringLiteral("id=") + id});
        return listed.json()[QStringLiteral("runs")].toArray()[0].toObject();
    }
    CliRunner m_cli;
};

void TestCliWorkspace::makeRun(const QString& id, const QString& name, double lr) {
    const QDir root(m_cli.workspace());
    QVERIFY(root.mkpath(QStringLiteral("runs/") + id));
    const auto write = [&](const char* file, const QString& text) {
        QFile target(root.filePath(QStringLiteral("runs/%1/%2").arg(id, QString::fromLatin1(file))));
        QVERIFY(target.open(QIODevice::WriteOnly));
        target.write(text.toUtf8());
    };
    write("manifest.json", QStringLiteral(R"({"run": {"id": "%1", "name": "%2", "recipe": "70-compact-transformers", "created_secs": %3,
        "params": {"lr": "%4", "variant": "cct2"}, "changed_params": {}}})").arg(id, name).arg(1.7e9 + lr).arg(lr));
    write("state.json", QStringLiteral(R"({"state": "completed", "bytes": 700, "summary": {"valid/top1": {"last": %1, "best": %1, "best_step": 1, "last_step": 2}}})").arg(lr));
    write("user.json", QStringLiteral(R"({"name": "%1", "tags": [], "note": "", "color": 0})").arg(name));
}

void TestCliWorkspace::initTestCase() {
    for (int i = 0; i < 5; ++i) makeRun(QStringLiteral("run%1").arg(i), QStringLiteral("name %1").arg(i), 0.1 * (i + 1));
}

void TestCliWorkspace::rebuildsFromFoldersAlone() {
    QCOMPARE(m_cli("workspace rebuild").code, 0);
    const auto before = m_cli("--json list").out;
    QCOMPARE(m_cli("--json list").json()[QStringLiteral("runs")].toArray().size(), 5);
    QVERIFY(QFile::remove(m_cli.workspace() + QStringLiteral("/catalog.sqlite")));
    QCOMPARE(m_cli("--json list").out, before);
    QCOMPARE(m_cli("workspace check").code, 0);
}

void TestCliWorkspace::listsPartOfTheRuns() {
    const auto page = m_cli("--json list --sort -valid/top1 --first 1 --count 2").json();
    QCOMPARE(page[QStringLiteral("total")].toInt(), 5);
    const auto runs = page[QStringLiteral("runs")].toArray();
    QCOMPARE(runs.size(), 2);
    QCOMPARE(runs[0].toObject()[QStringLiteral("id")].toString(), QStringLiteral("run3"));
    QCOMPARE(runs[0].toObject()[QStringLiteral("params")].toObject()[QStringLiteral("variant")].toString(), QStringLiteral("cct2"));
    const auto text = m_cli("list --filter lr>0.15 --sort lr --count 1");
    QVERIFY2(text.out.contains("name 1") && !text.out.contains("name 2"), text.out.constData());
    QVERIFY(text.out.contains("1 of 4 runs"));
}

void TestCliWorkspace::comparesOnlyWhatDiffers() {
    const auto differing = m_cli("--json compare run0 run1").json()[QStringLiteral("differing")].toObject();
    QCOMPARE(differing.keys(), QStringList{QStringLiteral("lr")});
    QCOMPARE(differing[QStringLiteral("lr")].toArray().size(), 2);
    QVERIFY(m_cli("compare run0 run1").out.contains("Only what differs: 1 of 2 parameters"));
}

void TestCliWorkspace::manyProcessesTagOneRun() {
    std::vector<std::unique_ptr<QProcess>> processes;
    for (int i = 0; i < 6; ++i) {
        processes.push_back(std::make_unique<QProcess>());
        m_cli.start(*processes.back(), {QStringLiteral("tag"), QStringLiteral("run0"), QStringLiteral("tag%1").arg(i)});
    }
    for (auto& process : processes) {
        QVERIFY(process->waitForFinished(60000));
        QCOMPARE(process->exitCode(), 0);
    }
    QCOMPARE(run(QStringLiteral("run0"))[QStringLiteral("tags")].toArray().size(), 6);
}

void TestCliWorkspace::undoesAndRedoes() {
    QCOMPARE(m_cli("note run1 first note").code, 0);
    QCOMPARE(m_cli("tag run1 a b").code, 0);
    QVERIFY(m_cli("workspace undo").out.startsWith("undo: change the tags of 1 run"));  // both tags are one edit
    QCOMPARE(run(QStringLiteral("run1"))[QStringLiteral("tags")].toArray().size(), 0);
    QCOMPARE(run(QStringLiteral("run1"))[QStringLiteral("note")].toString(), QStringLiteral("first note"));
    QCOMPARE(m_cli("workspace redo").code, 0);
    QCOMPARE(run(QStringLiteral("run1"))[QStringLiteral("tags")].toArray().size(), 2);
    const auto nothing = m_cli("workspace redo");
    QCOMPARE(nothing.code, 1);
    QVERIFY(nothing.err.contains("there is nothing to redo"));
}

void TestCliWorkspace::deletesAndRestoresWithSizes() {
    QCOMPARE(m_cli("delete run2").code, 0);
    const auto trash = m_cli("--json workspace trash").json()[QStringLiteral("trash")].toArray();
    QCOMPARE(trash.size(), 1);
    QVERIFY(trash[0].toObject()[QStringLiteral("bytes")].toInt() > 100);
    QCOMPARE(m_cli("--json list").json()[QStringLiteral("runs")].toArray().size(), 4);
    QCOMPARE(m_cli("restore run2").code, 0);
    QCOMPARE(m_cli("--json list").json()[QStringLiteral("runs")].toArray().size(), 5);
}

void TestCliWorkspace::mendsADamagedCatalog() {
    const auto before = m_cli("--json list").out;
    QFile file(m_cli.workspace() + QStringLiteral("/catalog.sqlite"));
    QVERIFY(file.open(QIODevice::ReadWrite));
    for (qint64 at = 4096; at < file.size(); at += 4096) {
        file.seek(at);
        file.write(QByteArray(300, '\x5a'));
    }
    file.close();
    const auto mended = m_cli("--json list");
    QCOMPARE(mended.code, 0);
    QCOMPARE(mended.out, before);
    QCOMPARE(mended.err.count("The catalog was damaged; it was kept as catalog.damaged-"), 1);
    QCOMPARE(m_cli("workspace check").code, 0);
}

QTEST_GUILESS_MAIN(TestCliWorkspace)
#include "tst_cli_workspace.moc"
