#include <QtTest>

#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
using namespace arrayfiles;

namespace {

std::string pictures(int count) {
    std::string data;
    for (int i = 0; i < count * 4; ++i) data += char(i);
    return npy("'|u1'", "(" + std::to_string(count) + ", 2, 2)", data);
}
std::string numbers(const std::vector<std::int64_t>& values) { return npy("'<i8'", "(" + std::to_string(values.size()) + ",)", bytesOf(values)); }

}  // namespace

class TestNpz : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    Result<void> read(const std::string& bytes, FakeSink& sink, const ImportOptions& options = {}) {
        return makeNpzImporter()->read(save(m_folder.path().toStdString(), "a.npz", bytes), options, sink);
    }

private Q_SLOTS:
    void guessesMembers_data() {
        QTest::addColumn<QString>("images");
        QTest::addColumn<QString>("labels");
        for (const auto& [images, labels] : std::vector<std::pair<const char*, const char*>>{{"x", "y"}, {"X", "Y"}, {"images", "labels"}, {"data", "target"},
                                                                                              {"arr_0", "arr_1"}, {"features", "targets"}, {"pixels", "class"},
                                                                                              {"blob", "truth"}})
            QTest::newRow(images) << QString::fromUtf8(images) << QString::fromUtf8(labels);
    }
    void guessesMembers() {
        QFETCH(QString, images);
        QFETCH(QString, labels);
        FakeSink sink;
        const auto result = read(zip({{labels.toStdString() + ".npy", numbers({2, 0, 2})}, {images.toStdString() + ".npy", pictures(3), true}}), sink);
        QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        QCOMPARE(sink.images.size(), std::size_t(3));
        QCOMPARE(sink.images[1].pixels, (std::vector<std::uint8_t>{4, 5, 6, 7}));
        QCOMPARE(*sink.metas[1].label, std::string("0"));
        QCOMPARE(sink.declared, (std::vector<std::string>{"0", "2"}));
    }

    void classNamesThatDoNotReachAreLeftOut() {
        const auto names = npy("'<U1'", "(2,)", std::string("a\0\0\0b\0\0\0", 8));
        FakeSink sink;
        QVERIFY(read(zip({{"x.npy", pictures(3)}, {"y.npy", numbers({0, 2, 1})}, {"class_names.npy", names}}), sink).has_value());
        QCOMPARE(sink.declared, (std::vector<std::string>{"0", "1", "2"}));
        QVERIFY(sink.metas[1].label == "2");
        QVERIFY(!sink.warnings.empty() && sink.warnings[0].kind == "class_names_ignored");
        FakeSink named;
        QVERIFY(read(zip({{"x.npy", pictures(3)}, {"y.npy", numbers({0, 1, 1})}, {"class_names.npy", names}}), named).has_value());
        QCOMPARE(named.declared, (std::vector<std::string>{"a", "b"}));
        QVERIFY(named.metas[1].label == "b");
    }

    void findsSplitsInNames_data() {
        QTest::addColumn<QStringList>("names");
        const auto row = [](const char* name, const QStringList& names) { QTest::newRow(name) << names; };
        row("keras", {QStringLiteral("x_train"), QStringLiteral("y_train"), QStringLiteral("x_test"), QStringLiteral("y_test")});
        row("glued", {QStringLiteral("xtrain"), QStringLiteral("ytrain"), QStringLiteral("xtest"), QStringLiteral("ytest")});
        row("medmnist", {QStringLiteral("train_images"), QStringLiteral("train_labels"), QStringLiteral("test_images"), QStringLiteral("test_labels")});
        row("folders", {QStringLiteral("train/x"), QStringLiteral("train/y"), QStringLiteral("test/x"), QStringLiteral("test/y")});
        row("humps", {QStringLiteral("trainImages"), QStringLiteral("trainLabels"), QStringLiteral("testImages"), QStringLiteral("testLabels")});
        row("test only beside", {QStringLiteral("x"), QStringLiteral("y"), QStringLiteral("x_test"), QStringLiteral("y_test")});
    }
    void findsSplitsInNames() {
        QFETCH(QStringList, names);
        const auto name = [&](int i) { return names[i].toStdString() + ".npy"; };
        FakeSink sink;
        const auto result = read(zip({{name(2), pictures(1)}, {name(3), numbers({1})}, {name(0), pictures(2)}, {name(1), numbers({1, 0})}}), sink);
        QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        QCOMPARE(sink.count(feed::Split::Train), 2);
        QCOMPARE(sink.count(feed::Split::Test), 1);
        QCOMPARE(sink.metas[0].source, "a.npz:" + names[0].toStdString() + "[0]");
    }

    void readsTextLabels() {
        FakeSink sink;
        const std::vector<std::uint32_t> letters{'c', 'a', 't', 0xE9, 0, 0};
        QVERIFY(read(zip({{"x.npy", pictures(2)}, {"y.npy", npy("'<U3'", "(2,)", bytesOf(letters))}}), sink).has_value());
        QCOMPARE(sink.classes, (std::map<std::string, int>{{"cat", 1}, {"é", 1}}));
    }

    void readsOneHotAndColumnLabels() {
        FakeSink sink;
        QVERIFY(read(zip({{"x.npy", pictures(2)}, {"y.npy", npy("'<f4'", "(2, 3)", bytesOf<float>({0, 0, 1, 1, 0, 0}))}}), sink).has_value());
        QCOMPARE(*sink.metas[0].label, std::string("2"));
        FakeSink column;
        QVERIFY(read(zip({{"x.npy", pictures(2)}, {"y.npy", npy("'|u1'", "(2, 1)", "\3\4")}}), column).has_value());
        QCOMPARE(*column.metas[1].label, std::string("4"));
    }

    void namesClassesFromAList() {
        FakeSink sink;
        QVERIFY(read(zip({{"classes.npy", npy("'|S4'", "(3,)", std::string("ant\0bee\0cat\0", 12))}, {"x.npy", pictures(2)}, {"y.npy", numbers({2, 0})}}), sink).has_value());
        QCOMPARE(*sink.metas[0].label, std::string("cat"));
        QCOMPARE(sink.declared, (std::vector<std::string>{"ant", "bee", "cat"}));
    }

    void readsNamedMembers() {
        const std::string bytes = zip({{"x.npy", pictures(2)}, {"y.npy", numbers({1, 0})}, {"other.npy", pictures(1)}, {"answer.npy", numbers({7})}});
        ImportOptions options;
        options.images = "other";
        options.labels = "answer";
        FakeSink sink;
        QVERIFY(read(bytes, sink, options).has_value());
        QCOMPARE(*sink.metas[0].label, std::string("7"));
        options.labels = "answr";
        FakeSink refused;
        const auto result = read(bytes, refused, options);
        QVERIFY(!result);
        QVERIFY(result.error().sentence().find("answer") != std::string::npos);
    }

    void keepsPicturesWithoutLabels() {
        FakeSink sink;
        QVERIFY(read(zip({{"images.npy", pictures(2)}}), sink).has_value());
        QVERIFY(sink.hasWarning("unlabelled"));
        QVERIFY(!sink.metas[0].label);
    }

    void refusesWithASentence_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("words");
        const auto row = [](const char* name, const std::string& bytes, const char* words) { QTest::newRow(name) << QByteArray::fromStdString(bytes) << QString::fromUtf8(words); };
        row("lengths", zip({{"x.npy", pictures(3)}, {"y.npy", numbers({1, 0})}}), "3 samples|2 labels");
        row("object pictures", zip({{"x.npy", npy("'|O'", "(2,)", "\x80\4.")}, {"y.npy", numbers({1, 0})}}), "x|pickle");
        row("object labels", zip({{"x.npy", pictures(2)}, {"y.npy", npy("'|O'", "(2,)", "\x80\4.")}}), "y|pickle");
        row("measured labels", zip({{"x.npy", pictures(2)}, {"y.npy", npy("'<f4'", "(2,)", bytesOf<float>({0.5, 1.25}))}}), "y|whole number");
        row("torch", zip({{"archive/data.pkl", "\x80\2."}}), "pickle|safetensors");
        row("no arrays", zip({{"readme.txt", "hello"}}), "no arrays");
        row("nothing", zip({}), "no arrays");
        row("empty", "", "0 bytes");
        row("cut", zip({{"x.npy", pictures(3)}}).substr(0, 60), "directory");
        std::string flipped = zip({{"x.npy", pictures(3)}, {"y.npy", numbers({1, 0, 1})}});
        flipped[flipped.find("\1\2\3\4\5")] ^= 4;
        row("checksum", flipped, "x.npy|checksum");
        std::string packed = zip({{"x.npy", pictures(40), true}, {"y.npy", numbers(std::vector<std::int64_t>(40, 1))}});
        packed[100] = char(packed[100] ^ 0x55);
        row("damaged deflate", packed, "x.npy|damaged");
    }
    void refusesWithASentence() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, words);
        FakeSink sink;
        const auto result = read(bytes.toStdString(), sink);
        QVERIFY(!result);
        for (const QString& word : words.split(QLatin1Char('|')))
            QVERIFY2(result.error().sentence().find(word.toStdString()) != std::string::npos, result.error().sentence().c_str());
        QVERIFY(result.error().where.find("a.npz") != std::string::npos);
    }

    void refusesClaimsBeyondWhatDeflateCan() {
        std::string bytes = zip({{"x.npy", npy("'|u1'", "(2, 2, 2)", "abcdefgh"), true}});
        const std::string size(1, char(npy("'|u1'", "(2, 2, 2)", "abcdefgh").size()));
        const auto central = bytes.find("PK\1\2");
        bytes.replace(central + 24, 4, std::string("\xff\xff\xff\x7f", 4));
        FakeSink sink;
        const auto result = read(bytes, sink);
        QVERIFY(!result);
        QVERIFY2(result.error().sentence().find("claims") != std::string::npos, result.error().sentence().c_str());
    }

    void isCertainOfItsOwnFiles() {
        const auto importer = makeNpzImporter();
        const std::string bytes = zip({{"x.npy", pictures(1)}});
        QCOMPARE(importer->confidence("a.npz", bytes), 100);
        QVERIFY(importer->confidence("a.zip", bytes) >= 90);
        QCOMPARE(importer->confidence("a.zip", zip({{"cat/1.png", "x"}})), 0);
    }
};

QTEST_GUILESS_MAIN(TestNpz)
#include "tst_npz.moc"
