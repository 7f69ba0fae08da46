#include "widgets/heatmap/attention_map.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/theme.h"

namespace espalier::widgets {

void paintMarkPath(QPainter& painter, const QPainterPath& path) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(QColor(0, 0, 0, 140), 3));
    painter.drawPath(path);
    painter.setPen(QPen(Qt::white, 1.5));
    painter.drawPath(path);
}

AttentionMap::AttentionMap(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setCursor(Qt::CrossCursor);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setFixedSize(m_side, m_side);
    setAccessibleName(tr("Attention over the image; arrows move the query token"));
    connect(&theme(), &Theme::changed, this, qOverload<>(&QWidget::update));
}

void AttentionMap::setImage(const QImage& image, const TokenGrid& grid) {
    m_image = image;
    if (!(m_grid == grid)) m_values.clear();
    m_grid = grid;
    setSide(m_side);
}

void AttentionMap::setValues(std::vector<float> values, const HeatRange& range) {
    m_values = values.size() == static_cast<std::size_t>(m_grid.tokens()) ? std::move(values) : std::vector<float>();
    m_range = range;
    drop();
}

void AttentionMap::setQuery(int token) {
    m_query = token < m_grid.tokens() ? token : -1;
    update();
}

void AttentionMap::setOpacity(double opacity) {
    m_opacity = std::clamp(opacity, 0.0, 1.0);
    drop();
}

void AttentionMap::setSampling(Sampling sampling) {
    m_sampling = sampling;
    drop();
}

void AttentionMap::setOverlayVisible(bool isVisible) {
    m_isOverlayVisible = isVisible;
    drop();
}

void AttentionMap::setGridVisible(bool isVisible) {
    m_isGridVisible = isVisible;
    update();
}

void AttentionMap::setSide(int side) {
    m_side = side;
    const int larger = std::max({1, m_image.width(), m_image.height()});
    const double fit = static_cast<double>(side) / larger;
    m_scale = fit >= 1 ? std::floor(fit) : fit;
    setFixedSize(side, side);
    drop();
}

QRect AttentionMap::imageRect() const {
    const int width = static_cast<int>(std::lround(m_image.width() * m_scale)), height = static_cast<int>(std::lround(m_image.height() * m_scale));
    return {0, 0, width, height};
}

QPointF AttentionMap::positionOf(int token) const {
    return QPointF(imageRect().topLeft()) + (m_grid.center(token) + QPointF(0.5, 0.5)) * m_scale;
}

QImage AttentionMap::picture(double pixelRatio) const {
    if (m_image.isNull()) return {};
    const std::vector<float> none;
    return overlayImage(m_image, m_isOverlayVisible ? m_values : none, m_grid, m_range, m_sampling, m_opacity, m_scale * pixelRatio);
}

void AttentionMap::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme& look = theme();
    if (m_image.isNull()) {
        painter.fillRect(rect(), look.color(Color::Panel));
        return;
    }
    if (m_cache.isNull()) m_cache = picture(devicePixelRatioF());
    painter.drawImage(imageRect(), m_cache);
    if (m_isGridVisible && m_grid.isValid()) {
        painter.setRenderHint(QPainter::Antialiasing);
        for (int token = 0; token < m_grid.tokens(); ++token) {
            const QPointF at = positionOf(token);
            painter.setPen(Qt::NoPen);
            painter.setBrush(QColor(0, 0, 0, 140));
            painter.drawEllipse(at, 2, 2);
            painter.setBrush(Qt::white);
            painter.drawEllipse(at, 1, 1);
        }
    }
    paintQuery(painter);
    if (showsFocus(this)) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setBrush(Qt::NoBrush);
        QPen pen(look.color(Color::Focus), 2);
        pen.setJoinStyle(Qt::MiterJoin);
        painter.setPen(pen);
        painter.drawRect(imageRect().adjusted(1, 1, -1, -1));
    }
}

void AttentionMap::paintQuery(QPainter& painter) const {
    if (m_query < 0 || !m_grid.isValid()) return;
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setClipRect(imageRect());
    const QRectF field = m_grid.fieldRect(m_query);
    QRectF box(field.topLeft() * m_scale + imageRect().topLeft(), field.size() * m_scale);
    // A field that reaches beyond the image shows its inner edges only; the edge line itself stays visible.
    box = box.intersected(QRectF(imageRect()).adjusted(1.5, 1.5, -1.5, -1.5));
    const QPointF at = positionOf(m_query);
    QPainterPath path;
    path.addRect(box);
    path.moveTo(at - QPointF(5, 0));
    path.lineTo(at + QPointF(5, 0));
    path.moveTo(at - QPointF(0, 5));
    path.lineTo(at + QPointF(0, 5));
    paintMarkPath(painter, path);
    painter.restore();
}

int AttentionMap::tokenAt(const QPointF& position) const {
    if (!m_grid.isValid() || m_image.isNull() || !QRectF(imageRect()).contains(position)) return -1;
    return m_grid.tokenAt((position - imageRect().topLeft()) / m_scale - QPointF(0.5, 0.5));
}

void AttentionMap::pick(int token) {
    if (token < 0) return;
    m_query = token;
    update();
    Q_EMIT queryPicked(token);
}

void AttentionMap::mousePressEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton) pick(tokenAt(event->position()));
}

void AttentionMap::mouseMoveEvent(QMouseEvent* event) {
    const int token = tokenAt(event->position());
    if (event->buttons() & Qt::LeftButton && token >= 0 && token != m_query) pick(token);
    const bool hasValue = token >= 0 && token < static_cast<int>(m_values.size());
    Q_EMIT hovered(hasValue ? token : -1, hasValue ? m_values[static_cast<std::size_t>(token)] : 0);
}

void AttentionMap::leaveEvent(QEvent*) { Q_EMIT hovered(-1, 0); }

void AttentionMap::keyPressEvent(QKeyEvent* event) {
    if (!m_grid.isValid()) return QWidget::keyPressEvent(event);
    int row = m_grid.rowOf(std::max(0, m_query)), col = m_grid.colOf(std::max(0, m_query));
    switch (event->key()) {
    case Qt::Key_Left: --col; break;
    case Qt::Key_Right: ++col; break;
    case Qt::Key_Up: --row; break;
    case Qt::Key_Down: ++row; break;
    case Qt::Key_Home: col = 0; break;
    case Qt::Key_End: col = m_grid.cols - 1; break;
    default: return QWidget::keyPressEvent(event);
    }
    if (m_query < 0) row = col = 0;
    pick(std::clamp(row, 0, m_grid.rows - 1) * m_grid.cols + std::clamp(col, 0, m_grid.cols - 1));
}

}  // namespace espalier::widgets
