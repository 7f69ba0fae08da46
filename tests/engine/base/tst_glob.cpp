#include <string>

#include <QtTest>

#include "engine/base/glob.h"

class TestGlob : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void matches_data();
    void matches();
    void takesTimeProportionalToPatternTimesText();
};

void TestGlob::matches_data() {
    QTest::addColumn<QByteArray>("pattern");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("expected");
    QTest::newRow("empty pattern is everything") << QByteArray("") << QByteArray("train/loss") << true;
    QTest::newRow("itself") << QByteArray("train/loss") << QByteArray("train/loss") << true;
    QTest::newRow("a part is not enough") << QByteArray("train") << QByteArray("train/loss") << false;
    QTest::newRow("star crosses the slash") << QByteArray("*loss") << QByteArray("train/loss") << true;
    QTest::newRow("star is empty too") << QByteArray("attn.*") << QByteArray("attn.") << true;
    QTest::newRow("two stars") << QByteArray("*/attn_*_l3") << QByteArray("valid/attn_entropy_l3") << true;
    QTest::newRow("star must leave the end") << QByteArray("*/attn_*_l3") << QByteArray("valid/attn_l3_x") << false;
    QTest::newRow("question mark is one") << QByteArray("valid/top?") << QByteArray("valid/top5") << true;
    QTest::newRow("question mark is not none") << QByteArray("valid/top?") << QByteArray("valid/top") << false;
    QTest::newRow("range") << QByteArray("layer[1-3]") << QByteArray("layer2") << true;
    QTest::newRow("outside the range") << QByteArray("layer[1-3]") << QByteArray("layer4") << false;
    QTest::newRow("negated range") << QByteArray("layer[!1-3]") << QByteArray("layer4") << true;
    QTest::newRow("bracket in a set") << QByteArray("a[]x]b") << QByteArray("a]b") << true;
    QTest::newRow("open bracket alone") << QByteArray("a[b") << QByteArray("a[b") << true;
    QTest::newRow("escaped star") << QByteArray("a\\*b") << QByteArray("a*b") << true;
    QTest::newRow("escaped star is no wildcard") << QByteArray("a\\*b") << QByteArray("axb") << false;
    QTest::newRow("second alternative") << QByteArray("train/*,valid/top1") << QByteArray("valid/top1") << true;
    QTest::newRow("neither alternative") << QByteArray("train/*,valid/top1") << QByteArray("valid/top5") << false;
    QTest::newRow("escaped comma") << QByteArray("a\\,b") << QByteArray("a,b") << true;
    QTest::newRow("comma in a set") << QByteArray("a[,]b") << QByteArray("a,b") << true;
    QTest::newRow("case matters") << QByteArray("Train/*") << QByteArray("train/loss") << false;
}

void TestGlob::matches() {
    QFETCH(QByteArray, pattern);
    QFETCH(QByteArray, text);
    QTEST(espalier::globMatches(pattern.toStdString(), text.toStdString()), "expected");
}

void TestGlob::takesTimeProportionalToPatternTimesText() {
    std::string pattern;
    for (int i = 0; i < 100; ++i) pattern += "a*";
    pattern += 'b';
    QVERIFY(!espalier::globMatches(pattern, std::string(5000, 'a')));  // backtracking over all stars would never end
}

QTEST_GUILESS_MAIN(TestGlob)
#include "tst_glob.moc"
