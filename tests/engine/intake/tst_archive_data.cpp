// labels: fast gate
#include <QtTest>

#include <cstdlib>

#include "tests/engine/intake/archive_files.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"

using namespace espalier;
using namespace espalier::intake;
using namespace arrayfiles;
using archivefiles::Entry;
using archivefiles::packed;
using Counts = std::map<std::string, std::int64_t>;
namespace fs = std::filesystem;

namespace {

const char* const kNames = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";

/// The layout of cifar-10-binary.tar.gz, two records a batch.
std::vector<Entry> cifar(const std::string& folder) {
    std::vector<Entry> entries{{folder, {}, AE_IFDIR}};
    for (int batch = 1; batch <= 5; ++batch)
        entries.push_back({folder + "data_batch_" + std::to_string(batch) + ".bin", cifarRecord(batch, 10 * batch) + cifarRecord(batch + 1, 10 * batch + 5)});
    entries.push_back({folder + "batches.meta.txt", kNames});
    entries.push_back({folder + "readme.html", "<html>about</html>"});
    entries.push_back({folder + "test_batch.bin", cifarRecord(9, 80)});
    return entries;
}

std::string picturesOf(int first, int count) {
    std::string data;
    for (int i = 0; i < count; ++i) data += std::string(4, char(first + i)) + std::string(4, char(200 - i));
    return data;
}

std::string npyPictures(int count, int first = 1) {
    return npy("'|u1'", "(" + std::to_string(count) + ", 2, 4)", picturesOf(first, count));
}

}  // namespace

/// Archives that hold data files instead of pictures.
class TestArchiveData : public QObject {
    Q_OBJECT
    std::unique_ptr<Builder> m_builder;

    fs::path put(const std::string& name, const std::string& bytes) { return save(m_builder->root(), name, bytes); }
    Result<feed::DatasetSummary> import(const fs::path& path, bool isDryRun = false, ImportOptions options = {}) {
        BuildRequest request;
        request.paths = {path};
        request.isDryRun = isDryRun;
        request.options = std::move(options);
        request.threads = 1;
        return m_builder->build(request);
    }
    Result<feed::DatasetSummary> importEntries(const std::vector<Entry>& entries, const std::string& name = "data.zip", const std::string& format = "zip",
                                               const std::string& filter = {}) {
        return import(put(name, packed(entries, format, filter)));
    }
    void verify(const Result<feed::DatasetSummary>& summary) { QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str()); }
    void refuses(const Result<feed::DatasetSummary>& summary, const std::vector<std::string>& words) {
        QVERIFY(!summary);
        for (const std::string& word : words)
            QVERIFY2(summary.error().sentence().find(word) != std::string::npos, (word + " is not in: " + summary.error().sentence()).c_str());
        QVERIFY2(summary.error().sentence().find("unpacked.") == std::string::npos, summary.error().sentence().c_str());
    }
    /// Nothing but what the test put there and what was stored; nothing in the user's cache.
    QStringList strays() const {
        QStringList found;
        for (const auto& entry : fs::recursive_directory_iterator(m_builder->scratch.path().toStdString())) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with("unpacked") || name.starts_with(".")) found << QString::fromStdString(entry.path().string());
        }
        return found;
    }

private Q_SLOTS:
    void init() {
        m_builder = std::make_unique<Builder>();
        qputenv("XDG_CACHE_HOME", (m_builder->scratch.path() + QStringLiteral("/cache")).toUtf8());
        fs::create_directories(m_builder->scratch.path().toStdString() + "/out");
    }
    void cleanup() { QCOMPARE(strays(), QStringList()); }

    void cifarInEveryArchive_data() {
        QTest::addColumn<QString>("format");
        QTest::addColumn<QString>("filter");
        QTest::addColumn<QString>("name");
        const auto row = [](const char* format, const char* filter, const char* name) {
            QTest::newRow(name) << QString::fromLatin1(format) << QString::fromLatin1(filter) << QString::fromLatin1(name);
        };
        row("ustar", "", "cifar-10-binary.tar");
        row("gnutar", "gzip", "cifar-10-binary.tar.gz");
        row("pax", "zstd", "cifar.tar.zst");
        row("zip", "", "cifar.zip");
        row("7zip", "", "cifar.7z");
    }
    void cifarInEveryArchive() {
        QFETCH(QString, format);
        QFETCH(QString, filter);
        QFETCH(QString, name);
        const auto entries = cifar("cifar-10-batches-bin/");
        const auto summary = importEntries(entries, name.toStdString(), format.toStdString(), filter.toStdString());
        verify(summary);
        QCOMPARE(summary->samples, std::int64_t(11));
        QCOMPARE(summary->splits, (std::array<std::int64_t, 3>{10, 0, 1}));
        QCOMPARE(summary->splitKind, std::string("folders"));
        QCOMPARE(summary->classes.size(), std::size_t(10));
        QCOMPARE(summary->classes[1].name, std::string("automobile"));
        QCOMPARE(m_builder->open()->info(0).source, std::string("data_batch_1.bin[0]"));
        for (const Entry& entry : entries)
            if (entry.type == AE_IFREG) save(m_builder->root() / "same", entry.name, entry.data);
        const auto folder = import(m_builder->root() / "same");
        verify(folder);
        QCOMPARE(summary->hash, folder->hash);
    }

    void cifarHundredHasItsFineNames() {
        std::string names;
        for (int i = 0; i < 100; ++i) names += "class" + std::to_string(i) + "\n";
        const auto summary = importEntries({{"cifar-100-binary/coarse_label_names.txt", "a\nb\n"}, {"cifar-100-binary/fine_label_names.txt", names},
                                            {"cifar-100-binary/test.bin", cifarRecord(7, 1, 2)}, {"cifar-100-binary/train.bin", cifarRecord(99, 10, 2)}},
                                           "cifar-100-binary.tar.gz", "gnutar", "gzip");
        verify(summary);
        QCOMPARE(summary->classes[99].name, std::string("class99"));
        QCOMPARE(summary->splits, (std::array<std::int64_t, 3>{1, 0, 1}));
    }

    void mnistPackedOnceMore() {
        const fs::path folder = m_builder->root();
        const auto gz = [&](const std::string& data) { return gzipped(data, folder.parent_path()); };
        fs::create_directories(folder);
        const std::vector<Entry> entries{{"train-images-idx3-ubyte.gz", gz(idx(8, {3, 2, 4}, picturesOf(1, 3)))},
                                         {"train-labels-idx1-ubyte.gz", gz(idx(8, {3}, std::string("\5\0\5", 3)))},
                                         {"t10k-images-idx3-ubyte.gz", gz(idx(8, {1, 2, 4}, picturesOf(9, 1)))},
                                         {"t10k-labels-idx1-ubyte.gz", gz(idx(8, {1}, "\7"))}};
        for (const char* prefix : {"", "MNIST/raw/"}) {
            auto moved = entries;
            for (Entry& entry : moved) entry.name = prefix + entry.name;
            const auto summary = importEntries(moved);
            verify(summary);
            QCOMPARE(countsOf(*summary), (Counts{{"0", 1}, {"5", 2}, {"7", 1}}));
            QCOMPARE(summary->splits, (std::array<std::int64_t, 3>{3, 0, 1}));
        }
    }

    /// Some unpackers put every file into a folder of its own name, beside another copy with a dot in the name.
    void mnistTwiceIsReadOnce() {
        const std::string images = idx(8, {2, 2, 4}, picturesOf(1, 2)), labels = idx(8, {2}, "\1\2");
        const auto summary = importEntries({{"train-images-idx3-ubyte/train-images-idx3-ubyte", images}, {"train-images.idx3-ubyte", images},
                                            {"train-labels-idx1-ubyte/train-labels-idx1-ubyte", labels}, {"train-labels.idx1-ubyte", labels}});
        verify(summary);
        QCOMPARE(countsOf(*summary), (Counts{{"1", 1}, {"2", 1}}));
    }

    void oneDataFile_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("samples");
        const auto row = [](const char* name, const std::string& bytes, int samples) {
            QTest::newRow(name) << QString::fromLatin1(name) << QByteArray::fromStdString(bytes) << samples;
        };
        row("deep/er/pictures.npy", npyPictures(3), 3);
        row("set/set.npz", zip({{"x.npy", npyPictures(2)}, {"y.npy", npy("'|u1'", "(2,)", "\1\2")}}), 2);
        row("iris.csv", "a,b,kind\n1,2,p\n3,4,q\n", 2);
        row("iris/iris.data", "1.5,2,p\n3,4.5,q\n5,6,p\n", 3);
        row("table.txt", "a\tb\tkind\n1\t2\tp\n3\t4\tq\n", 2);
    }
    void oneDataFile() {
        QFETCH(QString, name);
        QFETCH(QByteArray, bytes);
        QFETCH(int, samples);
        for (const auto& [archive, format, filter] : {std::tuple("one.zip", "zip", ""), std::tuple("one.tar.gz", "pax", "gzip"), std::tuple("one.7z", "7zip", "")}) {
            const auto summary = importEntries({{"README.txt", "what this is"}, {name.toStdString(), bytes.toStdString()}, {"LICENSE", "free"}}, archive, format, filter);
            verify(summary);
            QCOMPARE(summary->samples, std::int64_t(samples));
            QVERIFY(m_builder->open()->info(0).source.starts_with(fs::path(name.toStdString()).filename().string()));
        }
    }

    void optionsReachTheFileInside() {
        ImportOptions options;
        options.label = "kind";
        const fs::path path = put("named.zip", packed({{"t.csv", "kind,a,b\np,1,2\nq,3,4\n"}}, "zip"));
        const auto summary = import(path, false, options);
        verify(summary);
        QCOMPARE(countsOf(*summary), (Counts{{"p", 1}, {"q", 1}}));
        QVERIFY(!warningOf(*summary, "unused_option"));
        options = {};
        options.images = "b";
        const auto members = import(put("npz.tar", packed({{"d/set.npz", zip({{"a.npy", npyPictures(3)}, {"b.npy", npyPictures(2)}})}}, "pax")), false, options);
        verify(members);
        QCOMPARE(members->samples, std::int64_t(2));
    }

    void aDryRunLeavesNothing() {
        const auto summary = import(put("dry.zip", packed({{"t.csv", "a,b,kind\n1,2,p\n3,4,q\n"}}, "zip")), true);
        verify(summary);
        QVERIFY(!fs::exists(m_builder->stored()));
        QVERIFY(fs::exists(m_builder->scratch.path().toStdString() + "/cache"));  // it was used
    }

    void refusesWhatIsAmbiguous_data() {
        QTest::addColumn<QStringList>("names");
        QTest::newRow("two tables") << QStringList{QStringLiteral("a/left.csv"), QStringLiteral("b/right.csv")};
        QTest::newRow("table and arrays") << QStringList{QStringLiteral("left.csv"), QStringLiteral("right.npz")};
        QTest::newRow("two sets of idx") << QStringList{QStringLiteral("MNIST/raw/train-images-idx3-ubyte"), QStringLiteral("Fashion/raw/train-images-idx3-ubyte.gz")};
        QTest::newRow("two families of idx") << QStringList{QStringLiteral("emnist-letters-train-images-idx3-ubyte"), QStringLiteral("emnist-digits-train-images-idx3-ubyte")};
        QTest::newRow("two CIFARs") << QStringList{QStringLiteral("10/data_batch_1.bin"), QStringLiteral("100/train.bin")};
        QTest::newRow("one CIFAR twice") << QStringList{QStringLiteral("a/data_batch_1.bin"), QStringLiteral("b/data_batch_1.bin")};
    }
    void refusesWhatIsAmbiguous() {
        QFETCH(QStringList, names);
        std::vector<Entry> entries;
        std::vector<std::string> words{"data.zip", "several data files", "import the one you want"};
        for (const QString& name : names) {
            entries.push_back({name.toStdString(), "a,b,kind\n1,2,p\n"});
            words.push_back(name.toStdString());
        }
        refuses(importEntries(entries), words);
    }

    void refusesCifarForPython() {
        refuses(importEntries({{"cifar-10-batches-py/data_batch_1", "\x80\2}."}, {"cifar-10-batches-py/batches.meta", "\x80\2}."}, {"cifar-10-batches-py/readme.html", "<p>"}},
                              "cifar-10-python.tar.gz", "gnutar", "gzip"),
                {"cifar-10-python.tar.gz", "pickle", "binary version"});
    }

    void troubleInsideIsToldByTheArchivesName() {
        refuses(importEntries({{"d/set.npy", npyPictures(3).substr(0, npyPictures(3).size() - 5)}}, "cut.tar", "pax"), {"cut.tar, set.npy", "cut short"});
        refuses(importEntries({{"d/data_batch_1.bin", std::string(3073, '\x4d')}}, "odd.tar", "pax"), {"odd.tar", "label 77"});
    }

    void damagedArchivesAreRefused() {
        const std::string table = [] {
            std::string text = "a,b,kind\n";
            for (int i = 0; i < 5000; ++i) text += std::to_string(i * 7919 % 1000) + "," + std::to_string(i * 104729 % 977) + (i % 2 ? ",p\n" : ",q\n");
            return text;
        }();
        const std::string whole = packed({{"t.csv", table}}, "pax", "gzip");
        refuses(import(put("cut.tar.gz", whole.substr(0, whole.size() * 2 / 3))), {"cut.tar.gz", "Download it again"});
        std::string flipped = zip({{"t.csv", table}});
        flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
        refuses(import(put("crc.zip", flipped)), {"crc.zip", "t.csv", "damaged"});
    }

    void namesThatClimbOutAndBombs() {
        refuses(importEntries({{"../t.csv", "a,b,kind\n1,2,p\n"}}), {"outside"});
        QVERIFY(!fs::exists(m_builder->root().parent_path() / "t.csv"));
        const auto linked = importEntries({{"t.csv", {}, AE_IFLNK, "/etc/passwd"}, {"u.csv", "a,b,kind\n1,2,p\n3,4,q\n"}}, "link.tar", "pax");
        verify(linked);
        QCOMPARE(warningOf(*linked, "link")->file, std::string("t.csv"));
        refuses(import(put("bomb.zip", zip({{"t.csv", std::string(40'000'000, '1'), true}}))), {"bomb.zip", "t.csv", "ratio"});
        // The directory claims little; what comes out is counted.
        std::string bytes = zip({{"t.csv", std::string(40'000'000, '1'), true}});
        const std::size_t entry = bytes.rfind("PK\1\2");
        for (const std::size_t at : {std::size_t(22), entry + 24})
            for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<char>(1000 >> (8 * i) & 255);
        refuses(import(put("liar.zip", bytes)), {"liar.zip", "t.csv"});
    }

    void stopsInTheMiddle() {
        const fs::path path = put("stop.zip", packed(cifar("c/"), "zip"));
        BuildRequest request;
        request.paths = {path};
        // Before, while and after it unpacks: the stages are told in this order.
        for (std::size_t at = 0; at < 3; ++at) {
            std::stop_source stop;
            std::vector<std::string> stages;
            const auto result = buildDataset(request, m_builder->root().parent_path() / "stopped", [&](const BuildProgress& news) {
                if (stages.empty() || stages.back() != news.stage) stages.push_back(news.stage);
                if (stages.size() == at + 1) stop.request_stop();
            }, stop.get_token());
            QVERIFY(!result);
            QVERIFY2(result.error().what.find("stopped") != std::string::npos, result.error().sentence().c_str());
            QVERIFY(!fs::exists(m_builder->root().parent_path() / "stopped"));
            QCOMPARE(stages.back(), std::string(at == 1 ? "Unpacking, in MB" : "Reading files"));
            QCOMPARE(strays(), QStringList());
        }
    }
};

QTEST_GUILESS_MAIN(TestArchiveData)
#include "tst_archive_data.moc"
