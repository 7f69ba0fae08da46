#include "widgets/plot/chart_legend.h"

#include "widgets/theme/metrics.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace espalier::widgets {
namespace {

constexpr int kSample = 14, kInner = 5, kGap = 14, kMoreWidth = 26;

int widthOf(const LegendEntry& entry, int valueWidth) {
    const QFontMetrics names(theme().font(Type::Caption));
    return kSample + kInner + names.horizontalAdvance(entry.label) + (valueWidth > 0 ? kInner + valueWidth : 0);
}

QFont valueFont() {
    QFont font = theme().font(Type::Caption);
    font.setWeight(QFont::Medium);
    return font;
}

void paintEntry(QPainter& painter, const QRect& rect, const LegendEntry& entry, const ChartLook& look) {
    const double middle = rect.center().y() + 0.5;
    QColor color = entry.isVisible ? look.runColor(entry.colorIndex) : look.color(Color::Disabled);
    if (entry.isVisible) color.setAlphaF(static_cast<float>(entry.opacity));
    QPen pen(color, entry.stroke == StrokeKind::Dotted ? 1.5 : 2);
    setDash(pen, entry.stroke == StrokeKind::Dashed ? QVector<qreal>{5, 2} : look.runDash(entry.colorIndex));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(pen);
    painter.drawLine(QPointF(rect.left(), middle), QPointF(rect.left() + kSample, middle));
    if (entry.stroke == StrokeKind::Dotted) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        painter.drawEllipse(QPointF(rect.left() + kSample / 2.0, middle), 2.75, 2.75);
    }
    const QRect text = rect.adjusted(kSample + kInner, 0, 0, 0);
    painter.setFont(theme().font(Type::Caption));
    painter.setPen(look.color(entry.isVisible ? Color::Text2 : Color::Text3));
    painter.drawText(text, Qt::AlignVCenter | Qt::AlignLeft, entry.label);
    if (!entry.isVisible) {  // hidden is said by more than a colour
        const int width = painter.fontMetrics().horizontalAdvance(entry.label);
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.drawLine(text.left(), rect.center().y() + 1, text.left() + width, rect.center().y() + 1);
    }
    painter.setFont(valueFont());
    painter.setPen(look.color(entry.isVisible ? Color::Text : Color::Text3));
    painter.drawText(text, Qt::AlignVCenter | Qt::AlignRight, entry.value);
}

}  // namespace

ChartLegend::ChartLegend(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    setAccessibleName(tr("Legend"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void ChartLegend::setEntries(QVector<LegendEntry> entries) {
    const bool isSame = std::equal(entries.begin(), entries.end(), m_entries.begin(), m_entries.end(),
                                   [](const auto& a, const auto& b) { return a.id == b.id; });
    m_entries = std::move(entries);
    if (!isSame) m_valueWidths.fill(0, m_entries.size());
    m_current = std::clamp<int>(m_current, 0, std::max<int>(0, static_cast<int>(m_entries.size()) - 1));
    QStringList values;
    for (const LegendEntry& entry : m_entries) values += entry.value;
    setValues(values);
    updateGeometry();
    update();
}

void ChartLegend::setValues(const QStringList& values) {
    const QFontMetrics metrics(valueFont());
    bool isWider = false;
    QStringList description;
    for (int i = 0; i < m_entries.size() && i < values.size(); ++i) {
        m_entries[i].value = values[i];
        const int width = metrics.horizontalAdvance(values[i]);
        if (width > m_valueWidths[i]) {
            m_valueWidths[i] = width;
            isWider = true;
        }
        description += m_entries[i].label + u' ' + values[i];
    }
    if (isWider) updateGeometry();
    setAccessibleDescription(description.join(QStringLiteral(", ")));
    update();
}

void ChartLegend::setStrokes(const QVector<StrokeKind>& strokes) {
    bool isChanged = false;
    for (qsizetype i = 0; i < m_entries.size() && i < strokes.size(); ++i) {
        isChanged |= m_entries[i].stroke != strokes[i];
        m_entries[i].stroke = strokes[i];
    }
    if (isChanged) update();
}

QVector<QRect> ChartLegend::paintEntries(QPainter* painter, const QRect& rect, const QVector<LegendEntry>& entries,
                                         const QVector<int>& valueWidths, const ChartLook& look) {
    QVector<int> widths;
    int total = 0;
    for (int i = 0; i < entries.size(); ++i) {
        widths += widthOf(entries[i], valueWidths.value(i));
        total += widths.back() + (i > 0 ? kGap : 0);
    }
    int shown = static_cast<int>(entries.size());
    while (shown > 0 && total > rect.width() - (shown < entries.size() ? kMoreWidth : 0)) {
        --shown;
        total -= widths[shown] + (shown > 0 ? kGap : 0);
    }
    const int hidden = static_cast<int>(entries.size()) - shown;
    QVector<QRect> rects(entries.size());
    int x = rect.right() + 1 - total - (hidden > 0 ? kMoreWidth : 0);
    for (int i = 0; i < shown; ++i) {
        rects[i] = QRect(x, rect.top(), widths[i], rect.height());
        if (painter) paintEntry(*painter, rects[i], entries[i], look);
        x += widths[i] + kGap;
    }
    if (hidden > 0 && painter) {
        painter->setFont(theme().font(Type::Caption));
        painter->setPen(look.color(Color::Text3));
        painter->drawText(rect, Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("+%1").arg(hidden));
    }
    return rects;
}

QRect ChartLegend::entryRect(int index) const {
    return paintEntries(nullptr, rect(), m_entries, m_valueWidths, ChartLook::ofTheme()).value(index);
}

QSize ChartLegend::sizeHint() const {
    int width = 0;
    for (int i = 0; i < m_entries.size(); ++i) width += widthOf(m_entries[i], m_valueWidths.value(i)) + (i > 0 ? kGap : 0);
    return {width, metrics::kChartHeader - 2};
}

// The first line always shows; the others may be counted.
QSize ChartLegend::minimumSizeHint() const {
    if (m_entries.isEmpty()) return {0, metrics::kChartHeader - 2};
    const int first = widthOf(m_entries.front(), m_valueWidths.value(0));
    return {first + (m_entries.size() > 1 ? kMoreWidth : 0), metrics::kChartHeader - 2};
}

void ChartLegend::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const auto rects = paintEntries(&painter, rect(), m_entries, m_valueWidths, ChartLook::ofTheme());
    if (hasFocus() && !rects.value(m_current).isEmpty()) {
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme().color(Color::Focus), 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(rects[m_current]).adjusted(-3, 2, 3, -2), metrics::kRadiusBadge, metrics::kRadiusBadge);
    }
}

int ChartLegend::indexAt(const QPoint& position) const {
    for (int i = 0; i < m_entries.size(); ++i)
        if (entryRect(i).adjusted(-4, 0, 4, 0).contains(position)) return i;
    return -1;
}

void ChartLegend::mousePressEvent(QMouseEvent* event) {
    const int index = indexAt(event->pos());
    if (event->button() != Qt::LeftButton || index < 0) return QWidget::mousePressEvent(event);
    m_current = index;
    Q_EMIT toggled(m_entries[index].id);
}

// The first press of a double click has toggled already; isolating sets every line, so nothing is left over.
void ChartLegend::mouseDoubleClickEvent(QMouseEvent* event) {
    const int index = indexAt(event->pos());
    if (event->button() == Qt::LeftButton && index >= 0) Q_EMIT isolated(m_entries[index].id);
}

void ChartLegend::keyPressEvent(QKeyEvent* event) {
    const int count = static_cast<int>(m_entries.size());
    if (count == 0) return QWidget::keyPressEvent(event);
    switch (event->key()) {
        case Qt::Key_Left: m_current = (m_current + count - 1) % count; break;
        case Qt::Key_Right: m_current = (m_current + 1) % count; break;
        case Qt::Key_Space: Q_EMIT toggled(m_entries[m_current].id); break;
        case Qt::Key_Return:
        case Qt::Key_Enter: Q_EMIT isolated(m_entries[m_current].id); break;
        default: return QWidget::keyPressEvent(event);
    }
    update();
}

void ChartLegend::focusInEvent(QFocusEvent* event) {
    QWidget::focusInEvent(event);
    update();
}

bool ChartLegend::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const int index = indexAt(help->pos());
        QStringList lines;
        if (index >= 0) {
            lines += m_entries[index].toolTip.isEmpty() ? m_entries[index].label : m_entries[index].toolTip;
            lines += tr("Click hides, double click shows this run alone");
        } else {
            for (int i = 0; i < m_entries.size(); ++i)
                if (entryRect(i).isEmpty()) lines += m_entries[i].label + u' ' + m_entries[i].value;
        }
        QToolTip::showText(help->globalPos(), lines.join(u'\n'), this);
        return true;
    }
    return QWidget::event(event);
}

}  // namespace espalier::widgets
