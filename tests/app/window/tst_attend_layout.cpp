#include <QApplication>
#include <QtTest>

#include <algorithm>

#include "app/pages/attend_page.h"
#include "tests/support/page_fixture.h"
#include "tests/support/sample_runs.h"
#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/epoch_scrubber.h"
#include "widgets/heatmap/head_wall.h"
#include "widgets/heatmap/mini_map.h"
#include "widgets/heatmap/probe_strip.h"
#include "widgets/plot/loss_chart.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

/// How the Attend page shares its room: large and small windows, small and large models.
class TestAttendLayout : public QObject {
    Q_OBJECT
private:
    tests::PageFixture<AttendPage> m_fixture;
    feed::RunInfo m_cct, m_vit, m_deep;

    void open(const feed::RunInfo& run) { m_fixture.open(run.id); }
    void settle() { m_fixture.settle(); }
    AttendPage* page() const { return m_fixture.page.get(); }

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_fixture.stop(); }
    void smallModelsFillTheirRoom();
    void sevenLayersLoseNoChart();
    void rendersAtBothSizes();
};

void TestAttendLayout::initTestCase() {
    QVERIFY(m_fixture.start());
    m_cct = tests::makeAttentionRun(*m_fixture.workspace, "cct-s0", {});
    m_vit = tests::makeAttentionRun(*m_fixture.workspace, "vit-s0", tests::classTokenShape());
    tests::AttentionShape deep;
    deep.grid = 8;
    deep.jump = 4;
    deep.layers = 7;
    deep.heads = 4;
    deep.snapshots = 3;
    m_deep = tests::makeAttentionRun(*m_fixture.workspace, "cct-7x4", deep);
}

void TestAttendLayout::sevenLayersLoseNoChart() {
    open(m_deep);
    QCOMPARE(page()->wall()->layers(), 7);
    QCOMPARE(page()->wall()->heads(), 4);
    for (const QSize size : {QSize(920, 734), QSize(836, 606)}) {  // in windows of 1440×900 and 1280×720 with a job line
        page()->resize(size);
        settle();
        m_fixture.picture(QStringLiteral("attend-7x4"));
        QVERIFY(page()->entropyChart()->isVisible());
        // The plot learns of its room when it is drawn next.
        QTRY_VERIFY2(page()->entropyChart()->plotArea().height() >= 44, qPrintable(QString::number(page()->entropyChart()->plotArea().height())));
        QVERIFY(page()->wall()->thumbRect(6, 3).width() >= 44);
        int minis = 0, bottom = 0;
        for (const auto* mini : page()->findChildren<MiniMap*>()) {
            minis += mini->isVisible() && mini->mapRect().width() >= 56;
            bottom = std::max(bottom, mini->mapTo(page(), mini->rect().bottomLeft()).y());
        }
        QCOMPARE(minis, 4);
        const int top = page()->entropyChart()->mapTo(page(), QPoint()).y(), end = top + page()->entropyChart()->height();
        QVERIFY(bottom < top && end <= page()->scrubber()->mapTo(page(), QPoint()).y());
    }
}

void TestAttendLayout::smallModelsFillTheirRoom() {
    open(m_vit);
    for (const QSize size : {QSize(920, 734), QSize(836, 606)}) {
        page()->resize(size);
        settle();
        const HeadWall* wall = page()->wall();
        const MiniMap* map = page()->classMap();
        const int wallRight = wall->mapTo(page(), QPoint(wall->width(), 0)).x(), mapLeft = map->mapTo(page(), QPoint(0, 0)).x();
        // The four small maps stand beside the wall, not below it, and reach the page's right edge.
        const int right = page()->entropyChart()->parentWidget()->mapTo(page(), QPoint(page()->entropyChart()->parentWidget()->width(), 0)).x();
        QVERIFY2(mapLeft >= wallRight, qPrintable(QStringLiteral("%1 %2").arg(mapLeft).arg(wallRight)));
        int end = 0;
        for (const auto* mini : page()->findChildren<MiniMap*>()) end = std::max(end, mini->mapTo(page(), mini->mapRect().topRight()).x());
        QVERIFY2(right - end <= 24, qPrintable(QStringLiteral("%1 of %2").arg(end).arg(right)));
        QVERIFY(wall->thumbRect(1, 1).right() <= wall->width() && wall->thumbRect(0, 0).width() >= 44);  // what LOOK asks of a low window
        m_fixture.picture(QStringLiteral("attend-vit"));
    }
}

void TestAttendLayout::rendersAtBothSizes() {
    open(m_cct);
    for (const QSize size : {QSize(920, 734), QSize(836, 606)}) {
        page()->resize(size);
        settle();
        // Nothing sticks out of the page, and the map is an integer multiple of the image.
        QCOMPARE(page()->size(), size);
        for (QWidget* part : {static_cast<QWidget*>(page()->map()), static_cast<QWidget*>(page()->wall()), static_cast<QWidget*>(page()->strip()), static_cast<QWidget*>(page()->scrubber())}) {
            const QRect place(part->mapTo(page(), QPoint(0, 0)), part->size());
            QVERIFY2(page()->rect().contains(place), qPrintable(QStringLiteral("%1: %2 to %3 of %4").arg(part->accessibleName()).arg(place.top()).arg(place.bottom()).arg(size.height())));
        }
        QVERIFY(page()->map()->mapTo(page(), page()->map()->rect().bottomLeft()).y() < page()->scrubber()->mapTo(page(), QPoint()).y());
        QCOMPARE(page()->map()->scale(), std::floor(page()->map()->scale()));
        m_fixture.picture(QStringLiteral("attend"));
    }
}

QTEST_MAIN(TestAttendLayout)
#include "tst_attend_layout.moc"
