#include "widgets/heatmap/mini_map.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>

#include <algorithm>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

constexpr int kTitle = 20, kScale = 18;

}  // namespace

MiniMap::MiniMap(const QString& title, QWidget* parent) : QWidget(parent), m_title(title) {
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(title);
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void MiniMap::setTitle(const QString& title) {
    m_title = title;
    setAccessibleName(title);
    update();
}

void MiniMap::setMap(std::vector<float> values, const TokenGrid& grid, QSize image, const HeatRange& range) {
    const bool isUsable = grid.isValid() && values.size() == static_cast<std::size_t>(grid.tokens());
    m_values = isUsable ? std::move(values) : std::vector<float>();
    m_grid = grid;
    m_image = image;
    m_range = range;
    setCursor(isUsable ? Qt::PointingHandCursor : Qt::ArrowCursor);
    update();
}

void MiniMap::setMissing(const QString& reason) {
    m_values.clear();
    m_missing = reason;
    unsetCursor();
    update();
}

void MiniMap::setSampling(Sampling sampling) {
    m_sampling = sampling;
    update();
}

void MiniMap::setMaxSide(int side) {
    m_maxSide = side;
    updateGeometry();
}

void MiniMap::setCurrent(bool isCurrent) {
    m_isCurrent = isCurrent;
    update();
}

int MiniMap::heightForWidth(int width) const { return std::min(width, m_maxSide) + kTitle + kScale; }
QSize MiniMap::sizeHint() const { return {m_maxSide, heightForWidth(m_maxSide)}; }

QRect MiniMap::mapRect() const {
    const int side = std::max(8, std::min({width(), m_maxSide, height() - kTitle - kScale}));
    return {0, kTitle, side, side};
}

void MiniMap::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    const QRect area = mapRect();
    painter.setFont(look.font(m_isCurrent ? Type::CaptionStrong : Type::Caption));
    painter.setPen(look.color(m_isCurrent ? Color::Text : Color::Text2));
    painter.drawText(QRect(0, 0, width(), kTitle - 4), Qt::AlignLeft | Qt::AlignVCenter, format::elideSentence(painter.fontMetrics(), m_title, width()));
    if (m_values.empty()) {
        painter.fillRect(area, look.color(Color::Panel));
        painter.setFont(look.font(Type::Caption));
        painter.setPen(look.color(Color::Text3));
        painter.drawText(area.adjusted(8, 4, -8, -4), Qt::AlignCenter | Qt::TextWordWrap, m_missing);
        return;
    }
    const double ratio = devicePixelRatioF();
    const double scale = area.width() * ratio / std::max({1, m_image.width(), m_image.height()});
    painter.drawImage(area, heatImage(m_values, m_grid, m_image, m_range, m_sampling, scale));
    if (m_range.isSigned) {  // nearly white maps on a white page need an edge
        painter.setPen(look.line(Color::Line));
        painter.drawRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5));
    }
    if (showsFocus(this)) paintFocus(painter, area, 2);
    QString low = heatText(m_range.low, m_range.isSigned, m_range.high, 2);
    const QString high = heatText(m_range.high, m_range.isSigned, 0, 2);
    painter.setFont(look.font(Type::Caption));
    painter.setPen(look.color(Color::Text2));
    // Where both ends leave no room for the bar, one number says the same of a symmetric range; the ends of another
    // stand out beyond a small map.
    const int needed = painter.fontMetrics().horizontalAdvance(low + high) + 24;
    if (m_range.isSigned && needed > area.width()) low.clear();
    const int lowWidth = painter.fontMetrics().horizontalAdvance(low), highWidth = painter.fontMetrics().horizontalAdvance(high);
    const QRect line(area.left(), area.bottom() + 3, low.isEmpty() ? area.width() : std::max(area.width(), std::min(width(), needed)), kScale - 3);
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, low);
    painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter, low.isEmpty() ? QStringLiteral("±") + high.mid(1) : high);
    const QRect bar(line.left() + (low.isEmpty() ? 0 : lowWidth + 6), line.center().y() - 2, line.width() - lowWidth - highWidth - (low.isEmpty() ? 8 : 12), 6);
    if (bar.width() >= 12) paintColorBar(painter, bar, m_range.isSigned);
}

void MiniMap::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton && !m_values.empty() && mapRect().contains(event->pos())) Q_EMIT clicked();
}

void MiniMap::keyPressEvent(QKeyEvent* event) {
    const bool isEnter = event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space;
    if (isEnter && !m_values.empty()) Q_EMIT clicked();
    else QWidget::keyPressEvent(event);
}

}  // namespace espalier::widgets
