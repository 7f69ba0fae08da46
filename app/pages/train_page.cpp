#include "app/pages/train_page.h"

#include "app/pages/run_names.h"
#include "app/shell/commands.h"
#include "app/shell/error_presenter.h"
#include "engine/feed/metric_names.h"
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

#include <QFileDialog>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollArea>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace espalier::app {

using namespace widgets;
namespace names = feed::names;

namespace {

constexpr int kSmallLeft = 38;
constexpr int kMaxChips = 6;

// Padding around one chart; lines between charts are separate widgets.
QWidget* padded(QWidget* chart, int left, int right) {
    auto* box = new QWidget;
    setGround(box, Color::Well);
    auto* layout = new QVBoxLayout(box);
    layout->setContentsMargins(left, metrics::kSpace4, right, metrics::kSpace4);
    layout->addWidget(chart);
    return box;
}

void setLines(LossChart* chart, std::vector<LineSpec> lines, const QString& emptyText) {
    chart->setEmptyText(lines.empty() ? emptyText : QString());
    chart->setLines(std::move(lines));
}

}  // namespace

double smoothingOfSlider(int position) {
    if (position <= 0) return 0;
    const double steps = std::pow(10.0, position / 25.0);
    const double unit = std::pow(10.0, std::max(0.0, std::floor(std::log10(steps)) - 1));
    return std::max(1.0, std::round(steps / unit) * unit);
}

int sliderOfSmoothing(double steps) {
    if (steps <= 0) return 0;
    return std::clamp(static_cast<int>(std::lround(25 * std::log10(std::max(1.1, steps)))), 1, 100);
}

TrainPage::TrainPage(AppContext& context, QWidget* parent) : Page(context, parent), m_lines(context) {
    setGround(this, Color::Well);
    m_group = new ChartGroup(this);
    buildToolBar();
    buildCharts();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_bar);
    layout->addWidget(m_stack, 1);
    connectSignals();
    scheduleRebuild();
}

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
    m_smoothingText->setFixedWidth(QFontMetrics(theme().font(Type::Body)).horizontalAdvance(QStringLiteral("10,000 steps")));
    m_bar->add(m_smoothingText);
    m_bar->addStretch();
    m_events = makeToggle(QStringLiteral("events"), tr("Events: checkpoints, resumes, changes"), true, m_bar);
    m_logY = makeToggle(QStringLiteral("log-axis"), tr("Log scale on y of the loss (L in a chart)"), false, m_bar);
    m_back = makeIconButton(QStringLiteral("zoom-back"), tr("Zoom back (Backspace in a chart)"), m_bar);
    m_reset = makeIconButton(QStringLiteral("zoom-reset"), tr("Reset zoom (0 or double click in a chart)"), m_bar);
    for (QWidget* tool : {m_events, m_logY, m_back, m_reset}) m_bar->add(tool);
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
    m_loss = new LossChart(tr("Loss"), tr("cross entropy, nats"), this);
    m_top1 = new LossChart(tr("Top-1"), {}, this);
    m_rate = new LossChart(tr("Learning rate"), {}, this);
    m_norm = new LossChart(tr("Gradient norm"), {}, this);
    m_norm->setLogY(true);
    for (LossChart* small : {m_top1, m_rate, m_norm}) small->setLeftMargin(kSmallLeft);
    for (LossChart* chart : {m_loss, m_top1, m_rate, m_norm}) m_group->add(chart);
    m_stack = new QStackedWidget(this);
    m_trainingBody = trainingBody();
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
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(padded(m_loss, metrics::kPagePadding, metrics::kPagePadding), 37);
    m_lower = new QWidget(body);
    auto* lower = new QVBoxLayout(m_lower);
    lower->setContentsMargins(0, 0, 0, 0);
    lower->setSpacing(0);
    lower->addWidget(makeLine(Qt::Horizontal, m_lower));
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    lower->addLayout(row, 1);
    row->addWidget(padded(m_top1, metrics::kPagePadding, metrics::kSpace8), 1);
    row->addWidget(makeLine(Qt::Vertical, m_lower));
    row->addWidget(padded(m_rate, metrics::kSpace8, metrics::kSpace8), 1);
    row->addWidget(makeLine(Qt::Vertical, m_lower));
    row->addWidget(padded(m_norm, metrics::kSpace8, metrics::kPagePadding), 1);
    column->addWidget(m_lower, 30);
    return body;
}

void TrainPage::connectSignals() {
    EngineBridge* bridge = context().bridge;
    connect(m_xKind, &SegmentedControl::currentChanged, this, [this](int index) { m_group->setXKind(static_cast<XKind>(index)); });
    connect(m_smoothing, &QSlider::valueChanged, this, [this](int position) { setSmoothingByUser(smoothingOfSlider(position)); });
    connect(m_group, &ChartGroup::smoothingChanged, this, [this](double steps) {
        Q_UNUSED(steps);
        m_isSmoothingManual |= !m_isSmoothingAutomatic;  // keys in a chart
        refreshSmoothing();
    });
    connect(m_events, &QToolButton::toggled, this, &TrainPage::refreshEvents);
    connect(m_logY, &QToolButton::toggled, m_loss, &LossChart::setLogY);
    connect(m_loss, &LossChart::logYChanged, m_logY, &QToolButton::setChecked);
    connect(m_back, &QToolButton::clicked, m_group, &ChartGroup::zoomBack);
    connect(m_reset, &QToolButton::clicked, m_group, &ChartGroup::zoomReset);
    const auto zoomState = [this] {
        m_back->setEnabled(m_group->canGoBack());
        m_reset->setEnabled(m_group->isZoomed());
    };
    connect(m_group, &ChartGroup::historyChanged, this, zoomState);
    zoomState();
    connect(m_layoutBox, &QComboBox::activated, this, [this](int index) { setLayoutKind(static_cast<Layout>(index)); });
    connect(m_group, &ChartGroup::exportRequested, this, [this](LossChart* chart) { exportCharts({chart}, 1, chart->title().toLower()); });
    connect(context().selection, &Selection::currentRunChanged, this, &TrainPage::scheduleRebuild);
    connect(context().selection, &Selection::shownRunsChanged, this, &TrainPage::scheduleRebuild);
    connect(bridge, &EngineBridge::pointsAppended, this, &TrainPage::onPoints);
    const auto ifDrawn = [this](const QString& run) { if (context().selection->drawnRuns().contains(run)) scheduleRebuild(); };
    connect(bridge, &EngineBridge::runLoaded, this, ifDrawn);
    connect(bridge, &EngineBridge::seriesAdded, this, ifDrawn);
    connect(bridge, &EngineBridge::runMarked, this, [this](const QString& run) {
        if (run == context().selection->drawnRuns().value(0)) refreshEvents();
    });
    connect(bridge, &EngineBridge::catalogChanged, this, &TrainPage::scheduleRebuild);
    connect(bridge, &EngineBridge::jobStateChanged, this, [this](quint64, const QString&) { scheduleRebuild(); });
}

void TrainPage::activated() {
    m_isActive = true;
    rebuild();
}

void TrainPage::setLayoutKind(Layout layout) {
    m_layout = layout;
    m_layoutBox->setCurrentIndex(static_cast<int>(layout));
    rebuild();
}

void TrainPage::scheduleRebuild() {
    if (m_isRebuildPending) return;
    m_isRebuildPending = true;
    QMetaObject::invokeMethod(this, [this] { if (m_isRebuildPending) rebuild(); }, Qt::QueuedConnection);
}

void TrainPage::rebuild() {
    m_isRebuildPending = false;
    QStringList runs;
    for (const QString& run : context().selection->drawnRuns()) {
        if (!context().bridge->run(run)) continue;
        runs += run;
        if (!context().bridge->isLoaded(run) && !m_asked.contains(run)) {
            m_asked.insert(run);
            context().bridge->loadRun(run);
        }
    }
    rebuildChips();
    if (runs.isEmpty()) {
        m_group->clearCursor();
        m_knownLines.clear();
        return showEmptyOr(nullptr);
    }
    QStringList full;
    for (const QString& run : runs) full += format::text(context().bridge->run(run)->name);
    const QStringList labels = shortRunNames(full, 1);
    m_knownLines.clear();
    const bool hasLoss = std::any_of(runs.begin(), runs.end(), [&](const QString& run) {
        return m_lines.series(run, names::kTrainLoss) || m_lines.series(run, names::kValidLoss);
    });
    const bool hasOther = std::any_of(runs.begin(), runs.end(), [&](const QString& run) { return !context().bridge->series().names(run).isEmpty(); });
    const bool isAll = m_layout == Layout::AllSeries || (!hasLoss && hasOther);
    m_lower->setVisible(m_layout != Layout::LossOnly);
    if (isAll) rebuildAllSeries(runs, labels);
    else rebuildTraining(runs, labels);
    refreshEvents();
    applyAutomaticSmoothing();
    refreshSmoothing();
    showEmptyOr(isAll ? static_cast<QWidget*>(m_allBody) : m_trainingBody);
    m_group->updateNow();
}

void TrainPage::showEmptyOr(QWidget* body) {
    m_stack->setCurrentWidget(body ? body : m_empty);
}

void TrainPage::rebuildTraining(const QStringList& runs, const QStringList& labels) {
    std::vector<LineSpec> loss, top1, rate, norm;
    std::vector<Forecast> toCome;
    const bool isOne = runs.size() == 1;
    for (qsizetype i = 0; i < runs.size(); ++i) {
        const QString& run = runs[i];
        const auto add = [&](std::vector<LineSpec>& lines, std::string_view name, LineRole role, const QString& label) -> LineSpec* {
            auto spec = m_lines.line(run, name, role, label);
            if (!spec) return nullptr;
            spec->isFocused = i == 0;
            m_knownLines.insert(spec->id);
            lines.push_back(std::move(*spec));
            return &lines.back();
        };
        add(loss, names::kTrainLoss, LineRole::Smoothed, isOne ? tr("train") : tr("%1 train").arg(labels[i]));
        add(loss, names::kValidLoss, LineRole::Valid, isOne ? tr("valid") : tr("%1 valid").arg(labels[i]));
        const bool hasValid = add(top1, names::kValidTop1, LineRole::Plain, isOne ? tr("valid") : labels[i]) != nullptr;
        if (LineSpec* train = add(top1, names::kTrainTop1, LineRole::Smoothed, isOne ? tr("train") : tr("%1 train").arg(labels[i])); train && hasValid) {
            train->opacity = 0.5;
            train->isInLegend = isOne;
        }
        add(rate, names::kTrainLr, LineRole::Plain, labels[i]);
        add(norm, names::kTrainGradNorm, LineRole::Smoothed, labels[i]);
        if (auto forecast = m_lines.learningRateToCome(run)) toCome.push_back(std::move(*forecast));
    }
    const bool isWaiting = std::any_of(runs.begin(), runs.end(), [&](const QString& run) { return !context().bridge->isLoaded(run); });
    const QString waiting = tr("reading the log");
    const feed::RunInfo* info = context().bridge->run(runs.front());
    const bool isLive = info && !feed::isFinal(info->state);
    const QString none = isWaiting ? waiting : isLive ? tr("waits for the first step") : tr("not logged by this run");
    setLines(m_loss, std::move(loss), none);
    setLines(m_top1, std::move(top1), none);
    setLines(m_rate, std::move(rate), none);
    setLines(m_norm, std::move(norm), none);
    m_rate->setForecasts(std::move(toCome));
    m_top1->setClaim(m_lines.claim(runs.front(), QStringLiteral("top1")));
}

void TrainPage::rebuildAllSeries(const QStringList& runs, const QStringList& labels) {
    // "train/loss" and "valid/loss" share a chart, one a name.
    QStringList order;
    QHash<QString, std::vector<LineSpec>> lines;
    for (qsizetype i = 0; i < runs.size(); ++i) {
        for (const QString& name : context().bridge->series().names(runs[i])) {
            const QString split = name.section(u'/', 0, 0), metric = name.section(u'/', 1);
            if (name == QString::fromLatin1(names::kTrainEpoch.data())) continue;
            const bool isTrain = split == QStringLiteral("train");
            auto spec = m_lines.line(runs[i], name.toStdString(), isTrain ? LineRole::Smoothed : LineRole::Valid,
                                     runs.size() == 1 ? split : labels[i] + u' ' + split);
            if (!spec) continue;
            spec->isFocused = i == 0;
            m_knownLines.insert(spec->id);
            if (!order.contains(metric)) order += metric;
            lines[metric].push_back(std::move(*spec));
        }
    }
    std::stable_sort(order.begin(), order.end(), [](const QString& a, const QString& b) { return (a == QStringLiteral("loss")) > (b == QStringLiteral("loss")); });
    for (auto it = m_allCharts.begin(); it != m_allCharts.end();) {
        if (order.contains(it.key())) {
            ++it;
            continue;
        }
        delete it.value();
        it = m_allCharts.erase(it);
    }
    for (int i = 0; i < order.size(); ++i) {
        LossChart*& chart = m_allCharts[order[i]];
        if (!chart) {
            chart = new LossChart(order[i], {}, m_allBody->widget());
            chart->setMinimumHeight(220);
            m_group->add(chart);
        }
        m_allGrid->addWidget(chart, i / 2, i % 2);
        chart->setLines(std::move(lines[order[i]]));
    }
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
    const QStringList labels = shortRunNames(full, 2);
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

void TrainPage::refreshEvents() {
    const QString focus = context().selection->drawnRuns().value(0);
    const bool isOn = m_events->isChecked();
    const std::vector<ChartEvent> events = isOn ? m_lines.events(focus) : std::vector<ChartEvent>{};
    m_loss->setEvents(events, EventDetail::Full);
    m_norm->setEvents(events, EventDetail::BreaksOnly);
    for (LossChart* chart : {m_top1, m_rate}) chart->setEvents({}, EventDetail::None);
    for (LossChart* chart : m_allCharts) chart->setEvents(events, EventDetail::BreaksOnly);
    m_group->scheduleUpdate();
}

double TrainPage::automaticSmoothing() const {
    std::int64_t last = 0;
    for (const QString& run : context().selection->drawnRuns()) last = std::max(last, m_lines.lastStep(run));
    const auto steps = static_cast<double>(last);
    // A third of a percent of a long run; short ones need more to calm anything.
    return smoothingOfSlider(sliderOfSmoothing(std::max(steps * 0.0035, std::min(steps / 60, 20.0))));
}

void TrainPage::applyAutomaticSmoothing() {
    if (m_isSmoothingManual) return;
    m_isSmoothingAutomatic = true;
    m_group->setSmoothing(automaticSmoothing());
    m_isSmoothingAutomatic = false;
}

void TrainPage::setSmoothingByUser(double steps) {
    m_isSmoothingManual = true;
    m_group->setSmoothing(steps);
}

void TrainPage::refreshSmoothing() {
    const double steps = m_group->smoothing();
    m_smoothing->blockSignals(true);
    m_smoothing->setValue(sliderOfSmoothing(steps));
    m_smoothing->blockSignals(false);
    m_smoothingText->setText(steps > 0 ? tr("%1 steps").arg(format::count(std::llround(steps))) : tr("off"));
}

void TrainPage::onPoints(const QString& run, const QString& series) {
    if (!context().selection->drawnRuns().contains(run)) return;
    if (!m_knownLines.contains(run + u'/' + series) && series != QString::fromLatin1(names::kTrainEpoch.data())) {
        if (m_stack->currentWidget() == m_allBody || series.endsWith(QStringLiteral("loss"))) return scheduleRebuild();
        static const QSet<QString> drawn{QStringLiteral("valid/top1"), QStringLiteral("train/top1"), QStringLiteral("train/lr"), QStringLiteral("train/grad_norm")};
        if (drawn.contains(series)) scheduleRebuild();
        return;
    }
    if (!m_isActive && !isVisible()) return;
    m_lines.axis(run);  // the epoch table grows with the points
    applyAutomaticSmoothing();
    m_group->scheduleUpdate();
}

QVector<LossChart*> TrainPage::charts() const {
    if (m_stack->currentWidget() == m_allBody) {
        QVector<LossChart*> charts;
        for (int i = 0; i < m_allGrid->count(); ++i)
            if (auto* chart = qobject_cast<LossChart*>(m_allGrid->itemAt(i)->widget())) charts += chart;
        return charts;
    }
    if (m_layout == Layout::LossOnly) return {m_loss};
    return {m_loss, m_top1, m_rate, m_norm};
}

bool TrainPage::isSettled() const {
    if (m_isRebuildPending) return false;
    for (const QString& run : context().selection->drawnRuns())
        if (context().bridge->run(run) && !context().bridge->isLoaded(run)) return false;
    return true;
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

QJsonObject TrainPage::saveState() const {
    QJsonObject state;
    state[QStringLiteral("x")] = m_xKind->currentIndex();
    state[QStringLiteral("layout")] = static_cast<int>(m_layout);
    state[QStringLiteral("logY")] = m_loss->isLogY();
    state[QStringLiteral("logX")] = m_group->isLogX();
    state[QStringLiteral("events")] = m_events->isChecked();
    if (m_isSmoothingManual) state[QStringLiteral("smoothing")] = m_group->smoothing();
    return state;
}

void TrainPage::restoreState(const QJsonObject& state) {
    const int kind = std::clamp(state[QStringLiteral("x")].toInt(), 0, 2);
    m_xKind->setCurrentIndex(kind);
    m_group->setXKind(static_cast<XKind>(kind));
    m_loss->setLogY(state[QStringLiteral("logY")].toBool());
    m_group->setLogX(state[QStringLiteral("logX")].toBool());
    m_events->setChecked(state[QStringLiteral("events")].toBool(true));
    if (state.contains(QStringLiteral("smoothing"))) setSmoothingByUser(state[QStringLiteral("smoothing")].toDouble());
    setLayoutKind(static_cast<Layout>(std::clamp(state[QStringLiteral("layout")].toInt(), 0, 2)));
}

}  // namespace espalier::app
