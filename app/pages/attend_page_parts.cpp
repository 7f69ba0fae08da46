// What stands where on the Attend page; what it shows is in attend_page.cpp.
#include <QComboBox>
#include <QHBoxLayout>
#include <QBoxLayout>
#include <QGridLayout>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "app/pages/attend_inspector.h"
#include "app/pages/attend_page.h"
#include "widgets/controls/accent_slider.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/color_bar.h"
#include "widgets/heatmap/epoch_scrubber.h"
#include "widgets/heatmap/head_wall.h"
#include "widgets/heatmap/mini_map.h"
#include "widgets/heatmap/probe_strip.h"
#include "widgets/heatmap/token_bars.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;

namespace {

constexpr int kStripHeight = 64, kScrubberHeight = 45, kUnderMap = 26 + 2 * 24 + 4 + 8, kBarsHeight = 78, kChartsHeight = 140, kLeastCharts = 108;
constexpr int kMostMini = 108, kLeastMini = 56, kMiniText = 38;  // title and range of a small map
constexpr int kLeastRight = 360, kLeastLeft = 320, kLeastSide = 160, kMostSide = 768;

QHBoxLayout* line(QVBoxLayout* column) {
    auto* row = new QHBoxLayout;
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(metrics::kSpace8);
    column->addLayout(row);
    return row;
}

}  // namespace

void AttendPage::buildToolBar() {
    m_bar = new PageToolBar(this);
    m_title = addRunTitle(m_bar);
    m_bar->addDroppable(makeLabel(tr("Read-out"), Type::Body, Color::Text2, m_bar), 3);
    m_readOutControl = new SegmentedControl({tr("Head row"), tr("Pooling"), tr("Rollout"), tr("Class")}, m_bar);
    m_readOutControl->setAccessibleName(tr("Read-out"));
    m_bar->add(m_readOutControl);
    m_bar->addSeparator();
    m_bar->addDroppable(makeLabel(tr("Compare"), Type::Body, Color::Text2, m_bar), 3);
    m_compareBox = new QComboBox(m_bar);
    m_compareBox->setAccessibleName(tr("Compare with"));
    m_compareBox->setMaxVisibleItems(20);
    m_compareBox->setMinimumContentsLength(12);
    m_compareBox->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    m_bar->addDroppable(m_compareBox, 2);
    m_bar->addStretch();
    m_classTokenButton = makeToggle(QStringLiteral("head"), tr("Ask with the class token (C)"), false, m_bar);
    m_bar->addDroppable(m_classTokenButton, 1);
    m_bar->setWanted(m_classTokenButton, false);
    m_overlayButton = makeToggle(QStringLiteral("overlay"), tr("Map over the image (O)"), true, m_bar);
    m_gridButton = makeToggle(QStringLiteral("heat-map"), tr("Token centres (G)"), false, m_bar);
    m_bar->add(m_overlayButton);
    m_bar->add(m_gridButton);
    m_bar->addSeparator();
    auto* exporting = makeButton(tr("Export"), QStringLiteral("export"), ButtonKind::Normal, ControlSize::Normal, m_bar);
    m_bar->add(exporting);
    connect(exporting, &QPushButton::clicked, this, [this, exporting] {
        auto* menu = new QMenu(exporting);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        fillExportMenu(*menu);
        menu->popup(exporting->mapToGlobal(QPoint(0, exporting->height() + 2)));
    });
}

QWidget* AttendPage::buildLeft() {
    m_left = new QWidget(this);
    auto* column = new QVBoxLayout(m_left);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_mapHeader = new ChartHeader(tr("Attention"), {}, m_left);
    auto* copying = makeIconButton(QStringLiteral("copy"), tr("Copy this map as a picture (Ctrl+C)"), m_left, ControlSize::Small);
    connect(copying, &QToolButton::clicked, this, &AttendPage::copyMap);
    m_mapHeader->addRight(copying);
    column->addWidget(m_mapHeader);
    m_map = new AttentionMap(m_left);
    column->addWidget(m_map, 0, Qt::AlignLeft | Qt::AlignTop);
    column->addSpacing(metrics::kSpace8);
    auto* upper = line(column);
    auto* overlayLabel = makeLabel(tr("Overlay"), Type::Body, Color::Text2, m_left);
    m_weightLabel = makeLabel(tr("Weight"), Type::Body, Color::Text2, m_left);
    for (QLabel* label : {overlayLabel, m_weightLabel}) label->setFixedWidth(46);
    m_opacity = new AccentSlider(m_left);
    m_opacity->setRange(0, 100);
    m_opacity->setValue(62);
    m_opacity->setFixedWidth(84);
    m_opacity->setAccessibleName(tr("Opacity of the map"));
    m_opacityText = makeLabel(tr("62 %"), Type::Body, Color::Text, m_left);
    m_direction = new SegmentedControl({tr("Row"), tr("Received")}, m_left);
    m_direction->setAccessibleName(tr("Direction"));
    m_direction->setSegmentToolTip(0, tr("Where the query token looks"));
    m_direction->setSegmentToolTip(1, tr("Which tokens look at the query token"));
    upper->addWidget(overlayLabel);
    upper->addWidget(m_opacity);
    upper->addWidget(m_opacityText);
    upper->addStretch(1);
    upper->addWidget(m_direction);
    column->addSpacing(metrics::kSpace4);
    auto* lower = line(column);
    m_colorBar = new ColorBar({84, 10}, m_left);
    m_rangeText = makeLabel({}, Type::Body, Color::Text2, m_left);
    m_samplingControl = new SegmentedControl({tr("Pixels"), tr("Smooth")}, m_left);
    m_samplingControl->setAccessibleName(tr("Sampling"));
    m_samplingControl->setSegmentToolTip(0, tr("Every pixel takes the nearest token"));
    m_samplingControl->setSegmentToolTip(1, tr("Straight lines between token centres"));
    lower->addWidget(m_weightLabel);
    lower->addWidget(m_colorBar, 0, Qt::AlignVCenter);
    lower->addWidget(m_rangeText, 1);
    lower->addWidget(m_samplingControl);
    m_barsPart = new QWidget(m_left);
    auto* bars = new QVBoxLayout(m_barsPart);
    bars->setContentsMargins(0, metrics::kSpace8, 0, 0);
    bars->setSpacing(0);
    bars->addWidget(makeLine(Qt::Horizontal, m_barsPart));
    m_barsHeader = new ChartHeader(tr("Token weights"), {}, m_barsPart);
    m_halfText = makeLabel({}, Type::Body, Color::Text2, m_barsPart);
    m_halfText->setTextFormat(Qt::PlainText);
    m_barsHeader->addRight(m_halfText);
    bars->addWidget(m_barsHeader);
    m_bars = new TokenBars(m_barsPart);
    bars->addWidget(m_bars, 1);
    column->addWidget(m_barsPart, 1);
    column->addStretch(0);
    return m_left;
}

QWidget* AttendPage::buildRight() {
    auto* right = new QWidget(this);
    auto* column = new QVBoxLayout(right);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_wallHeader = new ChartHeader(tr("All heads"), {}, right);
    m_rangeControl = new SegmentedControl({tr("Own range"), tr("One range")}, right);
    m_rangeControl->setAccessibleName(tr("Colour range of the heads"));
    m_wallHeader->addRight(m_rangeControl);
    column->addWidget(m_wallHeader);
    m_wall = new HeadWall(right);
    m_upper = new QBoxLayout(QBoxLayout::TopToBottom);
    m_upper->setSpacing(metrics::kSpace8);
    m_upper->addWidget(m_wall, 0, Qt::AlignTop);
    m_miniGrid = new QGridLayout;
    m_miniGrid->setHorizontalSpacing(metrics::kSpace12);
    m_miniGrid->setVerticalSpacing(metrics::kSpace4);
    m_upper->addLayout(m_miniGrid, 1);
    column->addLayout(m_upper);
    m_poolingMap = new MiniMap(tr("Pooling α"), right);
    m_rolloutMap = new MiniMap(tr("Rollout"), right);
    m_classMap = new MiniMap(tr("Class"), right);
    m_changeMap = new MiniMap(tr("Change"), right);
    m_minis = {m_poolingMap, m_rolloutMap, m_classMap, m_changeMap};
    placeMinis(false);
    m_chartsPart = new QWidget(right);
    auto* charts = new QHBoxLayout(m_chartsPart);
    charts->setContentsMargins(0, metrics::kSpace4, 0, 0);
    charts->setSpacing(metrics::kColumnGap);
    m_entropy = new LossChart(tr("Entropy"), {}, m_chartsPart);
    m_distance = new LossChart(tr("Distance"), {}, m_chartsPart);
    for (LossChart* chart : {m_entropy, m_distance}) {
        chart->setLeftMargin(34);
        m_group->add(chart);
        charts->addWidget(chart, 1);
    }
    column->addWidget(m_chartsPart, 1);
    column->addStretch(0);
    return right;
}

QWidget* AttendPage::buildScrubber() {
    auto* holder = new QWidget(this);
    setGround(holder, Color::Panel);
    auto* column = new QVBoxLayout(holder);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeLine(Qt::Horizontal, holder));
    auto* row = new QHBoxLayout;
    row->setContentsMargins(metrics::kPagePadding, 2, metrics::kPagePadding, 2);
    row->setSpacing(metrics::kSpace12);
    column->addLayout(row);
    m_playButton = makeIconButton(QStringLiteral("run"), tr("Play through training (Space)"), holder);
    m_moment = makeLabel({}, Type::BodyStrong, Color::Text, holder);
    m_step = makeLabel({}, Type::Body, Color::Text2, holder);
    m_scrubber = new EpochScrubber(holder);
    m_followControl = new SegmentedControl({tr("Follow"), tr("Hold")}, holder);
    m_followControl->setAccessibleName(tr("New snapshots"));
    m_followControl->setSegmentToolTip(0, tr("Show each new snapshot as it comes"));
    m_followControl->setSegmentToolTip(1, tr("Stay at this snapshot"));
    m_count = makeLabel({}, Type::Body, Color::Text2, holder);
    row->addWidget(m_playButton);
    row->addWidget(m_moment);
    row->addWidget(m_step);
    row->addWidget(m_scrubber, 1);
    row->addWidget(m_followControl);
    row->addWidget(m_count);
    holder->setFixedHeight(kScrubberHeight);
    return holder;
}

QWidget* AttendPage::buildBody() {
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* stripHolder = new QWidget(body);
    auto* stripLayout = new QVBoxLayout(stripHolder);
    stripLayout->setContentsMargins(metrics::kPagePadding - 2, 6, metrics::kPagePadding - 2, 2);
    m_strip = new ProbeStrip(stripHolder);
    stripLayout->addWidget(m_strip);
    column->addWidget(stripHolder);
    auto* columns = new QHBoxLayout;
    columns->setContentsMargins(metrics::kPagePadding, 0, metrics::kPagePadding, metrics::kSpace8);
    columns->setSpacing(metrics::kColumnGap);
    columns->addWidget(buildLeft());
    columns->addWidget(buildRight(), 1);
    column->addLayout(columns, 1);
    column->addWidget(buildScrubber());
    return body;
}

void AttendPage::connectParts() {
    connect(m_readOutControl, &SegmentedControl::currentChanged, this, [this](int index) { setReadOut(static_cast<ReadOut>(index)); });
    connect(m_compareBox, &QComboBox::activated, this, [this](int index) {
        m_hasPickedCompared = true;
        setCompared(index - 1);
    });
    connect(m_overlayButton, &QToolButton::toggled, m_map, &AttentionMap::setOverlayVisible);
    connect(m_gridButton, &QToolButton::toggled, m_map, &AttentionMap::setGridVisible);
    connect(m_classTokenButton, &QToolButton::toggled, this, [this](bool isOn) {
        if (isOn != (m_query < 0)) setQuery(isOn ? -1 : 0);
    });
    connect(m_strip, &ProbeStrip::picked, this, &AttendPage::setProbe);
    connect(m_map, &AttentionMap::queryPicked, this, &AttendPage::setQuery);
    connect(m_map, &AttentionMap::hovered, this, &AttendPage::showHover);
    connect(m_wall, &HeadWall::picked, this, &AttendPage::setHead);
    connect(m_bars, &TokenBars::tokenPicked, this, &AttendPage::setQuery);
    connect(m_bars, &TokenBars::hovered, this, &AttendPage::showHover);
    connect(m_opacity, &QSlider::valueChanged, this, [this](int percent) {
        m_opacityText->setText(tr("%1 %").arg(percent));
        m_map->setOpacity(percent / 100.0);
    });
    connect(m_direction, &SegmentedControl::currentChanged, this, [this](int index) {
        m_isReceived = index == 1;
        refreshMaps();
    });
    connect(m_samplingControl, &SegmentedControl::currentChanged, this, [this] { m_map->setSampling(sampling()); });
    connect(m_rangeControl, &SegmentedControl::currentChanged, this, [this](int index) { m_wall->setOneRange(index == 1); });
    connect(m_poolingMap, &MiniMap::clicked, this, [this] { setReadOut(ReadOut::Pooling); });
    connect(m_rolloutMap, &MiniMap::clicked, this, [this] { setReadOut(ReadOut::Rollout); });
    connect(m_classMap, &MiniMap::clicked, this, [this] { setReadOut(ReadOut::Class); });
    connect(m_scrubber, &EpochScrubber::currentChanged, this, [this](int index) {
        const bool isLast = index == static_cast<int>(m_index.snapshots.size()) - 1;
        m_isFollowing = isLast && m_isFollowing;
        m_followControl->setCurrentIndex(m_isFollowing ? 0 : 1);
        showSnapshot(index);
    });
    connect(m_scrubber, &EpochScrubber::comparedChanged, this, [this](int index) {
        m_hasPickedCompared = true;
        setCompared(index);
    });
    connect(m_followControl, &SegmentedControl::currentChanged, this, [this](int index) {
        m_isFollowing = index == 0;
        if (m_isFollowing) showSnapshot(static_cast<int>(m_index.snapshots.size()) - 1);
    });
    connect(m_playButton, &QToolButton::clicked, this, [this] { play(!m_playTimer.isActive()); });
    connect(m_inspector.data(), &AttendInspector::classPicked, this, [this](int index) {
        m_class = index;
        setReadOut(ReadOut::Class);
    });
    connect(m_inspector.data(), &AttendInspector::headPicked, this, &AttendPage::setHead);
    connect(m_group, &ChartGroup::exportRequested, this, &AttendPage::exportCurves);
    connect(m_group, &ChartGroup::cursorChanged, this, [this] {
        // The cursor of these charts is the shown snapshot whenever the mouse is elsewhere.
        if (!m_group->cursor()) QMetaObject::invokeMethod(this, &AttendPage::refreshChartCursor, Qt::QueuedConnection);
    });
}

void AttendPage::arrange() {
    const int high = height() - metrics::kPageToolBar - kStripHeight - kScrubberHeight - metrics::kSpace8;
    const int wide = width() - 2 * metrics::kPagePadding - metrics::kColumnGap;
    // The largest map that leaves room for the wall, and for the token weights where there is any choice.
    int side = std::min(high - kUnderMap - kBarsHeight, std::max(kLeastLeft, std::min(wide * 45 / 100, wide - kLeastRight)));
    const bool hasBars = side >= 240;
    if (!hasBars) side = std::min(high - kUnderMap, wide * 45 / 100);
    m_map->setSide(std::clamp(side / 32 * 32, kLeastSide, kMostSide));
    m_barsPart->setVisible(hasBars);
    const int leftWidth = std::max(kLeastLeft, m_map->imageRect().width());
    m_left->setFixedWidth(leftWidth);
    m_weightLabel->setVisible(leftWidth >= 340);
    for (QWidget* bar : {static_cast<QWidget*>(m_opacity), static_cast<QWidget*>(m_colorBar)}) bar->setFixedWidth(leftWidth >= 384 ? 84 : 64);
    arrangeRight(std::max(kLeastRight, wide - leftWidth), high);
}

void AttendPage::arrangeRight(int wide, int high) {
    // Few layers leave the wall narrow: then the four maps stand beside it, two by two, instead of below it.
    const int heads = std::max(1, m_wall->heads());
    const int most = std::min(kMostMini, (wide - 3 * metrics::kSpace12) / 4), least = std::min(230, heads * 48 + 18);
    int mini = most, charts = kChartsHeight;
    const auto left = [&] { return high - 26 - metrics::kSpace8 - mini - kMiniText - charts; };
    // Where it gets tight, charts and small maps shrink before any of them goes.
    if (left() < least) charts = std::max(kLeastCharts, charts - (least - left()));
    if (left() < least) mini = std::clamp(mini - (least - left()), std::min(kLeastMini, most), most);
    const bool hasCharts = left() >= least;
    if (!hasCharts) mini = most, charts = 0;
    const int room = std::max(80, left());
    const bool isBeside = m_wall->widthWith(m_wall->thumbFor(wide, room)) < wide * 70 / 100;
    placeMinis(isBeside);
    if (!isBeside) {
        m_wall->setMinimumWidth(0);
        m_wall->setMaximumWidth(QWIDGETSIZE_MAX);
        m_wall->setRoom(room);
        m_chartsPart->setVisible(hasCharts);
        for (MiniMap* map : m_minis) map->setMaxSide(mini);
        return;
    }
    const int free = wide - metrics::kColumnGap - metrics::kSpace12;
    const int lines = std::max(120, high - 26 - kChartsHeight);  // of the wall and of two rows of maps
    const int wanted = std::clamp(lines / 2 - kMiniText - metrics::kSpace8, 72, 100);
    const int thumb = m_wall->thumbFor((free - 2 * wanted), std::max(80, lines - metrics::kSpace8));
    m_wall->setRoom(std::max(80, lines - metrics::kSpace8));
    const int wall = m_wall->widthWith(thumb);
    const int side = std::clamp((free - wall) / 2, 48, std::min(kMostMini + 24, lines / 2 - kMiniText));
    // What the maps cannot use for want of height goes to the wall: they end where the charts below them end.
    m_wall->setFixedWidth(std::max(wall, free - 2 * side));
    for (MiniMap* map : m_minis) map->setMaxSide(side);
    m_chartsPart->setVisible(true);
}

void AttendPage::placeMinis(bool isBeside) {
    if (m_miniGrid->count() > 0 && isBeside == m_hasMinisBeside) return;
    m_hasMinisBeside = isBeside;
    m_upper->setDirection(isBeside ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
    m_upper->setSpacing(isBeside ? metrics::kColumnGap : metrics::kSpace8);
    for (int i = 0; i < static_cast<int>(m_minis.size()); ++i) {
        MiniMap* map = m_minis[static_cast<std::size_t>(i)];
        m_miniGrid->removeWidget(map);
        if (isBeside) m_miniGrid->addWidget(map, i / 2, i % 2, Qt::AlignTop);
        else m_miniGrid->addWidget(map, 0, i);
        m_miniGrid->setColumnStretch(i, isBeside && i > 1 ? 0 : 1);
    }
}

void AttendPage::resizeEvent(QResizeEvent*) { arrange(); }

}  // namespace espalier::app
