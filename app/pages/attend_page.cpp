#include "app/pages/attend_page.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QKeyEvent>
#include <QLabel>
#include <QMenu>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/pages/attend_inspector.h"
#include "app/shell/error_presenter.h"
#include "engine/feed/metric_names.h"
#include "widgets/controls/accent_slider.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/heatmap/attention_map.h"
#include "widgets/heatmap/epoch_scrubber.h"
#include "widgets/heatmap/head_wall.h"
#include "widgets/heatmap/mini_map.h"
#include "widgets/heatmap/probe_strip.h"
#include "widgets/heatmap/token_bars.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;
using format::text;
namespace names = feed::names;

namespace {

constexpr int kPlayMs = 350, kIndexMs = 150;

}  // namespace

AttendPage::AttendPage(AppContext& context, QWidget* parent) : Page(context, parent), m_lines(context), m_inspector(new AttendInspector(context)) {
    setGround(this, Color::Well);
    setFocusPolicy(Qt::StrongFocus);
    chooseFile = [this](const QString& suggested) { return askFigurePath(this, suggested); };
    m_group = new ChartGroup(this);
    m_group->setXKind(XKind::Epoch);
    buildToolBar();
    m_body = buildBody();
    m_empty = new EmptyState(QStringLiteral("attention"), tr("No maps in this run"), {}, this);
    m_stack = new QStackedWidget(this);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_body);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->setSizeConstraint(QLayout::SetNoConstraint);
    layout->addWidget(m_bar);
    layout->addWidget(m_stack, 1);
    connectParts();
    m_indexTimer.setSingleShot(true);
    m_indexTimer.setInterval(kIndexMs);
    connect(&m_indexTimer, &QTimer::timeout, this, &AttendPage::readIndex);
    m_playTimer.setInterval(kPlayMs);
    connect(&m_playTimer, &QTimer::timeout, this, [this] {
        if (m_isWaiting) return;  // the last snapshot is still being read
        if (m_snapshot + 1 >= static_cast<int>(m_index.snapshots.size())) return play(false);
        showSnapshot(m_snapshot + 1);
    });
    EngineBridge* bridge = context.bridge;
    connect(context.selection, &Selection::currentRunChanged, this, &AttendPage::setRun);
    connect(bridge, &EngineBridge::arrayStored, this, [this](const QString& run, const QString& name) {
        if (run == m_run && (name.startsWith(QStringLiteral("attn/")) || name.startsWith(QStringLiteral("probe/")))) scheduleIndex();
    });
    connect(bridge, &EngineBridge::catalogChanged, this, [this] {
        refreshToolBar();
        if (m_index.isEmpty() && !m_run.isEmpty()) scheduleIndex();
    });
    const auto refreshIfMine = [this](const QString& run) {
        if (run == m_run && m_isActive && !m_index.isEmpty()) {
            refreshCharts();
            refreshMaps();
        }
    };
    connect(bridge, &EngineBridge::runLoaded, this, refreshIfMine);
    connect(bridge, &EngineBridge::seriesAdded, this, refreshIfMine);
    connect(bridge, &EngineBridge::pointsAppended, this, [this](const QString& run, const QString&) {
        if (run == m_run && m_isActive) m_group->scheduleUpdate();
    });
    connect(&theme(), &Theme::changed, this, [this] { refreshMaps(); });
    setRun(context.selection->currentRun());
}

AttendPage::~AttendPage() { delete m_inspector; }

QWidget* AttendPage::inspector() { return m_index.isEmpty() ? nullptr : m_inspector.data(); }

void AttendPage::activated() {
    m_isActive = true;
    if (m_isStale) readIndex();
    refreshCharts();
}

void AttendPage::deactivated() {
    m_isActive = false;
    play(false);
}

bool AttendPage::isSettled() const { return !m_indexTimer.isActive() && !(m_isActive && m_isStale) && context().bridge->reads().isIdle(this); }

void AttendPage::setRun(const QString& run) {
    if (run == m_run && !m_index.isEmpty()) return;
    m_run = run;
    if (m_inspector) m_inspector->setRun(run);
    m_index = {};
    m_now = m_before = {};
    m_shown.clear();
    m_probe = 0;
    m_snapshot = m_compared = m_layer = m_query = m_class = -1;
    m_askedStep = -1;
    m_isFollowing = true;
    m_hasPickedCompared = false;
    m_readProblem.clear();
    play(false);
    refreshToolBar();
    showEmpty();
    m_isStale = true;
    if (m_isActive || isVisible()) readIndex();
    Q_EMIT inspectorChanged();
}

void AttendPage::scheduleIndex() {
    m_isStale = true;
    if ((m_isActive || isVisible()) && !m_indexTimer.isActive()) m_indexTimer.start();
}

void AttendPage::readIndex() {
    m_indexTimer.stop();
    m_isStale = false;
    if (m_run.isEmpty()) return showEmpty();
    const feed::RunInfo* info = context().bridge->run(m_run);
    const std::string dataset = info ? info->datasetId : std::string();
    context().bridge->reads().run(
        this, QStringLiteral("index"),
        [workspace = context().workspace, run = m_run.toStdString(), dataset] { return readAttendIndex(*workspace, run, dataset); },
        [this, run = m_run](Result<AttendIndex> index) {
            if (run != m_run) return;
            m_readProblem = index ? QString() : text(index.error().sentence());
            if (index) takeIndex(std::move(*index));
            else showEmpty();
        });
}

void AttendPage::takeIndex(AttendIndex index) {
    const bool wasEmpty = m_index.isEmpty();
    const std::int64_t shownStep = m_snapshot >= 0 && m_snapshot < static_cast<int>(m_index.snapshots.size()) ? m_index.snapshots[static_cast<std::size_t>(m_snapshot)].step : -1;
    const std::int64_t comparedStep = m_compared >= 0 && m_compared < static_cast<int>(m_index.snapshots.size()) ? m_index.snapshots[static_cast<std::size_t>(m_compared)].step : -1;
    m_index = std::move(index);
    if (m_index.isEmpty()) {
        showEmpty();
        if (!wasEmpty) Q_EMIT inspectorChanged();
        return;
    }
    const auto& snapshots = m_index.snapshots;
    const auto find = [&](std::int64_t step) {
        const auto at = std::find_if(snapshots.begin(), snapshots.end(), [step](const auto& one) { return one.step == step; });
        return at == snapshots.end() ? -1 : static_cast<int>(at - snapshots.begin());
    };
    m_snapshot = m_isFollowing || shownStep < 0 ? static_cast<int>(snapshots.size()) - 1 : std::max(0, find(shownStep));
    m_compared = m_hasPickedCompared ? find(comparedStep) : snapshots.size() > 1 ? 0 : -1;
    m_probe = std::clamp(m_probe, 0, static_cast<int>(m_index.probes.size()) - 1);
    if (wasEmpty) {
        m_layer = static_cast<int>(snapshots.back().layers.size()) - 1;
        m_head = 0;
        const TokenGrid& grid = m_index.grid;
        m_query = (grid.rows / 2) * grid.cols + grid.cols / 2;
        context().bridge->loadRun(m_run);
    }
    m_bar->setWanted(m_classTokenButton, m_index.grid.classTokens > 0);
    m_bar->setQuiet(false);
    m_stack->setCurrentWidget(m_body);
    refreshProbes();
    refreshScrubber();
    readMaps(false);
    readMaps(true);
    if (wasEmpty) Q_EMIT inspectorChanged();
}

void AttendPage::readMaps(bool isCompared) {
    const int which = isCompared ? m_compared : m_snapshot;
    if (m_index.isEmpty() || which < 0) {
        if (isCompared) m_before = {};
        return;
    }
    if (!isCompared) m_isWaiting = true;
    const AttendSnapshot snapshot = m_index.snapshots[static_cast<std::size_t>(which)];
    context().bridge->reads().run(
        this, isCompared ? QStringLiteral("compared") : QStringLiteral("maps"),
        [workspace = context().workspace, run = m_run.toStdString(), snapshot, probe = m_probe, classTokens = m_index.grid.classTokens] {
            return readProbeMaps(*workspace, run, snapshot, probe, classTokens);
        },
        [this, run = m_run, which, isCompared](Result<ProbeMaps> maps) {
            if (!isCompared) m_isWaiting = false;
            if (run != m_run) return;
            if (!maps) {
                if (context().errors) context().errors->show(maps.error());
                return;
            }
            (isCompared ? m_before : m_now) = std::move(*maps);
            (isCompared ? m_before : m_now).snapshot = which;
            refreshMaps();
        });
}

void AttendPage::showSnapshot(int index) {
    if (m_index.isEmpty()) return;
    m_snapshot = std::clamp(index, 0, static_cast<int>(m_index.snapshots.size()) - 1);
    refreshScrubber();
    readMaps(false);
}

void AttendPage::setCompared(int index) {
    m_compared = index;
    m_before = {};
    refreshScrubber();
    if (index >= 0) readMaps(true);
    else refreshMaps();
}

void AttendPage::setProbe(int probe) {
    m_probe = probe;
    m_class = -1;
    refreshProbes();
    readMaps(false);
    readMaps(true);
}

void AttendPage::setReadOut(ReadOut readOut) {
    m_readOut = readOut;
    m_readOutControl->setCurrentIndex(static_cast<int>(readOut));
    refreshMaps();
}

void AttendPage::setQuery(int token) {
    m_query = token;
    m_map->setQuery(token);
    m_wall->setQuery(token);
    m_classTokenButton->setChecked(token < 0);
    // A query belongs to a head's row; choosing one shows it.
    if (m_readOut != ReadOut::HeadRow) return setReadOut(ReadOut::HeadRow);
    refreshMaps();
}

void AttendPage::setHead(int layer, int head) {
    m_layer = layer;
    m_head = head;
    m_wall->setCurrent(layer, head);
    refreshCharts();
    if (m_readOut != ReadOut::HeadRow) return setReadOut(ReadOut::HeadRow);
    refreshMaps();
}

void AttendPage::play(bool isPlaying) {
    if (isPlaying) {
        m_isFollowing = false;
        m_followControl->setCurrentIndex(1);
        if (m_snapshot + 1 >= static_cast<int>(m_index.snapshots.size())) showSnapshot(0);
        m_playTimer.start();
    } else {
        m_playTimer.stop();
    }
    m_playButton->setIcon(icon(isPlaying ? QStringLiteral("pause") : QStringLiteral("run")));
}

void AttendPage::keyPressEvent(QKeyEvent* event) {
    if (m_index.isEmpty()) return Page::keyPressEvent(event);
    if (event->matches(QKeySequence::Copy)) return copyMap();
    const int step = event->modifiers().testFlag(Qt::ShiftModifier) ? -1 : 1;
    const auto around = [step](int now, int count) { return count > 0 ? (now + step + count) % count : now; };
    switch (event->key()) {
    case Qt::Key_L: return setHead(around(m_layer, m_wall->layers()), m_head);
    case Qt::Key_H: return setHead(m_layer, around(m_head, m_wall->heads()));
    case Qt::Key_N: return setProbe(around(m_probe, static_cast<int>(m_index.probes.size())));
    case Qt::Key_Space: return play(!m_playTimer.isActive());
    case Qt::Key_O: return m_overlayButton->toggle();
    case Qt::Key_G: return m_gridButton->toggle();
    case Qt::Key_C:
        if (m_index.grid.classTokens > 0) setQuery(m_query < 0 ? 0 : -1);
        return;
    case Qt::Key_BracketLeft:
    case Qt::Key_BracketRight: {
        m_isFollowing = false;
        return showSnapshot(m_snapshot + (event->key() == Qt::Key_BracketLeft ? -1 : 1));
    }
    case Qt::Key_1: case Qt::Key_2: case Qt::Key_3: case Qt::Key_4: {
        const int index = event->key() - Qt::Key_1;
        const bool isThere[] = {true, !m_now.pooling.empty(), !m_now.rollout.empty(), !m_now.contribution.empty()};
        if (isThere[index]) setReadOut(static_cast<ReadOut>(index));
        return;
    }
    default: Page::keyPressEvent(event);
    }
}

QJsonObject AttendPage::saveState() const {
    return {{QStringLiteral("readOut"), static_cast<int>(m_readOut)}, {QStringLiteral("received"), m_isReceived}, {QStringLiteral("smooth"), m_samplingControl->currentIndex()},
            {QStringLiteral("oneRange"), m_rangeControl->currentIndex()}, {QStringLiteral("opacity"), m_opacity->value()}, {QStringLiteral("overlay"), m_overlayButton->isChecked()},
            {QStringLiteral("grid"), m_gridButton->isChecked()}};
}

void AttendPage::restoreState(const QJsonObject& state) {
    m_samplingControl->setCurrentIndex(std::clamp(state[QStringLiteral("smooth")].toInt(), 0, 1));
    m_rangeControl->setCurrentIndex(std::clamp(state[QStringLiteral("oneRange")].toInt(), 0, 1));
    m_wall->setOneRange(m_rangeControl->currentIndex() == 1);
    m_isReceived = state[QStringLiteral("received")].toBool();
    m_direction->setCurrentIndex(m_isReceived);
    m_opacity->setValue(std::clamp(state[QStringLiteral("opacity")].toInt(62), 0, 100));
    m_overlayButton->setChecked(state[QStringLiteral("overlay")].toBool(true));
    m_gridButton->setChecked(state[QStringLiteral("grid")].toBool());
    setReadOut(static_cast<ReadOut>(std::clamp(state[QStringLiteral("readOut")].toInt(), 0, 3)));
}

}  // namespace espalier::app
