#include "app/shell/page_tabs.h"

#include <QFocusEvent>
#include <QHoverEvent>
#include <QPainter>

#include "widgets/controls/controls.h"
#include "widgets/theme/icons.h"
#include "widgets/theme/metrics.h"
#include "widgets/theme/theme.h"

namespace espalier::app {

using widgets::Color;
using widgets::Type;
namespace metrics = widgets::metrics;

PageTabs::PageTabs(QWidget* parent) : QTabBar(parent) {
    setDrawBase(false);
    setFocusPolicy(Qt::TabFocus);
    setExpanding(false);
    setAttribute(Qt::WA_Hover);
    widgets::setTextHeight(this, metrics::kTabBar);
    setAccessibleName(tr("Pages"));
    setUsesScrollButtons(false);
    setElideMode(Qt::ElideNone);
}

void PageTabs::addPage(const QString& iconName, const QString& title) {
    m_icons << iconName;
    addTab(title);
}

QSize PageTabs::tabSizeHint(int index) const {
    // Wide enough for the strong weight, so that nothing moves when a tab becomes active.
    const int text = QFontMetrics(widgets::theme().font(Type::BodyStrong)).horizontalAdvance(tabText(index));
    return {12 + 14 + 8 + text + 12, widgets::theme().scaled(metrics::kTabBar)};
}

void PageTabs::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    widgets::Theme& look = widgets::theme();
    painter.fillRect(rect(), look.color(Color::Panel));
    painter.fillRect(QRect(0, height() - 1, width(), 1), look.color(Color::Line));
    for (int i = 0; i < count(); ++i) {
        const QRect tab = tabRect(i);
        const bool isActive = i == currentIndex();
        if (isActive) {
            painter.fillRect(tab, look.color(Color::Well));
            painter.fillRect(QRect(tab.x(), 0, tab.width(), 2), look.color(Color::Accent));
        } else if (i == m_hovered) {
            painter.fillRect(tab.adjusted(0, 0, 0, -1), look.color(Color::Hover));
        }
        widgets::paintIcon(painter, m_icons.value(i), QRect(tab.x() + 12, (height() - 14) / 2, 14, 14),
                           look.color(isActive ? Color::Text : Color::Text2));
        painter.setFont(look.font(isActive ? Type::BodyStrong : Type::Body));
        painter.setPen(look.color(isActive ? Color::Text : Color::Text2));
        painter.drawText(tab.adjusted(34, 0, -4, 0), Qt::AlignVCenter | Qt::AlignLeft, tabText(i));
        if (isActive && hasFocus() && m_isKeyboardFocus) {
            painter.setPen(QPen(look.color(Color::Focus), 2));
            painter.drawRect(tab.adjusted(3, 4, -3, -4));
        }
    }
}

void PageTabs::focusInEvent(QFocusEvent* event) {
    m_isKeyboardFocus = event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason;
    QTabBar::focusInEvent(event);
}

bool PageTabs::event(QEvent* event) {
    if (event->type() == QEvent::HoverMove || event->type() == QEvent::HoverLeave) {
        const int index = event->type() == QEvent::HoverLeave ? -1 : tabAt(static_cast<QHoverEvent*>(event)->position().toPoint());
        if (index != m_hovered) {
            m_hovered = index;
            update();
        }
    }
    return QTabBar::event(event);
}

}  // namespace espalier::app
