#include "widgets/controls/chip.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/icons.h"

namespace espalier::widgets {

namespace {
constexpr int kChipHeight = 18;
constexpr int kPad = 6;
}  // namespace

Chip::Chip(const QString& text, Kind kind, QWidget* parent) : QAbstractButton(parent), m_kind(kind) {
    setText(text);
    setFont(theme().font(Type::Caption));
    setCheckable(kind == Kind::Toggle);
    setFocusPolicy(kind == Kind::Plain ? Qt::NoFocus : Qt::TabFocus);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void Chip::setIconName(const QString& name, Color role) {
    m_iconName = name;
    m_iconRole = role;
    updateGeometry();
    update();
}

QSize Chip::sizeHint() const {
    int width = QFontMetrics(theme().font(Type::Caption)).horizontalAdvance(text()) + 2 * kPad;
    if (!m_iconName.isEmpty()) width += metrics::kIconInline + 4;
    if (m_kind == Kind::Removable) width += metrics::kIconInline + 4;
    return {width, kChipHeight};
}

QRect Chip::closeRect() const { return {width() - kPad - metrics::kIconInline + 1, 0, metrics::kIconInline + kPad, height()}; }

void Chip::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    Theme& look = theme();
    const bool isOn = m_kind == Kind::Toggle && isChecked();
    QColor fill, border;
    if (m_kind == Kind::Toggle) {
        fill = isOn ? look.color(Color::AccentTint) : underMouse() ? look.color(Color::Hover) : QColor(Qt::transparent);
        border = isOn ? look.color(Color::Accent) : look.color(Color::Border);
    } else {
        fill = look.color(Color::Pressed);
        if (look.shownKind() == ThemeKind::Contrast) border = look.color(Color::Line);
    }
    paintBox(painter, rect(), metrics::kRadiusBadge, fill, border);
    int x = kPad;
    if (!m_iconName.isEmpty()) {
        paintIcon(painter, m_iconName, QRect(x, (height() - 12) / 2, 12, 12), look.color(m_iconRole));
        x += metrics::kIconInline + 4;
    }
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(!isEnabled() ? Color::Disabled : isOn ? Color::Text : Color::Text2));
    painter.drawText(QRect(x, 0, width() - x, height()), Qt::AlignVCenter | Qt::AlignLeft, text());
    if (m_kind == Kind::Removable)
        paintIcon(painter, QStringLiteral("close"), QRect(closeRect().x(), (height() - 12) / 2, 12, 12),
                  look.color(underMouse() ? Color::Text : Color::Text2));
    if (showsFocus(this)) paintFocus(painter, rect(), metrics::kRadiusBadge);
}

void Chip::mouseReleaseEvent(QMouseEvent* event) {
    if (m_kind == Kind::Removable && closeRect().contains(event->position().toPoint())) {
        setDown(false);
        Q_EMIT removeClicked();
        return;
    }
    QAbstractButton::mouseReleaseEvent(event);
}

void Chip::keyPressEvent(QKeyEvent* event) {
    if (m_kind == Kind::Removable && (event->key() == Qt::Key_Delete || event->key() == Qt::Key_Backspace)) {
        Q_EMIT removeClicked();
        return;
    }
    QAbstractButton::keyPressEvent(event);
}

void Chip::enterEvent(QEnterEvent*) { update(); }
void Chip::leaveEvent(QEvent*) { update(); }

Badge::Badge(const QString& text, Kind kind, QWidget* parent) : QAbstractButton(parent), m_kind(kind) {
    setText(text);
    setKind(kind);
    setFocusPolicy(Qt::NoFocus);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

Badge* Badge::forState(feed::JobState state, QWidget* parent) {
    auto* badge = new Badge(QString(), Kind::Neutral, parent);
    badge->setState(state);
    return badge;
}

void Badge::setState(feed::JobState state) {
    const StateLook look = theme().stateLook(state);
    m_kind = Kind::Neutral;
    m_iconName = look.icon;
    m_iconRole = look.color;
    setText(look.label);
    updateGeometry();
    update();
}

void Badge::setKind(Kind kind) {
    m_kind = kind;
    switch (kind) {
        case Kind::Neutral: break;
        case Kind::Info: m_iconName = QStringLiteral("info"); m_iconRole = Color::Info; break;
        case Kind::Warning: m_iconName = QStringLiteral("warning"); m_iconRole = Color::Warning; break;
        case Kind::Error: m_iconName = QStringLiteral("error"); m_iconRole = Color::Error; break;
        case Kind::Success: m_iconName = QStringLiteral("check"); m_iconRole = Color::Success; break;
    }
    updateGeometry();
    update();
}

void Badge::setIconName(const QString& name) {
    m_iconName = name;
    updateGeometry();
    update();
}

QSize Badge::sizeHint() const {
    int width = QFontMetrics(theme().font(Type::Caption)).horizontalAdvance(text()) + 2 * kPad;
    if (!m_iconName.isEmpty()) width += metrics::kIconInline + 4;
    return {width, kChipHeight};
}

void Badge::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    Theme& look = theme();
    Color ground = Color::Pressed, ink = Color::Text2;
    switch (m_kind) {
        case Kind::Neutral: break;
        case Kind::Info: ground = Color::InfoTint; ink = Color::Info; break;
        case Kind::Warning: ground = Color::WarningTint; ink = Color::Warning; break;
        case Kind::Error: ground = Color::ErrorTint; ink = Color::Error; break;
        case Kind::Success: ground = Color::SuccessTint; ink = Color::Success; break;
    }
    paintBox(painter, rect(), metrics::kRadiusBadge, look.color(ground));
    int x = kPad;
    if (!m_iconName.isEmpty()) {
        paintIcon(painter, m_iconName, QRect(x, (height() - 12) / 2, 12, 12), look.color(m_iconRole));
        x += metrics::kIconInline + 4;
    }
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(ink));
    painter.drawText(QRect(x, 0, width() - x, height()), Qt::AlignVCenter | Qt::AlignLeft, text());
    if (showsFocus(this)) paintFocus(painter, rect(), metrics::kRadiusBadge);
}

Swatch::Swatch(int colorIndex, bool isShown, QWidget* parent) : QAbstractButton(parent), m_colorIndex(colorIndex) {
    setCheckable(true);
    setChecked(isShown);
    setFocusPolicy(Qt::TabFocus);
    setFixedSize(16, 24);
    setAccessibleName(tr("Show in charts"));
    setToolTip(tr("Show or hide in charts"));
}

void Swatch::setColorIndex(int index) {
    m_colorIndex = index;
    update();
}

QSize Swatch::sizeHint() const { return {16, 24}; }

void Swatch::paint(QPainter& painter, const QRect& cell, int colorIndex, bool isShown, bool isOnContrastSelection) {
    const QRectF box(cell.x() + (cell.width() - 10) / 2, cell.y() + (cell.height() - 10) / 2, 10, 10);
    const QColor color = theme().runColor(colorIndex);
    const QColor outline = isOnContrastSelection ? theme().color(Color::OnSelection) : color;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(outline, 1.25));
    painter.setBrush(isShown ? QBrush(color) : QBrush(Qt::NoBrush));
    painter.drawRoundedRect(box.adjusted(0.625, 0.625, -0.625, -0.625), 1.5, 1.5);
    painter.restore();
}

void Swatch::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paint(painter, rect(), m_colorIndex, isChecked(), false);
    if (showsFocus(this)) paintFocus(painter, QRectF(rect()).adjusted(0, 4, 0, -4), 3);
}

}  // namespace espalier::widgets
