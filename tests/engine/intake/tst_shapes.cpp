#include <set>

#include <QtTest>

#include "engine/intake/shapes_generator.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;

class TestShapes : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void isAPureFunctionOfSeedAndIndex() {
        QVERIFY(makeShape32(3, 17).pixels == makeShape32(3, 17).pixels);
        std::set<std::vector<std::uint8_t>> seen;
        for (int i = 0; i < 200; ++i) seen.insert(makeShape32(3, i).pixels);
        seen.insert(makeShape32(4, 17).pixels);
        QCOMPARE(seen.size(), std::size_t(201));
    }

    void makesSplitsAndClasses() {
        FakeSink sink;
        const auto importer = makeShapesImporter();
        QCOMPARE(importer->confidence("shapes32:5:100:30", ""), 100);
        QVERIFY(importer->read("shapes32:5:100:30", {}, sink).has_value());
        QCOMPARE(sink.counts, (std::array<int, 3>{100, 0, 30}));
        QCOMPARE(sink.classes.size(), std::size_t(10));
        for (const auto& [name, count] : sink.classes) QCOMPARE(count, 13);
        QCOMPARE(sink.declared.front(), std::string("disc"));
        QCOMPARE(sink.images[0].width, 32);
        QCOMPARE(sink.images[0].channels, 3);
    }

    void refusesUnknownRequests() {
        for (const char* path : {"shapes31", "shapes32:x", "shapes32:1:0:0", "shapes32:1:2:3:4"}) {
            QCOMPARE(makeShapesImporter()->confidence(path, ""), 0);
            FakeSink sink;
            QVERIFY(!makeShapesImporter()->read(path, {}, sink));
        }
        FakeSink sink;
        QVERIFY(makeShapesImporter()->read("generator:shapes32:1:10:10", {}, sink).has_value());
    }

    void usesTheWholeRangeOfColours() {
        double sum = 0, squares = 0;
        for (int i = 0; i < 100; ++i)
            for (const std::uint8_t value : makeShape32(0, i).pixels) sum += value, squares += double(value) * value;
        const double mean = sum / 307200, deviation = std::sqrt(squares / 307200 - mean * mean);
        QVERIFY(mean > 100 && mean < 155);
        QVERIFY(deviation > 40);
    }
};

QTEST_GUILESS_MAIN(TestShapes)
#include "tst_shapes.moc"
