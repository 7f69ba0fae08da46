#include "app/shell/trash_dialog.h"

#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QStandardItemModel>
#include <QTreeView>
#include <QVBoxLayout>

#include <numeric>

#include "app/bridge/edits.h"
#include "app/shell/error_presenter.h"
#include "widgets/controls/controls.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/format.h"

namespace espalier::app {

namespace format = widgets::format;
using widgets::Color;
using widgets::Type;
using widgets::format::text;

namespace {

enum Column { kName, kKind, kSize, kColumns };
constexpr int kKindWidth = 96, kSizeWidth = 96;

}  // namespace

TrashDialog::TrashDialog(AppContext& context, QWidget* parent) : QDialog(parent), m_context(context) {
    setWindowTitle(tr("Trash"));
    resize(520, 420);
    build();
    connect(m_context.edits, &Edits::written, this, &TrashDialog::read);
    read();
}

void TrashDialog::build() {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 12, 16, 12);
    layout->setSpacing(8);
    m_words = widgets::makeLabel(tr("Reading the trash"), Type::Body, Color::Text2, this);
    layout->addWidget(m_words);
    m_model = new QStandardItemModel(0, kColumns, this);
    m_view = new QTreeView(this);
    m_view->setModel(m_model);
    m_view->setItemDelegate(new widgets::TableCellDelegate(m_view));
    m_view->setRootIsDecorated(false);
    m_view->setIndentation(0);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->setAccessibleName(tr("What lies in the trash"));
    m_view->header()->setStretchLastSection(false);
    layout->addWidget(m_view, 1);
    m_note = widgets::makeLabel(tr("Putting back can be undone; emptying cannot."), Type::Caption, Color::Text3, this);
    layout->addWidget(m_note);
    auto* buttons = new QHBoxLayout;
    m_restore = widgets::makeButton(tr("Put back"), QStringLiteral("restore"));
    m_empty = widgets::makeButton(tr("Empty the trash"), QStringLiteral("trash"), widgets::ButtonKind::Danger);
    QPushButton* close = widgets::makeButton(tr("Close"));
    close->setDefault(true);
    buttons->addWidget(m_restore);
    buttons->addWidget(m_empty);
    buttons->addStretch(1);
    buttons->addWidget(close);
    layout->addLayout(buttons);
    connect(m_restore, &QPushButton::clicked, this, &TrashDialog::restoreChosen);
    connect(m_view, &QTreeView::activated, this, &TrashDialog::restoreChosen);
    connect(m_empty, &QPushButton::clicked, m_context.edits, &Edits::emptyTrash);
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    connect(m_view->selectionModel(), &QItemSelectionModel::selectionChanged, this, &TrashDialog::updateButtons);
    updateButtons();
}

void TrashDialog::read() {
    m_context.bridge->reads().run(
        this, QStringLiteral("trash"), [workspace = m_context.workspace] { return workspace->trash(); },
        [this](Result<std::vector<runtime::Workspace::TrashEntry>> entries) {
            if (entries) return show(std::move(*entries));
            m_words->setText(text(entries.error().sentence()));
        });
}

void TrashDialog::show(std::vector<runtime::Workspace::TrashEntry> entries) {
    m_entries = std::move(entries);
    m_model->clear();
    m_model->setColumnCount(kColumns);
    m_model->setHorizontalHeaderLabels({tr("Name"), tr("Kind"), tr("Size")});
    m_model->horizontalHeaderItem(kSize)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    for (const auto& entry : m_entries) {
        auto* size = new QStandardItem(format::bytes(entry.bytes));
        size->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        auto* name = new QStandardItem(text(entry.name.empty() ? entry.id : entry.name));
        name->setToolTip(text(entry.id));
        m_model->appendRow({name, new QStandardItem(entry.kind == "dataset" ? tr("data set") : text(entry.kind)), size});
    }
    m_view->header()->setSectionResizeMode(kName, QHeaderView::Stretch);
    for (const auto& [column, width] : {std::pair{kKind, kKindWidth}, std::pair{kSize, kSizeWidth}}) {
        m_view->header()->setSectionResizeMode(column, QHeaderView::Fixed);
        m_view->header()->resizeSection(column, widgets::theme().scaled(width));
    }
    const auto bytes = std::accumulate(m_entries.begin(), m_entries.end(), std::int64_t(0), [](std::int64_t sum, const auto& one) { return sum + one.bytes; });
    const auto count = static_cast<std::int64_t>(m_entries.size());
    m_words->setText(count == 0   ? tr("The trash is empty.")
                     : count == 1 ? tr("1 entry, %1").arg(format::bytes(bytes))
                                  : tr("%1 entries, %2").arg(format::count(count), format::bytes(bytes)));
    if (count > 0) m_view->setCurrentIndex(m_model->index(0, 0));
    updateButtons();
}

void TrashDialog::restoreChosen() {
    std::vector<runtime::Workspace::TrashEntry> chosen;
    for (const QModelIndex& index : m_view->selectionModel()->selectedRows())
        if (index.row() < static_cast<int>(m_entries.size())) chosen.push_back(m_entries[static_cast<std::size_t>(index.row())]);
    for (const auto& entry : chosen) m_context.edits->restore(entry);
}

void TrashDialog::updateButtons() {
    const bool canWrite = !m_context.workspace->isReadOnly();
    m_restore->setEnabled(canWrite && m_view->selectionModel()->hasSelection());
    m_empty->setEnabled(canWrite && !m_entries.empty());
    m_note->setVisible(!m_entries.empty());
}

}  // namespace espalier::app
