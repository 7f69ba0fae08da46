// labels: fast gate
#include <QtTest>

#include <hdf5.h>

#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/fake_sink.h"

using namespace espalier;
using namespace espalier::intake;
using Counts = std::map<std::string, int>;
namespace fs = std::filesystem;

/// Labels stored as an HDF5 enum carry the names of their classes.
class TestHdf5Enum : public QObject {
    Q_OBJECT
    QTemporaryDir m_folder;

    /// Six pictures and their labels in an enum of these names, stored as `base`.
    fs::path file(const std::vector<std::pair<int, const char*>>& names, const std::vector<int>& labels, hid_t base) {
        const fs::path path = fs::path(m_folder.path().toStdString()) / "enum.h5";
        const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        const hid_t stored = H5Tenum_create(base), memory = H5Tenum_create(H5T_NATIVE_INT);
        for (const auto& [value, name] : names) {
            int converted = value;
            H5Tenum_insert(memory, name, &value);
            H5Tconvert(H5T_NATIVE_INT, base, 1, &converted, nullptr, H5P_DEFAULT);
            H5Tenum_insert(stored, name, &converted);
        }
        const auto put = [&](const char* name, hid_t type, hid_t memoryType, std::vector<hsize_t> shape, const void* values) {
            const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
            const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
            H5Dwrite(dataset, memoryType, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
            H5Dclose(dataset);
            H5Sclose(space);
        };
        std::vector<std::uint8_t> pixels(labels.size() * 64);
        for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
        put("images", H5T_STD_U8LE, H5T_NATIVE_UINT8, {labels.size(), 8, 8}, pixels.data());
        put("labels", stored, memory, {labels.size()}, labels.data());
        H5Tclose(memory);
        H5Tclose(stored);
        H5Fclose(file);
        return path;
    }
    Result<void> read(const fs::path& path, FakeSink& sink) { return makeHdf5Importer()->read(path, {}, sink); }

private Q_SLOTS:
    void namesAreClasses_data() {
        QTest::addColumn<qlonglong>("base");
        QTest::newRow("one byte") << qlonglong(H5T_STD_I8LE);
        QTest::newRow("eight bytes, big-endian") << qlonglong(H5T_STD_I64BE);
        QTest::newRow("unsigned") << qlonglong(H5T_STD_U16LE);
    }
    void namesAreClasses() {
        QFETCH(qlonglong, base);
        FakeSink sink;
        const auto result = read(file({{0, "cat"}, {5, "dog"}, {7, "bird"}}, {0, 5, 5, 0, 7, 5}, static_cast<hid_t>(base)), sink);
        QVERIFY2(result.has_value(), result ? "" : result.error().sentence().c_str());
        QCOMPARE(sink.classes, (Counts{{"bird", 1}, {"cat", 2}, {"dog", 3}}));
        QCOMPARE(*sink.metas[4].label, std::string("bird"));
    }
    void negativeNumbersHaveNamesToo() {
        FakeSink sink;
        QVERIFY(read(file({{-1, "none"}, {1, "some"}}, {-1, 1, -1, 1}, H5T_STD_I32LE), sink).has_value());
        QCOMPARE(sink.classes, (Counts{{"none", 2}, {"some", 2}}));
    }
    void booleansStayNumbers() {
        FakeSink sink;
        QVERIFY(read(file({{0, "FALSE"}, {1, "TRUE"}}, {0, 1, 1, 0}, H5T_STD_I8LE), sink).has_value());
        QCOMPARE(sink.classes, (Counts{{"0", 2}, {"1", 2}}));
    }
};

QTEST_GUILESS_MAIN(TestHdf5Enum)
#include "tst_hdf5_enum.moc"
