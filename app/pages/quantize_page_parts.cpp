// What stands where on the Quantize page; what it shows is in quantize_page.cpp.
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "app/pages/quantize_inspector.h"
#include "app/pages/quantize_page.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/heatmap/color_bar.h"
#include "widgets/plot/method_legend.h"
#include "widgets/plot/weight_views.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

namespace {

constexpr int kRightUsual = 312, kRightCompact = 248, kCompactWidth = 880, kCompactHeight = 600;

QWidget* padded(QWidget* parent, QVBoxLayout** inner, int left, int right) {
    auto* box = new QWidget(parent);
    *inner = new QVBoxLayout(box);
    (*inner)->setContentsMargins(left, metrics::kSpace4, right, metrics::kSpace4);
    (*inner)->setSpacing(0);
    return box;
}

}  // namespace

void QuantizePage::buildToolBar() {
    m_bar = new PageToolBar(this);
    m_title = addRunTitle(m_bar);
    m_jobLabel = makeLabel(tr("Job"), Type::Body, Color::Text2, m_bar);
    m_bar->addDroppable(m_jobLabel, 3);
    m_jobBox = new QComboBox(m_bar);
    m_jobBox->setAccessibleName(tr("Job"));
    m_jobBox->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_bar->add(m_jobBox);
    m_progress = new ProgressBar(m_bar);
    m_progress->setFixedWidth(108);
    m_bar->addDroppable(m_progress, 2);
    m_stage = makeLabel({}, Type::Body, Color::Text2, m_bar);
    m_bar->addDroppable(m_stage, 3);
    m_bar->addStretch();
    m_costControl = new SegmentedControl({tr("Size"), tr("Latency"), tr("BOPs")}, m_bar);
    m_costControl->setAccessibleName(tr("Cost on the horizontal axis"));
    m_bar->add(m_costControl);
    m_allButton = makeToggle(QStringLiteral("zoom-reset"), tr("Show every point to scale"), false, m_bar);
    m_bar->add(m_allButton);
    m_bar->addSeparator();
    auto* exporting = makeButton(tr("Export"), QStringLiteral("export"), ButtonKind::Normal, ControlSize::Normal, m_bar);
    exporting->setToolTip(tr("Charts as PDF, SVG, PNG or CSV"));
    m_bar->add(exporting);
    connect(exporting, &QPushButton::clicked, this, [this, exporting] {
        auto* menu = new QMenu(exporting);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        fillExportMenu(*menu);
        menu->popup(exporting->mapToGlobal(QPoint(0, exporting->height() + 2)));
    });
}

QWidget* QuantizePage::buildLeft() {
    auto* left = new QWidget(this);
    auto* column = new QVBoxLayout(left);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    QVBoxLayout* upper = nullptr;
    column->addWidget(padded(left, &upper, metrics::kPagePadding, metrics::kSpace8), 11);
    m_scatterHeader = new ChartHeader(tr("Size and accuracy"), {}, left);
    m_badge = new Badge({}, Badge::Kind::Warning, left);
    m_badge->hide();
    m_scatterHeader->addLeft(m_badge);
    m_legend = new MethodLegend(true, left);
    m_scatterHeader->addRight(m_legend);
    upper->addWidget(m_scatterHeader);
    m_scatter = new TradeoffScatter(left);
    upper->addWidget(m_scatter, 1);
    column->addWidget(makeLine(Qt::Horizontal, left));

    QVBoxLayout* lower = nullptr;
    column->addWidget(padded(left, &lower, metrics::kPagePadding, metrics::kSpace8), 12);
    m_sensitivityHeader = new ChartHeader(tr("Sensitivity"), {}, left);
    m_measureControl = new SegmentedControl({tr("Loss"), tr("Error")}, left);
    m_measureControl->setAccessibleName(tr("What the map shows"));
    m_measureControl->setSegmentToolTip(0, tr("Loss that one layer alone adds when it is rounded to nearest; outlined: what the chosen point has"));
    m_measureControl->setSegmentToolTip(1, tr("Relative output error of every layer under the chosen point's method, log scale; outlined: what it has"));
    m_lowLabel = makeLabel({}, Type::Caption, Color::Text2, left);
    m_highLabel = makeLabel({}, Type::Caption, Color::Text2, left);
    m_colorBar = new ColorBar({70, 8}, left);
    m_colorBar->setUnsignedColors(errorColor);
    for (QWidget* widget : {static_cast<QWidget*>(m_lowLabel), static_cast<QWidget*>(m_colorBar), static_cast<QWidget*>(m_highLabel), static_cast<QWidget*>(m_measureControl)})
        m_sensitivityHeader->addRight(widget);
    lower->addWidget(m_sensitivityHeader);
    m_sensitivity = new SensitivityMap(m_columns, left);
    lower->addWidget(m_sensitivity, 100);
    m_allocationHeader = new ChartHeader(tr("Allocation"), tr("KB by layer, bits above"), left);
    lower->addWidget(m_allocationHeader);
    m_allocation = new AllocationStrip(m_columns, left);
    lower->addWidget(m_allocation, 78);
    m_calibrationHeader = new ChartHeader(tr("Calibration"), {}, left);
    m_calibrationLegend = new MethodLegend(false, left);
    m_calibrationHeader->addRight(m_calibrationLegend);
    lower->addWidget(m_calibrationHeader);
    m_calibration = new CalibrationBars(m_columns, left);
    m_calibration->setBlockNamesVisible(true);
    lower->addWidget(m_calibration, 112);
    return left;
}

QWidget* QuantizePage::buildRight() {
    m_right = new QWidget(this);
    auto* column = new QVBoxLayout(m_right);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    QVBoxLayout* upper = nullptr;
    column->addWidget(padded(m_right, &upper, metrics::kSpace8, metrics::kPagePadding), 11);
    m_histogramHeader = new ChartHeader(tr("Weights"), {}, m_right);
    upper->addWidget(m_histogramHeader);
    m_histogram = new WeightHistogram(m_right);
    upper->addWidget(m_histogram, 1);
    column->addWidget(makeLine(Qt::Horizontal, m_right));
    QVBoxLayout* lower = nullptr;
    column->addWidget(padded(m_right, &lower, metrics::kSpace8, metrics::kPagePadding), 12);
    m_shiftHeader = new ChartHeader(tr("Shift against size"), tr("levels from RTN"), m_right);
    lower->addWidget(m_shiftHeader);
    m_shift = new ShiftScatter(m_right);
    lower->addWidget(m_shift, 1);
    m_optionsPart = new QWidget(m_right);
    auto* options = new QVBoxLayout(m_optionsPart);
    options->setContentsMargins(0, metrics::kSpace8, 0, 0);
    options->setSpacing(0);
    options->addWidget(makeLine(Qt::Horizontal, m_optionsPart));
    m_optionsHeader = new ChartHeader(tr("Options of this layer"), tr("relative output error, KB"), m_optionsPart);
    options->addWidget(m_optionsHeader);
    m_options = new KeyValueList(m_optionsPart);
    options->addWidget(m_options);
    lower->addWidget(m_optionsPart);
    return m_right;
}

QWidget* QuantizePage::buildBody() {
    auto* body = new QWidget(this);
    auto* row = new QHBoxLayout(body);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    row->addWidget(buildLeft(), 1);
    row->addWidget(makeLine(Qt::Vertical, body));
    row->addWidget(buildRight());
    return body;
}

void QuantizePage::connectParts() {
    connect(m_jobBox, &QComboBox::activated, this, [this](int index) { showJob(m_jobBox->itemData(index).toString()); });
    connect(m_costControl, &SegmentedControl::currentChanged, this, [this](int index) {
        m_cost = static_cast<CostKind>(index);
        refreshScatter();
    });
    connect(m_measureControl, &SegmentedControl::currentChanged, this, [this] { refreshCells(); });
    connect(m_allButton, &QToolButton::toggled, m_scatter, &TradeoffScatter::setShowsAll);
    connect(m_badge, &QAbstractButton::clicked, this, [this] { m_allButton->setChecked(true); });
    connect(m_legend, &MethodLegend::toggled, m_scatter, &TradeoffScatter::setMethodHidden);
    connect(m_legend, &MethodLegend::isolated, m_scatter, &TradeoffScatter::isolateMethod);
    connect(m_scatter, &TradeoffScatter::visibilityChanged, this, &QuantizePage::refreshLegend);
    connect(m_scatter, &TradeoffScatter::viewChanged, this, &QuantizePage::refreshBadge);
    m_columns->setReadout(m_readout);
    for (PaintedChart* chart : {static_cast<PaintedChart*>(m_scatter), static_cast<PaintedChart*>(m_histogram), static_cast<PaintedChart*>(m_shift)}) {
        chart->setReadout(m_readout);
        connect(chart, &PaintedChart::exportRequested, this, [this, chart] { exportChart(chart); });
    }
    for (Lane* lane : {static_cast<Lane*>(m_sensitivity), static_cast<Lane*>(m_allocation), static_cast<Lane*>(m_calibration)})
        connect(lane, &Lane::exportRequested, this, &QuantizePage::exportLanes);
    connect(m_scatter, &TradeoffScatter::picked, this, [this](int id) { selectPoint(id, true); });
    connect(m_columns, &LayerColumns::selectedChanged, this, &QuantizePage::selectLayer);
    connect(m_inspector.data(), &QuantizeInspector::pointPicked, this, [this](int id) { selectPoint(id, true); });
    connect(m_inspector.data(), &QuantizeInspector::exportRequested, this, [this] {
        const feed::TradeoffPoint* point = m_data.point(m_point);
        if (!point) return;
        const QString path = chooseFile(QString::fromStdString(point->label).replace(u' ', u'-') + QStringLiteral(".safetensors"));
        if (!path.isEmpty()) exportPointTo(m_point, path);
    });
}

void QuantizePage::resizeEvent(QResizeEvent*) {
    m_isCompact = width() < kCompactWidth || height() < kCompactHeight;
    m_right->setFixedWidth(width() < kCompactWidth ? kRightCompact : std::max(kRightUsual, width() * 34 / 100));
    refreshOptions();
}

}  // namespace espalier::app
