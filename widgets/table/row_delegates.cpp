#include "widgets/table/row_delegates.h"

#include <QAbstractItemView>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

#include "widgets/controls/chip.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"

namespace espalier::widgets {

RowInk paintRowGround(QPainter& painter, const QStyleOptionViewItem& option) {
    Theme& look = theme();
    const bool isSelected = option.state & QStyle::State_Selected;
    const bool isActive = option.state & QStyle::State_Active;
    RowInk ink{look.color(Color::Text), look.color(Color::Text2), look.color(Color::Text3)};
    if (isSelected) {
        painter.fillRect(option.rect, look.color(isActive ? Color::Selection : Color::SelectionInactive));
        if (isActive) ink = {look.color(Color::OnSelection), look.color(Color::OnSelection2), look.color(Color::OnSelection2)};
        ink.isOnContrastSelection = isActive && look.shownKind() == ThemeKind::Contrast;
    } else if (option.state & QStyle::State_MouseOver) {
        painter.fillRect(option.rect, look.color(Color::Hover));
    }
    if ((option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_KeyboardFocusChange)) {
        painter.setPen(QPen(look.color(Color::Focus), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(QRectF(option.rect).adjusted(1, 1, -1, -1));
    }
    return ink;
}

void paintSparkline(QPainter& painter, const QRectF& rect, const std::vector<float>& values, const QColor& color) {
    float low = INFINITY, high = -INFINITY;
    for (const float value : values)
        if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
    if (!(high >= low) || values.size() < 2) return;
    const double span = high > low ? high - low : 1.0;
    QPainterPath path;
    bool isOpen = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!std::isfinite(values[i])) {
            isOpen = false;
            continue;
        }
        const QPointF point(rect.left() + static_cast<double>(i) / static_cast<double>(values.size() - 1) * rect.width(),
                            rect.bottom() - 1 - (values[i] - low) / span * (rect.height() - 2));
        isOpen ? path.lineTo(point) : path.moveTo(point);
        isOpen = true;
    }
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(color, metrics::kLineSpark));
    painter.drawPath(path);
    painter.restore();
}

// A row that changes while its name is typed (a live run) must not put the old name back.
static bool isFirstFill(QWidget* editor) {
    if (editor->property("isFilled").toBool()) return false;
    editor->setProperty("isFilled", true);
    return true;
}

RunRowDelegate::RunRowDelegate(Reader reader, QObject* parent) : QStyledItemDelegate(parent), m_reader(std::move(reader)) {}

QRect RunRowDelegate::swatchRect(const QRect& row) { return {row.x() + 8, row.y(), 18, row.height()}; }

QSize RunRowDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const { return {160, theme().scaled(metrics::kRowTree)}; }

void RunRowDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const RunRowLook run = m_reader(index);
    Theme& look = theme();
    painter->save();
    const RowInk ink = paintRowGround(*painter, option);
    const QRect row = option.rect;
    Swatch::paint(*painter, swatchRect(row), run.colorIndex, run.isShown, ink.isOnContrastSelection);
    const StateLook state = look.stateLook(run.state);
    paintIcon(*painter, state.icon, QRect(row.x() + 31, row.y() + (row.height() - 14) / 2, 14, 14),
              ink.isOnContrastSelection ? ink.text : look.color(state.color));
    painter->setFont(look.font(Type::Body));
    const QFontMetrics body = painter->fontMetrics();
    int right = row.right() + 1 - 12;
    painter->setPen(ink.text2);
    const int valueWidth = std::max(38, body.horizontalAdvance(run.value));
    painter->drawText(QRect(right - valueWidth, row.y(), valueWidth, row.height()), Qt::AlignVCenter | Qt::AlignRight, run.value);
    right -= valueWidth + 8;
    const int nameX = row.x() + 52;
    // A column goes before a name is cut.
    const int nameRoom = right - nameX - metrics::kSparkWidth - 6;
    const bool hasRoom = m_isSparkShown && row.width() >= 220 && body.horizontalAdvance(run.name) <= nameRoom;
    if (hasRoom) {
        const QRectF spark(right - metrics::kSparkWidth, row.y() + (row.height() - metrics::kSparkHeight) / 2.0,
                           metrics::kSparkWidth, metrics::kSparkHeight);
        if (run.spark.empty())
            Q_EMIT sparkWanted(index);
        else
            paintSparkline(*painter, spark, run.spark, ink.isOnContrastSelection ? ink.text : look.runColor(run.colorIndex));
        right -= metrics::kSparkWidth + 6;
    }
    painter->setPen(ink.text);
    painter->drawText(QRect(nameX, row.y(), right - nameX, row.height()), Qt::AlignVCenter | Qt::AlignLeft,
                      body.elidedText(run.name, Qt::ElideMiddle, right - nameX));
    painter->restore();
}

bool RunRowDelegate::editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem& option,
                                 const QModelIndex& index) {
    if (event->type() == QEvent::MouseButtonPress || event->type() == QEvent::MouseButtonRelease ||
        event->type() == QEvent::MouseButtonDblClick) {
        const auto* mouse = static_cast<QMouseEvent*>(event);
        if (mouse->button() == Qt::LeftButton && swatchRect(option.rect).contains(mouse->position().toPoint())) {
            if (event->type() == QEvent::MouseButtonRelease) Q_EMIT swatchClicked(index);
            return true;
        }
    }
    return QStyledItemDelegate::editorEvent(event, model, option, index);
}

void RunRowDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const {
    if (isFirstFill(editor)) QStyledItemDelegate::setEditorData(editor, index);
}

void RunRowDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex&) const {
    editor->setGeometry(option.rect.adjusted(46, 0, -4, 0));
}

IconRowDelegate::IconRowDelegate(Reader reader, QObject* parent)
    : QStyledItemDelegate(parent), m_reader(std::move(reader)), m_height(metrics::kRowTree) {}

QSize IconRowDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex&) const { return {160, theme().scaled(m_height)}; }

void IconRowDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const IconRowLook row = m_reader(index);
    painter->save();
    const RowInk ink = paintRowGround(*painter, option);
    const QRect rect = option.rect;
    paintIcon(*painter, row.iconName, QRect(rect.x() + 12, rect.y() + (rect.height() - 14) / 2, 14, 14),
              ink.isOnContrastSelection ? ink.text : theme().color(row.iconRole));
    painter->setFont(theme().font(Type::Caption));
    const int trailing = row.trailing.isEmpty() ? 0 : painter->fontMetrics().horizontalAdvance(row.trailing);
    painter->setPen(ink.text3);
    painter->drawText(rect.adjusted(0, 0, -12, 0), Qt::AlignVCenter | Qt::AlignRight, row.trailing);
    painter->setFont(theme().font(Type::Body));
    painter->setPen(ink.text);
    const QRect name = rect.adjusted(32, 0, -12 - (trailing ? trailing + 8 : 0), 0);
    painter->drawText(name, Qt::AlignVCenter | Qt::AlignLeft,
                      painter->fontMetrics().elidedText(row.name, Qt::ElideMiddle, name.width()));
    painter->restore();
}

void IconRowDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const {
    if (isFirstFill(editor)) QStyledItemDelegate::setEditorData(editor, index);
}

void IconRowDelegate::updateEditorGeometry(QWidget* editor, const QStyleOptionViewItem& option, const QModelIndex&) const {
    editor->setGeometry(option.rect.adjusted(26, 0, -4, 0));
}

QSize TableCellDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QString text = index.data().toString();
    return {QFontMetrics(theme().font(Type::Body)).horizontalAdvance(text) + 16, theme().scaled(metrics::kRowTable)};
}

void TableCellDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    painter->save();
    QStyleOptionViewItem cell = option;
    cell.state &= ~QStyle::State_HasFocus;
    const RowInk ink = paintRowGround(*painter, cell);
    if (!(option.state & QStyle::State_Selected))
        painter->fillRect(QRect(option.rect.x(), option.rect.bottom(), option.rect.width(), 1), theme().color(Color::Line));
    const bool isBold = index.data(Qt::FontRole).value<QFont>().bold();
    const bool isFaint = std::find(m_faint.begin(), m_faint.end(), index.column()) != m_faint.end();
    painter->setFont(theme().font(isBold ? Type::BodyStrong : Type::Body));
    painter->setPen(isFaint ? ink.text2 : ink.text);
    const QVariant alignment = index.data(Qt::TextAlignmentRole);
    const int flags = alignment.isValid() ? alignment.toInt() : static_cast<int>(Qt::AlignLeft);
    const QRect room = option.rect.adjusted(8, 0, -8, 0);
    const bool isNumber = flags & Qt::AlignRight;
    const QString text = index.data().toString();
    painter->drawText(room, static_cast<int>(Qt::AlignVCenter) | (isNumber ? Qt::AlignRight : Qt::AlignLeft),
                      isNumber ? text : painter->fontMetrics().elidedText(text, Qt::ElideRight, room.width()));
    painter->restore();
}

}  // namespace espalier::widgets
