#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>

#include <QTemporaryDir>
#include <QtTest>

#include "engine/base/files.h"
#include "engine/runlog/column_chunks.h"
#include "engine/runlog/step_grid.h"
#include "tests/support/run_log_samples.h"

using namespace espalier;
using namespace espalier::tests;

namespace {

constexpr std::size_t kRows = 8192;

std::vector<std::uint64_t> pattern(int kind, std::size_t count) {
    std::mt19937_64 random(static_cast<unsigned>(kind));
    std::vector<std::uint64_t> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        double real = 0;
        switch (kind) {
            case 0: values[i] = 42; continue;                                  // every plane constant
            case 1: values[i] = random(); continue;                            // every plane noise
            case 2: values[i] = i; continue;                                   // a ramp
            case 3: values[i] = 1000 + i * 10 + i / 390; continue;             // steps with gaps
            case 4: real = double(float(double(random() % 1000003) / 1e6)); break;  // a float32 loss
            case 5: real = i % 97 == 0 ? kNan : i % 89 == 0 ? -kInf : 1.0 / double(1 + i); break;
            case 6: values[i] = i % 8192 < 4000 ? 0 : random() % 3; continue;  // half and half
            default: values[i] = random() % 2 ? UINT64_MAX : 0; continue;
        }
        std::memcpy(&values[i], &real, sizeof real);
    }
    return values;
}

}  // namespace

/// Chunks made and read beside HDF5's filters are those that HDF5 makes and reads.
class TestColumnChunks : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() { QVERIFY(m_dir.isValid()); }
    void agreesWithHdf5_data();
    void agreesWithHdf5();
    void knowsItsOwnConstantPlanes();
    void damageIsAnError();
    void gridAddsLikeASinglePoint();

private:
    QTemporaryDir m_dir;
};

void TestColumnChunks::agreesWithHdf5_data() {
    QTest::addColumn<int>("kind");
    for (int kind = 0; kind < 8; ++kind) QTest::addRow("pattern %d", kind) << kind;
}

void TestColumnChunks::agreesWithHdf5() {
    QFETCH(int, kind);
    const std::size_t count = 3 * kRows + 1234;
    const auto values = pattern(kind, count);
    const auto path = fs::path(m_dir.path().toStdString()) / ("chunks" + std::to_string(kind) + ".h5");
    h5::DatasetOptions options;
    options.chunkRows = kRows;
    options.isCompressed = options.isFixedSize = true;
    options.rows = count;
    std::uint64_t ours = 0;
    {
        auto file = h5::createFile(path);
        VERIFY_OK(file);
        auto mixed = h5::createDataset(file->get(), "mixed", H5T_STD_I64LE, options);
        auto plain = h5::createDataset(file->get(), "plain", H5T_STD_I64LE, options);
        VERIFY_OK(mixed);
        VERIFY_OK(plain);
        VERIFY_OK(h5::writeRows(plain->get(), H5T_NATIVE_INT64, 0, count, values.data()));
        ChunkEncoder encoder;
        for (std::size_t chunk = 0; chunk < 3; ++chunk) {
            const auto stored = encoder.encode(values.data() + chunk * kRows, kRows);
            VERIFY_OK(stored);
            ours += stored->size();
            VERIFY_OK(h5::writeChunk(mixed->get(), chunk * kRows, *stored));
        }
        VERIFY_OK(h5::writeRows(mixed->get(), H5T_NATIVE_INT64, 3 * kRows, 1234, values.data() + 3 * kRows));
    }
    auto file = h5::openFile(path);
    VERIFY_OK(file);
    for (const char* name : {"mixed", "plain"}) {
        auto dataset = h5::openDataset(file->get(), name);
        VERIFY_OK(dataset);
        std::vector<std::uint64_t> theirs(count);
        VERIFY_OK(h5::readRows(dataset->get(), H5T_NATIVE_INT64, 0, count, theirs.data()));
        QVERIFY(theirs == values);
        const auto column = ColumnChunks::open(dataset->get());
        VERIFY_OK(column);
        QCOMPARE(column->rows(), std::uint64_t(count));
        const std::vector<Range> ranges{{0, 5}, {5, 9000}, {16383, 16385}, {20000, count}};
        std::vector<std::uint64_t> expected, got;
        for (const auto& range : ranges)
            expected.insert(expected.end(), values.begin() + long(range.first), values.begin() + long(range.end));
        got.resize(expected.size());
        VERIFY_OK(readPieces(*column, chunkPieces(ranges, column->chunkRows()), got.data()));
        QVERIFY(got == expected);
        ChunkScratch scratch;
        std::vector<std::uint64_t> chunk(kRows);
        QVERIFY(!column->read(4, scratch, chunk.data()));
    }
    // Noise grows by its headers alone, and what shrinks does so here too.
    QVERIFY(ours <= 3 * (kRows * 8 + 64));
    if (kind == 0 || kind == 2) QVERIFY2(ours < 3 * 1500, qPrintable(QString::number(ours)));
}

void TestColumnChunks::knowsItsOwnConstantPlanes() {
    // What HDF5's checksum is has been seen above; here that the parts of one stream do not depend on their neighbours.
    ChunkEncoder encoder;
    const auto once = encoder.encodePlane(std::string(kRows, '\7'));
    VERIFY_OK(once);
    VERIFY_OK(encoder.encode(pattern(1, kRows).data(), kRows));
    const auto again = encoder.encodePlane(std::string(kRows, '\7'));
    VERIFY_OK(again);
    QCOMPARE(*once, *again);
    QVERIFY(once->size() < 64);
}

void TestColumnChunks::damageIsAnError() {
    const auto path = fs::path(m_dir.path().toStdString()) / "damaged.h5";
    const auto values = pattern(4, kRows);
    h5::DatasetOptions options;
    options.chunkRows = options.rows = kRows;
    options.isCompressed = options.isFixedSize = true;
    std::string stored;
    {
        auto file = h5::createFile(path);
        VERIFY_OK(file);
        auto dataset = h5::createDataset(file->get(), "x", H5T_IEEE_F64LE, options);
        VERIFY_OK(dataset);
        ChunkEncoder encoder;
        stored = std::string(*encoder.encode(values.data(), kRows));
        VERIFY_OK(h5::writeChunk(dataset->get(), 0, stored));
    }
    const auto good = readFile(path);
    VERIFY_OK(good);
    const auto at = good->find(stored);
    QVERIFY(at != std::string::npos);
    std::mt19937 random(5);
    for (int round = 0; round < 300; ++round) {
        auto bad = *good;
        const auto where = at + random() % stored.size();
        bad[where] = static_cast<char>(bad[where] ^ (1 << random() % 8));
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bad;
        auto file = h5::openFile(path);
        VERIFY_OK(file);
        auto dataset = h5::openDataset(file->get(), "x");
        VERIFY_OK(dataset);
        const auto column = ColumnChunks::open(dataset->get());
        VERIFY_OK(column);
        ChunkScratch scratch;
        std::vector<std::uint64_t> chunk(kRows);
        const auto read = column->read(0, scratch, chunk.data());
        QVERIFY(!read);
        QCOMPARE(read.error().code, ErrorCode::Corrupt);
        QVERIFY(!h5::readRows(dataset->get(), H5T_NATIVE_DOUBLE, 0, kRows, chunk.data()));
    }
}

void TestColumnChunks::gridAddsLikeASinglePoint() {
    std::mt19937_64 random(9);
    for (int round = 0; round < 400; ++round) {
        const auto first = std::int64_t(random() % 2000) - 1000, span = std::int64_t(1 + random() % 3000);
        const int columns = 1 + int(random() % 200);
        const StepGrid grid(first, first + span - 1, columns);
        for (int c = 0; c + 1 < columns; ++c) {
            const auto last = grid.lastStepOf(c);
            QVERIFY(grid.columnOf(last + 1) > c || last + 1 > first + span - 1);
            if (last >= first) QVERIFY(grid.columnOf(last) <= c);
        }
        const auto stride = std::int64_t(1 + random() % 40), start = first - std::int64_t(random() % 500);
        std::vector<std::int64_t> steps;
        std::vector<double> values;
        for (int i = 0; i < 700; ++i) {
            steps.push_back(start + i * stride);
            values.push_back(round % 7 == 0 && i % 11 == 0 ? kNan : round % 7 == 1 ? 1e308 * double(random() % 2) : double(random() % 1000));
        }
        std::vector<Bucket> expected(static_cast<std::size_t>(columns)), regular = expected, any = expected;
        for (std::size_t i = 0; i < steps.size(); ++i)
            if (const int c = grid.columnOf(steps[i]); c >= 0) expected[std::size_t(c)].addPoint(steps[i], values[i]);
        grid.add(regular, start, stride, values);
        grid.add(any, steps, values);
        for (std::size_t c = 0; c < expected.size(); ++c)
            for (const auto* result : {&regular, &any}) {
                const auto& got = (*result)[c];
                QCOMPARE(got.finite, expected[c].finite);
                QCOMPARE(got.nonFinite, expected[c].nonFinite);
                if (got.finite == 0) continue;
                QCOMPARE(got.min, expected[c].min);
                QCOMPARE(got.max, expected[c].max);
                QVERIFY(std::abs(got.mean - expected[c].mean) <= 1e-9 * std::max(1.0, std::abs(got.mean)));
            }
    }
    const StepGrid whole(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(), 3);
    QCOMPARE(whole.columnOf(std::numeric_limits<std::int64_t>::min()), 0);
    QCOMPARE(whole.columnOf(0), 1);
    QCOMPARE(whole.columnOf(whole.lastStepOf(0)), 0);
    QCOMPARE(whole.columnOf(whole.lastStepOf(0) + 1), 1);
    QCOMPARE(whole.lastStepOf(2), std::numeric_limits<std::int64_t>::max());
}

QTEST_GUILESS_MAIN(TestColumnChunks)
#include "tst_column_chunks.moc"
