#include <QApplication>
#include <QTest>
#include <QWheelEvent>

#include "widgets/plot/layer_lanes.h"
#include "widgets/theme/color_maps.h"

using namespace espalier::widgets;

/// The lanes of the Quantize page over models of a few and of many layers.
class TestLayerLanes : public QObject {
    Q_OBJECT

    static QVector<LayerColumns::Layer> layersOf(int blocks, int each) {
        QVector<LayerColumns::Layer> layers;
        for (int block = 0; block < blocks; ++block)
            for (int i = 0; i < each; ++i)
                layers << LayerColumns::Layer{QStringLiteral("blocks.%1.l%2").arg(block).arg(i), QStringLiteral("block %1").arg(block + 1),
                                              QStringLiteral("block %1, l%2").arg(block + 1).arg(i)};
        return layers;
    }

private Q_SLOTS:
    void initTestCase() { theme().install(*qobject_cast<QApplication*>(QApplication::instance())); }

    void everyLayerHasAColumnUpTo200() {
        LayerColumns columns;
        columns.setLayers(layersOf(20, 10));
        QVERIFY(!columns.isFolded());
        QCOMPARE(columns.spans().size(), 200u);
        for (int layer = 1; layer < 200; ++layer) QVERIFY(columns.column(layer, 46, 500).left() > columns.column(layer - 1, 46, 500).left());
        QCOMPARE(columns.titleOf(11), QStringLiteral("block 2, l1"));
    }

    void moreLayersFoldToTheirBlocks() {
        LayerColumns columns;
        columns.setLayers(layersOf(48, 6));
        QVERIFY(columns.isFolded());
        QCOMPARE(columns.spans().size(), 48u);
        for (int layer = 0; layer < 288; ++layer) {
            const QRectF place = columns.column(layer, 46, 500);
            QCOMPARE(place, columns.column(layer / 6 * 6, 46, 500));
            QVERIFY2(place.width() >= 6 && place.right() <= 546.5, qPrintable(QString::number(place.right())));
            QCOMPARE(columns.columnAt(place.center().x(), 46, 500), layer / 6 * 6);
        }
        QCOMPARE(columns.titleOf(13), QStringLiteral("block 3, 6 layers"));
        columns.select(0);
        columns.step(1);
        QCOMPARE(columns.selected(), 6);
        columns.step(-1);
        QCOMPARE(columns.selected(), 0);
        // Zoomed to fewer than 200 they unfold.
        columns.zoomTo(60, 119);
        QVERIFY(!columns.isFolded());
        QCOMPARE(columns.spans().size(), 60u);
        columns.zoomBack();
        QVERIFY(columns.isFolded());
    }

    void foldedColumnsSumAndShowTheWorst() {
        LayerColumns columns;
        columns.setLayers(layersOf(48, 6));
        AllocationStrip strip(&columns);
        SensitivityMap map(&columns);
        CalibrationBars bars(&columns);
        QVector<AllocationStrip::Bar> bytes;
        std::vector<double> loss, errors;
        for (int layer = 0; layer < 288; ++layer) {
            bytes << AllocationStrip::Bar{layer % 6 == 0 ? 8000.0 : 1000.0, layer % 6 == 0 ? 8.0 : 4.0};
            loss.push_back(layer == 14 ? 0.5 : 0.01);
            errors.push_back(layer == 16 ? 0.25 : 0.001);
        }
        strip.setBars(bytes);
        map.setCells({QStringLiteral("4 bit")}, {loss}, true, QStringLiteral("loss added"));
        bars.setRows({{QStringLiteral("RTN"), QString(), errors}});
        // 8,000 bytes at 8 bits and 5,000 at 4 bits: 13,000 bytes over 18,000 weights of 8 bits.
        const auto rows = strip.readoutOf(12).rows;
        QCOMPARE(rows[0].raw, QStringLiteral("13,000"));
        QCOMPARE(rows[1].raw, QString::number(13000.0 / (1000 + 1250), 'g', 3));
        QCOMPARE(strip.readoutOf(12).title, QStringLiteral("block 3, 6 layers"));
        QCOMPARE(map.readoutOf(12).rows[0].raw, QStringLiteral("0.50000"));
        QCOMPARE(map.readoutOf(18).rows[0].raw, QStringLiteral("0.010000"));
        QCOMPARE(bars.readoutOf(12).rows[0].raw, QStringLiteral("0.25000"));
        // Files keep every layer.
        QCOMPARE(strip.csvRows().count(u'\n'), 2 * 288);
        // Each block is drawn once: a tall bar in every column.
        strip.resize(560, 90);
        const QImage picture = strip.grab().toImage();
        for (int block = 0; block < 48; ++block) {
            const QPoint place = strip.columnRect(block * 6).center().toPoint();
            QCOMPARE(picture.pixelColor(place.x(), 80), bitsColor(13000.0 / 2250));
        }
    }

    void shiftAndTheWheelScrollAZoom() {
        LayerColumns columns;
        columns.setLayers(layersOf(10, 8));
        AllocationStrip strip(&columns);
        strip.resize(400, 90);
        strip.show();
        columns.zoomTo(10, 29);
        const QPointF at(200, 40);
        const auto turn = [&](int by, Qt::KeyboardModifiers modifiers) {
            QWheelEvent wheel(at, strip.mapToGlobal(at), {}, {0, by}, Qt::NoButton, modifiers, Qt::NoScrollPhase, false);
            QApplication::sendEvent(&strip, &wheel);
        };
        turn(-120, Qt::ShiftModifier);
        QCOMPARE(columns.first(), 12);
        QCOMPARE(columns.last(), 31);
        turn(120, Qt::ShiftModifier);
        QCOMPARE(columns.first(), 10);
        for (int i = 0; i < 40; ++i) turn(-120, Qt::ShiftModifier);
        QCOMPARE(columns.last(), 79);  // no further than the last layer
        turn(120, Qt::NoModifier);
        QVERIFY(columns.last() - columns.first() + 1 < 20);
    }
};

QTEST_MAIN(TestLayerLanes)
#include "tst_layer_lanes.moc"
