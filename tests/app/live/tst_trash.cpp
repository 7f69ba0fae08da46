#include "engine/api/torch.h"

#include <QAction>
#include <QLabel>
#include <QPushButton>
#include <QTreeView>
#include <QtTest>

#include <filesystem>

#include "app/shell/trash_dialog.h"
#include "app/shell/window_actions.h"
#include "tests/support/live_window.h"
#include "tests/support/memory_folder.h"

using namespace espalier;
using namespace espalier::app;
using feed::JobState;

/// The trash as a list: what lies in it with its size, putting back, undoing that, emptying.
class TestTrash : public QObject {
    Q_OBJECT
    std::unique_ptr<tests::LiveWindow> m_live;
    QStringList m_runs;

    MainWindow& window() const { return *m_live->window; }
    TrashDialog* openTrash() {
        for (QAction* action : window().actions().all())
            if (action->objectName() == QStringLiteral("show-trash")) action->trigger();
        TrashDialog* dialog = nullptr;
        for (auto* each : window().findChildren<TrashDialog*>())
            if (each->isVisible()) dialog = each;
        if (!dialog || !QTest::qWaitForWindowExposed(dialog)) qFatal("the menu opens no trash");
        return dialog;
    }
    static QStringList names(const TrashDialog* dialog) {
        QStringList all;
        for (int row = 0; row < dialog->view()->model()->rowCount(); ++row) all << dialog->view()->model()->index(row, 0).data().toString();
        all.sort();
        return all;
    }
    QStringList listed() const {
        QStringList all;
        for (const feed::RunInfo& run : m_live->services->bridge.runs().runs()) all << QString::fromStdString(run.name);
        all.sort();
        return all;
    }
    void saved() { QTRY_VERIFY(m_live->services->edits.isIdle()); }

private Q_SLOTS:
    void initTestCase() {
        tests::useMemoryFolder();
        m_live = std::make_unique<tests::LiveWindow>();
        for (const char* name : {"one", "two", "three"}) QVERIFY(m_live->waitFor(m_live->start({{"epochs", "1"}}, name), JobState::Completed));
        QTRY_COMPARE(m_live->services->bridge.runs().rowCount(), 3);
        for (const feed::RunInfo& run : m_live->services->bridge.runs().runs()) m_runs << QString::fromStdString(run.id);
    }
    void cleanupTestCase() { m_live.reset(); }

    void anEmptyTrashSaysSo() {
        TrashDialog* dialog = openTrash();
        QTRY_COMPARE(dialog->findChildren<QLabel*>().front()->text(), QStringLiteral("The trash is empty."));
        QVERIFY(!dialog->restoreButton()->isEnabled());
        QVERIFY(!dialog->emptyButton()->isEnabled());
        QTest::keyClick(dialog, Qt::Key_Escape);
        QTRY_VERIFY(window().findChildren<TrashDialog*>().isEmpty());
    }

    void listsWhatLiesInItWithSizesAndPutsBack() {
        m_live->services->edits.trashRuns(m_runs.mid(0, 2));
        saved();
        QTRY_COMPARE(listed(), QStringList{QStringLiteral("one")});
        TrashDialog* dialog = openTrash();
        QTRY_COMPARE(names(dialog), (QStringList{QStringLiteral("three"), QStringLiteral("two")}));
        for (int row = 0; row < 2; ++row) {
            QCOMPARE(dialog->view()->model()->index(row, 1).data().toString(), QStringLiteral("run"));
            const QString size = dialog->view()->model()->index(row, 2).data().toString();
            QVERIFY2(size.endsWith(QStringLiteral("B")) && size.section(u' ', 0, 0).toDouble() > 0, qPrintable(size));
        }
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        if (!folder.isEmpty()) dialog->grab().save(folder + QStringLiteral("/trash.png"));
        const QModelIndex first = dialog->view()->model()->index(0, 0);
        const QString name = first.data().toString();
        QTest::mouseClick(dialog->view()->viewport(), Qt::LeftButton, {}, dialog->view()->visualRect(first).center());
        QTest::mouseClick(dialog->restoreButton(), Qt::LeftButton);
        saved();
        QTRY_COMPARE(dialog->view()->model()->rowCount(), 1);
        QTRY_VERIFY(listed().contains(name));
        // Putting back is an edit like any other.
        m_live->services->undo.undo();
        saved();
        QTRY_COMPARE(dialog->view()->model()->rowCount(), 2);
        QTRY_VERIFY(!listed().contains(name));
        QTest::keyClick(dialog, Qt::Key_Escape);
        QTRY_VERIFY(window().findChildren<TrashDialog*>().isEmpty());
    }

    void emptyingFreesTheFolders() {
        const auto trash = m_live->workspace->folder() / "trash";
        QVERIFY(!std::filesystem::is_empty(trash));
        TrashDialog* dialog = openTrash();
        QTRY_VERIFY(dialog->emptyButton()->isEnabled());
        QTest::mouseClick(dialog->emptyButton(), Qt::LeftButton);
        saved();
        QTRY_COMPARE(dialog->view()->model()->rowCount(), 0);
        QVERIFY(std::filesystem::is_empty(trash));
        QCOMPARE(listed(), QStringList{QStringLiteral("one")});
    }
};

QTEST_MAIN(TestTrash)
#include "tst_trash.moc"
