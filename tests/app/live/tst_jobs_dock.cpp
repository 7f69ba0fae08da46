#include "engine/api/torch.h"

#include <QPlainTextEdit>
#include <QStandardItemModel>
#include <QToolButton>
#include <QtTest>

#include "app/shell/job_row.h"
#include "engine/base/log.h"
#include "tests/support/live_window.h"
#include "tests/support/memory_folder.h"
#include "widgets/controls/messages.h"

using namespace espalier;
using namespace espalier::app;
using feed::JobState;

/// The dock at the bottom by mouse and keys: order of the queue, log, warnings.
class TestJobsDock : public QObject {
    Q_OBJECT
    std::unique_ptr<tests::LiveWindow> m_live;
    feed::JobId m_running = 0;
    std::vector<feed::JobId> m_queued;

    JobsDock& dock() const { return *m_live->window->jobs(); }
    // Places as the engine gives them, first to last.
    std::vector<feed::JobId> order() const {
        std::vector<feed::JobId> ids;
        for (const JobRow& job : m_live->services->bridge.jobs().rows())
            if (job.state == JobState::Queued) ids.push_back(job.id);
        return ids;
    }
    void drag(feed::JobId job, int rows) {
        JobRowWidget* row = dock().rowOf(job);
        QToolButton* handle = row->dragHandle();
        QVERIFY(handle->isVisible());
        const QPoint from = handle->rect().center();
        const QPoint start = handle->mapToGlobal(from);
        QTest::mousePress(handle, Qt::LeftButton, {}, from);
        const int steps = 6, distance = rows * row->height();
        for (int i = 1; i <= steps; ++i) {
            const QPoint at = start + QPoint(0, distance * i / steps);
            QMouseEvent move(QEvent::MouseMove, QPointF(handle->mapFromGlobal(at)), QPointF(at), Qt::NoButton, Qt::LeftButton, {});
            QApplication::sendEvent(handle, &move);
            QTest::qWait(15);
        }
        const QPoint end = start + QPoint(0, distance);
        QMouseEvent release(QEvent::MouseButtonRelease, QPointF(handle->mapFromGlobal(end)), QPointF(end), Qt::LeftButton, Qt::NoButton, {});
        QApplication::sendEvent(handle, &release);
    }

private Q_SLOTS:
    void initTestCase() {
        tests::useMemoryFolder();
        m_live = std::make_unique<tests::LiveWindow>();
        m_running = m_live->start({{"epochs", "500"}, {"batches", "100"}, {"step_ms", "10"}}, "running");
        for (const char* name : {"one", "two", "three"}) m_queued.push_back(m_live->start({{"epochs", "1"}}, name));
        QVERIFY(m_live->waitFor(m_running, JobState::Running));
        QTRY_COMPARE(order(), m_queued);
    }
    void cleanupTestCase() {
        m_live->stopAll();
        m_live.reset();
    }

    void keysChangeTheOrder() {
        const auto [one, two, three] = std::tuple(m_queued[0], m_queued[1], m_queued[2]);
        JobRowWidget* row = dock().rowOf(three);
        row->setFocus();
        QTest::keyClick(row, Qt::Key_Up, Qt::AltModifier);
        QTRY_COMPARE(order(), (std::vector{one, three, two}));
        QTest::keyClick(row, Qt::Key_Up, Qt::AltModifier);
        QTRY_COMPARE(order(), (std::vector{three, one, two}));
        QTest::keyClick(row, Qt::Key_Up, Qt::AltModifier);  // the top is the top
        QTest::qWait(60);
        QCOMPARE(order(), (std::vector{three, one, two}));
        QVERIFY(row->hasFocus());  // the row keeps the keyboard while it moves
        QTest::keyClick(row, Qt::Key_Down, Qt::AltModifier);
        QTest::qWait(60);
        QTest::keyClick(row, Qt::Key_Down, Qt::AltModifier);
        QTRY_COMPARE(order(), m_queued);
    }

    void arrowsWalkTheRows() {
        QTest::keyClick(m_live->window.get(), Qt::Key_J, Qt::ControlModifier);
        QTRY_VERIFY(dock().rowOf(m_running)->hasFocus());
        QTest::keyClick(dock().rowOf(m_running), Qt::Key_Down);
        QVERIFY(dock().rowOf(m_queued[0])->hasFocus());
        QTest::keyClick(dock().rowOf(m_queued[0]), Qt::Key_Up);
        QVERIFY(dock().rowOf(m_running)->hasFocus());
        QTest::keyClick(dock().rowOf(m_running), Qt::Key_Space);
        QVERIFY(m_live->waitFor(m_running, JobState::Paused));
        QTRY_COMPARE(dock().countsText(), QStringLiteral("1 paused, 3 queued"));
        QTest::keyClick(dock().rowOf(m_running), Qt::Key_Space);
        QVERIFY(m_live->waitFor(m_running, JobState::Running));
    }

    void draggingChangesTheOrder() {
        const auto [one, two, three] = std::tuple(m_queued[0], m_queued[1], m_queued[2]);
        drag(one, 2);
        QTRY_COMPARE(order(), (std::vector{two, three, one}));
        drag(one, -2);
        QTRY_COMPARE(order(), m_queued);
        drag(two, 1);
        QTRY_COMPARE(order(), (std::vector{one, three, two}));
        drag(two, -1);
        QTRY_COMPARE(order(), m_queued);
    }

    void logTabShowsWhatIsLogged() {
        QTest::mouseClick(dock().tabButton(JobsDock::Tab::Log), Qt::LeftButton);
        QCOMPARE(dock().currentTab(), JobsDock::Tab::Log);
        QVERIFY(dock().logText()->isVisible());
        ESPALIER_LOG(Info, "test") << "a line for the eyes";
        QTRY_VERIFY(dock().logText()->toPlainText().contains(QStringLiteral("a line for the eyes")));
        QVERIFY(dock().logText()->height() >= 80);
        QTest::mouseClick(dock().tabButton(JobsDock::Tab::Jobs), Qt::LeftButton);
        QVERIFY(dock().rowOf(m_running)->isVisible());
        QTest::keyClick(m_live->window.get(), Qt::Key_L, Qt::ControlModifier);
        QVERIFY(dock().logText()->isVisible());
        QVERIFY(dock().logText()->hasFocus());
    }

    void warningsTabListsFileReasonAndResult() {
        const QString path = m_live->folder.filePath(QStringLiteral("odd.csv"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("a,b,kind\n1,2,x\n3,4,y\n5,6\n7,8,x\n9,10,y\n");  // one row is short
        file.close();
        QTRY_COMPARE(dock().warningRows()->rowCount(), 0);
        m_live->window->importPaths({path});
        QTRY_VERIFY_WITH_TIMEOUT(dock().warningRows()->rowCount() >= 1, 20000);
        QTest::keyClick(m_live->window.get(), Qt::Key_L, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(dock().currentTab(), JobsDock::Tab::Warnings);
        const QString count = QString::number(dock().warningRows()->rowCount());
        QCOMPARE(dock().tabButton(JobsDock::Tab::Warnings)->text(), QStringLiteral("Warnings ") + count);
        QVERIFY2(dock().warningRows()->item(0, 1)->text().endsWith(QStringLiteral("odd.csv, line 4")), qPrintable(dock().warningRows()->item(0, 1)->text()));
        QVERIFY(!dock().warningRows()->item(0, 2)->text().isEmpty());
        QVERIFY(!dock().warningRows()->item(0, 3)->text().isEmpty());
        // What says that the import is done says too that something was left out.
        const auto toasts = [&] {
            QStringList all;
            for (auto* toast : m_live->window->findChildren<widgets::Toast*>()) all << toast->text();
            return all.join(u'|');
        };
        QTRY_VERIFY2(toasts().contains(QStringLiteral("completed with %1 warning").arg(count)), qPrintable(toasts()));
    }

    void deleteTakesAJobOutOfTheQueue() {
        QTest::mouseClick(dock().tabButton(JobsDock::Tab::Jobs), Qt::LeftButton);
        JobRowWidget* row = dock().rowOf(m_queued[1]);
        row->setFocus();
        QTest::keyClick(row, Qt::Key_Delete);
        QTRY_COMPARE(order(), (std::vector{m_queued[0], m_queued[2]}));
    }
};

QTEST_MAIN(TestJobsDock)
#include "tst_jobs_dock.moc"
