#include <QtTest>

#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
using namespace arrayfiles;
namespace fs = std::filesystem;

class TestIdxCifar : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    int m_next = 0;
    fs::path fresh() { return fs::path(m_folder.path().toStdString()) / std::to_string(m_next++); }

private Q_SLOTS:
    void readsTheFourFilesOfMnist() {
        const fs::path folder = fresh();
        save(folder, "train-images-idx3-ubyte", idx(8, {3, 2, 2}, std::string("\0\1\2\3\4\5\6\7\10\11\12\13", 12)));
        save(folder, "train-labels-idx1-ubyte", idx(8, {3}, std::string("\5\0\5", 3)));
        const std::string images = gzipped(idx(8, {1, 2, 2}, "abcd"), folder), labels = gzipped(idx(8, {1}, "\7"), folder);
        save(folder, "t10k-images-idx3-ubyte.gz", images);
        save(folder, "t10k-labels-idx1-ubyte.gz", labels);
        const auto importer = makeIdxImporter();
        QVERIFY(importer->confidence(folder, "") > 90);
        FakeSink sink;
        const auto result = importer->read(folder, {}, sink);
        QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        QCOMPARE(sink.count(feed::Split::Train), 3);
        QCOMPARE(sink.count(feed::Split::Test), 1);
        QCOMPARE(sink.images[1].pixels, (std::vector<std::uint8_t>{4, 5, 6, 7}));
        QCOMPARE(*sink.metas[3].label, std::string("7"));
        FakeSink single;  // dropping one of a pair brings both
        QVERIFY(importer->read(folder / "train-labels-idx1-ubyte", {}, single).has_value());
        QCOMPARE(single.images.size(), std::size_t(3));
    }

    void pairsTheSpellingWithADot() {
        const fs::path folder = fresh();
        save(folder, "train-images.idx3-ubyte", idx(8, {2, 1, 1}, "xy"));
        save(folder, "train-labels.idx1-ubyte", idx(8, {2}, std::string("\3\4", 2)));
        FakeSink sink;
        QVERIFY(makeIdxImporter()->read(folder, {}, sink).has_value());
        QCOMPARE(sink.images.size(), std::size_t(2));
        QVERIFY(sink.metas[1].label == "4");
    }

    void findsTheFilesBelowTorchvisionsFolder() {
        const fs::path folder = fresh();
        save(folder / "MNIST" / "raw", "train-images-idx3-ubyte", idx(8, {1, 1, 1}, "x"));
        FakeSink sink;
        QVERIFY(makeIdxImporter()->read(folder, {}, sink).has_value());
        QVERIFY(sink.hasWarning("unlabelled"));
    }

    void readsOtherNumberTypes() {
        const fs::path path = save(fresh(), "a-images-idx3", idx(0x0D, {1, 1, 2}, std::string("\x3f\x80\0\0\xbf\0\0\0", 8)));
        FakeSink sink;
        QVERIFY(makeIdxImporter()->read(path, {}, sink).has_value());
        QCOMPARE(sink.floats[0].values, (std::vector<float>{1.0f, -0.5f}));
    }

    void refusesBrokenIdx_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("word");
        QTest::newRow("cut") << QByteArray::fromStdString(idx(8, {5, 2, 2}, "abc")) << QStringLiteral("cut short");
        QTest::newRow("huge") << QByteArray::fromStdString(idx(14, {0x7fffffff, 0x7fffffff, 0x7fffffff}, "abc")) << QStringLiteral("claims");
        QTest::newRow("magic") << QByteArray("hello world, no idx here") << QStringLiteral("idx format");
        QTest::newRow("no samples") << QByteArray::fromStdString(idx(8, {0, 2, 2}, "")) << QStringLiteral("no samples");
        QTest::newRow("empty") << QByteArray("") << QStringLiteral("0 bytes");
        QTest::newRow("short header") << QByteArray("\0\0\10", 3) << QStringLiteral("too early");
    }
    void refusesBrokenIdx() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, word);
        FakeSink sink;
        const auto result = makeIdxImporter()->read(save(fresh(), "train-images-idx3-ubyte", bytes.toStdString()), {}, sink);
        QVERIFY(!result);
        QVERIFY2(result.error().sentence().find(word.toStdString()) != std::string::npos, result.error().sentence().c_str());
    }

    void refusesPairsOfDifferentLength() {
        const fs::path folder = fresh();
        save(folder, "train-images-idx3-ubyte", idx(8, {2, 1, 1}, "ab"));
        save(folder, "train-labels-idx1-ubyte", idx(8, {3}, "\1\2\3"));
        FakeSink sink;
        const auto result = makeIdxImporter()->read(folder, {}, sink);
        QVERIFY(!result);
        QVERIFY(result.error().what.find("2 samples") != std::string::npos);
        QVERIFY(result.error().what.find("3 labels") != std::string::npos);
    }

    void readsCifarTen() {
        const fs::path folder = fresh();
        save(folder, "data_batch_1.bin", cifarRecord(6, 10) + cifarRecord(0, 20));
        save(folder, "test_batch.bin", cifarRecord(9, 30));
        save(folder, "batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n");
        const auto importer = makeCifarImporter();
        QVERIFY(importer->confidence(folder, "") > 90);
        FakeSink sink;
        QVERIFY(importer->read(folder, {}, sink).has_value());
        QCOMPARE(*sink.metas[0].label, std::string("frog"));
        QCOMPARE(int(sink.images[1].pixels[4]), 21);
        QCOMPARE(sink.counts, (std::array<int, 3>{2, 0, 1}));
        QCOMPARE(sink.declared.size(), std::size_t(10));
    }

    void readsCifarHundredByItsFineLabels() {
        const fs::path folder = fresh();
        save(folder, "train.bin", cifarRecord(99, 10, 2));
        save(folder, "test.bin", cifarRecord(42, 10, 2));
        FakeSink sink;
        QVERIFY(makeCifarImporter()->read(folder, {}, sink).has_value());
        QCOMPARE(*sink.metas[0].label, std::string("42"));
        QCOMPARE(sink.declared.size(), std::size_t(100));
    }

    void keepsTheWholeRecordsOfACutBatch() {
        const fs::path folder = fresh();
        save(folder, "data_batch_1.bin", cifarRecord(1, 10) + cifarRecord(2, 10).substr(0, 999));
        FakeSink sink;
        QVERIFY(makeCifarImporter()->read(folder, {}, sink).has_value());
        QCOMPARE(sink.images.size(), std::size_t(1));
        QVERIFY(sink.hasWarning("truncated"));
    }

    void refusesPickles_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("suffix") << QStringLiteral("data.pkl") << QByteArray("anything");
        QTest::newRow("content") << QStringLiteral("data_batch_1") << QByteArray("\x80\4\x95\1\0\0\0\0\0\0\0.");
        QTest::newRow("torch") << QStringLiteral("model.pth") << QByteArray("PK");
        QTest::newRow("torch zip") << QStringLiteral("model") << QByteArray::fromStdString(zip({{"archive/data.pkl", "\x80\2."}}));
    }
    void refusesPickles() {
        QFETCH(QString, name);
        QFETCH(QByteArray, bytes);
        const auto importer = makeCifarImporter();
        const fs::path path = save(fresh(), name.toStdString(), bytes.toStdString());
        QCOMPARE(importer->confidence(path, bytes.toStdString()), 100);
        FakeSink sink;
        const auto result = importer->read(path, {}, sink);
        QVERIFY(!result);
        QVERIFY(result.error().sentence().find("pickle") != std::string::npos);
        QVERIFY(result.error().sentence().find("safetensors") != std::string::npos);
    }

    void refusesThePythonVersionOfCifar() {
        const fs::path folder = fresh();
        save(folder, "data_batch_1", "\x80\2}.");
        save(folder, "batches.meta", "\x80\2}.");
        QCOMPARE(makeCifarImporter()->confidence(folder, ""), 100);
        FakeSink sink;
        const auto result = makeCifarImporter()->read(folder, {}, sink);
        QVERIFY(!result);
        QVERIFY(result.error().sentence().find("binary version") != std::string::npos);
    }

    void refusesLabelsThatCannotBe() {
        FakeSink sink;
        const auto result = makeCifarImporter()->read(save(fresh(), "data_batch_1.bin", cifarRecord(77, 10)), {}, sink);
        QVERIFY(!result);
        QVERIFY(result.error().what.find("label 77") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestIdxCifar)
#include "tst_idx_cifar.moc"
