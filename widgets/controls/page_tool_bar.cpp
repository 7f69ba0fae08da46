#include "widgets/controls/page_tool_bar.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QPainter>

#include <algorithm>
#include <utility>

#include "widgets/controls/controls.h"
#include "widgets/theme/metrics.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {

PageToolBar::PageToolBar(QWidget* parent) : QWidget(parent), m_layout(new QHBoxLayout(this)) {
    setTextHeight(this, metrics::kPageToolBar);
    m_layout->setContentsMargins(metrics::kToolBarPadding, 0, metrics::kToolBarPadding, 1);
    m_layout->setSpacing(metrics::kToolBarGap);
    m_layout->setSizeConstraint(QLayout::SetNoConstraint);  // too narrow means dropping, not growing
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
}

void PageToolBar::add(QWidget* widget) { addDroppable(widget, 0); }

void PageToolBar::addDroppable(QWidget* widget, int dropOrder) {
    m_layout->addWidget(widget, 0, Qt::AlignVCenter);
    m_items.append({widget, dropOrder, true});
}

void PageToolBar::addSeparator() {
    QWidget* line = makeLine(Qt::Vertical, this);
    line->setFixedHeight(16);
    add(line);
    m_items.last().isSeparator = true;
}

void PageToolBar::addStretch() { m_layout->addStretch(1); }

void PageToolBar::setWanted(QWidget* widget, bool isWanted) {
    for (Item& item : m_items)
        if (item.widget == widget) item.isWanted = isWanted;
    fit();
}

void PageToolBar::endTitle() {
    for (Item& item : m_items) item.isTitle = !item.isSeparator;
}

void PageToolBar::setQuiet(bool isQuiet) {
    if (isQuiet == m_isQuiet) return;
    m_isQuiet = isQuiet;
    fit();
}

QSize PageToolBar::minimumSizeHint() const { return {120, metrics::kPageToolBar}; }

int PageToolBar::widthOf(const QList<Item>& items) const {
    int total = 2 * metrics::kToolBarPadding;
    for (const Item& item : items) {
        const int hint = std::max(item.widget->sizeHint().width(), item.widget->minimumWidth());
        total += std::min(hint, item.widget->maximumWidth()) + metrics::kToolBarGap;
    }
    return total;
}

void PageToolBar::fit() {
    if (m_isFitting) return;
    m_isFitting = true;
    QList<Item> kept;
    for (const Item& item : m_items)
        if (item.isWanted && (item.isTitle || !m_isQuiet)) kept.append(item);
    while (widthOf(kept) > width()) {
        int worst = -1;
        for (int i = 0; i < kept.size(); ++i)
            if (kept[i].dropOrder > 0 && (worst < 0 || kept[i].dropOrder > kept[worst].dropOrder)) worst = i;
        if (worst < 0) break;
        kept.removeAt(worst);
    }
    // A line parts two groups: with nothing before it, it parts nothing.
    bool hasTool = false;
    for (qsizetype i = 0; i < kept.size();) {
        if (kept[i].isSeparator && !std::exchange(hasTool, false)) {
            kept.removeAt(i);
            continue;
        }
        hasTool = hasTool || !kept[i].isSeparator;
        ++i;
    }
    for (const Item& item : m_items) {
        const bool isKept = std::any_of(kept.begin(), kept.end(), [&](const Item& k) { return k.widget == item.widget; });
        if (item.widget->isVisibleTo(this) != isKept) item.widget->setVisible(isKept);
    }
    m_isFitting = false;
}

void PageToolBar::resizeEvent(QResizeEvent*) { fit(); }

bool PageToolBar::event(QEvent* event) {
    const bool isHandled = QWidget::event(event);
    if (event->type() == QEvent::LayoutRequest || event->type() == QEvent::Show) fit();
    return isHandled;
}

void PageToolBar::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.fillRect(rect(), theme().color(Color::Panel));
    painter.fillRect(QRect(0, height() - 1, width(), 1), theme().color(Color::Line));
}

}  // namespace espalier::widgets
