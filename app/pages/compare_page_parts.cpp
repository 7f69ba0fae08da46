// What stands where on the Compare page; what it shows is in compare_page.cpp.
#include <QComboBox>
#include <QHBoxLayout>
#include <QMenu>
#include <QPushButton>
#include <QStackedWidget>
#include <QVBoxLayout>

#include "app/pages/compare_inspector.h"
#include "app/pages/compare_page.h"
#include "app/pages/compare_table.h"
#include "app/pages/compare_table_view.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

ComparePage::ComparePage(AppContext& context, QWidget* parent) : Page(context, parent), m_lines(context) {
    setGround(this, Color::Well);
    m_group = new ChartGroup(this);
    m_group->setXKind(XKind::Epoch);
    m_loss = new LossChart(tr("Valid loss"), tr("by epoch"), this);
    m_top1 = new LossChart(tr("Valid top-1"), tr("by epoch"), this);
    buildToolBar();
    m_loss->setLateFocused(true);
    m_top1->setLateFocused(true);
    m_group->add(m_loss);
    m_group->add(m_top1);
    m_model = new CompareModel(this);
    m_table = new CompareTableView(this);
    m_table->setCompareModel(m_model);
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    row->addWidget(paddedChart(m_loss, metrics::kPagePadding, metrics::kSpace8), 1);
    row->addWidget(makeLine(Qt::Vertical, body));
    row->addWidget(paddedChart(m_top1, metrics::kSpace8, metrics::kPagePadding), 1);
    column->addLayout(row, 5);
    column->addWidget(makeLine(Qt::Horizontal, body));
    m_tableBox = paddedChart(m_table, metrics::kPagePadding, metrics::kPagePadding);
    column->addWidget(m_tableBox, 6);
    m_stack = new QStackedWidget(this);
    m_stack->addWidget(body);
    auto* empty = new EmptyState(QStringLiteral("compare"), tr("Nothing to compare yet"),
                                 tr("Click the square before the names of two or more runs in the list."), this);
    m_stack->addWidget(empty);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_bar);
    layout->addWidget(m_stack, 1);
    connectSignals();
    scheduleRebuild();
}

ComparePage::~ComparePage() {
    if (m_inspector && !m_inspector->parent()) delete m_inspector;
}

void ComparePage::buildToolBar() {
    m_bar = new PageToolBar(this);
    m_bar->addDroppable(makeLabel(tr("Group"), Type::Body, Color::Text2, m_bar), 4);
    m_groupBox = new QComboBox(m_bar);
    m_groupBox->addItems({tr("all but seed"), tr("single runs")});
    m_groupBox->setAccessibleName(tr("Group"));
    m_bar->add(m_groupBox);
    m_bar->addDroppable(makeLabel(tr("Band"), Type::Body, Color::Text2, m_bar), 4);
    m_band = new SegmentedControl({tr("Seeds"), tr("95 %"), tr("None")}, m_bar);
    m_band->setCurrentIndex(1);
    m_band->setSegmentToolTip(0, tr("Every seed as a thin line under the mean"));
    m_band->setSegmentToolTip(1, tr("95 % interval of the mean over seeds, by Student's t; of two seeds their range"));
    m_bar->add(m_band);
    m_bar->addSeparator();
    m_bar->addDroppable(makeLabel(tr("Baseline"), Type::Body, Color::Text2, m_bar), 3);
    m_baselineBox = new QComboBox(m_bar);
    m_baselineBox->setAccessibleName(tr("Baseline"));
    m_baselineBox->setMaximumWidth(180);
    m_bar->add(m_baselineBox);
    m_bar->addStretch();
    m_xKind = new SegmentedControl({tr("Step"), tr("Epoch"), tr("Time")}, m_bar);
    m_xKind->setCurrentIndex(1);
    m_xKind->setAccessibleName(tr("Horizontal axis"));
    m_bar->add(m_xKind);
    m_tools = addChartTools(m_bar, m_group, m_loss, 1);
    auto* exporting = makeButton(tr("Export"), QStringLiteral("export"), ButtonKind::Normal, ControlSize::Normal, m_bar);
    m_bar->add(exporting);
    connect(exporting, &QPushButton::clicked, this, [this, exporting] {
        QMenu menu;
        menu.addAction(tr("Figure: PDF, SVG, PNG or CSV…"), this, &ComparePage::exportFigure);
        menu.addSeparator();
        menu.addAction(tr("Copy table as LaTeX"), this, [this] { copyTable(true); });
        menu.addAction(tr("Copy table as CSV"), this, [this] { copyTable(false); });
        menu.exec(exporting->mapToGlobal(QPoint(0, exporting->height() + 2)));
    });
}

void ComparePage::connectSignals() {
    EngineBridge* bridge = context().bridge;
    connect(m_xKind, &SegmentedControl::currentChanged, this, [this](int index) {
        m_group->setXKind(static_cast<XKind>(index));
        rebuildCharts();
    });
    connect(m_band, &SegmentedControl::currentChanged, this, [this](int) { rebuildCharts(); });
    connect(m_groupBox, &QComboBox::activated, this, [this](int) { rebuild(); });
    connect(m_baselineBox, &QComboBox::activated, this, [this](int index) { setBaseline(m_ids.value(index)); });
    connect(m_group, &ChartGroup::exportRequested, this, [this](LossChart*) { exportFigure(); });
    connect(context().selection, &Selection::currentRunChanged, this, &ComparePage::scheduleRebuild);
    connect(context().selection, &Selection::shownRunsChanged, this, &ComparePage::scheduleRebuild);
    connect(bridge, &EngineBridge::catalogChanged, this, &ComparePage::scheduleRebuild);
    connect(bridge, &EngineBridge::jobStateChanged, this, [this](quint64, const QString& run) { if (m_ids.contains(run)) scheduleRebuild(); });
    connect(bridge, &EngineBridge::runLoaded, this, [this](const QString& run) { if (m_ids.contains(run)) scheduleRebuild(); });
    connect(bridge, &EngineBridge::pointsAppended, this, &ComparePage::onPoints);
}

}  // namespace espalier::app
