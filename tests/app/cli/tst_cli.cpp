#include "tests/app/cli/cli_runner.h"

#include <QFile>
#include <QTest>

#include <csignal>
#include <cstring>

/// The command line as an interface: verbs, flags, JSON, sentences and exit codes.
class TestCli : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        const auto imported = m_cli("--json import shapes32:0:96:24 --format generator --name shapes");
        QVERIFY2(imported.code == 0, imported.err.constData());
        const auto data = imported.json()[QStringLiteral("dataset")].toObject();
        QCOMPARE(data[QStringLiteral("samples")].toInt(), 120);
        QCOMPARE(data[QStringLiteral("classes")].toArray().size(), 10);
        QCOMPARE(data[QStringLiteral("splits")].toObject()[QStringLiteral("test")].toInt(), 24);
        QCOMPARE(data[QStringLiteral("hash")].toString().size(), 64);
        const auto trained = m_cli("--json run 70 --data shapes --scale smoke --name first --seed 3 --tag paper --threads 1");
        QVERIFY2(trained.code == 0, trained.err.constData());
        m_events = trained.lines();
    }

    void runPrintsOneObjectALineAndEndsWithTheSummary() {
        QVERIFY(m_events.size() > 5);
        const auto end = m_events.last();
        QCOMPARE(end[QStringLiteral("event")].toString(), QStringLiteral("end"));
        QCOMPARE(end[QStringLiteral("state")].toString(), QStringLiteral("completed"));
        QVERIFY(end[QStringLiteral("summary")].toObject().contains(QStringLiteral("test/top1")));
        int metrics = 0;
        for (const auto& event : m_events) {
            if (event[QStringLiteral("event")].toString() != QStringLiteral("metric")) continue;
            QVERIFY(event[QStringLiteral("series")].toString().contains(u'/'));
            ++metrics;
        }
        QVERIFY(metrics > 5);
    }

    void showTellsEverything() {
        const auto shown = m_cli("--json show first");
        QCOMPARE(shown.code, 0);
        const auto json = shown.json();
        QCOMPARE(json[QStringLiteral("run")].toObject()[QStringLiteral("recipe")].toString(), QStringLiteral("70-compact-transformers"));
        QVERIFY(json[QStringLiteral("manifest")].toObject().size() > 5);
        QVERIFY(json[QStringLiteral("series")].toArray().size() > 5);
        QVERIFY(json[QStringLiteral("tradeoff")].isNull());
        QStringList artifacts;
        for (const auto& each : json[QStringLiteral("artifacts")].toArray()) artifacts << each.toObject()[QStringLiteral("name")].toString();
        QVERIFY(artifacts.contains(QStringLiteral("checkpoints/best.safetensors")));
    }

    void everyPointIsExportedAtFullPrecision() {
        const auto file = m_cli.file("points.csv");
        QCOMPARE(m_cli.run({QStringLiteral("metrics"), QStringLiteral("first"), QStringLiteral("--series"), QStringLiteral("train/loss"),
                            QStringLiteral("--output"), file}).code, 0);
        QFile csv(file);
        QVERIFY(csv.open(QIODevice::ReadOnly));
        const auto lines = csv.readAll().trimmed().split('\n');
        QCOMPARE(lines.first(), QByteArray("series,step,wall_secs,value"));
        QList<double> logged;
        for (const auto& event : m_events)
            if (event[QStringLiteral("series")].toString() == QStringLiteral("train/loss")) logged << event[QStringLiteral("value")].toDouble();
        QCOMPARE(lines.size() - 1, logged.size());
        for (int i = 0; i < logged.size(); ++i) QCOMPARE(lines[i + 1].split(',').last().toDouble(), logged[i]);
        QCOMPARE(m_cli.run({QStringLiteral("metrics"), QStringLiteral("first"), QStringLiteral("--output"), m_cli.file("points.npz")}).code, 0);
        QFile npz(m_cli.file("points.npz"));
        QVERIFY(npz.open(QIODevice::ReadOnly) && npz.readAll().startsWith("PK"));
    }

    void sameSeedSameNumbers() {
        const auto again = m_cli("--json run 70 --data shapes --scale smoke --name again --seed 3 --threads 1");
        QCOMPARE(again.code, 0);
        QList<double> first, second;
        for (const auto& event : m_events)
            if (event[QStringLiteral("series")].toString() == QStringLiteral("train/loss")) first << event[QStringLiteral("value")].toDouble();
        for (const auto& event : again.lines())
            if (event[QStringLiteral("series")].toString() == QStringLiteral("train/loss")) second << event[QStringLiteral("value")].toDouble();
        QVERIFY(!first.isEmpty());
        QCOMPARE(first, second);
        const auto compared = m_cli("--json compare first again");
        QCOMPARE(compared.code, 0);
        QVERIFY(!compared.json()[QStringLiteral("differing")].toObject().contains(QStringLiteral("lr")));
    }

    void listFiltersAndEdits() {
        QCOMPARE(m_cli("--json list --filter tag=paper").json()[QStringLiteral("runs")].toArray().size(), 1);
        QCOMPARE(m_cli("rename first uno").code, 0);
        QCOMPARE(m_cli("tag uno figure").code, 0);
        QCOMPARE(m_cli("note uno keep this one").code, 0);
        const auto run = m_cli("--json show uno").json()[QStringLiteral("run")].toObject();
        QCOMPARE(run[QStringLiteral("note")].toString(), QStringLiteral("keep this one"));
        QVERIFY(run[QStringLiteral("tags")].toArray().contains(QStringLiteral("figure")));
        QCOMPARE(m_cli("rename uno first").code, 0);
        QCOMPARE(m_cli("--json list --filter bogus>1").code, 1);
    }

    void deletedRunsComeBack() {
        QCOMPARE(m_cli("run 70 --data shapes --scale smoke --name gone --threads 1").code, 0);
        const auto id = m_cli("--json show gone").json()[QStringLiteral("run")].toObject()[QStringLiteral("id")].toString();
        QCOMPARE(m_cli("delete gone").code, 0);
        QVERIFY(m_cli("--json workspace trash").out.contains(id.toUtf8()));
        QCOMPARE(m_cli.run({QStringLiteral("restore"), id}).code, 0);
        QCOMPARE(m_cli("show gone").code, 0);
        QCOMPARE(m_cli("workspace check").code, 0);
        QCOMPARE(m_cli("--json workspace rebuild").code, 0);
        QCOMPARE(m_cli("show gone").code, 0);
    }

    void aWrongParameterIsWrongUsageAndNamesTheRightOne() {
        const auto typo = m_cli("--json run 70 --data shapes --epoch 3");
        QCOMPARE(typo.code, 2);
        QVERIFY2(typo.err.contains("epochs"), typo.err.constData());
        QCOMPARE(typo.json()[QStringLiteral("error")].toObject()[QStringLiteral("code")].toString(), QStringLiteral("bad_input"));
        const auto range = m_cli("run 70 --data shapes --lr 0.55");
        QCOMPARE(range.code, 2);
        QVERIFY2(range.err.contains("lr") && range.err.contains("0.1"), range.err.constData());
        QCOMPARE(m_cli("frobnicate").code, 2);
        QCOMPARE(m_cli("run 71 --data shapes").code == 0, false);
        QVERIFY(m_cli("run 70 --data nosuch").code != 0);
        QCOMPARE(m_cli("show nosuch").code, 1);
    }

    void recipesGiveTheirWholeSchema() {
        const auto json = m_cli("--json recipes 70").json()[QStringLiteral("recipe")].toObject();
        const auto params = json[QStringLiteral("params")].toArray();
        QVERIFY(params.size() > 20);
        for (const auto& each : params)
            for (const auto* key : {"key", "type", "paper", "desk", "smoke", "help"})
                QVERIFY(each.toObject().contains(QString::fromLatin1(key)));
        QVERIFY(m_cli("recipes").out.contains("46-flexround"));
        QVERIFY(m_cli("--version").out.contains("espalier-cli"));
        QVERIFY(m_cli("--json doctor").json().contains(QStringLiteral("torch")));
    }

    void predictWritesLogitsAndTaps() {
        const auto output = m_cli.file("out.safetensors");
        const auto predicted = m_cli.run({QStringLiteral("predict"), QStringLiteral("first"), QStringLiteral("--input"), QStringLiteral("shapes"),
                                          QStringLiteral("--taps"), QStringLiteral("attn.*"), QStringLiteral("--output"), output});
        QVERIFY2(predicted.code == 0, predicted.err.constData());
        const auto header = headerOf(output);
        QVERIFY(header.contains(QStringLiteral("logits")) && header.contains(QStringLiteral("attn.0")) && header.contains(QStringLiteral("attn.1")));
        const auto shape = header[QStringLiteral("attn.0")].toObject()[QStringLiteral("shape")].toArray();
        QCOMPARE(shape.size(), 4);
        QCOMPARE(shape[2], shape[3]);
    }

    void referenceWeightsGiveTheReferencesLogits() {
        const auto fixtures = qEnvironmentVariable("ESPALIER_SHARED") + QStringLiteral("/fixtures/compact-transformers/cct_2_3x2_32");
        if (!QFile::exists(fixtures + QStringLiteral(".json"))) QSKIP("the reference outputs are not on this machine");
        const auto output = m_cli.file("reference.safetensors");
        const auto predicted = m_cli.run({QStringLiteral("predict"), QStringLiteral("--recipe"), QStringLiteral("70"), QStringLiteral("--weights"),
                                          fixtures + QStringLiteral(".weights.safetensors"), QStringLiteral("--variant"), QStringLiteral("CCT-2/3x2"),
                                          QStringLiteral("--input"), fixtures + QStringLiteral(".io.safetensors"), QStringLiteral("--output"), output});
        QVERIFY2(predicted.code == 0, predicted.err.constData());
        const auto ours = floatsOf(output, QStringLiteral("logits")), theirs = floatsOf(fixtures + QStringLiteral(".io.safetensors"), QStringLiteral("logits"));
        QCOMPARE(ours.size(), theirs.size());
        QVERIFY(!ours.isEmpty());
        for (int i = 0; i < ours.size(); ++i) QVERIFY(std::abs(ours[i] - theirs[i]) < 1e-5f);
    }

    void weightsOfAnotherArchitectureAreRefusedByName() {
        const auto weights = m_cli.file("w.safetensors");
        QCOMPARE(m_cli.run({QStringLiteral("export"), QStringLiteral("first"), QStringLiteral("--what"), QStringLiteral("weights"),
                            QStringLiteral("--format"), QStringLiteral("safetensors"), QStringLiteral("--output"), weights}).code, 0);
        const auto refused = m_cli.run({QStringLiteral("run"), QStringLiteral("70"), QStringLiteral("--data"), QStringLiteral("shapes"), QStringLiteral("--scale"),
                                        QStringLiteral("smoke"), QStringLiteral("--from"), weights, QStringLiteral("--variant"), QStringLiteral("CCT-2/3x2")});
        QCOMPARE(refused.code, 1);
        QVERIFY2(refused.err.contains("tensor"), refused.err.constData());
    }

    void ctrlCStopsResumablyAndResumeFinishes() {
        QProcess process;
        m_cli.start(process, QString::fromLatin1("--json run 70 --data shapes --scale smoke --name long --epochs 400 --probes 0 --threads 1").split(u' '));
        QVERIFY(process.waitForReadyRead(60000));
        QTRY_VERIFY_WITH_TIMEOUT((m_seen += process.readAllStandardOutput()).contains("train/loss"), 60000);
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitCode(), 75);
        const auto shown = m_cli("--json show long").json()[QStringLiteral("run")].toObject();
        QCOMPARE(shown[QStringLiteral("state")].toString(), QStringLiteral("stopped"));
        QProcess resumed;
        m_cli.start(resumed, {QStringLiteral("--json"), QStringLiteral("resume"), QStringLiteral("long")});
        QTRY_VERIFY_WITH_TIMEOUT((m_seen = resumed.readAllStandardOutput() + m_seen).contains("resume") || resumed.state() == QProcess::Running, 60000);
        QTest::qWait(1500);
        QCOMPARE(m_cli("stop long").code, 0);  // from another process on the same workspace
        QVERIFY(resumed.waitForFinished(60000));
        QCOMPARE(resumed.exitCode(), 75);
    }

private:
    static QJsonObject headerOf(const QString& path) {
        QFile file(path);
        if (!file.open(QIODevice::ReadOnly)) return {};
        quint64 size = 0;
        const auto lengthBytes = file.read(8);
        std::memcpy(&size, lengthBytes.constData(), 8);
        return QJsonDocument::fromJson(file.read(qint64(size))).object();
    }
    static QList<float> floatsOf(const QString& path, const QString& name) {
        const auto offsets = headerOf(path)[name].toObject()[QStringLiteral("data_offsets")].toArray();
        QFile file(path);
        if (offsets.size() != 2 || !file.open(QIODevice::ReadOnly)) return {};
        quint64 size = 0;
        const auto lengthBytes = file.read(8);
        std::memcpy(&size, lengthBytes.constData(), 8);
        file.seek(qint64(8 + size) + qint64(offsets[0].toDouble()));
        const auto bytes = file.read(qint64(offsets[1].toDouble() - offsets[0].toDouble()));
        QList<float> values(bytes.size() / 4);
        std::memcpy(values.data(), bytes.constData(), std::size_t(bytes.size()));
        return values;
    }

    CliRunner m_cli;
    QList<QJsonObject> m_events;
    QByteArray m_seen;
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
