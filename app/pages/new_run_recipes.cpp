#include "app/pages/new_run_recipes.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QListView>
#include <QPainter>
#include <QScrollBar>
#include <QStandardItemModel>
#include <QVBoxLayout>

#include <algorithm>

#include "app/pages/new_run_target.h"
#include "widgets/controls/chip.h"
#include "widgets/controls/controls.h"
#include "widgets/controls/filter_field.h"
#include "widgets/controls/flow_layout.h"
#include "widgets/table/row_delegates.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"

namespace espalier::app {

using namespace widgets;
using format::text;

namespace {

enum Role { kIdRole = Qt::UserRole + 1, kKindsRole, kTimeRole };

QString joined(const std::vector<std::string>& words) {
    QStringList list;
    for (const std::string& word : words) list << text(word);
    return list.join(QStringLiteral(", "));
}

// Two lines of 40 px: number and name, kinds below, measured desk time at the right.
class RecipeDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const override { return {200, metrics::kRowTwoLine}; }
    void paint(QPainter* painter, const QStyleOptionViewItem& given, const QModelIndex& index) const override {
        painter->save();
        // The recipe whose form stands beside the list is chosen wherever the keyboard is.
        QStyleOptionViewItem option = given;
        option.state |= QStyle::State_Active;
        const RowInk ink = paintRowGround(*painter, option);
        const Theme& look = theme();
        const QRect row = option.rect.adjusted(12, 4, -12, -4);
        const QRect top(row.x(), row.y(), row.width(), 16), below(row.x() + 22, row.y() + 16, row.width() - 22, 16);
        painter->setFont(look.font(Type::Body));
        painter->setPen(ink.text2);
        painter->drawText(top, Qt::AlignVCenter | Qt::AlignLeft, index.data(kIdRole).toString().section(u'-', 0, 0));
        painter->drawText(top, Qt::AlignVCenter | Qt::AlignRight, index.data(kTimeRole).toString());
        painter->setFont(look.font(option.state & QStyle::State_Selected ? Type::BodyStrong : Type::Body));
        painter->setPen(ink.text);
        painter->drawText(top.adjusted(22, 0, -44, 0), Qt::AlignVCenter | Qt::AlignLeft,
                          format::elideName(painter->fontMetrics(), index.data().toString(), top.width() - 66));
        painter->setFont(look.font(Type::Caption));
        painter->setPen(ink.text2);
        painter->drawText(below, Qt::AlignVCenter | Qt::AlignLeft,
                          format::elideSentence(painter->fontMetrics(), index.data(kKindsRole).toString(), below.width()));
        painter->restore();
    }
};

}  // namespace

RecipeList::RecipeList(AppContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
    const auto& cards = context.registry->cards();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 10, 0, 0);
    column->setSpacing(0);
    m_search = new FilterField(cards.size() == 1 ? tr("Search 1 recipe") : tr("Search %1 recipes").arg(cards.size()), QStringLiteral("search"), false, this);
    auto* top = new QVBoxLayout;
    top->setContentsMargins(12, 0, 12, 0);
    top->setSpacing(8);
    top->addWidget(m_search);
    auto* chipHolder = new QWidget(this);
    auto* chips = new FlowLayout(chipHolder, 4);
    chips->setContentsMargins(0, 0, 0, 0);
    QStringList domains;
    for (const api::RecipeCard& card : cards)
        for (const std::string& domain : card.domains)
            if (!domains.contains(text(domain))) domains << text(domain);
    for (const QString& domain : domains) {
        auto* chip = new Chip(domain, Chip::Kind::Toggle, chipHolder);
        chips->addWidget(chip);
        m_chips << chip;
        connect(chip, &Chip::toggled, this, [this, chip](bool isOn) {
            if (isOn)
                for (Chip* other : m_chips)
                    if (other != chip) other->setChecked(false);
            if (isOn) m_domain = chip->text();
            else if (m_domain == chip->text()) m_domain.clear();
            refill();
        });
    }
    top->addWidget(chipHolder);
    auto* line = new QHBoxLayout;
    m_count = makeLabel({}, Type::Caption, Color::Text2, this);
    line->addWidget(m_count);
    line->addStretch(1);
    line->addWidget(makeLabel(tr("desk time"), Type::Caption, Color::Text2, this));
    top->addLayout(line);
    column->addLayout(top);
    column->addSpacing(4);
    m_view = new QListView(this);
    m_model = new QStandardItemModel(this);
    m_view->setModel(m_model);
    m_view->setItemDelegate(new RecipeDelegate(m_view));
    m_view->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_view->setUniformItemSizes(true);
    m_view->setMouseTracking(true);
    m_view->setAccessibleName(tr("Recipes"));
    column->addWidget(m_view, 1);
    connect(m_search, &FilterField::filterChanged, this, &RecipeList::refill);
    connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
        if (!m_isFilling && index.isValid()) Q_EMIT chosen(index.data(kIdRole).toString());
    });
    refill();
}

QString RecipeList::current() const { return m_view->currentIndex().data(kIdRole).toString(); }

void RecipeList::setCurrent(const QString& recipe) {
    const api::RecipeCard* card = m_context.registry->find(recipe.toStdString());
    if (!card) return;
    for (int row = 0; row < m_model->rowCount(); ++row)
        if (m_model->item(row)->data(kIdRole).toString() == text(card->id)) return m_view->setCurrentIndex(m_model->index(row, 0));
}

void RecipeList::setDataKind(const QString& kind) {
    m_kind = kind;
    int fits = 0;
    const auto& cards = m_context.registry->cards();
    for (const api::RecipeCard& card : cards)
        fits += std::any_of(card.accepts.begin(), card.accepts.end(), [&](api::DatasetKind each) { return kind == QLatin1String(datasetKindName(each)); }) ? 1 : 0;
    m_count->setText(kind.isEmpty() ? tr("%1 recipes").arg(cards.size()) : fits == 1 ? tr("1 fits this data") : tr("%1 fit this data").arg(fits));
}

void RecipeList::refill() {
    const QString before = current(), typed = m_search->text().trimmed();
    m_isFilling = true;
    m_model->clear();
    for (const api::RecipeCard& card : m_context.registry->cards()) {
        const QString kinds = joined(card.domains) + QStringLiteral(", ") + joined(card.kinds);
        const QString all = text(card.id) + u' ' + text(card.name) + u' ' + text(card.title) + u' ' + kinds + u' ' + text(card.paperLink);
        if (!m_domain.isEmpty() && std::find(card.domains.begin(), card.domains.end(), m_domain.toStdString()) == card.domains.end()) continue;
        if (!typed.isEmpty() && !all.contains(typed, Qt::CaseInsensitive)) continue;
        auto* item = new QStandardItem(text(card.name));
        item->setData(text(card.id), kIdRole);
        item->setData(kinds, kKindsRole);
        item->setData(text(card.deskTime), kTimeRole);
        item->setToolTip(text(card.title));
        m_model->appendRow(item);
        if (text(card.id) == before) m_view->setCurrentIndex(m_model->indexFromItem(item));
    }
    m_isFilling = false;
}

}  // namespace espalier::app
