// labels: fast gate
#include <atomic>
#include <fstream>
#include <thread>

#include <QtTest>
#include <hdf5.h>

#include "engine/runlog/h5_foreign.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
namespace fs = std::filesystem;

namespace {

/// Small HDF5 files for the tests.
class H5Maker {
public:
    explicit H5Maker(const fs::path& path, hid_t create = H5P_DEFAULT) : m_file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, create, H5P_DEFAULT)) {}
    ~H5Maker() { H5Fclose(m_file); }
    hid_t file() const { return m_file; }

    template <class T>
    void put(const char* name, hid_t fileType, hid_t memoryType, std::vector<hsize_t> shape, const std::vector<T>& values, hid_t create = H5P_DEFAULT) {
        const hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(int(shape.size()), shape.data(), nullptr);
        H5Pset_create_intermediate_group(links, 1);
        const hid_t dataset = H5Dcreate2(m_file, name, fileType, space, links, create, H5P_DEFAULT);
        H5Dwrite(dataset, memoryType, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
        H5Dclose(dataset);
        H5Sclose(space);
        H5Pclose(links);
    }
    void pictures(const char* name, int count, hid_t create = H5P_DEFAULT) {
        std::vector<std::uint8_t> values;
        for (int i = 0; i < count * 12; ++i) values.push_back(static_cast<std::uint8_t>(i));
        put(name, H5T_STD_U8LE, H5T_NATIVE_UINT8, {hsize_t(count), 2, 2, 3}, values, create);
    }
    void labels(const char* name, const std::vector<int>& values) { put(name, H5T_STD_I64BE, H5T_NATIVE_INT, {values.size()}, values); }
    void texts(const char* name, const std::vector<const char*>& values, bool isVariable) {
        const hid_t type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, isVariable ? H5T_VARIABLE : 8);
        if (isVariable) {
            put(name, type, type, {values.size()}, values);
        } else {
            std::vector<char> raw(values.size() * 8, 0);
            for (std::size_t i = 0; i < values.size(); ++i) std::strncpy(&raw[i * 8], values[i], 8);
            put(name, type, type, {values.size()}, raw);
        }
        H5Tclose(type);
    }

private:
    hid_t m_file;
};

hid_t chunked(std::vector<hsize_t> chunk) {
    const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, int(chunk.size()), chunk.data());
    return plist;
}

std::string contents(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace

class TestHdf5Foreign : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;
    fs::path path() const { return fs::path(m_folder.path().toStdString()) / "a.h5"; }
    Result<void> read(FakeSink& sink, const ImportOptions& options = {}) { return makeHdf5Importer()->read(path(), options, sink); }
    void expectRefusal(const std::vector<std::string>& words) {
        FakeSink sink;
        const auto result = read(sink);
        QVERIFY(!result);
        for (const std::string& word : words) QVERIFY2(result.error().sentence().find(word) != std::string::npos, result.error().sentence().c_str());
    }

private Q_SLOTS:
    void readsPicturesAndLabels() {
        H5Maker(path()).pictures("x", 1);
        {
            H5Maker maker(path());
            maker.pictures("images", 3);
            maker.labels("labels", {4, 2, 4});
        }
        FakeSink sink;
        const auto result = read(sink);
        QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        QCOMPARE(sink.images[1].pixels[0], std::uint8_t(12));
        QCOMPARE(*sink.metas[1].label, std::string("2"));
        QCOMPARE(sink.declared, (std::vector<std::string>{"2", "4"}));
    }

    void readsTextLabels_data() {
        QTest::addColumn<bool>("isVariable");
        QTest::newRow("fixed") << false;
        QTest::newRow("variable") << true;
    }
    void readsTextLabels() {
        QFETCH(bool, isVariable);
        {
            H5Maker maker(path());
            maker.pictures("data", 2);
            maker.texts("label", {"tulip", "rose"}, isVariable);
        }
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QCOMPARE(*sink.metas[0].label, std::string("tulip"));
        QCOMPARE(*sink.metas[1].label, std::string("rose"));
    }

    void readsGroupsAsSplits() {
        {
            H5Maker maker(path());
            for (const char* split : {"train", "val", "test"}) {
                maker.pictures((std::string(split) + "/images").c_str(), 2);
                maker.labels((std::string(split) + "/labels").c_str(), {0, 1});
            }
        }
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QCOMPARE(sink.counts, (std::array<int, 3>{2, 2, 2}));
    }

    void readsFloatsOfAnyKind() {
        {
            H5Maker maker(path());
            maker.put<float>("x", H5T_IEEE_F64BE, H5T_NATIVE_FLOAT, {2, 2, 2}, {0, 0.5, 1, 0.25, 1, 1, 0, 0});
            maker.labels("y", {0, 1});
        }
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QCOMPARE(sink.floats[0].values, (std::vector<float>{0, 0.5, 1, 0.25}));
    }

    void readsPackedChunks() {
        const hid_t plist = chunked({2, 2, 2, 3});
        H5Pset_shuffle(plist);
        H5Pset_deflate(plist, 6);
        H5Pset_fletcher32(plist);
        {
            H5Maker maker(path());
            maker.pictures("x", 5, plist);
            maker.labels("y", {0, 1, 0, 1, 0});
        }
        H5Pclose(plist);
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QCOMPARE(sink.images[4].pixels[11], std::uint8_t(59));
    }

    void leavesOutRowsOfADamagedChunk() {
        const hid_t plist = chunked({2, 2, 2, 3});
        H5Pset_fletcher32(plist);
        {
            H5Maker maker(path());
            maker.pictures("x", 8, plist);
            maker.labels("y", {0, 1, 0, 1, 0, 1, 0, 1});
        }
        H5Pclose(plist);
        std::string bytes = contents(path());
        const auto at = bytes.find("\x30\x31\x32\x33\x34\x35");  // row 4
        QVERIFY(at != std::string::npos);
        bytes[at] ^= 1;
        std::ofstream(path(), std::ios::binary) << bytes;
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QCOMPARE(sink.images.size(), std::size_t(6));
        const Warning* warning = sink.find("damaged_rows");
        QVERIFY(warning);
        QVERIFY2(warning->detail.find("rows 4 to 5") != std::string::npos, warning->detail.c_str());
        QCOMPARE(*sink.metas[4].label, std::string("0"));
        QCOMPARE(sink.metas[4].source, std::string("a.h5[6]"));
    }

    void namesAFilterThatIsMissing() {
        const hid_t plist = chunked({2, 2, 2, 3});
        // An optional filter that nobody has: the data are stored without it, but the pipeline names it.
        H5Pset_filter(plist, 32001, H5Z_FLAG_OPTIONAL, 0, nullptr);
        {
            H5Maker maker(path());
            maker.pictures("x", 2, plist);
        }
        H5Pclose(plist);
        expectRefusal({"Blosc", "32001"});
    }

    void findsTheSignatureAfterAUserBlock() {
        const hid_t create = H5Pcreate(H5P_FILE_CREATE);
        H5Pset_userblock(create, 1024);
        {
            H5Maker maker(path(), create);
            maker.pictures("x", 2);
        }
        H5Pclose(create);
        QVERIFY(makeHdf5Importer()->confidence("anything", contents(path()).substr(0, 4096)) >= 90);
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QVERIFY(sink.hasWarning("unlabelled"));
    }

    void endsAtLinkLoops() {
        {
            H5Maker maker(path());
            maker.pictures("x", 2);
            maker.labels("y", {0, 1});
            H5Lcreate_soft("/b", maker.file(), "a", H5P_DEFAULT, H5P_DEFAULT);
            H5Lcreate_soft("/a", maker.file(), "b", H5P_DEFAULT, H5P_DEFAULT);
            H5Lcreate_soft("/nowhere", maker.file(), "c", H5P_DEFAULT, H5P_DEFAULT);
            H5Lcreate_hard(maker.file(), "/", maker.file(), "root", H5P_DEFAULT, H5P_DEFAULT);
        }
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QCOMPARE(sink.images.size(), std::size_t(2));
    }

    void followsSoftLinksInside() {
        {
            H5Maker maker(path());
            maker.pictures("raw/blob", 2);
            maker.labels("raw/numbers", {0, 1});
            H5Lcreate_soft("/raw/blob", maker.file(), "images", H5P_DEFAULT, H5P_DEFAULT);
            H5Lcreate_soft("/raw/numbers", maker.file(), "labels", H5P_DEFAULT, H5P_DEFAULT);
        }
        FakeSink sink;
        QVERIFY(read(sink).has_value());
        QCOMPARE(sink.classes.size(), std::size_t(2));
    }

    void virtualDatasetsAreNotFollowed() {
        {
            H5Maker maker(path());
            const hsize_t shape[] = {2, 2, 2, 3};
            const hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(4, shape, nullptr);
            H5Pset_virtual(plist, space, "other.h5", "/images", space);
            H5Dclose(H5Dcreate2(maker.file(), "images", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT));
            H5Sclose(space);
            H5Pclose(plist);
            maker.labels("labels", {0, 1});
        }
        expectRefusal({"images", "virtual dataset", "Store the values in the file itself"});
    }
    void formatsOfNewerLibrariesAreNamed() {
        std::int64_t start = 0;
        {
            H5Maker maker(path());
            maker.pictures("images", 2);
            maker.labels("labels", {0, 1});
            H5Fflush(maker.file(), H5F_SCOPE_LOCAL);
            const hid_t dataset = H5Dopen2(maker.file(), "images", H5P_DEFAULT);
            start = std::int64_t(H5Dget_offset(dataset));
            H5Dclose(dataset);
        }
        const std::string whole = contents(path());
        std::string layout("\3\1", 2);  // layout message: version 3, contiguous, address
        for (int i = 0; i < 8; ++i) layout += static_cast<char>(start >> (8 * i));
        const std::size_t at = whole.find(layout);
        QVERIFY(at != std::string::npos);
        std::string bytes = whole;
        bytes[at] = 5;
        std::ofstream(path(), std::ios::binary) << bytes;
        expectRefusal({"images", "newer than what is read here", "v110"});
        bytes = whole;
        bytes[8] = 9;  // superblock
        std::ofstream(path(), std::ios::binary) << bytes;
        expectRefusal({"newer than what is read here", "v110"});
    }

    void neverFollowsOtherFiles() {
        {
            H5Maker maker(path());
            H5Lcreate_external("other.h5", "/images", maker.file(), "images", H5P_DEFAULT, H5P_DEFAULT);
            maker.labels("labels", {0, 1});
        }
        expectRefusal({"images", "external link"});
        const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_external(plist, "/etc/hostname", 0, 24);
        {
            H5Maker maker(path());
            const hsize_t shape[] = {2, 2, 2, 3};
            const hid_t space = H5Screate_simple(4, shape, nullptr), dataset = H5Dcreate2(maker.file(), "images", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
            H5Dclose(dataset);
            H5Sclose(space);
        }
        H5Pclose(plist);
        expectRefusal({"images", "external storage"});
    }

    void refusesGiantChunksAndEmptyClaims() {
        const hid_t plist = chunked({1000, 1000, 400});
        {
            H5Maker maker(path());
            const hsize_t shape[] = {1000, 1000, 400};
            const hid_t space = H5Screate_simple(3, shape, nullptr), dataset = H5Dcreate2(maker.file(), "images", H5T_STD_U8LE, space, H5P_DEFAULT, plist, H5P_DEFAULT);
            H5Dclose(dataset);
            H5Sclose(space);
        }
        H5Pclose(plist);
        expectRefusal({"images", "no stored values"});
    }

    void refusesWhatIsNoHdf5() {
        std::ofstream(path(), std::ios::binary) << "just some text that is long enough to look at";
        expectRefusal({"a.h5", "not an HDF5 file"});
        std::ofstream(path(), std::ios::binary) << "";
        expectRefusal({"a.h5", "0 bytes"});
    }

    void survivesEveryCutAndFlip() {
        {
            H5Maker maker(path());
            maker.pictures("images", 20);
            maker.labels("labels", std::vector<int>(20, 1));
        }
        const std::string good = contents(path());
        for (std::size_t size = 8; size < good.size(); size += good.size() / 6) {
            std::ofstream(path(), std::ios::binary) << good.substr(0, size);
            FakeSink sink;
            const auto result = read(sink);
            QVERIFY(!result);
            QVERIFY(result.error().where.find("a.h5") != std::string::npos);
        }
        // Whatever a flipped byte does to the library, the answer is rows or a sentence.
        for (std::size_t at = 0; at < std::min<std::size_t>(good.size(), 2048); at += 41) {
            std::string flipped = good;
            flipped[at] = char(flipped[at] ^ 0xFF);
            std::ofstream(path(), std::ios::binary) << flipped;
            FakeSink sink;
            const auto result = read(sink);
            QVERIFY(result || !result.error().what.empty());
        }
    }

    void refusesLabelsOfAnotherLength() {
        {
            H5Maker maker(path());
            maker.pictures("images", 3);
            maker.labels("labels", {0, 1});
        }
        expectRefusal({"3 samples", "2 labels"});
    }

    void saysWhichMembersThereAre() {
        {
            H5Maker maker(path());
            maker.labels("session/scores", {0, 1, 2});
            maker.texts("notes", {"a", "b"}, false);
        }
        expectRefusal({"a.h5", "no member that looks like pictures", "session/scores (one number a row)", "notes (text)", "name the members"});
        {
            H5Maker maker(path());
            maker.pictures("frames", 3);
            maker.labels("marks", {0, 1, 1});
        }
        FakeSink sink;
        ImportOptions options;
        options.images = "frame";
        const auto images = read(sink, options);
        QVERIFY(!images && images.error().sentence().find("no member \"frame\"; it has \"frames\" and \"marks\"") != std::string::npos);
        options.images = "frames";
        options.labels = "labels";
        const auto labels = read(sink, options);
        QVERIFY(!labels && labels.error().sentence().find("no member \"labels\"") != std::string::npos);
    }

    void readsWhileThisProcessUsesHdf5() {
        {
            H5Maker maker(path());
            maker.pictures("images", 30);
            maker.labels("labels", std::vector<int>(30, 1));
        }
        std::atomic<bool> isDone{false};
        const fs::path busy = fs::path(m_folder.path().toStdString()) / "busy.h5";
        std::thread writer([&] {
            H5Maker maker(busy);
            for (int i = 0; !isDone; ++i) maker.labels(("d" + std::to_string(i)).c_str(), {1, 2, 3});
        });
        for (int i = 0; i < 30; ++i) {
            FakeSink sink;
            const auto result = read(sink);
            if (!result) isDone = true, writer.join();
            QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
            QCOMPARE(sink.images.size(), std::size_t(30));
        }
        isDone = true;
        writer.join();
        QVERIFY(H5Fis_hdf5(busy.c_str()) > 0);
    }
};

QTEST_GUILESS_MAIN(TestHdf5Foreign)
#include "tst_hdf5_foreign.moc"
