#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QCheckBox>
#include <QRadioButton>
#include <QTest>
#include <QVBoxLayout>

#include "widgets/controls/accent_slider.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

using namespace espalier;
using namespace espalier::widgets;

class TestControls : public QObject {
    Q_OBJECT

    static QWidget* row(const QString& name, std::initializer_list<QWidget*> widgets) {
        auto* holder = new QWidget;
        auto* layout = new QHBoxLayout(holder);
        layout->setContentsMargins(0, 0, 0, 0);
        QLabel* label = makeLabel(name, Type::Caption, Color::Text2);
        label->setFixedWidth(70);
        layout->addWidget(label);
        for (QWidget* widget : widgets) layout->addWidget(widget);
        layout->addStretch(1);
        return holder;
    }

    // One sheet with every control, the counterpart of components.png.
    static QWidget* gallery() {
        auto* sheet = new QWidget;
        setGround(sheet, Color::Panel);
        auto* column = new QVBoxLayout(sheet);
        column->setContentsMargins(20, 20, 20, 20);
        QPushButton* off = makeButton(QStringLiteral("Export"), QStringLiteral("export"));
        off->setEnabled(false);
        column->addWidget(row(QStringLiteral("buttons"),
                              {makeButton(QStringLiteral("Export"), QStringLiteral("export")),
                               makeButton(QStringLiteral("Start"), QStringLiteral("run"), ButtonKind::Primary),
                               makeButton(QStringLiteral("Erase"), {}, ButtonKind::Danger),
                               makeToggle(QStringLiteral("log-axis"), QStringLiteral("Log axis"), true), off}));
        auto* wrong = new QLineEdit(QStringLiteral("5.5e-1"));
        wrong->setFixedWidth(90);
        setFieldError(wrong, true);
        auto* right = new QLineEdit(QStringLiteral("cct7-3x1-F"));
        right->setFixedWidth(120);
        auto* combo = new QComboBox;
        combo->addItems({QStringLiteral("cosine"), QStringLiteral("linear")});
        auto* spin = new QSpinBox;
        spin->setRange(0, 1000);
        spin->setValue(300);
        column->addWidget(row(QStringLiteral("fields"), {right, wrong, combo, spin}));
        auto* filter = new FilterField(QStringLiteral("Filter"), QStringLiteral("filter"), true);
        filter->setText(QStringLiteral("valid/top1 > 0.9 and tag = paper"));
        filter->setFixedWidth(280);
        column->addWidget(row(QStringLiteral("filter"), {filter}));
        auto* segments = new SegmentedControl({QStringLiteral("Step"), QStringLiteral("Epoch"), QStringLiteral("Time")});
        auto* check = new QCheckBox(QStringLiteral("AMP"));
        check->setChecked(true);
        auto* radio = new QRadioButton(QStringLiteral("layer"));
        radio->setChecked(true);
        auto* slider = new AccentSlider;
        slider->setRange(0, 100);
        slider->setValue(40);
        column->addWidget(row(QStringLiteral("choices"), {segments, check, new QCheckBox(QStringLiteral("EMA")), radio,
                                                          new QRadioButton(QStringLiteral("block")), slider}));
        auto* on = new Chip(QStringLiteral("image"), Chip::Kind::Toggle);
        on->setChecked(true);
        column->addWidget(row(QStringLiteral("chips"),
                              {new Chip(QStringLiteral("paper"), Chip::Kind::Removable), new Chip(QStringLiteral("frog"), Chip::Kind::Toggle),
                               on, new Badge(QStringLiteral("27 points above"), Badge::Kind::Warning),
                               Badge::forState(feed::JobState::Running), Badge::forState(feed::JobState::Failed),
                               new Swatch(0, true), new Swatch(3, false)}));
        auto* progress = new ProgressBar;
        progress->setFraction(0.6);
        auto* hatch = new ProgressBar;
        hatch->setFraction(-1);
        auto* claim = new ClaimBar;
        claim->setValues(0.76, 0.93, 0, 1, theme().runColor(0));
        column->addWidget(row(QStringLiteral("bars"), {progress, hatch, claim}));
        auto* split = new SplitBar;
        split->setCounts({16345, 2043, 2043});
        column->addWidget(split);
        auto* readings = new Reading(QStringLiteral("valid/top1, best"));
        readings->setValue(QStringLiteral("0.9571"));
        readings->setDetail(QStringLiteral("epoch 186"));
        column->addWidget(row(QString(), {readings}));
        auto* section = new Section(QStringLiteral("Parameters"));
        section->setCount(QStringLiteral("6 of 31 differ from default"));
        auto* list = new KeyValueList;
        list->setRows({{QStringLiteral("lr"), QStringLiteral("5.5e-4"), QStringLiteral("changed"), {}, false, false, false, true},
                       {QStringLiteral("weights"), QStringLiteral("1,658,240"), {}, {}, false, false, true, false}});
        section->setBody(list);
        section->setBodyMargins(12, 0, 12, 8);
        column->addWidget(section);
        auto* banner = new Banner(Banner::Kind::Error, QStringLiteral("Checkpoint not written: disk full"),
                                  QStringLiteral("checkpoints/best.safetensors needs 45 MB, 12 MB free. The last good one is kept."));
        banner->addRemedy(QStringLiteral("Choose folder"));
        banner->addRemedy(QStringLiteral("Free space"));
        column->addWidget(banner);
        column->addWidget(new Banner(Banner::Kind::Warning, QStringLiteral("Journal read back after a crash; 0.4 s of scalars lost.")));
        auto* toast = new Toast(QStringLiteral("F-s1 completed"), QStringLiteral("top-1 0.9652 in 1:29:20"), QStringLiteral("check"));
        toast->addAction(QStringLiteral("Show"));
        column->addWidget(toast);
        auto* empty = new EmptyState(QStringLiteral("attention"), QStringLiteral("No maps in this run"),
                                     QStringLiteral("It was trained without probes. Pin images, then press Probe now."));
        empty->setButton(QStringLiteral("Probe now"));
        empty->setMinimumHeight(140);
        column->addWidget(empty);
        return sheet;
    }

private Q_SLOTS:
    void initTestCase() { theme().install(*qApp, ThemeKind::Dark); }

    void drawsTheWholeSheetInEveryTheme() {
        std::unique_ptr<QWidget> sheet(gallery());
        sheet->resize(640, 900);
        sheet->show();
        QVERIFY(QTest::qWaitForWindowExposed(sheet.get()));
        QImage before;
        for (const ThemeKind kind : {ThemeKind::Dark, ThemeKind::Light, ThemeKind::Contrast}) {
            theme().setKind(kind);
            QCoreApplication::processEvents();
            const QImage image = sheet->grab().toImage();
            QVERIFY(image != before);
            QCOMPARE(image.pixelColor(2, 2), theme().color(Color::Panel));
            before = image;
            const QString folder = qEnvironmentVariable("ESPALIER_PICTURES");
            if (!folder.isEmpty()) image.save(QDir(folder).filePath(QStringLiteral("controls-") + Theme::kindName(kind) + QStringLiteral(".png")));
        }
        theme().setKind(ThemeKind::Dark);
    }

    // Qt once put the dark palette back when a panel moved into a scroll area after a theme switch.
    void labelsFollowTheThemeThroughANewParent() {
        QWidget top;
        top.resize(200, 100);
        top.show();
        QVERIFY(QTest::qWaitForWindowExposed(&top));
        auto* panel = new QWidget(&top);
        setGround(panel, Color::Well);
        panel->resize(200, 100);
        QLabel* label = makeLabel(QStringLiteral("\u2588\u2588\u2588"), Type::Heading, Color::Text, panel);
        label->setGeometry(0, 0, 60, 24);
        panel->show();
        panel->setParent(nullptr);
        panel->hide();
        theme().setKind(ThemeKind::Light);
        panel->setParent(&top);
        panel->show();
        QCoreApplication::processEvents();
        const QImage image = top.grab().toImage();
        QCOMPARE(image.pixelColor(150, 80), theme().color(Color::Well));
        QCOMPARE(label->palette().color(QPalette::WindowText), theme().color(Color::Text));
        setLabelLook(label, Type::Heading, Color::Error);
        QCOMPARE(label->palette().color(QPalette::WindowText), theme().color(Color::Error));
        theme().setKind(ThemeKind::Dark);
        QCOMPARE(label->palette().color(QPalette::WindowText), theme().color(Color::Error));
    }

    void segmentIsChosenByClickAndByKeys() {
        SegmentedControl control({QStringLiteral("Step"), QStringLiteral("Epoch"), QStringLiteral("Time")});
        control.show();
        QVERIFY(QTest::qWaitForWindowExposed(&control));
        QSignalSpy changed(&control, &SegmentedControl::currentChanged);
        QTest::mouseClick(&control, Qt::LeftButton, {}, control.segmentRect(2).center());
        QCOMPARE(control.currentText(), QStringLiteral("Time"));
        QTest::keyClick(&control, Qt::Key_Left);
        QCOMPARE(control.currentIndex(), 1);
        control.setSegmentEnabled(0, false);
        QTest::keyClick(&control, Qt::Key_Left);
        QCOMPARE(control.currentIndex(), 1);
        QTest::mouseClick(&control, Qt::LeftButton, {}, control.segmentRect(0).center());
        QCOMPARE(control.currentIndex(), 1);
        QTest::keyClick(&control, Qt::Key_End);
        QCOMPARE(control.currentIndex(), 2);
        QCOMPARE(changed.count(), 3);
    }

    void chipIsTakenAwayByItsCrossAndByDelete() {
        Chip chip(QStringLiteral("paper"), Chip::Kind::Removable);
        chip.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chip));
        QSignalSpy removed(&chip, &Chip::removeClicked);
        QSignalSpy clicked(&chip, &QAbstractButton::clicked);
        QTest::mouseClick(&chip, Qt::LeftButton, {}, QPoint(chip.width() - 8, chip.height() / 2));
        QCOMPARE(removed.count(), 1);
        QTest::mouseClick(&chip, Qt::LeftButton, {}, QPoint(8, chip.height() / 2));
        QCOMPARE(removed.count(), 1);
        QCOMPARE(clicked.count(), 1);
        QTest::keyClick(&chip, Qt::Key_Delete);
        QCOMPARE(removed.count(), 2);
    }

    void sectionCollapsesByClickAndByKeys() {
        Section section(QStringLiteral("Notes"));
        auto* body = new QLabel(QStringLiteral("text"));
        section.setBody(body);
        section.resize(240, 120);
        section.show();
        QVERIFY(QTest::qWaitForWindowExposed(&section));
        QSignalSpy changed(&section, &Section::collapsedChanged);
        QTest::mouseClick(section.childAt(20, 10), Qt::LeftButton);
        QVERIFY(section.isCollapsed());
        QVERIFY(!body->isVisible());
        QTest::keyClick(section.childAt(20, 10), Qt::Key_Right);
        QVERIFY(body->isVisible());
        QCOMPARE(changed.count(), 2);
    }

    void keyValueListCopiesTheCurrentValue() {
        KeyValueList list;
        list.setRows({{QStringLiteral("lr"), QStringLiteral("5.5e-4"), {}}, {QStringLiteral("seed"), QStringLiteral("1"), {}}});
        list.resize(240, 40);
        list.show();
        QVERIFY(QTest::qWaitForWindowExposed(&list));
        QTest::mouseClick(&list, Qt::LeftButton, {}, QPoint(10, 5));
        QTest::keyClick(&list, Qt::Key_Down);
        QTest::keyClick(&list, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("1"));
        QCOMPARE(list.accessibleDescription(), QStringLiteral("lr 5.5e-4, seed 1"));
    }

    void aLongSentenceGoesOnInTheNextLine() {
        KeyValueList list;
        list.setRows({{QStringLiteral("items"), QStringLiteral("539 shared"), {}},
                      {QStringLiteral("Welch, by seed"), QStringLiteral("needs at least 2 seeds of each to say anything"), {}},
                      {QStringLiteral("seed"), QStringLiteral("1"), {}}});
        list.setKeyWidth(104);
        list.resize(500, 80);
        list.show();
        QVERIFY(QTest::qWaitForWindowExposed(&list));
        const int one = list.rowRect(0).height();
        QCOMPARE(list.sizeHint().height(), 3 * one);
        list.resize(212, 100);
        QVERIFY(list.rowRect(1).height() > one);
        QCOMPARE(list.rowRect(0).height(), one);
        QCOMPARE(list.sizeHint().height(), 2 * one + list.rowRect(1).height());
        // The row below it is still the one that is hit.
        QTest::mouseClick(&list, Qt::LeftButton, {}, list.rowRect(2).center());
        QTest::keyClick(&list, Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("1"));
    }

    void wholePartsRatherThanCutWords() {
        const QFontMetrics metrics(theme().font(Type::Caption));
        const QString text = QStringLiteral("block 2, 3 bit, 8 levels");
        QCOMPARE(format::fitParts(metrics, text, 400), text);
        QCOMPARE(format::fitParts(metrics, text, metrics.horizontalAdvance(text) - 1), QStringLiteral("block 2, 3 bit"));
        QCOMPARE(format::fitParts(metrics, text, metrics.horizontalAdvance(QStringLiteral("block 2"))), QStringLiteral("block 2"));
        QCOMPARE(format::fitParts(metrics, text, 10), QString());
    }

    void textStandsClearOfItsIcon() {
        QPushButton* button = makeButton(QStringLiteral("Start"), QStringLiteral("run"));
        const QPixmap pixmap = button->icon().pixmap(button->iconSize());
        QCOMPARE(pixmap.width() / pixmap.devicePixelRatio(), double(button->iconSize().width()));
        // Everything right of the glyph's own square is empty.
        const QImage image = pixmap.toImage();
        for (int x = image.height(); x < image.width(); ++x)
            for (int y = 0; y < image.height(); ++y) QCOMPARE(qAlpha(image.pixel(x, y)), 0);
        delete button;
    }

    void aDangerThatCannotBeUsedIsGrey() {
        QWidget ground;
        QPushButton* button = makeButton(QStringLiteral("Empty the trash"), QStringLiteral("trash"), ButtonKind::Danger, ControlSize::Normal, &ground);
        button->setEnabled(false);
        ground.show();
        QVERIFY(QTest::qWaitForWindowExposed(&ground));
        const QImage picture = button->grab().toImage();
        const QColor error = theme().color(Color::Error);
        for (int x = 0; x < picture.width(); ++x)
            for (int y = 0; y < picture.height(); ++y) QVERIFY(std::abs(picture.pixelColor(x, y).red() - error.red()) > 30);
    }

    void splitBarDragsABorder() {
        SplitBar bar;
        bar.setCounts({80, 10, 10});
        bar.setEditable(true);
        bar.resize(200, 12);
        bar.show();
        QVERIFY(QTest::qWaitForWindowExposed(&bar));
        QSignalSpy committed(&bar, &SplitBar::committed);
        QTest::mousePress(&bar, Qt::LeftButton, {}, QPoint(160, 6));
        QTest::mouseMove(&bar, QPoint(120, 6));
        QTest::mouseRelease(&bar, Qt::LeftButton, {}, QPoint(120, 6));
        QCOMPARE(committed.count(), 1);
        QVERIFY(std::abs(bar.fractions()[0] - 0.6) < 0.01);
        QVERIFY(std::abs(bar.fractions()[1] - 0.3) < 0.01);
        QVERIFY(std::abs(bar.fractions()[2] - 0.1) < 0.01);
    }

    void sliderJumpsToTheClickedPlace() {
        AccentSlider slider;
        slider.setRange(0, 100);
        slider.resize(112, 24);
        slider.show();
        QVERIFY(QTest::qWaitForWindowExposed(&slider));
        QTest::mouseClick(&slider, Qt::LeftButton, {}, QPoint(56, 12));
        QCOMPARE(slider.value(), 50);
        QTest::keyClick(&slider, Qt::Key_Right);
        QCOMPARE(slider.value(), 51);
    }

    void filterTellsOnceAndEscapeClears() {
        FilterField field(QStringLiteral("Filter"));
        field.setToolTip(QStringLiteral("How to write it"));
        field.show();
        QVERIFY(QTest::qWaitForWindowExposed(&field));
        field.setFocus();
        QSignalSpy told(&field, &FilterField::filterChanged);
        QTest::keyClicks(&field, QStringLiteral("cct"));
        QTRY_COMPARE(told.count(), 1);
        QCOMPARE(told.at(0).at(0).toString(), QStringLiteral("cct"));
        field.setError(QStringLiteral("Unknown key"));
        QVERIFY(field.property("isWrong").toBool());
        QCOMPARE(field.toolTip(), QStringLiteral("Unknown key"));
        field.setError({});
        QCOMPARE(field.toolTip(), QStringLiteral("How to write it"));
        QTest::keyClick(&field, Qt::Key_Escape);
        QVERIFY(field.text().isEmpty());
        QTRY_COMPARE(told.count(), 2);
    }

    void toolBarDropsNamesBeforeTools() {
        PageToolBar bar;
        QLabel* name = makeLabel(QStringLiteral("a rather long run name"));
        QLabel* word = makeLabel(QStringLiteral("420 steps"));
        QPushButton* tool = makeButton(QStringLiteral("Export"), QStringLiteral("export"));
        bar.addDroppable(name, 2);
        bar.addDroppable(word, 1);
        bar.addStretch();
        bar.add(tool);
        bar.resize(500, 36);
        bar.show();
        QVERIFY(QTest::qWaitForWindowExposed(&bar));
        QVERIFY(name->isVisible() && word->isVisible());
        bar.resize(220, 36);
        QVERIFY(!name->isVisible());
        QVERIFY(word->isVisible());
        bar.resize(140, 36);
        QVERIFY(!word->isVisible());
        QVERIFY(tool->isVisible());
        bar.resize(500, 36);
        QVERIFY(name->isVisible());
        bar.setWanted(name, false);
        QVERIFY(!name->isVisible());
    }

    void aQuietToolBarShowsItsTitleAlone() {
        PageToolBar bar;
        QLabel* name = makeLabel(QStringLiteral("cct-s0"));
        QPushButton* tool = makeButton(QStringLiteral("Export"), QStringLiteral("export"));
        bar.add(name);
        bar.endTitle();
        bar.add(tool);
        bar.resize(500, 36);
        bar.show();
        QVERIFY(QTest::qWaitForWindowExposed(&bar));
        bar.setQuiet(true);
        QVERIFY(name->isVisible() && !tool->isVisible());
        bar.setQuiet(false);
        QVERIFY(tool->isVisible());
    }

    void toastGoesAwayByItsButton() {
        auto* toast = new Toast(QStringLiteral("F-s1 completed"), {}, QStringLiteral("check"));
        QPointer<QWidget> alive(toast);
        QPushButton* show = toast->addAction(QStringLiteral("Show"));
        toast->show();
        QVERIFY(QTest::qWaitForWindowExposed(toast));
        QTest::mouseClick(show, Qt::LeftButton);
        QTRY_VERIFY(alive.isNull());
    }

    void bannerCarriesItsRemedies() {
        Banner banner(Banner::Kind::Error, QStringLiteral("Disk full"), QStringLiteral("best.safetensors. Free space"));
        QPushButton* remedy = banner.addRemedy(QStringLiteral("Free space"));
        banner.show();
        QVERIFY(QTest::qWaitForWindowExposed(&banner));
        QSignalSpy clicked(remedy, &QPushButton::clicked);
        QTest::mouseClick(remedy, Qt::LeftButton);
        QCOMPARE(clicked.count(), 1);
        QVERIFY(banner.text().contains(QStringLiteral("Disk full")));
    }

    void flowLayoutWraps() {
        QWidget holder;
        auto* flow = new FlowLayout(&holder);
        for (int i = 0; i < 6; ++i) flow->addWidget(new Chip(QStringLiteral("a tag")));
        QVERIFY(flow->heightForWidth(100) > flow->heightForWidth(400));
        QCOMPARE(flow->heightForWidth(400), 18);
    }

    void elidedLabelKeepsTheWholeTextInItsTip() {
        ElidedLabel label(Qt::ElideMiddle);
        label.setText(QStringLiteral("a-very-long-run-name-with-seed-1"));
        label.resize(60, 16);
        label.show();
        QVERIFY(QTest::qWaitForWindowExposed(&label));
        QCOMPARE(label.toolTip(), label.text());
        label.resize(400, 16);
        QCOMPARE(label.toolTip(), QString());
    }
};

QTEST_MAIN(TestControls)
#include "tst_controls.moc"
