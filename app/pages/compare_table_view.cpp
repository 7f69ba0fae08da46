#include "app/pages/compare_table_view.h"

#include "app/pages/compare_table.h"
#include "widgets/controls/chip.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"
#include "widgets/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
#include <QStyledItemDelegate>

#include <algorithm>

namespace espalier::app {

using namespace widgets;

namespace {

constexpr int kNameWidth = 168, kRunMinWidth = 112, kHeader = 26, kSectionHeight = 24;

const CompareRow* rowOf(const QModelIndex& index) {
    return static_cast<const CompareRow*>(index.data(CompareModel::RowRole).value<const void*>());
}

QFont strong(Type type) {
    QFont font = theme().font(type);
    font.setWeight(QFont::DemiBold);
    return font;
}

/// Heads of the columns: swatch, state where it is not plain "completed", short name; all at the right edge.
class RunHeader : public QHeaderView {
public:
    RunHeader(CompareModel* model, QWidget* parent) : QHeaderView(Qt::Horizontal, parent), m_model(model) {
        setFixedHeight(kHeader);
        setSectionsClickable(false);
        setHighlightSections(false);
    }

protected:
    void paintSection(QPainter* painter, const QRect& rect, int section) const override {
        painter->save();
        const Theme& look = theme();
        painter->fillRect(rect, look.color(Color::Well));
        painter->setPen(look.line(Color::Line));
        painter->drawLine(rect.bottomLeft(), rect.bottomRight());
        if (section == 0 || section > m_model->heads().size()) {
            painter->setFont(look.font(Type::Caption));
            painter->setPen(look.color(Color::Text3));
            painter->drawText(rect.adjusted(0, 0, -4, 0), Qt::AlignLeft | Qt::AlignVCenter, m_model->headerData(section, Qt::Horizontal, Qt::DisplayRole).toString());
            painter->restore();
            return;
        }
        const auto& head = m_model->heads()[section - 1];
        painter->setFont(strong(Type::Caption));
        const QFontMetrics metrics = painter->fontMetrics();
        const QString name = format::elideName(metrics, head.shortName, rect.width() - 44);
        const int width = metrics.horizontalAdvance(name);
        painter->setPen(look.color(Color::Text));
        painter->drawText(rect, Qt::AlignRight | Qt::AlignVCenter, name);
        int x = rect.right() + 1 - width - metrics::kSpace6 - metrics::kSwatch;
        Swatch::paint(*painter, QRect(x, rect.center().y() - metrics::kSwatch / 2 + 1, metrics::kSwatch, metrics::kSwatch), head.colorIndex, true, false);
        if (head.state != feed::JobState::Completed) {
            const StateLook state = look.stateLook(head.state);
            x -= metrics::kSpace4 + metrics::kIconInline;
            paintIcon(*painter, state.icon, QRect(x, rect.center().y() - metrics::kIconInline / 2 + 1, metrics::kIconInline, metrics::kIconInline), look.color(state.color));
        }
        painter->restore();
    }

private:
    CompareModel* m_model;
};

/// Cells and sections.
class CompareDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const CompareRow* row = rowOf(index);
        if (!row) return;
        painter->save();
        const Theme& look = theme();
        const bool isSelected = option.state.testFlag(QStyle::State_Selected);
        painter->fillRect(option.rect, look.color(isSelected ? Color::Selection : Color::Well));
        painter->setPen(look.line(Color::Line));
        painter->drawLine(option.rect.bottomLeft(), option.rect.bottomRight());
        if (row->kind == CompareRow::Kind::Section) {
            if (index.column() == 0) paintSection(*painter, option.rect, *row);
        } else if (index.column() == 0) {
            painter->setFont(look.font(Type::Caption));
            painter->setPen(look.color(isSelected ? Color::OnSelection2 : Color::Text2));
            painter->drawText(option.rect, Qt::AlignLeft | Qt::AlignVCenter, format::elideSentence(painter->fontMetrics(), row->name, option.rect.width() - 4));
        } else if (index.column() <= static_cast<int>(row->cells.size())) {
            paintCell(*painter, option.rect, row->cells[static_cast<std::size_t>(index.column()) - 1], row->kind, isSelected);
        }
        painter->restore();
    }

private:
    void paintSection(QPainter& painter, const QRect& rect, const CompareRow& row) const {
        const Theme& look = theme();
        painter.setFont(look.font(Type::CaptionStrong));
        painter.setPen(look.color(Color::Text));
        painter.drawText(rect, Qt::AlignLeft | Qt::AlignVCenter, row.name);
        const int width = painter.fontMetrics().horizontalAdvance(row.name) + metrics::kSpace8;
        painter.setFont(look.font(Type::Caption));
        painter.setPen(look.color(Color::Text3));
        painter.drawText(rect.adjusted(width, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, row.caption);
    }
    void paintCell(QPainter& painter, const QRect& rect, const CompareCell& cell, CompareRow::Kind kind, bool isSelected) const {
        const Theme& look = theme();
        QFont font = look.font(Type::Caption);
        if (cell.isBest) font.setWeight(QFont::DemiBold);
        painter.setFont(font);
        const QString text = format::elideName(painter.fontMetrics(), cell.text, rect.width() - 6);
        const int width = painter.fontMetrics().horizontalAdvance(text);
        const Color plain = kind == CompareRow::Kind::Parameter && cell.isFaint ? Color::Text3 : Color::Text;
        painter.setPen(look.color(isSelected ? Color::OnSelection : plain));
        painter.drawText(rect, Qt::AlignRight | Qt::AlignVCenter, text);
        if (cell.isBest && kind == CompareRow::Kind::Metric) {
            painter.fillRect(QRect(rect.right() + 1 - width, rect.bottom() - 2, width, 2), look.color(Color::Accent));
        }
        if (cell.difference.isEmpty()) return;
        const QRect left = rect.adjusted(0, 0, -width - metrics::kSpace6, 0);
        painter.setFont(look.font(Type::Caption));
        if (painter.fontMetrics().horizontalAdvance(cell.difference) > left.width()) return;  // the number itself goes first
        const Color role = cell.trend == CompareCell::Trend::Better ? Color::Success : cell.trend == CompareCell::Trend::Worse ? Color::Error : Color::Text3;
        painter.setPen(look.color(isSelected ? Color::OnSelection2 : role));
        painter.drawText(left, Qt::AlignRight | Qt::AlignVCenter, cell.difference);
    }
};

}  // namespace

CompareTableView::CompareTableView(QWidget* parent) : QTableView(parent) {
    setFrameShape(QFrame::NoFrame);
    setShowGrid(false);
    setItemDelegate(new CompareDelegate(this));
    verticalHeader()->hide();
    verticalHeader()->setMinimumSectionSize(metrics::kRowDense);
    setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
    setSelectionMode(QAbstractItemView::ContiguousSelection);
    setAccessibleName(tr("Comparison table"));
    connect(&theme(), &Theme::changed, viewport(), qOverload<>(&QWidget::update));
}

void CompareTableView::setCompareModel(CompareModel* model) {
    m_model = model;
    setModel(model);
    setHorizontalHeader(new RunHeader(model, this));
    connect(model, &QAbstractItemModel::modelReset, this, &CompareTableView::fitColumns);
}

void CompareTableView::fitColumns() {
    if (!m_model) return;
    const int runs = static_cast<int>(m_model->heads().size());
    const int room = viewport()->width();
    const int name = room < 700 ? 132 : kNameWidth;
    setColumnWidth(0, name);
    const int each = runs > 0 ? std::clamp((room - name) / runs, kRunMinWidth, 260) : kRunMinWidth;
    // What is left over goes to the names, so that the last column ends at the right edge.
    if (runs > 0 && name + runs * each < room) setColumnWidth(0, room - runs * each);
    for (int i = 1; i <= runs; ++i) setColumnWidth(i, each);
    clearSpans();
    for (int r = 0; r < m_model->rowCount(); ++r) {
        const bool isSection = m_model->rows()[static_cast<std::size_t>(r)].kind == CompareRow::Kind::Section;
        setRowHeight(r, isSection ? kSectionHeight : metrics::kRowDense);
        if (isSection && runs > 0) setSpan(r, 0, 1, runs + 1);
    }
}

int CompareTableView::contentHeight() const {
    int height = kHeader;
    for (int r = 0; m_model && r < m_model->rowCount(); ++r) height += rowHeight(r);
    return height;
}

void CompareTableView::resizeEvent(QResizeEvent* event) {
    QTableView::resizeEvent(event);
    fitColumns();
}

void CompareTableView::keyPressEvent(QKeyEvent* event) {
    if (!event->matches(QKeySequence::Copy) || !m_model) return QTableView::keyPressEvent(event);
    QString text;
    int lastRow = -1;
    QModelIndexList cells = selectedIndexes();
    std::sort(cells.begin(), cells.end());
    for (const QModelIndex& index : cells) {
        if (lastRow >= 0) text += index.row() == lastRow ? u'\t' : u'\n';
        lastRow = index.row();
        const CompareRow& row = m_model->rows()[static_cast<std::size_t>(index.row())];
        text += index.column() == 0 ? row.name : row.cells[static_cast<std::size_t>(index.column()) - 1].copyText;
    }
    QApplication::clipboard()->setText(text);
}

}  // namespace espalier::app
