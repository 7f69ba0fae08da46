#include "app/pages/compare_page.h"

#include "app/pages/compare_inspector.h"
#include "app/pages/compare_table.h"
#include "app/pages/compare_table_view.h"
#include "app/pages/run_names.h"
#include "app/shell/error_presenter.h"
#include "engine/feed/array_record.h"
#include "engine/feed/metric_names.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/plot/chart_export.h"
#include "widgets/plot/chart_group.h"
#include "widgets/plot/loss_chart.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QStackedWidget>

#include <algorithm>
#include <cmath>

namespace espalier::app {

using namespace widgets;
namespace names = feed::names;

namespace {

/// The newest array of test answers of a run; an error says what is missing.
Result<std::vector<std::uint8_t>> readCorrect(const runtime::Workspace& workspace, const std::string& run) {
    ESPALIER_TRY(const auto infos, workspace.arrays(run));
    const feed::ArrayInfo* found = nullptr;
    for (const feed::ArrayInfo& info : infos)
        if (info.name == feed::arrays::kTestCorrect) found = &info;
    if (!found) return fail(ErrorCode::NotFound, "no answers for single test items were logged", run);
    ESPALIER_TRY(auto record, workspace.readArray(run, found->index));
    return std::move(record.bytes);
}

}  // namespace

void ComparePage::activated() {
    m_isActive = true;
    rebuild();
}

void ComparePage::scheduleRebuild() {
    if (m_isRebuildPending) return;
    m_isRebuildPending = true;
    QMetaObject::invokeMethod(this, [this] { if (m_isRebuildPending) rebuild(); }, Qt::QueuedConnection);
}

void ComparePage::rebuild() {
    m_isRebuildPending = false;
    m_runs.clear();
    m_ids.clear();
    QStringList full;
    // The order in which they were shown; a current run that is not shown comes last.
    QStringList wanted = context().selection->shownRuns();
    const QString current = context().selection->currentRun();
    if (!current.isEmpty() && !wanted.contains(current)) wanted += current;
    for (const QString& id : wanted) {
        const feed::RunInfo* info = context().bridge->run(id);
        if (!info) continue;
        m_runs.push_back(*info);
        m_ids += id;
        full += format::text(info->name);
        if (!context().bridge->isLoaded(id) && !m_asked.contains(id)) {
            m_asked.insert(id);
            context().bridge->loadRun(id);
        }
    }
    m_short = shortRunNames(full, 2);
    m_stack->setCurrentIndex(m_runs.empty() ? 1 : 0);
    const auto base = m_ids.indexOf(m_baseline);
    if (base < 0) m_isBaselineChosen = false;
    if (base < 0 || (!m_isBaselineChosen && m_runs[static_cast<std::size_t>(base)].state != feed::JobState::Completed)) {
        // A run that ended has its final numbers to measure others against.
        const auto ended = std::find_if(m_runs.begin(), m_runs.end(), [](const feed::RunInfo& run) { return run.state == feed::JobState::Completed; });
        m_baseline = ended == m_runs.end() ? m_ids.value(0) : m_ids[ended - m_runs.begin()];
    }
    if (!m_ids.contains(m_chosen) || m_chosen == m_baseline) {
        m_chosen = current != m_baseline && m_ids.contains(current) ? current : m_ids.value(m_ids.value(0) == m_baseline ? 1 : 0);
    }
    m_baselineBox->clear();
    m_baselineBox->addItems(m_short);
    for (int i = 0; i < full.size(); ++i) m_baselineBox->setItemData(i, full[i], Qt::ToolTipRole);
    m_baselineBox->setCurrentIndex(static_cast<int>(m_ids.indexOf(m_baseline)));
    m_groups = groupRuns(m_runs, m_short, m_groupBox->currentIndex() == 0);
    rebuildCharts();
    rebuildTable();
    rebuildInspector();
}

std::vector<std::pair<double, double>> ComparePage::curveOf(const QString& run, std::string_view name) {
    std::vector<std::pair<double, double>> curve;
    const Series* series = m_lines.series(run, name);
    if (!series) return curve;
    const auto axis = m_lines.axis(run);
    for (std::size_t i = 0; i < series->size(); ++i) {
        double x = static_cast<double>(series->steps[i]);
        if (m_group->xKind() == XKind::Time) x = series->wallSecs[i] - axis->startSecs;
        if (m_group->xKind() == XKind::Epoch && axis->hasEpochs()) x = axis->epochOf(x);
        // After a resume the newer points hold.
        while (!curve.empty() && curve.back().first >= x) curve.pop_back();
        curve.emplace_back(x, series->values[i]);
    }
    return curve;
}

void ComparePage::rebuildChart(LossChart* chart, std::string_view name, bool isLoss) {
    std::vector<LineSpec> lines;
    const auto band = static_cast<BandKind>(m_band->currentIndex());
    for (const RunGroup& group : m_groups) {
        if (group.runs.size() == 1) {
            auto spec = m_lines.line(m_ids[group.runs.front()], name, LineRole::Plain, group.label);
            if (spec) lines.push_back(std::move(*spec));
            continue;
        }
        std::vector<std::vector<std::pair<double, double>>> curves;
        for (const int i : group.runs) {
            auto curve = curveOf(m_ids[i], name);
            if (curve.empty()) continue;
            curves.push_back(std::move(curve));
            if (band != BandKind::Seeds) continue;
            if (auto seed = m_lines.line(m_ids[i], name, LineRole::Seed, m_short[i])) {
                seed->isInLegend = false;
                seed->run = group.label;
                lines.push_back(std::move(*seed));
            }
        }
        if (curves.empty()) continue;
        LineSpec mean;
        mean.id = QStringLiteral("group/") + m_ids[group.runs.front()];
        mean.run = group.label;
        mean.label = group.label;
        mean.toolTip = tr("Mean of %1").arg(group.label);
        mean.colorIndex = group.colorIndex;
        mean.role = LineRole::Mean;
        mean.computed = groupMean(curves, band);
        lines.push_back(std::move(mean));
    }
    static const char* const captions[] = {QT_TR_NOOP("by step"), QT_TR_NOOP("by epoch"), QT_TR_NOOP("by time")};
    chart->setCaption(tr(captions[static_cast<int>(m_group->xKind())]));
    chart->setEmptyText(lines.empty() ? (isSettled() ? tr("not logged by these runs") : tr("reading the logs")) : QString());
    chart->setLines(std::move(lines));
    if (!isLoss && !m_ids.isEmpty()) chart->setClaim(m_lines.claim(m_ids.front(), QStringLiteral("top1")));
}

void ComparePage::rebuildCharts() {
    rebuildChart(m_loss, names::kValidLoss, true);
    rebuildChart(m_top1, names::kValidTop1, false);
    m_group->updateNow();
}

void ComparePage::rebuildTable() {
    std::vector<std::string> ids;
    for (const feed::RunInfo& run : m_runs) ids.push_back(run.id);
    const bool isKnown = m_diff.runIds == ids;
    if (isKnown) showTable();
    if (ids.empty()) return;
    context().bridge->reads().run(
        this, QStringLiteral("diff"), [workspace = context().workspace, ids] { return workspace->diffRuns(ids); },
        [this, isKnown](Result<feed::RunDiff> diff) {
            if (!diff) return;  // a run went to the trash meanwhile: the catalog says so next
            const auto isSame = [](const auto& a, const auto& b) { return a.key == b.key && a.values == b.values; };
            const bool hasChanged = !isKnown || !std::equal(diff->rows.begin(), diff->rows.end(), m_diff.rows.begin(), m_diff.rows.end(), isSame);
            m_diff = std::move(*diff);
            if (hasChanged) showTable();
        });
}

void ComparePage::showTable() {
    QVector<CompareModel::Head> heads;
    for (int i = 0; i < m_ids.size(); ++i) {
        const feed::RunInfo& run = m_runs[static_cast<std::size_t>(i)];
        heads.append({m_ids[i], format::text(run.name), m_short[i], run.colorIndex, run.state});
    }
    m_model->setTable(heads, compareRows(m_runs, m_diff, static_cast<int>(m_ids.indexOf(m_baseline)), m_short));
    // What the table does not need goes to the charts.
    m_tableBox->setMaximumHeight(m_table->contentHeight() + 2 * metrics::kSpace4 + metrics::kSpace12);
}

QWidget* ComparePage::inspector() {
    if (!m_inspector) {
        m_inspector = new CompareInspector(this);
        connect(m_inspector, &CompareInspector::runChosen, this, [this](int row) {
            m_chosen = m_ids.value(row);
            rebuildInspector();
        });
        connect(m_inspector, &CompareInspector::baselineChosen, this, [this](int row) { setBaseline(m_ids.value(row)); });
        connect(m_inspector, &CompareInspector::exportFigureClicked, this, &ComparePage::exportFigure);
        connect(m_inspector, &CompareInspector::latexClicked, this, [this] { copyTable(true); });
        rebuildInspector();
    }
    return m_inspector;
}

void ComparePage::rebuildInspector() {
    if (!m_inspector) return;
    const int base = static_cast<int>(m_ids.indexOf(m_baseline)), chosen = static_cast<int>(m_ids.indexOf(m_chosen));
    m_inspector->setRuns(m_runs, m_groups, base, chosen);
    compareItems();
}

QString ComparePage::welchSentence(int a, int b) const {
    const auto groupOf = [&](int run) -> const RunGroup* {
        for (const RunGroup& group : m_groups)
            if (group.runs.contains(run)) return &group;
        return nullptr;
    };
    const RunGroup *groupA = groupOf(a), *groupB = groupOf(b);
    if (!groupA || !groupB || groupA == groupB) return {};
    const auto valuesOf = [&](const RunGroup& group) {
        std::vector<double> values;
        for (const int i : group.runs) {
            const auto& summary = m_runs[static_cast<std::size_t>(i)].summary;
            const auto at = summary.find(std::string(names::kTestTop1));
            if (at != summary.end()) values.push_back(at->second.last);
        }
        return values;
    };
    const auto va = valuesOf(*groupA), vb = valuesOf(*groupB);
    if (va.empty() && vb.empty()) return {};
    if (va.size() < 2 || vb.size() < 2) return tr("needs 2 seeds each");
    const auto result = welch(va, vb);
    return result ? (result->p < 0.001 ? QStringLiteral("p < 0.001") : QStringLiteral("p = %1").arg(format::fixed(result->p, 3))) : tr("seeds do not vary");
}

void ComparePage::compareItems() {
    const auto base = m_ids.indexOf(m_baseline), chosen = m_ids.indexOf(m_chosen);
    if (base < 0 || chosen < 0 || base == chosen) {
        return m_inspector->setDifference(tr("Difference"), {}, std::nullopt, tr("Choose a second run to compare with the baseline."), {});
    }
    const feed::RunInfo &a = m_runs[static_cast<std::size_t>(chosen)], &b = m_runs[static_cast<std::size_t>(base)];
    const QString title = tr("Difference, %1 − %2").arg(m_short[chosen], m_short[base]);
    const QString metric = QString::fromLatin1(names::kTestTop1.data());
    const QString welchText = welchSentence(static_cast<int>(chosen), static_cast<int>(base));
    if (a.datasetHash != b.datasetHash || a.datasetHash.empty()) {
        return m_inspector->setDifference(title, metric, std::nullopt, tr("Not the same data: the test items cannot be paired."), welchText);
    }
    m_inspector->setDifference(title, metric, std::nullopt, tr("Reading the answers for each test item."), welchText);
    struct Both {
        Result<std::optional<PairedDifference>> result;
    };
    context().bridge->reads().run(
        this, QStringLiteral("paired"),
        [workspace = context().workspace, idA = a.id, idB = b.id]() -> Both {
            auto answersA = readCorrect(*workspace, idA);
            if (!answersA) return {fail(answersA.error())};
            auto answersB = readCorrect(*workspace, idB);
            if (!answersB) return {fail(answersB.error())};
            return {pairedBootstrap(*answersA, *answersB)};
        },
        [this, title, metric, welchText, nameA = m_short[chosen], nameB = m_short[base], idA = a.id](Both both) {
            if (!m_inspector) return;
            if (!both.result) {
                const QString who = both.result.error().where == idA ? nameA : nameB;
                return m_inspector->setDifference(title, metric, std::nullopt, tr("No paired test: %1 has no answers for single test items (yet).").arg(who), welchText);
            }
            const QString sentence = *both.result ? QString() : tr("No paired test: the two runs tested a different number of items.");
            m_inspector->setDifference(title, metric, *both.result, sentence, welchText);
        });
}

void ComparePage::setBaseline(const QString& run) {
    if (!m_ids.contains(run) || run == m_baseline) return;
    if (m_chosen == run) m_chosen = m_baseline;
    m_baseline = run;
    m_isBaselineChosen = true;
    m_baselineBox->setCurrentIndex(static_cast<int>(m_ids.indexOf(run)));
    rebuildTable();
    rebuildInspector();
}

QString ComparePage::baseline() const { return m_baseline; }

void ComparePage::onPoints(const QString& run, const QString& series) {
    if (!m_ids.contains(run) || !series.startsWith(QStringLiteral("valid/")) || (!m_isActive && !isVisible())) return;
    rebuildCharts();  // epoch values: a few a minute
}

bool ComparePage::isSettled() const {
    if (m_isRebuildPending) return false;
    return std::all_of(m_ids.begin(), m_ids.end(), [&](const QString& id) { return context().bridge->isLoaded(id); }) &&
           context().bridge->reads().isIdle(this);
}

void ComparePage::copyTable(bool isLatex) {
    QStringList full;
    for (const feed::RunInfo& run : m_runs) full += format::text(run.name);
    QApplication::clipboard()->setText(isLatex ? latexTable(m_model->rows(), m_short) : csvTable(m_model->rows(), full));
    if (context().errors) context().errors->toast(tr("Table copied"), isLatex ? tr("as LaTeX, needs booktabs") : tr("as CSV at full precision"), QStringLiteral("copy"));
}

void ComparePage::exportFigure() {
    if (m_runs.empty()) return;
    Error error;
    const QString path = askAndExport(this, charts(), 2, QStringLiteral("comparison"), &error);
    if (!context().errors) return;
    if (!path.isEmpty()) context().errors->toast(tr("Figure written"), path, QStringLiteral("export"));
    else if (!error.what.empty()) context().errors->show(error);
}

QVector<KeyHelp> ComparePage::keyHelp() const {
    return {{tr("Up, Down in the list of runs"), tr("run compared with the baseline")},
            {tr("Enter in the list of runs"), tr("make it the baseline")},
            {tr("Ctrl+C in the table"), tr("copy the chosen cells")}};
}

QJsonObject ComparePage::saveState() const {
    QJsonObject state;
    state[QStringLiteral("x")] = m_xKind->currentIndex();
    state[QStringLiteral("band")] = m_band->currentIndex();
    state[QStringLiteral("group")] = m_groupBox->currentIndex();
    state[QStringLiteral("logY")] = m_loss->isLogY();
    state[QStringLiteral("baseline")] = m_baseline;
    return state;
}

void ComparePage::restoreState(const QJsonObject& state) {
    const int kind = std::clamp(state[QStringLiteral("x")].toInt(1), 0, 2);
    m_xKind->setCurrentIndex(kind);
    m_group->setXKind(static_cast<XKind>(kind));
    m_band->setCurrentIndex(std::clamp(state[QStringLiteral("band")].toInt(1), 0, 2));
    m_groupBox->setCurrentIndex(std::clamp(state[QStringLiteral("group")].toInt(), 0, 1));
    m_loss->setLogY(state[QStringLiteral("logY")].toBool());
    m_baseline = state[QStringLiteral("baseline")].toString();
    m_isBaselineChosen = !m_baseline.isEmpty();
    rebuild();
}

}  // namespace espalier::app
