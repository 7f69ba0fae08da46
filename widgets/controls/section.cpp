#include "widgets/controls/section.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QVBoxLayout>

#include "widgets/controls/controls.h"
#include "widgets/controls/paint_help.h"
#include "widgets/theme/format.h"
#include "widgets/theme/icons.h"

namespace espalier::widgets {

/// The clickable line of a section.
class Section::Header : public QWidget {
public:
    explicit Header(Section* section) : QWidget(section), m_section(section) {
        setTextHeight(this, metrics::kDockHeader);
        setFocusPolicy(Qt::TabFocus);
        actions = new QHBoxLayout(this);
        actions->setContentsMargins(0, 0, 8, 0);
        actions->setSpacing(2);
        actions->addStretch(1);
    }
    QHBoxLayout* actions;

    /// Of the word at the right with the triangle of its order before it.
    QRect trailingRect() const {
        int right = width() - 12;
        for (int i = 0; i < actions->count(); ++i)
            if (QWidget* button = actions->itemAt(i)->widget(); button && button->isVisible()) right = std::min(right, button->x() - 4);
        const int mark = m_section->m_order == Order::None ? 0 : 12;
        const int wide = QFontMetrics(theme().font(Type::Caption)).horizontalAdvance(m_section->m_trailing);
        return {right - wide - (wide > 0 ? mark : 0), 0, wide + (wide > 0 ? mark : 0), height()};
    }

    // The longest way of saying it that fits; whole parts rather than cut words.
    QString countText(const QFontMetrics& metrics, int room) const {
        for (const QString& words : {m_section->m_count, m_section->m_shortCount}) {
            const QString shown = format::fitParts(metrics, words, room);
            if (!shown.isEmpty()) return shown;
        }
        return metrics.elidedText(m_section->m_count, Qt::ElideRight, room);
    }

protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        Theme& look = theme();
        if (m_section->m_hasLine) painter.fillRect(QRect(0, 0, width(), 1), look.color(Color::Line));
        paintIcon(painter, m_section->m_isCollapsed ? QStringLiteral("chevron-right") : QStringLiteral("chevron-down"),
                  QRect(12, (height() - 12) / 2, 12, 12), look.color(Color::Text2));
        const QRect line = rect().adjusted(30, 0, -12, 0);
        painter.setFont(look.font(Type::CaptionStrong));
        painter.setPen(look.color(Color::Text2));
        painter.drawText(line, Qt::AlignVCenter | Qt::AlignLeft, m_section->m_title);
        const int used = painter.fontMetrics().horizontalAdvance(m_section->m_title) + 6;
        painter.setFont(look.font(Type::Caption));
        painter.setPen(look.color(Color::Text3));
        const QFontMetrics small = painter.fontMetrics();
        const QRect trailing = trailingRect();
        const QRect count(line.x() + used, 0, trailing.left() - line.x() - used - (trailing.isEmpty() ? 0 : 8), height());
        if (count.width() > 0)
            painter.drawText(count, Qt::AlignVCenter | Qt::AlignLeft,
                             countText(small, count.width()));
        if (m_section->m_isTrailingButton && m_isOverTrailing) painter.setPen(look.color(Color::Text));
        painter.drawText(trailing, Qt::AlignVCenter | Qt::AlignRight, m_section->m_trailing);
        if (m_section->m_order != Order::None) {
            const bool isUp = m_section->m_order == Order::Ascending;
            const double x = trailing.left() + 4, y = height() / 2.0 + 0.5, tip = isUp ? -2.5 : 2.5;
            painter.setRenderHint(QPainter::Antialiasing);
            painter.setBrush(painter.pen().color());
            painter.setPen(Qt::NoPen);
            painter.drawPolygon(QPolygonF{{x - 3.5, y - tip}, {x + 3.5, y - tip}, {x, y + tip}});
        }
        if (showsFocus(this)) paintFocus(painter, QRectF(rect()).adjusted(2, 3, -2, -1), metrics::kRadius);
    }
    void mousePressEvent(QMouseEvent* event) override {
        if (event->button() != Qt::LeftButton) return;
        if (m_section->m_isTrailingButton && trailingRect().contains(event->pos())) Q_EMIT m_section->trailingClicked();
        else m_section->setCollapsed(!m_section->m_isCollapsed);
    }
    void mouseMoveEvent(QMouseEvent* event) override { setOverTrailing(trailingRect().contains(event->pos())); }
    void leaveEvent(QEvent*) override { setOverTrailing(false); }
    void keyPressEvent(QKeyEvent* event) override {
        if (event->key() == Qt::Key_Space || event->key() == Qt::Key_Return)
            m_section->setCollapsed(!m_section->m_isCollapsed);
        else if (event->key() == Qt::Key_Left)
            m_section->setCollapsed(true);
        else if (event->key() == Qt::Key_Right)
            m_section->setCollapsed(false);
        else
            QWidget::keyPressEvent(event);
    }

private:
    void setOverTrailing(bool isOver) {
        if (isOver == m_isOverTrailing) return;
        m_isOverTrailing = isOver;
        update();
    }
    Section* m_section;
    bool m_isOverTrailing = false;
};

Section::Section(const QString& title, QWidget* parent) : QWidget(parent), m_title(title) {
    m_layout = new QVBoxLayout(this);
    m_layout->setContentsMargins(0, 0, 0, 0);
    m_layout->setSpacing(0);
    m_header = new Header(this);
    m_header->setAccessibleName(title);
    m_layout->addWidget(m_header);
    m_bodyHolder = new QWidget(this);
    m_bodyLayout = new QVBoxLayout(m_bodyHolder);
    m_bodyLayout->setContentsMargins(0, 0, 0, 0);
    m_bodyLayout->setSpacing(0);
    m_layout->addWidget(m_bodyHolder, 1);
}

void Section::setTitle(const QString& title) {
    m_title = title;
    m_header->setAccessibleName(title);
    m_header->update();
}
void Section::setCount(const QString& text, const QString& shorter) {
    m_count = text;
    m_shortCount = shorter;
    m_header->setAccessibleDescription(text);
    m_header->update();
}
void Section::setTrailing(const QString& text) {
    m_trailing = text;
    m_header->update();
}
void Section::setTrailingOrder(Order order) {
    m_isTrailingButton = true;
    m_order = order;
    m_header->setMouseTracking(true);
    m_header->update();
}
QRect Section::trailingRect() const { return m_header->trailingRect().translated(m_header->pos()); }
void Section::addAction(QWidget* button) { m_header->actions->addWidget(button, 0, Qt::AlignVCenter); }

void Section::setBody(QWidget* body) {
    if (m_body) m_body->deleteLater();
    m_body = body;
    if (body) m_bodyLayout->addWidget(body);
}

void Section::setBodyMargins(int left, int top, int right, int bottom) {
    m_bodyLayout->setContentsMargins(left, top, right, bottom);
}

void Section::setCollapsed(bool isCollapsed) {
    if (isCollapsed == m_isCollapsed) return;
    m_isCollapsed = isCollapsed;
    m_bodyHolder->setVisible(!isCollapsed);
    m_header->update();
    Q_EMIT collapsedChanged(isCollapsed);
}

ChartHeader::ChartHeader(const QString& title, const QString& caption, QWidget* parent) : QWidget(parent) {
    setTextHeight(this, metrics::kChartHeader);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(metrics::kSpace8);
    m_title = makeLabel(title, Type::BodyStrong, Color::Text, this);
    m_caption = new ElidedLabel(Qt::ElideNone, Type::Caption, Color::Text3, this);
    m_caption->setText(caption);
    m_left = new QHBoxLayout;
    m_left->setSpacing(metrics::kSpace8);
    m_right = new QHBoxLayout;
    m_right->setSpacing(metrics::kSpace12);
    layout->addWidget(m_title);
    layout->addWidget(m_caption);
    layout->addLayout(m_left);
    layout->addStretch(1);
    layout->addLayout(m_right);
}

void ChartHeader::setTitle(const QString& title) { m_title->setText(title); }
void ChartHeader::setCaption(const QString& caption) { m_caption->setText(caption); }
void ChartHeader::addLeft(QWidget* widget) { m_left->addWidget(widget, 0, Qt::AlignVCenter); }
void ChartHeader::addRight(QWidget* widget) { m_right->addWidget(widget, 0, Qt::AlignVCenter); }

}  // namespace espalier::widgets
