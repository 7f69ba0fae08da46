#include "widgets/plot/readout_box.h"

#include "widgets/controls/chip.h"
#include "widgets/theme/format.h"
#include "widgets/theme/metrics.h"
#include "widgets/theme/theme.h"

#include <QPainter>

#include <algorithm>

namespace espalier::widgets {
namespace {

constexpr int kWidth = 216, kPadding = 9, kRow = 16, kDistance = 8, kColumnGap = 10;
constexpr int kMaxRows = 16;

}  // namespace

ReadoutBox::ReadoutBox(QWidget* page) : QWidget(page) {
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAttribute(Qt::WA_NoSystemBackground);
    setFocusPolicy(Qt::NoFocus);
    hide();
}

// Full precision needs room: the box grows with its widest number.
int ReadoutBox::valueWidth() const {
    const QFontMetrics metrics(theme().font(Type::Caption));
    int width = metrics.horizontalAdvance(QStringLiteral("smooth"));
    for (const Row& row : m_content.rows)
        width = std::max({width, metrics.horizontalAdvance(row.smooth), metrics.horizontalAdvance(row.raw)});
    return width;
}

void ReadoutBox::showAt(const Content& content, const QPoint& cursor, bool isLeft) {
    m_content = content;
    const QFontMetrics strong(theme().font(Type::CaptionStrong)), caption(theme().font(Type::Caption));
    const int rows = std::min<int>(kMaxRows, static_cast<int>(m_content.rows.size()));
    int nameWidth = 0;
    for (const Row& row : m_content.rows) nameWidth = std::max(nameWidth, caption.horizontalAdvance(row.label));
    const int columns = m_content.hasSmooth ? 2 : 1;
    const int needed = 2 * kPadding + 16 + std::min(nameWidth, 130) + columns * (valueWidth() + kColumnGap);
    const int header = 2 * kPadding + strong.horizontalAdvance(content.title) + 16 + caption.horizontalAdvance(content.detail);
    resize(std::max({kWidth, needed, header}), 2 * kPadding + 20 + (m_content.hasSmooth ? kRow : 0) + rows * kRow + 2);
    int x = isLeft ? cursor.x() - kDistance - width() : cursor.x() + kDistance;
    const QRect page = parentWidget()->rect();
    // Flip once more rather than cover the dots on the line.
    if (x < page.left()) x = cursor.x() + kDistance;
    if (x + width() > page.right()) x = std::max(page.left(), cursor.x() - kDistance - width());
    move(x, std::clamp(cursor.y(), page.top(), std::max(page.top(), page.bottom() - height())));
    show();
    raise();
    update();
}

void ReadoutBox::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(look.line(Color::Border));
    painter.setBrush(look.color(Color::Popup));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), metrics::kRadiusCard, metrics::kRadiusCard);
    QRect line(kPadding, kPadding - 2, width() - 2 * kPadding, 16);
    painter.setFont(look.font(Type::CaptionStrong));
    painter.setPen(look.color(Color::Text));
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, m_content.title);
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text2));
    painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, m_content.detail);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(look.line(Color::Border));
    painter.drawLine(line.left(), line.bottom() + 3, line.right(), line.bottom() + 3);
    line.translate(0, 22);
    const int value = valueWidth();
    const auto column = [&](int fromRight) {
        return QRect(line.right() + 1 - value - fromRight * (value + kColumnGap), line.top(), value, line.height());
    };
    if (m_content.hasSmooth) {
        painter.setPen(look.color(Color::Text3));
        painter.drawText(column(1), Qt::AlignRight | Qt::AlignVCenter, tr("smooth"));
        painter.drawText(column(0), Qt::AlignRight | Qt::AlignVCenter, tr("raw"));
        line.translate(0, kRow);
    }
    const int nameWidth = (m_content.hasSmooth ? column(1) : column(0)).left() - line.left() - 16 - 4;
    int row = 0;
    for (const Row& entry : m_content.rows) {
        const QString name = format::elideName(painter.fontMetrics(), entry.label, nameWidth);
        if (++row > kMaxRows) break;
        const QRect swatch(line.left(), line.top() + 3, metrics::kSwatch, metrics::kSwatch);
        if (entry.color.isValid()) painter.fillRect(swatch, entry.color);
        else Swatch::paint(painter, swatch, entry.colorIndex, true, false);
        painter.setFont(look.font(Type::Caption));
        painter.setPen(look.color(Color::Text2));
        painter.drawText(line.adjusted(16, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, name);
        painter.setPen(look.color(Color::Text));
        if (m_content.hasSmooth) painter.drawText(column(1), Qt::AlignRight | Qt::AlignVCenter, entry.smooth);
        painter.drawText(column(0), Qt::AlignRight | Qt::AlignVCenter, entry.raw);
        line.translate(0, kRow);
    }
}

}  // namespace espalier::widgets
