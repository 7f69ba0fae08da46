#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTabBar>
#include <QToolButton>
#include <QtTest>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <utility>

#include "app/pages/new_run_recipes.h"
#include "tests/support/new_run_window.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/messages.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

/// The form of the New-run window: values by keys and clicks, what they say, and where the parts stand.
class TestNewRunDialog : public QObject, tests::NewRunWindow {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { start(); }
    void cleanupTestCase() { stop(); }
    void wrongRateSaysWhyAndTheLinkMendsIt();
    void scientificNotationAndSteps();
    void scaleResetsWhatTheUserLeftAlone();
    void rowsAppearWhenTheyMatter();
    void forecastFollowsTheValues();
    void commandLineSaysTheSame();
    void searchNarrowsTheRecipes();
    void quantizerNeedsAParent();
    void cardStandsBehindATabWhenNarrow();
    void escapeCloses();
    void rendersInBothThemes();
};

void TestNewRunDialog::wrongRateSaysWhyAndTheLinkMendsIt() {
    open();
    QVERIFY(m_dialog->startButton()->isEnabled());
    type("lr", "5.5e-1");
    QCOMPARE(field("lr")->problem(), QStringLiteral("Highest is 1e-1; the paper uses 5.5e-4."));
    QVERIFY(!m_dialog->startButton()->isEnabled());
    QCOMPARE(m_dialog->problemText(), QStringLiteral("1 value to correct"));
    QVERIFY(field("lr")->editor()->property("isWrong").toBool());
    type("epochs", "many");
    QCOMPARE(m_dialog->problemText(), QStringLiteral("2 values to correct"));
    QVERIFY(field("epochs")->problem().contains(QStringLiteral("\"many\" is not a whole number")));
    QTest::mouseClick(field("lr")->remedy(), Qt::LeftButton);
    QVERIFY(field("lr")->problem().isEmpty());
    QCOMPARE(field("lr")->value(), std::string("0.00055"));
    QTest::mouseClick(field("epochs")->remedy(), Qt::LeftButton);
    QCOMPARE(field("epochs")->value(), std::string("300"));
    settle();
    QVERIFY(m_dialog->startButton()->isEnabled());
    QVERIFY(m_dialog->problemText().isEmpty());
}

void TestNewRunDialog::scientificNotationAndSteps() {
    open();
    type("lr", "2.5e-3");
    QCOMPARE(field("lr")->value(), std::string("0.0025"));
    QTest::keyClick(field("lr")->editor(), Qt::Key_Up);
    QCOMPARE(field("lr")->value(), std::string("0.005"));
    QTest::keyClick(field("lr")->editor(), Qt::Key_Down);
    QTest::keyClick(field("lr")->editor(), Qt::Key_Down);
    QCOMPARE(field("lr")->value(), std::string("0.001"));
    type("batch", "64");
    QTest::keyClick(field("batch")->editor(), Qt::Key_PageUp);
    QCOMPARE(field("batch")->value(), std::string("74"));
    type("epochs", "5000");
    QTest::keyClick(field("epochs")->editor(), Qt::Key_Up);  // the range ends here
    QCOMPARE(field("epochs")->value(), std::string("5000"));
    settle();
}

void TestNewRunDialog::scaleResetsWhatTheUserLeftAlone() {
    open();
    QCOMPARE(field("epochs")->value(), std::string("10"));
    type("lr", "7e-4");
    clickScale(2);
    QCOMPARE(field("epochs")->value(), std::string("300"));
    QCOMPARE(field("variant")->value(), std::string("CCT-7/3x1"));
    QCOMPARE(field("lr")->value(), std::string("7e-04"));
    clickScale(0);
    QCOMPARE(field("epochs")->value(), std::string("1"));
    QCOMPARE(field("lr")->value(), std::string("7e-04"));
    const std::map<std::string, std::string> changed{{"lr", "7e-04"}};
    QCOMPARE(m_dialog->form()->changed(), changed);
}

void TestNewRunDialog::rowsAppearWhenTheyMatter() {
    open();
    QVERIFY(field("layers")->isHidden());
    auto* variant = qobject_cast<QComboBox*>(field("variant")->editor());
    QVERIFY(variant);
    variant->setFocus();
    QTest::keyClick(variant, Qt::Key_End);
    QCOMPARE(variant->currentText(), QStringLiteral("custom"));
    QVERIFY(!field("layers")->isHidden());
    QVERIFY(field("dropout")->isHidden());  // advanced, folded
    type("layers", "99");
    QCOMPARE(m_dialog->form()->problemCount(), 1);
    QTest::keyClick(variant, Qt::Key_Home);
    // A value that does not matter cannot be wrong, and is not sent.
    QCOMPARE(m_dialog->form()->problemCount(), 0);
    QVERIFY(m_dialog->form()->changed().count("layers") == 0);
    settle();
}

void TestNewRunDialog::forecastFollowsTheValues() {
    open();
    clickScale(2);
    const KeyValueList* rows = m_dialog->card()->forecastRows();
    QTRY_VERIFY(valueOf(rows, QStringLiteral("parameters")) != QStringLiteral("–"));
    const QString paper = valueOf(rows, QStringLiteral("parameters"));
    runtime::RunRequest request;
    request.recipe = "70";
    request.dataset = m_dataset.toStdString();
    request.scale = api::Scale::Paper;
    const auto forecast = m_engine->forecast(request);
    QVERIFY(forecast.has_value());
    QCOMPARE(QString(paper).remove(u','), QString::number(forecast->params));
    clickScale(1);
    QTRY_VERIFY(valueOf(rows, QStringLiteral("parameters")) != paper);
    type("epochs", "0");
    settle();
    QCOMPARE(valueOf(rows, QStringLiteral("parameters")), QStringLiteral("–"));
}

void TestNewRunDialog::commandLineSaysTheSame() {
    open();
    clickScale(0);
    type("lr", "2e-3");
    typeSeeds(QStringLiteral("0, 1, 1, 2"));
    auto* name = qobject_cast<QLineEdit*>(m_dialog->target()->nameRow()->editor());
    QTest::keyClicks(name, QStringLiteral("it's new"));
    settle();
    QCOMPARE(m_dialog->commandLine(),
             QStringLiteral("espalier-cli run 70 --data shapes --scale smoke --seed 0,1,2 --name 'it'\\''s new' --lr 0.002"));
    QCOMPARE(m_dialog->startButton()->text(), QStringLiteral("Start 3 runs"));
    for (QToolButton* button : m_dialog->findChildren<QToolButton*>())
        if (button->toolTip() == QStringLiteral("Copy the command line")) QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(QApplication::clipboard()->text(), m_dialog->commandLine());
}

void TestNewRunDialog::searchNarrowsTheRecipes() {
    open();
    QCOMPARE(m_dialog->recipes()->view()->model()->rowCount(), static_cast<int>(m_registry.cards().size()));
    QTest::keyClicks(m_dialog->recipes()->search(), QStringLiteral("rounding"));
    QTRY_COMPARE(m_dialog->recipes()->view()->model()->rowCount(), 1);
    m_dialog->recipes()->view()->setFocus();
    QTest::keyClick(m_dialog->recipes()->view(), Qt::Key_Down);
    QCOMPARE(m_dialog->recipes()->current(), QStringLiteral("46-flexround"));
    QVERIFY(field("granularity"));
    settle();
}

void TestNewRunDialog::quantizerNeedsAParent() {
    open(QStringLiteral("46"));
    QVERIFY(!m_dialog->target()->parentRow()->problem().isEmpty());
    QVERIFY(!m_dialog->startButton()->isEnabled());
    open(QStringLiteral("70"));
    QVERIFY(m_dialog->target()->parentRow()->problem().isEmpty());
    QVERIFY(m_dialog->startButton()->isEnabled());
}

void TestNewRunDialog::cardStandsBehindATabWhenNarrow() {
    open(QStringLiteral("70"), {}, {1440, 900});
    QVERIFY(!m_dialog->cardTabs()->isVisible());
    QVERIFY(m_dialog->card()->isVisible());
    open(QStringLiteral("70"), {}, {960, 600});
    QVERIFY2(m_dialog->width() < 960 && m_dialog->width() <= 912, qPrintable(QString::number(m_dialog->width())));
    QTabBar* tabs = m_dialog->cardTabs();
    QVERIFY(tabs->isVisible());
    QVERIFY(!m_dialog->card()->isVisible() && m_dialog->form()->isVisible());
    QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(1).center());
    QVERIFY(m_dialog->card()->isVisible() && !m_dialog->form()->isVisible());
    tabs->setFocus();
    QTest::keyClick(tabs, Qt::Key_Left);
    QVERIFY(!m_dialog->card()->isVisible() && m_dialog->form()->isVisible());
    // Nothing of the form is cut: it is as wide as its column.
    QVERIFY(m_dialog->form()->width() > 400);
}

void TestNewRunDialog::escapeCloses() {
    open();
    QTest::keyClick(m_dialog.get(), Qt::Key_Escape);
    QVERIFY(!m_dialog->isVisible());
    QVERIFY(!m_window->findChild<QWidget*>(QStringLiteral("scrim")));
}

void TestNewRunDialog::rendersInBothThemes() {
    const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
    for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light})
        for (const QSize size : {QSize(1440, 900), QSize(1280, 720)}) {
            theme().setKind(kind);
            open(QStringLiteral("70"), {}, size);
            clickScale(2);
            type("lr", "5.5e-1");
            typeSeeds(QStringLiteral("0, 1, 2"));
            settle();
            const QPixmap picture = m_dialog->grab();
            QVERIFY(picture.width() <= size.width() && picture.height() <= size.height());
            if (!folder.isEmpty()) picture.save(folder + QStringLiteral("/newrun-%1-%2.png").arg(Theme::kindName(kind)).arg(size.width()));
            if (folder.isEmpty()) continue;
            QTest::mouseClick(field("lr")->remedy(), Qt::LeftButton);
            settle();
            for (QScrollArea* area : m_dialog->findChildren<QScrollArea*>())
                if (area->widget()->isAncestorOf(m_dialog->form())) area->verticalScrollBar()->setValue(area->verticalScrollBar()->maximum());
            QTest::qWait(50);
            m_dialog->grab().save(folder + QStringLiteral("/newrun-end-%1-%2.png").arg(Theme::kindName(kind)).arg(size.width()));
            open(QStringLiteral("46"), {}, size);
            m_dialog->grab().save(folder + QStringLiteral("/newrun46-%1-%2.png").arg(Theme::kindName(kind)).arg(size.width()));
        }
    theme().setKind(ThemeKind::Dark);
}

QTEST_MAIN(TestNewRunDialog)
#include "tst_new_run_dialog.moc"
