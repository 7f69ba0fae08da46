// labels: fast gate
#include <QtTest>

#include "tests/engine/intake/archive_files.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
using namespace arrayfiles;
using Counts = std::map<std::string, std::int64_t>;
using Splits = std::array<std::int64_t, 3>;
namespace fs = std::filesystem;

namespace {

std::string pictures(int count, int first = 0) {
    std::string data;
    for (int i = 0; i < count * 64; ++i) data += char((first + i * 7) % 251);
    return npy("'|u1'", "(" + std::to_string(count) + ", 8, 8)", data);
}

/// 0, 1, 0, 1, …
std::string labels(int count) {
    std::string data;
    for (int i = 0; i < count; ++i) data += char(i % 2);
    return npy("'|u1'", "(" + std::to_string(count) + ",)", data);
}

}  // namespace

/// Folders of .npy and .npz files that belong together.
class TestArrayFolder : public QObject {
    Q_OBJECT
    std::unique_ptr<Builder> m_builder;

    void put(const std::string& name, const std::string& bytes) { save(m_builder->root(), name, bytes); }
    Result<feed::DatasetSummary> import(std::vector<fs::path> paths = {}, ImportOptions options = {}) {
        BuildRequest request;
        request.paths = std::move(paths);
        request.options = std::move(options);
        request.threads = 1;
        return m_builder->build(request);
    }
    void verify(const Result<feed::DatasetSummary>& summary) { QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str()); }
    void refuses(const Result<feed::DatasetSummary>& summary, const std::vector<std::string>& words) {
        QVERIFY(!summary);
        for (const std::string& word : words)
            QVERIFY2(summary.error().sentence().find(word) != std::string::npos, (word + " is not in: " + summary.error().sentence()).c_str());
    }

private Q_SLOTS:
    void init() { m_builder = std::make_unique<Builder>(); }

    void findsPairs_data() {
        QTest::addColumn<QStringList>("images");
        QTest::addColumn<QStringList>("labels");
        QTest::addColumn<bool>("hasSplits");
        const auto row = [](const char* images, const char* labels) {
            const auto list = [](const char* text) { return QString::fromLatin1(text).split(QLatin1Char(' ')); };
            QTest::newRow(images) << list(images) << list(labels) << (list(images).size() > 1);
        };
        row("x.npy", "y.npy");
        row("X.npy", "y.npy");
        row("images.npy", "labels.npy");
        row("data.npy", "labels.npy");
        row("digits_images.npy", "digits_labels.npy");
        row("wrapped/set/images.npy", "wrapped/set/targets.npy");
        row("images.npz", "labels.npz");
        row("x_train.npy x_test.npy", "y_train.npy y_test.npy");
        row("X_train.npy X_test.npy", "Y_train.npy Y_test.npy");
        row("train_images.npy test_images.npy", "train_labels.npy test_labels.npy");
        row("trainX.npy testX.npy", "trainY.npy testY.npy");
        row("Xtr.npy Xte.npy", "Ytr.npy Yte.npy");
        row("train/x.npy test/x.npy", "train/y.npy test/y.npy");
        row("train_images.npz test_images.npz", "train_labels.npz test_labels.npz");
    }
    void findsPairs() {
        QFETCH(QStringList, images);
        QFETCH(QStringList, labels);
        QFETCH(bool, hasSplits);
        const auto file = [&](const QString& name, const std::string& array) {
            put(name.toStdString(), name.endsWith(QLatin1String(".npz")) ? zip({{"arr_0.npy", array}}) : array);
        };
        for (int i = 0; i < images.size(); ++i) {
            file(images[i], pictures(i ? 2 : 6, 10 * i));
            file(labels[i], ::labels(i ? 2 : 6));
        }
        put("readme.txt", "not an array");
        const auto summary = import();
        verify(summary);
        QCOMPARE(summary->format, std::string("array-folder"));
        QCOMPARE(countsOf(*summary), hasSplits ? (Counts{{"0", 4}, {"1", 4}}) : (Counts{{"0", 3}, {"1", 3}}));
        QCOMPARE(summary->shape, (std::vector<std::int64_t>{1, 8, 8}));
        if (hasSplits) QCOMPARE(summary->splits, (Splits{6, 0, 2}));
        QCOMPARE(summary->splitKind, std::string(hasSplits ? "folders" : "seed"));
        QVERIFY(!warningOf(*summary, "unlabelled"));
        QVERIFY2(m_builder->open()->info(0).source.starts_with(fs::path(images[0].toStdString()).filename().string()), m_builder->open()->info(0).source.c_str());
    }

    void trainAndTestAsNpz() {
        put("train.npz", zip({{"x.npy", pictures(4)}, {"y.npy", labels(4)}}));
        put("test.npz", zip({{"x.npy", pictures(2, 9)}, {"y.npy", labels(2)}}));
        const auto summary = import();
        verify(summary);
        QCOMPARE(summary->splits, (Splits{4, 0, 2}));
        QCOMPARE(m_builder->open()->info(0).source, std::string("train.npz:x[0]"));
    }

    void anNpzBesideACompleteSetIsTold() {
        put("x.npy", pictures(4));
        put("y.npy", labels(4));
        put("all.npz", zip({{"x.npy", pictures(4)}, {"y.npy", labels(4)}}));
        const auto summary = import();
        verify(summary);
        QCOMPARE(summary->samples, std::int64_t(4));
        QCOMPARE(warningOf(*summary, "member_ignored")->file, std::string("all.npz:x"));
    }

    void classNamesBesideThem() {
        put("images.npy", pictures(4));
        put("labels.npy", labels(4));
        put("class_names.npy", npy("'|S3'", "(2,)", std::string("cat" "dog")));
        const auto summary = import();
        verify(summary);
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 2}, {"dog", 2}}));
    }

    void droppedTogether() {
        put("x.npy", pictures(4));
        put("y.npy", labels(4));
        put("other.npy", pictures(9));
        const auto summary = import({m_builder->root() / "y.npy", m_builder->root() / "x.npy"});
        verify(summary);
        QCOMPARE(countsOf(*summary), (Counts{{"0", 2}, {"1", 2}}));
        put("t.csv", "a,b,kind\n1,2,p\n");
        refuses(import({m_builder->root() / "y.npy", m_builder->root() / "t.csv"}), {"t.csv", "is no array"});
    }

    void namedMembers() {
        put("a.npy", pictures(4));
        put("b.npy", pictures(6));
        put("c.npy", labels(6));
        ImportOptions options;
        options.images = "b.npy";
        options.labels = "c";
        const auto summary = import({}, options);
        verify(summary);
        QCOMPARE(countsOf(*summary), (Counts{{"0", 3}, {"1", 3}}));
        QVERIFY(!warningOf(*summary, "unused_option"));
    }

    void isReadOutOfAnArchive() {
        const fs::path path = save(m_builder->root().parent_path(), "set.tar.gz",
                                   archivefiles::packed({{"set/x_train.npy", pictures(4)}, {"set/y_train.npy", labels(4)}, {"set/x_test.npy", pictures(2, 9)},
                                                         {"set/y_test.npy", labels(2)}}, "pax", "gzip"));
        const auto summary = import({path});
        verify(summary);
        QCOMPARE(summary->splits, (Splits{4, 0, 2}));
        const fs::path strange = save(m_builder->root().parent_path(), "two.7z", archivefiles::packed({{"a.npy", pictures(4)}, {"b.npy", pictures(5)}}, "7zip"));
        refuses(import({strange}), {"two.7z", "\"a\"", "\"b\"", "several data files"});
    }

    void refusesStrangers() {
        put("left_images.npy", pictures(4)), put("left_labels.npy", labels(4));
        put("right_images.npy", pictures(3)), put("right_labels.npy", labels(3));
        refuses(import(), {"left_images", "right_images", "several data files"});
    }
    void refusesOneLabelListForMany() {
        for (const char* name : {"fog.npy", "rain.npy", "snow.npy"}) put(name, pictures(4));
        put("labels.npy", labels(4));
        refuses(import(), {"fog", "rain", "snow"});
    }
    void refusesATableBesideArrays() {
        put("x.npy", pictures(4));
        put("t.csv", "a,b,kind\n1,2,p\n");
        refuses(import(), {"x.npy", "t.csv", "several data files"});
    }
    void refusesOtherLengths() {
        put("x.npy", pictures(4));
        put("y.npy", labels(3));
        refuses(import(), {"4 samples", "3 labels"});
    }
    void refusesObjects() {
        put("x.npy", npy("'|O'", "(2,)", "\x80\3."));
        put("y.npy", labels(2));
        refuses(import(), {"x"});
    }

    void oneArrayAloneIsReadAsItself() {
        put("inner/only.npy", pictures(4));
        const auto summary = import();
        verify(summary);
        QCOMPARE(summary->samples, std::int64_t(4));
    }

    /// Folders of pictures with arrays in them stay folders of pictures.
    void picturesComeFirst() {
        put("x.npy", pictures(4));
        put("cat/1.png", "no picture, but its name says so");
        QCOMPARE(makeArrayFolderImporter()->confidence(m_builder->root(), {}), 0);
        fs::remove(m_builder->root() / "cat/1.png");
        QVERIFY(makeArrayFolderImporter()->confidence(m_builder->root(), {}) > makeImageFolderImporter()->confidence(m_builder->root(), {}));
    }
};

QTEST_GUILESS_MAIN(TestArrayFolder)
#include "tst_array_folder.moc"
