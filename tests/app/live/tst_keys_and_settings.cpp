#include "engine/api/torch.h"

#include <QAction>
#include <QDialog>
#include <QListView>
#include <QMenu>
#include <QMenuBar>
#include <QTabBar>
#include <QToolButton>
#include <QPushButton>
#include <QtTest>

#include "app/pages/new_run_dialog.h"
#include "app/pages/new_run_row.h"
#include "app/pages/page.h"
#include "app/settings/key_settings.h"
#include "app/settings/settings_dialog.h"
#include "app/shell/about_dialog.h"
#include "app/shell/command_palette.h"
#include "app/shell/navigator.h"
#include "app/shell/window_actions.h"
#include "tests/support/live_window.h"
#include "tests/support/memory_folder.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/segmented_control.h"

using namespace espalier;
using namespace espalier::app;
using feed::JobState;

/// Everything by keys; keys that the user changed; the settings window with its search.
class TestKeysAndSettings : public QObject {
    Q_OBJECT
    std::unique_ptr<tests::LiveWindow> m_live;

    MainWindow& window() const { return *m_live->window; }
    // Offscreen nobody hands the focus back when a dialog closes; a window manager does.
    void press(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) {
        QApplication::setActiveWindow(&window());
        QTest::keyClick(&window(), key, modifiers);
    }
    QAction* action(const QString& id) const {
        for (QAction* each : window().actions().all())
            if (each->objectName() == id) return each;
        return nullptr;
    }
    template <class T> T* openDialog() const {
        T* dialog = nullptr;
        for (T* each : window().findChildren<T*>())
            if (each->isVisible()) dialog = each;
        return dialog;
    }
    template <class T> void closeDialog() {
        T* dialog = openDialog<T>();
        QVERIFY(dialog);
        QTest::keyClick(dialog, Qt::Key_Escape);
        QTRY_VERIFY(!openDialog<T>());
    }
    SettingsDialog* openSettings() {
        press(Qt::Key_Comma, Qt::ControlModifier);
        auto* dialog = openDialog<SettingsDialog>();
        if (!dialog || !QTest::qWaitForWindowExposed(dialog)) qFatal("Ctrl+, opens no settings");
        QApplication::setActiveWindow(dialog);
        return dialog;
    }

private Q_SLOTS:
    void initTestCase() {
        tests::useMemoryFolder();
        m_live = std::make_unique<tests::LiveWindow>();
        const auto job = m_live->start({{"epochs", "2"}}, "first");
        QVERIFY(m_live->waitFor(job, JobState::Completed));
        QTRY_COMPARE(m_live->services->bridge.runs().rowCount(), 1);
    }
    void cleanupTestCase() { m_live.reset(); }

    void everyActionHasAnIdOfItsOwnAndNoKeyIsTwice() {
        QStringList ids, keys;
        for (QAction* each : window().actions().all()) {
            QVERIFY2(!each->objectName().isEmpty(), qPrintable(each->text()));
            QVERIFY2(!ids.contains(each->objectName()), qPrintable(each->objectName()));
            ids << each->objectName();
            for (const QKeySequence& key : each->shortcuts()) {
                QVERIFY2(!keys.contains(key.toString()), qPrintable(key.toString()));
                keys << key.toString();
            }
        }
        QVERIFY(ids.size() > 40);
    }

    void pagesByKeys() {
        const auto& pages = window().pages();
        QVERIFY(pages.size() >= 5);
        for (std::size_t i = 0; i < pages.size(); ++i) {
            press(static_cast<Qt::Key>(Qt::Key_1 + static_cast<int>(i)), Qt::AltModifier);
            QCOMPARE(window().currentPage(), pages[i]);
        }
        press(Qt::Key_Tab, Qt::ControlModifier);
        QCOMPARE(window().currentPage(), pages.front());
        press(Qt::Key_Tab, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(window().currentPage(), pages.back());
    }

    void jobsByKeys() {
        const auto job = m_live->start({{"epochs", "5"}, {"batches", "10000"}, {"step_ms", "10"}}, "long");
        QVERIFY(m_live->waitFor(job, JobState::Running));
        m_live->services->selection.setCurrentRun(m_live->row(job)->runId);
        press(Qt::Key_P, Qt::ControlModifier);
        QVERIFY(m_live->waitFor(job, JobState::Paused));
        press(Qt::Key_P, Qt::ControlModifier);
        QVERIFY(m_live->waitFor(job, JobState::Running));
        const auto checkpoint = std::filesystem::path(m_live->services->bridge.run(m_live->row(job)->runId)->folder) / "checkpoints" / "last.safetensors";
        QVERIFY(!std::filesystem::exists(checkpoint));
        press(Qt::Key_S, Qt::ControlModifier);
        QTRY_VERIFY(std::filesystem::exists(checkpoint));
        press(Qt::Key_Period, Qt::ControlModifier);
        QVERIFY(m_live->waitFor(job, JobState::Stopped));
    }

    void runsByKeys() {
        QTRY_COMPARE(m_live->services->bridge.runs().rowCount(), 2);
        press(Qt::Key_1, Qt::ControlModifier);
        QListView* view = window().navigator()->runView();
        QVERIFY(view->hasFocus());
        QTest::keyClick(view, Qt::Key_Home);
        const QString top = m_live->services->selection.currentRun();
        QTest::keyClick(view, Qt::Key_Down);
        QVERIFY(m_live->services->selection.currentRun() != top);
        const QString run = m_live->services->selection.currentRun();
        const bool wasShown = m_live->services->selection.isShown(run);
        press(Qt::Key_E, Qt::ControlModifier);
        QCOMPARE(m_live->services->selection.isShown(run), !wasShown);
        press(Qt::Key_F, Qt::ControlModifier | Qt::ShiftModifier);
        auto* filter = window().navigator()->findChild<widgets::FilterField*>();
        QVERIFY(filter && filter->hasFocus());
        QTest::keyClicks(filter, QStringLiteral("long"));
        QTRY_COMPARE(view->model()->rowCount(), 1);
        filter->selectAll();
        QTest::keyClick(filter, Qt::Key_Delete);
        QTRY_COMPARE(view->model()->rowCount(), 2);
    }

    void windowsByKeys() {
        press(Qt::Key_N, Qt::ControlModifier);
        QVERIFY(openDialog<NewRunDialog>());
        closeDialog<NewRunDialog>();
        press(Qt::Key_F1);
        QVERIFY(openDialog<ShortcutsDialog>());
        closeDialog<ShortcutsDialog>();
        press(Qt::Key_K, Qt::ControlModifier);
        QVERIFY(window().commandField()->isListOpen());
        QTest::keyClick(window().commandField(), Qt::Key_Escape);
        QVERIFY(!window().commandField()->isListOpen());
    }

    void settingsAreFoundByAWord() {
        SettingsDialog* dialog = openSettings();
        QVERIFY(dialog);
        QVERIFY(dialog->search()->hasFocus());
        const auto all = dialog->shownRows().size();
        QVERIFY(all > 40);
        QTest::keyClicks(dialog->search(), QStringLiteral("text size"));
        QCOMPARE(dialog->shownRows(), QStringList{QStringLiteral("text-size")});
        dialog->search()->selectAll();
        QTest::keyClicks(dialog->search(), QStringLiteral("ctrl+k"));
        QCOMPARE(dialog->shownRows(), QStringList{QStringLiteral("command-palette")});
        dialog->search()->selectAll();
        QTest::keyClicks(dialog->search(), QStringLiteral("no such setting"));
        QVERIFY(dialog->shownRows().isEmpty());
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        dialog->search()->clear();
        QTest::qWait(50);
        if (!folder.isEmpty()) dialog->grab().save(folder + QStringLiteral("/settings.png"));
        closeDialog<SettingsDialog>();
    }

    void aKeyIsChangedKeptAndReset() {
        SettingsDialog* dialog = openSettings();
        KeySettings::Row* row = dialog->keys()->row(QStringLiteral("side-panels"));
        QVERIFY(row);
        row->edit->setFocus();
        QTest::keyClick(row->edit, Qt::Key_F8);
        QTRY_COMPARE(action(QStringLiteral("side-panels"))->shortcuts(), QList<QKeySequence>{QKeySequence(Qt::Key_F8)});
        closeDialog<SettingsDialog>();
        press(Qt::Key_F8);
        QVERIFY(!window().navigator()->isVisible());
        press(Qt::Key_F9);  // the old key does nothing any more
        QVERIFY(!window().navigator()->isVisible());
        press(Qt::Key_F8);
        QVERIFY(window().navigator()->isVisible());
        m_live->reopen();
        QCOMPARE(action(QStringLiteral("side-panels"))->shortcut(), QKeySequence(Qt::Key_F8));
        dialog = openSettings();
        QTest::mouseClick(dialog->keys()->row(QStringLiteral("side-panels"))->reset, Qt::LeftButton);
        QCOMPARE(action(QStringLiteral("side-panels"))->shortcut(), QKeySequence(Qt::Key_F9));
        QCOMPARE(action(QStringLiteral("side-panels"))->shortcuts().size(), 2);
        closeDialog<SettingsDialog>();
    }

    void aTakenKeyIsRefusedWithItsOwner() {
        SettingsDialog* dialog = openSettings();
        KeySettings::Row* row = dialog->keys()->row(QStringLiteral("full-screen"));
        row->edit->setFocus();
        QTest::keyClick(row->edit, Qt::Key_F5);
        QTRY_VERIFY2(row->form->problem().contains(QStringLiteral("Read the workspace again")), qPrintable(row->form->problem()));
        QCOMPARE(action(QStringLiteral("full-screen"))->shortcut(), QKeySequence(Qt::Key_F11));
        QCOMPARE(action(QStringLiteral("read-the-workspace-again"))->shortcut(), QKeySequence(Qt::Key_F5));
        QTest::mouseClick(row->form->remedy(), Qt::LeftButton);
        QVERIFY(row->form->problem().isEmpty());
        QCOMPARE(action(QStringLiteral("full-screen"))->shortcut(), QKeySequence(Qt::Key_F5));
        QVERIFY(action(QStringLiteral("read-the-workspace-again"))->shortcuts().isEmpty());
        QTest::mouseClick(row->clear, Qt::LeftButton);
        QVERIFY(action(QStringLiteral("full-screen"))->shortcuts().isEmpty());
        for (const char* id : {"full-screen", "read-the-workspace-again"})
            QTest::mouseClick(dialog->keys()->row(QString::fromLatin1(id))->reset, Qt::LeftButton);
        QCOMPARE(action(QStringLiteral("read-the-workspace-again"))->shortcut(), QKeySequence(Qt::Key_F5));
        closeDialog<SettingsDialog>();
    }

    void textSizeGrowsRowsAtOnceAndStays() {
        SettingsDialog* dialog = openSettings();
        auto* scale = dialog->findChild<widgets::SegmentedControl*>(QStringLiteral("textScale"));
        QVERIFY(scale);
        const int tabs = window().findChild<QTabBar*>()->height();
        QListView* runs = window().navigator()->runView();
        const int row = runs->sizeHintForRow(0);
        QTest::mouseClick(scale, Qt::LeftButton, {}, scale->segmentRect(2).center());
        QCOMPARE(widgets::theme().textScale(), 1.5);
        QCOMPARE(widgets::theme().font(widgets::Type::Body).pixelSize(), 18);
        QCOMPARE(runs->sizeHintForRow(0), row * 3 / 2);
        QTRY_COMPARE(window().findChild<QTabBar*>()->height(), tabs * 3 / 2);
        QCOMPARE(m_live->services->settings.textScale(), 1.5);
        // The buttons beside the command field grow beside it, not over it.
        QWidget* corner = window().menuBar()->cornerWidget(Qt::TopRightCorner);
        QTRY_VERIFY(corner->width() >= corner->sizeHint().width());
        for (auto* button : corner->findChildren<QToolButton*>()) QVERIFY(!window().commandField()->geometry().intersects(button->geometry()));
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        QTest::qWait(200);
        if (!folder.isEmpty()) window().grab().save(folder + QStringLiteral("/text-150.png"));
        QTest::mouseClick(scale, Qt::LeftButton, {}, scale->segmentRect(0).center());
        QCOMPARE(widgets::theme().textScale(), 1.0);
        QCOMPARE(runs->sizeHintForRow(0), row);
        closeDialog<SettingsDialog>();
    }

    void recentDataStandsInTheMenu() {
        const QString gone = m_live->folder.filePath(QStringLiteral("gone.csv"));
        m_live->services->settings.addRecentFile(gone);
        QMenu* recent = nullptr;
        for (QMenu* menu : window().findChildren<QMenu*>())
            if (menu->title() == QStringLiteral("Recent data")) recent = menu;
        QVERIFY(recent);
        recent->popup(window().mapToGlobal(QPoint(50, 50)));
        QAction* entry = nullptr;
        for (QAction* each : recent->actions())
            if (each->text() == gone) entry = each;
        QVERIFY(entry);
        QVERIFY(!entry->isEnabled());  // the file is gone
        recent->close();
    }
};

QTEST_MAIN(TestKeysAndSettings)
#include "tst_keys_and_settings.moc"
