#include <QDir>
#include <QFile>
#include <QTest>

#include "engine/interop/safetensors.h"
#include "engine/quant/storage.h"
#include "engine/quant/uniform_quantizer.h"

using namespace espalier;
using namespace espalier::quant;

namespace {

std::string fixture(const char* name) {
    return qEnvironmentVariable("ESPALIER_SHARED").toStdString() + "/fixtures/flexround/" + name;
}

double largestDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

class TestUniformQuantizer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void roundsHalfToEvenBeforeTheZeroPoint() {
        const auto path = fixture("rounding_ties.safetensors");
        if (!QFile::exists(QString::fromStdString(path))) QSKIP("the FlexRound fixtures are not on this machine");
        const auto file = interop::readSafetensors(path);
        QVERIFY(file.has_value());
        const auto& weight = *file->find("W");
        int cases = 0;
        for (const auto& [name, expected] : file->tensors) {
            const auto end = name.rfind(".rtn");
            if (end == std::string::npos || end + 4 != name.size()) continue;
            int bits = 0, zeroPoint = 0;
            QCOMPARE(std::sscanf(name.c_str(), "b%d.zp%d", &bits, &zeroPoint), 2);
            Grid grid{at::full({1}, 0.25f), at::full({1}, float(zeroPoint)), bits, false};
            QVERIFY2(at::equal(roundToNearest(weight, grid), expected), name.c_str());
            ++cases;
        }
        QCOMPARE(cases, 5);
    }

    void findsTheScalesOfTheReference_data() {
        QTest::addColumn<QString>("path");
        QTest::addColumn<int>("bits");
        QTest::addColumn<bool>("perChannel");
        QTest::addColumn<bool>("symmetric");
        QTest::addColumn<bool>("searched");
        const QDir folder(QString::fromStdString(fixture("")));
        for (const auto& file : folder.entryList({QStringLiteral("*.flexround.safetensors")}, QDir::Files, QDir::Name))
            for (const int bits : {2, 3, 4, 8})
                for (const bool channel : {false, true})
                    for (const bool symmetric : {false, true})
                        for (const bool searched : {false, true})
                            QTest::addRow("%s b%d %s %s %s", qPrintable(file.section(u'.', 0, 0)), bits, channel ? "channel" : "tensor",
                                          symmetric ? "sym" : "asym", searched ? "search" : "minmax")
                                << folder.filePath(file) << bits << channel << symmetric << searched;
    }
    void findsTheScalesOfTheReference() {
        if (QTest::currentDataTag() == nullptr) QSKIP("the FlexRound fixtures are not on this machine");
        QFETCH(QString, path);
        QFETCH(int, bits);
        QFETCH(bool, perChannel);
        QFETCH(bool, symmetric);
        QFETCH(bool, searched);
        const auto file = interop::readSafetensors(path.toStdString());
        QVERIFY(file.has_value());
        const auto& weight = *file->find("W");
        const auto key = "b" + std::to_string(bits) + (perChannel ? ".channel" : ".tensor") + (symmetric ? ".sym" : ".asym") +
                         (searched ? ".search" : ".minmax");
        auto scale = *file->find(key + ".scale");
        auto zeroPoint = *file->find(key + ".zero_point");
        if (!perChannel) scale = scale.reshape({1}), zeroPoint = zeroPoint.reshape({1});
        const auto grid = findGrid(weight, {bits, perChannel, symmetric, searched});
        if (symmetric && searched) {
            // The reference scores symmetric candidates with step 1 (a known fault): ours must be at least as good.
            const Grid theirs{scale, zeroPoint, bits, true};
            QVERIFY(searchScore(weight, roundToNearest(weight, grid), false).item<double>() <=
                    searchScore(weight, roundToNearest(weight, theirs), false).item<double>() + 1e-12);
        } else {
            QVERIFY2(((grid.scale - scale) / scale).abs().max().item<double>() < 1e-6, key.c_str());
            QVERIFY2(largestDifference(grid.zeroPoint, zeroPoint) == 0.0, key.c_str());
        }
        // With the reference's own scale the codes are exact away from ties.
        const Grid given{scale, zeroPoint, bits, symmetric};
        const auto scaled = weight / scale;
        const auto isTie = ((scaled - scaled.floor()) - 0.5).abs() < 1e-4;
        const auto differs = (codes(weight, given) != file->find(key + ".codes")->to(at::kFloat)).logical_and(isTie.logical_not());
        QCOMPARE(differs.sum().item<std::int64_t>(), std::int64_t(0));
        const auto rtnError = (roundToNearest(weight, given) - *file->find(key + ".rtn")).abs() * isTie.logical_not();
        QVERIFY(rtnError.max().item<double>() < 1e-6);
    }

    void searchIsNeverWorseThanMinMax_data() {
        QTest::addColumn<double>("shift");
        QTest::addRow("both signs") << 0.0;
        QTest::addRow("some rows of one sign") << 0.15;
        QTest::addRow("positive") << 1.0;
        QTest::addRow("negative") << -1.0;
    }
    void searchIsNeverWorseThanMinMax() {
        QFETCH(double, shift);
        const auto weight = at::randn({8, 32}, at::make_generator<at::CPUGeneratorImpl>(5)) * 0.1 + shift;
        for (const int bits : {2, 3, 4, 6, 8})
            for (const bool symmetric : {false, true}) {
                const auto searched = findGrid(weight, {bits, true, symmetric, true});
                const auto plain = findGrid(weight, {bits, true, symmetric, false});
                const auto worse = searchScore(weight, roundToNearest(weight, searched), true) >
                                   searchScore(weight, roundToNearest(weight, plain), true) * 1.0001;
                QVERIFY2(worse.sum().item<std::int64_t>() <= (bits == 8 ? 1 : 0), std::to_string(bits).c_str());
            }
    }

    void packingIsLossless() {
        const auto weight = at::randn({5, 13}, at::make_generator<at::CPUGeneratorImpl>(7));
        for (int bits = 2; bits <= 8; ++bits)
            for (const bool symmetric : {false, true}) {
                const auto grid = findGrid(weight, {bits, true, symmetric, false});
                const auto q = codes(weight, grid);
                const auto packed = packCodes(q, grid);
                QCOMPARE(packed.numel(), uniformBytes(65, bits, 5, true, symmetric).payload);
                QVERIFY(at::equal(unpackCodes(packed, q.sizes(), grid), q));
            }
    }

    void countsBytesAsTheSchemaSays() {
        QCOMPARE(uniformBytes(65536, 4, 256, false, false).total(), std::int64_t(32768 + 8));
        QCOMPARE(uniformBytes(65536, 4, 256, true, true).total(), std::int64_t(32768 + 1024));
        QCOMPARE(uniformBytes(65536, 3, 256, true, false).total(), std::int64_t(24576 + 2048));
        QCOMPARE(uniformBytes(3, 3, 1, false, true).payload, std::int64_t(2));
        QCOMPARE(floatBytes(10).total(), std::int64_t(40));
        for (int bits = 2; bits <= 8; ++bits) {
            const std::int64_t n = 100;
            const double effective = 8.0 * double(uniformBytes(n, bits, 4, false, false).total()) / double(n);
            QVERIFY(effective >= bits && effective <= bits + 8.0 * 9.0 / double(n));
        }
    }
};

QTEST_GUILESS_MAIN(TestUniformQuantizer)
#include "tst_uniform_quantizer.moc"
