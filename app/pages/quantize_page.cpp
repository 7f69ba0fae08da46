#include "app/pages/quantize_page.h"

#include <QComboBox>
#include <QFileDialog>
#include <QLabel>
#include <QPainter>
#include <QPixmap>
#include <QPushButton>
#include <QSaveFile>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "app/pages/quantize_inspector.h"
#include "app/shell/commands.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/key_value_list.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/plot/method_legend.h"
#include "widgets/plot/weight_views.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

void setCellScale(QWidget* scale, bool isSigned);  // quantize_page_parts.cpp

namespace {

constexpr int kReadMs = 150;
/// One step of the map per option; more rows than this leave no room for the shift scatter.
constexpr int kMostOptions = 9;

}  // namespace

QuantizePage::QuantizePage(AppContext& context, QWidget* parent) : Page(context, parent), m_inspector(new QuantizeInspector) {
    setGround(this, Color::Well);
    chooseFile = [this](const QString& suggested) { return QFileDialog::getSaveFileName(this, tr("Write"), suggested); };
    m_columns = new LayerColumns(this);
    buildToolBar();
    m_empty = new EmptyState(QStringLiteral("quantize"), tr("No trade-off in this run"), {}, this);
    m_start = m_empty->setButton(tr("Quantize"), QStringLiteral("quantize"));
    connect(m_start, &QPushButton::clicked, this, [this] {
        if (!this->context().commands) return;
        const feed::RunInfo* info = this->context().bridge->run(m_run);
        this->context().commands->newRun(QStringLiteral("46-flexround"), info ? text(info->datasetId) : QString(), m_run);
    });
    m_body = buildBody();
    m_stack = new QStackedWidget(this);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_body);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_bar);
    layout->addWidget(m_stack, 1);
    connectParts();
    m_readTimer.setSingleShot(true);
    m_readTimer.setInterval(kReadMs);
    connect(&m_readTimer, &QTimer::timeout, this, &QuantizePage::readJob);
    EngineBridge* bridge = context.bridge;
    connect(context.selection, &Selection::currentRunChanged, this, &QuantizePage::setRun);
    connect(bridge, &EngineBridge::tradeoffGrew, this, [this](const QString& run) {
        if (run == m_job) scheduleRead();
        else if (m_job.isEmpty()) setRun();
    });
    connect(bridge, &EngineBridge::arrayStored, this, [this](const QString& run, const QString& name) {
        if (run == m_job && name.startsWith(QStringLiteral("quant/"))) scheduleRead();
    });
    connect(bridge, &EngineBridge::catalogChanged, this, [this] { setRun(); });
    connect(bridge, &EngineBridge::jobProgress, this, [this](quint64, const QString& run) {
        if (run == m_job) refreshToolBar();
    });
    connect(bridge, &EngineBridge::jobStateChanged, this, [this](quint64, const QString& run) {
        if (run == m_job) refreshToolBar(), scheduleRead();
    });
    connect(bridge, &EngineBridge::runLoaded, this, [this](const QString& run) {
        if (run == m_job) refreshInspector();
    });
    connect(&theme(), &Theme::changed, this, [this] {
        if (!m_data.tables.isEmpty()) refreshScatter(), refreshLanes(), readLayer();
    });
    setRun();
}

QuantizePage::~QuantizePage() { delete m_inspector; }

QuantizeInspector* QuantizePage::details() const { return m_inspector.data(); }

QWidget* QuantizePage::inspector() { return m_data.tables.points.empty() ? nullptr : m_inspector.data(); }

void QuantizePage::activated() {
    m_isActive = true;
    if (m_isStale) readJob();
}

bool QuantizePage::isSettled() const { return !m_readTimer.isActive() && !(m_isActive && m_isStale) && context().bridge->reads().isIdle(this); }

QStringList QuantizePage::jobsOf(const QString& run) const {
    // Jobs on the same trained model, newest first; a run that is one counts too.
    const feed::RunInfo* info = context().bridge->run(run);
    if (!info) return {};
    const std::string base = info->parentRun.empty() ? info->id : info->parentRun;
    QStringList jobs;
    for (const feed::RunInfo& one : context().bridge->runs().runs()) {
        const api::RecipeCard* card = context().registry ? context().registry->find(one.recipe) : nullptr;
        const bool isJob = card ? card->needsParentRun : !one.parentRun.empty();
        if (isJob && (one.parentRun == base || one.id == info->id)) jobs << text(one.id);
    }
    return jobs;
}

void QuantizePage::setRun() {
    m_run = context().selection->currentRun();
    const QStringList jobs = jobsOf(m_run);
    m_jobBox->clear();
    for (const QString& job : jobs) m_jobBox->addItem(text(context().bridge->run(job)->name), job);
    showJob(jobs.contains(m_run) ? m_run : jobs.contains(m_job) ? m_job : jobs.value(0));
}

void QuantizePage::showJob(const QString& job) {
    m_jobBox->setCurrentIndex(m_jobBox->findData(job));
    if (job == m_job) {
        refreshToolBar();
        if (m_data.tables.isEmpty()) showEmpty();
        return;
    }
    m_job = job;
    m_data = {};
    m_point = -1;
    m_hasPicked = false;
    m_isStale = true;
    m_readProblem.clear();
    refreshToolBar();
    if (m_isActive || isVisible()) readJob();
    showEmpty();
    Q_EMIT inspectorChanged();
}

void QuantizePage::scheduleRead() {
    m_isStale = true;
    if ((m_isActive || isVisible()) && !m_readTimer.isActive()) m_readTimer.start();
}

void QuantizePage::readJob() {
    m_readTimer.stop();
    m_isStale = false;
    if (m_job.isEmpty()) return showEmpty();
    context().bridge->loadRun(m_job);
    context().bridge->reads().run(
        this, QStringLiteral("job"), [workspace = context().workspace, job = m_job.toStdString()] { return readQuantizeData(*workspace, job); },
        [this, job = m_job](Result<QuantizeData> data) {
            if (job != m_job) return;
            m_readProblem = data ? QString() : text(data.error().sentence());
            if (data) takeData(std::move(*data));
            else showEmpty();
        });
}

void QuantizePage::takeData(QuantizeData data) {
    const bool wasEmpty = m_data.tables.points.empty();
    const auto before = columnsOf(m_data);
    m_data = std::move(data);
    if (m_data.tables.points.empty()) return showEmpty();
    m_stack->setCurrentWidget(m_body);
    const auto columns = columnsOf(m_data);
    const bool hasNewLayers = columns.size() != before.size();
    if (hasNewLayers) m_columns->setLayers(columns);
    refreshToolBar();
    refreshScatter();
    selectPoint(m_hasPicked && m_data.point(m_point) ? m_point : m_data.suggestedPoint(), m_hasPicked);
    if (m_columns->selected() < 0 && m_columns->count() > 0) m_columns->select(m_columns->count() / 2);
    if (wasEmpty) Q_EMIT inspectorChanged();
}

void QuantizePage::selectPoint(int id, bool isByUser) {
    m_point = id;
    m_hasPicked = m_hasPicked || isByUser;
    m_scatter->setSelected(id);
    refreshLanes();
    readLayer();
    refreshOptions();
    refreshInspector();
}

void QuantizePage::selectLayer(int) {
    readLayer();
    refreshOptions();
    refreshInspector();
}

const feed::TradeoffLayer* QuantizePage::layerAt(int column) const {
    const auto layers = m_data.layers();
    return column >= 0 && column < static_cast<int>(layers.size()) ? layers[static_cast<std::size_t>(column)] : nullptr;
}

std::string QuantizePage::methodShown() const {
    const feed::TradeoffPoint* point = m_data.point(m_point);
    if (point && !point->method.empty()) return point->method;
    const auto methods = methodsOf(m_data);
    return methods.empty() ? std::string("rtn") : methods.back();
}

void QuantizePage::refreshToolBar() {
    const feed::RunInfo* job = context().bridge->run(m_job);
    const feed::RunInfo* base = job && !job->parentRun.empty() ? context().bridge->run(text(job->parentRun)) : context().bridge->run(m_run);
    for (QWidget* widget : {static_cast<QWidget*>(m_swatch), static_cast<QWidget*>(m_runName)}) m_bar->setWanted(widget, base != nullptr);
    if (base) {
        m_swatch->setColorIndex(base->colorIndex);
        m_runName->setText(format::elideName(QFontMetrics(theme().font(Type::BodyStrong)), text(base->name), 140));
        m_runName->setToolTip(text(base->name));
    }
    m_jobBox->setVisible(m_jobBox->count() > 0);
    m_bar->setWanted(m_jobLabel, m_jobBox->count() > 0);
    const JobRow* row = m_job.isEmpty() ? nullptr : context().bridge->jobs().findByRun(m_job);
    const bool isLive = row && !feed::isFinal(row->state);
    m_bar->setWanted(m_progress, isLive);
    if (isLive) m_progress->setFraction(row->total > 0 ? double(row->done) / double(row->total) : -1);
    const int points = static_cast<int>(m_data.tables.points.size());
    m_stage->setText(isLive && !row->stage.isEmpty() ? row->stage : points == 1 ? tr("1 point") : points > 0 ? tr("%1 points").arg(points) : QString());
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
    m_scatter->setPoints(scatterPoints(m_data, m_cost), m_data.tables.job.metricDir, costUnit(m_cost));
    m_scatter->setSelected(m_point);
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
        rows.push_back({look.label, isRounding ? QColor() : look.color, std::move(values)});
        entries << MethodLegend::Entry{text(method), look, false};
    }
    // Without an RTN point the calibrated rows still know the error they started from.
    const bool hasStart = std::any_of(rows.begin(), rows.end(), [](const auto& row) { return !row.color.isValid(); });
    if (!hasStart && !rows.empty()) {
        rows.insert(rows.begin(), {tr("before"), QColor(), valuesOf(methodShown(), &feed::TradeoffLayer::errOutInit)});
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
    setCellScale(m_colorBar, isLoss);
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
    QuantizeData places;
    places.arrays = m_data.arrays;
    context().bridge->reads().run(
        this, QStringLiteral("layer"),
        [workspace = context().workspace, job = m_job.toStdString(), places, id = m_point, layer = layer->layerName] { return readLayerArrays(*workspace, job, places, id, layer); },
        [this, name, label, method, job = m_job](Result<LayerArrays> arrays) {
            if (job != m_job) return;
            if (!arrays) {
                if (context().errors) context().errors->show(arrays.error());
                return;
            }
            const bool hasGrid = !arrays->levels.empty();
            m_histogramHeader->setTitle(tr("%1 weights").arg(name));
            m_histogramHeader->setCaption(hasGrid ? tr("%1 grid, %2 levels").arg(label).arg(arrays->levels.size()) : QString());
            const QColor color = method == QStringLiteral("rtn") ? theme().color(Color::Text2) : theme().methodLook(method).color;
            m_histogram->setEmptyText(tr("No histogram of this layer is logged"));
            m_histogram->setBins(std::move(arrays->lefts), std::move(arrays->counts));
            m_histogram->setGrid(std::move(arrays->levels), color);
            m_shift->setEmptyText(method == QStringLiteral("rtn") ? tr("RTN moves nothing: every weight goes to its nearest level")
                                  : method.isEmpty()              ? tr("The base is not quantized")
                                                                  : tr("No shift of this layer is logged"));
            m_shift->setPoints(std::move(arrays->sizes), std::move(arrays->shifts), color);
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
    m_inspector->setLayer(m_data, point, layer, layer ? moved(*layer, "moved1") : feed::kNullReal, layer ? moved(*layer, "moved2plus") : feed::kNullReal);
}

void QuantizePage::showEmpty() {
    if (!m_data.tables.points.empty()) return;
    m_stack->setCurrentWidget(m_empty);
    const feed::RunInfo* info = context().bridge->run(m_run);
    const bool isReading = !m_job.isEmpty() && (m_isStale || !context().bridge->reads().isIdle(this));
    m_start->setVisible(info && !isReading && m_job.isEmpty() && m_readProblem.isEmpty());
    if (m_run.isEmpty()) return m_empty->setTexts(tr("No run is chosen"), tr("Choose a finished one at the left, then quantize it."));
    if (!m_readProblem.isEmpty()) return m_empty->setTexts(tr("The trade-off cannot be read"), m_readProblem);
    if (m_job.isEmpty()) return m_empty->setTexts(tr("Nothing was quantized yet"), tr("Start a job on %1: sizes, widths and methods appear here point by point.").arg(info ? text(info->name) : m_run));
    if (isReading) return m_empty->setTexts(tr("Reading the trade-off"), info ? text(info->name) : QString());
    m_empty->setTexts(tr("No point yet"), tr("The job measures the float model first."));
}

void QuantizePage::exportPointTo(int point, const QString& path) {
    m_inspector->setExporting(true);
    context().bridge->reads().run(
        this, QStringLiteral("export"), [engine = context().engine, job = m_job.toStdString(), point, file = path.toStdString()] { return engine->exportPoint(job, point, file); },
        [this, point, path](Result<void> written) {
            m_inspector->setExporting(false);
            refreshInspector();
            if (context().errors) {
                if (written) context().errors->toast(tr("Model written"), path, QStringLiteral("export"));
                else context().errors->show(written.error());
            }
            Q_EMIT exported(point, path, written.has_value());
        });
}

void QuantizePage::exportFigure() {
    if (m_data.tables.points.empty()) return;
    const feed::RunInfo* info = context().bridge->run(m_job);
    const QString path = chooseFile((info ? text(info->name) : m_job) + QStringLiteral("-front.png"));
    if (path.isEmpty()) return;
    QPixmap picture(m_scatter->size() * 2);
    picture.setDevicePixelRatio(2);
    QPainter painter(&picture);
    m_scatter->renderTo(painter, QRect(QPoint(), m_scatter->size()));
    painter.end();
    QSaveFile file(path);
    const bool isWritten = file.open(QIODevice::WriteOnly) && picture.save(&file, "PNG") && file.commit();
    if (!context().errors) return;
    if (isWritten) context().errors->toast(tr("Figure written"), path, QStringLiteral("export"));
    else context().errors->show(Error{ErrorCode::Io, "The picture could not be written: " + file.errorString().toStdString(), path.toStdString(), "Choose another folder"});
}

QJsonObject QuantizePage::saveState() const {
    return {{QStringLiteral("cost"), static_cast<int>(m_cost)}, {QStringLiteral("measure"), m_measureControl->currentIndex()}, {QStringLiteral("all"), m_allButton->isChecked()}};
}

void QuantizePage::restoreState(const QJsonObject& state) {
    m_cost = static_cast<CostKind>(std::clamp(state[QStringLiteral("cost")].toInt(), 0, 2));
    m_costControl->setCurrentIndex(static_cast<int>(m_cost));
    m_measureControl->setCurrentIndex(std::clamp(state[QStringLiteral("measure")].toInt(), 0, 1));
    m_allButton->setChecked(state[QStringLiteral("all")].toBool());
    if (!m_data.tables.isEmpty()) refreshScatter(), refreshCells();
}

}  // namespace espalier::app
