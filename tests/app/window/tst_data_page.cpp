#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QImage>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QToolButton>
#include <QtTest>

#include <memory>

#include "app/pages/data_inspector.h"
#include "app/pages/data_page.h"
#include "app/shell/main_window.h"
#include "app/shell/services.h"
#include "engine/runtime/engine.h"
#include "tests/support/data_samples.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/theme/theme.h"

using namespace espalier;
using namespace espalier::app;
using namespace espalier::widgets;

namespace {

constexpr int kImportMs = 30000;
constexpr int kSettleMs = 10000;

}  // namespace

/// The Data page over real imports: generated shapes, a folder with broken and repeated files, a table.
class TestDataPage : public QObject {
    Q_OBJECT
private:
    api::RecipeRegistry m_registry;
    QTemporaryDir m_folder;
    std::shared_ptr<runtime::Workspace> m_workspace;
    std::unique_ptr<runtime::Engine> m_engine;
    std::unique_ptr<Services> m_services;
    std::unique_ptr<DataPage> m_page;
    QString m_shapes, m_photos, m_table;

    QString import(const QString& path, const QString& name, const std::string& format = "auto", const std::string& shape = {}) {
        const int before = m_services->bridge.datasets().rowCount();
        runtime::ImportRequest request;
        request.paths = {path.toStdString()};
        request.name = name.toStdString();
        request.format = format;
        request.imageShape = shape;
        const auto job = m_engine->submitImport(request);
        if (!job) qWarning("%s", job.error().sentence().c_str());
        if (!job) return {};
        const bool isDone = QTest::qWaitFor([&] { return m_services->bridge.datasets().rowCount() > before; }, kImportMs);
        if (!isDone) return {};
        for (const auto& set : m_services->bridge.datasets().datasets())
            if (set.name == name.toStdString()) return QString::fromStdString(set.id);
        return {};
    }
    void open(const QString& dataset, QSize size = {886, 734}) {
        m_page.reset();
        m_services->selection.setCurrentDataset(dataset);
        m_page = std::make_unique<DataPage>(m_services->context);
        m_page->resize(size);
        m_page->show();
        m_page->activated();
        QVERIFY(QTest::qWaitForWindowExposed(m_page.get()));
        settle();
    }
    void settle() { QTRY_VERIFY_WITH_TIMEOUT(m_page->isSettled() && m_services->bridge.isSettled(), kSettleMs); }
    static QString valueOf(const KeyValueList* list, const QString& key) {
        for (const KeyValue& row : list->rows())
            if (row.key == key) return row.toolTip.isEmpty() ? row.value : row.toolTip;
        return QStringLiteral("no such row");
    }
    const feed::DatasetSummary& set(const QString& id) { return *m_services->bridge.dataset(id); }

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void saysWhatToDoWithoutData();
    void readsOnlyWhatIsOnScreen();
    void fewSamplesAreShownLarger();
    void scrollsFiftyThousandSmoothly();
    void chipsFilterByClass();
    void keysAndClicksChooseASample();
    void draggedBorderDealsAnew();
    void anotherSeedDealsAnewAndUndoBringsTheOldBack();
    void folderSplitStaysAndSaysWhy();
    void warningsNameFileReasonAndResult();
    void duplicatesShowBothSides();
    void exportsEverySample();
    void tableShowsColumns();
    void trainOnThisAsksForARun();
    void rendersInBothThemes();
    void standsInTheWindow();
};

void TestDataPage::initTestCase() {
    theme().install(*qApp, ThemeKind::Dark);
    auto workspace = runtime::Workspace::open(m_folder.filePath(QStringLiteral("workspace")).toStdString());
    if (!workspace) QFAIL(workspace.error().sentence().c_str());
    m_workspace = *workspace;
    m_engine = std::make_unique<runtime::Engine>(m_workspace, m_registry);
    m_services = std::make_unique<Services>(*m_engine, m_workspace, m_registry, m_folder.filePath(QStringLiteral("settings.ini")));
    QTRY_VERIFY(m_services->bridge.isSettled());
}

void TestDataPage::cleanupTestCase() {
    m_page.reset();
    m_services.reset();
    m_engine.reset();
}

void TestDataPage::saysWhatToDoWithoutData() {
    open({});
    QVERIFY(m_page->isEmptyShown());
    QVERIFY(!m_page->inspector());
    m_page.reset();
    m_shapes = import(QStringLiteral("shapes32:0:1600:400"), QStringLiteral("shapes"), "generator");
    QVERIFY(!m_shapes.isEmpty());
    tests::writePhotos(QDir(m_folder.path()));
    m_photos = import(m_folder.filePath(QStringLiteral("photos")), QStringLiteral("photos"));
    QVERIFY(!m_photos.isEmpty());
    tests::writeTable(m_folder.filePath(QStringLiteral("iris.csv")));
    m_table = import(m_folder.filePath(QStringLiteral("iris.csv")), QStringLiteral("iris"), "auto", "none");
    QVERIFY(!m_table.isEmpty());
}

void TestDataPage::readsOnlyWhatIsOnScreen() {
    open(m_shapes);
    QVERIFY(!m_page->isEmptyShown());
    QCOMPARE(m_page->grid()->count(), 2000);
    const int perScreen = m_page->grid()->cachedCount();
    QVERIFY2(perScreen > 40 && perScreen < 300, qPrintable(QString::number(perScreen)));
    QScrollBar* bar = m_page->grid()->verticalScrollBar();
    bar->setValue(bar->maximum());
    settle();
    QVERIFY(m_page->grid()->readCount() > perScreen);
    QVERIFY2(m_page->grid()->readCount() <= 2 * perScreen + 40, qPrintable(QString::number(m_page->grid()->readCount())));
    // Back to the top: everything is still in the cache.
    const auto before = m_page->grid()->readCount();
    bar->setValue(0);
    settle();
    QCOMPARE(m_page->grid()->readCount(), before);
}

void TestDataPage::fewSamplesAreShownLarger() {
    open(m_shapes);
    const auto stored = m_workspace->samples(m_shapes.toStdString(), 0, 9);
    QVERIFY(stored.has_value());
    SampleGrid* grid = m_page->grid();
    const int usual = grid->cellRect(0).width();
    const auto few = std::make_shared<std::vector<feed::SampleInfo>>(*stored);
    grid->setSamples(m_shapes, few);
    QCOMPARE(grid->count(), 9);
    QVERIFY2(grid->cellRect(0).width() > usual * 3 / 2, qPrintable(QStringLiteral("%1 against %2").arg(grid->cellRect(0).width()).arg(usual)));
    QVERIFY(grid->viewport()->rect().contains(grid->cellRect(8)));
    // The last of them is where it is seen.
    QTest::mouseClick(grid->viewport(), Qt::LeftButton, {}, grid->cellRect(8).center());
    QCOMPARE(grid->currentSample(), few->back().index);
    settle();
    open(m_shapes);
}

void TestDataPage::scrollsFiftyThousandSmoothly() {
    open(m_shapes);
    const auto stored = m_workspace->samples(m_shapes.toStdString(), 0, -1);
    QVERIFY(stored.has_value());
    auto many = std::make_shared<std::vector<feed::SampleInfo>>();
    while (many->size() < 50000) many->push_back((*stored)[many->size() % stored->size()]);
    SampleGrid* grid = m_page->grid();
    grid->setSamples(m_shapes, many);
    QCOMPARE(grid->count(), 50000);
    QScrollBar* bar = grid->verticalScrollBar();
    qint64 longest = 0;
    for (int i = 0; i <= 100; ++i) {
        QElapsedTimer clock;
        clock.start();
        bar->setValue(bar->maximum() * i / 100);
        grid->viewport()->repaint();
        longest = std::max(longest, clock.elapsed());
        QCoreApplication::processEvents();
    }
    QVERIFY2(longest < 50, qPrintable(QString::number(longest)));
    settle();
    QVERIFY(grid->cachedCount() <= 2000);
    qInfo("longest step %lld ms", static_cast<long long>(longest));
}

void TestDataPage::chipsFilterByClass() {
    open(m_shapes);
    const auto& classes = set(m_shapes).classes;
    QVERIFY(m_page->classChips().size() >= 2);
    Chip* first = m_page->classChips().at(1);
    const auto it = std::find_if(classes.begin(), classes.end(), [&](const auto& each) { return each.name == first->text().toStdString(); });
    QVERIFY(it != classes.end());
    const QString name = first->text();
    QTest::mouseClick(first, Qt::LeftButton);
    QCOMPARE(m_page->grid()->count(), static_cast<int>(it->total()));
    QTest::qWait(1);
    QVERIFY(m_page->classChips().at(1)->isChecked());
    QCOMPARE(m_page->classChips().at(1)->text(), name);
    QTest::mouseClick(m_page->classChips().at(0), Qt::LeftButton);
    QCOMPARE(m_page->grid()->count(), 2000);
    settle();
}

void TestDataPage::keysAndClicksChooseASample() {
    open(m_shapes);
    SampleGrid* grid = m_page->grid();
    QTest::mouseClick(grid->viewport(), Qt::LeftButton, {}, grid->cellRect(3).center());
    QCOMPARE(grid->currentSample(), std::int64_t(3));
    QTest::keyClick(grid, Qt::Key_Down);
    QCOMPARE(grid->currentSample(), std::int64_t(3 + grid->columns()));
    QTest::keyClick(grid, Qt::Key_Right);
    QTest::keyClick(grid, Qt::Key_Up);
    QCOMPARE(grid->currentSample(), std::int64_t(4));
    QTest::keyClick(grid, Qt::Key_End);
    QCOMPARE(grid->currentSample(), std::int64_t(1999));
    QCOMPARE(grid->verticalScrollBar()->value(), grid->verticalScrollBar()->maximum());
    settle();
    const auto samples = m_workspace->samples(m_shapes.toStdString(), 1999, 1);
    QVERIFY(samples.has_value());
    QCOMPARE(valueOf(m_page->details()->sampleRows(), QStringLiteral("file")), QString::fromStdString(samples->front().source));
    QCOMPARE(valueOf(m_page->details()->sampleRows(), QStringLiteral("size")), QStringLiteral("32 × 32 × 3"));
    QCOMPARE(valueOf(m_page->details()->sampleRows(), QStringLiteral("class")), QString::fromStdString(set(m_shapes).classes[static_cast<std::size_t>(samples->front().label)].name));
}

void TestDataPage::draggedBorderDealsAnew() {
    open(m_table);
    QCOMPARE(set(m_table).splitKind, std::string("seed"));
    const auto before = set(m_table).splits;
    const std::string hash = set(m_table).hash;
    SplitBar* bar = m_page->splitBar();
    const int y = bar->height() / 2, from = qRound(bar->fractions()[0] * bar->width()), to = bar->width() / 2;
    QTest::mousePress(bar, Qt::LeftButton, {}, QPoint(from, y));
    QMouseEvent move(QEvent::MouseMove, QPointF(to, y), bar->mapToGlobal(QPointF(to, y)), Qt::NoButton, Qt::LeftButton, {});
    QApplication::sendEvent(bar, &move);
    QVERIFY(m_page->splitHint().contains(QStringLiteral("release")));
    QCOMPARE(set(m_table).splits, before);  // nothing is written while dragging
    QTest::mouseRelease(bar, Qt::LeftButton, {}, QPoint(to, y));
    QTRY_VERIFY_WITH_TIMEOUT(set(m_table).hash != hash, kSettleMs);
    settle();
    QVERIFY2(std::abs(set(m_table).splits[0] - 30) <= 1, qPrintable(QString::number(set(m_table).splits[0])));
    // One step back is the old split, bit for bit.
    m_services->undo.undo();
    QTRY_VERIFY_WITH_TIMEOUT(set(m_table).hash == hash, kSettleMs);
    QCOMPARE(set(m_table).splits, before);
    settle();
}

void TestDataPage::anotherSeedDealsAnewAndUndoBringsTheOldBack() {
    open(m_table);
    QSpinBox* seed = m_page->seedField();
    QVERIFY(seed->isVisible());
    const std::string hash = set(m_table).hash;
    const auto fractions = set(m_table).splitFractions;
    const std::int64_t old = set(m_table).splitSeed;
    QCOMPARE(std::int64_t(seed->value()), old);
    seed->setFocus();
    seed->selectAll();
    QTest::keyClicks(seed, QStringLiteral("41"));
    QCOMPARE(set(m_table).hash, hash);  // half a number is not dealt with
    QTest::keyClick(seed, Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(set(m_table).hash != hash, kSettleMs);
    settle();
    QCOMPARE(set(m_table).splitSeed, std::int64_t(41));
    QCOMPARE(set(m_table).splitFractions, fractions);
    m_services->undo.undo();
    QTRY_VERIFY_WITH_TIMEOUT(set(m_table).hash == hash, kSettleMs);
    settle();
    QCOMPARE(set(m_table).splitSeed, old);
    QCOMPARE(std::int64_t(seed->value()), old);
}

void TestDataPage::folderSplitStaysAndSaysWhy() {
    open(m_photos);
    QVERIFY(!m_page->seedField()->isVisible());
    QCOMPARE(set(m_photos).splitKind, std::string("folders"));
    QVERIFY(m_page->splitHint().contains(QStringLiteral("folders")));
    const auto before = set(m_photos).splits;
    SplitBar* bar = m_page->splitBar();
    const int from = qRound(bar->fractions()[0] * bar->width());
    QTest::mousePress(bar, Qt::LeftButton, {}, QPoint(from, 6));
    QTest::mouseMove(bar, QPoint(from / 2, 6));
    QTest::mouseRelease(bar, Qt::LeftButton, {}, QPoint(from / 2, 6));
    settle();
    QCOMPARE(set(m_photos).splits, before);
}

void TestDataPage::warningsNameFileReasonAndResult() {
    open(m_photos);
    const WarningModel* model = m_page->warnings();
    QVERIFY(model->rowCount() >= 1);
    QVERIFY(model->index(0, 0).data().toString().endsWith(QStringLiteral("broken.png")));
    QVERIFY(!model->index(0, 1).data().toString().isEmpty());
    QCOMPARE(model->index(0, 2).data().toString(), QStringLiteral("skipped"));
    QTest::mouseClick(m_page->findChild<QToolButton*>(QStringLiteral("copyWarnings")), Qt::LeftButton);
    const QString copied = QApplication::clipboard()->text();
    QVERIFY(copied.startsWith(QStringLiteral("file\tline\treason\tresult\n")));
    QVERIFY(copied.contains(QStringLiteral("broken.png")));
    QVERIFY(m_page->details()->checkTexts().contains(QStringLiteral("1 file could not be read")));
}

void TestDataPage::duplicatesShowBothSides() {
    open(m_photos);
    QVERIFY(m_page->duplicates()->rowCount() >= 1);
    QVERIFY(m_page->duplicates()->accessibleDescription().contains(QStringLiteral("exact")));
    QVERIFY(m_page->duplicates()->accessibleDescription().contains(QStringLiteral("train and test")) ||
            m_page->duplicates()->accessibleDescription().contains(QStringLiteral("test and train")));
    QVERIFY(m_page->details()->checkTexts().contains(QStringLiteral("1 exact copy across splits")));
    QTest::mouseClick(m_page->duplicates(), Qt::LeftButton, {}, QPoint(45, 15));
    settle();
    QVERIFY(valueOf(m_page->details()->sampleRows(), QStringLiteral("file")).endsWith(QStringLiteral(".png")));
}

void TestDataPage::exportsEverySample() {
    open(m_photos);
    const QString path = m_folder.filePath(QStringLiteral("samples.csv"));
    const auto written = m_page->exportCsv(path);
    QVERIFY2(written.has_value(), written ? "" : written.error().sentence().c_str());
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QList<QByteArray> lines = file.readAll().trimmed().split('\n');
    QCOMPARE(lines.size(), qsizetype(set(m_photos).samples + 1));
    QCOMPARE(lines[0], QByteArray("index,file,class,split,width,height,channels,bytes"));
    QCOMPARE(lines[1].split(',').size(), qsizetype(8));
    QVERIFY(lines[1].contains(",20,16,3,"));
    const auto refused = m_page->exportCsv(m_folder.filePath(QStringLiteral("no/such/folder/samples.csv")));
    QVERIFY(!refused.has_value());
}

void TestDataPage::tableShowsColumns() {
    open(m_table);
    QVERIFY(m_page->grid()->isHidden() || !m_page->grid()->isVisible());
    bool hasTitle = false;
    for (const QLabel* label : m_page->findChildren<QLabel*>()) hasTitle = hasTitle || (label->isVisible() && label->text() == QStringLiteral("Columns"));
    QVERIFY(hasTitle);
    QCOMPARE(valueOf(m_page->details()->manifestRows(), QStringLiteral("columns")), QStringLiteral("2"));
}

void TestDataPage::trainOnThisAsksForARun() {
    open(m_shapes);
    QSignalSpy asked(&m_services->commands, &Commands::newRunRequested);
    QTest::mouseClick(m_page->trainButton(), Qt::LeftButton);
    QCOMPARE(asked.count(), 1);
    QCOMPARE(asked.front().at(1).toString(), m_shapes);
}

void TestDataPage::rendersInBothThemes() {
    const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
    const std::pair<QString, QString> sets[] = {{QStringLiteral("shapes"), m_shapes}, {QStringLiteral("photos"), m_photos}, {QStringLiteral("table"), m_table}};
    for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light})
        for (const QSize size : {QSize(920, 734), QSize(836, 590)})
            for (const auto& [name, id] : sets) {
                theme().setKind(kind);
                open(id, size);
                m_page->grid()->choose(17);
                settle();
                const QPixmap picture = m_page->grab();
                QCOMPARE(picture.size(), size);
                if (folder.isEmpty()) continue;
                picture.save(folder + QStringLiteral("/data-%1-%2-%3.png").arg(name, Theme::kindName(kind)).arg(size.width()));
            }
    theme().setKind(ThemeKind::Dark);
}

void TestDataPage::standsInTheWindow() {
    m_page.reset();
    const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
    m_services->selection.setCurrentDataset(m_photos);
    MainWindow window(m_services->context);
    window.resize(1440, 900);
    window.show();
    QVERIFY(QTest::qWaitForWindowExposed(&window));
    window.openPage(QStringLiteral("data"));
    auto* page = qobject_cast<DataPage*>(window.currentPage());
    QVERIFY(page);
    for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light})
        for (const QSize size : {QSize(1440, 900), QSize(1280, 720)}) {
            theme().setKind(kind);
            window.resize(size);
            QTRY_VERIFY_WITH_TIMEOUT(window.isSettled() && page->isSettled(), kSettleMs);
            page->grid()->setFocus();
            page->grid()->choose(3);
            QTRY_VERIFY_WITH_TIMEOUT(window.isSettled() && page->isSettled(), kSettleMs);
            QTest::qWait(120);
            QTRY_VERIFY_WITH_TIMEOUT(window.isSettled() && page->isSettled(), kSettleMs);
            QVERIFY(page->details()->isVisible());
            QVERIFY(page->grid()->width() > 300 && page->grid()->height() > 100);
            if (!folder.isEmpty()) window.grab().save(folder + QStringLiteral("/window-%1-%2.png").arg(Theme::kindName(kind)).arg(size.width()));
        }
    theme().setKind(ThemeKind::Dark);
}

QTEST_MAIN(TestDataPage)
#include "tst_data_page.moc"
