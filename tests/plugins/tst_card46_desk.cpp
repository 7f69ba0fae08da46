// labels: desk
#include <QFile>
#include <QTest>

#include "tests/app/cli/cli_runner.h"

/// Card 46, check 6, through the command line: cct_desk on shapes32, three seeds, three bits per tensor.
class TestCard46Desk : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void flexRoundHoldsAtThreeBitsPerTensor() {
        QCOMPARE(m_cli("import shapes32 --format generator --name shapes32").code, 0);
        QFile results(QStringLiteral(ESPALIER_SOURCE_DIR "/tests/results/card46-check6.tsv"));
        QVERIFY(results.open(QIODevice::WriteOnly | QIODevice::Text));
        results.write("seed\tpoint\ttest_top1\tbytes\tsecs\n");
        QMap<QString, double> mean;
        QMap<QString, double> bytes;
        for (int seed = 0; seed < 3; ++seed) {
            const auto number = QByteArray::number(seed);
            const auto base = m_cli.run(words("run 70 --data shapes32 --variant cct_desk --probes 0 --seed " + number + " --name base-" + number), kLimitMs);
            QVERIFY2(base.code == 0, base.err.constData());
            const auto run = m_cli.run(words("run 46 --from base-" + number + " --methods rtn,adaround,flexround --bits 3 --granularity tensor "
                                             "--sensitivity false --seed " + number + " --name quant-" + number), kLimitMs);
            QVERIFY2(run.code == 0, run.err.constData());
            const auto tables = m_cli.run(words("--json show quant-" + number)).json()[QStringLiteral("tradeoff")].toObject();
            const auto points = tables[QStringLiteral("points")].toArray();
            QCOMPARE(points.size(), 4);
            for (const auto& each : points) {
                const auto point = each.toObject();
                const auto label = point[QStringLiteral("label")].toString();
                const double metric = point[QStringLiteral("metric")].toDouble(), size = point[QStringLiteral("bytes_total")].toDouble();
                results.write(number + '\t' + label.toUtf8() + '\t' + QByteArray::number(metric, 'f', 4) + '\t' + QByteArray::number(size, 'f', 0) +
                              '\t' + QByteArray::number(point[QStringLiteral("seconds")].toDouble(), 'f', 1) + '\n');
                results.flush();
                mean[label] += metric / 3;
                if (label != QStringLiteral("fp32")) QCOMPARE(size, bytes.contains(QStringLiteral("w3")) ? bytes[QStringLiteral("w3")] : (bytes[QStringLiteral("w3")] = size));
            }
        }
        const double rtn = mean[QStringLiteral("rtn w3")], ada = mean[QStringLiteral("adaround w3")], flex = mean[QStringLiteral("flexround w3")];
        qInfo("mean test/top1: fp32 %.4f rtn %.4f adaround %.4f flexround %.4f", mean[QStringLiteral("fp32")], rtn, ada, flex);
        QVERIFY(flex >= ada - 0.005);
        QVERIFY(flex >= rtn + 0.03);
    }

private:
    static constexpr int kLimitMs = 1800000;
    static QStringList words(const QByteArray& text) { return QString::fromUtf8(text).split(u' ', Qt::SkipEmptyParts); }
    CliRunner m_cli;
};

QTEST_GUILESS_MAIN(TestCard46Desk)
#include "tst_card46_desk.moc"
