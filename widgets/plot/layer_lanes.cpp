#include "widgets/plot/layer_lanes.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

constexpr int kLeft = 46, kRight = 2, kNames = 18;
constexpr double kBlockGap = 4, kWidest = 56;

}  // namespace

void LayerColumns::setLayers(QVector<Layer> layers) {
    m_layers = std::move(layers);
    m_blocks.clear();
    int block = -1;
    for (int i = 0; i < m_layers.size(); ++i) {
        if (i == 0 || m_layers[i].block != m_layers[i - 1].block) ++block;
        m_blocks << block;
    }
    m_hovered = -1;
    if (m_selected >= m_layers.size()) m_selected = -1;
    Q_EMIT layersChanged();
}

void LayerColumns::setHovered(int layer) {
    if (layer == m_hovered) return;
    m_hovered = layer;
    Q_EMIT hoveredChanged(layer);
}

void LayerColumns::select(int layer) {
    layer = m_layers.isEmpty() ? -1 : std::clamp(layer, 0, count() - 1);
    if (layer == m_selected) return;
    m_selected = layer;
    Q_EMIT selectedChanged(layer);
}

void LayerColumns::measure(double width, double* column, double* gap) const {
    const int blocks = m_blocks.isEmpty() ? 1 : m_blocks.last() + 1;
    *gap = width / std::max(1, count()) >= 8 ? kBlockGap : 1;
    *column = std::min(kWidest, (width - *gap * (blocks - 1)) / std::max(1, count()));
    if (*column >= 6) *column = std::floor(*column);
    // Whole pixels leave some over: the gaps between blocks take it, so that the lane ends at its right edge.
    const double over = width - *column * count() - *gap * (blocks - 1);
    if (blocks > 1 && *column < kWidest) *gap += std::floor(over / (blocks - 1));
    else if (blocks > 1) *gap = std::min(24.0, *gap + over / (blocks - 1));
}

QRectF LayerColumns::column(int layer, double left, double width) const {
    if (layer < 0 || layer >= count()) return {};
    double wide = 0, gap = 0;
    measure(width, &wide, &gap);
    return {left + layer * wide + m_blocks[layer] * gap, 0, wide, 0};
}

int LayerColumns::columnAt(double x, double left, double width) const {
    for (int i = 0; i < count(); ++i) {
        const QRectF place = column(i, left, width);
        if (x >= place.left() && x < place.right()) return i;
    }
    return -1;
}

Lane::Lane(LayerColumns* columns, QWidget* parent) : QWidget(parent), m_columns(columns) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    connect(columns, &LayerColumns::layersChanged, this, qOverload<>(&QWidget::update));
    connect(columns, &LayerColumns::hoveredChanged, this, qOverload<>(&QWidget::update));
    connect(columns, &LayerColumns::selectedChanged, this, qOverload<>(&QWidget::update));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void Lane::setBlockNamesVisible(bool isVisible) {
    m_hasBlockNames = isVisible;
    update();
}

QRectF Lane::laneArea() const { return QRectF(rect()).adjusted(kLeft, 0, -kRight, m_hasBlockNames ? -kNames : 0); }

QRectF Lane::columnRect(int layer) const {
    const QRectF area = laneArea(), place = m_columns->column(layer, area.left(), area.width());
    return {place.left(), area.top(), place.width(), area.height()};
}

void Lane::paintGround(QPainter& painter, bool hasBlockLines) const {
    const Theme& look = theme();
    const auto& layers = m_columns->layers();
    for (const int layer : {m_columns->selected(), m_columns->hovered()})
        if (layer >= 0) painter.fillRect(columnRect(layer), look.color(layer == m_columns->selected() ? Color::Pressed : Color::Hover));
    painter.setFont(look.font(Type::Caption));
    int first = 0;
    double end = -1e9;
    for (int i = 1; i <= layers.size(); ++i) {
        if (i < layers.size() && layers[i].block == layers[first].block) continue;
        const QRectF left = columnRect(first), right = columnRect(i - 1);
        if (hasBlockLines && i < layers.size()) {
            const double x = std::round((right.right() + columnRect(i).left()) / 2);
            painter.fillRect(QRectF(x, left.top(), 1, left.height()), look.color(Color::Grid));
        }
        if (m_hasBlockNames) {
            const double room = right.right() - left.left() + 6;
            const QString word = format::elideName(painter.fontMetrics(), layers[first].block, static_cast<int>(std::max(room, 24.0)));
            const double wide = painter.fontMetrics().horizontalAdvance(word), middle = (left.left() + right.right()) / 2;
            const double at = std::clamp(middle - wide / 2, 0.0, width() - wide);
            if (at >= end + 3) {
                painter.setPen(look.color(Color::Text2));
                painter.drawText(QRectF(at, left.bottom() + 3, wide + 1, kNames - 3), Qt::AlignLeft | Qt::AlignVCenter, word);
                end = at + wide;
            }
        }
        first = i;
    }
    if (showsFocus(this)) paintFocus(painter, rect(), metrics::kRadius);
}

void Lane::mousePressEvent(QMouseEvent* event) {
    const QRectF area = laneArea();
    const int layer = m_columns->columnAt(event->position().x(), area.left(), area.width());
    if (event->button() == Qt::LeftButton && layer >= 0) m_columns->select(layer);
}

void Lane::mouseMoveEvent(QMouseEvent* event) {
    const QRectF area = laneArea();
    m_columns->setHovered(m_columns->columnAt(event->position().x(), area.left(), area.width()));
}

void Lane::leaveEvent(QEvent*) { m_columns->setHovered(-1); }

void Lane::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
    case Qt::Key_Left: return m_columns->select(m_columns->selected() - 1);
    case Qt::Key_Right: return m_columns->select(m_columns->selected() + 1);
    case Qt::Key_Home: return m_columns->select(0);
    case Qt::Key_End: return m_columns->select(m_columns->count() - 1);
    default: QWidget::keyPressEvent(event);
    }
}

bool Lane::event(QEvent* event) {
    if (event->type() == QEvent::ToolTip) {
        auto* help = static_cast<QHelpEvent*>(event);
        const QRectF area = laneArea();
        const int layer = m_columns->columnAt(help->pos().x(), area.left(), area.width());
        if (layer < 0) QToolTip::hideText();
        else QToolTip::showText(help->globalPos(), toolTipFor(layer, help->pos()), this);
        return true;
    }
    return QWidget::event(event);
}

}  // namespace espalier::widgets
