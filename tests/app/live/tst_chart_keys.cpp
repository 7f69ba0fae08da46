#include "engine/api/torch.h"

#include <QClipboard>
#include <QtTest>

#include "app/pages/page.h"
#include "app/pages/train_page.h"
#include "app/shell/about_dialog.h"
#include "app/shell/window_actions.h"
#include "tests/support/live_window.h"
#include "tests/support/memory_folder.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/messages.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/plot/qcp.h"

using namespace espalier;
using namespace espalier::app;
using feed::JobState;

/// The list of keys holds those of charts and pages too, and what it says of a chart is so.
class TestChartKeys : public QObject {
    Q_OBJECT
    std::unique_ptr<tests::LiveWindow> m_live;

    MainWindow& window() const { return *m_live->window; }
    TrainPage* train() const { return window().findChild<TrainPage*>(); }
    QHash<QString, QStringList> listedKeys() {
        QApplication::setActiveWindow(&window());
        QTest::keyClick(&window(), Qt::Key_F1);
        auto* dialog = window().findChild<ShortcutsDialog*>();
        if (!dialog) qFatal("F1 opens no list of keys");
        QHash<QString, QStringList> groups;
        for (const auto* list : dialog->findChildren<widgets::KeyValueList*>())
            for (const auto& row : list->rows()) groups[list->accessibleName()] << row.key;
        const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
        if (!folder.isEmpty()) dialog->grab().save(folder + QStringLiteral("/keys.png"));
        delete dialog;
        return groups;
    }
    // The key goes to the plot, as after a click on it.
    void press(widgets::LossChart* chart, Qt::Key key, Qt::KeyboardModifiers modifiers = {}) {
        QApplication::setActiveWindow(&window());
        chart->plot()->setFocus();
        QTest::keyClick(chart->plot(), key, modifiers);
    }

private Q_SLOTS:
    void initTestCase() {
        tests::useMemoryFolder();
        m_live = std::make_unique<tests::LiveWindow>();
        const auto job = m_live->start({{"epochs", "3"}}, "first");
        QVERIFY(m_live->waitFor(job, JobState::Completed));
        window().openPage(QStringLiteral("train"));
        m_live->services->selection.setCurrentRun(m_live->row(job)->runId);
        QTRY_VERIFY(window().isSettled());
        QTRY_VERIFY(!train()->lossChart()->scene().lines.empty());
    }
    void cleanupTestCase() { m_live.reset(); }

    void keysOfChartsAndPagesAreListed() {
        const auto groups = listedKeys();
        const QStringList chart = groups.value(QStringLiteral("In a chart"));
        for (const char* key : {"L", "Shift+L", "[, ]", "Backspace", "0", "Esc"}) QVERIFY2(chart.contains(QString::fromLatin1(key)), key);
        const QStringList attend = groups.value(QStringLiteral("On the page Attend"));
        for (const char* key : {"1 to 4", "L, Shift+L", "H, Shift+H", "N, Shift+N", "Space", "O", "G"}) QVERIFY2(attend.contains(QString::fromLatin1(key)), key);
        QVERIFY(groups.contains(QStringLiteral("On the page Quantize")) && groups.contains(QStringLiteral("On the page Data")));
        QVERIFY(groups.value(QStringLiteral("In the window")).contains(QStringLiteral("Ctrl+Shift+C")));
    }

    void theKeysDoWhatTheListSays() {
        widgets::LossChart* chart = train()->lossChart();
        widgets::ChartGroup* group = train()->group();
        press(chart, Qt::Key_L);
        QVERIFY(chart->isLogY());
        press(chart, Qt::Key_L);
        QVERIFY(!chart->isLogY());
        press(chart, Qt::Key_L, Qt::ShiftModifier);
        QVERIFY(group->isLogX());
        press(chart, Qt::Key_L, Qt::ShiftModifier);
        QVERIFY(!group->isLogX());
        press(chart, Qt::Key_Plus);
        QVERIFY(group->isZoomed());
        press(chart, Qt::Key_Backspace);
        QVERIFY(!group->isZoomed());
        const double smoothing = group->smoothing();
        press(chart, Qt::Key_BracketRight);
        QVERIFY(group->smoothing() > smoothing);
        press(chart, Qt::Key_Right);
        QVERIFY(group->cursor());
        press(chart, Qt::Key_C, Qt::ControlModifier);
        QVERIFY(QApplication::clipboard()->text().contains(u'\t'));
        press(chart, Qt::Key_Escape);
        QVERIFY(!group->cursor());
    }

    void theFocusedChartIsCopiedAsAPicture() {
        widgets::LossChart* small = train()->charts().value(3);
        QVERIFY(small);
        QApplication::clipboard()->clear();
        press(small, Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
        QStringList toasts;
        for (auto* toast : window().findChildren<widgets::Toast*>()) toasts << toast->text();
        QVERIFY2(toasts.join(u' ').contains(small->title()), qPrintable(toasts.join(u' ')));
        const QImage copied = QApplication::clipboard()->image();
        QVERIFY(!copied.isNull());
        small->copyPicture();
        QCOMPARE(copied.size(), QApplication::clipboard()->image().size());
        QCOMPARE(copied, QApplication::clipboard()->image());
        train()->lossChart()->copyPicture();
        QVERIFY(copied != QApplication::clipboard()->image());
    }
};

QTEST_MAIN(TestChartKeys)
#include "tst_chart_keys.moc"
