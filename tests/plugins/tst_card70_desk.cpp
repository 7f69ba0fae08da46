// labels: desk
#include <QDir>
#include <QFile>
#include <QTest>

#include <cstdio>

#include "tests/app/cli/cli_runner.h"

/// Card 70, check 6, over three seeds through the command line: shapes32, 10 epochs, same width and depth.
class TestCard70Desk : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void convolutionalTokenizerWins() {
        QCOMPARE(m_cli.run({QStringLiteral("import"), QStringLiteral("shapes32"), QStringLiteral("--format"), QStringLiteral("generator"),
                            QStringLiteral("--name"), QStringLiteral("shapes32")}).code, 0);
        QMap<QString, double> mean;
        QFile results(QStringLiteral(ESPALIER_SOURCE_DIR "/tests/results/card70-check6.tsv"));
        QVERIFY(results.open(QIODevice::WriteOnly | QIODevice::Text));
        results.write("variant\tseed\ttest_top1\tsecs\n");
        for (const auto* variant : {"cct_desk", "cvt_desk", "vit_lite_desk"})
            for (int seed = 0; seed < 3; ++seed) {
                const auto run = m_cli.run({QStringLiteral("--json"), QStringLiteral("run"), QStringLiteral("70"), QStringLiteral("--data"),
                                            QStringLiteral("shapes32"), QStringLiteral("--variant"), QString::fromLatin1(variant),
                                            QStringLiteral("--seed"), QString::number(seed), QStringLiteral("--name"),
                                            QStringLiteral("%1-%2").arg(QString::fromLatin1(variant)).arg(seed), QStringLiteral("--probes"),
                                            QStringLiteral("0")}, 1800000);
                QVERIFY2(run.code == 0, run.err.constData());
                const auto end = run.lines().last();
                const double top1 = end[QStringLiteral("summary")].toObject()[QStringLiteral("test/top1")].toObject()[QStringLiteral("last")].toDouble();
                const auto shown = m_cli.run({QStringLiteral("--json"), QStringLiteral("show"), end[QStringLiteral("run")].toString()}).json();
                const double secs = shown[QStringLiteral("run")].toObject()[QStringLiteral("active_secs")].toDouble();
                results.write(QStringLiteral("%1\t%2\t%3\t%4\n").arg(QString::fromLatin1(variant)).arg(seed).arg(top1).arg(secs, 0, 'f', 1).toUtf8());
                results.flush();
                mean[QString::fromLatin1(variant)] += top1 / 3;
            }
        qInfo("mean test/top1: cct %.4f cvt %.4f vit %.4f", mean[QStringLiteral("cct_desk")], mean[QStringLiteral("cvt_desk")], mean[QStringLiteral("vit_lite_desk")]);
        QVERIFY(mean[QStringLiteral("cct_desk")] >= 0.85);
        QVERIFY(mean[QStringLiteral("cct_desk")] >= mean[QStringLiteral("vit_lite_desk")] + 0.08);
        QVERIFY(mean[QStringLiteral("cvt_desk")] >= mean[QStringLiteral("vit_lite_desk")] - 0.01);
    }

private:
    CliRunner m_cli;
};

QTEST_GUILESS_MAIN(TestCard70Desk)
#include "tst_card70_desk.moc"
