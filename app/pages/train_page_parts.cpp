// What stands where on the Train page, and what leaves it as a file.
#include "app/pages/train_page.h"

#include <QFileDialog>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QResizeEvent>
#include <QScrollArea>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "app/pages/page_parts.h"
#include "app/pages/run_names.h"
#include "app/shell/commands.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/accent_slider.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

namespace {

constexpr int kSmallLeft = 38;
constexpr int kMaxChips = 6, kLoneChipWidth = 120;
// Narrower than this the four charts stand in one column that scrolls (LOOK.md section 9, 200 %).
constexpr int kOneColumn = 700;
constexpr int kTallChart = 240, kLowChart = 170;

}  // namespace

void TrainPage::buildToolBar() {
    m_bar = new PageToolBar(this);
    m_chips = new QWidget(m_bar);
    m_chipLayout = new QHBoxLayout(m_chips);
    m_chipLayout->setContentsMargins(0, 0, 0, 0);
    m_chipLayout->setSpacing(metrics::kSpace8);
    m_bar->addDroppable(m_chips, 3);
    m_bar->add(makeLabel(tr("x"), Type::Body, Color::Text2, m_bar));
    m_xKind = new SegmentedControl({tr("Step"), tr("Epoch"), tr("Time")}, m_bar);
    m_xKind->setAccessibleName(tr("Horizontal axis"));
    m_bar->add(m_xKind);
    m_bar->addSeparator();
    auto* smoothingIcon = new QLabel(m_bar);
    const auto paintIcon = [this, smoothingIcon] {
        smoothingIcon->setPixmap(iconPixmap(QStringLiteral("smoothing"), metrics::kIconTool, Color::Text2, devicePixelRatioF()));
    };
    paintIcon();
    connect(&theme(), &Theme::changed, smoothingIcon, paintIcon);
    smoothingIcon->setToolTip(tr("Smoothing: exponential average over steps"));
    m_bar->add(smoothingIcon);
    m_smoothing = new AccentSlider(m_bar);
    m_smoothing->setRange(0, 100);
    m_smoothing->setFixedWidth(84);
    m_smoothing->setAccessibleName(tr("Smoothing"));
    m_smoothing->setToolTip(tr("Exponential average over steps; the raw line stays visible. Keys [ and ] in a chart"));
    m_bar->add(m_smoothing);
    m_smoothingText = makeLabel({}, Type::Body, Color::Text2, m_bar);
    setTextWidth(m_smoothingText, 78);
    m_bar->add(m_smoothingText);
    m_bar->addStretch();
    m_events = makeToggle(QStringLiteral("events"), tr("Events: checkpoints, resumes, changes"), true, m_bar);
    m_bar->add(m_events);
    addChartTools(m_bar, m_group, m_loss, 1);
    m_bar->addSeparator();
    m_layoutBox = new QComboBox(m_bar);
    m_layoutBox->addItems({tr("Layout: training"), tr("Layout: loss only"), tr("Layout: all series")});
    m_layoutBox->setAccessibleName(tr("Layout"));
    m_bar->addDroppable(m_layoutBox, 2);
    auto* exporting = makeButton(tr("Export"), QStringLiteral("export"), ButtonKind::Normal, ControlSize::Normal, m_bar);
    m_bar->add(exporting);
    connect(exporting, &QPushButton::clicked, this, [this, exporting] {
        QMenu menu;
        fillExportMenu(menu);
        menu.exec(exporting->mapToGlobal(QPoint(0, exporting->height() + 2)));
    });
}

void TrainPage::buildCharts() {
    m_top1 = new LossChart(tr("Top-1"), {}, this);
    m_rate = new LossChart(tr("Learning rate"), {}, this);
    m_norm = new LossChart(tr("Gradient norm"), {}, this);
    m_norm->setLogY(true);
    for (LossChart* small : {m_top1, m_rate, m_norm}) small->setLeftMargin(kSmallLeft);
    for (LossChart* chart : {m_loss, m_top1, m_rate, m_norm}) m_group->add(chart);
    m_stack = new QStackedWidget(this);
    auto* trainingArea = new QScrollArea(this);
    trainingArea->setWidgetResizable(true);
    trainingArea->setFrameShape(QFrame::NoFrame);
    trainingArea->setFocusPolicy(Qt::NoFocus);
    trainingArea->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    trainingArea->setWidget(trainingBody());
    m_trainingBody = trainingArea;
    m_stack->addWidget(m_trainingBody);
    m_allBody = new QScrollArea(this);
    m_allBody->setWidgetResizable(true);
    m_allBody->setFrameShape(QFrame::NoFrame);
    auto* inner = new QWidget;
    setGround(inner, Color::Well);
    m_allGrid = new QGridLayout(inner);
    m_allGrid->setContentsMargins(metrics::kPagePadding, metrics::kSpace4, metrics::kPagePadding, metrics::kSpace8);
    m_allGrid->setHorizontalSpacing(metrics::kColumnGap);
    m_allGrid->setVerticalSpacing(metrics::kSpace12);
    m_allBody->setWidget(inner);
    m_stack->addWidget(m_allBody);
    m_empty = new EmptyState(QStringLiteral("train"), tr("No run is shown"),
                             tr("Start one, or click the square before the name of a run."), this);
    connect(m_empty->setButton(tr("New run"), QStringLiteral("add")), &QPushButton::clicked, this,
            [this] { if (context().commands) context().commands->newRun(); });
    m_stack->addWidget(m_empty);
}

QWidget* TrainPage::trainingBody() {
    auto* body = new QWidget;
    setGround(body, Color::Well);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(paddedChart(m_loss, metrics::kPagePadding, metrics::kPagePadding), 37);
    m_lower = new QWidget(body);
    auto* lower = new QVBoxLayout(m_lower);
    lower->setContentsMargins(0, 0, 0, 0);
    lower->setSpacing(0);
    lower->addWidget(makeLine(Qt::Horizontal, m_lower));
    m_lowerRow = new QHBoxLayout;
    m_lowerRow->setSpacing(0);
    lower->addLayout(m_lowerRow, 1);
    for (QWidget*& line : m_lowerLines) line = makeLine(Qt::Vertical, m_lower);
    m_lowerRow->addWidget(paddedChart(m_top1, metrics::kPagePadding, metrics::kSpace8), 1);
    m_lowerRow->addWidget(m_lowerLines[0]);
    m_lowerRow->addWidget(paddedChart(m_rate, metrics::kSpace8, metrics::kSpace8), 1);
    m_lowerRow->addWidget(m_lowerLines[1]);
    m_lowerRow->addWidget(paddedChart(m_norm, metrics::kSpace8, metrics::kPagePadding), 1);
    column->addWidget(m_lower, 30);
    return body;
}

void TrainPage::rebuildChips() {
    while (QLayoutItem* item = m_chipLayout->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    QStringList runs, full;
    for (const QString& run : context().selection->drawnRuns()) {
        if (const feed::RunInfo* info = context().bridge->run(run)) {
            runs += run;
            full += format::text(info->name);
        }
    }
    // Alone, a run has room for its name.
    const QFontMetrics strong(theme().font(Type::BodyStrong));
    const QStringList labels = full.size() == 1 ? QStringList{format::elideName(strong, full.front(), kLoneChipWidth)} : shortRunNames(full, 2);
    for (qsizetype i = 0; i < runs.size() && i < kMaxChips; ++i) {
        const QString run = runs[i];
        auto* swatch = new Swatch(context().bridge->run(run)->colorIndex, true, m_chips);
        swatch->setToolTip(i == 0 ? full[i] : tr("%1: click to hide").arg(full[i]));
        swatch->setAccessibleName(tr("Hide %1").arg(full[i]));
        connect(swatch, &Swatch::clicked, this, [this, run] {
            context().selection->setShown(run, false);
            // The current run is always drawn; hiding it hands the front to the next one.
            if (run == context().selection->currentRun()) context().selection->setCurrentRun(context().selection->shownRuns().value(0));
        });
        auto* name = makeLabel(labels[i], i == 0 ? Type::BodyStrong : Type::Body, Color::Text, m_chips);
        name->setToolTip(full[i]);
        auto* pair = new QHBoxLayout;
        pair->setSpacing(metrics::kSpace6);
        m_chipLayout->addWidget(swatch);
        m_chipLayout->addWidget(name);
    }
    if (runs.size() > kMaxChips) m_chipLayout->addWidget(makeLabel(QStringLiteral("+%1").arg(runs.size() - kMaxChips), Type::Body, Color::Text3, m_chips));
    if (!runs.isEmpty()) {
        QWidget* line = makeLine(Qt::Vertical, m_chips);
        line->setFixedHeight(16);
        m_chipLayout->addWidget(line, 0, Qt::AlignVCenter);
    }
    m_bar->setWanted(m_chips, !runs.isEmpty());
}

void TrainPage::fillExportMenu(QMenu& menu) {
    const bool hasCharts = m_stack->currentWidget() != m_empty;
    menu.addAction(tr("All charts as figure…"), this, [this] { exportCharts(charts(), 2, QStringLiteral("training")); })->setEnabled(hasCharts);
    for (LossChart* chart : hasCharts ? charts() : QVector<LossChart*>{}) {
        menu.addAction(tr("%1…").arg(chart->title()), this, [this, chart] { exportCharts({chart}, 1, chart->title().toLower().replace(u' ', u'-')); });
    }
    menu.addSeparator();
    menu.addAction(tr("Copy picture of %1").arg(m_loss->title().toLower()), m_loss, &LossChart::copyPicture)->setEnabled(hasCharts);
    menu.addAction(tr("All points of the run as CSV…"), this, &TrainPage::exportPoints)->setEnabled(hasCharts);
}

void TrainPage::exportCharts(const QVector<LossChart*>& charts, int columns, const QString& name) {
    Error error;
    const QString path = askAndExport(this, charts, columns, name, &error);
    if (!context().errors) return;
    if (!path.isEmpty()) context().errors->toast(tr("Figure written"), path, QStringLiteral("export"));
    else if (!error.what.empty()) context().errors->show(error);
}

void TrainPage::exportPoints() {
    const QString run = context().selection->drawnRuns().value(0);
    const feed::RunInfo* info = context().bridge->run(run);
    if (!info) return;
    const QString path = QFileDialog::getSaveFileName(this, tr("All points as CSV"), format::text(info->name) + QStringLiteral(".csv"), tr("CSV (*.csv)"));
    if (path.isEmpty()) return;
    context().bridge->reads().run(
        this, QStringLiteral("csv"),
        [workspace = context().workspace, id = run.toStdString(), file = path.toStdString()] { return workspace->exportMetricsCsv(id, "*", file); },
        [this, path](Result<void> result) {
            if (!context().errors) return;
            if (result) context().errors->toast(tr("Points written"), path, QStringLiteral("export"));
            else context().errors->show(result.error());
        });
}

void TrainPage::exportFigure() {
    if (m_stack->currentWidget() != m_empty) exportCharts(charts(), 2, QStringLiteral("training"));
}

void TrainPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    const bool isOneColumn = width() < kOneColumn;
    m_lowerRow->setDirection(isOneColumn ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight);
    for (QWidget* line : m_lowerLines) line->setVisible(!isOneColumn);
    m_loss->setMinimumHeight(isOneColumn ? kTallChart : 0);
    for (LossChart* chart : {m_top1, m_rate, m_norm}) chart->setMinimumHeight(isOneColumn ? kLowChart : 0);
}

}  // namespace espalier::app
