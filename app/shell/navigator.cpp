#include "app/shell/navigator.h"

#include <QHBoxLayout>
#include <QItemSelectionModel>
#include <QLabel>
#include <QMenu>
#include <QPushButton>
#include <QScrollBar>
#include <QStandardItemModel>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

#include "app/bridge/edits.h"
#include "app/shell/commands.h"
#include "app/shell/filtered_runs.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/section.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using widgets::Color;
using widgets::Section;
using widgets::Type;
using widgets::format::text;
namespace metrics = widgets::metrics;

namespace {

constexpr int kMostRows = 6;  ///< of data sets and recipes before they scroll
constexpr int kSparkRestMs = 80;

QListView* makeList(QWidget* parent, const QString& name) {
    auto* view = new QListView(parent);
    view->setUniformItemSizes(true);
    view->setMouseTracking(true);
    view->setFrameShape(QFrame::NoFrame);
    view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    view->setEditTriggers(QAbstractItemView::EditKeyPressed);
    view->setAccessibleName(name);
    view->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    return view;
}

QWidget* makeHint(const QString& text, QWidget* parent) {
    QLabel* label = widgets::makeLabel(text, Type::Body, Color::Text3, parent);
    label->setWordWrap(true);
    label->setContentsMargins(30, 0, 12, 10);
    return label;
}

// A word without an operator looks in the names.
QString expressionOf(const QString& typed) {
    const QString trimmed = typed.trimmed();
    if (trimmed.isEmpty() || trimmed.contains(u'=') || trimmed.contains(u'<') || trimmed.contains(u'>') || trimmed.contains(u'~'))
        return trimmed;
    return QStringLiteral("name ~ \"%1\"").arg(QString(trimmed).remove(u'"'));
}

}  // namespace

Navigator::Navigator(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    setAccessibleName(tr("Navigator"));
    widgets::setGround(this, Color::Panel);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);

    auto* row = new QHBoxLayout;
    row->setContentsMargins(8, 2, 8, 8);
    row->setSpacing(4);
    m_filter = new widgets::FilterField(tr("Filter runs"), QStringLiteral("filter"), true, this);
    m_filter->setToolTip(tr("A word looks in the names; or write: valid/top1 > 0.4 and tag = paper"));
    row->addWidget(m_filter, 1);
    QToolButton* sort = widgets::makeIconButton(QStringLiteral("sort"), tr("Sort runs"), this);
    QToolButton* columns = widgets::makeIconButton(QStringLiteral("columns"), tr("Value beside the names"), this);
    row->addWidget(sort);
    row->addWidget(columns);
    layout->addLayout(row);
    m_problem = widgets::makeLabel({}, widgets::Type::Caption, Color::Error, this);
    m_problem->setWordWrap(true);
    m_problem->setContentsMargins(12, 0, 12, 8);
    m_problem->hide();
    layout->addWidget(m_problem);
    // Below the button, not at the pointer: the menu also opens by the space bar.
    const auto below = [](const QToolButton* button) { return button->mapToGlobal(QPoint(0, button->height())); };
    connect(sort, &QToolButton::clicked, this, [this, sort, below] { chooseSort(below(sort)); });
    connect(columns, &QToolButton::clicked, this, [this, columns, below] { chooseValue(below(columns)); });
    connect(m_filter, &widgets::FilterField::filterChanged, this, &Navigator::applyFilter);

    buildRuns();
    buildDatasets();
    buildRecipes();
    layout->addWidget(m_runSection, 1000);
    layout->addWidget(m_datasetSection, 10);
    layout->addWidget(m_recipeSection, 10);
    layout->addStretch(1);

    connect(m_runSection, &Section::collapsedChanged, this, &Navigator::fitLists);
    connect(m_runSection, &Section::trailingClicked, this, &Navigator::sortByNextOrder);
    connect(context.bridge, &EngineBridge::catalogChanged, this, [this] {
        if (m_filtered->isFiltered()) applyFilter();
        updateCounts();
        selectCurrent();
    });
    connect(context.selection, &Selection::currentRunChanged, this, &Navigator::selectCurrent);
    connect(context.selection, &Selection::currentDatasetChanged, this, &Navigator::selectCurrent);
    connect(context.selection, &Selection::currentRecipeChanged, this, &Navigator::selectCurrent);
    connect(context.selection, &Selection::focusChanged, this, &Navigator::selectCurrent);
    connect(context.selection, &Selection::shownRunsChanged, this,
            [this] { m_context.bridge->runs().setShownRuns(m_context.selection->shownRuns()); });
    updateCounts();
}

void Navigator::buildRuns() {
    m_runSection = new Section(tr("Runs"), this);
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_runView = makeList(body, tr("Runs"));
    m_runView->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_filtered = new FilteredRuns(this);
    m_filtered->setSourceModel(&m_context.bridge->runs());
    m_runView->setModel(m_filtered);
    m_runDelegate = new widgets::RunRowDelegate(
        [this](const QModelIndex& index) {
            widgets::RunRowLook look;
            const double value = index.data(RunListModel::ValueRole).toDouble();
            look.colorIndex = index.data(RunListModel::ColorRole).toInt();
            look.isShown = index.data(RunListModel::ShownRole).toBool();
            look.state = static_cast<feed::JobState>(index.data(RunListModel::StateRole).toInt());
            look.name = index.data().toString();
            look.spark = index.data(RunListModel::SparkRole).value<std::vector<float>>();
            look.value = widgets::format::metric(m_context.bridge->runs().valueSeries(), value);
            return look;
        },
        m_runView);
    m_runView->setItemDelegate(m_runDelegate);
    m_noRuns = makeHint(tr("A run appears here when you press Start."), body);
    column->addWidget(m_runView);
    column->addWidget(m_noRuns);
    m_runSection->setBody(body);
    m_runSection->setBodyMargins(0, 0, 0, 4);

    connect(m_runDelegate, &widgets::RunRowDelegate::swatchClicked, this, [this](const QModelIndex& index) {
        m_context.selection->setShown(runAt(index), !m_context.selection->isShown(runAt(index)));
    });
    // Asked from paint, again and again while one scrolls: read once the list rests.
    m_sparkTimer.setSingleShot(true);
    m_sparkTimer.setInterval(kSparkRestMs);
    connect(m_runDelegate, &widgets::RunRowDelegate::sparkWanted, &m_sparkTimer, qOverload<>(&QTimer::start));
    connect(&m_sparkTimer, &QTimer::timeout, this, &Navigator::readSparks);
    connect(m_runView->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
        if (!m_isSelecting && index.isValid()) m_context.selection->setCurrentRun(runAt(index));
    });
    connect(m_runView, &QListView::clicked, this, [this](const QModelIndex& index) {
        m_context.selection->setCurrentRun(runAt(index));
    });
    connect(m_runView, &QListView::activated, this, [this](const QModelIndex& index) {
        m_context.selection->setCurrentRun(runAt(index));
        const feed::RunInfo* run = m_context.bridge->run(runAt(index));
        const api::RecipeCard* card = run ? m_context.registry->find(run->recipe) : nullptr;
        const bool isQuantizer = card && !card->kinds.empty() && card->kinds.front() == "quantize";
        m_context.commands->openPage(isQuantizer ? QStringLiteral("quantize") : QStringLiteral("train"));
    });
    connect(&m_context.bridge->runs(), &RunListModel::renameRequested, this,
            [this](const QString& id, const QString& name) { m_context.edits->renameRun(id, name); });
    for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(m_filtered, signal, this, &Navigator::updateCounts);
    connect(m_filtered, &QAbstractItemModel::modelReset, this, &Navigator::updateCounts);
    connect(m_filtered, &QAbstractItemModel::layoutChanged, this, &Navigator::updateCounts);
}

void Navigator::readSparks() {
    const QRect shown = m_runView->viewport()->rect();
    for (QModelIndex index = m_runView->indexAt(shown.topLeft()); index.isValid() && m_runView->visualRect(index).top() <= shown.bottom();
         index = index.siblingAtRow(index.row() + 1))
        if (index.data(RunListModel::StateRole).toInt() != static_cast<int>(feed::JobState::Queued)) m_context.bridge->requestSpark(runAt(index));
}

void Navigator::buildDatasets() {
    m_datasetSection = new Section(tr("Data"), this);
    QToolButton* import = widgets::makeIconButton(QStringLiteral("import"), tr("Import data"), this, widgets::ControlSize::Small);
    connect(import, &QToolButton::clicked, m_context.commands, &Commands::chooseFiles);
    m_datasetSection->addAction(import);
    auto* body = new QWidget(this);
    auto* column = new QVBoxLayout(body);
    column->setContentsMargins(0, 0, 0, 0);
    m_datasetView = makeList(body, tr("Data sets"));
    m_datasetView->setModel(&m_context.bridge->datasets());
    m_datasetView->setItemDelegate(new widgets::IconRowDelegate(
        [](const QModelIndex& index) {
            const bool isTable = index.data(DatasetListModel::KindRole).toString() == QLatin1String("table");
            return widgets::IconRowLook{isTable ? QStringLiteral("table") : QStringLiteral("image"), index.data().toString(),
                                        widgets::format::count(index.data(DatasetListModel::SamplesRole).toLongLong())};
        },
        m_datasetView));
    m_noDatasets = makeHint(tr("Drop a folder or file anywhere in this window."), body);
    column->addWidget(m_datasetView);
    column->addWidget(m_noDatasets);
    m_datasetSection->setBody(body);
    m_datasetSection->setBodyMargins(0, 0, 0, 4);
    const auto select = [this](const QModelIndex& index) {
        if (!m_isSelecting && index.isValid())
            m_context.selection->setCurrentDataset(index.data(DatasetListModel::IdRole).toString());
    };
    connect(m_datasetView->selectionModel(), &QItemSelectionModel::currentChanged, this, select);
    connect(m_datasetView, &QListView::clicked, this, select);
    connect(m_datasetView, &QListView::activated, this, [this, select](const QModelIndex& index) {
        select(index);
        m_context.commands->openPage(QStringLiteral("data"));
    });
    connect(&m_context.bridge->datasets(), &DatasetListModel::renameRequested, this,
            [this](const QString& id, const QString& name) { m_context.edits->renameDataset(id, name); });
}

void Navigator::buildRecipes() {
    m_recipeSection = new Section(tr("Recipes"), this);
    m_recipeView = makeList(this, tr("Recipes"));
    m_recipeView->setEditTriggers(QAbstractItemView::NoEditTriggers);
    auto* model = new QStandardItemModel(this);
    for (const api::RecipeCard& card : m_context.registry->cards()) {
        auto* item = new QStandardItem(text(card.id).section(u'-', 0, 0) + u' ' + text(card.name));
        item->setData(text(card.id), Qt::UserRole);
        const bool isPlain = card.kinds.empty() || card.kinds.front() == "pretrain" || card.kinds.front() == "finetune";
        item->setData(text(isPlain && !card.domains.empty() ? card.domains.front() : card.kinds.empty() ? "" : card.kinds.front()),
                      Qt::UserRole + 1);
        item->setToolTip(text(card.title));
        model->appendRow(item);
    }
    m_recipeView->setModel(model);
    m_recipeView->setItemDelegate(new widgets::IconRowDelegate(
        [](const QModelIndex& index) {
            return widgets::IconRowLook{QStringLiteral("recipe"), index.data().toString(), index.data(Qt::UserRole + 1).toString()};
        },
        m_recipeView));
    m_recipeSection->setBody(m_recipeView);
    m_recipeSection->setBodyMargins(0, 0, 0, 4);
    m_recipeSection->setCount(QString::number(model->rowCount()));
    const auto select = [this](const QModelIndex& index) {
        if (!m_isSelecting && index.isValid()) m_context.selection->setCurrentRecipe(index.data(Qt::UserRole).toString());
    };
    connect(m_recipeView->selectionModel(), &QItemSelectionModel::currentChanged, this, select);
    connect(m_recipeView, &QListView::clicked, this, select);
    connect(m_recipeView, &QListView::activated, this,
            [this](const QModelIndex& index) { m_context.commands->newRun(index.data(Qt::UserRole).toString()); });
}

QString Navigator::runAt(const QModelIndex& index) const { return index.data(RunListModel::IdRole).toString(); }

void Navigator::applyFilter() {
    const QString expression = expressionOf(m_filter->text());
    if (expression.isEmpty() && m_sort.isEmpty()) {
        showProblem({});
        m_filtered->setAll();
        updateCounts();
        return;
    }
    m_context.bridge->reads().run(
        this, QStringLiteral("filter"),
        [workspace = m_context.workspace, filter = expression.toStdString(), sort = m_sort.toStdString()]() -> Result<QStringList> {
            ESPALIER_TRY(const auto found, workspace->queryRunIds(filter, sort));
            QStringList ids;
            for (const std::string& id : found) ids << text(id);
            return ids;
        },
        [this](const Result<QStringList>& ids) {
            // A half-typed expression keeps the last good list.
            showProblem(ids ? QString() : text(ids.error().sentence()));
            if (ids) m_filtered->setMatches(*ids);
            updateCounts();
        });
}

void Navigator::showProblem(const QString& sentence) {
    m_filter->setError(sentence);
    m_problem->setText(sentence.left(1).toUpper() + sentence.mid(1));
    m_problem->setVisible(!sentence.isEmpty());
}

void Navigator::updateCounts() {
    const int all = m_context.bridge->runs().rowCount();
    const int shown = m_filtered->rowCount();
    m_runSection->setCount(shown == all ? widgets::format::count(all)
                                        : tr("%1 of %2").arg(widgets::format::count(shown), widgets::format::count(all)));
    m_runSection->setTrailing(all > 0 ? m_context.bridge->runs().valueSeries() : QString());
    showOrder();
    m_datasetSection->setCount(widgets::format::count(m_context.bridge->datasets().rowCount()));
    m_noRuns->setVisible(all == 0);
    m_runView->setVisible(all > 0);
    m_noDatasets->setVisible(m_context.bridge->datasets().rowCount() == 0);
    m_datasetView->setVisible(m_context.bridge->datasets().rowCount() > 0);
    fitLists();
}

void Navigator::fitLists() {
    const int most = height() < 560 ? 3 : kMostRows;
    const auto fit = [](QListView* view, int most) {
        const int rows = view->model() ? view->model()->rowCount() : 0;
        view->setFixedHeight(std::clamp(rows, 1, most) * widgets::theme().scaled(metrics::kRowTree));
    };
    fit(m_datasetView, most);
    fit(m_recipeView, height() < 560 ? 2 : kMostRows);
    const int rows = std::max(1, m_filtered->rowCount());
    const bool hasRuns = m_runView->isVisibleTo(m_runSection->body());
    m_runView->setMinimumHeight(std::min(rows, 3) * widgets::theme().scaled(metrics::kRowTree));
    // No taller than its rows: what is left over stays below the recipes.
    m_runSection->setMaximumHeight(m_runSection->isCollapsed() || !hasRuns ? m_runSection->sizeHint().height()
                                                                          : widgets::theme().scaled(metrics::kDockHeader) + rows * widgets::theme().scaled(metrics::kRowTree) + 4);
    m_runSection->setSizePolicy(QSizePolicy::Preferred, hasRuns ? QSizePolicy::Expanding : QSizePolicy::Maximum);
    m_datasetSection->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    m_recipeSection->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
}

void Navigator::resizeEvent(QResizeEvent*) { fitLists(); }

void Navigator::selectCurrent() {
    m_isSelecting = true;
    const Selection& selection = *m_context.selection;
    const auto mark = [](QListView* view, const QModelIndex& index, bool isFocus) {
        if (!index.isValid() || !isFocus) {
            if (!isFocus) view->clearSelection();
            return;
        }
        // Extra rows of a multiple selection stay as long as the current one is among them.
        if (!view->selectionModel()->isSelected(index)) view->selectionModel()->setCurrentIndex(index, QItemSelectionModel::ClearAndSelect);
        view->scrollTo(index);
    };
    const int run = m_context.bridge->runs().rowOf(selection.currentRun());
    mark(m_runView, run < 0 ? QModelIndex() : m_filtered->mapFromSource(m_context.bridge->runs().index(run, 0)),
         selection.focus() == Selection::Focus::Run);
    const int dataset = m_context.bridge->datasets().rowOf(selection.currentDataset());
    mark(m_datasetView, dataset < 0 ? QModelIndex() : m_context.bridge->datasets().index(dataset),
         selection.focus() == Selection::Focus::Dataset);
    const QModelIndexList recipes = m_recipeView->model()->match(m_recipeView->model()->index(0, 0), Qt::UserRole,
                                                                 selection.currentRecipe(), 1, Qt::MatchExactly);
    mark(m_recipeView, recipes.value(0), selection.focus() == Selection::Focus::Recipe);
    m_isSelecting = false;
}

void Navigator::focusList() {
    const Selection::Focus focus = m_context.selection->focus();
    QListView* view = focus == Selection::Focus::Dataset ? m_datasetView : focus == Selection::Focus::Recipe ? m_recipeView : m_runView;
    view->setFocus(Qt::OtherFocusReason);
}

void Navigator::focusFilter() {
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}
void Navigator::setFilter(const QString& expression) { m_filter->setText(expression); }
QString Navigator::filter() const { return m_filter->text(); }

QStringList Navigator::selectedRuns() const {
    QStringList ids;
    for (const QModelIndex& index : m_runView->selectionModel()->selectedRows()) ids << runAt(index);
    if (ids.isEmpty() && !m_context.selection->currentRun().isEmpty()) ids << m_context.selection->currentRun();
    return ids;
}

void Navigator::setCompact(bool isCompact) {
    m_runDelegate->setSparkShown(!isCompact);
    m_runView->viewport()->update();
}

QJsonObject Navigator::saveState() const {
    return {{QStringLiteral("filter"), m_filter->text()},
            {QStringLiteral("sort"), m_sort},
            {QStringLiteral("value"), m_context.bridge->runs().valueSeries()},
            {QStringLiteral("runsCollapsed"), m_runSection->isCollapsed()},
            {QStringLiteral("dataCollapsed"), m_datasetSection->isCollapsed()},
            {QStringLiteral("recipesCollapsed"), m_recipeSection->isCollapsed()}};
}

void Navigator::restoreState(const QJsonObject& state) {
    m_sort = state[QStringLiteral("sort")].toString();
    if (const QString value = state[QStringLiteral("value")].toString(); !value.isEmpty())
        m_context.bridge->runs().setValueSeries(value);
    m_filter->setText(state[QStringLiteral("filter")].toString());
    m_runSection->setCollapsed(state[QStringLiteral("runsCollapsed")].toBool());
    m_datasetSection->setCollapsed(state[QStringLiteral("dataCollapsed")].toBool());
    m_recipeSection->setCollapsed(state[QStringLiteral("recipesCollapsed")].toBool());
    applyFilter();
}

}  // namespace espalier::app
