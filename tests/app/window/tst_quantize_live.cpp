#include <QFile>
#include <QPushButton>
#include <QtTest>

#include <cstring>
#include <set>

#include "app/pages/attend_page.h"
#include "app/pages/quantize_inspector.h"
#include "app/pages/quantize_page.h"
#include "engine/feed/array_record.h"
#include "tests/support/page_fixture.h"
#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/head_wall.h"
#include "widgets/plot/weight_views.h"

using namespace espalier;
using namespace espalier::app;

namespace {

constexpr int kJobMs = 60000;

}  // namespace

/// The pages over jobs that the real engine runs: what they show while it runs, and what they write afterwards.
class TestQuantizeLive : public QObject {
    Q_OBJECT

    tests::PageFixture<QuantizePage> m_fixture;
    std::string m_cct, m_quant;

    std::string submit(const runtime::RunRequest& request) {
        const auto job = m_fixture.engine->submit(request);
        if (!job) qWarning("%s", job.error().sentence().c_str());
        if (!job) return {};
        const auto runs = *m_fixture.workspace->runs();
        for (const auto& run : runs)
            if (run.name == request.name) return run.id;
        return {};
    }
    runtime::RunRequest request(const std::string& name, const std::string& variant) const {
        runtime::RunRequest one;
        one.recipe = "70";
        one.dataset = "shapes";
        one.scale = api::Scale::Smoke;
        one.name = name;
        one.threads = 1;
        one.params = {{"variant", variant}, {"epochs", "2"}, {"probes", "3"}};
        return one;
    }
    void waitForEngine() { QTRY_VERIFY_WITH_TIMEOUT(m_fixture.engine->isIdle(), kJobMs); }

    /// Float values of one stored array at its last step.
    std::vector<float> stored(const std::string& run, const std::string& name) const {
        std::vector<float> values;
        const auto arrays = *m_fixture.workspace->arrays(run);
        for (const auto& array : arrays)
            if (array.name == name) values = m_fixture.workspace->readArray(run, array.index)->floats;
        return values;
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(api::registerAllRecipes(m_fixture.registry));
        QVERIFY(m_fixture.start());
        runtime::ImportRequest import;
        import.paths = {"shapes32:0:80:20"};
        import.format = "generator";
        import.name = "shapes";
        QVERIFY(m_fixture.engine->submitImport(import));
        waitForEngine();
    }
    void cleanupTestCase() { m_fixture.stop(); }

    void attentionOfEveryFamilyComesFromItsLog_data() {
        QTest::addColumn<QString>("variant");
        QTest::addColumn<int>("classTokens");
        QTest::newRow("CCT") << QStringLiteral("cct_desk") << 0;
        QTest::newRow("CVT") << QStringLiteral("cvt_desk") << 0;
        QTest::newRow("ViT-Lite") << QStringLiteral("vit_lite_desk") << 1;
    }

    void attentionOfEveryFamilyComesFromItsLog() {
        QFETCH(QString, variant);
        QFETCH(int, classTokens);
        const std::string run = submit(request(variant.toStdString(), variant.toStdString()));
        QVERIFY(!run.empty());
        tests::PageFixture<AttendPage> attend;
        attend.workspace = m_fixture.workspace;
        attend.services = std::make_unique<Services>(*m_fixture.engine, m_fixture.workspace, m_fixture.registry, m_fixture.folder.filePath(QStringLiteral("settings.ini")));
        QTRY_VERIFY(attend.services->bridge.isSettled());
        attend.services->selection.setCurrentRun(QString::fromStdString(run));
        attend.page = std::make_unique<AttendPage>(attend.services->context);
        attend.page->resize(920, 734);
        attend.page->show();
        attend.page->activated();
        // While it trains: the page fills by itself as snapshots are stored.
        QTRY_VERIFY_WITH_TIMEOUT(!attend.page->index().isEmpty(), kJobMs);
        waitForEngine();
        QTRY_VERIFY_WITH_TIMEOUT(attend.page->isSettled() && attend.services->bridge.isSettled(), 20000);
        const AttendIndex& index = attend.page->index();
        QCOMPARE(index.grid.classTokens, classTokens);
        QTRY_VERIFY(index.snapshots.size() >= 2);
        QCOMPARE(index.probes.size(), std::size_t(3));
        attend.settle();
        // What is drawn is what is stored: the row of the clicked token in the last layer.
        const int token = index.grid.cols + 1, tokens = index.grid.tokens() + classTokens;
        QTest::mouseClick(attend.page->map(), Qt::LeftButton, {}, attend.page->map()->positionOf(token).toPoint());
        attend.settle();
        const auto maps = stored(run, "attn/layer" + std::to_string(attend.page->wall()->layers()));
        const std::size_t from = std::size_t(token + classTokens) * std::size_t(tokens) + std::size_t(classTokens);  // probe 0, head 0
        QVERIFY(maps.size() >= from + std::size_t(index.grid.tokens()));
        QCOMPARE(attend.page->shownWeights(), std::vector<float>(maps.begin() + std::ptrdiff_t(from), maps.begin() + std::ptrdiff_t(from) + index.grid.tokens()));
        // The class token's own row, where there is one; pooling and class maps where there is none.
        if (classTokens == 1) {
            QTest::keyClick(attend.page.get(), Qt::Key_C);
            QCOMPARE(attend.page->shownWeights(), std::vector<float>(maps.begin() + 1, maps.begin() + 1 + index.grid.tokens()));
        } else {
            QTest::keyClick(attend.page.get(), Qt::Key_2);
            const auto pooling = stored(run, feed::arrays::kPooling);
            QCOMPARE(attend.page->shownWeights(), std::vector<float>(pooling.begin(), pooling.begin() + index.grid.tokens()));
            QTest::keyClick(attend.page.get(), Qt::Key_4);
            const auto& share = attend.page->shownWeights();
            QVERIFY(*std::min_element(share.begin(), share.end()) < 0 && *std::max_element(share.begin(), share.end()) > 0);
        }
        QTest::keyClick(attend.page.get(), Qt::Key_3);
        const auto rollout = stored(run, feed::arrays::kRollout);
        QCOMPARE(attend.page->shownWeights(), std::vector<float>(rollout.begin(), rollout.begin() + index.grid.tokens()));
        attend.page.reset();
        attend.services.reset();
        if (variant == QStringLiteral("cct_desk")) m_cct = run;
    }

    void growsWhileTheEngineQuantizes() {
        QVERIFY(!m_cct.empty());
        runtime::RunRequest quant;
        quant.recipe = "46";
        quant.from = m_cct;
        quant.scale = api::Scale::Smoke;
        quant.name = "quant";
        quant.threads = 1;
        quant.params = {{"methods", "rtn,adaround,flexround"}, {"bits", "8,4,3"}, {"granularity", "channel"}, {"iterations", "12"}};
        m_quant = submit(quant);
        QVERIFY(!m_quant.empty());
        m_fixture.services = std::make_unique<Services>(*m_fixture.engine, m_fixture.workspace, m_fixture.registry, m_fixture.folder.filePath(QStringLiteral("settings.ini")));
        QTRY_VERIFY(m_fixture.services->bridge.isSettled());
        m_fixture.services->selection.setCurrentRun(QString::fromStdString(m_cct));
        m_fixture.page = std::make_unique<QuantizePage>(m_fixture.services->context);
        QuantizePage* page = m_fixture.page.get();
        page->resize(920, 734);
        page->show();
        page->activated();
        // Sizes seen while the job is not over: the picture grows point by point.
        std::set<std::size_t> seen;
        QTRY_VERIFY_WITH_TIMEOUT((seen.insert(page->scatter()->points().size()), m_fixture.engine->isIdle()), kJobMs);
        m_fixture.settle();
        seen.erase(0);
        QTRY_COMPARE(page->scatter()->points().size(), std::size_t(10));
        QVERIFY2(seen.size() >= 3, qPrintable(QStringLiteral("%1 different counts").arg(seen.size())));
        m_fixture.settle();
        for (const char* label : {"fp32", "rtn w8", "adaround w4", "flexround w4", "flexround w3"})
            QVERIFY2(std::any_of(page->data().tables.points.begin(), page->data().tables.points.end(), [&](const auto& one) { return one.label == label; }), label);
        // Histogram and grid of the chosen layer came with it.
        QCOMPARE(page->histogram()->levels().empty(), false);
    }

    void exportedPayloadIsTheLoggedBytes() {
        QVERIFY(!m_quant.empty());
        m_fixture.open(m_quant);
        QuantizePage* page = m_fixture.page.get();
        QSignalSpy exported(page, &QuantizePage::exported);
        const QString path = m_fixture.folder.filePath(QStringLiteral("point.safetensors"));
        page->chooseFile = [&](const QString&) { return path; };
        QTest::keyClick(page->scatter(), Qt::Key_Home);
        for (std::size_t i = 0; i < page->scatter()->points().size(); ++i) {
            const int id = page->selectedPoint();
            QTRY_VERIFY_WITH_TIMEOUT(page->details()->exportButton()->isEnabled(), 5000);
            QTest::mouseClick(page->details()->exportButton(), Qt::LeftButton);
            QTRY_COMPARE_WITH_TIMEOUT(exported.count(), int(i) + 1, 10000);
            QVERIFY(exported.last()[2].toBool());
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QByteArray length = file.read(8);
            std::uint64_t header = 0;
            std::memcpy(&header, length.constData(), 8);
            QCOMPARE(std::int64_t(file.size()) - 8 - std::int64_t(header), page->data().point(id)->bytesTotal);
            QTest::keyClick(page->scatter(), Qt::Key_Right);
            m_fixture.settle();
        }
    }
};

QTEST_MAIN(TestQuantizeLive)
#include "tst_quantize_live.moc"
