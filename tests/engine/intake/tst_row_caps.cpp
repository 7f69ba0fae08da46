// labels: fast gate
#include <QtTest>

#include "engine/intake/row_collector.h"
#include "tests/engine/intake/array_files.h"
#include "tests/engine/intake/build_helpers.h"

using namespace espalier;
using namespace espalier::intake;
using namespace arrayfiles;
namespace fs = std::filesystem;

/// Packed files are small whatever they hold, below the ratio of a bomb too: how many rows may come out is bounded. The
/// bounds are lowered here; the ones in use would need gigabytes to be met.
class TestRowCaps : public QObject {
    Q_OBJECT
    Builder m_builder;

    static constexpr std::uint64_t kMost = 1000;
    RowCollector::Setup lowered() const {
        RowCollector::Setup setup;
        setup.threads = 1;
        setup.maxRows = setup.maxPictures = kMost;
        return setup;
    }
    Result<void> read(const Importer& importer, const std::string& name, const std::string& bytes, RowCollector& collector) {
        const fs::path path = save(m_builder.root(), name, gzipped(bytes, m_builder.root().parent_path()));
        return importer.read(path, {}, collector);
    }

private Q_SLOTS:
    void initTestCase() { fs::create_directories(m_builder.root()); }

    void boundsInUse() {
        QCOMPARE(RowCollector::Setup().maxRows, std::uint64_t(20'000'000));
        QCOMPARE(RowCollector::Setup().maxPictures, std::uint64_t(10'000'000));
    }

    void picturesOfAGzipStream_data() {
        QTest::addColumn<int>("count");
        QTest::newRow("as many as may") << int(kMost);
        QTest::newRow("one more") << int(kMost) + 1;
        QTest::newRow("many more") << 200'000;
    }
    void picturesOfAGzipStream() {
        QFETCH(int, count);
        RowCollector collector(lowered());
        const auto result = read(*makeIdxImporter(), "train-images-idx3-ubyte.gz", idx(8, {count, 1, 1}, std::string(static_cast<std::size_t>(count), 'x')), collector);
        QCOMPARE(result.has_value(), count <= int(kMost));
        if (!result) QVERIFY2(result.error().what.find("more than 1,000 samples") != std::string::npos && !result.error().remedy.empty(), result.error().sentence().c_str());
        QVERIFY(collector.finish().has_value());
        QCOMPARE(collector.takeRows().table.records.size(), std::size_t(kMost));
    }

    void linesOfAGzipStream() {
        std::string text = "a,b,kind\n";
        for (int i = 0; i < 100'000; ++i) text += "1,2,p\n";
        RowCollector collector(lowered());
        const auto result = read(*makeCsvImporter(), "t.csv.gz", text, collector);
        QVERIFY(!result);
        QVERIFY2(result.error().what.find("more than 1,000 samples") != std::string::npos, result.error().sentence().c_str());
    }

    void rowsOfAPackedArray() {
        RowCollector collector(lowered());
        const auto result = read(*makeNpyImporter(), "t.npy.gz", npy("'<f4'", "(50000, 2)", std::string(400'000, '\0')), collector);
        QVERIFY(!result);
        QVERIFY2(result.error().what.find("more than 1,000 samples") != std::string::npos, result.error().sentence().c_str());
    }
};

QTEST_GUILESS_MAIN(TestRowCaps)
#include "tst_row_caps.moc"
