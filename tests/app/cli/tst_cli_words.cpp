#include <QDir>
#include <QtTest>

#include "tests/app/cli/cli_runner.h"

/// Words that the command line does not know: one sentence each with the nearest known one, the documented exit code,
/// the same as JSON, and nothing started or stored.
class TestCliWords : public QObject {
    Q_OBJECT
    CliRunner m_cli;

private Q_SLOTS:
    void initTestCase() { QCOMPARE(m_cli("import generator:shapes32:0:48:12 --name shapes").code, 0); }

    void tellsWhatIsMeant_data() {
        QTest::addColumn<QString>("words");
        QTest::addColumn<int>("code");
        QTest::addColumn<QStringList>("named");
        const auto row = [](const char* what, const char* words, int code, const char* named) {
            QTest::newRow(what) << QString::fromLatin1(words) << code << QString::fromLatin1(named).split(u'|');
        };
        row("parameter", "run 70 --data shapes --epoch 3", 2, "epoch|Did you mean epochs?");
        row("parameter with =", "run 70 --data shapes --epoch=3", 2, "epoch|Did you mean epochs?");
        row("parameter of another verb", "run 70 --data shapes --filter x", 2, "filter|no parameter");
        row("flag of run", "run 70 --dta shapes", 2, "dta|Did you mean --data?");
        row("parameter without value", "run 70 --data shapes --epochs", 2, "--epochs|no value");
        row("loose word", "run 70 --data shapes 12", 2, "\"12\"|--name value");
        row("no whole number", "run 70 --data shapes --epochs abc", 2, "epochs|\"abc\" is not a whole number");
        row("fraction for whole number", "run 70 --data shapes --epochs 1.5", 2, "epochs|\"1.5\" is not a whole number");
        row("no number", "run 70 --data shapes --lr fast", 2, "lr|\"fast\"");
        row("no truth value", "run 70 --data shapes --ema perhaps", 2, "ema|\"perhaps\"");
        row("too high", "run 70 --data shapes --lr 99", 2, "lr|99 is above|0.1");
        row("too low", "run 70 --data shapes --epochs 0", 2, "epochs|0 is below");
        row("variant", "run 70 --data shapes --variant CCT-7/3x9", 2, "variant|\"CCT-7/3x9\"|Did you mean CCT-7/3x1?");
        row("scale", "run 70 --data shapes --scale dsk", 2, "--scale|\"dsk\"|Did you mean desk?");
        row("seeds", "run 70 --data shapes --seed 1,x", 2, "seed|x");
        row("threads", "run 70 --data shapes --threads many", 2, "--threads|many");
        row("recipe", "run compact-transformer --data shapes", 1, "compact-transformer|Did you mean 70-compact-transformers?");
        row("recipe by number", "run 71 --data shapes", 1, "71|recipes lists them");
        row("data set", "run 70 --data shape", 1, "shape|similar name is 'shapes'");
        row("run", "show nosuch", 1, "nosuch");
        row("no recipe", "run", 2, "RECIPE");
        row("verb", "improt x.csv", 2, "\"improt\"|Did you mean import?");
        row("verb unlike any", "frobnicate", 2, "\"frobnicate\"|--help lists the verbs");
        row("no verb", "", 2, "no verb|--help");
        row("flag", "list --fliter x", 2, "--fliter|list|Did you mean --filter?");
        row("flag with =", "import x.csv --lable=y", 2, "--lable|Did you mean --label?");
        row("flag before the verb", "--jsn list", 2, "--jsn|Did you mean --json?");
        row("flag unlike any", "datasets --zzzzzzzz", 2, "--zzzzzzzz|datasets --help");
        row("word too many", "doctor now", 2, "now|doctor --help");
    }
    void tellsWhatIsMeant() {
        QFETCH(QString, words);
        QFETCH(int, code);
        QFETCH(QStringList, named);
        const auto outcome = m_cli.run(QStringList{QStringLiteral("--json")} + words.split(u' ', Qt::SkipEmptyParts));
        QCOMPARE(outcome.code, code);
        const auto sentence = QString::fromUtf8(outcome.err.trimmed());
        QCOMPARE(sentence.count(u'\n'), 0);
        QVERIFY2(sentence.startsWith(QStringLiteral("espalier-cli: ")) && !sentence.contains(QStringLiteral("?.")), qPrintable(sentence));
        for (const QString& word : named) QVERIFY2(sentence.contains(word), qPrintable(word + QStringLiteral(" is not in: ") + sentence));
        const auto error = outcome.json()[QStringLiteral("error")].toObject();
        for (const char* key : {"code", "what", "where", "remedy"}) QVERIFY2(!error[QLatin1String(key)].toString().isEmpty(), outcome.out.constData());
    }
    void nothingWasStarted() {
        QVERIFY(m_cli("--json list").json()[QStringLiteral("runs")].toArray().isEmpty());
        QCOMPARE(m_cli("--json datasets").json()[QStringLiteral("datasets")].toArray().size(), 1);
    }
};

QTEST_GUILESS_MAIN(TestCliWords)
#include "tst_cli_words.moc"
