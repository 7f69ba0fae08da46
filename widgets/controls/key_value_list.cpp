#include "widgets/controls/key_value_list.h"

#include <QApplication>
#include <QClipboard>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/metrics.h"

namespace espalier::widgets {

namespace {
constexpr int kNoteGap = 12;  ///< more before a column of notes than before a unit
int rowHeight() { return theme().scaled(metrics::kRowKeyValue); }
}  // namespace

KeyValueList::KeyValueList(QWidget* parent) : QWidget(parent), m_keyWidth(metrics::kKeyColumn) {
    setFocusPolicy(Qt::TabFocus);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
}

void KeyValueList::setRows(QVector<KeyValue> rows) {
    m_rows = std::move(rows);
    m_current = std::min<int>(m_current, static_cast<int>(m_rows.size()) - 1);
    QStringList spoken;
    for (const KeyValue& row : m_rows) spoken << row.key + u' ' + row.value;
    setAccessibleDescription(spoken.join(QStringLiteral(", ")));
    layOut();
    update();
}

void KeyValueList::setKeyWidth(int width) {
    m_keyWidth = width;
    layOut();
    update();
}

// A sentence that is too long for its line goes on in the next one.
void KeyValueList::layOut() {
    const QFontMetrics metrics(theme().font(Type::Body));
    const int room = width() - m_keyWidth;
    QVector<int> tops{0};
    for (const KeyValue& row : m_rows) {
        int height = rowHeight();
        const bool canWrap = !row.isNumber && !row.isMono && row.value.contains(u' ');
        if (canWrap && room > 0 && metrics.horizontalAdvance(row.value) > room) {
            const int words = metrics.boundingRect(QRect(0, 0, room, 0), Qt::TextWordWrap, row.value).height();
            height += std::max(0, words - metrics.height());
        }
        tops.append(tops.back() + height);
    }
    if (tops == m_tops) return;
    m_tops = tops;
    updateGeometry();
}

QRect KeyValueList::rowRect(int row) const { return {0, m_tops[row], width(), m_tops[row + 1] - m_tops[row]}; }

QSize KeyValueList::sizeHint() const { return {200, m_tops.back()}; }
QSize KeyValueList::minimumSizeHint() const { return {80, sizeHint().height()}; }

void KeyValueList::resizeEvent(QResizeEvent*) { layOut(); }

void KeyValueList::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) layOut();
}

int KeyValueList::rowAt(const QPoint& position) const {
    const auto after = std::upper_bound(m_tops.begin(), m_tops.end(), position.y());
    const auto row = static_cast<int>(after - m_tops.begin()) - 1;
    return row >= 0 && row < m_rows.size() ? row : -1;
}

// Notes behind numbers are a column of their own.
int KeyValueList::noteRoom(const KeyValue& row) const {
    const QFontMetrics metrics(theme().font(Type::Caption));
    const auto roomOf = [&](const KeyValue& one) { return one.note.isEmpty() ? 0 : metrics.horizontalAdvance(one.note) + 6; };
    if (!row.isNumber || !row.isNoteAtRight) return roomOf(row);
    int most = 0;
    for (const KeyValue& one : m_rows)
        if (one.isNumber && one.isNoteAtRight) most = std::max(most, roomOf(one) + kNoteGap);
    return most;
}

int KeyValueList::valueEdge(int row) const { return m_rows[row].isNumber ? width() - noteRoom(m_rows[row]) : -1; }

void KeyValueList::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    Theme& look = theme();
    for (int i = 0; i < m_rows.size(); ++i) {
        const KeyValue& row = m_rows[i];
        const QRect whole = rowRect(i);
        if (i == m_current && showsFocus(this)) painter.fillRect(whole, look.color(Color::Hover));
        const QRect line(0, whole.y(), width(), rowHeight());
        painter.setFont(look.font(Type::Body));
        painter.setPen(look.color(Color::Text2));
        const int keyRoom = std::min(m_keyWidth, width()) - 8;
        painter.drawText(line.adjusted(0, 0, 0, 0).intersected(QRect(0, line.y(), keyRoom, line.height())),
                         Qt::AlignVCenter | Qt::AlignLeft, painter.fontMetrics().elidedText(row.key, Qt::ElideRight, keyRoom));
        QRect rest = line.adjusted(m_keyWidth, 0, 0, 0);
        if (rest.width() <= 0) continue;
        QFont valueFont = look.font(row.isMono ? Type::Mono : row.isBold ? Type::BodyStrong : Type::Body);
        QFontMetrics valueMetrics(valueFont);
        const bool hasNoteColumn = row.isNumber && row.isNoteAtRight;
        int noteRoom = this->noteRoom(row);
        // The note gives way before the value is cut; where it said "changed" the strong value says it.
        if (noteRoom > 0 && noteRoom + valueMetrics.horizontalAdvance(row.value) > rest.width()) {
            noteRoom = 0;
            if (row.isNoteAtRight) valueFont = look.font(Type::BodyStrong);
            valueMetrics = QFontMetrics(valueFont);
        }
        if (whole.height() > line.height()) {
            const int above = (rowHeight() - valueMetrics.height()) / 2;
            painter.setFont(valueFont);
            painter.setPen(look.color(Color::Text));
            painter.drawText(QRect(rest.x(), line.y() + above, rest.width(), whole.height()), Qt::TextWordWrap | Qt::AlignLeft, row.value);
            continue;
        }
        const int valueRoom = rest.width() - noteRoom;
        const QString value = valueMetrics.elidedText(row.value, row.isMono ? Qt::ElideMiddle : Qt::ElideRight, valueRoom);
        const int valueWidth = valueMetrics.horizontalAdvance(value);
        const int valueX = row.isNumber ? rest.right() + 1 - noteRoom - valueWidth : rest.x();
        painter.setFont(valueFont);
        painter.setPen(look.color(Color::Text));
        painter.drawText(QRect(valueX, line.y(), valueRoom, line.height()), Qt::AlignVCenter | Qt::AlignLeft, value);
        if (noteRoom == 0) continue;
        painter.setFont(look.font(Type::Caption));
        painter.setPen(look.color(Color::Text3));
        const int noteX = row.isNoteAtRight ? rest.right() + 1 - noteRoom + 6 : valueX + valueWidth + 6;
        painter.drawText(QRect(noteX, line.y(), noteRoom - (hasNoteColumn ? 6 : 0), line.height()),
                         Qt::AlignVCenter | (hasNoteColumn ? Qt::AlignRight : Qt::AlignLeft), row.note);
    }
}

void KeyValueList::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy) && m_current >= 0) {
        QApplication::clipboard()->setText(m_rows[m_current].value);
    } else if (event->key() == Qt::Key_Down || event->key() == Qt::Key_Up) {
        const int step = event->key() == Qt::Key_Down ? 1 : -1;
        m_current = std::clamp<int>(m_current + step, 0, std::max<int>(0, static_cast<int>(m_rows.size()) - 1));
        update();
    } else {
        QWidget::keyPressEvent(event);
    }
}

void KeyValueList::mousePressEvent(QMouseEvent* event) {
    m_current = rowAt(event->position().toPoint());
    setFocus(Qt::MouseFocusReason);
    update();
}

void KeyValueList::mouseDoubleClickEvent(QMouseEvent* event) {
    if (const int row = rowAt(event->position().toPoint()); row >= 0) Q_EMIT rowDoubleClicked(row);
}

bool KeyValueList::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    auto* help = static_cast<QHelpEvent*>(event);
    const int index = rowAt(help->pos());
    if (index < 0) return true;
    const KeyValue& row = m_rows[index];
    const QString tip = row.toolTip.isEmpty() ? row.key + QStringLiteral("  ") + row.value : row.toolTip;
    QToolTip::showText(help->globalPos(), tip, this);
    return true;
}

Reading::Reading(const QString& caption, QWidget* parent) : QWidget(parent), m_caption(caption) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void Reading::setCaption(const QString& caption) {
    m_caption = caption;
    update();
}
void Reading::setValue(const QString& value) {
    m_value = value;
    setAccessibleName(m_caption + u' ' + value);
    update();
}
void Reading::setDetail(const QString& detail, Color role) {
    m_detail = detail;
    m_detailRole = role;
    update();
}

QSize Reading::sizeHint() const { return {theme().scaled(104), 2 * theme().lineHeight(Type::Caption) + theme().lineHeight(Type::Figure)}; }
QSize Reading::minimumSizeHint() const { return {72, sizeHint().height()}; }

void Reading::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    Theme& look = theme();
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text2));
    const QFontMetrics small = painter.fontMetrics();
    const int line = look.lineHeight(Type::Caption), figure = look.lineHeight(Type::Figure);
    painter.drawText(QRect(0, 0, width(), line), Qt::AlignVCenter, small.elidedText(m_caption, Qt::ElideRight, width()));
    painter.setPen(look.color(m_detailRole));
    painter.drawText(QRect(0, line + figure, width(), line), Qt::AlignVCenter, small.elidedText(m_detail, Qt::ElideRight, width()));
    painter.setFont(look.font(Type::Figure));
    painter.setPen(look.color(Color::Text));
    painter.drawText(QRect(0, line, width(), figure), Qt::AlignVCenter, m_value);
}

}  // namespace espalier::widgets
