#include "app/pages/quantize_page.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
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
#include "widgets/plot/chart_export.h"
#include "widgets/plot/method_legend.h"
#include "widgets/plot/weight_views.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kReadMs = 150;

}  // namespace

QuantizePage::QuantizePage(AppContext& context, QWidget* parent) : Page(context, parent), m_inspector(new QuantizeInspector) {
    setGround(this, Color::Well);
    chooseFile = [this](const QString& suggested) { return QFileDialog::getSaveFileName(this, tr("Export model"), suggested, tr("Safetensors (*.safetensors)")); };
    chooseFigure = [this](const QString& suggested) { return askFigurePath(this, suggested); };
    m_readout = new ReadoutBox(this);
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
    m_bar->setQuiet(false);
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

void QuantizePage::fillExportMenu(QMenu& menu) {
    const bool hasPoints = !m_data.tables.points.empty();
    menu.addAction(tr("Size and accuracy…"), this, &QuantizePage::exportFigure)->setEnabled(hasPoints);
    menu.addAction(tr("Sensitivity, allocation and calibration…"), this, &QuantizePage::exportLanes)->setEnabled(hasPoints);
    menu.addAction(tr("Weights of the layer…"), this, [this] { exportChart(m_histogram); })->setEnabled(hasPoints);
    menu.addAction(tr("Shift against size…"), this, [this] { exportChart(m_shift); })->setEnabled(hasPoints);
    menu.addSeparator();
    menu.addAction(tr("Copy picture of size and accuracy"), m_scatter, &TradeoffScatter::copyPicture)->setEnabled(hasPoints);
}

void QuantizePage::exportChart(PaintedChart* chart) {
    const feed::RunInfo* info = context().bridge->run(m_job);
    const QString kind = chart == m_scatter ? QStringLiteral("front") : chart == m_histogram ? QStringLiteral("weights") : QStringLiteral("shift");
    exportAndTell(context(), chart->figure(), (info ? text(info->name) : m_job) + u'-' + kind, chooseFigure);
}

void QuantizePage::exportFigure() {
    if (!m_data.tables.points.empty()) exportChart(m_scatter);
}

QString QuantizePage::copyPicture() {
    if (!qobject_cast<Lane*>(QApplication::focusWidget())) return Page::copyPicture();
    const Figure figure = lanesFigure();
    QApplication::clipboard()->setImage(figureImage(figure));
    return figure.title;
}

QVector<KeyHelp> QuantizePage::keyHelp() const {
    return {{tr("Left, Right"), tr("in the scatter: point of the next size; in the lanes: layer")},
            {tr("Home, End"), tr("first or last point or layer")},
            {tr("+, −, 0"), tr("in the lanes: zoom to fewer layers, out, all")}};
}

void QuantizePage::exportLanes() {
    const feed::RunInfo* info = context().bridge->run(m_job);
    exportAndTell(context(), lanesFigure(), (info ? text(info->name) : m_job) + QStringLiteral("-layers"), chooseFigure);
}

Figure QuantizePage::lanesFigure() const {
    struct Part {
        Lane* lane;
        QString title;
    };
    const std::vector<Part> parts{{m_sensitivity, tr("Sensitivity")}, {m_allocation, tr("Allocation")}, {m_calibration, tr("Calibration")}};
    constexpr int kTitle = 22;
    Figure figure;
    const feed::TradeoffPoint* point = m_data.point(m_point);
    figure.title = point ? tr("Layers of %1").arg(text(point->label)) : tr("Layers");
    int high = 0;
    for (const Part& part : parts) high += kTitle + part.lane->height();
    figure.size = {m_sensitivity->width(), high + 4};
    figure.paint = [parts, size = figure.size](QPainter& painter, bool) {
        const PaperColors paper;
        painter.fillRect(QRect(QPoint(), size), theme().color(Color::Well));
        int y = 0;
        for (const Part& part : parts) {
            painter.setFont(theme().font(Type::BodyStrong));
            painter.setPen(theme().color(Color::Text));
            painter.drawText(QRect(4, y, size.width(), kTitle), Qt::AlignLeft | Qt::AlignVCenter, part.title);
            painter.save();
            painter.translate(0, y + kTitle);
            part.lane->renderTo(painter);
            painter.restore();
            y += kTitle + part.lane->height();
        }
    };
    figure.csv = [parts] {
        QString rows = QStringLiteral("layer,series,value\n");
        for (const Part& part : parts) rows += part.lane->csvRows();
        return rows.toUtf8();
    };
    return figure;
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
