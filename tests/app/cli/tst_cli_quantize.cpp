#include "tests/app/cli/cli_runner.h"

#include <QFile>
#include <QSet>
#include <QTest>

#include <cmath>
#include <cstring>

/// TRADEOFF-SCHEMA section 8 on a real job, through the command line: the tables are filled honestly. Which test holds
/// which check stands in tests/plugins/tst_card46_schema.
class TestCliQuantize : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        QCOMPARE(m_cli("import shapes32:0:160:40 --format generator --name shapes").code, 0);
        QCOMPARE(m_cli("run 70 --data shapes --scale smoke --name base --threads 1 --epochs 2 --train_limit 0").code, 0);
        const auto run = m_cli("--json run 46 --from base --name quant --scale smoke --methods rtn,adaround,adaquant,flexround --bits 4,3 "
                               "--granularity channel --iterations 15 --threads 1");
        QVERIFY2(run.code == 0, run.err.constData());
        m_shown = m_cli("--json show quant").json();
        m_job = m_shown[QStringLiteral("tradeoff")].toObject()[QStringLiteral("job")].toObject();
        m_points = m_shown[QStringLiteral("tradeoff")].toObject()[QStringLiteral("points")].toArray();
        m_layers = m_shown[QStringLiteral("tradeoff")].toObject()[QStringLiteral("layers")].toArray();
        m_choices = m_shown[QStringLiteral("tradeoff")].toObject()[QStringLiteral("choices")].toArray();
    }

    void onePointAMethodAndWidth() {
        QCOMPARE(m_points.size(), 9);
        QStringList labels;
        for (const auto& point : m_points) labels << point.toObject()[QStringLiteral("label")].toString();
        QCOMPARE(labels.first(), QStringLiteral("fp32"));
        QVERIFY(labels.contains(QStringLiteral("flexround w4")) && labels.contains(QStringLiteral("rtn w3")));
    }

    // Check 1: bytes add up, and the exported payload has exactly that many.
    void bytesAreWhatIsStored() {
        for (const auto& each : m_points) {
            const auto point = each.toObject();
            double sum = point[QStringLiteral("bytes_other")].toDouble();
            int rows = 0;
            for (const auto& choice : m_choices)
                if (choice.toObject()[QStringLiteral("point_id")] == point[QStringLiteral("point_id")]) {
                    sum += choice.toObject()[QStringLiteral("bytes_total")].toDouble();
                    ++rows;
                }
            QVERIFY(rows > 5);
            QCOMPARE(sum, point[QStringLiteral("bytes_total")].toDouble());
            const auto file = m_cli.file("point.safetensors");
            const auto exported = m_cli.run({QStringLiteral("export"), QStringLiteral("quant"), QStringLiteral("--what"), QStringLiteral("weights"),
                                             QStringLiteral("--point"), QString::number(point[QStringLiteral("point_id")].toInt()),
                                             QStringLiteral("--output"), file});
            QVERIFY2(exported.code == 0, exported.err.constData());
            QFile stored(file);
            QVERIFY(stored.open(QIODevice::ReadOnly));
            quint64 header = 0;
            const auto bytes = stored.read(8);
            std::memcpy(&header, bytes.constData(), 8);
            QCOMPARE(double(stored.size()) - 8.0 - double(header), point[QStringLiteral("bytes_total")].toDouble());
        }
    }

    // Check 2: the base point is the base.
    void theBasePointLosesNothing() {
        const auto base = m_points.first().toObject();
        QCOMPARE(base[QStringLiteral("loss")].toDouble(), m_job[QStringLiteral("base_loss")].toDouble());
        QCOMPARE(base[QStringLiteral("metric")].toDouble(), m_job[QStringLiteral("base_metric")].toDouble());
        QVERIFY(!m_job[QStringLiteral("finished_utc")].isNull());  // set only after the base was scored again to 1e-6
    }

    // Check 4: the front is what brute force says.
    void theFrontIsTheFront() {
        for (const auto& p : m_points) {
            bool isDominated = false;
            for (const auto& q : m_points) {
                const double pb = p.toObject()[QStringLiteral("bytes_total")].toDouble(), qb = q.toObject()[QStringLiteral("bytes_total")].toDouble();
                const double pm = p.toObject()[QStringLiteral("metric")].toDouble(), qm = q.toObject()[QStringLiteral("metric")].toDouble();
                const int pid = p.toObject()[QStringLiteral("point_id")].toInt(), qid = q.toObject()[QStringLiteral("point_id")].toInt();
                if (qb <= pb && qm >= pm && (qb < pb || qm > pm || qid < pid)) isDominated = true;
            }
            QCOMPARE(p.toObject()[QStringLiteral("on_front")].toInt() == 1, !isDominated);
        }
    }

    // Check 5 and section 3: bits per weight, and methods that differ only in rounding cost the same bytes.
    void methodsCostTheSameBytes() {
        QMap<int, double> bytesOfWidth;
        for (const auto& layer : m_layers) {
            const auto row = layer.toObject();
            const double n = row[QStringLiteral("params")].toDouble(), bits = row[QStringLiteral("w_bits")].toDouble();
            QCOMPARE(row[QStringLiteral("bytes_payload")].toDouble(), std::ceil(n * bits / 8));
            QCOMPARE(row[QStringLiteral("bits_eff")].toDouble(), 8 * row[QStringLiteral("bytes_total")].toDouble() / n);
        }
        for (const auto& each : m_points) {
            const auto point = each.toObject();
            if (point[QStringLiteral("point_id")].toInt() == 0) continue;
            const int bits = point[QStringLiteral("label")].toString().section(u'w', -1).toInt();
            const double bytes = point[QStringLiteral("bytes_total")].toDouble();
            if (bytesOfWidth.contains(bits)) QCOMPARE(bytes, bytesOfWidth[bits]);
            bytesOfWidth[bits] = bytes;
        }
        QCOMPARE(bytesOfWidth.size(), 2);
    }

    void everyLayerHasItsRows() {
        int single = 0, recon = 0;
        for (const auto& layer : m_layers) {
            const auto row = layer.toObject();
            const auto kind = row[QStringLiteral("probe_kind")].toString();
            single += kind == QStringLiteral("single");
            recon += kind == QStringLiteral("recon");
            if (kind == QStringLiteral("single")) QVERIFY(!row[QStringLiteral("d_loss")].isNull());
            if (kind == QStringLiteral("recon")) QVERIFY(row[QStringLiteral("d_loss")].isNull() && !row[QStringLiteral("err_out")].isNull());
        }
        QCOMPARE(recon, single * 4);  // four methods against one probe a width
        const auto folder = m_cli.file("tables");
        QCOMPARE(m_cli.run({QStringLiteral("export"), QStringLiteral("quant"), QStringLiteral("--what"), QStringLiteral("table"),
                            QStringLiteral("--format"), QStringLiteral("csv"), QStringLiteral("--output"), folder}).code, 0);
        for (const auto* name : {"layer.csv", "point.csv", "choice.csv", "trace.csv"})
            QVERIFY(QFile::exists(folder + u'/' + QString::fromLatin1(name)));
    }

    // Check 6: a stopped job opens, and none of its points lacks choices.
    void aStoppedJobKeepsWholePoints() {
        QProcess process;
        m_cli.start(process, QString::fromLatin1("--json run 46 --from base --name cut --bits 8,4,3 --iterations 4000 --threads 1").split(u' '));
        QTRY_VERIFY_WITH_TIMEOUT((m_seen += process.readAllStandardOutput()).contains("test/top1"), 60000);
        QTest::qWait(1500);
        process.terminate();
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitCode(), 75);
        const auto tables = m_cli("--json show cut").json()[QStringLiteral("tradeoff")].toObject();
        QVERIFY(tables[QStringLiteral("job")].toObject()[QStringLiteral("finished_utc")].isNull());
        const auto points = tables[QStringLiteral("points")].toArray();
        QVERIFY(!points.isEmpty());
        for (const auto& point : points) {
            int rows = 0;
            for (const auto& choice : tables[QStringLiteral("choices")].toArray())
                rows += choice.toObject()[QStringLiteral("point_id")] == point.toObject()[QStringLiteral("point_id")];
            QVERIFY(rows > 5);
        }
    }

    // Section 5 after a kill: finished points stay as they were, once each, and the rest follows.
    void aKilledJobGoesOn() {
        QProcess process;
        m_cli.start(process, QString::fromLatin1("--json run 46 --from base --name killed --scale smoke --methods rtn,flexround --bits 4,3 "
                                                 "--iterations 150 --threads 1").split(u' ', Qt::SkipEmptyParts));
        QByteArray seen;
        QTRY_VERIFY_WITH_TIMEOUT((seen += process.readAllStandardOutput()).contains("\"test/top1\",\"step\":2") ||
                                     process.state() == QProcess::NotRunning, 60000);
        QTest::qWait(1000);  // the log writes every 250 ms
        QCOMPARE(process.state(), QProcess::Running);
        process.kill();
        QVERIFY(process.waitForFinished(10000));
        const auto table = [&](const char* name) {
            return m_cli("--json show killed").json()[QStringLiteral("tradeoff")].toObject()[QString::fromLatin1(name)].toArray();
        };
        const auto before = table("points");
        QVERIFY(before.size() >= 2 && before.size() < 5);
        const auto rest = m_cli("--json resume killed");
        QVERIFY2(rest.code == 0, rest.err.constData());
        const auto after = table("points");
        QCOMPARE(after.size(), 5);
        for (int i = 0; i < before.size(); ++i)
            for (const auto* key : {"point_id", "loss", "metric", "seconds", "latency_ms_p50"})
                QCOMPARE(after[i].toObject()[QString::fromLatin1(key)], before[i].toObject()[QString::fromLatin1(key)]);
        for (const auto* name : {"layers", "choices"}) {
            QSet<QString> keys;
            for (const auto& each : table(name)) {
                const auto row = each.toObject();
                const auto key = row[QStringLiteral("probe_kind")].toString() + QStringLiteral(" %1 %2 %3")
                                     .arg(row[QStringLiteral("layer_ix")].toInt()).arg(row[QStringLiteral("option_ix")].toInt(-1))
                                     .arg(row[QStringLiteral("point_id")].toInt(-1));
                QVERIFY2(!keys.contains(key), qPrintable(key));
                keys << key;
            }
        }
    }

private:
    CliRunner m_cli;
    QJsonObject m_shown, m_job;
    QJsonArray m_points, m_layers, m_choices;
    QByteArray m_seen;
};

QTEST_GUILESS_MAIN(TestCliQuantize)
#include "tst_cli_quantize.moc"
