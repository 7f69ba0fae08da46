// labels: desk
#include <cmath>

#include "engine/api/torch.h"
#include "tests/plugins/card46_bench.h"

using namespace espalier;
namespace fs = std::filesystem;

/// Recipe 46 on every family of recipe 70 from a run and from a bare weights file.
class TestCard46Matrix : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { QCOMPARE(m_bench.open(), std::string()); }

    void quantizesEveryFamily_data() {
        QTest::addColumn<QString>("variant");
        QTest::addColumn<QString>("granularity");
        QTest::addColumn<QString>("unit");
        QTest::addColumn<QString>("bits");
        QTest::addColumn<QString>("activations");
        QTest::addColumn<bool>("fromFile");
        QTest::addRow("CCT, tensor, all widths") << "cct_desk" << "tensor" << "layer" << "8,7,6,5,4,3,2" << "32" << true;
        QTest::addRow("CCT, channel, w4a4, blocks") << "cct_desk" << "channel" << "block" << "4" << "4" << false;
        QTest::addRow("CVT, channel, w8a8") << "cvt_desk" << "channel" << "layer" << "8,2" << "8" << true;
        QTest::addRow("CVT, tensor, blocks") << "cvt_desk" << "tensor" << "block" << "3" << "32" << false;
        QTest::addRow("ViT-Lite, tensor, w4a8") << "vit_lite_desk" << "tensor" << "layer" << "4" << "8" << false;
        QTest::addRow("ViT-Lite, channel, blocks") << "vit_lite_desk" << "channel" << "block" << "3" << "32" << true;
    }
    void quantizesEveryFamily() {
        QFETCH(QString, variant);
        QFETCH(QString, granularity);
        QFETCH(QString, unit);
        QFETCH(QString, bits);
        QFETCH(QString, activations);
        QFETCH(bool, fromFile);
        auto& parent = m_parents[variant.toStdString()];
        if (parent.empty()) parent = m_bench.train(variant.toStdString());
        QVERIFY2(!parent.empty(), m_bench.error.c_str());
        auto wanted = tests::Card46Bench::request("46", {{"methods", "rtn,adaround,adaquant,flexround"}, {"bits", bits.toStdString()},
                                                         {"granularity", granularity.toStdString()}, {"unit", unit.toStdString()},
                                                         {"activation_bits", activations.toStdString()}, {"iterations", "3"},
                                                         {"calibration", "12"}, {"sensitivity", "false"}});
        wanted.from = parent;
        if (fromFile) {
            const auto file = m_bench.folder() / (variant.toStdString() + ".safetensors");
            const auto folder = fs::path(m_bench.workspace->run(parent)->folder) / "checkpoints";
            fs::copy_file(fs::exists(folder / "best.safetensors") ? folder / "best.safetensors" : folder / "last.safetensors", file,
                          fs::copy_options::overwrite_existing);
            wanted.from = file.string();
            wanted.dataset = m_bench.workspace->datasets()->front().id;
        }
        const auto id = m_bench.run(wanted);
        QVERIFY2(!id.empty(), m_bench.error.c_str());
        const auto tables = m_bench.workspace->tradeoff(id);
        QVERIFY(tables.has_value());
        const auto widths = bits.split(u',');
        QCOMPARE(tables->points.size(), std::size_t(1 + 4 * widths.size()));
        std::map<double, std::int64_t> bytesOfWidth;
        for (const auto& point : tables->points) {
            QVERIFY2(std::isfinite(point.loss) && point.metric >= 0.0 && point.metric <= 1.0, point.label.c_str());
            if (point.pointId == 0) continue;
            QVERIFY(point.bytesTotal < tables->job.baseBytes);
            QCOMPARE(bytesOfWidth.try_emplace(point.avgWBits, point.bytesTotal).first->second, point.bytesTotal);
        }
        QCOMPARE(bytesOfWidth.size(), std::size_t(widths.size()));
        for (const auto& row : tables->layers) {
            QVERIFY2(std::isfinite(row.errOut) && std::isfinite(row.errOutInit), row.layerName.c_str());
            // What FlexRound keeps is never worse than its start, except that errors of activations may weigh in by block.
            if (row.method == "flexround" && unit == QStringLiteral("layer") && activations == QStringLiteral("32"))
                QVERIFY2(row.errOut <= row.errOutInit * 1.0001 + 1e-9, row.layerName.c_str());
        }
        // Eight bits lose next to nothing.
        if (bits.startsWith(u'8') && activations == QStringLiteral("32"))
            QVERIFY(std::abs(tables->points[1].loss - tables->points[0].loss) < 0.02 * std::max(1.0, tables->points[0].loss));
    }

private:
    tests::Card46Bench m_bench;
    std::map<std::string, std::string> m_parents;
};

QTEST_GUILESS_MAIN(TestCard46Matrix)
#include "tst_card46_matrix.moc"
