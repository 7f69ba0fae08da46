// labels: fast gate
#include <QtTest>

#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
using Counts = std::map<std::string, int>;

namespace {

/// first, first + 1, … below 256, `count` numbers with blanks between.
std::string list(int count, int first) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i ? " " : "") + std::to_string((first + i) % 256);
    return text;
}

}  // namespace

/// Tables in which one field holds a whole picture, as FER-2013 is published.
class TestCsvPixels : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    Result<void> read(const std::string& text, FakeSink& sink, const ImportOptions& options = {}) {
        return makeCsvImporter()->read(arrayfiles::save(m_folder.path().toStdString(), "fer.csv", text), options, sink);
    }
    void verify(const Result<void>& result) { QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str()); }

private Q_SLOTS:
    void readsFer_data() {
        QTest::addColumn<QString>("header");
        QTest::addColumn<QString>("order");  // e = class, p = pixels, u = usage
        QTest::newRow("original") << QStringLiteral("emotion,pixels,Usage") << QStringLiteral("epu");
        QTest::newRow("icml") << QStringLiteral("emotion, Usage, pixels") << QStringLiteral("eup");
        QTest::newRow("usage last, class unnamed") << QStringLiteral("mood,pixels,Usage") << QStringLiteral("epu");
        QTest::newRow("pixels first") << QStringLiteral("pixels;Usage;label") << QStringLiteral("pue");
    }
    void readsFer() {
        QFETCH(QString, header);
        QFETCH(QString, order);
        const std::string separator = header.contains(QLatin1Char(';')) ? ";" : ",";
        const char* const usages[] = {"Training", "Training", "PublicTest", "PrivateTest"};
        std::string text = header.toStdString() + "\n";
        for (int row = 0; row < 40; ++row)
            for (int i = 0; i < order.size(); ++i)
                text += (order[i] == QLatin1Char('e') ? std::to_string(row % 7) : order[i] == QLatin1Char('p') ? list(2304, row) : usages[row % 4]) +
                        (i + 1 < order.size() ? separator : "\n");
        FakeSink sink;
        verify(read(text, sink));
        QCOMPARE(sink.images.size(), std::size_t(40));
        QCOMPARE(sink.images[3].width, 48);
        QCOMPARE(sink.images[3].height, 48);
        QCOMPARE(sink.images[3].channels, 1);
        QCOMPARE(int(sink.images[3].pixels[0]), 3);
        QCOMPARE(int(sink.images[3].pixels[2303]), (3 + 2303) % 256);
        QCOMPARE(sink.counts, (std::array<int, 3>{20, 10, 10}));
        QCOMPARE(sink.classes.size(), std::size_t(7));
        QCOMPARE(sink.declared.front(), std::string("0"));
        QCOMPARE(*sink.metas[8].label, std::string("1"));
        QVERIFY(sink.find("read_as_images")->detail.find("48") != std::string::npos);
        QVERIFY(!sink.hasWarning("list_column"));
    }

    void namesAsClassesAndQuotes() {
        std::string text = "class,img\n";
        for (int row = 0; row < 6; ++row) text += std::string(row % 2 ? "happy" : "sad") + ",\"" + list(784, row) + "\"\n";
        FakeSink sink;
        verify(read(text, sink));
        QCOMPARE(sink.classes, (Counts{{"happy", 3}, {"sad", 3}}));
        QCOMPARE(sink.images[5].width, 28);
    }

    void withoutAHeader() {
        std::string text;
        for (int row = 0; row < 6; ++row) text += std::to_string(row % 2) + "," + list(784, row) + "\n";
        FakeSink sink;
        verify(read(text, sink));
        QCOMPARE(sink.images.size(), std::size_t(6));
        QCOMPARE(sink.classes, (Counts{{"0", 3}, {"1", 3}}));
    }

    void threeValuesAPixelAreColours() {
        std::string text = "label,pixels\n";
        for (int row = 0; row < 4; ++row) text += std::to_string(row % 2) + "," + list(3 * 64, row) + "\n";
        FakeSink sink;
        verify(read(text, sink));
        QCOMPARE(sink.images[0].channels, 3);
        QCOMPARE(sink.images[0].width, 8);
        QCOMPARE((std::vector<std::uint8_t>(sink.images[0].pixels.begin(), sink.images[0].pixels.begin() + 4)), (std::vector<std::uint8_t>{0, 1, 2, 3}));
    }

    void otherShapesAreNamed() {
        std::string text = "label,pixels\n";
        for (int row = 0; row < 4; ++row) text += std::to_string(row % 2) + "," + list(24, row) + "\n";
        FakeSink refused, sink;
        QVERIFY(!read(text, refused));
        ImportOptions options;
        options.imageShape = "4x6";
        verify(read(text, sink, options));
        QCOMPARE(sink.images[0].height, 4);
        QCOMPARE(sink.images[0].width, 6);
        options.imageShape = "5x5";
        FakeSink wrong;
        const auto error = read(text, wrong, options);
        QVERIFY(!error && error.error().what.find("rows have 24") != std::string::npos);
    }

    void zeroAndOneAndSixteenBitsFollowTheRuleForNumbers() {
        std::string binary = "label,pixels\n", deep = "label,pixels\n";
        for (int row = 0; row < 4; ++row) {
            std::string bits;
            for (int i = 0; i < 64; ++i) bits += (i ? " " : "") + std::to_string((i + row) % 2);
            binary += std::to_string(row % 2) + "," + bits + "\n";
            deep += std::to_string(row % 2) + "," + list(63, row) + " 4095\n";
        }
        FakeSink one, two;
        verify(read(binary, one));
        verify(read(deep, two));
        QCOMPARE(one.floats.size(), std::size_t(4));
        QCOMPARE(two.floats[0].values[63], 4095.0f);
    }

    void badFieldsAreNamedByLine() {
        std::string text = "emotion,pixels,Usage\n";
        for (int row = 0; row < 12; ++row)
            text += std::to_string(row % 3) + "," + (row == 4 ? list(2303, row) : row == 7 ? "no picture at all" : row == 9 ? list(2303, row) + " -4" : list(2304, row)) + ",Training\n";
        FakeSink sink;
        verify(read(text, sink));
        QCOMPARE(sink.linesOf("bad_pixels"), (std::vector<std::int64_t>{6, 9, 11}));
        QVERIFY(sink.find("bad_pixels")->detail.find("2,303 numbers where 2,304 are usual") != std::string::npos);
        QCOMPARE(sink.images.size(), std::size_t(9));
    }

    void otherColumnsAreTold() {
        std::string text = "age,name,pixels,label\n";
        for (int row = 0; row < 4; ++row) text += std::to_string(20 + row) + ",n" + std::to_string(row) + "," + list(64, row) + "," + std::to_string(row % 2) + "\n";
        FakeSink sink;
        verify(read(text, sink));
        QCOMPARE(sink.classes, (Counts{{"0", 2}, {"1", 2}}));
        QVERIFY(sink.find("column_ignored")->detail.find("\"age\"") != std::string::npos);
        ImportOptions options;
        options.label = "pixels";
        FakeSink wrong;
        const auto error = read(text, wrong, options);
        QVERIFY(!error && error.error().what.find("holds the pictures") != std::string::npos);
    }

    /// "Usage" of an ordinary table names the split as well, and is a class in none.
    void usageIsNeverTheLabel() {
        FakeSink sink;
        verify(read("a,b,kind,Usage\n1,2,p,Training\n3,4,q,PrivateTest\n5,6,p,Other\n", sink));
        QCOMPARE(sink.classes, (Counts{{"p", 2}, {"q", 1}}));
    }
};

QTEST_GUILESS_MAIN(TestCsvPixels)
#include "tst_csv_pixels.moc"
