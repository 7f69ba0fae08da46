#include "widgets/plot/method_legend.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

#include "widgets/controls/paint_help.h"
#include "widgets/plot/tradeoff_scatter.h"

namespace espalier::widgets {
namespace {

constexpr int kMark = 10, kMarkGap = 5, kGap = 12, kHeight = 20;

int widthOf(const MethodLegend::Entry& entry) { return kMark + kMarkGap + QFontMetrics(theme().font(Type::Body)).horizontalAdvance(entry.look.label); }

}  // namespace

MethodLegend::MethodLegend(bool isClickable, QWidget* parent) : QWidget(parent), m_isClickable(isClickable) {
    if (isClickable) setFocusPolicy(Qt::TabFocus);
    if (isClickable) setCursor(Qt::PointingHandCursor);
    setFixedHeight(kHeight);
    setAccessibleName(tr("Legend"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void MethodLegend::setEntries(QVector<Entry> entries) {
    m_entries = std::move(entries);
    m_current = std::clamp(m_current, 0, std::max(0, static_cast<int>(m_entries.size()) - 1));
    updateGeometry();
    update();
}

QSize MethodLegend::sizeHint() const {
    int wide = 2;
    for (const Entry& entry : m_entries) wide += widthOf(entry) + kGap;
    return {std::max(0, wide - kGap), kHeight};
}

QRect MethodLegend::entryRect(int index) const {
    int right = width() - 1;
    for (int i = static_cast<int>(m_entries.size()) - 1; i >= 0; --i) {
        const int wide = widthOf(m_entries[i]);
        if (i == index) return {right - wide, 0, wide, kHeight};
        right -= wide + kGap;
    }
    return {};
}

void MethodLegend::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    painter.setFont(look.font(Type::Body));
    for (int i = 0; i < m_entries.size(); ++i) {
        const QRect place = entryRect(i);
        if (place.left() < -1) continue;
        MethodLook mark = m_entries[i].look;
        if (!mark.color.isValid()) mark.color = look.color(Color::Text3);
        if (m_entries[i].isHidden) mark.color = look.color(Color::Disabled);
        paintMarker(painter, QPointF(place.left() + kMark / 2.0, place.center().y() + 1), mark, look.color(Color::Well));
        painter.setPen(look.color(m_entries[i].isHidden ? Color::Disabled : Color::Text2));
        painter.drawText(place.adjusted(kMark + kMarkGap, 0, 2, 0), Qt::AlignLeft | Qt::AlignVCenter, m_entries[i].look.label);
        if (showsFocus(this) && i == m_current) paintFocus(painter, place.adjusted(-3, 0, 3, 0), metrics::kRadius);
    }
}

void MethodLegend::toggle(int index) {
    if (!m_isClickable || index < 0 || index >= m_entries.size()) return;
    m_entries[index].isHidden = !m_entries[index].isHidden;
    m_current = index;
    update();
    Q_EMIT toggled(m_entries[index].key, m_entries[index].isHidden);
}

int MethodLegend::indexAt(const QPoint& position) const {
    for (int i = 0; i < m_entries.size(); ++i)
        if (entryRect(i).adjusted(-4, 0, 4, 0).contains(position)) return i;
    return -1;
}

void MethodLegend::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) toggle(indexAt(event->pos()));
}

void MethodLegend::mouseDoubleClickEvent(QMouseEvent* event) {
    const int index = indexAt(event->pos());
    if (!m_isClickable || event->button() != Qt::LeftButton || index < 0) return;
    toggle(index);  // takes the first click back
    Q_EMIT isolated(m_entries[index].key);
}

void MethodLegend::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
    case Qt::Key_Left: m_current = std::max(0, m_current - 1); return update();
    case Qt::Key_Right: m_current = std::min(static_cast<int>(m_entries.size()) - 1, m_current + 1); return update();
    case Qt::Key_Space: return toggle(m_current);
    case Qt::Key_Return: case Qt::Key_Enter:
        if (m_isClickable && m_current < m_entries.size()) Q_EMIT isolated(m_entries[m_current].key);
        return;
    default: QWidget::keyPressEvent(event);
    }
}

}  // namespace espalier::widgets
