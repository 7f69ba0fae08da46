#include "app/pages/train_page.h"

#include "app/pages/run_banner.h"
#include "app/pages/run_names.h"
#include "app/shell/commands.h"
#include "engine/feed/metric_names.h"
#include "widgets/controls/accent_slider.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/format.h"

#include <QGridLayout>
#include <QScrollArea>
#include <QStackedWidget>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace espalier::app {

using namespace widgets;
namespace names = feed::names;

namespace {

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
    m_loss = new LossChart(tr("Loss"), tr("cross entropy, nats"), this);
    buildToolBar();
    buildCharts();
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_bar);
    m_banner = new RunBanner(context, this);
    layout->addWidget(m_banner);
    layout->addWidget(m_stack, 1);
    connectSignals();
    scheduleRebuild();
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
    m_banner->setRun(context().selection->currentRun());
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
    m_smoothingText->setText(steps > 0 ? (std::llround(steps) == 1 ? tr("1 step") : tr("%1 steps").arg(format::count(std::llround(steps)))) : tr("off"));
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
