#include "engine/api/torch.h"

#include <QComboBox>
#include <QPushButton>
#include <QThread>
#include <QtTest>

#include "app/pages/page.h"
#include "app/pages/run_banner.h"
#include "app/pages/train_page.h"
#include "app/shell/error_presenter.h"
#include "app/shell/job_row.h"
#include "app/shell/stall_watch.h"
#include "tests/support/live_window.h"
#include "tests/support/memory_folder.h"
#include "widgets/controls/messages.h"

using namespace espalier;
using namespace espalier::app;
using feed::JobState;

/// A loss that is no number, an engine that hangs, a window that does not answer: each is said where one looks.
class TestTrouble : public QObject {
    Q_OBJECT
    std::unique_ptr<tests::LiveWindow> m_live;

    static QPushButton* buttonOf(QWidget* parent, const QString& words) {
        for (QPushButton* button : parent->findChildren<QPushButton*>())
            if (button->text() == words) return button;
        return nullptr;
    }
    RunBanner* banner() const {
        auto* page = qobject_cast<TrainPage*>(m_live->window->currentPage());
        return page ? page->banner() : nullptr;
    }
    feed::JobId startNaN(const std::string& name) {
        return m_live->start({{"trouble", "nan"}, {"at_step", "5"}, {"checkpoint_every", "2"}}, name);
    }

private Q_SLOTS:
    void initTestCase() {
        tests::useMemoryFolder();
        m_live = std::make_unique<tests::LiveWindow>();
    }
    void cleanupTestCase() { m_live.reset(); }
    void cleanup() { m_live->stopAll(); }

    void aLossThatIsNoNumberPausesAndSaysWhere() {
        const auto job = startNaN("broken");
        QVERIFY(m_live->waitFor(job, JobState::Paused));
        const QString run = m_live->row(job)->runId;
        QTRY_VERIFY(m_live->services->bridge.run(run));
        m_live->services->selection.setCurrentRun(run);
        m_live->window->openPage(QStringLiteral("train"));
        QVERIFY(banner());
        QTRY_VERIFY(banner()->isVisible());
        QTRY_VERIFY2(banner()->text().contains(QStringLiteral("train/loss became NaN at step 6")), qPrintable(banner()->text()));
        QVERIFY2(banner()->text().startsWith(QStringLiteral("broken paused: ")), qPrintable(banner()->text()));
        QVERIFY(banner()->text().contains(QStringLiteral("last good checkpoint")));
        // The row in the dock says it too.
        QVERIFY(m_live->window->jobs()->rowOf(job)->stageText().startsWith(QStringLiteral("Paused: ")));
        // As tall as its two lines and the buttons, no more.
        QTRY_VERIFY2(banner()->height() < 110, qPrintable(QString::number(banner()->height())));
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        QTest::qWait(200);
        if (!folder.isEmpty()) m_live->window->grab().save(folder + QStringLiteral("/non-finite.png"));
    }

    void aFailedRunIsNamedOnceAndEndsInOneStop() {
        const auto job = m_live->start({{"trouble", "throw"}, {"at_step", "5"}}, "throws");
        QVERIFY(m_live->waitFor(job, JobState::Failed));
        widgets::Banner* failed = nullptr;
        QTRY_VERIFY([&] {
            for (auto* each : m_live->window->findChildren<widgets::Banner*>())
                if (each->isVisible() && each->text().startsWith(QStringLiteral("throws failed"))) failed = each;
            return failed != nullptr;
        }());
        QCOMPARE(failed->text().count(QStringLiteral("throws")), 1);
        QVERIFY2(failed->text().contains(QStringLiteral("Something unexpected happened: thrown on command.")), qPrintable(failed->text()));
        QVERIFY2(!failed->text().contains(QStringLiteral("..")) && failed->text().endsWith(QStringLiteral("is kept.")), qPrintable(failed->text()));
        delete failed;
    }

    void pagesOfARunThatWaitsAreQuiet() {
        const auto first = m_live->start({{"epochs", "500"}, {"batches", "100"}, {"step_ms", "10"}}, "first");
        QVERIFY(m_live->waitFor(first, JobState::Running));
        const auto second = m_live->start({{"epochs", "1"}}, "second");
        QVERIFY(m_live->waitFor(second, JobState::Queued));
        QTRY_VERIFY(m_live->services->bridge.run(m_live->row(second)->runId));
        m_live->services->selection.setCurrentRun(m_live->row(second)->runId);
        const auto wordsOf = [](const QWidget* page) {
            const auto* empty = page->findChild<widgets::EmptyState*>();
            return empty && empty->isVisible() ? empty->accessibleName() : QString();
        };
        for (const auto& [key, words] : std::vector<std::pair<QString, QString>>{{QStringLiteral("attend"), QStringLiteral("No maps yet")},
                                                                                {QStringLiteral("quantize"), QStringLiteral("Nothing to quantize yet")}}) {
            m_live->window->openPage(key);
            Page* page = m_live->window->currentPage();
            QTRY_VERIFY2(wordsOf(page).startsWith(words), qPrintable(wordsOf(page)));
            for (QPushButton* button : page->findChildren<QPushButton*>()) QVERIFY2(!button->isVisible(), qPrintable(button->text()));
            for (QComboBox* box : page->findChildren<QComboBox*>()) QVERIFY(!box->isVisible());
        }
        m_live->window->openPage(QStringLiteral("train"));
    }

    void resumeGoesBackAndPausesAgainStopEnds() {
        const auto job = startNaN("again");
        QVERIFY(m_live->waitFor(job, JobState::Paused));
        const QString run = m_live->row(job)->runId;
        QTRY_VERIFY(m_live->services->bridge.run(run));
        m_live->services->selection.setCurrentRun(run);
        m_live->window->openPage(QStringLiteral("train"));
        QTRY_VERIFY(banner()->isVisible());
        QSignalSpy changes(&m_live->services->bridge, &EngineBridge::jobStateChanged);
        QPushButton* resume = buttonOf(banner(), QStringLiteral("Resume"));
        QVERIFY(resume);
        QTest::mouseClick(resume, Qt::LeftButton);
        QTRY_VERIFY(changes.count() >= 2);  // running, then paused at the same step
        QVERIFY(m_live->waitFor(job, JobState::Paused));
        QTRY_VERIFY(banner()->isVisible() && buttonOf(banner(), QStringLiteral("Stop")));
        QTest::mouseClick(buttonOf(banner(), QStringLiteral("Stop")), Qt::LeftButton);
        QVERIFY(m_live->waitFor(job, JobState::Stopped));
        QTRY_VERIFY(!banner()->isVisible());
    }

    void aPauseByTheUserIsNoTrouble() {
        const auto job = m_live->start({{"epochs", "50"}, {"batches", "100"}, {"step_ms", "10"}}, "calm");
        QVERIFY(m_live->waitFor(job, JobState::Running));
        m_live->services->selection.setCurrentRun(m_live->row(job)->runId);
        m_live->engine->pause(job);
        QVERIFY(m_live->waitFor(job, JobState::Paused));
        QTest::qWait(100);
        QVERIFY(!banner()->isVisible());
        QCOMPARE(m_live->window->jobs()->rowOf(job)->stageText(), QStringLiteral("Paused"));
    }

    void aStepThatHangsIsShownWithTheLastThingDone() {
        StallWatch* watch = m_live->window->stalls();
        watch->setLimits({0.5, 180, 2000});
        const auto job = m_live->start({{"epochs", "2"}, {"batches", "3"}, {"step_ms", "1800"}}, "slow");
        QVERIFY(m_live->waitFor(job, JobState::Running));
        QTRY_VERIFY_WITH_TIMEOUT(!watch->bannerText().isEmpty(), 6000);
        QVERIFY2(watch->bannerText().startsWith(QStringLiteral("slow has given no sign of life for ")), qPrintable(watch->bannerText()));
        QVERIFY2(watch->bannerText().contains(QStringLiteral("The last thing it did: ")), qPrintable(watch->bannerText()));
        // It goes by itself when the job goes on.
        watch->setLimits({60, 180, 2000});
        QTRY_VERIFY_WITH_TIMEOUT(watch->bannerText().isEmpty(), 3000);
        watch->setLimits({0.5, 180, 2000});
        QTRY_VERIFY_WITH_TIMEOUT(!watch->bannerText().isEmpty(), 6000);
        QPushButton* stop = nullptr;
        for (auto* each : m_live->window->findChildren<widgets::Banner*>())
            if (!stop) stop = buttonOf(each, QStringLiteral("Stop the job"));
        QVERIFY(stop);
        QTest::mouseClick(stop, Qt::LeftButton);
        QVERIFY(m_live->waitFor(job, JobState::Stopped, 8000));
        watch->setLimits({60, 180, 2000});
    }

    void aWindowThatHungSaysSoAndAfterWhat() {
        StallWatch* watch = m_live->window->stalls();
        watch->setLimits({60, 180, 300});
        QTest::keyClick(m_live->window.get(), Qt::Key_2, Qt::AltModifier);
        QTest::qWait(50);
        const int before = m_live->window->errors()->toastCount();
        QThread::msleep(500);
        QTRY_VERIFY(m_live->window->errors()->toastCount() > before);
        bool isSaid = false;
        for (auto* toast : m_live->window->findChildren<widgets::Toast*>())
            isSaid = isSaid || (toast->text().contains(QStringLiteral("did not answer")) && toast->text().contains(QStringLiteral("Attend")));
        QVERIFY(isSaid);
        watch->setLimits({60, 180, 2000});
    }
};

QTEST_MAIN(TestTrouble)
#include "tst_trouble.moc"
