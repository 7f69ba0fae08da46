// What the parts of the Attend page show; what it reads and how it is steered is in attend_page.cpp.
#include <QComboBox>
#include <QLabel>
#include <QStackedWidget>

#include <algorithm>
#include <cmath>

#include "app/pages/attend_inspector.h"
#include "app/pages/attend_page.h"
#include "engine/feed/metric_names.h"
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
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;
namespace names = feed::names;

namespace {

constexpr int kShownClasses = 5, kShownChanges = 5;

}  // namespace

void AttendPage::refreshToolBar() { m_title.show(context().bridge->run(m_run)); }

void AttendPage::showEmpty() {
    const bool isReading = m_isStale || !context().bridge->reads().isIdle(this);
    m_bar->setQuiet(m_index.isEmpty() && !isReading);
    if (!m_index.isEmpty()) return;
    m_stack->setCurrentWidget(m_empty);
    const feed::RunInfo* info = context().bridge->run(m_run);
    if (m_run.isEmpty()) return m_empty->setTexts(tr("No run is chosen"), tr("Choose one at the left to see where it looks."));
    // A run that waits has no log to read yet; one that was stopped before it began never will.
    const bool isLive = info && !feed::isFinal(info->state), neverBegan = info && !isLive && info->startedSecs <= 0;
    if (neverBegan) return m_empty->setTexts(tr("No maps in this run"), tr("It ended before its first step."));
    if (!m_readProblem.isEmpty() && !isLive) return m_empty->setTexts(tr("The maps cannot be read"), m_readProblem);
    if (isReading) return m_empty->setTexts(tr("Reading maps"), info ? text(info->name) : QString());
    if (isLive) return m_empty->setTexts(tr("No maps yet"), tr("They come with the first snapshot of the pinned images."));
    m_empty->setTexts(tr("No maps in this run"), tr("It pinned no images. Start a run of an attention model with probes to see where it looks."));
}

void AttendPage::refreshProbes() {
    if (m_index.isEmpty()) return;
    QVector<ProbeThumb> thumbs;
    for (int i = 0; i < static_cast<int>(m_index.probes.size()); ++i) {
        const AttendProbe& probe = m_index.probes[static_cast<std::size_t>(i)];
        const int predicted = m_now.predicted(i);
        ProbeThumb thumb;
        thumb.image = probe.image;
        thumb.name = probe.name.isEmpty() ? tr("Image %1").arg(i + 1) : probe.name;
        thumb.label = className(probe.label);
        thumb.prediction = predicted < 0 ? QString() : className(predicted);
        thumb.isWrong = predicted >= 0 && predicted != probe.label;
        thumbs << thumb;
    }
    m_strip->setProbes(std::move(thumbs));
    m_strip->setCurrent(m_probe);
    const QImage& image = m_index.probes[static_cast<std::size_t>(m_probe)].image;
    m_map->setImage(image, m_index.grid);
    m_map->setQuery(m_query);
    arrange();
}

void AttendPage::refreshMaps() {
    if (m_index.isEmpty() || m_now.snapshot < 0) return;
    const bool hasPooling = !m_now.pooling.empty(), hasClass = !m_now.contribution.empty(), hasRollout = !m_now.rollout.empty();
    const QString why = tr("Not logged by this run: its class token takes the place of sequence pooling");
    const bool isThere[] = {true, hasPooling, hasRollout, hasClass};
    for (int i = 1; i < 4; ++i) {
        m_readOutControl->setSegmentEnabled(i, isThere[i]);
        m_readOutControl->setSegmentToolTip(i, isThere[i] ? QString() : why);
    }
    if (!isThere[static_cast<int>(m_readOut)]) {
        m_readOut = ReadOut::HeadRow;
        m_readOutControl->setCurrentIndex(0);
    }
    refreshProbes();
    refreshWall();
    refreshLarge();
    refreshMinis();
    refreshInspector();
    refreshScrubber();
    refreshChartCursor();
}

const LayerMaps* AttendPage::layerMaps(const ProbeMaps& maps) const {
    return m_layer >= 0 && m_layer < static_cast<int>(maps.layers.size()) ? &maps.layers[static_cast<std::size_t>(m_layer)] : nullptr;
}

std::vector<float> AttendPage::weightsOf(const ProbeMaps& maps) const {
    switch (m_readOut) {
    case ReadOut::Pooling: return maps.pooling;
    case ReadOut::Rollout: return maps.rollout;
    case ReadOut::Class: {
        const auto index = static_cast<std::size_t>(std::max(0, shownClass()));
        return index < maps.contribution.size() ? maps.contribution[index] : std::vector<float>();
    }
    case ReadOut::HeadRow: break;
    }
    const LayerMaps* layer = layerMaps(maps);
    if (!layer) return {};
    return m_isReceived ? layer->received(m_head, m_query) : layer->row(m_head, m_query);
}

int AttendPage::shownClass() const { return m_class >= 0 ? m_class : m_now.predicted(m_probe); }

void AttendPage::refreshLarge() {
    m_shown = weightsOf(m_now);
    const bool isSigned = m_readOut == ReadOut::Class, isRow = m_readOut == ReadOut::HeadRow;
    const HeatRange range = HeatRange::of(m_shown, isSigned);
    m_map->setQuery(isRow ? m_query : -1);
    m_map->setValues(m_shown, range);
    m_map->setSampling(sampling());
    m_direction->setEnabled(isRow);
    m_direction->setSegmentEnabled(0, isRow);
    m_direction->setSegmentEnabled(1, isRow);
    m_colorBar->setSigned(isSigned);
    m_weightLabel->setText(isSigned ? tr("Share") : tr("Weight"));
    m_rangeText->setText(tr("%1 to %2").arg(heatText(range.low, isSigned, range.high), heatText(range.high, isSigned)));
    switch (m_readOut) {
    case ReadOut::HeadRow:
        m_mapHeader->setTitle(tr("Layer %1, head %2").arg(m_layer + 1).arg(m_head + 1));
        m_mapHeader->setCaption(m_isReceived ? tr("who looks at %1").arg(tokenName(m_query)) : tr("row of %1").arg(tokenName(m_query)));
        break;
    case ReadOut::Pooling:
        m_mapHeader->setTitle(tr("Pooling"));
        m_mapHeader->setCaption(tr("weight of every token in the summary"));
        break;
    case ReadOut::Rollout:
        m_mapHeader->setTitle(tr("Rollout"));
        m_mapHeader->setCaption(tr("attention of all layers multiplied through"));
        break;
    case ReadOut::Class:
        m_mapHeader->setTitle(tr("Class contribution"));
        m_mapHeader->setCaption(tr("to the logit of %1").arg(className(shownClass())));
        break;
    }
    m_bars->setColor(runColor());
    m_bars->setWeights(m_shown);
    m_barsHeader->setCaption(tr("%1 tokens, sorted").arg(format::count(std::ssize(m_shown))));
    m_halfText->setText(m_bars->halfCount() == 1 ? tr("half of the weight in 1 token") : tr("half of the weight in %1 tokens").arg(format::count(m_bars->halfCount())));
    m_map->setAccessibleDescription(tr("%1 of %2").arg(tokenName(m_query), className(m_index.probes[static_cast<std::size_t>(m_probe)].label)));
}

void AttendPage::refreshWall() {
    std::vector<std::vector<std::vector<float>>> walls;
    for (const LayerMaps& layer : m_now.layers) {
        walls.emplace_back();
        for (int head = 0; head < layer.heads; ++head) walls.back().push_back(m_isReceived ? layer.received(head, m_query) : layer.row(head, m_query));
    }
    const int layers = static_cast<int>(walls.size()), heads = walls.empty() ? 0 : static_cast<int>(walls[0].size());
    m_layer = std::clamp(m_layer, 0, std::max(0, layers - 1));
    m_head = std::clamp(m_head, 0, std::max(0, heads - 1));
    m_wallHeader->setCaption(tr("%1, %2, same query").arg(layers == 1 ? tr("1 layer") : tr("%1 layers").arg(layers), heads == 1 ? tr("1 head") : tr("%1 heads").arg(heads)));
    const bool hasNewShape = layers != m_wall->layers() || heads != m_wall->heads();
    m_wall->setMaps(std::move(walls), m_index.grid, m_index.probes[static_cast<std::size_t>(m_probe)].image.size());
    m_wall->setCurrent(m_layer, m_head);
    m_wall->setQuery(m_query);
    if (hasNewShape) {
        arrange();
        refreshCharts();
    }
}

void AttendPage::refreshMinis() {
    const QSize image = m_index.probes[static_cast<std::size_t>(m_probe)].image.size();
    const TokenGrid& grid = m_index.grid;
    const auto show = [&](MiniMap* map, const std::vector<float>& values, bool isSigned, const QString& missing) {
        if (values.empty()) map->setMissing(missing);
        else map->setMap(values, grid, image, HeatRange::of(values, isSigned));
    };
    const QString none = grid.classTokens > 0 ? tr("a class token pools here") : tr("not logged");
    show(m_poolingMap, m_now.pooling, false, none);
    show(m_rolloutMap, m_now.rollout, false, tr("not logged"));
    const int shown = shownClass();
    const bool hasClass = shown >= 0 && shown < static_cast<int>(m_now.contribution.size());
    m_classMap->setTitle(shown >= 0 ? tr("Class: %1").arg(className(shown)) : tr("Class"));
    show(m_classMap, hasClass ? m_now.contribution[static_cast<std::size_t>(shown)] : std::vector<float>(), true, none);
    m_changeMap->setTitle(m_compared < 0 ? tr("Change") : m_index.snapshots[static_cast<std::size_t>(m_compared)].epoch >= 0 ? tr("Change since e%1").arg(momentName(m_compared).section(u' ', -1)) : tr("Change"));
    std::vector<float> change = weightsOf(m_before);
    if (m_before.snapshot < 0 || m_before.probe != m_now.probe || change.size() != m_shown.size()) change.clear();
    for (std::size_t i = 0; i < change.size(); ++i) change[i] = m_shown[i] - change[i];
    show(m_changeMap, change, true, m_compared == m_snapshot && m_compared >= 0 ? tr("same snapshot") : tr("nothing to compare"));
    m_poolingMap->setCurrent(m_readOut == ReadOut::Pooling);
    m_rolloutMap->setCurrent(m_readOut == ReadOut::Rollout);
    m_classMap->setCurrent(m_readOut == ReadOut::Class);
}

void AttendPage::refreshCharts() {
    if (m_index.isEmpty()) return;
    const auto axis = m_lines.axis(m_run);
    m_group->setXKind(axis && axis->hasEpochs() ? XKind::Epoch : XKind::Step);
    const QString unit = m_group->xKind() == XKind::Epoch ? tr("by epoch") : tr("by step");
    const int layers = std::max<int>(m_wall->layers(), static_cast<int>(m_index.snapshots.back().layers.size())), heads = std::max(1, m_wall->heads());
    const auto add = [this](std::vector<LineSpec>& lines, const std::string& name, const QString& label, bool isFocused) {
        auto line = m_lines.line(m_run, name, LineRole::Plain, label);
        if (!line) return;
        line->isFocused = isFocused;
        line->isInLegend = isFocused;
        line->opacity = isFocused ? 1.0 : 0.35;
        // The focused line is drawn last, over the others.
        lines.insert(isFocused ? lines.end() : lines.begin(), std::move(*line));
    };
    std::vector<LineSpec> entropy, distance;
    for (int layer = 0; layer < layers; ++layer) add(entropy, names::attentionEntropy(layer + 1), tr("L%1").arg(layer + 1), layer == m_layer);
    for (int head = 0; head < heads; ++head) add(distance, names::attentionDistance(m_layer + 1, head + 1), tr("h%1").arg(head + 1), head == m_head);
    m_entropy->setCaption(tr("of ln N, %1").arg(unit));
    m_distance->setCaption(tr("px, %1").arg(unit));
    const QString none = context().bridge->isLoaded(m_run) ? tr("not logged by this run") : tr("reading the log");
    m_entropy->setEmptyText(entropy.empty() ? none : QString());
    m_distance->setEmptyText(distance.empty() ? none : QString());
    m_entropy->setLines(std::move(entropy));
    m_distance->setLines(std::move(distance));
    m_group->updateNow();
    refreshChartCursor();
}

void AttendPage::refreshChartCursor() {
    if (m_index.isEmpty() || m_snapshot < 0 || m_entropy->underMouse() || m_distance->underMouse()) return;
    const double step = static_cast<double>(m_index.snapshots[static_cast<std::size_t>(m_snapshot)].step);
    const auto axis = m_lines.axis(m_run);
    const double key = m_group->xKind() == XKind::Epoch && axis ? axis->epochOf(step) : step;
    if (std::isfinite(key)) m_group->setCursor(key, nullptr);
}

void AttendPage::refreshInspector() {
    const AttendProbe& probe = m_index.probes[static_cast<std::size_t>(m_probe)];
    const int predicted = m_now.predicted(m_probe);
    m_inspector->setProbe(probe, m_probe, className(probe.label), predicted < 0 ? QString() : className(predicted));
    std::vector<AttendInspector::Share> shares;
    if (m_probe < static_cast<int>(m_now.probabilities.size())) {
        const auto& all = m_now.probabilities[static_cast<std::size_t>(m_probe)];
        for (int i = 0; i < static_cast<int>(all.size()); ++i) shares.push_back({i, className(i), all[static_cast<std::size_t>(i)]});
        std::stable_sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) { return a.share > b.share; });
        if (shares.size() > kShownClasses) shares.resize(kShownClasses);
    }
    m_inspector->setPrediction(shares, shownClass(), momentName(m_now.snapshot), runColor());
    const LayerMaps* layer = layerMaps(m_now);
    const TokenGrid& grid = m_index.grid;
    QVector<std::pair<QString, QString>> token;
    const auto place = [&](int index) { return tr("r %1, c %2").arg(grid.rowOf(index)).arg(grid.colOf(index)); };
    if (m_query >= 0) {
        const QPointF at = grid.center(m_query);
        token << std::pair{tr("pixel"), QStringLiteral("%1, %2").arg(at.x()).arg(at.y())};
        token << std::pair{tr("field"), tr("%1 px square").arg(grid.field)};
        if (m_query < static_cast<int>(m_now.pooling.size())) token << std::pair{tr("pooling weight"), format::fixed(m_now.pooling[static_cast<std::size_t>(m_query)], 4)};
    }
    const std::vector<float> row = layer ? layer->row(m_head, m_query) : std::vector<float>();
    if (!row.empty()) {
        const auto most = std::max_element(row.begin(), row.end());
        token << std::pair{tr("most attended"), place(static_cast<int>(most - row.begin()))};
        token << std::pair{tr("its weight"), format::fixed(*most, 4)};
    }
    m_inspector->setToken(m_query >= 0 ? place(m_query) : tr("class token"), token);
    QVector<std::pair<QString, QString>> head;
    if (layer && m_head < layer->heads) {
        head << std::pair{tr("entropy"), format::fixed(layer->entropy(m_head), 3) + tr("|of ln %1").arg(layer->tokens)};
        head << std::pair{tr("mean distance"), format::fixed(layer->distance(m_head, grid), 1) + tr(" px")};
        const auto from = layer->values.begin() + static_cast<std::ptrdiff_t>(m_head) * layer->tokens * layer->tokens;
        head << std::pair{tr("largest weight"), format::fixed(*std::max_element(from, from + static_cast<std::ptrdiff_t>(layer->tokens) * layer->tokens), 4)};
    }
    m_inspector->setHead(tr("layer %1, head %2, this image").arg(m_layer + 1).arg(m_head + 1), head);
    const bool canCompare = m_before.snapshot >= 0 && m_before.probe == m_now.probe && m_before.snapshot != m_now.snapshot;
    m_inspector->setChanges(canCompare ? mostChangedHeads(m_now, m_before, kShownChanges) : std::vector<HeadChange>(),
                            canCompare ? tr("since %1").arg(momentName(m_before.snapshot)) : QString());
}

void AttendPage::refreshScrubber() {
    QVector<double> positions;
    QStringList moments{tr("nothing")};
    for (int i = 0; i < static_cast<int>(m_index.snapshots.size()); ++i) {
        positions << positionOf(i);
        moments << tr("%1, this run").arg(momentName(i));
    }
    if (m_compareBox->count() != moments.size() || m_compareBox->itemText(m_compareBox->count() - 1) != moments.last()) {
        m_compareBox->clear();
        m_compareBox->addItems(moments);
    }
    m_compareBox->setCurrentIndex(m_compared + 1);
    m_scrubber->setSnapshots(positions, lastPosition());
    m_scrubber->setCurrent(m_snapshot);
    m_scrubber->setCompared(m_compared);
    QVector<EpochScrubber::Mark> marks;
    for (const auto& mark : context().bridge->series().marks(m_run)) {
        const bool isBad = mark.kind == "nan", isTurn = mark.kind == "mixup_off" || mark.kind == "resume";
        if (!isBad && !isTurn && mark.kind != "best") continue;
        const auto axis = m_lines.axis(m_run);
        const double at = m_index.snapshots.front().epoch >= 0 ? (axis && axis->hasEpochs() ? axis->epochOf(static_cast<double>(mark.step)) : feed::kNullReal) : static_cast<double>(mark.step);
        // Only the last best checkpoint is the best one.
        if (mark.kind == "best") marks.erase(std::remove_if(marks.begin(), marks.end(), [](const auto& one) { return one.word.startsWith(tr("best")); }), marks.end());
        if (std::isfinite(at)) marks << EpochScrubber::Mark{at, isBad, mark.kind == "best" ? tr("best checkpoint") : text(mark.text.empty() ? mark.kind : mark.text)};
    }
    m_scrubber->setMarks(marks);
    if (m_snapshot < 0) return;
    QString moment = momentName(m_snapshot);
    if (!moment.isEmpty()) moment[0] = moment[0].toUpper();
    m_moment->setText(moment);
    m_step->setText(m_index.snapshots[static_cast<std::size_t>(m_snapshot)].epoch < 0 ? QString() : tr("step %1").arg(format::count(m_index.snapshots[static_cast<std::size_t>(m_snapshot)].step)));
    m_count->setText(m_index.snapshots.size() == 1 ? tr("1 snapshot") : tr("%1 snapshots").arg(format::count(std::ssize(m_index.snapshots))));
    m_followControl->setCurrentIndex(m_isFollowing ? 0 : 1);
}

void AttendPage::showHover(int token, double weight) {
    if (token < 0) {
        const HeatRange range = HeatRange::of(m_shown, m_readOut == ReadOut::Class);
        m_rangeText->setText(tr("%1 to %2").arg(heatText(range.low, range.isSigned, range.high), heatText(range.high, range.isSigned)));
    } else {
        m_rangeText->setText(tr("%1 at r %2, c %3").arg(heatText(weight, m_readOut == ReadOut::Class)).arg(m_index.grid.rowOf(token)).arg(m_index.grid.colOf(token)));
    }
}

QString AttendPage::momentName(int snapshot) const {
    if (snapshot < 0 || snapshot >= static_cast<int>(m_index.snapshots.size())) return {};
    const double epochs = epochsAt(snapshot);
    if (epochs < 0) return tr("step %1").arg(format::count(m_index.snapshots[static_cast<std::size_t>(snapshot)].step));
    return tr("epoch %1").arg(std::abs(epochs - std::round(epochs)) < 0.02 ? QString::number(std::lround(epochs)) : QString::number(epochs, 'f', 1));
}

double AttendPage::epochsAt(int snapshot) const {
    const AttendSnapshot& one = m_index.snapshots[static_cast<std::size_t>(snapshot)];
    if (one.epoch < 0) return -1;
    const auto axis = m_lines.axis(m_run);
    const double epochs = axis && axis->hasEpochs() ? axis->epochOf(static_cast<double>(one.step)) : feed::kNullReal;
    return std::isfinite(epochs) ? std::max(0.0, epochs) : static_cast<double>(one.epoch);
}

double AttendPage::positionOf(int snapshot) const {
    const double epochs = epochsAt(snapshot);
    return epochs >= 0 ? epochs : static_cast<double>(m_index.snapshots[static_cast<std::size_t>(snapshot)].step);
}

double AttendPage::lastPosition() const {
    if (m_index.snapshots.empty()) return 1;
    const double newest = positionOf(static_cast<int>(m_index.snapshots.size()) - 1);
    const feed::RunInfo* info = context().bridge->run(m_run);
    if (!info || m_index.snapshots.back().epoch < 0) return newest;
    const auto epochs = info->params.find("epochs");
    return epochs == info->params.end() ? newest : std::max(newest, std::atof(epochs->second.c_str()));
}

QString AttendPage::className(std::int64_t label) const {
    const feed::RunInfo* info = context().bridge->run(m_run);
    const feed::DatasetSummary* set = info ? context().bridge->dataset(text(info->datasetId)) : nullptr;
    if (set && label >= 0 && label < static_cast<std::int64_t>(set->classes.size())) return text(set->classes[static_cast<std::size_t>(label)].name);
    return label >= 0 ? tr("class %1").arg(label) : tr("no label");
}

QString AttendPage::tokenName(int token) const {
    return token < 0 ? tr("the class token") : tr("token r %1, c %2").arg(m_index.grid.rowOf(token)).arg(m_index.grid.colOf(token));
}

QColor AttendPage::runColor() const {
    const feed::RunInfo* info = context().bridge->run(m_run);
    return theme().runColor(info ? info->colorIndex : 0);
}

Sampling AttendPage::sampling() const { return m_samplingControl->currentIndex() == 1 ? Sampling::Bilinear : Sampling::Nearest; }

}  // namespace espalier::app
