#include <limits>

#include <QtTest>

#include "engine/catalog/catalog.h"
#include "engine/catalog/run_filter.h"

using namespace espalier;

namespace {

feed::RunInfo makeRun(const std::string& id, const std::string& name, double created) {
    feed::RunInfo run;
    run.id = id;
    run.name = name;
    run.recipe = "70-compact-transformers";
    run.state = feed::JobState::Completed;
    run.datasetId = "data0001";
    run.datasetName = "digits";
    run.device = "cpu";
    run.scale = "desk";
    run.createdSecs = created;
    return run;
}

}  // namespace

/// Filters and sort keys over five runs a…e, whose ids are their letters.
class TestFilter : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase();
    void finds_data();
    void finds();
    void sorts_data();
    void sorts();
    void explainsMistakes_data();
    void explainsMistakes();
    void bindsEveryValue();
    void namesTheParametersItUses();
    void survivesAnyBytes();

private:
    QByteArray ids(const char* filter, const char* sort);
    QTemporaryDir m_folder;
    std::unique_ptr<catalog::Catalog> m_catalog;
};

void TestFilter::initTestCase() {
    auto opened = catalog::Catalog::open(m_folder.filePath(QStringLiteral("c.sqlite")).toStdString());
    QVERIFY(opened);
    m_catalog = std::move(*opened);
    auto a = makeRun("a", "cct7-3x1-F-s1", 1764000000);  // 2025-11-24T16:00:00Z
    a.summary["valid/top1"] = {0.40, 0.55, 300, 400};
    a.params = {{"lr", "1e-3"}, {"variant", "cct7"}, {"name", "odd"}};
    a.tags = {"paper", "best one"};
    a.seed = 1;
    auto b = makeRun("b", "cct2-3x2-Q-s2", 1764000100);
    b.summary["valid/top1"] = {0.62, 0.62, 400, 400};
    b.params = {{"lr", "0.01"}, {"variant", "cct2"}};
    b.tags = {"paper"};
    b.seed = 2;
    b.state = feed::JobState::Failed;
    auto c = makeRun("c", "vit lite 100%", 1764000200);
    c.summary["valid/top1"] = {std::numeric_limits<double>::quiet_NaN(), 0.30, 10, 400};
    c.params = {{"lr", "0.1"}, {"variant", "vit"}};
    c.note = "diverged after the warm-up";
    c.seed = 10;
    c.activeSecs = 7200;
    auto d = makeRun("d", "flexround", 1764086400);
    d.recipe = "46-flexround";
    d.datasetName = "shapes32";
    d.datasetId = "data0002";
    d.parentRun = "a";
    d.seed = 3;
    auto e = makeRun("e", "FLEX 100x", 1764086500);
    e.device = "cuda:0";
    e.scale = "smoke";
    e.seed = 4;
    e.params = {{"lr", "auto"}};
    const auto written = m_catalog->write([&](catalog::CatalogWriter& writer) -> Result<void> {
        for (const auto& run : {a, b, c, d, e}) ESPALIER_CHECK_OK(writer.insertRun(run));
        return {};
    });
    QVERIFY(written);
}

QByteArray TestFilter::ids(const char* filter, const char* sort) {
    const auto compiled = catalog::compileFilter(filter, sort);
    if (!compiled) return QByteArray::fromStdString(compiled.error().sentence());
    const auto found = m_catalog->runIds(compiled->query);
    if (!found) return QByteArray::fromStdString(found.error().sentence() + found.error().detail);
    QByteArray text;
    for (const auto& id : *found) text += QByteArray::fromStdString(id);
    return text;
}

void TestFilter::finds_data() {
    QTest::addColumn<QByteArray>("filter");
    QTest::addColumn<QByteArray>("expected");  // in order of id
    const auto row = [](const char* name, const char* filter, const char* expected) {
        QTest::newRow(name) << QByteArray(filter) << QByteArray(expected);
    };
    row("nothing asked", "", "abcde");
    row("best of a metric", "valid/top1 > 0.5", "ab");
    row("last of a metric", "valid/top1.last > 0.5", "b");
    row("step of the best", "valid/top1.best_step <= 300", "ac");
    row("nan fits no comparison", "valid/top1.last < 1", "ab");
    row("unequal holds without the metric", "valid/top1 != 0.62", "acde");
    row("not holds without the metric", "not valid/top1 > 0.5", "cde");
    row("and", "valid/top1 > 0.4 and tag = paper and name ~ cct", "ab");
    row("words side by side mean and", "valid/top1 > 0.4 state = failed", "b");
    row("or binds weaker", "seed = 1 or seed = 2 and state = completed", "a");
    row("brackets", "(seed = 1 or seed = 2) and state = failed", "b");
    row("not before brackets", "not (seed = 1 or seed = 2)", "cde");
    row("double not", "not not seed = 1", "a");
    row("parameter as a number", "lr = 0.001", "a");
    row("parameter order is numeric", "lr >= 0.01", "bc");
    row("a word is unequal to a number", "lr != 0.1", "abde");
    row("parameter as text", "lr = auto", "e");
    row("parameter by its long key", "params.name = odd", "a");
    row("parameter unequal", "variant != cct7", "bcde");
    row("parameter contains", "variant ~ CCT", "ab");
    row("quoted value", "tag = \"best one\"", "a");
    row("single quotes", "tag = 'best one'", "a");
    row("lacks a tag", "tag != paper", "cde");
    row("has no tag at all", "tag = \"\"", "cde");
    row("tag contains", "tag ~ pap", "ab");
    row("per cent is no wildcard", "name ~ \"100%\"", "c");
    row("underscore is no wildcard", "name ~ 1_0", "");
    row("recipe", "recipe = 46-flexround", "d");
    row("data set by name", "dataset = shapes32", "d");
    row("data set by id", "dataset = data0001", "abce");
    row("neither name nor id", "dataset != digits", "d");
    row("parent", "parent = a", "d");
    row("device", "device = cuda:0", "e");
    row("scale", "scale != desk", "e");
    row("from a day on", "created >= 2025-11-25", "de");
    row("up to a minute", "created < 2025-11-24T16:02", "ab");
    row("with seconds and Z", "created <= 2025-11-24T16:01:40Z", "ab");
    row("time with a unit", "time >= 2h", "c");
    row("time in plain seconds", "time < 7200", "abde");
    row("bare word in a name, any case", "flex", "de");
    row("bare word in a note", "warm", "c");
    row("bare word in a tag", "paper", "ab");
    row("bare word in parameters", "cct7", "a");
    row("inside a word of a name", "ound", "d");
    row("quoted words search", "\"vit lite\"", "c");
    row("two bare words", "flex 100", "e");
    row("keyword as a key", "not = 3", "");
    row("long form of equals", "seed == 4", "e");
}

void TestFilter::finds() {
    QFETCH(QByteArray, filter);
    QTEST(ids(filter.constData(), "id"), "expected");
}

void TestFilter::sorts_data() {
    QTest::addColumn<QByteArray>("sort");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, const char* sort, const char* expected) {
        QTest::newRow(name) << QByteArray(sort) << QByteArray(expected);
    };
    row("newest first", "", "edcba");
    row("metric up, missing last", "valid/top1", "cabed");
    row("metric down, missing last", "-valid/top1", "baced");
    row("number, not text", "seed", "abdec");
    row("name without case", "name", "baedc");
    row("parameter numbers before words", "lr", "abced");
    row("two keys", "-device,seed", "eabdc");
    row("duration down, ties newest first", "-time", "cedba");
}

void TestFilter::sorts() {
    QFETCH(QByteArray, sort);
    QTEST(ids("", sort.constData()), "expected");
}

void TestFilter::explainsMistakes_data() {
    QTest::addColumn<QByteArray>("filter");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, const char* filter, const char* expected) {
        QTest::newRow(name) << QByteArray(filter) << QByteArray(expected);
    };
    row("value missing", "valid/top1 >", "filter, character 13: a value is missing after \"valid/top1 >\".");
    row("key missing", "> 3", "filter, character 1: \">\" has no key before it. Write KEY > VALUE.");
    row("bracket open", "(seed = 1", "filter, character 1: \"(\" is not closed. Add a \")\".");
    row("bracket closed", "seed = 1)", "filter, character 9: \")\" closes nothing. Remove it or add a \"(\".");
    row("empty brackets", "()", "filter, character 2: a condition is missing before \")\".");
    row("quote open", "tag = \"pa", "filter, character 7: the quoted text does not end. Add a closing \".");
    row("ends after and", "seed = 1 and", "filter, character 13: the filter ends where a condition is expected.");
    row("starts with or", "or seed = 1", "filter, character 1: a condition is missing before \"or\".");
    row("word for a number", "seed > many",
        "filter, character 8: \"seed\" cannot be compared with \"many\". Write a number, for example 0.4.");
    row("no date", "created > yesterday",
        "filter, character 11: \"created\" cannot be compared with \"yesterday\". Write a date as 2026-11-24 or "
        "2026-11-24T08:17.");
    row("no duration", "time > 3w",
        "filter, character 8: \"time\" cannot be compared with \"3w\". Write a time as 90s, 5m, 2h or 3d.");
    row("contains on a number", "macs ~ 3",
        "filter, character 1: \"macs\" is a number, which cannot contain a text. Use = != < <= > >=.");
    row("lone exclamation", "seed ! 3",
        "filter, character 6: \"!\" alone is no comparison. Write != for unequal, or the word not.");
    row("state misspelt", "state = done",
        "filter, character 9: \"done\" is no state. The states are queued, preparing, running, paused, stopping, "
        "completed, stopped, failed, interrupted.");
}

void TestFilter::explainsMistakes() {
    QFETCH(QByteArray, filter);
    QTEST(ids(filter.constData(), ""), "expected");
}

void TestFilter::bindsEveryValue() {
    // Text that would end the statement if any of it were pasted into SQL.
    const char* hostile = "name = \"x'; DROP TABLE runs; --\" or \"a' OR 1=1\" or params.k'\" = '\\\"' ";
    const auto compiled = catalog::compileFilter(hostile, "x';DROP/TABLE");
    if (compiled) {
        QVERIFY(compiled->query.where.find("DROP") == std::string::npos);
        for (const auto& term : compiled->query.sort) QVERIFY(term.sql.find("DROP") == std::string::npos);
    }
    const auto plain = catalog::compileFilter("name = \"x'; DROP TABLE runs\" or k;-- = 3", "x';DROP/TABLE,y';DROP");
    QVERIFY(plain);
    QVERIFY(plain->query.where.find("DROP") == std::string::npos);
    QVERIFY(plain->query.where.find("--") == std::string::npos);
    QCOMPARE(plain->query.sort.size(), std::size_t(2));
    for (const auto& term : plain->query.sort) QVERIFY(term.sql.find("DROP") == std::string::npos);
    QVERIFY(m_catalog->runIds(plain->query));
    QCOMPARE(ids("", ""), QByteArray("edcba"));
}

void TestFilter::namesTheParametersItUses() {
    const auto compiled = catalog::compileFilter("seed = 1 and  larning_rate > 3", "");
    QVERIFY(compiled);
    QCOMPARE(compiled->paramKeys.size(), std::size_t(1));
    QCOMPARE(compiled->paramKeys[0].key, std::string("larning_rate"));
    QCOMPARE(compiled->paramKeys[0].position, std::size_t(15));
}

void TestFilter::survivesAnyBytes() {
    std::uint32_t state = 12345;
    const std::string_view alphabet = "ab/. =!<>~()\"'\\1-%_and or not tag\x80\xff\n";
    int good = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string filter;
        for (int i = 0; i < 24; ++i) {
            state = state * 1664525u + 1013904223u;
            filter += alphabet[(state >> 16) % alphabet.size()];
        }
        const auto compiled = catalog::compileFilter(filter, "");
        if (!compiled) {
            QVERIFY(compiled.error().where.starts_with("filter, character "));
            continue;
        }
        ++good;
        const auto found = m_catalog->runIds(compiled->query);
        QVERIFY2(found, found ? "" : (filter + found.error().detail).c_str());
    }
    QVERIFY(good > 50);
    QCOMPARE(ids(std::string(100, '(').c_str(), "").left(22), QByteArray("filter, character 66: "));
}

QTEST_GUILESS_MAIN(TestFilter)
#include "tst_filter.moc"
