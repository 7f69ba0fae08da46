// What the parts of the Quantize page show; what it reads and how it is steered is in quantize_page.cpp.
#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>

#include <algorithm>
#include <cmath>

#include "app/pages/quantize_inspector.h"
#include "app/pages/quantize_page.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/heatmap/color_bar.h"
#include "widgets/plot/method_legend.h"
#include "widgets/plot/weight_views.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

/// More rows than this leave no room for the shift scatter.
constexpr int kMostOptions = 9;

}  // namespace

void QuantizePage::refreshToolBar() {
    const feed::RunInfo* job = context().bridge->run(m_job);
    const feed::RunInfo* base = job && !job->parentRun.empty() ? context().bridge->run(text(job->parentRun)) : context().bridge->run(m_run);
    m_title.show(base);
    m_bar->setWanted(m_jobBox, m_jobBox->count() > 0);
    m_bar->setWanted(m_jobLabel, m_jobBox->count() > 0);
    const JobRow* row = m_job.isEmpty() ? nullptr : context().bridge->jobs().findByRun(m_job);
    const bool isLive = row && !feed::isFinal(row->state);
    m_bar->setWanted(m_progress, isLive);
    if (isLive) m_progress->setFraction(row->total > 0 ? double(row->done) / double(row->total) : -1);
    const int points = static_cast<int>(m_data.tables.points.size());
    m_stage->setText(isLive && !row->stage.isEmpty() ? row->stage : points == 1 ? tr("1 point") : points > 0 ? tr("%1 points").arg(format::count(points)) : QString());
    m_bar->setWanted(m_stage, !m_stage->text().isEmpty());
}

void QuantizePage::refreshScatter() {
    const CostKind kinds[] = {CostKind::Size, CostKind::Latency, CostKind::Operations};
    for (int i = 0; i < 3; ++i) {
        m_costControl->setSegmentEnabled(i, hasCost(m_data, kinds[i]));
        m_costControl->setSegmentToolTip(i, hasCost(m_data, kinds[i]) ? QString() : tr("This job measured none"));
    }
    if (!hasCost(m_data, m_cost)) {
        m_cost = CostKind::Size;
        m_costControl->setCurrentIndex(0);
    }
    const QString names[] = {tr("Size and %1"), tr("Latency and %1"), tr("Operations and %1")};
    const QString metric = text(m_data.tables.job.metricName).section(u'/', -1);
    m_scatterHeader->setTitle(names[static_cast<int>(m_cost)].arg(metric == QStringLiteral("top1") ? tr("top-1") : metric));
    m_scatterHeader->setCaption(text(m_data.tables.job.metricName).section(u'/', 0, 0));
    m_scatter->setEmptyText(tr("No point is measured yet"));
    m_scatter->setPoints(scatterPoints(m_data, m_cost), m_data.tables.job.metricDir, costUnit(m_data, m_cost), text(m_data.tables.job.metricName));
    m_scatter->setSelected(m_point);
    m_scatter->setFigureTitle(names[static_cast<int>(m_cost)].arg(metric == QStringLiteral("top1") ? tr("top-1") : metric), text(m_data.tables.job.metricName));
    refreshLegend();
    refreshBadge();
}

void QuantizePage::refreshLegend() {
    QVector<MethodLegend::Entry> entries;
    for (const std::string& method : methodsOf(m_data)) {
        const QString key = text(method);
        entries << MethodLegend::Entry{key, theme().methodLook(key), m_scatter->isMethodHidden(key)};
    }
    m_legend->setEntries(entries);
}

void QuantizePage::refreshBadge() {
    const int outside = m_scatter->outsideCount();
    m_badge->setVisible(outside > 0);
    if (outside > 0) m_badge->setText(tr("%1 below %2").arg(outside).arg(format::fixed(m_scatter->edgeValue(), 2)));
}

void QuantizePage::refreshLanes() {
    const auto layers = m_data.layers();
    const auto choices = feed::resolvedChoices(m_data.tables, m_point);
    QVector<AllocationStrip::Bar> bars;
    for (const auto* layer : layers) {
        const auto at = std::find_if(choices.begin(), choices.end(), [&](const auto& one) { return one.layerIx == layer->layerIx; });
        AllocationStrip::Bar bar;
        if (at != choices.end()) bar = {double(at->bytesTotal), double(at->optionKind == "float" ? 32 : at->wBits)};
        bars << bar;
    }
    m_allocation->setBars(bars);
    const feed::TradeoffPoint* point = m_data.point(m_point);
    m_allocationHeader->setCaption(point ? tr("%1: KB by layer, bits above").arg(text(point->label)) : tr("KB by layer, bits above"));

    const int bits = m_data.bitsOf(m_point);
    const auto valuesOf = [&](const std::string& method, double feed::TradeoffLayer::*value) {
        std::vector<double> values;
        for (const auto* layer : layers) {
            const auto* row = m_data.recon(layer->layerIx, method, bits);
            values.push_back(row ? row->*value : feed::kNullReal);
        }
        return values;
    };
    std::vector<CalibrationBars::Row> rows;
    QVector<MethodLegend::Entry> entries;
    for (const std::string& method : methodsOf(m_data)) {
        const bool isRounding = method == "rtn";
        MethodLook look = theme().methodLook(text(method));
        look.marker = Marker::Square;
        if (isRounding) look.color = theme().color(Color::Text3);
        auto values = valuesOf(method, &feed::TradeoffLayer::errOut);
        if (std::none_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) continue;
        rows.push_back({look.label, isRounding ? QString() : text(method), std::move(values)});
        entries << MethodLegend::Entry{text(method), look, false};
    }
    // Without an RTN point the calibrated rows still know the error they started from.
    const bool hasStart = std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.method.isEmpty(); });
    if (!hasStart && !rows.empty()) {
        rows.insert(rows.begin(), {tr("before"), QString(), valuesOf(methodShown(), &feed::TradeoffLayer::errOutInit)});
        entries.prepend(MethodLegend::Entry{QString(), {theme().color(Color::Text3), Marker::Square, tr("before")}, false});
    }
    m_calibration->setRows(std::move(rows));
    m_calibrationLegend->setEntries(entries);
    m_calibrationHeader->setCaption(bits < 32 ? tr("output error (MSE) at %1 bit, log").arg(bits) : tr("output error (MSE), log"));
    refreshCells();
}

void QuantizePage::refreshCells() {
    const SensitivityCells loss = lossCells(m_data), error = errorCells(m_data, methodShown());
    m_measureControl->setSegmentEnabled(0, !loss.isEmpty());
    m_measureControl->setSegmentEnabled(1, !error.isEmpty());
    if (loss.isEmpty() != error.isEmpty()) m_measureControl->setCurrentIndex(loss.isEmpty() ? 1 : 0);
    const bool isLoss = m_measureControl->currentIndex() == 0;
    const SensitivityCells& cells = isLoss ? loss : error;
    m_sensitivity->setCells(cells.options, cells.values, isLoss, isLoss ? tr("loss added") : tr("relative error"));
    m_sensitivityHeader->setCaption(isLoss ? tr("loss added by one layer alone") : tr("relative output error, %1").arg(theme().methodLook(text(methodShown())).label));
    m_colorBar->setSigned(isLoss);
    const bool isEmpty = cells.isEmpty();
    m_lowLabel->setText(isEmpty ? QString() : isLoss ? format::signedFixed(m_sensitivity->low(), 3) : format::significant(m_sensitivity->low(), 2));
    m_highLabel->setText(isEmpty ? QString() : isLoss ? format::signedFixed(m_sensitivity->high(), 3) : format::significant(m_sensitivity->high(), 2));
    QVector<int> chosen;
    const auto choices = feed::resolvedChoices(m_data.tables, m_point);
    for (const auto* layer : m_data.layers()) {
        const auto at = std::find_if(choices.begin(), choices.end(), [&](const auto& one) { return one.layerIx == layer->layerIx; });
        const auto option = at == choices.end() || at->optionKind == "float" ? cells.bits.end() : std::find(cells.bits.begin(), cells.bits.end(), at->wBits);
        chosen << (option == cells.bits.end() ? -1 : static_cast<int>(option - cells.bits.begin()));
    }
    m_sensitivity->setChosen(chosen);
}

void QuantizePage::readLayer() {
    const feed::TradeoffLayer* layer = layerAt(m_columns->selected());
    const feed::TradeoffPoint* point = m_data.point(m_point);
    if (!layer || !point) return;
    const QString name = text(layer->layerName), label = text(point->label), method = text(point->method);
    // "blocks.3.attention.qkv" of block 4: the title needs the end alone.
    const QString end = layerEnd(name), title = m_columns->titleOf(m_columns->selected());
    const QString block = end == name ? QString() : m_columns->layers().value(m_columns->selected()).block;
    const int bits = m_data.bitsOf(m_point);
    QuantizeData places;
    places.arrays = m_data.arrays;
    context().bridge->reads().run(
        this, QStringLiteral("layer"),
        [workspace = context().workspace, job = m_job.toStdString(), places, id = m_point, layer = layer->layerName] { return readLayerArrays(*workspace, job, places, id, layer); },
        [this, whole = title, end, label, method, block, bits, job = m_job](Result<LayerArrays> arrays) {
            if (job != m_job) return;
            if (!arrays) {
                if (context().errors) context().errors->show(arrays.error());
                return;
            }
            const bool hasGrid = !arrays->levels.empty();
            // The block stands in the caption, so that the title keeps the end of a long name.
            const QString title = tr("%1 weights").arg(end), levels = hasGrid ? tr("%1 bit, %2 levels").arg(bits).arg(arrays->levels.size()) : QString();
            m_histogramHeader->setTitle(title);
            m_histogramHeader->setCaption(block.isEmpty() || !hasGrid ? block + levels : block + QStringLiteral(", ") + levels);
            m_histogram->setFigureTitle(tr("%1 weights").arg(whole), hasGrid ? label + QStringLiteral(", ") + levels : QString());
            m_shift->setFigureTitle(tr("Shift against size"), tr("%1, %2: levels from RTN").arg(whole, label));
            m_histogram->setEmptyText(tr("No histogram of this layer is logged"));
            m_histogram->setBins(std::move(arrays->lefts), std::move(arrays->counts));
            m_histogram->setGrid(std::move(arrays->levels), method);
            m_shift->setEmptyText(method == QStringLiteral("rtn") ? tr("RTN moves nothing: every weight goes to its nearest level")
                                  : method.isEmpty()              ? tr("The base is not quantized")
                                                                  : tr("No shift of this layer is logged"));
            m_shift->setPoints(std::move(arrays->sizes), std::move(arrays->shifts), method);
        });
}

void QuantizePage::refreshOptions() {
    const feed::TradeoffLayer* layer = layerAt(m_columns->selected());
    QVector<KeyValue> rows;
    if (layer) {
        const feed::TradeoffPoint* point = m_data.point(m_point);
        const int bits = m_data.bitsOf(m_point);
        for (const auto& row : m_data.tables.layers) {
            if (row.layerIx != layer->layerIx || row.probeKind != "recon") continue;
            KeyValue line{tr("w%1 %2").arg(row.wBits).arg(theme().methodLook(text(row.method)).label), format::significant(row.nsr, 3), format::fixed(double(row.bytesTotal) / 1000, 1)};
            line.isBold = point && row.method == point->method && row.wBits == bits;
            line.isNumber = true;
            line.isNoteAtRight = true;
            rows << line;
        }
        if (rows.size() > kMostOptions) rows.resize(kMostOptions);
    }
    m_options->setRows(rows);
    m_optionsPart->setVisible(!m_isCompact && !rows.isEmpty());
}

double QuantizePage::moved(const feed::TradeoffLayer& layer, const char* what) const {
    const Series* series = context().bridge->series().find(m_job, QStringLiteral("recon/%1/%2").arg(text(layer.layerName), QString::fromLatin1(what)));
    if (!series) return feed::kNullReal;
    const auto at = std::find(series->steps.rbegin(), series->steps.rend(), m_point);
    return at == series->steps.rend() ? feed::kNullReal : series->values[series->values.size() - 1 - static_cast<std::size_t>(at - series->steps.rbegin())];
}

void QuantizePage::refreshInspector() {
    const feed::TradeoffPoint* point = m_data.point(m_point);
    m_inspector->setPoint(m_data, point);
    const feed::TradeoffLayer* layer = layerAt(m_columns->selected());
    m_inspector->setLayer(m_data, point, layer, m_columns->titleOf(m_columns->selected()), layer ? moved(*layer, "moved1") : feed::kNullReal, layer ? moved(*layer, "moved2plus") : feed::kNullReal);
}

void QuantizePage::showEmpty() {
    const bool isReading = !m_job.isEmpty() && (m_isStale || !context().bridge->reads().isIdle(this));
    m_bar->setQuiet(m_data.tables.points.empty() && !isReading);
    if (!m_data.tables.points.empty()) return;
    m_stack->setCurrentWidget(m_empty);
    const feed::RunInfo* info = context().bridge->run(m_run);
    const bool isLive = info && !feed::isFinal(info->state);
    m_start->setVisible(info && !isLive && !isReading && m_job.isEmpty() && m_readProblem.isEmpty());
    if (m_run.isEmpty()) return m_empty->setTexts(tr("No run is chosen"), tr("Choose a finished one at the left, then quantize it."));
    if (!m_readProblem.isEmpty()) return m_empty->setTexts(tr("The trade-off cannot be read"), m_readProblem);
    if (m_job.isEmpty() && isLive) return m_empty->setTexts(tr("Nothing to quantize yet"), tr("%1 has not ended; its best model can be quantized then.").arg(text(info->name)));
    if (m_job.isEmpty()) return m_empty->setTexts(tr("Nothing was quantized yet"), tr("Start a job on %1: sizes, widths and methods appear here point by point.").arg(info ? text(info->name) : m_run));
    if (isReading) return m_empty->setTexts(tr("Reading the trade-off"), info ? text(info->name) : QString());
    m_empty->setTexts(tr("No point yet"), tr("The job measures the float model first."));
}

}  // namespace espalier::app
