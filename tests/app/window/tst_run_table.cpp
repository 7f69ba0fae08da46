#include <QApplication>
#include <QInputDialog>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPlainTextEdit>
#include <QTemporaryDir>
#include <QTest>

#include <memory>

#include "app/pages/compare_page.h"
#include "app/pages/compare_table.h"
#include "app/shell/main_window.h"
#include "app/shell/navigator.h"
#include "app/shell/services.h"
#include "tests/support/window_samples.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/section.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/theme.h"

using namespace espalier;
using namespace espalier::app;

/// The run table and what is compared from it, by the keys and clicks of a user: filter, sort, tag, rename, note,
/// trash, undo, and the colour that a run keeps.
class TestRunTable : public QObject {
    Q_OBJECT

    api::RecipeRegistry m_registry;
    QTemporaryDir m_folder;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    std::unique_ptr<MainWindow> m_window;
    QStringList m_ids;

    QListView* view() const { return m_window->navigator()->runView(); }
    QStringList shownNames() const {
        QStringList names;
        for (int row = 0; row < view()->model()->rowCount(); ++row) names << view()->model()->index(row, 0).data().toString();
        return names;
    }
    void select(const QString& name) {
        activate();
        for (int row = 0; row < view()->model()->rowCount(); ++row) {
            const QModelIndex index = view()->model()->index(row, 0);
            if (index.data().toString() != name) continue;
            QTest::mouseClick(view()->viewport(), Qt::LeftButton, {}, view()->visualRect(index).center());
            return;
        }
        QFAIL(qPrintable(name));
    }
    void clickSwatch(const QString& name) {
        for (int row = 0; row < view()->model()->rowCount(); ++row) {
            const QModelIndex index = view()->model()->index(row, 0);
            if (index.data().toString() == name)
                QTest::mouseClick(view()->viewport(), Qt::LeftButton, {}, widgets::RunRowDelegate::swatchRect(view()->visualRect(index)).center());
        }
    }
    void type(const QString& filter) {
        auto* field = m_window->navigator()->findChild<widgets::FilterField*>();
        QVERIFY(field);
        field->setFocus();
        field->selectAll();
        if (filter.isEmpty()) QTest::keyClick(field, Qt::Key_Delete);
        QTest::keyClicks(field, filter);
        QTest::keyClick(field, Qt::Key_Return);
    }
    // Without a window manager nothing gives the window its focus back when a dialog closes.
    void activate() {
        QTRY_VERIFY(!m_window->findChild<QInputDialog*>());
        m_window->activateWindow();
        QApplication::setActiveWindow(m_window.get());
        QTRY_VERIFY(m_window->isActiveWindow());
    }
    void undo() {
        activate();
        view()->setFocus();  // in the filter line Ctrl+Z takes back what was typed there
        QTRY_VERIFY(view()->hasFocus());
        QTest::keyClick(view(), Qt::Key_Z, Qt::ControlModifier);
    }
    void saved() { QTRY_VERIFY(m_services->edits.isIdle()); }
    feed::RunInfo stored(int run) const { return *m_workspace->run(m_ids[run].toStdString()); }
    void openWindow() {
        m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("settings.ini")));
        m_window = std::make_unique<MainWindow>(m_services->context);
        m_window->resize(1440, 900);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->isSettled(), 10000);
    }

private Q_SLOTS:
    void initTestCase() {
        widgets::theme().install(*qobject_cast<QApplication*>(QApplication::instance()));
        QVERIFY(api::registerAllRecipes(m_registry));
        m_workspace = *runtime::Workspace::open(m_folder.filePath(QStringLiteral("ws")).toStdString());
        for (const auto& [name, top1] : std::vector<std::pair<std::string, double>>{{"alpha", 0.91}, {"beta", 0.95}, {"gamma", 0.93}}) {
            tests::SampleRun run;
            run.name = name;
            run.top1 = top1;
            run.hasAnswers = true;
            run.lr = name == "alpha" ? 5.5e-4 : name == "beta" ? 1e-3 : 2e-3;  // runs that differ in nothing are one group
            run.steps = run.logged = 800;
            run.stepsPerEpoch = 40;
            m_ids << QString::fromStdString(tests::addRun(*m_workspace, run));
        }
        m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
        openWindow();
        QTRY_COMPARE_WITH_TIMEOUT(view()->model()->rowCount(), 3, 10000);
    }
    void cleanupTestCase() {
        m_window.reset();
        m_services.reset();
        m_engine.reset();
    }

    void filtersByNameParameterAndMetric() {
        type(QStringLiteral("test/top1 > 0.92"));
        QTRY_COMPARE(view()->model()->rowCount(), 2);
        type(QStringLiteral("lr = 0.001"));
        QTRY_COMPARE(shownNames(), QStringList{QStringLiteral("beta")});
        type(QStringLiteral("alp"));
        QTRY_COMPARE(shownNames(), QStringList{QStringLiteral("alpha")});
        type(QString());
        QTRY_COMPARE(view()->model()->rowCount(), 3);
    }

    void aWrongFilterSaysWhyBelowIt() {
        const QLabel* words = m_window->navigator()->filterProblem();
        QVERIFY(!words->isVisible());
        type(QStringLiteral("test/top1 > 0.92"));
        QTRY_COMPARE(view()->model()->rowCount(), 2);
        type(QStringLiteral("test/top1 > "));
        QTRY_VERIFY(words->isVisible());
        QVERIFY2(words->text().contains(QStringLiteral("a value is missing")), qPrintable(words->text()));
        QCOMPARE(view()->model()->rowCount(), 2);  // the last good list stays
        auto* field = m_window->navigator()->findChild<widgets::FilterField*>();
        QCOMPARE(field->font().family(), widgets::theme().font(widgets::Type::Mono).family());
        type(QString());
        QTRY_VERIFY(!words->isVisible());
        QTRY_COMPARE(view()->model()->rowCount(), 3);
    }

    void aClickOnTheHeaderSorts() {
        widgets::Section* section = m_window->navigator()->runSection();
        const auto header = [&] { return section->trailingRect().center(); };
        const auto click = [&] {
            QWidget* under = section->childAt(header());
            QVERIFY(under);
            QTest::mouseClick(under, Qt::LeftButton, {}, under->mapFrom(section, header()));
        };
        const QStringList newest = shownNames();
        // By hand: alpha .91, beta .95, gamma .93.
        click();
        QTRY_COMPARE(shownNames(), (QStringList{QStringLiteral("beta"), QStringLiteral("gamma"), QStringLiteral("alpha")}));
        click();
        QTRY_COMPARE(shownNames(), (QStringList{QStringLiteral("alpha"), QStringLiteral("gamma"), QStringLiteral("beta")}));
        // With a filter the order stays.
        type(QStringLiteral("test/top1 > 0.92"));
        QTRY_COMPARE(shownNames(), (QStringList{QStringLiteral("gamma"), QStringLiteral("beta")}));
        type(QString());
        QTRY_COMPARE(view()->model()->rowCount(), 3);
        click();
        QTRY_COMPARE(shownNames(), newest);
        QVERIFY(!section->isCollapsed());  // the title beside it still collapses the list
        QTest::mouseClick(section->childAt(QPoint(40, header().y())), Qt::LeftButton, {}, QPoint(40, 10));
        QVERIFY(section->isCollapsed());
        QTest::mouseClick(section->childAt(QPoint(40, header().y())), Qt::LeftButton, {}, QPoint(40, 10));
        QVERIFY(!section->isCollapsed());
    }

    void tagsByKeyAndFiltersByTag() {
        select(QStringLiteral("beta"));
        QTest::keyClick(m_window.get(), Qt::Key_T, Qt::ControlModifier);
        QInputDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = m_window->findChild<QInputDialog*>()) && dialog->isVisible());
        auto* line = dialog->findChild<QLineEdit*>();
        QVERIFY(line);
        QTest::keyClicks(line, QStringLiteral("paper"));
        QTest::keyClick(line, Qt::Key_Return);
        QTRY_VERIFY(!m_services->bridge.run(m_ids[1])->tags.empty());
        saved();
        QCOMPARE(stored(1).tags, std::vector<std::string>{"paper"});
        type(QStringLiteral("tag = paper"));
        QTRY_COMPARE(shownNames(), QStringList{QStringLiteral("beta")});
        type(QString());
        QTRY_COMPARE(view()->model()->rowCount(), 3);
        undo();
        QTRY_VERIFY(m_services->bridge.run(m_ids[1])->tags.empty());
        saved();
        QVERIFY(stored(1).tags.empty());
    }

    void renamesInPlaceAndUndoes() {
        select(QStringLiteral("gamma"));
        view()->setFocus();
        QTest::keyClick(view(), Qt::Key_F2);
        auto* editor = view()->findChild<QLineEdit*>();
        QVERIFY(editor);
        editor->selectAll();
        QTest::keyClicks(editor, QStringLiteral("delta"));
        QTest::keyClick(editor, Qt::Key_Return);
        QTRY_VERIFY(shownNames().contains(QStringLiteral("delta")));
        saved();
        QCOMPARE(stored(2).name, std::string("delta"));
        undo();
        QTRY_VERIFY(shownNames().contains(QStringLiteral("gamma")));
        saved();
    }

    void notesAreKept() {
        m_window->openPage(QStringLiteral("train"));
        select(QStringLiteral("alpha"));
        QPlainTextEdit* note = nullptr;
        for (auto* edit : m_window->findChildren<QPlainTextEdit*>())
            if (edit->accessibleName() == QStringLiteral("Note") && edit->isVisible()) note = edit;
        QVERIFY(note);
        note->setFocus();
        QTest::keyClicks(note, QStringLiteral("use for figure 4"));
        QTRY_COMPARE_WITH_TIMEOUT(m_services->bridge.run(m_ids[0])->note, std::string("use for figure 4"), 5000);
        saved();
        QCOMPARE(stored(0).note, std::string("use for figure 4"));
    }

    void trashKeepsTheRunAndUndoBringsItBack() {
        const int color = m_services->bridge.run(m_ids[1])->colorIndex;
        select(QStringLiteral("beta"));
        view()->setFocus();
        QTest::keyClick(view(), Qt::Key_Delete);
        QTRY_COMPARE(view()->model()->rowCount(), 2);
        saved();
        QVERIFY(stored(1).isTrashed);
        undo();
        QTRY_COMPARE(view()->model()->rowCount(), 3);
        saved();
        QVERIFY(!stored(1).isTrashed);
        QCOMPARE(m_services->bridge.run(m_ids[1])->colorIndex, color);
    }

    void anySelectionIsCompared() {
        m_window->openPage(QStringLiteral("compare"));
        auto* page = m_window->findChild<ComparePage*>();
        QVERIFY(page);
        select(QStringLiteral("alpha"));
        m_services->selection.setShownRuns({});
        clickSwatch(QStringLiteral("alpha"));
        clickSwatch(QStringLiteral("beta"));
        QTRY_COMPARE(m_services->selection.shownRuns().size(), 2);
        QTRY_VERIFY_WITH_TIMEOUT(page->isSettled(), 10000);
        // Both curves, in the runs' own colours; only the rate differs.
        QTRY_COMPARE(page->charts()[0]->scene().lines.size(), 2u);
        for (const auto& line : page->charts()[0]->scene().lines)
            QCOMPARE(line->spec().colorIndex, m_services->bridge.run(m_ids[line->spec().toolTip.contains(QStringLiteral("beta")) ? 1 : 0])->colorIndex);
        QStringList differing;
        bool isParameter = false;
        for (const CompareRow& row : page->model()->rows()) {
            if (row.kind == CompareRow::Kind::Section) isParameter = row.name.startsWith(QStringLiteral("Only"));
            else if (isParameter) differing << row.name;
        }
        QCOMPARE(differing, QStringList{QStringLiteral("lr")});
        clickSwatch(QStringLiteral("gamma"));
        QTRY_COMPARE(page->charts()[0]->scene().lines.size(), 3u);
        clickSwatch(QStringLiteral("gamma"));
        QTRY_COMPARE(m_services->selection.shownRuns().size(), 2);
        select(QStringLiteral("alpha"));  // the current run is compared even where its square is empty
        QTRY_COMPARE(page->charts()[0]->scene().lines.size(), 2u);
    }

    void coloursAndEditsComeBackAfterARestart() {
        std::vector<int> colors;
        for (const QString& id : m_ids) colors.push_back(m_services->bridge.run(id)->colorIndex);
        QVERIFY(colors[0] != colors[1] && colors[1] != colors[2]);
        m_window->close();
        m_window.reset();
        m_services.reset();
        openWindow();
        QTRY_COMPARE_WITH_TIMEOUT(view()->model()->rowCount(), 3, 10000);
        for (int i = 0; i < 3; ++i) QCOMPARE(m_services->bridge.run(m_ids[i])->colorIndex, colors[std::size_t(i)]);
        QCOMPARE(m_services->bridge.run(m_ids[0])->note, std::string("use for figure 4"));
    }
};

QTEST_MAIN(TestRunTable)
#include "tst_run_table.moc"
