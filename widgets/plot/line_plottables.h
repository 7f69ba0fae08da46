#pragma once

#include "widgets/plot/chart_scene.h"
#include "widgets/plot/column_canvas.h"
#include "widgets/plot/qcp.h"

namespace espalier::widgets {



/// Base of our plottables: they draw a whole scene at once and leave ranges and legends to the chart.
class ScenePlottable : public QCPAbstractPlottable {
public:
    ScenePlottable(QCPAxis* x, QCPAxis* y, const ChartScene* scene);
    double selectTest(const QPointF&, bool, QVariant*) const override { return -1; }
    QCPRange getKeyRange(bool& isFound, QCP::SignDomain) const override { isFound = false; return {}; }
    QCPRange getValueRange(bool& isFound, QCP::SignDomain, const QCPRange&) const override { isFound = false; return {}; }

protected:
    /// QCustomPlot would move everything antialiased by half a pixel; we count pixels from their edges.
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override { painter->setAntialiasing(false); }
    void drawLegendIcon(QCPPainter*, const QRectF&) const override {}
    bool isVector(const QCPPainter* painter) const { return painter->modes().testFlag(QCPPainter::pmVectorized); }
    /// Where pixel 0 of the scales lies: QCustomPlot counts y from one row above the axis rectangle.
    QRect drawnRect() const { return clipRect().translated(0, -1); }
    PixelScale xScale(double ratio) const;
    PixelScale yScale(double ratio) const;
    /// Makes the spans of these lines (several at once when there are many) and paints them as one picture.
    template <class Fill>
    void paintSpans(QCPPainter* painter, const std::vector<const ChartLine*>& lines, double ratio, const Fill& fill);
    const ChartScene* m_scene;

private:
    ColumnCanvas m_canvas;                      ///< kept: a fresh one would fault in every page again
    std::vector<ColumnCanvas::Layer> m_layers;
};

/// Raw values of every line: exact minimum and maximum of each pixel column, painted into one picture (or as outlines
/// into a vector file).
class RawPlottable : public ScenePlottable {
public:
    using ScenePlottable::ScenePlottable;

protected:
    void draw(QCPPainter* painter) override;

private:
    void drawOutline(QCPPainter* painter, const ColumnSpans& spans, const QColor& color) const;
};

/// Bands of groups.
class BandPlottable : public ScenePlottable {
public:
    using ScenePlottable::ScenePlottable;

protected:
    void draw(QCPPainter* painter) override;
};

/// How this line comes out where these keys lie over so many pixels.
StrokeKind strokeKindOf(const ChartScene& scene, const ChartLine& line, const AxisRange& keys, bool isLogX, double width);

/// The strokes: smooth lines, epoch values, means, schedules to come. Many lines at once are drawn column by column.
class StrokePlottable : public ScenePlottable {
public:
    using ScenePlottable::ScenePlottable;

protected:
    void draw(QCPPainter* painter) override;

private:
    using Vertices = std::vector<SmoothLine::Vertex>;
    Vertices verticesOf(const ChartLine& line, std::span<const double> edges) const;
    void drawLine(QCPPainter* painter, const ChartLine& line, const Vertices& vertices) const;
    void drawMany(QCPPainter* painter, std::span<const double> edges);
    void fillSpans(const ChartLine& line, std::span<const double> edges, const PixelScale& x, const PixelScale& y, ColumnSpans& spans) const;
    void drawForecasts(QCPPainter* painter) const;
};

/// A layer item that calls back: events, cursor.
class PaintHook : public QCPLayerable {
public:
    using Paint = void (*)(QCPPainter&, const QRect&, const ChartScene&, const QCPAxis&, const QCPAxis&);
    PaintHook(QCustomPlot* plot, const char* layer, const ChartScene* scene, Paint paint);

protected:
    void applyDefaultAntialiasingHint(QCPPainter* painter) const override { painter->setAntialiasing(false); }
    void draw(QCPPainter* painter) override;

private:
    const ChartScene* m_scene;
    Paint m_paint;
};

}  // namespace espalier::widgets
