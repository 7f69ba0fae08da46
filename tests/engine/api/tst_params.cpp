#include <bit>
#include <cmath>
#include <random>

#include <QtTest>

#include "engine/api/params.h"

using namespace espalier;
using namespace espalier::api;

namespace {

ParamSchema makeSchema() {
    return ParamSchema({integer("epochs", "Training", "Passes").range(1, 5000).defaults(
                            std::int64_t(300), std::int64_t(10), std::int64_t(1)),
                        real("learning_rate", "Training", "Step size").range(1e-7, 10).log().defaults(5.5e-4),
                        boolean("augment", "Data", "Random crops").defaults(true, true, false),
                        choice("schedule", "Training", "Shape", {"cosine", "Constant"}).defaults(std::string("cosine")),
                        text("note", "Other", "Anything").defaults(std::string("")),
                        integerList("bits", "Quantize", "Widths").range(1, 8).defaults(
                            std::vector<std::int64_t>{8, 4, 3}),
                        choiceList("methods", "Quantize", "Methods", {"rtn", "adaround", "flexround"})
                            .defaults(std::vector<std::string>{"rtn", "flexround"})});
}

std::string errorOf(const ParamSchema& schema, const char* key, const char* text) {
    const auto parsed = schema.parse(key, text);
    return parsed ? std::string() : parsed.error().sentence();
}

}  // namespace

class TestParams : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void defaultsFollowTheScale() {
        const auto schema = makeSchema();
        QCOMPARE(Params(schema, Scale::Paper).integer("epochs"), std::int64_t(300));
        QCOMPARE(Params(schema, Scale::Desk).integer("epochs"), std::int64_t(10));
        QCOMPARE(Params(schema, Scale::Smoke).integer("epochs"), std::int64_t(1));
        QCOMPARE(Params(schema, Scale::Smoke).boolean("augment"), false);
        for (const auto scale : {Scale::Paper, Scale::Desk, Scale::Smoke})
            QCOMPARE(scaleFromName(scaleName(scale)), std::optional<Scale>(scale));
        QVERIFY(!scaleFromName("Paper"));
    }

    void parsesEveryKind() {
        Params params(makeSchema(), Scale::Desk);
        const auto set = [&](const char* key, const char* text) {
            const auto result = params.setText(key, text);
            QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        };
        set("epochs", " 1e3 ");
        QCOMPARE(params.integer("epochs"), std::int64_t(1000));
        set("learning-rate", "+1e-3");  // the flag's spelling
        QCOMPARE(params.real("learning_rate"), 1e-3);
        set("augment", "off");
        QCOMPARE(params.boolean("augment"), false);
        set("schedule", "CONSTANT");
        QCOMPARE(params.text("schedule"), std::string("Constant"));
        set("note", "a = b, c");
        QCOMPARE(params.text("note"), std::string("a = b, c"));
        set("bits", "8, 2 ,1");
        QCOMPARE(params.integers("bits"), (std::vector<std::int64_t>{8, 2, 1}));
        set("methods", "RTN,AdaRound");
        QCOMPARE(params.texts("methods"), (std::vector<std::string>{"rtn", "adaround"}));
        QCOMPARE(params.changedFromDefault().size(), std::size_t(7));
        QCOMPARE(params.changedFromDefault().at("methods"), std::string("rtn,adaround"));
    }

    void errorsNameKeyTextRangeAndPaper() {
        const auto schema = makeSchema();
        for (const char* word : {"epochs", "5001", "1 to 5000", "300"})
            QVERIFY2(errorOf(schema, "epochs", "5001").find(word) != std::string::npos, word);
        QVERIFY(errorOf(schema, "epochs", "ten").find("\"ten\" is not a whole number") != std::string::npos);
        QVERIFY(!errorOf(schema, "epochs", "1.5").empty());
        QVERIFY(!errorOf(schema, "epochs", "").empty());
        QVERIFY(!errorOf(schema, "epochs", "12x").empty());
        QVERIFY(!errorOf(schema, "epochs", "99999999999999999999").empty());
        QVERIFY(!errorOf(schema, "learning_rate", "nan").empty());
        QVERIFY(!errorOf(schema, "learning_rate", "inf").empty());
        QVERIFY(!errorOf(schema, "learning_rate", "0,001").empty());
        QVERIFY(!errorOf(schema, "augment", "maybe").empty());
        QVERIFY(errorOf(schema, "schedule", "cosin").find("Did you mean cosine?") != std::string::npos);
        QVERIFY(errorOf(schema, "learning_rat", "1").find("Did you mean learning_rate?") != std::string::npos);
        QVERIFY(errorOf(schema, "zzzzzzzzzz", "1").find("Known ones: epochs") != std::string::npos);
        QVERIFY(!errorOf(schema, "bits", "").empty());
        QVERIFY(!errorOf(schema, "bits", "8,9").empty());
        QVERIFY(!errorOf(schema, "methods", "rtn,gptq").empty());
    }

    void failedSetChangesNothing() {
        Params params(makeSchema(), Scale::Desk);
        QVERIFY(!params.setText("epochs", "0"));
        QVERIFY(!params.set("epochs", 3.0));  // wrong kind
        QVERIFY(!params.set("none", 3.0));
        QCOMPARE(params.integer("epochs"), std::int64_t(10));
        QVERIFY(params.changedFromDefault().empty());
        QVERIFY(params.has("epochs") && !params.has("none"));
    }

    void canonicalText() {
        QCOMPARE(valueText(5.5e-4), std::string("0.00055"));
        QCOMPARE(valueText(true), std::string("true"));
        QCOMPARE(valueText(std::vector<std::int64_t>{8, 4, 3}), std::string("8,4,3"));
        QCOMPARE(valueText(std::int64_t(-7)), std::string("-7"));
    }

    /// Text and back is the same bits, for any double in the range.
    void realTextIsExact() {
        const auto schema = ParamSchema({real("x", "g", "h").range(-1e308, 1e308).defaults(0.0)});
        std::mt19937_64 random(2);
        int compared = 0;
        while (compared < 20000) {
            const double value = std::bit_cast<double>(random());
            if (!std::isfinite(value) || std::abs(value) > 1e308) continue;
            const auto back = schema.parse("x", valueText(value));
            QVERIFY(back.has_value());
            QCOMPARE(std::bit_cast<std::uint64_t>(std::get<double>(*back)), std::bit_cast<std::uint64_t>(value));
            ++compared;
        }
    }

    void toTextReadsBack() {
        Params params(makeSchema(), Scale::Paper), copy(makeSchema(), Scale::Smoke);
        QVERIFY(params.setText("learning_rate", "0.1").has_value());
        for (const auto& [key, text] : params.toText()) QVERIFY(copy.setText(key, text).has_value());
        QCOMPARE(copy.toText(), params.toText());
    }

    void nearest() {
        const std::vector<std::string> words{"cosine", "constant", "step"};
        QCOMPARE(nearestWord("cosin", words), std::string("cosine"));
        QCOMPARE(nearestWord("stpe", words), std::string("step"));
        QCOMPARE(nearestWord("polynomial", words), std::string());
        QCOMPARE(nearestWord("x", {}), std::string());
    }
};

QTEST_GUILESS_MAIN(TestParams)
#include "tst_params.moc"
