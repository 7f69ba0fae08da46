#include "app/pages/data_page.h"

#include <QApplication>
#include <QClipboard>
#include <QJsonObject>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QResizeEvent>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/pages/data_inspector.h"
#include "app/shell/commands.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/bars.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/messages.h"
#include "widgets/controls/page_tool_bar.h"
#include "widgets/controls/section.h"
#include "widgets/controls/segmented_control.h"
#include "widgets/theme/format.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

constexpr int kMostSeed = 999999;

QString share(double fraction) {
    const double percent = fraction * 100;
    return format::fixed(percent, std::fabs(percent - std::round(percent)) < 0.05 ? 0 : 1);
}

}  // namespace

DataPage::DataPage(AppContext& context, QWidget* parent) : Page(context, parent), m_inspector(new DataInspector(context)) {
    setGround(this, Color::Well);
    buildToolBar();
    m_empty = new EmptyState(QStringLiteral("dataset"), tr("No data here yet"),
                             tr("Drop a folder of images, an archive, a CSV, npy, npz or HDF5 file anywhere in this window."), this);
    QPushButton* pick = m_empty->setButton(tr("Choose files"), QStringLiteral("folder"));
    m_body = buildBody();
    m_stack = new QStackedWidget(this);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_body);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_bar);
    layout->addWidget(m_stack, 1);

    Commands* commands = context.commands;
    connect(pick, &QPushButton::clicked, this, [commands] { if (commands) commands->chooseFiles(); });
    connect(m_add, &QPushButton::clicked, this, [commands] { if (commands) commands->chooseFiles(); });
    connect(m_train, &QPushButton::clicked, this, [this, commands] { if (commands) commands->newRun({}, m_dataset); });
    connect(m_export, &QPushButton::clicked, this, &DataPage::exportSamples);
    connect(m_copyHash, &QToolButton::clicked, this, [this] {
        if (const feed::DatasetSummary* set = summary()) QApplication::clipboard()->setText(text(set->hash));
    });
    connect(findChild<QToolButton*>(QStringLiteral("copyWarnings")), &QToolButton::clicked, this,
            [this] { QApplication::clipboard()->setText(m_warnings->copyText()); });
    connect(m_grid, &SampleGrid::sampleChosen, this, &DataPage::showSample);
    connect(m_duplicates, &DuplicateList::sampleClicked, this, &DataPage::showSample);
    connect(m_classBars, &BarList::rowClicked, this, [this](int row) {
        if (row < 0 || row >= static_cast<int>(m_classRows.size())) return;
        const int label = m_classRows[static_cast<std::size_t>(row)];
        m_grid->setClassFilter(m_grid->classFilter() == label ? -1 : label);
        refreshChips();
    });
    connect(m_split, &SplitBar::dragged, this, [this](double train, double valid, double) {
        const feed::DatasetSummary* set = summary();
        if (!set) return;
        const auto first = std::llround(train * double(set->samples)), second = std::llround(valid * double(set->samples));
        refreshSplit({first, second, set->samples - first - second}, true);
    });
    connect(m_split, &SplitBar::committed, this, [this](double train, double valid, double test) {
        if (const feed::DatasetSummary* set = summary()) resplit({train, valid, test}, set->splitSeed);
    });
    connect(m_seed, &QSpinBox::valueChanged, this, [this](int seed) {
        if (const feed::DatasetSummary* set = summary()) resplit(set->splitFractions, seed);
    });
    connect(context.selection, &Selection::currentDatasetChanged, this, &DataPage::choose);
    connect(context.bridge, &EngineBridge::catalogChanged, this, &DataPage::choose);
    choose();
}

DataPage::~DataPage() { delete m_inspector; }

void DataPage::activated() {
    m_isActive = true;
    choose();
}

QWidget* DataPage::inspector() { return m_dataset.isEmpty() ? nullptr : m_inspector.data(); }

bool DataPage::isSettled() const {
    return !m_isResplitting && context().bridge->reads().isIdle(this) && m_grid->isSettled() && m_duplicates->isSettled() &&
           context().bridge->reads().isIdle(m_inspector);
}

DataInspector* DataPage::details() const { return m_inspector; }

bool DataPage::isEmptyShown() const { return m_stack->currentWidget() == m_empty; }

QVector<KeyHelp> DataPage::keyHelp() const {
    return {{tr("Arrows"), tr("in the samples: sample; on the split: a border by 1 %")},
            {tr("PgUp, PgDown"), tr("in the samples: a page")},
            {tr("Home, End"), tr("first or last sample")},
            {tr("Enter on the split"), tr("deal the data anew")}};
}

QJsonObject DataPage::saveState() const {
    return {{QStringLiteral("large"), m_large->isChecked()}, {QStringLiteral("order"), static_cast<int>(m_grid->order())}};
}

void DataPage::restoreState(const QJsonObject& state) {
    m_large->setChecked(state.value(QStringLiteral("large")).toBool());
    const int order = state.value(QStringLiteral("order")).toInt();
    const QList<QAction*> actions = m_order->menu()->actions();
    if (order > 0 && order < actions.size()) actions[order]->trigger();
}

const feed::DatasetSummary* DataPage::summary() const { return context().bridge->dataset(m_dataset); }

void DataPage::choose() {
    EngineBridge& bridge = *context().bridge;
    QString id = context().selection->currentDataset();
    if (!bridge.dataset(id)) {
        const feed::RunInfo* run = bridge.run(context().selection->currentRun());
        id = run ? text(run->datasetId) : QString();
    }
    if (!bridge.dataset(id)) id = bridge.datasets().at(0) ? text(bridge.datasets().at(0)->id) : QString();
    const bool isOther = id != m_dataset;
    m_dataset = id;
    const feed::DatasetSummary* set = summary();
    if (isOther) {
        m_samples.reset();
        m_readHash.clear();
        m_grid->setSamples(id, nullptr);
        m_inspector->setSample(std::nullopt, {});
        Q_EMIT inspectorChanged();
    }
    m_stack->setCurrentWidget(set ? m_body : m_empty);
    for (QWidget* widget : {static_cast<QWidget*>(m_name), static_cast<QWidget*>(m_count), static_cast<QWidget*>(m_lock), static_cast<QWidget*>(m_hash),
                            static_cast<QWidget*>(m_copyHash), static_cast<QWidget*>(m_export), static_cast<QWidget*>(m_train)})
        m_bar->setWanted(widget, set != nullptr);
    if (!set) return;
    // The catalog changes with every step of a run; the page only with its data.
    const QString shown = QStringLiteral("%1 %2 %3").arg(id, text(set->hash), text(set->name));
    if (shown == m_shownKey) return m_inspector->refreshRuns();
    m_shownKey = shown;
    refresh();
    if (m_readHash != text(set->hash)) readSamples();
}

void DataPage::readSamples() {
    const feed::DatasetSummary* set = summary();
    m_readHash = text(set->hash);
    context().bridge->reads().run(
        this, QStringLiteral("samples"),
        [workspace = context().workspace, id = m_dataset.toStdString()]() -> Result<SampleList> {
            ESPALIER_TRY(auto samples, workspace->samples(id, 0, -1));
            return std::make_shared<const std::vector<feed::SampleInfo>>(std::move(samples));
        },
        [this, id = m_dataset](Result<SampleList> samples) {
            if (id != m_dataset) return;
            if (samples) return takeSamples(std::move(*samples));
            m_readHash.clear();
            if (context().errors) context().errors->show(samples.error());
        });
}

void DataPage::takeSamples(SampleList samples) {
    m_samples = std::move(samples);
    std::vector<double> bytes, sides;
    bytes.reserve(m_samples->size());
    sides.reserve(m_samples->size());
    for (const feed::SampleInfo& sample : *m_samples) {
        bytes.push_back(static_cast<double>(sample.storedBytes));
        sides.push_back(std::max(sample.width, sample.height));
    }
    m_medianBytes = medianOf(std::move(bytes));
    m_medianSide = medianOf(std::move(sides));
    m_grid->setSamples(m_dataset, m_samples);
    if (const feed::DatasetSummary* set = summary()) m_duplicates->setData(*set, m_samples);
    refreshHistogram();
    if (m_grid->currentSample() >= 0) showSample(m_grid->currentSample());
}

void DataPage::refresh() {
    const feed::DatasetSummary* set = summary();
    if (!set) return;
    const bool hasPictures = set->kind != "table";
    m_name->setText(format::elideName(QFontMetrics(theme().font(Type::BodyStrong)), text(set->name), 220));
    m_name->setToolTip(text(set->name));
    m_count->setText(set->samples == 1 ? (set->kind == "images" ? tr("1 image") : set->kind == "table" ? tr("1 row") : tr("1 sample"))
                                       : (set->kind == "images" ? tr("%1 images") : set->kind == "table" ? tr("%1 rows") : tr("%1 samples")).arg(format::count(set->samples)));
    m_hash->setText(text(set->hash).left(8));
    m_hash->setToolTip(text(set->hash));
    const bool isBySeed = set->splitKind != "folders";
    m_split->setEditable(isBySeed && !m_isResplitting);
    for (QWidget* widget : {static_cast<QWidget*>(m_seed), static_cast<QWidget*>(m_seedLabel)}) widget->setVisible(isBySeed);
    m_seed->setEnabled(!m_isResplitting);
    const QSignalBlocker quiet(m_seed);
    m_seed->setValue(static_cast<int>(std::clamp<std::int64_t>(set->splitSeed, 0, kMostSeed)));
    m_split->setToolTip(isBySeed ? tr("Drag a border, or use the arrow keys and Enter") : tr("The folders of the data say what is train, valid and test"));
    refreshSplit(set->splits, false);
    m_split->setCounts(set->splits);
    m_sampleStack->setCurrentWidget(hasPictures ? static_cast<QWidget*>(m_grid) : m_columns);
    m_samplesTitle->setText(hasPictures ? tr("Samples") : tr("Columns"));
    for (QWidget* widget : {m_chipHolder, static_cast<QWidget*>(m_order), static_cast<QWidget*>(m_large)}) widget->setVisible(hasPictures);
    if (!hasPictures) {
        auto* model = static_cast<QStandardItemModel*>(m_columns->model());
        model->clear();
        model->setHorizontalHeaderLabels({tr("No."), tr("Column")});
        for (std::size_t i = 0; i < set->columns.size(); ++i)
            model->appendRow({new QStandardItem(QString::number(i + 1)), new QStandardItem(text(set->columns[i]))});
        m_columns->setColumnWidth(0, 56);
    }
    QStringList names;
    for (const feed::ClassInfo& each : set->classes) names << text(each.name);
    m_grid->setClassNames(names);
    refreshClasses();
    refreshChips();
    refreshHistogram();
    m_warnings->setWarnings(set->warnings);
    const int skipped = m_warnings->count(Outcome::Skipped), kept = m_warnings->count(Outcome::Kept);
    m_skipped->setText(tr("%1 skipped").arg(skipped));
    m_changed->setText(tr("%1 changed").arg(kept));
    m_skipped->setVisible(skipped > 0);
    m_changed->setVisible(kept > 0);
    m_warningNote->setVisible(!set->warnings.empty());
    m_warningStack->setCurrentIndex(set->warnings.empty() ? 1 : 0);
    findChild<QToolButton*>(QStringLiteral("copyWarnings"))->setVisible(!set->warnings.empty());
    const bool hasPairs = set->nearDuplicatePairs > 0 || !set->exactGroups.empty();
    m_duplicateHeader->setTitle(tr("Near duplicates"));
    m_duplicateHeader->setCaption((set->nearDuplicatePairs == 1 ? tr("1 pair, %2 exact") : tr("%1 pairs, %2 exact").arg(format::count(set->nearDuplicatePairs)))
                                      .replace(QStringLiteral("%2"), format::count(set->exactDuplicates)));
    m_duplicateStack->setCurrentIndex(hasPairs ? 0 : 1);
    fitLowerParts();
    if (m_samples) m_duplicates->setData(*set, m_samples);
    m_inspector->setDataset(*set);
}

void DataPage::refreshSplit(const std::array<std::int64_t, 3>& counts, bool isPreview) {
    const feed::DatasetSummary* set = summary();
    const double total = std::max<double>(1, double(counts[0] + counts[1] + counts[2]));
    QStringList shares;
    for (std::size_t i = 0; i < 3; ++i) {
        m_splitCounts[i]->setText(format::count(counts[i]));
        shares << share(double(counts[i]) / total);
    }
    const QString ratio = shares.join(QStringLiteral(" : "));
    if (isPreview) m_splitHint->setText(tr("%1; release to deal anew").arg(ratio));
    else if (m_isResplitting) m_splitHint->setText(tr("dealing anew…"));
    else if (set->splitKind == "folders") m_splitHint->setText(tr("%1, by the folders of the data, so it stays").arg(ratio));
    else m_splitHint->setText(tr("%1, stratified; drag a border to change").arg(ratio));
}

QString DataPage::splitHint() const { return m_splitHint->text(); }

QString DataPage::className(std::int64_t label) const {
    const feed::DatasetSummary* set = summary();
    return set && label >= 0 && label < static_cast<std::int64_t>(set->classes.size()) ? text(set->classes[static_cast<std::size_t>(label)].name) : QString();
}

void DataPage::showSample(std::int64_t index) {
    if (!m_samples || index < 0 || index >= static_cast<std::int64_t>(m_samples->size())) return;
    const feed::SampleInfo& sample = (*m_samples)[static_cast<std::size_t>(index)];
    m_inspector->setSample(sample, className(sample.label));
}

void DataPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    // Chips and wrapped warnings go by the width that the layout gives them, known after this event.
    QMetaObject::invokeMethod(
        this,
        [this] {
            if (!summary()) return;
            refreshChips();
            fitLowerParts();
        },
        Qt::QueuedConnection);
}

}  // namespace espalier::app
