#include <QtTest>

#include <array>

#include <archive.h>
#include <archive_entry.h>

#include "engine/intake/names.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using arrayfiles::bytesOf;
using arrayfiles::npy;
using picturefiles::blobs;
using picturefiles::encoded;
using Counts = std::map<std::string, std::int64_t>;
using Splits = std::array<std::int64_t, 3>;
namespace fs = std::filesystem;

/// Inputs beside the plain ones: what people drop in practice, and what must not pass in silence.
class TestNeighbours : public QObject {
    Q_OBJECT
    std::unique_ptr<Builder> m_builder;
    int m_seed = 0;

    fs::path put(const std::string& name, const std::string& bytes) { return arrayfiles::save(m_builder->root(), name, bytes); }
    std::string picture() { return encoded(blobs(++m_seed), ".png"); }
    void fill(const std::string& folder, int count) {
        for (int i = 0; i < count; ++i) put(folder + "/" + std::to_string(i) + ".png", picture());
    }
    Result<feed::DatasetSummary> import(std::vector<fs::path> paths, ImportOptions options = {}) {
        BuildRequest request;
        request.paths = std::move(paths);
        request.options = std::move(options);
        return m_builder->build(request);
    }
    Result<feed::DatasetSummary> importCsv(const std::string& text, const std::string& label = {}) {
        ImportOptions options;
        options.label = label;
        return import({put("t.csv", text)}, options);
    }
    static bool says(const Error& error, const std::vector<std::string>& words) {
        for (const std::string& word : words)
            if (lowerAscii(error.sentence()).find(lowerAscii(word)) == std::string::npos) {
                qWarning("\"%s\" is not in: %s", word.c_str(), error.sentence().c_str());
                return false;
            }
        return true;
    }
    static const Warning* atLine(const feed::DatasetSummary& summary, std::int64_t line) {
        for (const auto& warning : summary.warnings)
            if (warning.line == line) return &warning;
        return nullptr;
    }
    std::string tar(int pictures, const char* filter = nullptr) {
        std::string out(2'000'000, '\0');
        std::size_t used = 0;
        archive* writer = archive_write_new();
        archive_write_set_format_gnutar(writer);
        if (filter) archive_write_add_filter_by_name(writer, filter);
        archive_write_set_bytes_in_last_block(writer, 1);
        archive_write_open_memory(writer, out.data(), out.size(), &used);
        archive_entry* entry = archive_entry_new();
        for (int i = 0; i < pictures; ++i) {
            const std::string bytes = picture();
            archive_entry_clear(entry);
            archive_entry_set_pathname(entry, ((i % 2 ? "cat/" : "dog/") + std::to_string(i) + ".png").c_str());
            archive_entry_set_filetype(entry, AE_IFREG);
            archive_entry_set_size(entry, static_cast<std::int64_t>(bytes.size()));
            archive_write_header(writer, entry);
            archive_write_data(writer, bytes.data(), bytes.size());
        }
        archive_entry_free(entry);
        archive_write_close(writer);
        archive_write_free(writer);
        out.resize(used);
        return out;
    }

private Q_SLOTS:
    void init() { m_builder = std::make_unique<Builder>(); }

    void readsSplitsFromFolderNames_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("split");
        const auto row = [](const char* name, int split) { QTest::newRow(name) << QString::fromLatin1(name) << split; };
        for (const char* name : {"train", "Training", "TRAIN_IMAGES", "train-set", "trainset", "train2017", "images train", "train_2012"}) row(name, 0);
        for (const char* name : {"val", "Valid", "validation", "val2017", "dev", "validation_set"}) row(name, 1);
        for (const char* name : {"test", "testing", "test_images", "eval", "Evaluation", "testset"}) row(name, 2);
        for (const char* name : {"", "images", "trains", "train_cars", "test2", "train_test", "latest", "contest", "asset"}) row(name, -1);
    }
    void readsSplitsFromFolderNames() {
        QFETCH(QString, name);
        QFETCH(int, split);
        const auto found = splitFromName(name.toStdString());
        QCOMPARE(found ? static_cast<int>(*found) : -1, split);
    }

    void leavesFoldersBesideTheSplitsOut() {
        for (const char* folder : {"set/train/cat", "set/train/dog", "set/test/cat", "set/test/dog", "set/extra/cat"}) fill(folder, 2);
        const auto summary = import({m_builder->root() / "set"});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 4}, {"dog", 4}}));
        QCOMPARE(summary->splits, (Splits{4, 0, 4}));
        const Warning* warning = warningOf(*summary, "no_class");
        QVERIFY(warning && warning->file.starts_with("extra/cat/") && warning->outcome == Outcome::Skipped);
    }
    void keepsAClassThatIsCalledTrain() {
        for (const char* folder : {"set/train", "set/test", "set/bus"}) fill(folder, 2);
        const auto summary = import({m_builder->root() / "set"});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"train", 2}, {"test", 2}, {"bus", 2}}));
    }
    void unwrapsPastAPreviewPicture() {
        fill("set/animals/cat", 2), fill("set/animals/dog", 2);
        put("set/preview.png", picture());
        const auto summary = import({m_builder->root() / "set"});
        QVERIFY(summary.has_value());
        QCOMPARE(countsOf(*summary), (Counts{{"cat", 2}, {"dog", 2}}));
        QCOMPARE(warningOf(*summary, "no_class")->file, std::string("preview.png"));
    }
    void namesUnlabelledTestPicturesOnce() {
        fill("set/train/cat", 2), fill("set/train/dog", 2), fill("set/test", 2);
        const auto summary = import({m_builder->root() / "set"});
        QVERIFY(summary.has_value());
        QCOMPARE(summary->samples, 4);
        QVERIFY(warningOf(*summary, "no_class") && !warningOf(*summary, "empty_class"));
    }
    void refusesWhenOneOfSeveralPathsIsMissing() {
        fill("cat", 2);
        const auto summary = import({m_builder->root() / "cat", m_builder->root() / "nowhere"});
        QVERIFY(!summary && says(summary.error(), {"nowhere", "no such file"}));
    }

    void saysWhatAnOptionIsNotUsedFor() {
        fill("set/cat", 2), fill("set/dog", 2);
        ImportOptions options;
        options.label = "kind";
        const auto summary = import({m_builder->root() / "set"}, options);
        QVERIFY(summary.has_value());
        const Warning* warning = warningOf(*summary, "unused_option");
        QVERIFY(warning && warning->detail.find("\"kind\"") != std::string::npos);
        QVERIFY(!warningOf(*importCsv("a,b,kind\n1,2,p\n3,4,q\n", "kind"), "unused_option"));
    }

    void namesWhatAFailedDownloadLeft_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("word");
        for (const char* name : {"a.npy", "a.npz", "a.h5", "a.csv", "a.zip", "a.tar.gz"}) {
            QTest::addRow("LFS %s", name) << QString::fromLatin1(name) << QByteArray("version https://git-lfs.github.com/spec/v1\noid sha256:0\n") << QStringLiteral("Git LFS pointer");
            QTest::addRow("HTML %s", name) << QString::fromLatin1(name) << QByteArray("\n<!DOCTYPE html><html>404</html>") << QStringLiteral("web page");
        }
        QTest::newRow("JSON") << QStringLiteral("a.csv") << QByteArray("{\"a\": [1, 2],\n \"b\": [3, 4]}\n") << QStringLiteral("JSON");
        QTest::newRow("XML") << QStringLiteral("a.csv") << QByteArray("<?xml version=\"1.0\"?>\n<a>1,2</a>\n") << QStringLiteral("XML");
    }
    void namesWhatAFailedDownloadLeft() {
        QFETCH(QString, name);
        QFETCH(QByteArray, text);
        QFETCH(QString, word);
        const auto summary = import({put(name.toStdString(), text.toStdString())});
        QVERIFY(!summary && says(summary.error(), {name.toStdString(), word.toStdString()}));
        QVERIFY(!summary.error().remedy.empty());
    }

    void noticesATarWithoutItsEnd() {
        const std::string whole = tar(6);
        QVERIFY(!warningOf(*import({put("whole.tar", whole)}), "truncated_archive"));
        const auto summary = import({put("cut.tar", whole.substr(0, whole.size() - 1024))});  // the two zero blocks
        QVERIFY(summary.has_value());
        QCOMPARE(summary->samples, 6);
        const Warning* warning = warningOf(*summary, "truncated_archive");
        QVERIFY(warning && warning->file == "cut.tar");
    }
    void noticesAWrongGzipChecksum() {
        std::string bytes = tar(6, "gzip");
        QVERIFY(!warningOf(*import({put("good.tar.gz", bytes)}), "truncated_archive"));
        bytes[bytes.size() - 6] = static_cast<char>(bytes[bytes.size() - 6] ^ 0x10);  // the CRC in the trailer
        const auto summary = import({put("bad.tar.gz", bytes)});
        QVERIFY(summary.has_value());
        const Warning* warning = warningOf(*summary, "truncated_archive");
        QVERIFY(warning && warning->detail.find("check") != std::string::npos);
    }
    void opensAPackedTarByContent() {
        for (const char* filter : {"gzip", "bzip2", "xz", "zstd"}) {
            const auto summary = import({put(std::string("set-") + filter, tar(4, filter))});
            QVERIFY2(summary.has_value(), filter);
            QCOMPARE(summary->samples, 4);
        }
    }

    void readsOneColourPictureAsOne() {
        std::vector<std::uint8_t> pixels(16 * 12 * 3);
        for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
        const auto summary = import({put("one.npy", npy("'|u1'", "(16, 12, 3)", bytesOf(pixels)))});
        QVERIFY(summary.has_value());
        QCOMPARE(summary->samples, 1);
        QCOMPARE(summary->shape, (std::vector<std::int64_t>{3, 16, 12}));
        QVERIFY(warningOf(*summary, "one_picture"));
        QCOMPARE(m_builder->open()->image(0)->pixels, pixels);
    }
    void namesBytesAfterTheArray() {
        const std::string bytes = npy("'|u1'", "(2, 8, 8)", std::string(128, 'x') + "tail");
        const auto summary = import({put("tail.npy", bytes)});
        QVERIFY(summary.has_value());
        QVERIFY(warningOf(*summary, "trailing_bytes")->detail.starts_with("4 bytes"));
        QCOMPARE(import({put("packed.npy.gz", arrayfiles::gzipped(npy("'|u1'", "(2, 8, 8)", std::string(128, 'x')), m_builder->root()))})->samples, 2);
    }

    void skipsTitleLines() {
        const auto summary = importCsv("My table\nmade in May\na,b,y\n1,2,p\n3,4,q\n5,6,p\n");
        QVERIFY(summary.has_value());
        QCOMPARE(summary->columns, (std::vector<std::string>{"a", "b"}));
        QCOMPARE(countsOf(*summary), (Counts{{"p", 2}, {"q", 1}}));
        QVERIFY(atLine(*summary, 1) && atLine(*summary, 2) && !atLine(*summary, 3));
    }
    void refusesAHeaderThatNamesMoreColumns() {
        const auto summary = importCsv("a,b,y\n1,2\n3,4\n5,6\n");
        QVERIFY(!summary && says(summary.error(), {"t.csv", "line 1", "3 columns", "2 fields"}));
    }
    void refusesALabelNamedTwice() {
        const auto summary = importCsv("y,a,y\n1,2,p\n3,4,q\n", "y");
        QVERIFY(!summary && says(summary.error(), {"\"y\"", "columns 1 and 3", "number"}));
        QCOMPARE(countsOf(*importCsv("y,a,y\n1,2,p\n3,4,q\n", "3")), (Counts{{"p", 1}, {"q", 1}}));
    }
    void doubtsAMeasuredLabel() {
        const auto summary = importCsv("a,b,y\n1.5,2,p\n3.25,4,q\n4.75,1,p\n", "a");
        QVERIFY(summary.has_value() && warningOf(*summary, "doubtful_label"));
        QVERIFY(!warningOf(*importCsv("a,b,y\n1,2,p\n3,4,q\n4,1,p\n", "y"), "doubtful_label"));
    }
    void readsQuotedDecimalCommas() {
        const auto summary = importCsv("\"a\",\"b\",\"y\"\n\"0,5\",\"-2,25\",\"p\"\n\"1,5\",\"3\",\"q\"\n");
        QVERIFY(summary.has_value());
        QCOMPARE(*m_builder->open()->features(0), (std::vector<float>{0.5f, -2.25f}));
        // Three digits after every mark: thousands as likely as decimals, so it is no number at all.
        const auto doubtful = importCsv("a,b,y\n\"1,500\",2,p\n\"2,500\",3,q\n");
        QVERIFY(doubtful.has_value());
        QCOMPARE(doubtful->columns, (std::vector<std::string>{"b"}));
        QVERIFY(warningOf(*doubtful, "text_column"));
    }
    void saysThatPathsAreNotFollowed() {
        const auto summary = importCsv("file,y\ncat1.jpg,cat\ndog1.jpg,dog\n");
        QVERIFY(!summary && says(summary.error(), {"\"file\"", "picture files", "folder"}));
    }
    void readsShiftJis() {
        const std::string tokyo = "\x93\x8C\x8B\x9E\x93\x73", osaka = "\x91\xE5\x8D\xE3\x95\x7B";
        std::string text = "a,y\n";
        for (int i = 0; i < 6; ++i) text += std::to_string(i) + "," + (i % 2 ? tokyo : osaka) + "\n";
        const auto summary = importCsv(text);
        QVERIFY(summary.has_value() && warningOf(*summary, "encoding_guessed"));
        QCOMPARE(countsOf(*summary), (Counts{{"\xE5\xA4\xA7\xE9\x98\xAA\xE5\xBA\x9C", 3}, {"\xE6\x9D\xB1\xE4\xBA\xAC\xE9\x83\xBD", 3}}));
    }

    void findsBatchesInTheOnlyFolder() {
        std::string batch;
        for (int i = 0; i < 10; ++i) batch += std::string(1, char(i)) + std::string(3072, char(20 * i));
        put("outer/cifar-10-batches-bin/data_batch_1.bin", batch);
        put("outer/cifar-10-batches-bin/test_batch.bin", batch);
        const auto summary = import({m_builder->root() / "outer"});
        QVERIFY(summary.has_value());
        QCOMPARE(summary->splits, (Splits{10, 0, 10}));
    }
    void takesAPairOfIdxFilesAlone() {
        const auto idx = [](const std::string& head, int count, int size) {
            std::string out("\0\0\x08", 3);
            out += head;
            for (int i = 0; i < count * size; ++i) out += char(i % 7);
            return out;
        };
        const std::string size8("\0\0\0\x08\0\0\0\x08", 8);
        put("m/train-images-idx3-ubyte", idx(std::string("\3\0\0\0\6", 5) + size8, 6, 64) + "xx");
        put("m/train-labels-idx1-ubyte", idx(std::string("\1\0\0\0\6", 5), 6, 1));
        put("m/t10k-images-idx3-ubyte", idx(std::string("\3\0\0\0\3", 5) + size8, 3, 64));
        const auto pair = import({m_builder->root() / "m/train-images-idx3-ubyte", m_builder->root() / "m/train-labels-idx1-ubyte"});
        QVERIFY(pair.has_value());
        QCOMPARE(pair->samples, 6);
        QVERIFY(warningOf(*pair, "trailing_bytes")->detail.starts_with("2 bytes"));
        // Labelled and unlabelled copies of a picture contradict nothing.
        const auto all = import({m_builder->root() / "m"});
        QVERIFY(all.has_value());
        QCOMPARE(all->samples, 9);
        for (const auto& warning : all->warnings) QVERIFY(warning.kind != "label_conflict" || warning.detail.find("t10k") == std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestNeighbours)
#include "tst_neighbours.moc"
