#include <QtTest>

#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
using namespace arrayfiles;

class TestNpy : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    std::filesystem::path folder() const { return m_folder.path().toStdString(); }
    Result<void> read(const std::string& bytes, FakeSink& sink, const ImportOptions& options = {}) {
        return makeNpyImporter()->read(save(folder(), "a.npy", bytes), options, sink);
    }

private Q_SLOTS:
    void readsEveryNumberType_data() {
        QTest::addColumn<QString>("descr");
        QTest::addColumn<QByteArray>("data");
        const auto row = [](const char* descr, const std::string& data) { QTest::newRow(descr) << QString::fromUtf8(descr) << QByteArray::fromStdString(data); };
        row("|b1", std::string("\0\1\1\0\1\0\1\1", 8));
        row("|i1", bytesOf<std::int8_t>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<i2", bytesOf<std::int16_t>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<u2", bytesOf<std::uint16_t>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<i4", bytesOf<std::int32_t>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<u4", bytesOf<std::uint32_t>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<i8", bytesOf<std::int64_t>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<u8", bytesOf<std::uint64_t>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<f2", bytesOf<std::uint16_t>({0, 0x3C00, 0x3C00, 0, 0x3C00, 0, 0x3C00, 0x3C00}));
        row("<f4", bytesOf<float>({0, 1, 1, 0, 1, 0, 1, 1}));
        row("<f8", bytesOf<double>({0, 1, 1, 0, 1, 0, 1, 1}));
        row(">i2", std::string("\0\0\0\1\0\1\0\0\0\1\0\0\0\1\0\1", 16));
        row(">f4", std::string("\0\0\0\0\x3f\x80\0\0\x3f\x80\0\0\0\0\0\0\x3f\x80\0\0\0\0\0\0\x3f\x80\0\0\x3f\x80\0\0", 32));
    }
    void readsEveryNumberType() {
        QFETCH(QString, descr);
        QFETCH(QByteArray, data);
        FakeSink sink;
        const auto result = read(npy("'" + descr.toStdString() + "'", "(2, 2, 2)", data.toStdString()), sink);
        QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        QCOMPARE(sink.floats.size(), std::size_t(2));
        QCOMPARE(sink.floats[0].values, (std::vector<float>{0, 1, 1, 0}));
        QCOMPARE(sink.floats[1].values, (std::vector<float>{1, 0, 1, 1}));
        QVERIFY(sink.hasWarning("unlabelled"));
    }

    void keepsBytesAsBytes() {
        FakeSink sink;
        QVERIFY(read(npy("'|u1'", "(1, 2, 2, 3)", std::string("\1\2\3\4\5\6\7\10\11\12\13\14")), sink).has_value());
        QCOMPARE(sink.images[0].channels, 3);
        QCOMPARE(sink.images[0].pixels, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
        QCOMPARE(sink.metas[0].source, std::string("a.npy[0]"));
    }

    void turnsColumnMajorAndChannelsFirst() {
        FakeSink sink;
        // (2, 2, 3): 0…11 in row-major order, stored column-major.
        QVERIFY(read(npy("'|u1'", "(2, 2, 3)", std::string("\0\6\3\11\1\7\4\12\2\10\5\13", 12), true), sink).has_value());
        QCOMPARE(sink.images[1].pixels, (std::vector<std::uint8_t>{6, 7, 8, 9, 10, 11}));
        FakeSink planar;
        QVERIFY(read(npy("'|u1'", "(1, 3, 2, 2)", std::string("\0\1\2\3\4\5\6\7\10\11\12\13", 12)), planar).has_value());
        QCOMPARE(planar.images[0].pixels, (std::vector<std::uint8_t>{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}));
    }

    void readsHeadersTwoAndThree() {
        for (const int version : {2, 3}) {
            FakeSink sink;
            QVERIFY(read(npy("'|u1'", "(1, 2, 2)", "abcd", false, version), sink).has_value());
            QCOMPARE(sink.images.size(), std::size_t(1));
        }
        FakeSink sink;
        const auto result = read(npy("'|u1'", "(1, 2, 2)", "abcd", false, 9), sink);
        QVERIFY(!result);
        QVERIFY(result.error().what.find("version 9") != std::string::npos);
    }

    void refusesWithASentence_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("names");
        const auto row = [](const char* name, const std::string& bytes, const char* words) { QTest::newRow(name) << QByteArray::fromStdString(bytes) << QString::fromUtf8(words); };
        row("objects", npy("'|O'", "(3,)", "\x80\4."), "pickle");
        row("truncated", npy("'<f4'", "(4, 2, 2)", std::string(60, 'x')), "64 bytes");
        row("huge claim", npy("'<f8'", "(1000000, 1000, 1000)", "x"), "claims");
        row("overflow", npy("'<f8'", "(9000000000000000000, 9000000000000000000)", "x"), "claims");
        row("no samples", npy("'<f4'", "(0, 8, 8)", ""), "no samples");
        row("structured", npy("[('a', '<f4'), ('b', '<i4')]", "(2,)", std::string(16, 'x')), "structured");
        row("complex", npy("'<c8'", "(2, 2)", std::string(32, 'x')), "<c8");
        row("text", npy("'<U4'", "(2, 2)", std::string(64, '\0')), "<U4");
        row("a list", npy("'<f4'", "(2,)", std::string(8, '\0')), "list of numbers");
        row("a video", npy("'|u1'", "(1, 1, 2, 2, 3)", std::string(12, '\0')), "volumes");
        row("seven channels", npy("'|u1'", "(1, 2, 2, 7)", std::string(28, '\0')), "channels");
        row("empty file", "", "0 bytes");
        row("no header", "\x93NUMPY\1", "header");
        row("not numpy", "hello, this is a text", "not a NumPy");
    }
    void refusesWithASentence() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, names);
        FakeSink sink;
        const auto result = read(bytes.toStdString(), sink);
        QVERIFY(!result);
        const std::string sentence = result.error().sentence();
        QVERIFY2(sentence.find(names.toStdString()) != std::string::npos, sentence.c_str());
        QVERIFY(sentence.find("a.npy") != std::string::npos);
        QVERIFY(sink.metas.empty());
    }

    void countsValuesThatAreNotFinite() {
        FakeSink sink;
        QVERIFY(read(npy("'<f4'", "(3, 1, 2)", bytesOf<float>({0, NAN, 1, 2, INFINITY, NAN})), sink).has_value());
        QCOMPARE(sink.floats.size(), std::size_t(3));
        QCOMPARE(sink.find("nan_values")->detail, std::string("3 values in 2 samples (0, 2) are NaN or infinite"));
        FakeSink wide;  // kept as 32 bits, 1e308 is infinite too
        QVERIFY(read(npy("'<f8'", "(2, 1, 2)", bytesOf<double>({0, 1, 2, 1e308})), wide).has_value());
        QCOMPARE(wide.find("nan_values")->detail, std::string("1 value in 1 sample (1) is NaN or infinite"));
    }

    void takesTheLastColumnAsLabel() {
        const std::string table = npy("'<f8'", "(4, 3)", bytesOf<double>({0.5, 1, 0, 0.25, 2, 1, 0.5, 3, 0, 0.1, 4, 1}));
        FakeSink sink;
        QVERIFY(read(table, sink).has_value());
        QCOMPARE(sink.tables[1], (std::vector<float>{0.25f, 2}));
        QCOMPARE(sink.classes, (std::map<std::string, int>{{"0", 2}, {"1", 2}}));
        QVERIFY(sink.hasWarning("label_guessed"));
        ImportOptions options;
        options.label = "9";
        FakeSink refused;
        const auto result = read(table, refused, options);
        QVERIFY(!result);
        QVERIFY(result.error().what.find("\"9\"") != std::string::npos);
    }

    void keepsATableOfMeasuredValuesUnlabelled() {
        FakeSink sink;
        QVERIFY(read(npy("'<f8'", "(2, 2)", bytesOf<double>({0.5, 1.5, 0.25, 2.5})), sink).has_value());
        QCOMPARE(sink.tables.size(), std::size_t(2));
        QVERIFY(sink.hasWarning("unlabelled"));
    }

    void readsRowsAsPicturesOfANamedShape() {
        ImportOptions options;
        options.imageShape = "1x2x3";
        FakeSink sink;
        QVERIFY(read(npy("'<f4'", "(1, 6)", bytesOf<float>({1, 2, 3, 4, 5, 6})), sink, options).has_value());
        QCOMPARE(sink.floats[0].channels, 3);
        options.imageShape = "5x5";
        FakeSink wrong;
        const auto result = read(npy("'<f4'", "(1, 6)", bytesOf<float>({1, 2, 3, 4, 5, 6})), wrong, options);
        QVERIFY(!result);
        QVERIFY(result.error().what.find("25") != std::string::npos);
    }

    void stopsWhenAsked() {
        FakeSink sink;
        sink.stopAfter = 2;
        QVERIFY(read(npy("'|u1'", "(5, 1, 1)", "abcde"), sink).has_value());
        QCOMPARE(sink.images.size(), std::size_t(2));
    }
};

QTEST_GUILESS_MAIN(TestNpy)
#include "tst_npy.moc"
