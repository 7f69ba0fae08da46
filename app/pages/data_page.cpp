#include "app/pages/data_page.h"

#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QJsonObject>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QResizeEvent>
#include <QSaveFile>
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

constexpr int kMostChips = 40;
constexpr int kQuietHeight = 64;

// A new split of a data set; the old one comes back by its own fractions and seed.
class SplitEdit : public QUndoCommand {
public:
    using Write = std::function<void(const std::array<double, 3>&)>;
    SplitEdit(const QString& name, std::array<double, 3> before, std::array<double, 3> after, Write write)
        : QUndoCommand(DataPage::tr("split of %1").arg(name)), m_before(before), m_after(after), m_write(std::move(write)) {}
    void undo() override { m_write(m_before); }
    void redo() override { m_write(m_after); }

private:
    std::array<double, 3> m_before, m_after;
    Write m_write;
};

QString csvField(const QString& value) {
    if (!value.contains(u',') && !value.contains(u'"') && !value.contains(u'\n') && !value.contains(u'\r')) return value;
    QString inner = value;
    inner.replace(u'"', QStringLiteral("\"\""));
    return u'"' + inner + u'"';
}

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
    connect(m_split, &SplitBar::committed, this, [this](double train, double valid, double test) { resplit({train, valid, test}); });
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
    m_count->setText((set->kind == "images" ? tr("%1 images") : set->kind == "table" ? tr("%1 rows") : tr("%1 samples")).arg(format::count(set->samples)));
    m_hash->setText(text(set->hash).left(8));
    m_hash->setToolTip(text(set->hash));
    const bool isBySeed = set->splitKind != "folders";
    m_split->setEditable(isBySeed && !m_isResplitting);
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
    // Nothing to report below: the room goes to the samples.
    for (QWidget* part : {m_warningPart, m_duplicatePart}) part->setMaximumHeight(hasPairs || !set->warnings.empty() ? QWIDGETSIZE_MAX : kQuietHeight);
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
    else m_splitHint->setText(tr("%1, stratified, seed %2; drag a border to change").arg(ratio).arg(set->splitSeed));
}

QString DataPage::splitHint() const { return m_splitHint->text(); }

void DataPage::refreshClasses() {
    const feed::DatasetSummary* set = summary();
    m_classRows.resize(set->classes.size());
    std::iota(m_classRows.begin(), m_classRows.end(), 0);
    std::stable_sort(m_classRows.begin(), m_classRows.end(), [&](int a, int b) {
        return set->classes[static_cast<std::size_t>(a)].total() > set->classes[static_cast<std::size_t>(b)].total();
    });
    QVector<BarList::Row> rows;
    double most = 0, least = double(set->samples);
    int nameWidth = 40;
    const QFontMetrics body(theme().font(Type::Body));
    for (const int label : m_classRows) {
        const feed::ClassInfo& each = set->classes[static_cast<std::size_t>(label)];
        BarList::Row row{text(each.name), {double(each.counts[0]), double(each.counts[1]), double(each.counts[2])}, format::count(each.total())};
        nameWidth = std::max(nameWidth, body.horizontalAdvance(row.name) + 16);
        most = std::max(most, double(each.total()));
        least = std::min(least, double(each.total()));
        rows << row;
    }
    m_classBars->setNameWidth(std::min(nameWidth, 112));
    m_classBars->setRows(rows, most);
    m_classArea->setMaximumHeight(m_classBars->sizeHint().height() + 2);
    m_classHeader->setCaption(rows.isEmpty() ? tr("no labels") : rows.size() == 1 ? tr("one class, nothing to tell apart")
                              : least == most ? tr("%1, balanced").arg(rows.size())
                              : least > 0    ? tr("%1, imbalance %2 : 1").arg(rows.size()).arg(format::significant(most / least, 2))
                                             : tr("%1, one of them empty").arg(rows.size()));
}

void DataPage::refreshChips() {
    const feed::DatasetSummary* set = summary();
    auto* layout = static_cast<QHBoxLayout*>(m_chipHolder->layout());
    while (QLayoutItem* item = layout->takeAt(0)) {
        if (item->widget()) {
            item->widget()->hide();
            item->widget()->deleteLater();
        }
        delete item;
    }
    m_chips.clear();
    m_moreClasses = nullptr;
    if (set->classes.empty()) return;
    const auto add = [&](const QString& words, int label) {
        auto* chip = new Chip(words, Chip::Kind::Toggle, m_chipHolder);
        chip->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
        chip->setChecked(m_grid->classFilter() == label);
        connect(chip, &Chip::clicked, this, [this, label] {
            m_grid->setClassFilter(label);
            // The chip under the mouse is one of those made anew.
            QMetaObject::invokeMethod(this, &DataPage::refreshChips, Qt::QueuedConnection);
        });
        m_chips << chip;
        return chip;
    };
    int room = std::max(120, m_chipHolder->width());
    const auto place = [&](QWidget* widget) {
        layout->addWidget(widget);
        widget->show();
        room -= widget->sizeHint().width() + layout->spacing();
    };
    place(add(tr("all"), -1));
    std::vector<int> rest;
    const int kMoreRoom = 76;
    for (const int label : m_classRows) {
        Chip* chip = static_cast<int>(m_chips.size()) > kMostChips ? nullptr : add(text(set->classes[static_cast<std::size_t>(label)].name), label);
        const bool isLast = label == m_classRows.back();
        if (chip && rest.empty() && room - chip->sizeHint().width() - layout->spacing() >= (isLast ? 0 : kMoreRoom)) {
            place(chip);
            continue;
        }
        if (chip) {
            m_chips.removeOne(chip);
            delete chip;
        }
        rest.push_back(label);
    }
    if (!rest.empty()) {
        auto* more = new Chip({}, Chip::Kind::Toggle, m_chipHolder);
        more->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
        const bool isChosen = std::find(rest.begin(), rest.end(), m_grid->classFilter()) != rest.end();
        more->setText(isChosen ? text(set->classes[static_cast<std::size_t>(m_grid->classFilter())].name) : tr("%1 more").arg(rest.size()));
        more->setChecked(isChosen);
        connect(more, &Chip::clicked, this, [this, more, rest, set = *set] {
            QMenu menu;
            for (const int label : rest)
                menu.addAction(text(set.classes[static_cast<std::size_t>(label)].name), this, [this, label] { m_grid->setClassFilter(label); });
            menu.exec(more->mapToGlobal(QPoint(0, more->height())));
            refreshChips();
        });
        place(more);
    }
    layout->addStretch(1);
}

void DataPage::refreshHistogram() {
    const feed::DatasetSummary* set = summary();
    if (!set) return;
    const bool hasSides = !set->hasOneSize && !set->sizeHistogram.empty();
    m_sizeKind->setVisible(hasSides);
    const bool isBytes = !hasSides || m_sizeKind->currentIndex() == 0;
    const auto& bins = isBytes ? set->byteHistogram : set->sizeHistogram;
    m_sizeHeader->setTitle(isBytes ? tr("File size") : tr("Picture size"));
    QString caption;
    const auto first = std::find_if(bins.begin(), bins.end(), [](const feed::HistogramBin& bin) { return bin.count > 0; });
    if (first != bins.end()) {
        const auto last = std::find_if(bins.rbegin(), bins.rend(), [](const feed::HistogramBin& bin) { return bin.count > 0; });
        if (bins.back().count == 0 && first->count == set->samples) caption = isBytes ? tr("%1 each").arg(format::bytes(std::llround(first->low))) : tr("%1 px each").arg(std::llround(first->low));
        else caption = isBytes ? tr("%1 to %2").arg(format::bytes(std::llround(first->low)), format::bytes(std::llround(last->high)))
                          : tr("larger side, %1 to %2 px").arg(std::llround(first->low)).arg(std::llround(last->high));
    }
    if (!set->sizes.empty() && set->hasOneSize) caption += tr("; all are %1").arg(text(set->sizes.front().first));
    m_sizeHeader->setCaption(caption);
    // One bar says no more than the caption.
    m_histogram->setVisible(std::count_if(bins.begin(), bins.end(), [](const feed::HistogramBin& bin) { return bin.count > 0; }) > 1);
    m_histogram->setBins(bins, m_samples ? (isBytes ? m_medianBytes : m_medianSide) : NAN, isBytes);
}

void DataPage::resplit(const std::array<double, 3>& fractions) {
    const feed::DatasetSummary* set = summary();
    if (!set || set->splitKind == "folders") return;
    const auto write = [page = QPointer<DataPage>(this), id = m_dataset, seed = set->splitSeed](const std::array<double, 3>& wanted) {
        if (page) page->writeSplit(id, wanted, seed);
    };
    // Shares in steps of a thousandth that sum to 1: what the bar shows is what is written.
    std::array<double, 3> rounded{std::round(fractions[0] * 1000) / 1000, std::round(fractions[1] * 1000) / 1000, 0};
    rounded[2] = std::max(0.0, std::round((1 - rounded[0] - rounded[1]) * 1000) / 1000);
    auto* edit = new SplitEdit(text(set->name), set->splitFractions, rounded, write);
    if (context().undo) {
        context().undo->push(edit);
    } else {
        edit->redo();
        delete edit;
    }
}

void DataPage::writeSplit(const QString& dataset, const std::array<double, 3>& fractions, std::int64_t seed) {
    m_isResplitting = true;
    m_split->setEditable(false);
    m_splitHint->setText(tr("dealing anew…"));
    context().bridge->reads().run(
        this, QStringLiteral("resplit"),
        [workspace = context().workspace, id = dataset.toStdString(), fractions, seed] { return workspace->resplit(id, fractions, seed); },
        [this](Result<feed::DatasetSummary> written) {
            m_isResplitting = false;
            if (!written && context().errors) context().errors->show(written.error());
            const feed::DatasetSummary* shown = summary();
            // A new hash comes with the catalog and refreshes the page; until then the bar stays as it was let go.
            if (!written || !shown || written->hash == shown->hash) refresh();
            context().bridge->refreshCatalog();
        });
}

QString DataPage::className(std::int64_t label) const {
    const feed::DatasetSummary* set = summary();
    return set && label >= 0 && label < static_cast<std::int64_t>(set->classes.size()) ? text(set->classes[static_cast<std::size_t>(label)].name) : QString();
}

void DataPage::showSample(std::int64_t index) {
    if (!m_samples || index < 0 || index >= static_cast<std::int64_t>(m_samples->size())) return;
    const feed::SampleInfo& sample = (*m_samples)[static_cast<std::size_t>(index)];
    m_inspector->setSample(sample, className(sample.label));
}

Result<void> DataPage::exportCsv(const QString& path) const {
    if (!m_samples) return fail(ErrorCode::NotFound, "The samples are still being read", path.toStdString(), "Try again in a moment");
    QSaveFile file(path);
    QByteArray lines("index,file,class,split,width,height,channels,bytes\n");
    for (const feed::SampleInfo& sample : *m_samples) {
        lines += QByteArray::number(static_cast<qlonglong>(sample.index)) + ',' + csvField(text(sample.source)).toUtf8() + ',' + csvField(className(sample.label)).toUtf8() + ',' +
                 feed::splitName(sample.split) + ',' + QByteArray::number(sample.width) + ',' + QByteArray::number(sample.height) + ',' + QByteArray::number(sample.channels) + ',' +
                 QByteArray::number(static_cast<qlonglong>(sample.storedBytes)) + '\n';
    }
    if (!file.open(QIODevice::WriteOnly) || file.write(lines) != lines.size() || !file.commit())
        return fail(ErrorCode::Io, "The list of samples could not be written: " + file.errorString().toStdString(), path.toStdString(), "Choose another folder");
    return {};
}

void DataPage::exportSamples() {
    const feed::DatasetSummary* set = summary();
    if (!set) return;
    const QString path = QFileDialog::getSaveFileName(this, tr("Write the list of samples"), text(set->name) + QStringLiteral("-samples.csv"), tr("CSV (*.csv)"));
    if (path.isEmpty()) return;
    const auto written = exportCsv(path);
    if (!context().errors) return;
    if (written) context().errors->toast(tr("%1 samples written").arg(format::count(set->samples)), path, QStringLiteral("check"));
    else context().errors->show(written.error());
}

void DataPage::resizeEvent(QResizeEvent* event) {
    Page::resizeEvent(event);
    // The chips go by the width that the layout gives them, known after this event.
    QMetaObject::invokeMethod(this, [this] { if (summary()) refreshChips(); }, Qt::QueuedConnection);
}

}  // namespace espalier::app
