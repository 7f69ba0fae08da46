#include "widgets/plot/line_plottables.h"

#include "widgets/theme/metrics.h"

#include <QtConcurrentMap>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace espalier::widgets {
namespace {

constexpr int kManyLines = 24;       // above this, strokes are filled column by column
constexpr std::size_t kParallelLines = 8;
constexpr double kDotGap = 8.0;      // px between points above which epoch values get dots instead of dashes

double widthOf(const ChartLine& line) {
    if (line.spec().role == LineRole::Smoothed && !line.isSmoothed()) return 1.0;  // the raw line itself
    switch (line.spec().role) {
        case LineRole::Mean: return 2.0;
        case LineRole::Seed: return 1.0;
        default: return metrics::kLineSmooth;
    }
}

QColor colorOf(const ChartScene& scene, const ChartLine& line) {
    QColor color = scene.look.runColor(line.spec().colorIndex);
    color.setAlphaF(static_cast<float>(line.spec().role == LineRole::Seed ? 0.4 : line.spec().opacity));
    return color;
}

double rawOpacity(const ChartLine& line) {
    return (line.spec().isFocused ? metrics::kAlphaRaw : metrics::kAlphaRawMany) * line.spec().opacity;
}

std::size_t pointsInView(const ChartLine& line, double low, double high) {
    const LineColumns view = line.columns();
    std::size_t count = 0;
    for (const Segment& s : line.decimator().segments()) {
        const std::size_t a = Decimator::lowerBound(view, s, low, s.first);
        count += Decimator::lowerBound(view, s, high, a) - a;
    }
    return count;
}

// A lone point is a dot whatever its line is.
StrokeKind strokeKindOf(const ChartLine& line, const AxisRange& keys, const PixelScale& x, double width) {
    if (line.isEmpty()) return line.spec().role == LineRole::Valid ? StrokeKind::Dashed : StrokeKind::Solid;
    const std::size_t points = std::max<std::size_t>(1, pointsInView(line, keys.low, keys.high));
    if (points == 1) return StrokeKind::Dotted;
    if (line.spec().role != LineRole::Valid) return StrokeKind::Solid;
    const double span = std::max(1.0, std::min(x.pixel(line.lastKey()), width) - std::max(x.pixel(line.firstKey()), 0.0));
    return span / static_cast<double>(points) > kDotGap ? StrokeKind::Dotted : StrokeKind::Dashed;
}

}  // namespace

StrokeKind strokeKindOf(const ChartScene& scene, const ChartLine& line, const AxisRange& keys, bool isLogX, double width) {
    if (scene.visibleCount() > kManyLines) return StrokeKind::Solid;
    return strokeKindOf(line, keys, PixelScale(keys.low, keys.high, width, isLogX, false), width);
}

ScenePlottable::ScenePlottable(QCPAxis* x, QCPAxis* y, const ChartScene* scene)
    : QCPAbstractPlottable(x, y), m_scene(scene) {
    setSelectable(QCP::stNone);
}

PixelScale ScenePlottable::xScale(double ratio) const {
    const QCPRange range = mKeyAxis->range();
    return PixelScale(range.lower, range.upper, clipRect().width() * ratio,
                      mKeyAxis->scaleType() == QCPAxis::stLogarithmic, false);
}

PixelScale ScenePlottable::yScale(double ratio) const {
    const QCPRange range = mValueAxis->range();
    return PixelScale(range.lower, range.upper, clipRect().height() * ratio,
                      mValueAxis->scaleType() == QCPAxis::stLogarithmic, true);
}

template <class Fill>
void ScenePlottable::paintSpans(QCPPainter* painter, const std::vector<const ChartLine*>& lines, double ratio,
                                const Fill& fill) {
    if (lines.empty()) return;
    const QRect area = drawnRect();
    const int width = static_cast<int>(std::lround(area.width() * ratio));
    m_layers.resize(lines.size());
    std::vector<std::size_t> order(lines.size());
    std::iota(order.begin(), order.end(), 0);
    const auto one = [&](const std::size_t& i) {
        m_layers[i].spans.reset(width);
        fill(*lines[i], m_layers[i]);
    };
    if (lines.size() < kParallelLines) std::for_each(order.begin(), order.end(), one);
    else QtConcurrent::blockingMap(order, one);
    m_canvas.reset(width, static_cast<int>(std::lround(area.height() * ratio)));
    m_canvas.blendAll(m_layers);
    painter->drawImage(QRectF(area), m_canvas.toImage());
}

void RawPlottable::draw(QCPPainter* painter) {
    const QRect area = drawnRect();
    if (area.width() < 2 || area.height() < 2) return;
    const double ratio = isVector(painter) ? 1.0 : painter->device()->devicePixelRatioF();
    const int width = static_cast<int>(std::lround(area.width() * ratio));
    const PixelScale x = xScale(ratio), y = yScale(ratio);
    const std::vector<double> edges = x.edges(width);
    std::vector<const ChartLine*> lines;
    // Focused runs on top, so that the one looked at is never veiled.
    for (const bool isFocusedPass : {false, true}) {
        for (const auto& line : m_scene->lines) {
            const bool isDrawn = line->isVisible() && !line->isEmpty() && line->isSmoothed();
            if (isDrawn && line->spec().isFocused == isFocusedPass) lines.push_back(line.get());
        }
    }
    const auto fill = [&](const ChartLine& line, ColumnSpans& spans) {
        for (const SegmentColumns& segment : line.decimator().columns(line.columns(), edges)) {
            spansOfSegment(segment, x, y, width, spans);
        }
    };
    if (isVector(painter)) {
        ColumnSpans spans;
        for (const ChartLine* line : lines) {
            spans.reset(width);
            fill(*line, spans);
            QColor faint = m_scene->look.runColor(line->spec().colorIndex);
            faint.setAlphaF(static_cast<float>(rawOpacity(*line)));
            drawOutline(painter, spans, faint);
        }
        return;
    }
    paintSpans(painter, lines, ratio, [&](const ChartLine& line, ColumnCanvas::Layer& layer) {
        fill(line, layer.spans);
        layer.color = m_scene->look.runColor(line.spec().colorIndex).rgba();
        layer.opacity = rawOpacity(line);
        layer.grow = 0.5 * ratio;
    });
}

void RawPlottable::drawOutline(QCPPainter* painter, const ColumnSpans& spans, const QColor& color) const {
    const QRectF area = drawnRect();
    painter->setPen(Qt::NoPen);
    painter->setBrush(color);
    painter->setRenderHint(QPainter::Antialiasing, true);
    const auto count = static_cast<int>(spans.top.size());
    const auto clamp = [&](double v) { return std::clamp(v, 0.0, area.height()); };
    for (int c = 0; c < count;) {
        if (spans.top[static_cast<std::size_t>(c)] > spans.bottom[static_cast<std::size_t>(c)]) {
            ++c;
            continue;
        }
        int end = c;
        while (end < count && spans.top[static_cast<std::size_t>(end)] <= spans.bottom[static_cast<std::size_t>(end)]) ++end;
        QPolygonF outline;
        for (int i = c; i < end; ++i) outline << QPointF(area.left() + i + 0.5, area.top() + clamp(spans.top[static_cast<std::size_t>(i)] - 0.5));
        for (int i = end - 1; i >= c; --i) outline << QPointF(area.left() + i + 0.5, area.top() + clamp(spans.bottom[static_cast<std::size_t>(i)] + 0.5));
        painter->drawPolygon(outline);
        c = end;
    }
}

void BandPlottable::draw(QCPPainter* painter) {
    const QRectF area = drawnRect();
    const PixelScale x = xScale(1), y = yScale(1);
    painter->setRenderHint(QPainter::Antialiasing, true);
    painter->setPen(Qt::NoPen);
    for (const auto& line : m_scene->lines) {
        const auto& computed = line->spec().computed;
        if (!line->isVisible() || !computed || computed->low.size() != computed->keys.size()) continue;
        QColor color = m_scene->look.runColor(line->spec().colorIndex);
        color.setAlphaF(0.18f);
        painter->setBrush(color);
        QPolygonF upper, lower;
        const auto flush = [&] {
            std::reverse(lower.begin(), lower.end());
            if (upper.size() > 1) painter->drawPolygon(QPolygonF(upper + lower));
            upper.clear();
            lower.clear();
        };
        for (std::size_t i = 0; i < computed->keys.size(); ++i) {
            if (!std::isfinite(computed->low[i]) || !std::isfinite(computed->high[i])) {
                flush();
                continue;
            }
            const double px = area.left() + std::clamp(x.pixel(computed->keys[i]), -1e5, 1e5);
            upper << QPointF(px, area.top() + std::clamp(y.pixel(computed->high[i]), -1e5, 1e5));
            lower << QPointF(px, area.top() + std::clamp(y.pixel(computed->low[i]), -1e5, 1e5));
        }
        flush();
    }
}

StrokePlottable::Vertices StrokePlottable::verticesOf(const ChartLine& line, std::span<const double> edges) const {
    const LineColumns view = line.columns();
    const bool isDense = pointsInView(line, edges.front(), edges.back()) > 4 * edges.size();
    if (line.isSmoothed() || !isDense) return line.smooth().vertices(view, line.decimator(), edges);
    Vertices vertices;
    const double gap = std::numeric_limits<double>::quiet_NaN();
    for (const SegmentColumns& segment : line.decimator().columns(view, edges)) {
        if (segment.hasBefore) vertices.push_back({segment.beforeKey, segment.before});
        for (const PixelColumn& column : segment.columns) {
            if (column.isEmpty()) continue;
            if (column.isBrokenBefore) vertices.push_back({column.firstKey, gap});
            vertices.push_back({column.firstKey, column.first});
            const double middle = (column.firstKey + column.lastKey) / 2;
            if (column.min < std::min(column.first, column.last)) vertices.push_back({middle, column.min});
            if (column.max > std::max(column.first, column.last)) vertices.push_back({middle, column.max});
            if (column.finite > 1) vertices.push_back({column.lastKey, column.last});
        }
        if (segment.hasAfter && !segment.isBrokenAfter) vertices.push_back({segment.afterKey, segment.after});
        vertices.push_back({edges.back(), gap});
    }
    return vertices;
}

void StrokePlottable::drawLine(QCPPainter* painter, const ChartLine& line, const Vertices& vertices) const {
    const QRectF area = drawnRect();
    const PixelScale x = xScale(1), y = yScale(1);
    const QColor color = colorOf(*m_scene, line);
    QPen pen(color, widthOf(line));
    pen.setJoinStyle(Qt::RoundJoin);
    pen.setCapStyle(Qt::RoundCap);
    const StrokeKind kind = strokeKindOf(line, {mKeyAxis->range().lower, mKeyAxis->range().upper}, x, area.width());
    setDash(pen, kind == StrokeKind::Dashed ? QVector<qreal>{5, 2} : m_scene->look.runDash(line.spec().colorIndex));
    painter->setRenderHint(QPainter::Antialiasing, true);
    painter->setBrush(Qt::NoBrush);
    painter->setPen(pen);
    QPolygonF stroke;
    const auto flush = [&] {
        if (stroke.size() == 1) painter->drawEllipse(stroke.front(), 1.2, 1.2);  // a point between two gaps
        if (stroke.size() > 1) painter->drawPolyline(stroke);
        stroke.clear();
    };
    for (const auto& vertex : vertices) {
        const double py = y.pixel(vertex.value);
        if (!std::isfinite(py)) {
            flush();
            continue;
        }
        const QPointF point(area.left() + std::clamp(x.pixel(vertex.key), -1e5, 1e5),
                            area.top() + std::clamp(py, -1e5, 1e5));
        // Less than a third of a pixel further adds nothing but time.
        if (stroke.size() > 1 && std::abs(point.x() - stroke.back().x()) < 0.34 &&
            std::abs(point.y() - stroke.back().y()) < 0.34) {
            continue;
        }
        stroke << point;
    }
    flush();
    if (kind != StrokeKind::Dotted) return;
    painter->setPen(Qt::NoPen);
    painter->setBrush(color);
    for (const auto& vertex : vertices) {
        const QPointF point(area.left() + x.pixel(vertex.key), area.top() + y.pixel(vertex.value));
        if (std::isfinite(point.y()) && area.contains(point)) painter->drawEllipse(point, 2.0, 2.0);
    }
}

void StrokePlottable::fillSpans(const ChartLine& line, std::span<const double> edges, const PixelScale& x,
                                const PixelScale& y, ColumnSpans& spans) const {
    if (!line.isSmoothed()) {
        for (const SegmentColumns& segment : line.decimator().columns(line.columns(), edges)) {
            spansOfSegment(segment, x, y, static_cast<int>(edges.size()) - 1, spans);
        }
        return;
    }
    bool hasPrevious = false;
    double px = 0, py = 0;
    for (const auto& vertex : verticesOf(line, edges)) {
        const double vx = std::clamp(x.pixel(vertex.key), -1e6, 1e6), vy = y.pixel(vertex.value);
        const bool isFinite = std::isfinite(vy);
        const double clamped = isFinite ? std::clamp(vy, -1e6, 1e6) : 0;
        if (isFinite && hasPrevious) spans.addStroke(px, py, vx, clamped);
        hasPrevious = isFinite;
        px = vx;
        py = clamped;
    }
}

void StrokePlottable::drawMany(QCPPainter* painter, std::span<const double> edges) {
    const double ratio = painter->device()->devicePixelRatioF();
    const PixelScale x = xScale(ratio), y = yScale(ratio);
    std::vector<const ChartLine*> lines;
    for (const auto& line : m_scene->lines)
        if (line->isVisible() && !line->isEmpty()) lines.push_back(line.get());
    paintSpans(painter, lines, ratio, [&](const ChartLine& line, ColumnCanvas::Layer& layer) {
        fillSpans(line, edges, x, y, layer.spans);
        const QColor color = colorOf(*m_scene, line);
        layer.color = QColor(color.rgb()).rgba();
        layer.opacity = color.alphaF();
        layer.grow = widthOf(line) / 2 * ratio;
    });
}

void StrokePlottable::drawForecasts(QCPPainter* painter) const {
    if (m_scene->xKind == XKind::Time) return;
    const QRectF area = drawnRect();
    const PixelScale x = xScale(1), y = yScale(1);
    painter->setRenderHint(QPainter::Antialiasing, true);
    for (const Forecast& forecast : m_scene->forecasts) {
        QPen pen(m_scene->look.runColor(forecast.colorIndex), 1.75);
        setDash(pen, {2, 3});
        painter->setPen(pen);
        QPolygonF stroke;
        for (std::size_t i = 0; i < forecast.steps.size(); ++i) {
            const double py = y.pixel(forecast.values[i]);
            if (std::isfinite(py)) stroke << QPointF(area.left() + x.pixel(m_scene->keyOf(forecast, i)), area.top() + std::clamp(py, -1e5, 1e5));
        }
        painter->drawPolyline(stroke);
    }
}

void StrokePlottable::draw(QCPPainter* painter) {
    const QRect area = drawnRect();
    if (area.width() < 2 || area.height() < 2) return;
    const bool isMany = m_scene->visibleCount() > kManyLines && !isVector(painter);
    const double ratio = isMany ? painter->device()->devicePixelRatioF() : 1.0;
    const std::vector<double> edges = xScale(ratio).edges(static_cast<int>(std::lround(area.width() * ratio)));
    if (isMany) {
        drawMany(painter, edges);
    } else {
        for (const bool isFocusedPass : {false, true}) {
            for (const auto& line : m_scene->lines) {
                if (!line->isVisible() || line->isEmpty() || line->spec().isFocused != isFocusedPass) continue;
                drawLine(painter, *line, verticesOf(*line, edges));
            }
        }
    }
    drawForecasts(painter);
}

PaintHook::PaintHook(QCustomPlot* plot, const char* layer, const ChartScene* scene, Paint paint)
    : QCPLayerable(plot, QString::fromLatin1(layer)), m_scene(scene), m_paint(paint) {}

void PaintHook::draw(QCPPainter* painter) {
    painter->setClipping(false);
    m_paint(*painter, mParentPlot->axisRect()->rect(), *m_scene, *mParentPlot->xAxis, *mParentPlot->yAxis);
}

}  // namespace espalier::widgets
