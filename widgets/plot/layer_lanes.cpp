#include "widgets/plot/layer_lanes.h"

#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>
#include <QMenu>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

#include "widgets/controls/paint_help.h"
#include "widgets/theme/format.h"

namespace espalier::widgets {
namespace {

constexpr int kLeft = 46, kRight = 2, kNames = 18;
constexpr double kBlockGap = 4, kWidest = 56;
constexpr int kDragStart = 6, kMostHistory = 100;
constexpr int kMostColumns = 200;  ///< more layers than this fold to their blocks

}  // namespace

void LayerColumns::setLayers(QVector<Layer> layers) {
    const bool showsAll = !isZoomed();
    m_layers = std::move(layers);
    m_blocks.clear();
    int block = -1;
    for (int i = 0; i < m_layers.size(); ++i) {
        if (i == 0 || m_layers[i].block != m_layers[i - 1].block) ++block;
        m_blocks << block;
    }
    m_hovered = -1;
    if (m_selected >= m_layers.size()) m_selected = -1;
    if (showsAll || m_last >= count()) {
        m_history.clear();
        m_first = 0, m_last = count() - 1;
    }
    m_isFolded = m_last - m_first + 1 > kMostColumns && blocksShown() > 1;
    Q_EMIT layersChanged();
}

LayerColumns::Span LayerColumns::spanOf(int layer) const {
    Span span{layer, layer};
    if (!m_isFolded || layer < 0 || layer >= count()) return span;
    while (span.first > m_first && m_blocks[span.first - 1] == m_blocks[layer]) --span.first;
    while (span.last < m_last && m_blocks[span.last + 1] == m_blocks[layer]) ++span.last;
    return span;
}

std::vector<LayerColumns::Span> LayerColumns::spans() const {
    std::vector<Span> all;
    for (int layer = m_first; layer <= m_last; layer = all.back().last + 1) all.push_back(spanOf(layer));
    return all;
}

QString LayerColumns::titleOf(int layer) const {
    if (layer < 0 || layer >= count()) return {};
    const Layer& one = m_layers[layer];
    const Span span = spanOf(layer);
    if (span.count() > 1) return tr("%1, %2 layers").arg(one.block, format::count(span.count()));
    return one.title.isEmpty() ? one.name : one.title;
}

void LayerColumns::step(int by) {
    const Span span = spanOf(m_selected);
    select(by > 0 ? span.last + 1 : spanOf(span.first - 1).first);
}

void LayerColumns::scroll(double share) {
    const int shown = m_last - m_first + 1;
    const int by = static_cast<int>(std::lround(share * shown));
    const int first = std::clamp(m_first + (by != 0 ? by : share > 0 ? 1 : -1), 0, std::max(0, count() - shown));
    if (first != m_first) setRange(first, first + shown - 1);
}

void LayerColumns::setRange(int first, int last) {
    m_first = first, m_last = last;
    m_isFolded = m_last - m_first + 1 > kMostColumns && blocksShown() > 1;
    if (m_selected >= 0 && !isShown(m_selected)) select(std::clamp(m_selected, first, last));
    Q_EMIT rangeChanged();
}

void LayerColumns::zoomTo(int first, int last) {
    first = std::max(0, first), last = std::min(last, count() - 1);
    if (first > last || (first == m_first && last == m_last)) return;
    m_history.append({m_first, m_last});
    if (m_history.size() > kMostHistory) m_history.removeFirst();
    setRange(first, last);
}

void LayerColumns::zoomBack() {
    if (m_history.isEmpty()) return;
    const auto [first, last] = m_history.takeLast();
    setRange(first, last);
}

void LayerColumns::setHovered(int layer) {
    if (layer == m_hovered) return;
    m_hovered = layer;
    Q_EMIT hoveredChanged(layer);
}

void LayerColumns::select(int layer) {
    layer = m_layers.isEmpty() ? -1 : std::clamp(layer, m_first, m_last);
    if (layer == m_selected) return;
    m_selected = layer;
    Q_EMIT selectedChanged(layer);
}

void LayerColumns::measure(double width, double* column, double* gap) const {
    const int blocks = blocksShown();
    const int shown = m_isFolded ? blocks : std::max(1, m_last - m_first + 1);
    *gap = width / shown >= 8 ? kBlockGap : 1;
    *column = std::min(isZoomed() ? width : kWidest, (width - *gap * (blocks - 1)) / shown);
    if (*column >= 6) *column = std::floor(*column);
    // Whole pixels leave some over: the gaps between blocks take it, so that the lane ends at its right edge.
    const double over = width - *column * shown - *gap * (blocks - 1);
    if (blocks > 1 && *column < kWidest) *gap += std::floor(over / (blocks - 1));
    else if (blocks > 1) *gap = std::min(24.0, *gap + over / (blocks - 1));
}

QRectF LayerColumns::column(int layer, double left, double width) const {
    if (layer < 0 || layer >= count() || !isShown(layer)) return {};
    double wide = 0, gap = 0;
    measure(width, &wide, &gap);
    const int block = m_blocks[layer] - m_blocks[m_first];
    return {left + (m_isFolded ? block : layer - m_first) * wide + block * gap, 0, wide, 0};
}

int LayerColumns::columnAt(double x, double left, double width) const {
    for (int i = m_first; i <= m_last; ++i) {
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
    connect(columns, &LayerColumns::rangeChanged, this, qOverload<>(&QWidget::update));
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
    if (place.width() <= 0) return {};
    return {place.left(), area.top(), place.width(), area.height()};
}

int Lane::layerAt(const QPointF& position) const {
    const QRectF area = laneArea();
    return m_columns->columnAt(position.x(), area.left(), area.width());
}

void Lane::setLogY(bool isLog) {
    m_isLogY = isLog;
    update();
}

ReadoutBox::Content Lane::emptyReadout(int layer) const {
    ReadoutBox::Content content;
    content.title = m_columns->titleOf(layer);
    return content;
}

void Lane::paintGround(QPainter& painter, bool hasBlockLines) const {
    const Theme& look = theme();
    const auto& layers = m_columns->layers();
    if (!isPainting())
        for (const int layer : {m_columns->selected(), m_columns->hovered()})
            if (layer >= 0) painter.fillRect(columnRect(layer), look.color(layer == m_columns->selected() ? Color::Pressed : Color::Hover));
    painter.setFont(look.font(Type::Caption));
    int first = m_columns->first();
    double end = -1e9;
    for (int i = first + 1; i <= m_columns->last() + 1; ++i) {
        const bool isLast = i == m_columns->last() + 1;
        if (!isLast && layers[i].block == layers[first].block) continue;
        const QRectF left = columnRect(first), right = columnRect(i - 1);
        if (hasBlockLines && !isLast) {
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
}

void Lane::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    paintLane(painter);
    if (!m_band.isNull()) {
        QColor fill = theme().color(Color::Accent);
        painter.setPen(QPen(fill, 1));
        fill.setAlphaF(0.12f);
        painter.setBrush(fill);
        painter.drawRect(QRectF(m_band).adjusted(0.5, 0.5, -0.5, -0.5));
    }
    if (showsFocus(this)) paintFocus(painter, rect(), metrics::kRadius);
}

void Lane::renderTo(QPainter& painter) {
    m_isOnPaper = true;
    paintLane(painter);
    m_isOnPaper = false;
}

void Lane::mousePressEvent(QMouseEvent* event) {
    const int layer = layerAt(event->position());
    m_wasZoomReset = false;
    if (event->button() != Qt::LeftButton) return;
    m_pressed = layer;
    m_pressedAt = event->pos();
    if (layer >= 0) m_columns->select(layer);
}

void Lane::mouseMoveEvent(QMouseEvent* event) {
    const int layer = layerAt(event->position());
    m_columns->setHovered(layer);
    if (m_pressed >= 0 && std::abs(event->pos().x() - m_pressedAt.x()) >= kDragStart) {
        const QRect area = laneArea().toRect();
        m_band = QRect(QPoint(m_pressedAt.x(), area.top()), QPoint(event->pos().x(), area.bottom())).normalized() & area;
        update();
    }
    ReadoutBox* box = m_columns->readout();
    if (!box) return;
    const ReadoutBox::Content content = layer < 0 || !m_band.isNull() ? ReadoutBox::Content() : readoutOf(layer);
    if (content.rows.isEmpty()) return box->hide();
    box->showAt(content, mapTo(box->parentWidget(), QPoint(event->pos().x(), static_cast<int>(laneArea().top()))), event->pos().x() > width() / 2);
}

void Lane::mouseReleaseEvent(QMouseEvent* event) {
    const QRect band = std::exchange(m_band, QRect());
    const int from = std::exchange(m_pressed, -1);
    update();
    if (event->button() == Qt::RightButton) return showMenu(event->globalPosition().toPoint());
    if (m_wasZoomReset || band.isNull() || from < 0) return;
    int first = -1, last = -1;
    for (int i = m_columns->first(); i <= m_columns->last(); ++i) {
        const QRectF column = columnRect(i);
        if (column.right() < band.left() || column.left() > band.right()) continue;
        first = first < 0 ? i : first;
        last = i;
    }
    if (last > first) m_columns->zoomTo(first, last);
}

void Lane::mouseDoubleClickEvent(QMouseEvent*) {
    m_wasZoomReset = true;
    m_pressed = -1;
    m_columns->zoomReset();
}

void Lane::zoomAround(int layer, double factor) {
    const int shown = m_columns->last() - m_columns->first() + 1, wanted = std::clamp(static_cast<int>(std::lround(shown * factor)), 2, std::max(2, m_columns->count()));
    if (wanted == shown || layer < 0) return;
    const int first = std::clamp(layer - (layer - m_columns->first()) * wanted / shown, 0, std::max(0, m_columns->count() - wanted));
    m_columns->zoomTo(first, first + wanted - 1);
}

void Lane::wheelEvent(QWheelEvent* event) {
    const QPoint turn = event->angleDelta();
    event->accept();
    if (event->modifiers().testFlag(Qt::ShiftModifier) || (turn.y() == 0 && turn.x() != 0))
        return m_columns->scroll(-(turn.x() + turn.y()) / 1200.0);
    zoomAround(layerAt(event->position()), std::pow(0.8, turn.y() / 120.0));
}

void Lane::leaveEvent(QEvent*) {
    m_columns->setHovered(-1);
    if (m_columns->readout()) m_columns->readout()->hide();
}

void Lane::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy) && m_columns->selected() >= 0) {
        QString text = m_columns->titleOf(m_columns->selected()) + u'\n';
        for (const auto& row : readoutOf(m_columns->selected()).rows) text += row.label + u'\t' + row.raw + u'\n';
        return QApplication::clipboard()->setText(text);
    }
    switch (event->key()) {
    case Qt::Key_Left: return m_columns->step(-1);
    case Qt::Key_Right: return m_columns->step(1);
    case Qt::Key_Home: return m_columns->select(0);
    case Qt::Key_End: return m_columns->select(m_columns->count() - 1);
    case Qt::Key_Plus: case Qt::Key_Equal: return zoomAround(m_columns->selected(), 0.8);
    case Qt::Key_Minus: return zoomAround(m_columns->selected(), 1.25);
    case Qt::Key_0: return m_columns->zoomReset();
    case Qt::Key_Backspace: return m_columns->zoomBack();
    case Qt::Key_L:
        if (canLogY()) return setLogY(!m_isLogY);
        break;
    case Qt::Key_Menu: return showMenu(mapToGlobal(rect().center()));
    default: break;
    }
    QWidget::keyPressEvent(event);
}

void Lane::fillMenu(QMenu& menu) {
    if (canLogY()) {
        QAction* log = menu.addAction(tr("Log scale on y"), this, [this] { setLogY(!m_isLogY); });
        log->setCheckable(true);
        log->setChecked(m_isLogY);
        menu.addSeparator();
    }
    menu.addAction(tr("Zoom back"), m_columns, &LayerColumns::zoomBack)->setEnabled(m_columns->canGoBack());
    menu.addAction(tr("Reset zoom"), m_columns, &LayerColumns::zoomReset)->setEnabled(m_columns->isZoomed());
    menu.addSeparator();
    menu.addAction(tr("Copy values as CSV"), this, [this] { QApplication::clipboard()->setText(QStringLiteral("layer,series,value\n") + csvRows()); });
    menu.addAction(tr("Export chart…"), this, &Lane::exportRequested);
}

void Lane::showMenu(const QPoint& globalPosition) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    fillMenu(*menu);
    menu->popup(globalPosition);
}

}  // namespace espalier::widgets
