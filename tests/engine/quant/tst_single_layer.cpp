// labels: desk
#include <QTest>

#include "tests/engine/quant/oracle.h"

using namespace espalier::quant;

/// Card 46, check 5, whole: five seeds at 2, 3 and 4 bits.
class TestSingleLayer : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void heldOutErrorRelativeToRoundToNearest_data() {
        QTest::addColumn<int>("bits");
        for (const int bits : {2, 3, 4}) QTest::addRow("%d bits", bits) << bits;
    }
    void heldOutErrorRelativeToRoundToNearest() {
        QFETCH(int, bits);
        at::set_num_threads(1);
        double adaSum = 0, flexSum = 0;
        int flexWins = 0;
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const oracle::SingleLayer layer(seed);
            const auto grid = findGrid(layer.weight, {bits, false, false, true});
            const double rtn = layer.heldOutError(roundToNearest(layer.weight, grid));
            AdaRoundQuantizer ada(layer.weight, grid, oracle::kLambda);
            oracle::trainAdaRound(ada, layer);
            FlexRoundQuantizer flex(layer.weight, grid);
            oracle::trainFlexRound(flex, layer);
            const double adaError = layer.heldOutError(ada.hard()) / rtn, flexError = layer.heldOutError(flex.hard()) / rtn;
            qInfo("%d bits, seed %d: adaround %.3f flexround %.3f", bits, int(seed), adaError, flexError);
            adaSum += adaError / 5;
            flexSum += flexError / 5;
            flexWins += flexError < adaError;
        }
        qInfo("%d bits, mean: adaround %.3f flexround %.3f, flexround better in %d of 5", bits, adaSum, flexSum, flexWins);
        QVERIFY2(adaSum <= 0.65, std::to_string(adaSum).c_str());
        QVERIFY2(flexSum <= 0.40, std::to_string(flexSum).c_str());
        QVERIFY(flexWins >= 4);
    }
};

QTEST_GUILESS_MAIN(TestSingleLayer)
#include "tst_single_layer.moc"
