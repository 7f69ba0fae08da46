// labels: fast gate
#include <QtTest>

#include "engine/base/files.h"
#include "engine/intake/names.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"
#include "tests/engine/intake/picture_files.h"

using namespace espalier;
using namespace espalier::intake;
using picturefiles::blobs;
using picturefiles::encoded;
namespace fs = std::filesystem;

/// The bad inputs that the project promises to answer with one sentence, one test each: what, where, what to do, and
/// nothing stored harmed. Read-only workspace, full disk, unknown parameter and foreign checkpoints are tested where
/// they arise: tst_workspace, tst_checkpoint_io, tst_engine, tst_cli and tst_cli_words.
class TestBadInput : public QObject {
    Q_OBJECT
    std::unique_ptr<Builder> m_builder;

    fs::path put(const std::string& name, const std::string& bytes) { return arrayfiles::save(m_builder->root(), name, bytes); }
    void putAnimals(const std::string& folder) {
        for (int i = 0; i < 6; ++i) put(folder + (i % 2 ? "/cat/" : "/dog/") + std::to_string(i) + ".png", encoded(blobs(i), ".png"));
    }
    Result<feed::DatasetSummary> import(const fs::path& path, ImportOptions options = {}) {
        BuildRequest request;
        request.paths = {path};
        request.options = std::move(options);
        return m_builder->build(request);
    }
    std::map<std::string, std::string> filesOf(const fs::path& folder) {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            if (entry.is_regular_file()) files[entry.path().string()] = *readFile(entry.path());
        return files;
    }
    /// Refused with all the words in the sentence and a remedy; what was stored before is byte for byte as it was.
    void refuses(const fs::path& path, const std::vector<std::string>& words, const ImportOptions& options = {}) {
        putAnimals("good");
        QVERIFY(import(m_builder->root() / "good").has_value());
        const auto before = filesOf(m_builder->stored().parent_path());
        const auto refused = import(path, options);
        QVERIFY(!refused);
        const Error& error = refused.error();
        QVERIFY2(!error.what.empty() && !error.where.empty() && !error.remedy.empty(), error.sentence().c_str());
        QVERIFY2(error.sentence().find('\n') == std::string::npos, error.sentence().c_str());
        for (const std::string& word : words)
            QVERIFY2(lowerAscii(error.sentence()).find(lowerAscii(word)) != std::string::npos, (word + " is not in: " + error.sentence()).c_str());
        QVERIFY(!fs::exists(m_builder->stored()));
        QVERIFY(filesOf(m_builder->stored().parent_path()) == before);
    }

private Q_SLOTS:
    void init() { m_builder = std::make_unique<Builder>(); }

    void truncatedJpeg() {
        putAnimals("set");
        const std::string whole = encoded(blobs(9), ".jpg");
        put("set/cat/cut.jpg", whole.substr(0, whole.size() / 2));
        const auto summary = import(m_builder->root() / "set");
        QVERIFY(summary.has_value());
        QCOMPARE(summary->samples, 6);
        const Warning* warning = warningOf(*summary, "truncated_image");
        QVERIFY(warning && warning->file == "cat/cut.jpg" && warning->detail.find("truncated") != std::string::npos);
        refuses(put("alone/cut.jpg", whole.substr(0, 60)), {"cut.jpg", "truncated"});
    }
    void emptyClassFolder() {
        putAnimals("set");
        fs::create_directories(m_builder->root() / "set" / "unicorn");
        const auto summary = import(m_builder->root() / "set");
        QVERIFY(summary.has_value());
        const Warning* warning = warningOf(*summary, "empty_class");
        QVERIFY(warning && warning->file == "unicorn" && !warning->detail.empty());
        fs::create_directories(m_builder->root() / "none" / "a");
        refuses(m_builder->root() / "none", {"none", "no pictures", "sub-folder"});
    }
    void oneClass() {
        for (int i = 0; i < 4; ++i) put("set/cat/" + std::to_string(i) + ".png", encoded(blobs(i), ".png"));
        const auto summary = import(m_builder->root() / "set");
        QVERIFY(summary.has_value());
        const Warning* warning = warningOf(*summary, "one_class");
        QVERIFY(warning && warning->detail.find("one class") != std::string::npos);
    }
    void labelColumnMissing() {
        ImportOptions options;
        options.label = "speciess";
        refuses(put("iris.csv", "a,b,species\n1,2,x\n3,4,y\n"), {"iris.csv", "speciess", "\"a\", \"b\" and \"species\"", "perhaps"}, options);
    }
    void nanPixels() {
        std::vector<float> values(4 * 6 * 6, 0.5f);
        values[0] = values[80] = NAN;
        const auto summary = import(put("x.npy", arrayfiles::npy("'<f4'", "(4, 6, 6)", arrayfiles::bytesOf(values))));
        QVERIFY(summary.has_value());
        const Warning* warning = warningOf(*summary, "nan_values");
        QVERIFY(warning && warning->file == "x.npy" && warning->detail.find("2 values in 2 samples (0, 2)") != std::string::npos);
    }
    void hdf5WithoutExpectedMembers() {
        // Too short to be read is the neighbour that needs no HDF5 library; missing members are in tst_hdf5_foreign.
        refuses(put("x.h5", "\x89HDF\r\n\x1a\n" + std::string(40, '\0')), {"x.h5", "damaged or cut short"});
        refuses(put("y.h5", "hello"), {"y.h5", "not an HDF5 file"});
    }
    void tenGigabytesClaimedByOneKilobyte() {
        refuses(put("claims.npy", arrayfiles::npy("'<f8'", "(1000000, 1250)", std::string(900, 'x'))), {"claims.npy", "10,000,000,000 bytes", "900"});
    }
    void objectArraysAndPickles() {
        refuses(put("o.npy", arrayfiles::npy("'|O'", "(3,)", "pickled")), {"o.npy", "pickle", "never"});
        refuses(put("p.npz", arrayfiles::zip({{"x.npy", arrayfiles::npy("'|O'", "(3,)", "pickled")}})), {"p.npz", "member x", "pickle"});
        refuses(put("model.pt", "PK\3\4"), {"model.pt", "PyTorch", "safetensors"});
        refuses(put("a.bin", std::string("\x80\x04\x95\0\0", 5)), {"a.bin", "pickle", "npz"});
    }
    void archiveThatClimbsOut() {
        refuses(put("slip.zip", arrayfiles::zip({{"../slipped.png", encoded(blobs(1), ".png")}})), {"slip.zip", "../slipped.png", "outside"});
        for (const auto& entry : fs::recursive_directory_iterator(m_builder->scratch.path().toStdString())) QVERIFY(entry.path().filename() != "slipped.png");
    }
    void linksOutOfAnArchive() {
        // A symbolic link as Info-ZIP stores it: made on Unix, mode 0120777 in the directory.
        std::string bytes = arrayfiles::zip({{"cat/1.png", encoded(blobs(1), ".png")}, {"dog/1.png", encoded(blobs(2), ".png")}, {"cat/link.png", "/etc/passwd"}});
        const std::size_t entry = bytes.rfind("PK\1\2");
        bytes[entry + 5] = 3;
        bytes[entry + 40] = static_cast<char>(0xFF), bytes[entry + 41] = static_cast<char>(0xA1);
        const auto summary = import(put("links.zip", bytes));
        QVERIFY2(summary.has_value(), summary ? "" : summary.error().sentence().c_str());
        QCOMPARE(summary->samples, 2);
        const Warning* warning = warningOf(*summary, "link");
        QVERIFY(warning && warning->file == "cat/link.png" && warning->detail.find("never followed") != std::string::npos && warning->outcome == Outcome::Skipped);
    }
    void gzipBomb() {
        // Members of a gzip stream stand one after the other: 40 of 10 MB make 400 MB out of 400 kB.
        const std::string member = arrayfiles::gzipped(std::string(10'000'000, '1'), m_builder->root().parent_path());
        std::string bytes;
        for (int i = 0; i < 40; ++i) bytes += member;
        refuses(put("bomb.csv.gz", bytes), {"bomb.csv.gz", "ratio", "unpack it first"});
    }
    void archiveBomb() {
        std::vector<arrayfiles::ZipEntry> entries;
        for (int i = 0; i < 2; ++i) entries.push_back({"cat/" + std::to_string(i) + ".png", std::string(40'000'000, '\0'), true});
        putAnimals("good");
        const auto bombed = import(put("bomb.zip", arrayfiles::zip(entries)));
        QVERIFY(!bombed);
        QVERIFY2(bombed.error().sentence().find("bomb.zip") != std::string::npos && bombed.error().sentence().find("ratio") != std::string::npos,
                 bombed.error().sentence().c_str());
    }
};

QTEST_GUILESS_MAIN(TestBadInput)
#include "tst_bad_input.moc"
