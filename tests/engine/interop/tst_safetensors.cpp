// labels: fast gate
#include <QtTest>

#include <fstream>

#include "engine/interop/safetensors.h"

using namespace espalier;
namespace fs = std::filesystem;

/// Round trips of every type, and headers that lie in every way the reader's rules name.
class TestSafetensors : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    fs::path path(const char* name) const { return fs::path(m_folder.path().toStdString()) / name; }

    static std::string file(const std::string& header, const std::string& payload) {
        std::string bytes(8, '\0');
        for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
        return bytes + header + payload;
    }
    fs::path stored(const std::string& bytes) const {
        const auto target = path("case.safetensors");
        std::ofstream(target, std::ios::binary | std::ios::trunc) << bytes;
        return target;
    }

private Q_SLOTS:
    void keepsEveryTypeAndShape() {
        nn::NamedTensors named;
        named.metadata = {{"espalier.recipe", "70-compact-transformers"}, {"note", "Grüße \"quoted\"\n"}};
        named.add("bytes", torch::tensor({1, 2, 3}, torch::kUInt8));
        named.add("double", torch::tensor({1.5, -2.25}, torch::kFloat64));
        named.add("float", torch::arange(6, torch::kFloat32).view({2, 3}));
        named.add("half", torch::tensor({0.5f, 65504.f}, torch::kFloat32).to(torch::kHalf));
        named.add("bf16", torch::tensor({1.f, -3.f}, torch::kFloat32).to(torch::kBFloat16));
        named.add("long", torch::tensor({std::numeric_limits<std::int64_t>::min(), std::int64_t(7)}, torch::kInt64));
        named.add("int", torch::tensor({-1, 2}, torch::kInt32));
        named.add("short", torch::tensor({-3, 4}, torch::kInt16));
        named.add("char", torch::tensor({-128, 127}, torch::kInt8));
        named.add("bool", torch::tensor({1, 0, 1}, torch::kUInt8).to(torch::kBool));
        named.add("empty", torch::empty({0, 4}, torch::kFloat32));
        named.add("scalar", torch::tensor(3.25f));
        named.add("transposed", torch::arange(6, torch::kFloat32).view({2, 3}).t());
        const auto written = interop::writeSafetensors(path("all.safetensors"), named);
        QVERIFY(written);
        QCOMPARE(*written, std::int64_t(3 + 16 + 24 + 4 + 4 + 16 + 8 + 4 + 2 + 3 + 0 + 4 + 24));
        QCOMPARE(*written, interop::safetensorsPayloadBytes(named));

        const auto read = interop::readSafetensors(path("all.safetensors"));
        QVERIFY2(read.has_value(), read ? "" : read.error().sentence().c_str());
        QCOMPARE(read->metadata, named.metadata);
        QCOMPARE(read->tensors.size(), named.tensors.size());
        for (std::size_t i = 0; i < named.tensors.size(); ++i) {
            QCOMPARE(read->tensors[i].first, named.tensors[i].first);
            QVERIFY(read->tensors[i].second.scalar_type() == named.tensors[i].second.scalar_type());
            QVERIFY(read->tensors[i].second.sizes() == named.tensors[i].second.sizes());
            QVERIFY(torch::equal(read->tensors[i].second, named.tensors[i].second));
        }
    }

    void alignsHeaderAndTensors() {
        nn::NamedTensors named;
        named.add("a", torch::ones({3}, torch::kUInt8));
        named.add("b", torch::ones({2}, torch::kFloat64));
        QVERIFY(interop::writeSafetensors(path("aligned.safetensors"), named));
        const auto header = interop::readSafetensorsHeader(path("aligned.safetensors"));
        QVERIFY(header);
        QCOMPARE(header->entries[0].name, std::string("a"));
        QCOMPARE(header->entries[0].begin, std::uint64_t(16));
        QCOMPARE(header->entries[1].begin, std::uint64_t(0));
        QCOMPARE((fs::file_size(path("aligned.safetensors")) - header->payloadBytes) % 8, std::uint64_t(0));
    }

    void acceptsAMinimalFile() {
        const auto read = interop::readSafetensors(stored(file("{}", "")));
        QVERIFY(read);
        QVERIFY(read->tensors.empty());
    }

    void refusesHostileFiles_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QByteArray>("says");
        const auto row = [](const char* name, const std::string& bytes, const char* says) {
            QTest::newRow(name) << QByteArray(bytes.data(), qsizetype(bytes.size())) << QByteArray(says);
        };
        const std::string four(4, 'x'), eight(8, 'x');
        row("empty", "", "0 bytes");
        row("nine bytes", std::string(9, '\0'), "too few");
        row("header longer than file", std::string("\xff\xff\0\0\0\0\0\0{}", 10), "claims a header of 65535");
        row("header of 2^63", std::string("\0\0\0\0\0\0\0\x80{}", 10), "claims a header");
        row("no object", file("[1,2]   ", ""), "'{'");
        row("broken json", file("{\"a\":", ""), "not valid JSON");
        row("not UTF-8", file("{\"\xff\xfe\":1}", ""), "not valid JSON");
        row("trailing text", file("{} x", ""), "not valid JSON");
        row("duplicate tensor", file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", four), "twice");
        row("duplicate member", file(R"({"a":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}})", four), "twice");
        row("unknown type", file(R"({"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", eight), "C64");
        row("missing shape", file(R"({"a":{"dtype":"U8","data_offsets":[0,4]}})", four), "no shape");
        row("three offsets", file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}})", four), "two data_offsets");
        row("negative offset", file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}})", four), "negative");
        row("fraction", file(R"({"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}})", four), "no integer");
        row("end before begin", file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", four), "lies at bytes");
        row("beyond the end", file(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", four), "lies at bytes");
        row("shape larger than range", file(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}})", four), "needs 16 bytes");
        row("overflowing shape", file(R"({"a":{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,4]}})", four), "overflows");
        row("overflow beside zero", file(R"({"a":{"dtype":"F32","shape":[0,4611686018427387905,4611686018427387905],"data_offsets":[0,0]}})", ""), "overflows");
        row("number beyond 64 bits", file(R"({"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]}})", four), "no integer");
        row("overlap", file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})", four), "overlaps");
        row("hole", file(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", eight), "gap");
        row("late start", file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", eight), "gap");
        row("left over", file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", eight), "belong to nothing");
        row("empty tensor out of range", file(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[9,9]}})", ""), "lies at bytes");
        row("metadata with number", file(R"({"__metadata__":{"a":1}})", ""), "number");
        row("nested too deep", file(R"({"a":{"b":{"c":{"d":{}}}}})", ""), "object");
        row("deep lists", file("{\"a\":{\"shape\":" + std::string(20000, '[') + "}}", ""), "list");
        row("tensor is text", file(R"({"a":"b"})", ""), "text");
        row("null", file(R"({"a":null})", ""), "null");
    }
    void refusesHostileFiles() {
        QFETCH(QByteArray, bytes);
        QFETCH(QByteArray, says);
        const auto read = interop::readSafetensors(stored(bytes.toStdString()));
        QVERIFY(!read);
        const auto sentence = QByteArray::fromStdString(read.error().sentence());
        QVERIFY2(sentence.contains(says), sentence.constData());
        QVERIFY2(sentence.contains("case.safetensors"), sentence.constData());
    }

    void survivesEveryTruncation() {
        nn::NamedTensors named;
        named.add("weight", torch::ones({3, 2}));
        QVERIFY(interop::writeSafetensors(path("whole.safetensors"), named));
        std::ifstream in(path("whole.safetensors"), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(in)), {});
        for (std::size_t length = 0; length < bytes.size(); ++length)
            QVERIFY(!interop::readSafetensors(stored(bytes.substr(0, length))));
        QVERIFY(interop::readSafetensors(stored(bytes)));
    }

    void leavesTheOldFileWhenATypeCannotBeStored() {
        nn::NamedTensors good, bad;
        good.add("weight", torch::ones({2}));
        bad.add("weight", torch::ones({2}, torch::kComplexFloat));
        QVERIFY(interop::writeSafetensors(path("kept.safetensors"), good));
        QVERIFY(!interop::writeSafetensors(path("kept.safetensors"), bad));
        QVERIFY(interop::readSafetensors(path("kept.safetensors")));
    }

    void namesAMissingFile() {
        const auto read = interop::readSafetensors(path("nowhere.safetensors"));
        QVERIFY(!read);
        QVERIFY(read.error().code == ErrorCode::NotFound);
    }

    void hashesAFile() {
        std::ofstream(path("abc.txt"), std::ios::binary) << "abc";
        QCOMPARE(interop::sha256OfFile(path("abc.txt")).value(),
                 std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    }
};

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
