#include "engine/api/torch.h"

#include <QtTest>

#include <filesystem>

#include "app/pages/train_page.h"
#include "app/shell/status_line.h"
#include "tests/support/live_window.h"
#include "tests/support/memory_folder.h"
#include "widgets/controls/messages.h"
#include "widgets/plot/loss_chart.h"

using namespace espalier;
using namespace espalier::app;
using feed::JobState;

/// What opening a workspace had to say stands over the pages: reading only, a network file system.
class TestNotices : public QObject {
    Q_OBJECT
    std::unique_ptr<tests::LiveWindow> m_live;

    QStringList banners() const {
        QStringList all;
        for (auto* banner : m_live->window->findChildren<widgets::Banner*>()) all << banner->text();
        return all;
    }
    void openAgain(const runtime::Workspace::Options& options) {
        const auto folder = m_live->workspace->folder();
        m_live->window.reset();
        m_live->services.reset();
        m_live->engine.reset();
        m_live->workspace.reset();
        auto opened = runtime::Workspace::open(folder, options);
        QVERIFY2(opened, opened ? "" : opened.error().sentence().c_str());
        m_live->workspace = *opened;
        m_live->engine = std::make_unique<runtime::Engine>(m_live->workspace, m_live->registry);
        m_live->open();
    }

private Q_SLOTS:
    void initTestCase() {
        tests::useMemoryFolder();
        m_live = std::make_unique<tests::LiveWindow>();
        QVERIFY(m_live->waitFor(m_live->start({{"epochs", "1"}}, "first"), JobState::Completed));
    }
    void cleanupTestCase() { m_live.reset(); }

    void aQuietWorkspaceHasNoBanner() { QCOMPARE(banners(), QStringList()); }

    void aNetworkFileSystemIsSaid() {
        openAgain({.fileSystemType = 0x6969});  // NFS
        QCOMPARE(banners().size(), 1);
        QVERIFY2(banners().front().contains(QStringLiteral("NFS")), qPrintable(banners().front()));
        QVERIFY2(banners().front().contains(QStringLiteral("only one machine at a time")), qPrintable(banners().front()));
    }

    void readingOnlyIsSaidAndAnEditIsRefused() {
        // A folder where the lock file belongs: nothing can be opened for writing, whoever runs this test.
        const auto lock = m_live->workspace->folder() / ".opening";
        std::filesystem::remove(lock);
        std::filesystem::create_directory(lock);
        openAgain({});
        QVERIFY(m_live->workspace->isReadOnly());
        QCOMPARE(banners().size(), 1);
        QVERIFY2(banners().front().contains(QStringLiteral("for reading only")), qPrintable(banners().front()));
        QVERIFY(m_live->window->status()->accessibleDescription().contains(QStringLiteral("read only")));
        QCOMPARE(m_live->services->bridge.runs().rowCount(), 1);
        // What is there can be read: the curve stands.
        auto* train = m_live->window->findChild<TrainPage*>();
        m_live->services->selection.setCurrentRun(QString::fromStdString(m_live->services->bridge.runs().at(0)->id));
        QTRY_VERIFY(!train->lossChart()->scene().lines.empty());
        QTRY_VERIFY(m_live->window->isSettled());
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        if (!folder.isEmpty()) m_live->window->grab().save(folder + QStringLiteral("/read-only.png"));
        const auto run = QString::fromStdString(m_live->services->bridge.runs().at(0)->id);
        m_live->services->edits.renameRun(run, QStringLiteral("other"));
        QTRY_COMPARE(banners().size(), 2);
        QTRY_COMPARE(m_live->services->bridge.runs().at(0)->name, std::string("first"));
    }
};

QTEST_MAIN(TestNotices)
#include "tst_notices.moc"
