#include "app/pages/empty_page.h"

#include <QButtonGroup>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QScrollArea>
#include <QStandardItemModel>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

#include "app/shell/commands.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/paint_help.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::app {

using widgets::Color;
using widgets::Type;
using widgets::format::text;
namespace metrics = widgets::metrics;

namespace {

enum Column { kNumber, kRecipe, kPaper, kKind, kDomain, kDeskTime, kColumns };
constexpr int kIdRole = Qt::UserRole + 1;
constexpr int kDomainsRole = Qt::UserRole + 2;

// Rounded box with a dashed or plain border.
class Box : public QWidget {
public:
    Box(bool isDashed, QWidget* parent) : QWidget(parent), m_isDashed(isDashed) {}

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        widgets::Theme& look = widgets::theme();
        QPen pen(look.color(m_isDashed ? Color::BorderStrong : Color::Line), 1);
        if (m_isDashed) pen.setDashPattern({4, 3});
        painter.setPen(pen);
        painter.setBrush(look.color(m_isDashed ? Color::Well : Color::Panel));
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), metrics::kRadiusCard, metrics::kRadiusCard);
    }

private:
    bool m_isDashed;
};

class Glyph : public QWidget {
public:
    Glyph(QString name, int size, QWidget* parent) : QWidget(parent), m_name(std::move(name)) { setFixedSize(size, size); }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        widgets::paintIcon(painter, m_name, rect(), widgets::theme().color(Color::Text2));
    }

private:
    QString m_name;
};

// The first digits of the sample, four times as large.
class DigitStrip : public QWidget {
public:
    explicit DigitStrip(QWidget* parent) : QWidget(parent), m_picture(QStringLiteral(":/espalier/samples/digits/preview.png")) {
        setFixedSize(6 * 35 - 3, 32);
        setAccessibleName(tr("Six handwritten digits"));
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        for (int i = 0; i < 6; ++i) painter.drawPixmap(QRect(i * 35, 0, 32, 32), m_picture, QRect(i * 8, 0, 8, 8));
    }

private:
    QPixmap m_picture;
};

class DomainFilter : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    QString domain, typed;
    void refresh() { invalidateFilter(); }

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        const QModelIndex first = sourceModel()->index(row, 0, parent);
        if (!domain.isEmpty() && !first.data(kDomainsRole).toStringList().contains(domain)) return false;
        if (typed.isEmpty()) return true;
        for (int column = 0; column < kColumns; ++column)
            if (sourceModel()->index(row, column, parent).data().toString().contains(typed, Qt::CaseInsensitive)) return true;
        return false;
    }
};

QString joined(const std::vector<std::string>& words) {
    QStringList list;
    for (const std::string& word : words) list << text(word);
    return list.join(QStringLiteral(", "));
}

}  // namespace

EmptyPage::EmptyPage(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    widgets::setGround(this, Color::Well);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(32, 24, 32, 16);
    layout->setSpacing(0);
    layout->addWidget(widgets::makeLabel(tr("New workspace"), Type::Heading, Color::Text, this));
    layout->addWidget(widgets::makeLabel(tr("Drop data, choose a recipe, press Start. Curves, attention and trade-offs appear here as they come."),
                                         Type::Body, Color::Text2, this));
    layout->addSpacing(20);
    layout->addWidget(makeDropBox());
    layout->addSpacing(12);
    layout->addWidget(makeSample());
    layout->addSpacing(20);
    layout->addWidget(makeRecipes(), 1);
}

QWidget* EmptyPage::makeDropBox() {
    auto* box = new Box(true, this);
    box->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto* layout = new QGridLayout(box);
    layout->setContentsMargins(26, 20, 24, 18);
    layout->setHorizontalSpacing(16);
    layout->setVerticalSpacing(2);
    layout->addWidget(new Glyph(QStringLiteral("import"), 32, box), 0, 0, 2, 1, Qt::AlignTop);
    layout->addWidget(widgets::makeLabel(tr("Drop data anywhere in this window"), Type::Heading, Color::Text, box), 0, 1, 1, 2);
    layout->addWidget(widgets::makeLabel(tr("Files stay where they are. You see a preview and a split before anything trains."),
                                         Type::Body, Color::Text2, box), 1, 1, 1, 2);
    QPushButton* choose = widgets::makeButton(tr("Choose files"), QStringLiteral("folder"), widgets::ButtonKind::Normal,
                                              widgets::ControlSize::Large, box);
    connect(choose, &QPushButton::clicked, m_context.commands, &Commands::chooseFiles);
    layout->addWidget(choose, 0, 3, 2, 1, Qt::AlignRight | Qt::AlignVCenter);
    const struct {
        const char* icon;
        QString title, detail;
    } kinds[] = {{"image", tr("Images"), tr("folder of classes, tar, zip, 7z")},
                 {"table", tr("Tables"), tr("CSV with a label column")},
                 {"archive", tr("Arrays"), tr("npy, npz, HDF5, MNIST idx, CIFAR bin")},
                 {"model", tr("Weights"), tr("safetensors, to fine-tune or quantize")}};
    for (int i = 0; i < 4; ++i) {
        auto* cell = new QWidget(box);
        auto* row = new QGridLayout(cell);
        row->setContentsMargins(0, 10, 0, 0);
        row->setHorizontalSpacing(8);
        row->setVerticalSpacing(0);
        row->addWidget(new Glyph(QString::fromLatin1(kinds[i].icon), 14, cell), 0, 0, Qt::AlignTop);
        row->addWidget(widgets::makeLabel(kinds[i].title, Type::BodyStrong, Color::Text, cell), 0, 1);
        row->addWidget(widgets::makeLabel(kinds[i].detail, Type::Caption, Color::Text2, cell), 1, 1);
        row->setColumnStretch(1, 1);
        layout->addWidget(cell, 2 + i / 2, 1 + i % 2);
    }
    layout->setColumnStretch(1, 1);
    layout->setColumnStretch(2, 1);
    return box;
}

QWidget* EmptyPage::makeSample() {
    auto* box = new Box(false, this);
    box->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    auto* layout = new QHBoxLayout(box);
    layout->setContentsMargins(24, 18, 24, 18);
    layout->setSpacing(16);
    layout->addWidget(new DigitStrip(box));
    auto* words = new QVBoxLayout;
    words->setSpacing(0);
    words->addWidget(widgets::makeLabel(tr("Try it with digits"), Type::BodyStrong, Color::Text, box));
    words->addWidget(widgets::makeLabel(tr("1,797 images, 8 × 8 grey; part of the program, no network"), Type::Body, Color::Text2, box));
    layout->addLayout(words, 1);
    QPushButton* open = widgets::makeButton(tr("Import the sample"), QStringLiteral("run"), widgets::ButtonKind::Primary,
                                            widgets::ControlSize::Large, box);
    connect(open, &QPushButton::clicked, m_context.commands, &Commands::openSample);
    layout->addWidget(open);
    return box;
}

void EmptyPage::makeTable(QWidget* parent) {
    m_model = new QStandardItemModel(0, kColumns, this);
    m_model->setHorizontalHeaderLabels({tr("No."), tr("Recipe"), tr("Paper"), tr("Kind"), tr("Domain"), tr("Desk time")});
    m_model->horizontalHeaderItem(kDeskTime)->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
    for (int column = 0; column < kDeskTime; ++column) m_model->horizontalHeaderItem(column)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    auto* filtered = new DomainFilter(this);
    filtered->setSourceModel(m_model);
    m_filtered = filtered;
    m_table = new QTreeView(parent);
    m_table->setModel(m_filtered);
    m_table->setRootIsDecorated(false);
    m_table->setUniformRowHeights(true);
    m_table->setAllColumnsShowFocus(true);
    m_table->setSortingEnabled(false);
    m_table->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_table->setAccessibleName(tr("Recipes"));
    auto* delegate = new widgets::TableCellDelegate(m_table);
    delegate->setFaintColumns({kNumber, kPaper, kKind, kDomain});
    m_table->setItemDelegate(delegate);
    m_table->header()->setStretchLastSection(false);
    m_table->header()->setMinimumSectionSize(40);
    m_table->header()->setSectionResizeMode(kPaper, QHeaderView::Stretch);
    const int widths[kColumns] = {52, 150, 200, 124, 96, 92};
    for (int column = 0; column < kColumns; ++column)
        if (column != kPaper) m_table->header()->resizeSection(column, widths[column]);
}

QWidget* EmptyPage::makeRecipes() {
    auto* holder = new QWidget(this);
    auto* layout = new QVBoxLayout(holder);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    head->addWidget(widgets::makeLabel(tr("Recipes"), Type::Title, Color::Text, holder));
    const int n = static_cast<int>(m_context.registry->cards().size());
    head->addWidget(widgets::makeLabel(tr("%n paper(s)", nullptr, n), Type::Body, Color::Text2, holder));
    head->addStretch(1);
    QStringList domains{QString()};
    for (const api::RecipeCard& card : m_context.registry->cards())
        for (const std::string& domain : card.domains)
            if (!domains.contains(text(domain))) domains << text(domain);
    auto* group = new QButtonGroup(this);
    for (const QString& domain : domains) {
        auto* chip = new widgets::Chip(domain.isEmpty() ? tr("all") : domain, widgets::Chip::Kind::Toggle, holder);
        group->addButton(chip);
        chip->setChecked(domain.isEmpty());
        connect(chip, &QAbstractButton::toggled, this, [this, domain](bool isOn) {
            if (!isOn) return;
            m_domain = domain;
            applyFilter();
        });
        head->addWidget(chip);
        m_domains << chip;
    }
    m_search = new widgets::FilterField(tr("Search"), QStringLiteral("search"), false, holder);
    m_search->setFixedWidth(150);
    head->addWidget(m_search);
    layout->addLayout(head);

    makeTable(holder);
    layout->addWidget(m_table, 1);
    fillRecipes();
    const auto markCurrent = [this] {
        const QModelIndexList found = m_filtered->match(m_filtered->index(0, 0), kIdRole, m_context.selection->currentRecipe(), 1, Qt::MatchExactly);
        if (!found.isEmpty() && m_table->currentIndex().row() != found.front().row()) m_table->setCurrentIndex(found.front());
    };
    connect(m_context.selection, &Selection::currentRecipeChanged, this, markCurrent);
    markCurrent();
    connect(m_search, &widgets::FilterField::filterChanged, this, &EmptyPage::applyFilter);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& index) {
        if (index.isValid()) m_context.selection->setCurrentRecipe(index.siblingAtColumn(0).data(kIdRole).toString());
    });
    connect(m_table, &QTreeView::activated, this, [this](const QModelIndex& index) {
        m_context.commands->newRun(index.siblingAtColumn(0).data(kIdRole).toString());
    });
    return holder;
}

void EmptyPage::fillRecipes() {
    QFont bold;
    bold.setBold(true);
    for (const api::RecipeCard& card : m_context.registry->cards()) {
        const QString cells[kColumns] = {text(card.id).section(u'-', 0, 0), text(card.name), text(card.title), joined(card.kinds),
                                         joined(card.domains), card.deskTime.empty() ? QStringLiteral("–") : text(card.deskTime)};
        QList<QStandardItem*> row;
        for (const QString& cell : cells) row << new QStandardItem(cell);
        row[kRecipe]->setFont(bold);
        row[kDeskTime]->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
        row[kPaper]->setToolTip(text(card.title));
        QStringList domains;
        for (const std::string& domain : card.domains) domains << text(domain);
        row[0]->setData(text(card.id), kIdRole);
        row[0]->setData(domains, kDomainsRole);
        m_model->appendRow(row);
    }
}

void EmptyPage::applyFilter() {
    auto* filtered = static_cast<DomainFilter*>(m_filtered);
    filtered->domain = m_domain;
    filtered->typed = m_search->text().trimmed();
    filtered->refresh();
}

void EmptyPage::resizeEvent(QResizeEvent*) {
    m_table->setColumnHidden(kDomain, width() < 760);
    m_table->setColumnHidden(kKind, width() < 620);
}

}  // namespace espalier::app
