#include <QApplication>
#include <QtTest>

#include <algorithm>
#include <cmath>

#include "app/pages/train_page.h"
#include "engine/feed/metric_names.h"
#include "tests/support/page_fixture.h"
#include "tests/support/sample_runs.h"
#include "widgets/plot/loss_chart.h"

using namespace espalier;
using namespace espalier::app;

/// A run of more than a million points shows its curve from the pyramid while its points are still being read.
class TestRunPreview : public QObject {
    Q_OBJECT
    static constexpr std::int64_t kPoints = 1'200'000, kSpike = 777'777;
    tests::PageFixture<TrainPage> m_fixture;
    feed::RunInfo m_long, m_short;

    feed::RunInfo addRun(const std::string& name, std::int64_t points) {
        const auto run = tests::newRun(*m_fixture.workspace, name, "70-compact-transformers");
        auto writer = runlog::RunLogWriter::open(m_fixture.workspace->impl().runFolder(run.id));
        if (!writer) qFatal("%s", writer.error().sentence().c_str());
        const auto loss = (*writer)->series(feed::names::kTrainLoss);
        for (std::int64_t step = 0; step < points; ++step)
            (*writer)->scalar(loss, step, 1000.0 + double(step) * 0.01, step == kSpike ? 9.0 : 1.0 + std::exp(-double(step) / 2e5));
        if (const auto closed = (*writer)->close(true); !closed) qFatal("%s", closed.error().sentence().c_str());
        tests::finishRun(*m_fixture.workspace, run);
        return run;
    }
    struct Seen {
        bool isLoaded = false;
        std::size_t points = 0;
        double most = 0;
        std::size_t lines = 0;
    };
    // What the page draws each time that the bridge says the run was read.
    std::vector<Seen> watch(const feed::RunInfo& run) {
        const QString id = QString::fromStdString(run.id);
        m_fixture.page.reset();
        m_fixture.services = std::make_unique<Services>(*m_fixture.engine, m_fixture.workspace, m_fixture.registry, m_fixture.folder.filePath(QStringLiteral("settings.ini")));
        auto& services = *m_fixture.services;
        if (!QTest::qWaitFor([&] { return services.bridge.isSettled(); }, 10000)) qFatal("the catalog is not read");
        m_fixture.page = std::make_unique<TrainPage>(services.context);
        TrainPage* page = m_fixture.page.get();
        page->resize(920, 734);
        page->show();
        page->activated();
        std::vector<Seen> seen;
        connect(&services.bridge, &EngineBridge::runLoaded, page, [&](const QString& which) {
            if (which != id) return;
            QCoreApplication::sendPostedEvents(page, QEvent::MetaCall);  // the page rebuilds once a burst
            const widgets::Series* series = services.bridge.series().find(id, QStringLiteral("train/loss"));
            if (!series || series->isEmpty()) return;
            seen.push_back({services.bridge.isLoaded(id), series->size(), *std::max_element(series->values.begin(), series->values.end()),
                            page->lossChart()->scene().lines.size()});
        });
        services.selection.setCurrentRun(id);
        if (!QTest::qWaitFor([&] { return services.bridge.isLoaded(id) && !seen.empty() && seen.back().isLoaded; }, 30000)) qFatal("the run is not read");
        return seen;
    }

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_fixture.start());
        m_long = addRun("long", kPoints);
        m_short = addRun("short", 5000);
    }
    void cleanupTestCase() { m_fixture.stop(); }

    void curvesComeFromThePreviewFirst() {
        const auto seen = watch(m_long);
        QVERIFY2(seen.size() >= 2, "only the exact read was seen");
        QVERIFY(!seen.front().isLoaded);
        QCOMPARE(seen.front().lines, std::size_t(1));
        // A few points a pixel, and the one spike of 1.2 million points is among them.
        QVERIFY2(seen.front().points > 1000 && seen.front().points < 20000, qPrintable(QString::number(seen.front().points)));
        QCOMPARE(seen.front().most, 9.0);
        QVERIFY(seen.back().isLoaded);
        QCOMPARE(seen.back().points, std::size_t(kPoints));
        QCOMPARE(seen.back().lines, std::size_t(1));
        QCOMPARE(seen.back().most, 9.0);
        m_fixture.picture(QStringLiteral("preview"));
    }

    void shortRunsAreReadAtOnce() {
        for (const Seen& one : watch(m_short)) {
            QVERIFY(one.isLoaded);
            QCOMPARE(one.points, std::size_t(5000));
        }
    }
};

QTEST_MAIN(TestRunPreview)
#include "tst_run_preview.moc"
