#pragma once

#include <QImage>
#include <QRgb>

#include <cstdint>
#include <span>
#include <vector>

#include "widgets/data/decimation.h"


namespace espalier::widgets {

/// Vertical extent of a line in every pixel column, in pixels from the top; top > bottom where nothing is.
struct ColumnSpans {
    std::vector<float> top, bottom;
    void reset(int width);
    void add(int column, float a, float b) {
        if (a > b) std::swap(a, b);
        const auto c = static_cast<std::size_t>(column);
        if (a < top[c]) top[c] = a;
        if (b > bottom[c]) bottom[c] = b;
    }
    /// Straight stroke between two points, cut at column borders.
    void addStroke(double x0, double y0, double x1, double y1);
};

/// Small picture kept column by column, so that the vertical spans of hundreds of dense lines are filled at memory
/// speed. Premultiplied ARGB.
class ColumnCanvas {
public:
    ColumnCanvas() = default;
    ColumnCanvas(int width, int height) { reset(width, height); }
    int width() const { return m_width; }
    int height() const { return m_height; }
    /// Empty again, of this size; memory is kept.
    void reset(int width, int height);
    /// Fills every span of the columns [first, last), widened by `grow` px up and down, with covered edges.
    void blend(const ColumnSpans& spans, QRgb color, double opacity, double grow, int first, int last);
    /// All layers from back to front; strips of columns run on several cores.
    struct Layer {
        ColumnSpans spans;
        QRgb color = 0;
        double opacity = 1, grow = 0.5;
    };
    void blendAll(std::span<const Layer> layers);
    QImage toImage() const;

private:
    void blendPixel(std::uint32_t& pixel, const std::uint32_t source[4], unsigned coverage) const;

    int m_width = 0, m_height = 0;
    std::vector<std::uint32_t> m_pixels;  ///< [column][row]
};

/// Axis to pixel, linear or logarithmic, without a call through QCustomPlot for every point.
class PixelScale {
public:
    /// `pixels` is the length in (device) pixels; `isUp` = larger values nearer to pixel 0.
    PixelScale(double lower, double upper, double pixels, bool isLog, bool isUp);
    double pixel(double value) const {
        const double v = m_isLog ? logOf(value) : value;
        return (v - m_origin) * m_factor;
    }
    double valueAt(double pixel) const;
    /// `count` + 1 borders of pixel columns.
    std::vector<double> edges(int count) const;

private:
    static double logOf(double value);
    double m_origin, m_factor;
    bool m_isLog;
};

/// Extent of the raw line of one segment: exact minimum and maximum of each column, and the strokes between columns.
void spansOfSegment(const SegmentColumns& segment, const PixelScale& x, const PixelScale& y, int width,
                    ColumnSpans& spans);

}  // namespace espalier::widgets
