#include "widgets/plot/column_canvas.h"

#include <QVector>
#include <QtConcurrentMap>

#include <algorithm>
#include <cmath>

namespace espalier::widgets {
namespace {

constexpr float kFar = 1e9f;
constexpr std::size_t kParallelLayers = 8;
constexpr double kPixelLimit = 1e7;  // keeps far-away values inside float and int range

// floor() is a library call without SSE4.1, and this runs for every column of every line.
int fastFloor(double v) {
    const int i = static_cast<int>(v);
    return v < i ? i - 1 : i;
}

double clampPixel(double pixel) { return std::clamp(pixel, -kPixelLimit, kPixelLimit); }

}  // namespace

void ColumnSpans::reset(int width) {
    top.assign(static_cast<std::size_t>(width), kFar);
    bottom.assign(static_cast<std::size_t>(width), -kFar);
}

void ColumnSpans::addStroke(double x0, double y0, double x1, double y1) {
    if (x1 < x0) {
        std::swap(x0, x1);
        std::swap(y0, y1);
    }
    const int width = static_cast<int>(top.size());
    const double slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
    const int first = std::max(0, fastFloor(std::max(x0, -1.0)));
    const int last = std::min(width - 1, fastFloor(std::min(x1, static_cast<double>(width))));
    for (int c = first; c <= last; ++c) {
        const double left = std::max<double>(c, x0), right = std::min<double>(c + 1, x1);
        if (right < left) continue;
        const double a = x1 > x0 ? y0 + (left - x0) * slope : y0;
        const double b = x1 > x0 ? y0 + (right - x0) * slope : y1;
        add(c, static_cast<float>(a), static_cast<float>(b));
    }
}

void ColumnCanvas::reset(int width, int height) {
    m_width = std::max(1, width);
    m_height = std::max(1, height);
    m_pixels.assign(static_cast<std::size_t>(m_width) * static_cast<std::size_t>(m_height), 0);
}

void ColumnCanvas::blendAll(std::span<const Layer> layers) {
    const auto strip = [&](const std::pair<int, int>& columns) {
        for (const Layer& layer : layers) blend(layer.spans, layer.color, layer.opacity, layer.grow, columns.first, columns.second);
    };
    if (layers.size() < kParallelLayers) return strip({0, m_width});
    const int middle = m_width / 2;
    QVector<std::pair<int, int>> halves{{0, middle}, {middle, m_width}};
    QtConcurrent::blockingMap(halves, strip);
}

void ColumnCanvas::blendPixel(std::uint32_t& pixel, const std::uint32_t source[4], unsigned coverage) const {
    std::uint32_t out = 0;
    const unsigned alpha = source[3] * coverage / 255;
    for (int c = 0; c < 4; ++c) {
        const unsigned s = source[c] * coverage / 255;
        const unsigned d = (pixel >> (8 * c)) & 0xff;
        out |= std::min(255u, s + (d * (255 - alpha) + 127) / 255) << (8 * c);
    }
    pixel = out;
}

void ColumnCanvas::blend(const ColumnSpans& spans, QRgb color, double opacity, double grow, int first, int last) {
    const auto alpha = static_cast<unsigned>(std::lround(std::clamp(opacity, 0.0, 1.0) * qAlpha(color)));
    const std::uint32_t source[4] = {qBlue(color) * alpha / 255u, qGreen(color) * alpha / 255u,
                                     qRed(color) * alpha / 255u, alpha};
    const std::uint32_t packed = source[0] | source[1] << 8 | source[2] << 16 | source[3] << 24;
    // 256ths, so that the inner loop needs no division.
    const std::uint32_t keep = 256 - (alpha + (alpha >> 7));
    for (int c = first; c < last; ++c) {
        const auto i = static_cast<std::size_t>(c);
        if (spans.top[i] > spans.bottom[i]) continue;
        double top = spans.top[i] - grow, bottom = spans.bottom[i] + grow;
        if (bottom <= 0 || top >= m_height) continue;
        top = std::max(0.0, top);
        bottom = std::min<double>(m_height, bottom);
        std::uint32_t* column = m_pixels.data() + i * static_cast<std::size_t>(m_height);
        const int firstWhole = static_cast<int>(std::ceil(top)), lastWhole = static_cast<int>(std::floor(bottom));
        if (firstWhole > lastWhole) {  // within one pixel
            blendPixel(column[firstWhole - 1], source, static_cast<unsigned>((bottom - top) * 255));
            continue;
        }
        const double above = firstWhole - top, below = bottom - lastWhole;
        if (above > 0.02) blendPixel(column[firstWhole - 1], source, static_cast<unsigned>(above * 255));
        for (int y = firstWhole; y < lastWhole; ++y) {
            const std::uint32_t d = column[y];
            const std::uint32_t rb = ((d & 0xff00ffu) * keep >> 8) & 0xff00ffu;
            const std::uint32_t ag = ((d >> 8 & 0xff00ffu) * keep) & 0xff00ff00u;
            column[y] = packed + (rb | ag);
        }
        if (below > 0.02 && lastWhole < m_height) {
            blendPixel(column[lastWhole], source, static_cast<unsigned>(below * 255));
        }
    }
}

QImage ColumnCanvas::toImage() const {
    QImage image(m_width, m_height, QImage::Format_ARGB32_Premultiplied);
    constexpr int kTile = 32;
    const auto stride = static_cast<std::size_t>(image.bytesPerLine()) / 4;
    auto* bits = reinterpret_cast<std::uint32_t*>(image.bits());
    for (int y0 = 0; y0 < m_height; y0 += kTile) {
        for (int x0 = 0; x0 < m_width; x0 += kTile) {
            const int y1 = std::min(m_height, y0 + kTile), x1 = std::min(m_width, x0 + kTile);
            for (int x = x0; x < x1; ++x) {
                const std::uint32_t* column = m_pixels.data() + static_cast<std::size_t>(x) * m_height;
                for (int y = y0; y < y1; ++y) bits[static_cast<std::size_t>(y) * stride + x] = column[y];
            }
        }
    }
    return image;
}

PixelScale::PixelScale(double lower, double upper, double pixels, bool isLog, bool isUp) : m_isLog(isLog) {
    const double a = isLog ? logOf(lower) : lower, b = isLog ? logOf(upper) : upper;
    const double span = b > a ? b - a : 1.0;
    m_origin = isUp ? b : a;
    m_factor = (isUp ? -1 : 1) * pixels / span;
}

// Values at or below zero have no place on a logarithmic axis; they go far below every view.
double PixelScale::logOf(double value) { return value > 0 ? std::log10(value) : -1e5; }

double PixelScale::valueAt(double pixel) const {
    const double v = pixel / m_factor + m_origin;
    return m_isLog ? std::pow(10.0, v) : v;
}

std::vector<double> PixelScale::edges(int count) const {
    std::vector<double> result(static_cast<std::size_t>(count) + 1);
    for (int i = 0; i <= count; ++i) result[static_cast<std::size_t>(i)] = valueAt(i);
    return result;
}

void spansOfSegment(const SegmentColumns& segment, const PixelScale& x, const PixelScale& y, int width,
                    ColumnSpans& spans) {
    bool hasPrevious = segment.hasBefore;
    double previousX = hasPrevious ? clampPixel(x.pixel(segment.beforeKey)) : 0;
    double previousY = hasPrevious ? clampPixel(y.pixel(segment.before)) : 0;
    const int count = std::min<int>(width, static_cast<int>(segment.columns.size()));
    for (int c = 0; c < count; ++c) {
        const PixelColumn& column = segment.columns[static_cast<std::size_t>(c)];
        if (column.isEmpty()) continue;
        const double top = clampPixel(y.pixel(column.max)), bottom = clampPixel(y.pixel(column.min));
        spans.add(c, static_cast<float>(top), static_cast<float>(bottom));
        if (hasPrevious && !column.isBrokenBefore) {
            spans.addStroke(previousX, previousY, clampPixel(x.pixel(column.firstKey)),
                            clampPixel(y.pixel(column.first)));
        }
        hasPrevious = true;
        previousX = clampPixel(x.pixel(column.lastKey));
        previousY = clampPixel(y.pixel(column.last));
    }
    if (hasPrevious && segment.hasAfter && !segment.isBrokenAfter) {
        spans.addStroke(previousX, previousY, clampPixel(x.pixel(segment.afterKey)),
                        clampPixel(y.pixel(segment.after)));
    }
}

}  // namespace espalier::widgets
