#include "widgets/heatmap/head_wall.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"

namespace espalier::widgets {
namespace {

constexpr int kLabelWidth = 28, kLabelHeight = 18, kGap = 4, kFrame = 2;
constexpr int kLeast = 18, kMost = 132;

}  // namespace

HeadWall::HeadWall(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setAccessibleName(tr("All heads; arrows choose layer and head"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void HeadWall::setMaps(std::vector<std::vector<std::vector<float>>> maps, const TokenGrid& grid, QSize image) {
    const bool hasNewShape = maps.size() != m_maps.size() || (!maps.empty() && maps[0].size() != m_maps[0].size());
    m_maps = std::move(maps);
    m_grid = grid;
    m_image = image;
    m_layer = std::clamp(m_layer, 0, std::max(0, layers() - 1));
    m_head = std::clamp(m_head, 0, std::max(0, heads() - 1));
    render();
    if (hasNewShape) updateGeometry();
    update();
}

void HeadWall::setOneRange(bool isOneRange) {
    m_isOneRange = isOneRange;
    render();
    update();
}

void HeadWall::setSampling(Sampling sampling) {
    m_sampling = sampling;
    render();
    update();
}

void HeadWall::setQuery(int token) {
    m_query = token;
    update();
}

void HeadWall::setCurrent(int layer, int head) {
    m_layer = std::clamp(layer, 0, std::max(0, layers() - 1));
    m_head = std::clamp(head, 0, std::max(0, heads() - 1));
    update();
}

int HeadWall::heads() const {
    std::size_t most = 0;
    for (const auto& layer : m_maps) most = std::max(most, layer.size());
    return static_cast<int>(most);
}

void HeadWall::setRoom(int height) {
    if (height == m_room) return;
    m_room = height;
    render();
    updateGeometry();
}

int HeadWall::thumbFor(int width) const { return thumbFor(width, m_room); }

int HeadWall::thumbFor(int width, int room) const {
    if (layers() == 0 || heads() == 0) return 62;
    const int byWidth = (width - kFrame - kLabelWidth + kGap) / layers() - kGap;
    const int byHeight = (room - kFrame - kLabelHeight + kGap) / heads() - kGap;
    return std::clamp(std::min(byWidth, byHeight), kLeast, kMost);
}

int HeadWall::widthWith(int thumb) const { return kLabelWidth + kFrame + std::max(1, layers()) * (thumb + kGap) - kGap; }

int HeadWall::heightForWidth(int width) const { return std::max(1, heads()) * (thumbFor(width) + kGap) - kGap + kLabelHeight + kFrame; }

QSize HeadWall::sizeHint() const { return {480, heightForWidth(480)}; }

QRect HeadWall::thumbRect(int layer, int head) const {
    const int side = thumbFor(width());
    // Thumbnails spread over the whole width, so that the last column ends at the page's right edge.
    const double pitch = layers() > 1 ? std::min<double>((width() - kFrame - kLabelWidth - side) / double(layers() - 1), side + 24) : 0;
    return {kLabelWidth + static_cast<int>(std::lround(layer * pitch)), kFrame + head * (side + kGap), side, side};
}

QPoint HeadWall::cellAt(const QPoint& position) const {
    for (int layer = 0; layer < layers(); ++layer)
        for (int head = 0; head < static_cast<int>(m_maps[static_cast<std::size_t>(layer)].size()); ++head)
            if (thumbRect(layer, head).contains(position)) return {layer, head};
    return {-1, -1};
}

void HeadWall::render() {
    m_pictures.assign(m_maps.size(), {});
    HeatRange shared{1e30, -1e30, false};
    for (const auto& layer : m_maps)
        for (const auto& map : layer) shared.include(HeatRange::of(map));
    const double side = thumbFor(std::max(width(), 60)) * devicePixelRatioF();
    const double scale = side / std::max({1, m_image.width(), m_image.height()});
    for (std::size_t layer = 0; layer < m_maps.size(); ++layer)
        for (const auto& map : m_maps[layer]) {
            const bool isUsable = m_grid.isValid() && map.size() == static_cast<std::size_t>(m_grid.tokens());
            m_pictures[layer].push_back(isUsable ? heatImage(map, m_grid, m_image, m_isOneRange ? shared : HeatRange::of(map), m_sampling, scale) : QImage());
        }
}

void HeadWall::resizeEvent(QResizeEvent*) { render(); }

void HeadWall::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    for (int layer = 0; layer < static_cast<int>(m_pictures.size()); ++layer) {
        const auto& column = m_pictures[static_cast<std::size_t>(layer)];
        for (int head = 0; head < static_cast<int>(column.size()); ++head) {
            const QRect cell = thumbRect(layer, head);
            painter.drawImage(cell, column[static_cast<std::size_t>(head)]);
            if (m_query >= 0 && m_grid.isValid()) {
                const double scale = cell.width() / double(std::max({1, m_image.width(), m_image.height()}));
                const QPointF at = QPointF(cell.topLeft()) + (m_grid.center(m_query) + QPointF(0.5, 0.5)) * scale;
                painter.fillRect(QRectF(at.x() - 2.5, at.y() - 2.5, 5, 5), Qt::black);
                painter.fillRect(QRectF(at.x() - 1.5, at.y() - 1.5, 3, 3), Qt::white);
            }
        }
        const QRect last = thumbRect(layer, heads() - 1);
        const bool isCurrent = layer == m_layer;
        painter.setFont(look.font(isCurrent ? Type::CaptionStrong : Type::Caption));
        painter.setPen(look.color(isCurrent ? Color::Text : Color::Text2));
        painter.drawText(QRect(last.left() - kGap, last.bottom() + 3, last.width() + 2 * kGap, kLabelHeight - 3), Qt::AlignCenter, QStringLiteral("L%1").arg(layer + 1));
    }
    for (int head = 0; head < heads(); ++head) {
        const bool isCurrent = head == m_head;
        painter.setFont(look.font(isCurrent ? Type::CaptionStrong : Type::Caption));
        painter.setPen(look.color(isCurrent ? Color::Text : Color::Text2));
        const QRect cell = thumbRect(0, head);
        painter.drawText(QRect(0, cell.top(), kLabelWidth - 6, cell.height()), Qt::AlignLeft | Qt::AlignVCenter, QStringLiteral("h%1").arg(head + 1));
    }
    if (layers() == 0) return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(look.color(showsFocus(this) ? Color::Focus : Color::Accent), 2));
    painter.drawRoundedRect(QRectF(thumbRect(m_layer, m_head)).adjusted(-1, -1, 1, 1), 2, 2);
}

void HeadWall::mousePressEvent(QMouseEvent* event) {
    const QPoint cell = cellAt(event->pos());
    if (event->button() != Qt::LeftButton || cell.x() < 0) return;
    setCurrent(cell.x(), cell.y());
    Q_EMIT picked(m_layer, m_head);
}

void HeadWall::keyPressEvent(QKeyEvent* event) {
    int layer = m_layer, head = m_head;
    switch (event->key()) {
    case Qt::Key_Left: --layer; break;
    case Qt::Key_Right: ++layer; break;
    case Qt::Key_Up: --head; break;
    case Qt::Key_Down: ++head; break;
    default: return QWidget::keyPressEvent(event);
    }
    if (layers() == 0) return;
    setCurrent(layer, head);
    Q_EMIT picked(m_layer, m_head);
}

bool HeadWall::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const QPoint cell = cellAt(help->pos());
        if (cell.x() < 0) {
            QToolTip::hideText();
        } else {
            const HeatRange range = HeatRange::of(m_maps[static_cast<std::size_t>(cell.x())][static_cast<std::size_t>(cell.y())]);
            QToolTip::showText(help->globalPos(), tr("Layer %1, head %2: %3 to %4").arg(cell.x() + 1).arg(cell.y() + 1).arg(heatText(range.low), heatText(range.high)), this);
        }
        return true;
    }
    return QWidget::event(event);
}

}  // namespace espalier::widgets
