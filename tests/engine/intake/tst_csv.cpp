// labels: fast gate
#include <QtTest>

#include "engine/intake/csv_reader.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
using namespace arrayfiles;

class TestCsv : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::filesystem::path folder() const { return m_folder.path().toStdString(); }
    Result<void> read(const std::string& text, FakeSink& sink, const ImportOptions& options = {}, const std::string& name = "t.csv") {
        return makeCsvImporter()->read(save(folder(), name, text), options, sink);
    }
    static std::string utf16(const std::string& ascii, bool isBig, bool hasMark) {
        std::string out = hasMark ? isBig ? "\xFE\xFF" : "\xFF\xFE" : "";
        for (const char c : ascii) {
            if (isBig) out += '\0';
            out += c;
            if (!isBig) out += '\0';
        }
        return out;
    }

private Q_SLOTS:
    void guessesEncodings_data() {
        QTest::addColumn<QByteArray>("word");
        QTest::addColumn<QString>("label");
        QTest::newRow("a lone accent") << QByteArray("\xE9") << QStringLiteral("\u00e9");
        QTest::newRow("accents in words") << QByteArray("\xE9t\xE9") << QStringLiteral("\u00e9t\u00e9");
        QTest::newRow("Cyrillic") << QByteArray("\xF1\xEE\xE1\xE0\xEA\xE0 \xE8 \xEA\xEE\xF8\xEA\xE0 \xE2 \xE4\xEE\xEC\xE5") << QStringLiteral("\u0441\u043e\u0431\u0430\u043a\u0430 \u0438 \u043a\u043e\u0448\u043a\u0430 \u0432 \u0434\u043e\u043c\u0435");
        QTest::newRow("Cyrillic of even words") << QByteArray("\xEA\xEE\xF8\xEA\xE0\xEC") << QString::fromUtf8("\xD0\xBA\xD0\xBE\xD1\x88\xD0\xBA\xD0\xB0\xD0\xBC");
        QTest::newRow("Korean") << QByteArray("\xB0\xED\xBE\xE7\xC0\xCC") << QString::fromUtf8("\xEA\xB3\xA0\xEC\x96\x91\xEC\x9D\xB4");
        QTest::newRow("Japanese") << QByteArray("\xA4\xCD\xA4\xB3") << QString::fromUtf8("\xE3\x81\xAD\xE3\x81\x93");
        QTest::newRow("KOI8-R of even words") << QByteArray("\xD3\xCF\xC2\xC1\xCB\xC1") << QString::fromUtf8("\xD1\x81\xD0\xBE\xD0\xB1\xD0\xB0\xD0\xBA\xD0\xB0");
    }
    void guessesEncodings() {
        QFETCH(QByteArray, word);
        QFETCH(QString, label);
        std::string text = "a,b,kind\n";
        for (int i = 0; i < 12; ++i) text += std::to_string(i) + ".5,2," + (i % 2 ? word.toStdString() : "plain") + "\n";
        FakeSink sink;
        QVERIFY(read(text, sink).has_value());
        QCOMPARE(QString::fromStdString(sink.metas[1].label.value_or("")), label);
        QVERIFY(!sink.warnings.empty() && sink.warnings[0].kind == "encoding_guessed");
    }
    /// A sheet saved by a Chinese Excel: GBK, in the header as well.
    void readsGbk_data() {
        QTest::addColumn<QByteArray>("first");
        QTest::addColumn<QByteArray>("second");
        QTest::addColumn<QString>("label");
        QTest::newRow("cat and dog") << QByteArray("\xC3\xA8") << QByteArray("\xB9\xB7") << QString::fromUtf8("\xE7\x8C\xAB");
        QTest::newRow("longer words") << QByteArray("\xC9\xBD\xF0\xB0\xCE\xB2") << QByteArray("\xB1\xE4\xC9\xAB\xF0\xB0\xCE\xB2\xBB\xA8") << QString::fromUtf8("\xE5\xB1\xB1\xE9\xB8\xA2\xE5\xB0\xBE");
    }
    void readsGbk() {
        QFETCH(QByteArray, first);
        QFETCH(QByteArray, second);
        QFETCH(QString, label);
        std::string text = "\xB3\xA4\xB6\xC8,\xBF\xED\xB6\xC8,\xD6\xD6\xC0\xE0\r\n";
        for (int i = 0; i < 30; ++i) text += std::to_string(i) + ".5," + std::to_string(3 * i % 17) + "," + (i % 2 ? second : first).toStdString() + "\r\n";
        FakeSink sink;
        QVERIFY(read(text, sink).has_value());
        QCOMPARE(QString::fromStdString(sink.metas[0].label.value_or("")), label);
        QCOMPARE(QString::fromStdString(sink.columnNames[0]), QString::fromUtf8("\xE9\x95\xBF\xE5\xBA\xA6"));
        QVERIFY2(sink.find("encoding_guessed") && sink.find("encoding_guessed")->detail.find("GB18030") != std::string::npos,
                 sink.find("encoding_guessed") ? sink.find("encoding_guessed")->detail.c_str() : "no warning");
    }
    void readsNumbersBesideHardBlanks() {
        FakeSink sink;
        QVERIFY(read("a,b,kind\n1.5\xC2\xA0,-2,x\n\xE2\x80\xAF" "3,4,y\n", sink).has_value());
        QCOMPARE(sink.tables.size(), std::size_t(2));
        QCOMPARE(sink.tables[0], (std::vector<float>{1.5f, -2.0f}));
        QCOMPARE(sink.tables[1], (std::vector<float>{3.0f, 4.0f}));
    }
    void listsInOneFieldAreNamed() {
        FakeSink sink;
        const auto refused = read("emotion,pixels\n1,70 80 82 72 58\n0,151 150 147 155 148\n1,1 2 3 4 5\n", sink, [] { ImportOptions options; options.label = "emotion"; return options; }());
        QVERIFY(!refused);
        QVERIFY2(refused.error().sentence().find("\"pixels\" holds several numbers in one field") != std::string::npos, refused.error().sentence().c_str());
    }
    void refusesSparseText() {
        FakeSink sink;
        const auto refused = read("1 1:0.5 7:1\n0 2:1.5\n1 1:3\n", sink, {}, "a.txt");
        QVERIFY(!refused);
        QVERIFY2(refused.error().sentence().find("LIBSVM") != std::string::npos, refused.error().sentence().c_str());
    }
    void readsEverySpelling_data() {
        QTest::addColumn<QByteArray>("text");
        const std::string plain = "a,b,kind\n1.5,2,x\n3,4.25,y\n5,6,x\n";
        const auto row = [](const char* name, const std::string& text) { QTest::newRow(name) << QByteArray::fromStdString(text); };
        const auto with = [&](char separator, const std::string& breaks = "\n", bool hasComma = false) {
            std::string out;
            for (const char c : plain)
                if (c == ',') out += separator;
                else if (c == '\n') out += breaks;
                else if (c == '.' && hasComma) out += ',';
                else out += c;
            return out;
        };
        row("comma", plain);
        row("semicolon", with(';'));
        row("tab", with('\t'));
        row("bar", with('|'));
        row("blanks", with(' '));
        row("german", with(';', "\n", true));
        row("CRLF", with(',', "\r\n"));
        row("CR", with(',', "\r"));
        row("blank lines", with(',', "\n\n"));
        row("mark", "\xEF\xBB\xBF" + plain);
        row("UTF-16LE", utf16(plain, false, true));
        row("UTF-16BE", utf16(plain, true, true));
        row("UTF-16LE without mark", utf16(plain, false, false));
        row("no break at the end", plain.substr(0, plain.size() - 1));
        row("trailing separator", with(',', ",\n"));
        row("sep line", "sep=;\r\n" + with(';', "\r\n"));
        row("gzip", gzipped(plain, folder()));
        row("quoted", "\"a\",\"b\",\"kind\"\n\"1.5\",\"2\",\"x\"\n3,4.25,\"y\"\n5, 6 ,x\n");
    }
    void readsEverySpelling() {
        QFETCH(QByteArray, text);
        FakeSink sink;
        const auto result = read(text.toStdString(), sink);
        QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        QCOMPARE(sink.columnNames, (std::vector<std::string>{"a", "b"}));
        QCOMPARE(sink.tables, (std::vector<std::vector<float>>{{1.5, 2}, {3, 4.25}, {5, 6}}));
        QCOMPARE(sink.classes, (std::map<std::string, int>{{"x", 2}, {"y", 1}}));
    }

    void readsWithoutHeader() {
        FakeSink sink;
        QVERIFY(read("1,2,x\n3,4,y\n", sink).has_value());
        QCOMPARE(sink.tables.size(), std::size_t(2));
        QCOMPARE(sink.columnNames, (std::vector<std::string>{"column 1", "column 2"}));
        QCOMPARE(sink.metas[1].source, std::string("t.csv:2"));
    }

    void takesANamedLabel() {
        const std::string text = "kind,a,b\nx,1,2\ny,3,4\n";
        for (const char* name : {"kind", "KIND", "1"}) {
            ImportOptions options;
            options.label = name;
            FakeSink sink;
            QVERIFY(read(text, sink, options).has_value());
            QCOMPARE(sink.classes.size(), std::size_t(2));
            QCOMPARE(sink.tables[1], (std::vector<float>{3, 4}));
        }
        ImportOptions options;
        options.label = "knd";
        FakeSink sink;
        const auto result = read(text, sink, options);
        QVERIFY(!result);
        QVERIFY(result.error().sentence().find("\"kind\"") != std::string::npos);
        QVERIFY(result.error().sentence().find("\"knd\"") != std::string::npos);
    }

    void readsLatin1() {
        FakeSink sink;
        QVERIFY(read("a,kind\n1,\xE9t\xE9\n2,Gr\xFCn\n3,\xE9t\xE9\n", sink).has_value());
        QCOMPARE(sink.classes, (std::map<std::string, int>{{"été", 2}, {"Grün", 1}}));
        QVERIFY(sink.hasWarning("encoding_guessed"));
    }

    void keepsBreaksAndQuotesInsideQuotes() {
        FakeSink sink;
        QVERIFY(read("a,kind\n1,\"say \"\"hi\"\", ok\"\n2,\"two\nlines\"\n3,\"two\nlines\"\n", sink).has_value());
        QCOMPARE(sink.classes, (std::map<std::string, int>{{"say \"hi\", ok", 1}, {"two\nlines", 2}}));
        QCOMPARE(sink.metas[2].source, std::string("t.csv:5"));
    }

    void namesTheLineOfAnOpenQuote() {
        FakeSink sink;
        QVERIFY(read("a,b,kind\n1,2,x\n3,\"4,x\n5,6,y\n7,8,y\n", sink).has_value());
        QCOMPARE(sink.tables.size(), std::size_t(3));
        QCOMPARE(sink.linesOf("open_quote"), (std::vector<std::int64_t>{3}));
        FakeSink later;  // a later quoted field must not close it
        QVERIFY(read("a,b,kind\n1,2,x\n3,\"4,x\n5,6,\"y\"\n7,8,y\n", later).has_value());
        QCOMPARE(later.linesOf("open_quote"), (std::vector<std::int64_t>{3}));
        QCOMPARE(later.tables.size(), std::size_t(3));
    }

    void namesMissingAndRaggedLines() {
        FakeSink sink;
        QVERIFY(read("a,b,kind\n1,2,x\nNA,4,y\n5,6\n7,8,x,9\n9,?,y\n", sink).has_value());
        QCOMPARE(sink.linesOf("missing_value"), (std::vector<std::int64_t>{3, 6}));
        QCOMPARE(sink.linesOf("ragged_line"), (std::vector<std::int64_t>{4, 5}));
        QVERIFY(std::isnan(sink.tables[1][0]));
        QCOMPARE(sink.tables.size(), std::size_t(3));
    }

    void neverMakesAWrongNumber() {
        const auto value = [](const char* text, bool canHaveComma = true) {
            const CsvNumber number = readCsvNumber(text, canHaveComma);
            return number.kind == CsvNumber::Kind::Number ? number.value : -999.0;
        };
        QCOMPARE(value("+5"), 5.0);
        QCOMPARE(value(".5"), 0.5);
        QCOMPARE(value("5."), 5.0);
        QCOMPARE(value("1e5"), 1e5);
        QCOMPARE(value("1,5"), 1.5);
        QCOMPARE(value("-2.5E-1"), -0.25);
        QCOMPARE(value("1e-400"), 0.0);
        for (const char* text : {"0x1A", "1_000", "--3", "3 4", "1d3", "1,2,3", "1.234,5", "1e", "e5", "+", "12%", "１２", "−7", "inf", "1e400"}) QCOMPARE(value(text), -999.0);
        QCOMPARE(value("1,5", false), -999.0);
    }

    void keepsHugeNumbersAsTheTextOfALabel() {  // found by the fuzzer: 3e25 is no 64-bit whole number
        FakeSink sink;
        ImportOptions options;
        options.label = "y";
        QVERIFY(read("a,y\n1,3e25\n2,7e25\n3,3e25\n", sink, options).has_value());
        QCOMPARE(sink.classes, (std::map<std::string, int>{{"3e25", 2}, {"7e25", 1}}));
    }

    void namesAThousandsMarkInsteadOfGuessing() {
        FakeSink sink;
        QVERIFY(read("a;kind\n1.5;x\n1,234;y\n2.5;x\n", sink).has_value());
        QCOMPARE(sink.linesOf("not_a_number"), (std::vector<std::int64_t>{3}));
        QCOMPARE(sink.tables, (std::vector<std::vector<float>>{{1.5}, {2.5}}));
    }

    void leavesOutTextColumns() {
        FakeSink sink;
        QVERIFY(read("a,name,kind\n1,anna,x\n2,bob,y\n", sink).has_value());
        QCOMPARE(sink.columnNames, (std::vector<std::string>{"a"}));
        QVERIFY(sink.hasWarning("text_column"));
    }

    void readsPixelsAsPictures() {
        std::string header, first, second;
        for (int i = 0; i < 49; ++i) {
            header += "pixel" + std::to_string(i) + ",";
            first += std::to_string(i) + ",";
            second += "0,";
        }
        FakeSink sink;
        QVERIFY(read("label," + header.substr(0, header.size() - 1) + "\n3," + first.substr(0, first.size() - 1) + "\n5," + second.substr(0, second.size() - 1) + "\n", sink).has_value());
        QCOMPARE(sink.floats.size(), std::size_t(2));
        QCOMPARE(sink.floats[0].width, 7);
        QCOMPARE(sink.floats[0].values[8], 8.0f);
        QCOMPARE(*sink.metas[0].label, std::string("3"));
        QVERIFY(sink.hasWarning("read_as_images"));
        ImportOptions options;
        options.imageShape = "none";
        FakeSink table;
        QVERIFY(read(first + "1\n" + second + "0\n", table, options).has_value());
        QCOMPARE(table.tables.size(), std::size_t(2));
    }

    void readsSplitsFromAColumn() {
        FakeSink sink;
        QVERIFY(read("a,split,kind\n1,train,x\n2,test,y\n3,val,x\n", sink).has_value());
        QCOMPARE(sink.counts, (std::array<int, 3>{1, 1, 1}));
    }

    void refusesWithASentence_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("word");
        const auto row = [](const char* name, const std::string& text, const char* word) { QTest::newRow(name) << QByteArray::fromStdString(text) << QString::fromUtf8(word); };
        row("empty", "", "0 bytes");
        row("blank", "\n\n  \n", "empty");
        row("header only", "a,b,kind\n", "header");
        row("one column", "kind\nx\ny\n", "one column");
        row("no numbers", "a,b\nx,y\nz,w\n", "no feature column");
        row("binary", std::string("PK\3\4\0\0\0\1\2\3", 10), "binary");
    }
    void refusesWithASentence() {
        QFETCH(QByteArray, text);
        QFETCH(QString, word);
        FakeSink sink;
        const auto result = read(text.toStdString(), sink);
        QVERIFY(!result);
        QVERIFY2(result.error().sentence().find(word.toStdString()) != std::string::npos, result.error().sentence().c_str());
        QVERIFY(result.error().where.find("t.csv") != std::string::npos);
    }

    void readsTheDigitsAsPictures() {
        const char* shared = std::getenv("ESPALIER_SHARED");
        const std::filesystem::path path = std::string(shared ? shared : "") + "/data/digits/digits.csv.gz";
        if (!shared || !std::filesystem::exists(path)) QSKIP("the shared data are not here");
        FakeSink sink;
        QVERIFY(makeCsvImporter()->read(path, {}, sink).has_value());
        QCOMPARE(sink.floats.size(), std::size_t(1797));
        QCOMPARE(sink.floats[0].width, 8);
        QCOMPARE(sink.declared.size(), std::size_t(10));
        QCOMPARE(sink.classes["0"], 178);
    }
};

QTEST_GUILESS_MAIN(TestCsv)
#include "tst_csv.moc"
